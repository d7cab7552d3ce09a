"""Patches and fieldsV1 of any kind: they are understood or refused by a named error, soon, and without bloat.

With KAJITORI_LONG set, a million inputs instead of some thousands.
"""

import contextlib
import json
import random
import tracemalloc
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.fuzz.inputs import LONG

from kajitori.apimachinery.decode import DecodeError, decode_json
from kajitori.apimachinery.errors import ApiError
from kajitori.apimachinery.managedfields.elements import canonical
from kajitori.apimachinery.managedfields.entries import decode, encode
from kajitori.apimachinery.managedfields.managed import FieldManager, KindVersions
from kajitori.apimachinery.managedfields.sets import FieldsError, parse
from kajitori.apimachinery.patch.json_patch import apply_json_patch, parse_json_patch, strict_complaints
from kajitori.apimachinery.patch.merge_patch import apply_merge_patch, parse_merge_patch
from kajitori.apimachinery.patch.strategic import apply_strategic_merge_patch, parse_strategic_merge_patch
from kajitori.apis.definitions import built_in_definitions

ROUNDS = 160_000 if LONG else 700
"""Inputs per parser, of which there are six."""

POD = built_in_definitions().get("io.k8s.api.core.v1.Pod")
assert POD is not None
LIVE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "a", "labels": {"a": "b"}, "finalizers": ["a/b", "c/d"]},
    "spec": {
        "containers": [
            {"name": "c", "image": "i", "ports": [{"containerPort": 80, "protocol": "TCP"}], "args": ["x"]},
            {"name": "d", "env": [{"name": "A", "value": "1"}]},
        ],
        "volumes": [{"name": "v", "emptyDir": {}}],
    },
}
WORDS = (
    *("metadata", "spec", "containers", "name", "c", "ports", "containerPort", "finalizers", "labels", "a"),
    *("$patch", "replace", "delete", "merge", "$retainKeys", "$setElementOrder/containers", "volumes"),
    *(
        "$deleteFromPrimitiveList/finalizers",
        "$setElementOrder/",
        "$deleteFromPrimitiveList",
        "",
        "-",
        "~",
        "/",
    ),
    *("op", "path", "from", "value", "add", "remove", "move", "copy", "test", "/spec/containers/0", "/", "0"),
    *(
        "f:spec",
        "f:",
        'k:{"name":"c"}',
        'k:{"name":',
        'v:"x"',
        "v:1e999",
        "i:0",
        "i:-99999999999999999999",
        ".",
    ),
    *("manager", "operation", "Apply", "Update", "apiVersion", "v1", "fieldsType", "FieldsV1", "fieldsV1"),
    *("time", "2026-01-01T00:00:00Z", "subresource", "kind", "Pod", "\ud7ff", "\u0000", "é", "k:[]", "v:{}"),
)


def value(draw: random.Random, depth: int = 0) -> Any:
    kind = draw.random()
    if depth < 5 and kind < 0.45:
        return {draw.choice(WORDS): value(draw, depth + 1) for _ in range(draw.randrange(4))}
    if depth < 5 and kind < 0.65:
        return [value(draw, depth + 1) for _ in range(draw.randrange(4))]
    if kind < 0.9:
        return draw.choice(WORDS)
    return draw.choice((None, True, False, 0, -1, 1.5, 1e300, 2**63, -(2**70), 80))


def mutated(draw: random.Random, whole: Any) -> Any:
    """The live object or one like it, with something else in some place: what is nearly right finds more."""
    if isinstance(whole, dict) and whole and draw.random() < 0.8:
        name = draw.choice(list(whole))
        return {**whole, draw.choice((name, name, draw.choice(WORDS))): mutated(draw, whole[name])}
    if isinstance(whole, list) and whole and draw.random() < 0.8:
        at = draw.randrange(len(whole))
        return [*whole[:at], mutated(draw, whole[at]), *whole[at + draw.randrange(2) :]]
    return value(draw, 3)


def operation(draw: random.Random) -> Any:
    def pointer() -> Any:
        steps = [
            draw.choice((*WORDS[:10], "0", "1", "-", "~0", "~1", "~2", "")) for _ in range(draw.randrange(5))
        ]
        return "/" + "/".join(steps) if draw.random() < 0.95 else value(draw, 4)

    name = draw.choice(("add", "remove", "replace", "move", "copy", "test", draw.choice(WORDS)))
    made = {"op": name, "path": pointer(), "from": pointer(), "value": value(draw, 3)}
    return {key: each for key, each in made.items() if draw.random() < 0.95}


