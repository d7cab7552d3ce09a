"""Custom resources: what a CustomResourceDefinition serves, as resources of the registry.

Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kajitori.apimachinery.decode import DecodeError, untyped_numbers
from kajitori.apimachinery.errors import BadRequest, FieldError
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.schema import Schema
from kajitori.apimachinery.structural.defaulting import copy_json
from kajitori.apimachinery.structural.metadata import coerce_metadata
from kajitori.apimachinery.validation import name_is_dns_subdomain
from kajitori.apis.apiextensions_v1 import ServedVersion, validate_scale
from kajitori.apis.apiextensions_v1.serving import value_at
from kajitori.apis.definitions import built_in_definitions
from kajitori.apis.printers import Printer, custom_printer
from kajitori.apis.resources import ResourceInfo, SubresourceInfo
from kajitori.apis.strategies.base import NOBODY, Occasion, Path, Strategy
from kajitori.apiserver.registry.meta import in_order
from kajitori.apiserver.registry.resource import Resource, encode
from kajitori.apiserver.registry.scale import ScalePaths

if TYPE_CHECKING:
    from kajitori.apiserver.registry.converting import Conversion

__all__ = ["CustomResource", "custom_resources"]

_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
_BELOW = ("get", "patch", "update")


_OLD_FINALIZERS = ("orphan", "foregroundDeletion")
"""Kubernetes' own, from before finalizers had domains."""


class CustomStrategy(Strategy):
    """What Kubernetes does in code with custom objects."""

    allow_create_on_update = False
    allow_unconditional_update = False

    def __init__(self, version: ServedVersion) -> None:
        self.kind = version.as_kind()
        self._version = version
        self.has_status = version.has_status

    name_error = staticmethod(name_is_dns_subdomain)

    def default(self, obj: JsonObject) -> None:
        """Decoding has set the defaults already."""

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        if self.has_status:
            obj.pop("status", None)
        obj["metadata"]["generation"] = 1

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        if subresource == "status":
            self._status_only(obj, old)
            return
        if self.has_status:
            if "status" in old:
                obj["status"] = old["status"]
            else:
                obj.pop("status", None)
        if self._content(obj) != self._content(old):
            obj["metadata"]["generation"] = (old["metadata"].get("generation") or 0) + 1

    def _content(self, obj: Mapping[str, Any]) -> dict[str, Any]:
        ignored = (
            ("metadata", "status", "apiVersion", "kind")
            if self.has_status
            else ("metadata", "apiVersion", "kind")
        )
        return {name: value for name, value in obj.items() if name not in ignored}

    def _status_only(self, obj: JsonObject, old: JsonObject) -> None:
        """Only the status changes, and who owns it."""
        owned = obj["metadata"].get("managedFields")
        version = obj["metadata"].get("resourceVersion")
        status = obj.get("status")
        obj.clear()
        obj.update(old)
        metadata = dict(old["metadata"])
        if version:
            metadata["resourceVersion"] = version
        if owned:
            metadata["managedFields"] = owned
        else:
            metadata.pop("managedFields", None)
        obj["metadata"] = metadata
        if status is None:
            obj.pop("status", None)
        else:
            obj["status"] = status

    def validate(self, obj: JsonObject) -> list[FieldError]:
        errors = self._version.structural.validate(obj)
        if self._version.scale is not None:
            errors += validate_scale(obj, self._version.scale)
        return errors

    def validate_update(
        self,
        obj: JsonObject,
        old: JsonObject,
        subresource: str = "",
        warnings: list[str] | None = None,
    ) -> list[FieldError]:
        if subresource == "status":
            errors = self._version.structural.validate_status(obj, old, warnings=warnings)
        else:
            errors = self._version.structural.validate(obj, old, warnings=warnings)
        if self._version.scale is not None:
            errors += validate_scale(obj, self._version.scale)
        return errors

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        known = () if old is None else old["metadata"].get("finalizers") or ()
        return [
            f'metadata.finalizers: "{each}": prefer a domain-qualified finalizer name to avoid accidental '
            "conflicts with other finalizer writers"
            for each in sorted(set(obj["metadata"].get("finalizers") or ()) - {*known, *_OLD_FINALIZERS})
            if "/" not in each
        ]

    def reset_fields(self, subresource: str = "") -> tuple[Path, ...]:
        if subresource == "status":
            return (("metadata",), ("spec",))
        return (("status",),) if self.has_status else ()


