"""Structs frozen all the way down: nobody can change them, and they read and encode as before."""

import enum
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.frozen import FrozenDict, FrozenList
from kajitori.apimachinery.frozen_structs import Shared, changeable_class, encodable, freeze_struct
from kajitori.apimachinery.objectmeta import ObjectMeta, OwnerReference


class Color(enum.StrEnum):
    RED = "red"


class Leaf(msgspec.Struct, frozen=True, omit_defaults=True):
    texts: dict[str, str] = {}
    numbers: list[int] = []
    color: Color = Color.RED


class Tree(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    metadata: ObjectMeta = ObjectMeta()
    leaf: Leaf | None = None
    leaves: list[Leaf] = []
    some_leaves: tuple[Leaf, ...] = ()
    by_name: dict[str, Leaf] = {}
    branches: tuple["Tree", ...] = ()
    anything: Any = None
    words: set[str] = set()
    pairs: tuple[list[int], ...] = ()


texts = st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3)
leaves = st.builds(Leaf, texts, st.lists(st.integers(0, 9), max_size=3))
metas = st.builds(
    ObjectMeta,
    name=st.text(max_size=3),
    namespace=st.sampled_from(["", "a", "b"]),
    labels=texts,
    owner_references=st.lists(st.builds(OwnerReference, *[st.text(max_size=2)] * 4), max_size=2).map(tuple),
)
anything = st.recursive(
    st.none() | st.integers(0, 9) | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
trees: st.SearchStrategy[Tree] = st.recursive(
    st.builds(
        Tree,
        metas,
        st.none() | leaves,
        st.lists(leaves, max_size=2),
        st.lists(leaves, max_size=2).map(tuple),
        st.dictionaries(st.text(max_size=2), leaves, max_size=2),
        st.just(()),
        anything,
        st.sets(st.text(max_size=2), max_size=2),
        st.lists(st.lists(st.integers(0, 9), max_size=2), max_size=2).map(tuple),
    ),
    lambda inner: st.builds(Tree, branches=st.lists(inner, max_size=2).map(tuple)),
    max_leaves=2,
)

MUTATORS: dict[type, list[Callable[[Any], Any]]] = {
    dict: [
        lambda value: value.update(x="y"),
        lambda value: value.__setitem__("x", "y"),
        lambda value: value.clear(),
        lambda value: value.setdefault("new", 1),
    ],
    list: [
        lambda value: value.append(1),
        lambda value: value.__iadd__([1]),
        lambda value: value.sort(),
        lambda value: value.clear(),
    ],
}


def attack(value: Any) -> None:
    """Tries whatever could change a value, and what is in it."""
    if isinstance(value, msgspec.Struct):
        for field in msgspec.structs.fields(value):
            with pytest.raises(AttributeError):
                setattr(value, field.name, None)
            attack(getattr(value, field.name))
    elif isinstance(value, (dict, list)):
        for mutate in MUTATORS[dict if isinstance(value, dict) else list]:
            with pytest.raises(TypeError):
                mutate(value)
        for inner in list(value.values() if isinstance(value, dict) else value):
            attack(inner)
    elif isinstance(value, tuple):
        for inner in value:
            attack(inner)
    else:
        assert not isinstance(value, (set, bytearray)), value


def decoded(tree: Tree) -> Tree:
    return msgspec.json.decode(msgspec.json.encode(tree), type=Tree)


@given(trees, st.booleans())
def test_nobody_can_change_it(tree: Tree, shares: bool) -> None:  # Z1
    attack(freeze_struct(decoded(tree), Shared() if shares else None))


@given(trees, st.booleans())
def test_it_reads_and_encodes_as_before(tree: Tree, shares: bool) -> None:  # Z2
    plain = decoded(tree)
    written = msgspec.json.encode(encodable(plain), order="deterministic")
    frozen = freeze_struct(plain, Shared() if shares else None)
    assert frozen == decoded(tree)
    assert msgspec.json.encode(encodable(frozen), order="deterministic") == written
    assert freeze_struct(frozen) == frozen


def test_what_is_alike_is_kept_once() -> None:  # Z3
    shared = Shared()

    def meta(name: str, payload: str) -> ObjectMeta:
        said = {
            "name": name,
            "namespace": "n" * 20,
            "labels": {"app": "the same"},
            "annotations": {"a": payload},
        }
        return freeze_struct(
            msgspec.convert(msgspec.json.decode(msgspec.json.encode(said)), ObjectMeta), shared
        )

    one, other = meta("a", "x" * 100), meta("b", "x" * 100)
    assert one.labels is other.labels == {"app": "the same"}
    assert one.namespace is other.namespace
    assert one.annotations is not other.annotations  # Long texts are data, not worth the look.


def test_sharing_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:  # Z3
    monkeypatch.setattr("kajitori.apimachinery.frozen_structs.SHARED_MAPS_MAX", 2)
    shared = Shared()
    made = [shared.frozen({"n": str(number)}) for number in range(5)]
    assert made == [{"n": str(number)} for number in range(5)]
    assert shared.frozen({"n": "4"}) is made[4]


def test_empty_members_of_metadata_are_one_for_all() -> None:
    assert ObjectMeta().labels is ObjectMeta().annotations
    assert isinstance(ObjectMeta().labels, FrozenDict)
    assert isinstance(freeze_struct(Tree(leaves=[Leaf()])).leaves, FrozenList)
    assert msgspec.json.encode(ObjectMeta(name="a")) == b'{"name":"a"}'
    assert msgspec.json.encode(encodable(ObjectMeta(name="a", labels={}))) == b'{"name":"a"}'


class Loose(msgspec.Struct):
    x: int = 0


class HoldsLoose(msgspec.Struct, frozen=True):
    inside: dict[str, tuple[Loose, ...]] = {}


def test_a_class_that_can_be_changed_is_found() -> None:
    assert changeable_class(Tree) is None
    assert changeable_class(Loose) is Loose
    assert changeable_class(HoldsLoose) is Loose
