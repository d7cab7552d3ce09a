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
from kajitori.apis.apiextensions_v1.published import (
    LIST_META,
    published_schema,
    to_v2,
    v2_meta_properties,
)
from kajitori.apis.apiextensions_v1.serving import ServedVersion

__all__ = ["definition_name", "document", "v2_definitions"]

_STATUS = "io.k8s.apimachinery.pkg.apis.meta.v1.Status"
_PATCH = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch"
_DELETE_OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"
_SCALE = "io.k8s.api.autoscaling.v1.Scale"
_SCHEMAS = "#/components/schemas/"

_LIST_PARAMETERS = (
    ("allowWatchBookmarks", "boolean"),
    ("continue", "string"),
    ("fieldSelector", "string"),
    ("labelSelector", "string"),
    ("limit", "integer"),
    ("resourceVersion", "string"),
    ("resourceVersionMatch", "string"),
    ("sendInitialEvents", "boolean"),
    ("timeoutSeconds", "integer"),
    ("watch", "boolean"),
)
_DELETE_PARAMETERS = (
    ("dryRun", "string"),
    ("gracePeriodSeconds", "integer"),
    ("ignoreStoreReadErrorWithClusterBreakingPotential", "boolean"),
    ("orphanDependents", "boolean"),
    ("propagationPolicy", "string"),
)
_WRITE_PARAMETERS = (("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string"))
_PARAMETERS = {
    "list": _LIST_PARAMETERS,
    "deletecollection": _LIST_PARAMETERS,
    "post": _WRITE_PARAMETERS,
    "get": (("resourceVersion", "string"),),
    "put": _WRITE_PARAMETERS,
    "patch": (*_WRITE_PARAMETERS, ("force", "boolean")),
    "delete": _DELETE_PARAMETERS,
}
_PATCH_TYPES = (
    "application/apply-patch+cbor",
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
)
_ANSWERS = {"post": ("200", "201", "202"), "put": ("200", "201"), "patch": ("200",), "delete": ("200", "202")}


def definition_name(version: ServedVersion, kind: str) -> str:
    """`com.example.stable.v1.CronTab` for a CronTab of stable.example.com/v1."""
    return ".".join([*reversed(version.group.split(".")), version.version, kind])


def document(versions: Iterable[ServedVersion], load: Callable[[str], Mapping[str, Any]]) -> JsonObject:
    """The OpenAPI v3 document of the kinds of one group and version.

    `load` gives the raw schema of a built-in definition by name, or raises KeyError.
    """
    paths: JsonObject = {}
    schemas: JsonObject = {}
    for version in versions:
        paths.update(_Operations(version).paths())
        schemas.update(_own_schemas(version))
    _add_referenced(paths, schemas, load)
    _add_referenced(dict(schemas), schemas, load)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes CRD Swagger", "version": "v0.1.0"},
        "paths": {path: paths[path] for path in sorted(paths)},
        "components": {"schemas": {name: schemas[name] for name in sorted(schemas)}},
    }


def _group_version_kind(version: ServedVersion, kind: str) -> JsonObject:
    return {"group": version.group, "version": version.version, "kind": kind}


def _own_schemas(version: ServedVersion) -> JsonObject:
    name = definition_name(version, version.kind)
    own = published_schema(version.raw_schema)
    own["x-kubernetes-group-version-kind"] = [_group_version_kind(version, version.kind)]
    listed: JsonObject = {
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string"},
            "items": {"type": "array", "items": {"$ref": _SCHEMAS + name}},
            "kind": {"type": "string"},
            "metadata": {"allOf": [{"$ref": _SCHEMAS + LIST_META}]},
        },
        "x-kubernetes-group-version-kind": [_group_version_kind(version, version.list_kind)],
    }
    return {name: own, definition_name(version, version.list_kind): listed}