def body(draw: random.Random, made: Any) -> bytes:
    """JSON, mostly; sometimes cut, doubled or with a byte of another kind in it."""
    raw = json.dumps(made).encode()
    kind = draw.random()
    if kind < 0.06:
        return raw[: draw.randrange(len(raw) + 1)]
    if kind < 0.1:
        at = draw.randrange(len(raw) + 1)
        return raw[:at] + draw.randbytes(draw.randrange(1, 4)) + raw[at:]
    return raw


def json_patch(draw: random.Random) -> None:
    raw = body(
        draw, [operation(draw) for _ in range(draw.randrange(5))] if draw.random() < 0.95 else value(draw)
    )
    operations = parse_json_patch(raw)
    strict_complaints(raw, operations)
    apply_json_patch(LIVE, operations)


def merge_patch(draw: random.Random) -> None:
    apply_merge_patch(LIVE, parse_merge_patch(body(draw, mutated(draw, LIVE))))


def strategic(draw: random.Random) -> None:
    apply_strategic_merge_patch(LIVE, parse_strategic_merge_patch(body(draw, mutated(draw, LIVE))), POD)


def fields_v1(draw: random.Random) -> None:
    try:
        decoded = decode_json(body(draw, value(draw)))
    except DecodeError:
        return
    found = parse(decoded)
    assert parse(found) == found, "what was understood is understood again"


def managers(draw: random.Random) -> None:
    entry = {
        "manager": "m",
        "operation": "Apply",
        "apiVersion": "v1",
        "time": "2026-01-01T00:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {"f:containers": {'k:{"name":"c"}': {".": {}}}}},
    }
    entries = encode(decode([mutated(draw, entry) for _ in range(draw.randrange(3))]))
    assert encode(decode(entries)) == entries


def apply(draw: random.Random) -> None:
    config = mutated(draw, LIVE)
    if isinstance(config, dict):
        manager = FieldManager(KindVersions("Pod", {"v1": POD}), "v1")
        manager.apply(LIVE, config, manager="m", force=True, now="2026-01-01T00:00:00Z")
        manager.update(LIVE, {**config, "metadata": {}}, manager="m", now="2026-01-01T00:00:00Z")


@pytest.mark.parametrize("parser", [json_patch, merge_patch, strategic, fields_v1, managers, apply])
def test_anything_is_understood_or_refused_by_name(parser: Callable[[random.Random], None]) -> None:  # F1
    before = msgspec.json.encode(LIVE)
    understood = 0
    for seed in range(ROUNDS):
        draw = random.Random(f"{parser.__name__} {seed}")
        try:
            parser(draw)
            understood += 1
        except (ApiError, FieldsError):
            pass
        except Exception as error:
            raise AssertionError(f"{parser.__name__}, seed {seed}") from error
    assert understood > ROUNDS // 50, "the inputs are near enough to what is right to find something"
    assert msgspec.json.encode(LIVE) == before


DEEP = 100_000


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * DEEP,
        b'{"a":' * DEEP,
        b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        b"[" * DEEP + b"]" * DEEP,
        b'[{"op":"add","path":"' + b"/a" * DEEP + b'","value":1}]',
        b'[{"op":"copy","from":"/spec","path":"/spec/x"}'
        + b',{"op":"copy","from":"/spec","path":"/spec/x"}' * 400
        + b"]",
        b'{"f:a":' * DEEP + b"{}" + b"}" * DEEP,
        b'{"$setElementOrder/containers":[' + b'{"name":"c"},' * 2000 + b'{"name":"d"}]}',
    ],
    ids=range(8),
)
def test_what_is_made_to_hurt_costs_little(raw: bytes) -> None:  # F1
    tracemalloc.start()
    try:
        for use in (
            lambda: apply_json_patch(LIVE, parse_json_patch(raw)),
            lambda: apply_merge_patch(LIVE, parse_merge_patch(raw)),
            lambda: apply_strategic_merge_patch(LIVE, parse_strategic_merge_patch(raw), POD),
            lambda: parse(decode_json(raw)),
        ):
            with contextlib.suppress(ApiError, FieldsError, DecodeError):
                use()
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "element", ["k:" + "[" * DEEP, 'v:"' + "x" * DEEP, "i:" + "9" * DEEP, "k:{" + '"a":{' * DEEP]
)
def test_an_element_that_is_none_is_refused(element: str) -> None:
    with pytest.raises((FieldsError, ValueError)):
        canonical(element)
