"""The OpenAPI documents of custom resources: for `kubectl explain`, for validation by clients.

Sits above `published`. `document` is what `/openapi/v3/apis/GROUP/VERSION` answers for all kinds of that group
and version; `v2_definitions` are merged into the one document of `/openapi/v2`.

Promises
    O1  every operation carries the kind it is about and the parameters it takes
    O2  a document contains every definition that it refers to

Source: apiextensions' pkg/controller/openapi/builder.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.apiextensions_v1.openapi_shared import LIST_META, Shared
from kajitori.apis.apiextensions_v1.published import BARE_META, BARE_META_V2, published_schema, to_v2
from kajitori.apis.apiextensions_v1.serving import ServedVersion

__all__ = ["definition_name", "document", "v2_definitions"]

_STATUS = "io.k8s.apimachinery.pkg.apis.meta.v1.Status"
_PATCH = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch"
_DELETE_OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"
_SCALE = "io.k8s.api.autoscaling.v1.Scale"
_SCHEMAS = "#/components/schemas/"

_MEDIA = ("application/json", "application/yaml")
_PATCH_TYPES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
)
_CONVENTIONS = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"
_ANSWERS = {"post": ("200", "201", "202"), "put": ("200", "201"), "patch": ("200",), "delete": ("200", "202")}


def definition_name(version: ServedVersion, kind: str) -> str:
    """`com.example.stable.v1.CronTab` for a CronTab of stable.example.com/v1."""
    return ".".join([*reversed(version.group.split(".")), version.version, kind])


def document(versions: Iterable[ServedVersion], shared: Shared) -> JsonObject:
    """The OpenAPI v3 document of the kinds of one group and version."""
    paths: JsonObject = {}
    schemas: JsonObject = {}
    for version in versions:
        paths.update(_Operations(version, shared).paths())
        schemas.update(_own_schemas(version, shared))
    _add_referenced(paths, schemas, shared.schema)
    _add_referenced(dict(schemas), schemas, shared.schema)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes CRD Swagger", "version": "v0.1.0"},
        "paths": {path: paths[path] for path in sorted(paths)},
        "components": {"schemas": {name: schemas[name] for name in sorted(schemas)}},
    }


def _group_version_kind(version: ServedVersion, kind: str) -> JsonObject:
    return {"group": version.group, "version": version.version, "kind": kind}


def _own_schemas(version: ServedVersion, shared: Shared) -> JsonObject:
    name = definition_name(version, version.kind)
    meta = shared.type_meta()
    own = published_schema(
        version.load(),
        {**meta, "metadata": {"description": shared.object_meta(), **BARE_META["metadata"]}},
    )
    own["x-kubernetes-group-version-kind"] = [_group_version_kind(version, version.kind)]
    of_list = {"description": shared.list_meta(), "allOf": [{"$ref": _SCHEMAS + LIST_META}]}
    listed = _list_schema(version, {**meta, "metadata": of_list}, _SCHEMAS + name)
    return {name: own, definition_name(version, version.list_kind): listed}


def _list_schema(version: ServedVersion, meta: JsonObject, item: str) -> JsonObject:
    return {
        "description": f"{version.list_kind} is a list of {version.kind}",
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": meta["apiVersion"],
            "items": {
                "description": f"List of {version.plural}. More info: {_CONVENTIONS}",
                "type": "array",
                "items": {"$ref": item},
            },
            "kind": meta["kind"],
            "metadata": meta["metadata"],
        },
        "x-kubernetes-group-version-kind": [_group_version_kind(version, version.list_kind)],
    }


def _add_referenced(value: Any, schemas: JsonObject, load: Callable[[str], JsonObject]) -> None:
    """Adds the definitions that something refers to, and those that they refer to."""
    if isinstance(value, Mapping):
        target = value.get("$ref")
        if isinstance(target, str):
            name = target.rpartition("/")[2]
            if name not in schemas:
                found = load(name)
                schemas[name] = found
                _add_referenced(found, schemas, load)
        for member in value.values():
            _add_referenced(member, schemas, load)
    elif isinstance(value, list):
        for item in value:
            _add_referenced(item, schemas, load)


class _Operations:
    """The paths of one version, with their operations."""

    def __init__(self, version: ServedVersion, shared: Shared) -> None:
        self._version = version
        self._shared = shared
        title = "".join(part[:1].upper() + part[1:] for part in version.group.split("."))
        self._tag = title[:1].lower() + title[1:] + "_" + version.version
        self._prefix = title + version.version[:1].upper() + version.version[1:]
        self._own = definition_name(version, version.kind)
        self._list = definition_name(version, version.list_kind)
        self._scope = "Namespaced" if version.namespaced else ""

    def paths(self) -> JsonObject:
        version, shared = self._version, self._shared
        root = f"/apis/{version.group}/{version.version}"
        paths: JsonObject = {}
        collection = f"{root}/{version.plural}"
        common: list[JsonObject] = []
        if version.namespaced:
            every = self._list_operation(f"list{self._prefix}{version.kind}ForAllNamespaces")
            parameters = sorted([*every.pop("parameters"), shared.pretty], key=lambda each: each["name"])
            paths[collection] = {"get": every, "parameters": parameters}
            collection = f"{root}/namespaces/{{namespace}}/{version.plural}"
            common.append(shared.namespace)
        named = self._prefix + self._scope
        paths[collection] = {
            "get": self._list_operation(f"list{named}{version.kind}"),
            "post": self._operation(
                "post", f"create a {version.kind}", f"create{named}{version.kind}", self._own
            ),
            "delete": self._operation(
                "deletecollection",
                f"delete collection of {version.kind}",
                f"delete{self._prefix}Collection{self._scope}{version.kind}",
                _STATUS,
            ),
            "parameters": [*common, shared.pretty],
        }
        item = f"{collection}/{{name}}"
        with_name = [shared.name_of(version.kind), *common, shared.pretty]
        paths[item] = {**self._item_operations(named, "", self._own), "parameters": with_name}
        paths[item]["delete"] = self._operation(
            "delete", f"delete a {version.kind}", f"delete{named}{version.kind}", _STATUS
        )
        if version.has_status:
            operations = self._item_operations(named, "status", self._own)
            paths[f"{item}/status"] = {**operations, "parameters": with_name}
        if version.scale is not None:
            operations = self._item_operations(named, "scale", _SCALE)
            paths[f"{item}/scale"] = {**operations, "parameters": with_name}
        return paths

    def _list_operation(self, identity: str) -> JsonObject:
        return self._operation("list", f"list objects of kind {self._version.kind}", identity, self._list)

    def _item_operations(self, named: str, subresource: str, schema: str) -> JsonObject:
        name = f"{named}{self._version.kind}{subresource.capitalize()}"
        what = f"{subresource} of the specified" if subresource else "the specified"
        return {
            method: self._operation(method, f"{told} {what} {self._version.kind}", f"{verb}{name}", schema)
            for method, verb, told in (
                ("get", "read", "read"),
                ("put", "replace", "replace"),
                ("patch", "patch", "partially update"),
            )
        }

    def _operation(self, action: str, description: str, identity: str, schema: str) -> JsonObject:
        operation: JsonObject = {
            "tags": [self._tag],
            "description": description,
            "operationId": identity,
            "parameters": self._shared.parameters[action],
        }
        if action in ("post", "put"):
            operation["requestBody"] = _body(dict.fromkeys(_MEDIA, schema))
        elif action == "patch":
            operation["requestBody"] = _body(dict.fromkeys(_PATCH_TYPES, _PATCH))
        elif action == "delete":
            operation["requestBody"] = {"content": _content(dict.fromkeys(_MEDIA, _DELETE_OPTIONS))}
        answer = {"description": "OK", "content": _content(dict.fromkeys(_MEDIA, schema))}
        codes = _ANSWERS.get(action, ("200",))
        texts = {"200": "OK", "201": "Created", "202": "Accepted"}
        operation["responses"] = {code: {**answer, "description": texts[code]} for code in codes}
        operation["responses"]["401"] = {"description": "Unauthorized"}
        operation["x-kubernetes-action"] = action
        kind = _group_version_kind(self._version, self._version.kind)
        operation["x-kubernetes-group-version-kind"] = kind
        return operation


def _content(schemas: Mapping[str, str]) -> JsonObject:
    return {media: {"schema": {"$ref": _SCHEMAS + name}} for media, name in schemas.items()}


def _body(schemas: Mapping[str, str]) -> JsonObject:
    return {"content": _content(schemas), "required": True}


def v2_definitions(version: ServedVersion, shared: Shared) -> JsonObject:
    """The definitions of a kind and its list for OpenAPI v2, by name."""
    name = definition_name(version, version.kind)
    meta = shared.type_meta()
    raw = version.load()
    if not raw or raw.get("x-kubernetes-preserve-unknown-fields"):
        # Clients would take any property told here as the only ones allowed.
        own: JsonObject = {"type": "object"}
    else:
        of_object = {"description": shared.object_meta(), **BARE_META_V2["metadata"]}
        described = {**meta, "metadata": of_object}
        own = to_v2(raw, described)
        own["properties"] = {**(own.get("properties") or {}), **described}
    own["x-kubernetes-group-version-kind"] = [_group_version_kind(version, version.kind)]
    of_list = {"description": shared.list_meta(), "$ref": f"#/definitions/{LIST_META}"}
    listed = _list_schema(version, {**meta, "metadata": of_list}, f"#/definitions/{name}")
    return {name: own, definition_name(version, version.list_kind): listed}