def _field_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


class CustomResource(Resource):
    """One version of a custom resource."""

    custom = True

    def __init__(
        self,
        version: ServedVersion,
        siblings: Mapping[str, ServedVersion],
        *,
        rewrites: bool,
        since: int = 0,
        conversion: "Conversion | None" = None,
    ) -> None:
        """`rewrites`: objects stored under an older schema may lack defaults or hold too much. `since` is the
        revision that made the definition, `conversion` the webhook that it names.
        """
        kind = version.as_kind()
        storage = siblings[version.storage_version].as_kind()
        super().__init__(
            ResourceInfo(
                kind=kind,
                singular=version.singular,
                list_kind=version.list_kind,
                verbs=_VERBS,
                short_names=version.short_names,
                categories=version.categories,
                subresources=_subresources(version, kind),
                definition="",
                stored=True,
                bucket=f"{version.group}/{version.plural}",
                storage_kind=storage,
                storage_version_hash="",
            )
        )
        self.version = version
        self.deprecation = version.deprecation_warning
        self.since = since
        self.conversion = conversion
        self._siblings = siblings
        self._changed = rewrites
        self.converted = False
        # What was stored in another version, or under another schema, is told by its first bytes, or not at all.
        self.serves_stored = False
        self._printer = custom_printer(
            [
                {
                    "name": each.name,
                    "type": each.type,
                    "jsonPath": each.json_path,
                    "format": each.format,
                    "description": each.description,
                    "priority": each.priority,
                }
                for each in version.columns
            ]
        )
        if version.scale is not None:
            scale = version.scale
            self.scale_paths = ScalePaths(
                _path(scale.spec_replicas), _path(scale.status_replicas), _path(scale.label_selector)
            )
        self._schema: Schema | None = None
        self._strategy = CustomStrategy(version)

    @property
    def strategy(self) -> Strategy:
        return self._strategy

    @cached_property
    def _rewrites(self) -> bool:
        """Whether what is stored in this version is not yet what is shown."""
        schema = self.version.raw_schema
        # What one version wrote may lack what another one has as a default.
        differ = any(each.raw_schema != schema for each in self._siblings.values())
        return self._changed or differ or _holds_more(self.version)

    def field_label(self, label: str) -> str:
        if label in ("metadata.name", "metadata.namespace") or label in self.version.selectable_fields:
            return label
        raise BadRequest(f"field label not supported: {label}")

    def selectable_fields(self, value: bytes) -> dict[str, str]:
        shown = self.parse(value)
        metadata = shown["metadata"]
        fields = {"metadata.name": metadata["name"], "metadata.namespace": metadata.get("namespace", "")}
        if self.version.selectable_fields:
            fields |= {label: _field_text(value_at(shown, label)) for label in self.version.selectable_fields}
        return fields

    def decode_admitted(self, changed: JsonObject, problems: list[str]) -> JsonObject:
        return self._decoded(changed, problems, drop_invalid=True)

    def decode(self, raw: JsonObject, problems: list[str]) -> JsonObject:
        return self._decoded(raw, problems)

    def _decoded(self, raw: JsonObject, problems: list[str], *, drop_invalid: bool = False) -> JsonObject:
        """`drop_invalid`: metadata of the wrong type goes, instead of being complained of."""
        obj: JsonObject = untyped_numbers(raw)
        obj["apiVersion"], obj["kind"] = self.kind.api_version, self.kind.kind
        obj.setdefault("metadata", {})
        coerced = self.version.structural.decode(obj, drop_invalid=drop_invalid)
        if coerced.error is not None:
            # What is wrong with the object's own metadata is told as it is, without saying where.
            error = coerced.error
            raise DecodeError(error.detail if error.path == "metadata" else str(error))
        problems += [f'unknown field "{path}"' for path in coerced.unknown]
        return obj

    def decode_applied(self, applied: JsonObject) -> JsonObject:
        self.version.structural.default_applied(applied)
        coerced = coerce_metadata(applied)
        if coerced.error is not None:
            raise DecodeError(coerced.error.detail)
        return applied

    def default(self, obj: JsonObject) -> None:
        """Decoding has done it: what is pruned and what is defaulted depend on one another."""

    def convert(self, obj: JsonObject, api_version: str) -> JsonObject:
        if obj.get("apiVersion") == api_version:
            return obj
        name = api_version.rpartition("/")[2]
        if name not in self._siblings:
            raise LookupError(api_version)
        if self.conversion is not None:
            return self.conversion.known(obj, api_version)
        return {**obj, "apiVersion": api_version}

    async def brought(self, values: Sequence[bytes]) -> list[bytes]:
        brought = list(values)
        foreign = [at for at, value in enumerate(brought) if not value.startswith(self.item_prefix)]
        if self.conversion is None or not foreign:
            return brought
        objects = [self._defaulted(super(CustomResource, self).parse(brought[at])) for at in foreign]
        api_version = self.kind.api_version
        converted = await self.conversion.convert(objects, api_version)
        for at, obj in zip(foreign, converted, strict=True):
            self.version.structural.coerce(obj, drop_invalid=True)
            self.version.structural.keep_known(obj)
            brought[at] = encode(in_order(obj, api_version, self.kind.kind))
        return brought

    async def sent(self, obj: JsonObject) -> JsonObject:
        if self.conversion is None:
            return obj
        [converted] = await self.conversion.convert([obj], self.storage_kind.api_version)
        if converted is not obj:
            self._siblings[self.storage_kind.version].structural.keep_known(converted)
        return converted

    def written(self, obj: JsonObject) -> JsonObject:
        stored = self._siblings[self.storage_kind.version]
        if obj["apiVersion"] == self.storage_kind.api_version:
            return obj
        converted: JsonObject = copy_json(self.convert(obj, self.storage_kind.api_version))
        stored.structural.keep_known(converted)
        return converted

    def parse(self, value: bytes) -> JsonObject:
        obj = super().parse(value)
        if not self._rewrites and value.startswith(self.item_prefix):
            return obj
        # Defaults are those of the version that it is stored in; what is kept is what this version knows.
        obj = self._defaulted(obj)
        if obj["apiVersion"] != self.kind.api_version:
            obj = self.convert(obj, self.kind.api_version)
            self.version.structural.keep_known(obj)
        return obj

    def _defaulted(self, obj: JsonObject) -> JsonObject:
        """A stored object as the present schema of its own version has it."""
        stored = self._siblings.get(str(obj.get("apiVersion")).rpartition("/")[2])
        if stored is not None:
            stored.structural.decode(obj, drop_invalid=True)
        return obj

    def serve(self, value: bytes) -> bytes:
        if not self._rewrites and value.startswith(self.item_prefix):
            return value
        return encode(self.parse(value))

    @property
    def schema(self) -> Schema | None:
        if self._schema is None:
            self._schema = self.version.shape(built_in_definitions())
        return self._schema

    @property
    def printer(self) -> Printer:
        return self._printer


