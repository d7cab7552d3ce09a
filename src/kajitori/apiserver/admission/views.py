"""The objects of one write in the versions in which webhooks and policies want to see them.

Promises
    V1  an object is seen in the version that was matched, the old one too; of the subresource `scale` it is the Scale,
        of subresources with a kind of their own what was sent
    V2  what is changed in one version is the write's object from then on, decoded and with defaults, in the version
        that was asked for

Source: apiserver's pkg/admission/conversion.go.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from kajitori.apimachinery.decode import json_type
from kajitori.apimachinery.errors import ApiError, BadRequest, internal_error
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.structural.defaulting import copy_json
from kajitori.apis import typed
from kajitori.apis.strict import unknown_fields
from kajitori.apiserver.registry.call import Attributes
from kajitori.apiserver.registry.resource import Resource
from kajitori.apiserver.registry.scale import BUILT_IN, scale_of, with_replicas

__all__ = ["Undecodable", "Views"]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Undecodable(Exception):
    """What somebody made of an object is none of its kind; the text is Go's."""


class Views:
    """Of one write, for as long as one plugin is asked about it."""

    def __init__(self, attributes: Attributes) -> None:
        self._attributes = attributes
        self._known: dict[tuple[str, str], JsonObject | None] = {}

    async def new(self, resource: Resource) -> JsonObject | None:
        """The object that is to be written. Nobody may change it."""
        return await self._seen("new", self._attributes.obj, resource)

    async def old(self, resource: Resource) -> JsonObject | None:
        """What it was before."""
        return await self._seen("old", self._attributes.old, resource)

    async def _seen(self, which: str, obj: JsonObject | None, resource: Resource) -> JsonObject | None:
        key = (which, resource.kind.api_version)
        if key not in self._known:
            self._known[key] = None if obj is None else await self._made(obj, resource)
        return self._known[key]

    async def _made(self, obj: JsonObject, resource: Resource) -> JsonObject:
        if self._attributes.subresource == "scale":
            return scale_of(obj, self._attributes.resource.scale_paths or BUILT_IN)
        part = self._attributes.resource.part(self._attributes.subresource)
        if part is not None:
            return {"kind": part.kind.kind, "apiVersion": part.kind.api_version, **obj}
        return await in_version(obj, self._attributes.resource, resource)

    async def replace(self, resource: Resource, changed: Any, *, strict: bool = False) -> bool:
        """Takes what became of the object in the version of `resource`; whether it is another one now.

        Raises: Undecodable for what is no such object; `strict`: also for fields that a built-in kind does not have.
            InternalError where it cannot be converted.
        """
        attributes = self._attributes
        seen = await self.new(resource)
        assert seen is not None, attributes
        if not isinstance(changed, dict):
            raise Undecodable(
                "couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type "
                'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
                'Kind string "json:\\"kind,omitempty\\"" }'
            )
        for name in ("apiVersion", "kind"):
            said = seen[name] if changed.get(name) in (None, "") else changed[name]
            if strict and not isinstance(said, str):
                told = f"json: cannot unmarshal {json_type(said)} into Go struct field .{name} of type string"
                raise Undecodable(f"couldn't get version/kind; json parse error: {told}")
            if strict and said != seen[name]:
                kind, version = (changed.get(each) or seen[each] for each in ("kind", "apiVersion"))
                raise Undecodable(
                    f'no kind "{kind}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
                )
        if attributes.subresource == "scale":
            replicas = (changed.get("spec") or {}).get("replicas") or 0
            paths = attributes.resource.scale_paths or BUILT_IN
            assert attributes.obj is not None
            attributes.obj = with_replicas(attributes.obj, paths, replicas)
        elif (part := attributes.resource.part(attributes.subresource)) is not None:
            try:
                attributes.obj, has_unknown = typed.decode(part.definition, changed)
            except ValueError as error:
                raise Undecodable(str(error)) from None
            if strict and has_unknown:
                raise _unknown(unknown_fields(part.definition, changed))
        else:
            unknown: list[str] = []
            # Nothing in it stands in two places, or belongs to what it was before.
            private = _copied(changed)
            try:
                decoded = resource.decode_admitted(private, unknown)
            except (BadRequest, ValueError) as error:
                raise Undecodable(str(error)) from None
            if strict and unknown and not resource.custom:
                raise _unknown(unknown)
            resource.default(decoded)
            attributes.obj = await in_version(decoded, resource, attributes.resource)
        self._known = {key: obj for key, obj in self._known.items() if key[0] == "old"}
        return await self.new(resource) != seen


def _copied(value: JsonObject) -> JsonObject:
    found: JsonObject = _decode(_encode(value))
    return found


def _unknown(fields: Iterable[str]) -> Undecodable:
    """What is said of `unknown field "spec.nope"` and others: by the members of the object, which were sorted."""
    told = ", ".join(sorted(fields, key=_member))
    return Undecodable(f"strict decoding error: {told}")


def _member(complaint: str) -> str:
    return complaint.partition('"')[2].partition(".")[0].partition("[")[0]


async def in_version(obj: JsonObject, held: Resource, wanted: Resource) -> JsonObject:
    """An object of one version of a resource in another. Raises: InternalError."""
    api_version = wanted.kind.api_version
    if obj.get("apiVersion") == api_version:
        return obj
    try:
        if held.conversion is not None:
            [converted] = await held.conversion.convert([obj], api_version)
            return converted
        copied: JsonObject = copy_json(obj)
        return held.convert(copied, api_version)
    except (ApiError, LookupError) as error:
        raise internal_error(error) from None