def _add_referenced(value: Any, schemas: JsonObject, load: Callable[[str], Mapping[str, Any]]) -> None:
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

    def __init__(self, version: ServedVersion) -> None:
        self._version = version
        title = "".join(part[:1].upper() + part[1:] for part in version.group.split("."))
        self._tag = title[:1].lower() + title[1:] + "_" + version.version
        self._prefix = title + version.version[:1].upper() + version.version[1:]
        self._own = definition_name(version, version.kind)
        self._list = definition_name(version, version.list_kind)
        self._scope = "Namespaced" if version.namespaced else ""

    def paths(self) -> JsonObject:
        version = self._version
        root = f"/apis/{version.group}/{version.version}"
        paths: JsonObject = {}
        collection = f"{root}/{version.plural}"
        common: list[JsonObject] = []
        if version.namespaced:
            every = self._operation("list", f"list{self._prefix}{version.kind}ForAllNamespaces", self._list)
            parameters = every.pop("parameters")
            paths[collection] = {"get": every, "parameters": [*parameters, _pretty()]}
            collection = f"{root}/namespaces/{{namespace}}/{version.plural}"
            common.append(_path_parameter("namespace"))
        named = self._prefix + self._scope
        paths[collection] = {
            "get": self._operation("list", f"list{named}{version.kind}", self._list),
            "post": self._operation("post", f"create{named}{version.kind}", self._own),
            "delete": self._operation(
                "deletecollection", f"delete{self._prefix}Collection{self._scope}{version.kind}", _STATUS
            ),
            "parameters": [*common, _pretty()],
        }
        item = f"{collection}/{{name}}"
        with_name = [_path_parameter("name"), *common, _pretty()]
        paths[item] = {**self._item_operations(named, "", self._own), "parameters": with_name}
        paths[item]["delete"] = self._operation("delete", f"delete{named}{version.kind}", _STATUS)
        if version.has_status:
            operations = self._item_operations(named, "Status", self._own)
            paths[f"{item}/status"] = {**operations, "parameters": with_name}
        if version.scale is not None:
            operations = self._item_operations(named, "Scale", _SCALE)
            paths[f"{item}/scale"] = {**operations, "parameters": with_name}
        return paths

    def _item_operations(self, named: str, subresource: str, schema: str) -> JsonObject:
        verbs = (("get", "read"), ("put", "replace"), ("patch", "patch"))
        name = f"{named}{self._version.kind}{subresource}"
        return {method: self._operation(method, f"{verb}{name}", schema) for method, verb in verbs}

    def _operation(self, action: str, identity: str, schema: str) -> JsonObject:
        operation: JsonObject = {
            "tags": [self._tag],
            "operationId": identity,
            "parameters": [_query_parameter(name, kind) for name, kind in _PARAMETERS[action]],
        }
        if action in ("post", "put"):
            operation["requestBody"] = _body({"*/*": schema})
        elif action == "patch":
            operation["requestBody"] = _body(dict.fromkeys(_PATCH_TYPES, _PATCH))
        elif action == "delete":
            operation["requestBody"] = {"content": _content({"*/*": _DELETE_OPTIONS})}
        answer = {"description": "OK", "content": _content(dict.fromkeys(_answer_types(action), schema))}
        codes = _ANSWERS.get(action, ("200",))
        texts = {"200": "OK", "201": "Created", "202": "Accepted"}
        operation["responses"] = {code: {**answer, "description": texts[code]} for code in codes}
        operation["responses"]["401"] = {"description": "Unauthorized"}
        operation["x-kubernetes-action"] = action
        kind = _group_version_kind(self._version, self._version.kind)
        operation["x-kubernetes-group-version-kind"] = kind
        return operation


def _answer_types(action: str) -> tuple[str, ...]:
    plain = ("application/json", "application/yaml")
    return (*plain, "application/json;stream=watch") if action == "list" else plain


def _content(schemas: Mapping[str, str]) -> JsonObject:
    return {media: {"schema": {"$ref": _SCHEMAS + name}} for media, name in schemas.items()}


def _body(schemas: Mapping[str, str]) -> JsonObject:
    return {"content": _content(schemas), "required": True}


def _query_parameter(name: str, kind: str) -> JsonObject:
    return {"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": True}}


def _path_parameter(name: str) -> JsonObject:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {"type": "string", "uniqueItems": True},
    }


def _pretty() -> JsonObject:
    return _query_parameter("pretty", "string")


def v2_definitions(version: ServedVersion) -> JsonObject:
    """The definitions of a kind and its list for OpenAPI v2, by name."""
    name = definition_name(version, version.kind)
    if not version.raw_schema or version.raw_schema.get("x-kubernetes-preserve-unknown-fields"):
        # Clients would take any property told here as the only ones allowed.
        own: JsonObject = {"type": "object"}
    else:
        own = to_v2(version.raw_schema)
        own["properties"] = {**(own.get("properties") or {}), **v2_meta_properties()}
    own["x-kubernetes-group-version-kind"] = [_group_version_kind(version, version.kind)]
    meta = v2_meta_properties()
    listed: JsonObject = {
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": meta["apiVersion"],
            "items": {"type": "array", "items": {"$ref": f"#/definitions/{name}"}},
            "kind": meta["kind"],
            "metadata": {"$ref": f"#/definitions/{LIST_META}"},
        },
        "x-kubernetes-group-version-kind": [_group_version_kind(version, version.list_kind)],
    }
    return {name: own, definition_name(version, version.list_kind): listed}
