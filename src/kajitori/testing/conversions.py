"""Whether the versions of a kind say the same: what a test asks of `Versions`.

    def test_versions() -> None:
        check_conversion(WIDGETS)

Promises
    V1  an object that goes to another version and comes back is what it was, for each pair of versions
    V2  a failure shows the object, the way, and what came back
    V3  an object of a spoke that is refused by ValueError is no failure; any other exception is one, and so is an
        object of the hub that is refused, since nobody could read it in the other version
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.struct_decoder import struct_decoder
from kajitori.apimachinery.versions import ConversionFailed, Versions

__all__ = ["EXAMPLES", "check_conversion"]

EXAMPLES = 50
"""Objects that are made up for each version: a tenth of a second."""


def check_conversion(
    versions: Versions, objects: Iterable[Mapping[str, Any] | msgspec.Struct] | None = None
) -> None:
    """Sends objects to every other version and back.

    `objects` are JSON with their `apiVersion`, or instances of the classes. None: objects of each version are made up
    by Hypothesis, always the same ones; Meta's bounds and patterns are heeded.
    Raises: AssertionError; ModuleNotFoundError without objects and without Hypothesis.
    """
    if objects is not None:
        for each in objects:
            _check(versions, _as_json(versions, each))
        return
    try:
        import hypothesis
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "objects are made up by hypothesis, which is not installed; install it, or give check_conversion objects"
        ) from None
    from kajitori.testing.examples import objects_of

    for struct in versions.classes:

        @hypothesis.settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None)
        @hypothesis.given(objects_of(struct))
        def check(value: JsonObject) -> None:
            _check(versions, value)

        check()


def _check(versions: Versions, value: JsonObject) -> None:
    own = value["apiVersion"]
    structs = {_api_version(versions, each): each for each in versions.classes}
    read = struct_decoder(structs[own])
    for other in structs:
        if other == own:
            continue
        try:
            [there] = versions.convert([value], other)
        except ConversionFailed as error:
            if error.__cause__ is None and structs[own] is not versions.hub:
                continue
            raise AssertionError(f"{own} does not become {other}: {error}\nfrom {_shown(value)}") from error
        try:
            [back] = versions.convert([there], own)
        except ConversionFailed as error:
            raise AssertionError(
                f"{own} to {other} cannot come back: {error}\nfrom {_shown(value)}\nas {_shown(there)}"
            ) from error
        before, after = read(msgspec.json.encode(value)), read(msgspec.json.encode(back))
        assert before == after, (
            f"{own} to {other} and back is another object:\n{_shown(value)}\nas {_shown(there)}\nis {_shown(back)}"
        )


def _api_version(versions: Versions, struct: type[msgspec.Struct]) -> str:
    from kajitori.apimachinery.declare import declaration_of

    return f"{versions.kind.group}/{declaration_of(struct).version}"


def _as_json(versions: Versions, value: Mapping[str, Any] | msgspec.Struct) -> JsonObject:
    if not isinstance(value, msgspec.Struct):
        return dict(value)
    head = {"apiVersion": _api_version(versions, type(value)), "kind": versions.kind.kind}
    plain: JsonObject = msgspec.json.decode(msgspec.json.encode(value))
    return {**head, "metadata": {"name": "example"}, **plain}


def _shown(value: Any) -> str:
    return msgspec.json.encode(value).decode()
