"""Predicates, owner references, finalizers: on JSON objects and on declared structs alike."""

from typing import Any

import msgspec
import pytest
from tests.ctrl.scripted import PODS, WIDGETS, Script, answer, pod

from kajitori.apimachinery import declare
from kajitori.apimachinery.frozen import freeze
from kajitori.apimachinery.objectmeta import ObjectMeta, OwnerReference
from kajitori.apis.core_v1 import ConfigMap, Namespace
from kajitori.client import Client
from kajitori.ctrl import (
    AlreadyOwned,
    Change,
    Request,
    add_finalizer,
    all_of,
    annotation_changed,
    any_of,
    controller_of,
    controller_reference,
    generation_changed,
    label_changed,
    negated,
    owner_requests,
    remove_finalizer,
    resource_version_changed,
    with_controller,
)
from kajitori.testing import run_virtual


@declare.kind(group="example.com", version="v1", plural="widgets")
class Widget(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    metadata: ObjectMeta = ObjectMeta()


def typed(**metadata: Any) -> Any:
    return Widget(ObjectMeta(**metadata))


def untyped(**metadata: Any) -> Any:
    names = {"resource_version": "resourceVersion"}
    return freeze({"metadata": {names.get(name, name): value for name, value in metadata.items()}})


@pytest.mark.parametrize("make", [typed, untyped])
@pytest.mark.parametrize(
    ("predicate", "old", "new"),
    [
        (generation_changed, {"generation": 1}, {"generation": 2}),
        (resource_version_changed, {"resource_version": "1"}, {"resource_version": "2"}),
        (label_changed, {"labels": {"a": "b"}}, {"labels": {"a": "c"}}),
        (annotation_changed, {}, {"annotations": {"a": "c"}}),
    ],
)
def test_predicates_look_at_one_thing(make: Any, predicate: Any, old: Any, new: Any) -> None:
    assert predicate(Change("update", make(**new), make(**old)))
    assert not predicate(Change("update", make(name="other", **new), make(**new)))
    assert predicate(Change("create", make())) and predicate(Change("delete", make()))


def test_predicates_combine() -> None:
    yes, no = lambda change: True, lambda change: False
    change = Change("create", untyped())
    assert all_of(yes, yes)(change) and not all_of(yes, no)(change)
    assert any_of(no, yes)(change) and not any_of(no)(change)
    assert negated(no)(change)


def test_owners_are_found_by_group_and_kind() -> None:
    references = [
        OwnerReference("example.com/v2", "Widget", "w", "1", controller=True),
        OwnerReference("other.com/v1", "Widget", "x", "2"),
        OwnerReference("example.com/v1", "Widget", "y", "3"),
    ]
    child = typed(name="c", namespace="n", owner_references=tuple(references))
    same = untyped(name="c", namespace="n", ownerReferences=msgspec.to_builtins(references))
    for each in (child, same):
        assert list(owner_requests(WIDGETS)(each)) == [Request("n", "w")]
        assert list(owner_requests(WIDGETS, any_owner=True)(each)) == [Request("n", "w"), Request("n", "y")]
        assert controller_of(each) == ("example.com/v2", "Widget", "w", "1", True)


def test_references_say_who_controls() -> None:
    wanted = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "name": "w",
        "uid": "u",
        "controller": True,
        "blockOwnerDeletion": True,
    }
    owner = typed(name="w", uid="u")
    assert controller_reference(owner) == wanted
    assert controller_reference(untyped(name="w", uid="u"), WIDGETS) == wanted
    child = with_controller({"metadata": {"name": "c"}}, owner)
    assert child["metadata"] == {"name": "c", "ownerReferences": [wanted]}
    assert with_controller(child, owner) == child
    with pytest.raises(AlreadyOwned, match="controlled by Widget w"):
        with_controller(child, typed(name="other", uid="v"))
    with pytest.raises(ValueError, match="no uid"):
        controller_reference(typed(name="w"))


def test_finalizers_are_written_only_when_they_change_and_never_over_others() -> None:
    script = Script(lambda asked: answer(pod("a", 9)))
    client = Client(script)
    plain, held = freeze(pod("a", 7)), freeze(pod("a", 7, finalizers=["mine", "other"]))

    async def write() -> None:
        assert await add_finalizer(client, PODS, held, "mine") is held
        assert await remove_finalizer(client, PODS, plain, "mine") is plain
        await add_finalizer(client, PODS, plain, "mine")
        await remove_finalizer(client, PODS, held, "mine")

    run_virtual(write())
    assert [each.body["metadata"] for each in script.asked] == [
        {"finalizers": ["mine"], "resourceVersion": "7"},
        {"finalizers": ["other"], "resourceVersion": "7"},
    ]


def test_a_typed_child_is_controlled_by_a_typed_owner() -> None:
    child = ConfigMap(
        metadata=ObjectMeta(name="child", owner_references=(OwnerReference("v1", "X", "x", "ux"),))
    )
    owned = with_controller(child, typed(name="parent", uid="u"))
    assert [each.uid for each in owned.metadata.owner_references] == ["ux", "u"]
    assert controller_of(owned) == ("example.com/v1", "Widget", "parent", "u", True)
    assert with_controller(owned, typed(name="parent", uid="u")) == owned
    with pytest.raises(
        AlreadyOwned, match="ConfigMap child is controlled by Widget parent; Widget other cannot"
    ):
        with_controller(owned, typed(name="other", uid="v"))


def test_an_owner_is_in_the_same_namespace_or_in_none() -> None:
    owner = typed(name="w", namespace="one", uid="u")
    there = ConfigMap(metadata=ObjectMeta(name="c", namespace="two"))
    with pytest.raises(ValueError, match="two/c cannot be owned by one/w"):
        with_controller(there, owner)
    with pytest.raises(ValueError, match="two/c cannot be owned by one/w"):
        with_controller({"metadata": {"name": "c", "namespace": "two"}}, owner)
    with pytest.raises(ValueError, match="n is cluster-scoped; one/w"):
        with_controller(Namespace(metadata=ObjectMeta(name="n")), owner)
    assert controller_of(with_controller(ConfigMap(metadata=ObjectMeta(name="c")), owner)) is not None
    assert controller_of(with_controller(there, typed(name="w", uid="u"))) is not None
