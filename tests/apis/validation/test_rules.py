"""What holds for the rules of all kinds."""

import copy
from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from tests.apis.support import NOW

from kajitori.apimachinery.errors import FieldError, Invalid
from kajitori.apimachinery.kind import Kind
from kajitori.apis import facts, validation
from kajitori.apis.resources import ResourceInfo, resources
from kajitori.apis.strategies import Occasion, strategy_for
from kajitori.apis.typed import decode

WITHOUT_RULES = {
    # Their fields may say anything.
    "/serviceaccounts",
    # A custom kind's definition is checked by the part that knows what it means.
    "apiextensions.k8s.io/customresourcedefinitions",
}
STORED = [each for each in resources() if each.stored and each.kind == each.storage_kind]


def resource(info: ResourceInfo) -> str:
    return f"{info.kind.group}/{info.kind.plural}"


def test_every_stored_kind_has_rules() -> None:
    ruled = {each for listed in validation._MODULES.values() for each in listed}
    assert {resource(info) for info in STORED} - ruled == WITHOUT_RULES
    assert ruled <= {resource(info) for info in STORED}


def test_kinds_without_rules_have_no_complaints() -> None:
    kind = Kind("example.com", "v1", "Widget", plural="widgets")
    assert validation.validate(kind, {"metadata": {}}) == []
    assert validation.validate_update(kind, {"metadata": {}}, {"metadata": {}}, "") == []


TEXTS = st.sampled_from(["", "a", "A", "-", "a.b/c", "10.0.0.1", "None", "Always", "*", "x" * 70])
NUMBERS = st.sampled_from([0, 1, -1, 70000])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "int32": NUMBERS,
    "int64": NUMBERS,
    "float64": NUMBERS,
    "bytes": st.sampled_from(["", "AAAA"]),
    "io.k8s.apimachinery.pkg.api.resource.Quantity": st.sampled_from(["0", "1", "-1", "100m", "1Gi"]),
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": st.just(NOW),
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": st.just("2026-01-01T00:00:00.000000Z"),
    "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta": st.builds(dict, name=TEXTS),
    "io.k8s.apimachinery.pkg.runtime.RawExtension": st.just({"a": 1}),
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": st.one_of(NUMBERS, st.sampled_from(["50%", "x"])),
}
DEPTH_MAX = 7


def value_of(word: str, depth: int) -> st.SearchStrategy[Any]:
    word = word.removeprefix("*")
    if word.startswith("[]"):
        return st.lists(value_of(word[2:], depth), max_size=2)
    if word.startswith("{}"):
        return st.dictionaries(TEXTS, value_of(word[2:], depth), max_size=2)
    if word.startswith("string"):
        return TEXTS
    if word in VALUES:
        return VALUES[word]
    if facts.definition(word).fields is None:
        return st.just({})
    return object_of(word, depth - 1)


@st.composite
def object_of(draw: st.DrawFn, definition: str, depth: int) -> dict[str, Any]:
    """Any object with some of its fields."""
    fields = [
        each for each in facts.definition(definition).fields or () if each.name not in ("kind", "apiVersion")
    ]
    if depth <= 0 or not fields:
        return {}
    chosen = draw(st.lists(st.sampled_from(fields), max_size=4, unique_by=lambda each: each.name))
    return {each.name: draw(value_of(each.type, depth)) for each in chosen}


@pytest.mark.parametrize("info", STORED, ids=resource)
@settings(max_examples=12)
@given(data=st.data())
def test_whatever_can_be_read_can_be_checked(info: ResourceInfo, data: st.DataObject) -> None:
    kind = info.kind
    strategy = strategy_for(kind.group, kind.plural)

    def drawn() -> dict[str, Any]:
        obj, _ = decode(info.definition, data.draw(object_of(info.definition, DEPTH_MAX)))
        strategy.default(obj)
        obj["metadata"] = {"name": "a", "namespace": "n", "uid": "u", "creationTimestamp": NOW}
        return obj

    old, obj = drawn(), drawn()
    try:
        strategy.prepare_for_create(old, Occasion(NOW))
    except Invalid:
        reject()  # refused before there is anything to check
    before = copy.deepcopy((obj, old))
    found: list[FieldError] = validation.validate(kind, old)
    found += validation.validate_update(kind, obj, old, "")
    if "status" in info.subresources:
        obj.setdefault("status", {})
        old.setdefault("status", {})
        before = copy.deepcopy((obj, old))
        found += validation.validate_update(kind, obj, old, "status")
    assert (obj, old) == before
    assert all(str(each) for each in found)