def _holds_more(version: ServedVersion) -> bool:
    """Whether what is stored may not be what is shown: a status that is a default, replicas that are no field."""
    known: Any = version.raw_schema
    if ((known.get("properties") or {}).get("status") or {}).get("default") is not None:
        return True
    for name in _path(version.scale.spec_replicas) if version.scale is not None else ():
        known = (known.get("properties") or {}).get(name)
        if known is None:
            return True
    return False


def _path(json_path: str) -> tuple[str, ...]:
    return tuple(each for each in json_path.removeprefix(".").split(".") if each)


def _subresources(version: ServedVersion, kind: Kind) -> dict[str, SubresourceInfo]:
    found: dict[str, SubresourceInfo] = {}
    if version.has_status:
        found["status"] = SubresourceInfo("status", kind, _BELOW, "")
    if version.scale is not None:
        scale = Kind("autoscaling", "v1", "Scale", kind.plural, kind.namespaced)
        found["scale"] = SubresourceInfo("scale", scale, _BELOW, "")
    return found


def custom_resources(
    versions: Sequence[ServedVersion], *, rewrites: bool, since: int, conversion: "Conversion | None" = None
) -> list[CustomResource]:
    """The resources of a definition, one for each version that is served."""
    siblings = {each.version: each for each in versions}
    return [
        CustomResource(each, siblings, rewrites=rewrites, since=since, conversion=conversion)
        for each in versions
        if each.served
    ]
