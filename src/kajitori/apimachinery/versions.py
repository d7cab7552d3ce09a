"""The versions of a kind as one thing: its hub, to which and from which all others are converted, and its spokes.

    class WidgetV1Alpha1(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
        ...
        def convert_to(self) -> Widget: ...
        @classmethod
        def convert_from(cls, hub: Widget) -> Self: ...

    WIDGETS = Versions(Widget, WidgetV1Alpha1)
    WIDGETS.convert(objects, "example.com/v1alpha1")

Pure: who serves ConversionReviews takes `functions`, or `convert`. The methods convert what the classes declare; what
must survive every conversion is not left to them.

Promises
    V1  objects come back in the order in which they were given, in the version that is wanted; spokes become one
        another by way of the hub
    V2  metadata survives: of what a method gives only labels and annotations count, and those only when it gives any
        metadata
    V3  what the hub has and a spoke cannot say is not lost when the object comes back: it travels in an annotation, and
        what was changed meanwhile is merged into it
    V4  members that the class does not declare stay at their place, where the other version has that place
    V5  what cannot be converted raises ConversionFailed, which says what and why; it has a cause where a method raised
        what is no ValueError

Source: controller-runtime's pkg/conversion (Hub, Convertible); V3 is what Cluster API's objects do by hand.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Protocol, Self, TypeVar, cast

import msgspec

from kajitori.apimachinery.carrying import carried
from kajitori.apimachinery.declare import DeclarationError, declaration_of
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.struct_decoder import struct_decoder, undeclared

__all__ = ["ConversionFailed", "Spoke", "Versions", "webhook_conversion"]

Hub = TypeVar("Hub")


class ConversionFailed(Exception):
    """An object that cannot be converted; the text says which and why."""


class Spoke(Protocol[Hub]):
    """What a class has that is a version beside the hub."""

    def convert_to(self) -> Hub:
        """The same as the hub says it. Raises: ValueError, whose text the user sees, when it cannot be said."""
        ...

    @classmethod
    def convert_from(cls, hub: Hub) -> Self:
        """The same as this version says it."""
        ...


class Versions:
    """A kind in several versions."""

    def __init__(self, hub: type[msgspec.Struct], *spokes: type[msgspec.Struct]) -> None:
        """Raises: DeclarationError when the classes are not versions of one kind, or a spoke has no conversion."""
        self.hub = hub
        self.spokes = spokes
        declared = declaration_of(hub)
        self.kind = Kind(
            declared.group, declared.version, declared.kind, declared.plural, declared.namespaced
        )
        """The kind in the version of the hub."""
        self.annotation = f"conversion.{declared.group}/hub"
        """Where objects of spokes carry what only the hub can say."""
        self._classes = {declared.version: _Class(hub)}
        for spoke in spokes:
            self._add(spoke)

    def _add(self, spoke: type[msgspec.Struct]) -> None:
        declared, name = declaration_of(spoke), f"{spoke.__module__}.{spoke.__qualname__}"
        if (declared.group, declared.kind) != (self.kind.group, self.kind.kind):
            raise DeclarationError(
                f"{name} is {declared.kind} of {declared.group}, and its hub {self.kind.kind} of {self.kind.group}; "
                f'give it kind="{self.kind.kind}" and group="{self.kind.group}"'
            )
        if declared.version in self._classes:
            raise DeclarationError(f"{name}: version {declared.version} is declared twice")
        for method, is_bound in (("convert_to", False), ("convert_from", True)):
            found = getattr(spoke, method, None)
            if not callable(found) or (getattr(found, "__self__", None) is not None) is not is_bound:
                hub = self.hub.__name__
                wanted = (
                    f"def convert_to(self) -> {hub}"
                    if method == "convert_to"
                    else f"@classmethod def convert_from(cls, hub: {hub}) -> Self"
                )
                raise DeclarationError(f"{name} has no {method} to be converted by; write `{wanted}`")
        self._classes[declared.version] = _Class(spoke)

    @property
    def classes(self) -> tuple[type[msgspec.Struct], ...]:
        """All versions, the hub first."""
        return (self.hub, *self.spokes)

    @property
    def functions(self) -> dict[tuple[str, str], Callable[[JsonObject], JsonObject]]:
        """What makes a JSON object of one version one of another, by `("v1alpha1", "v1")`: all pairs with the hub.

        They raise: ConversionFailed.
        """
        hub = self.kind.version
        spokes = [version for version in self._classes if version != hub]
        return {
            **{(version, hub): partial(self._to_hub, version) for version in spokes},
            **{(hub, version): partial(self._from_hub, version) for version in spokes},
        }

    def convert(self, objects: Iterable[Mapping[str, Any]], api_version: str) -> list[JsonObject]:
        """Objects of any of the versions in the wanted one. What was given is not changed.

        Raises: ConversionFailed.
        """
        return [self._convert(cast(JsonObject, each), api_version) for each in objects]

    def _convert(self, value: JsonObject, api_version: str) -> JsonObject:
        version, wanted = self._version(value, value.get("apiVersion")), self._version(value, api_version)
        if version == wanted:
            return value
        if version != self.kind.version:
            value = self._to_hub(version, value)
        return value if wanted == self.kind.version else self._from_hub(wanted, value)

    def _version(self, value: JsonObject, api_version: Any) -> str:
        group, _, version = str(api_version or "").rpartition("/")
        if group == self.kind.group and version in self._classes and value.get("kind") == self.kind.kind:
            return version
        known = ", ".join(f"{self.kind.group}/{each}" for each in self._classes)
        raise ConversionFailed(
            f"{value.get('kind')} of {api_version}: not a version that is declared; {self.kind.kind} has {known}"
        )

    def _to_hub(self, version: str, value: JsonObject) -> JsonObject:
        spoke, hub = self._classes[version], self._classes[self.kind.version]
        plain, kept = self._without_kept(value)
        result = self._step(spoke, hub, plain, lambda read: read.convert_to())
        if kept is None:
            return result
        # What the hub was, as far as the spoke could say it, is what the changes were made to.
        try:
            before = hub.written(spoke.struct.convert_from(hub.read_value(kept)).convert_to())
        except (msgspec.ValidationError, TypeError, AttributeError):
            return result  # somebody wrote the annotation who should not
        after = {name: each for name, each in result.items() if name not in _HEAD}
        merged = carried(kept, _body(before), after)
        return {**{name: result[name] for name in _HEAD}, **merged}

    def _from_hub(self, version: str, value: JsonObject) -> JsonObject:
        spoke, hub = self._classes[version], self._classes[self.kind.version]
        lost: list[JsonObject] = []

        def convert(read: Any) -> Any:
            made = spoke.struct.convert_from(read)
            # Read again, because a method may give a list where a tuple is read, or an empty struct for none.
            if not hub.is_same(hub.read_value(hub.written(made.convert_to())), read):
                lost.append(_body(hub.written(read)))
            return made

        result = self._step(hub, spoke, value, convert)
        if lost:
            metadata = result["metadata"]
            annotations = {**(metadata.get("annotations") or {})}
            annotations[self.annotation] = msgspec.json.encode(lost[0], order="deterministic").decode()
            result["metadata"] = {**metadata, "annotations": annotations}
        return result

    def _step(
        self, source: "_Class", target: "_Class", value: JsonObject, convert: Callable[[Any], Any]
    ) -> JsonObject:
        metadata: JsonObject = value.get("metadata") or {}
        name = f"{self.kind.kind} {metadata.get('namespace', '')}/{metadata.get('name', '')}"
        way = f"{name}, from {source.version} to {target.version}"
        try:
            given = convert(source.read_value(value))
        except (msgspec.ValidationError, ValueError) as error:
            raise ConversionFailed(f"{way}: {error}") from None
        except Exception as error:
            raise ConversionFailed(f"{way}: {type(error).__name__}: {error}") from error
        if not isinstance(given, target.struct):
            wanted = cast(type, target.struct).__name__
            raise ConversionFailed(f"{way}: gave {type(given).__name__}, not {wanted}")
        made = target.written(given)
        body = _body(made)
        _put_back(body, undeclared(_body(value), source.struct), target.struct)
        head = {"apiVersion": f"{self.kind.group}/{target.version}", "kind": self.kind.kind}
        return {**head, "metadata": _metadata(metadata, made.get("metadata")), **body}

    def _without_kept(self, value: JsonObject) -> tuple[JsonObject, JsonObject | None]:
        """The object without the annotation, and what it said; None when it has none that can be read."""
        metadata: JsonObject = value.get("metadata") or {}
        annotations: JsonObject = metadata.get("annotations") or {}
        if self.annotation not in annotations:
            return value, None
        rest = {name: text for name, text in annotations.items() if name != self.annotation}
        plain = {name: each for name, each in metadata.items() if name != "annotations"}
        if rest:
            plain["annotations"] = rest
        try:
            kept = msgspec.json.decode(annotations[self.annotation])
        except (msgspec.DecodeError, TypeError):
            kept = None
        return {**value, "metadata": plain}, kept if isinstance(kept, dict) else None


_HEAD = ("apiVersion", "kind", "metadata")


class _Class:
    """A class that is a version, between its instances and JSON."""

    def __init__(self, struct: type[msgspec.Struct]) -> None:
        self.struct: Any = struct
        self.version = declaration_of(struct).version
        self._read = struct_decoder(struct)

    def read_value(self, value: JsonObject) -> Any:
        return self._read(msgspec.json.encode(value))

    def is_same(self, one: Any, other: Any) -> bool:
        """Whether two instances differ in their metadata at most."""
        names = [each for each in self.struct.__struct_fields__ if each != "metadata"]
        return all(getattr(one, name) == getattr(other, name) for name in names)

    def written(self, instance: Any) -> JsonObject:
        plain: JsonObject = msgspec.json.decode(msgspec.json.encode(instance))
        return plain


def _body(value: JsonObject) -> JsonObject:
    return {name: each for name, each in value.items() if name not in _HEAD}


def _metadata(old: JsonObject, new: Any) -> JsonObject:
    if not new:
        return old
    result = {name: each for name, each in old.items() if name not in ("labels", "annotations")}
    result.update({name: new[name] for name in ("labels", "annotations") if new.get(name)})
    return result


def _put_back(value: JsonObject, strays: Mapping[tuple[str, ...], Any], struct: type) -> None:
    """Members back to their paths, where there is such a place and the class does not declare it otherwise."""
    for path, stray in strays.items():
        place: Any = value
        for name in path[:-1]:
            place = place.get(name) if isinstance(place, dict) else None
        if isinstance(place, dict) and path[-1] not in place:
            place[path[-1]] = stray
            if path not in undeclared(value, struct):
                del place[path[-1]]


def webhook_conversion(client_config: JsonObject) -> JsonObject:
    """`spec.conversion` of a definition whose versions a webhook converts."""
    webhook = {"clientConfig": client_config, "conversionReviewVersions": ["v1"]}
    return {"strategy": "Webhook", "webhook": webhook}
