"""What selectors find without looking at everything."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apiserver.support import CONFIG_MAPS, MERGE, Api, Told, config_map, served

from kajitori.apis.resources import resources
from kajitori.apiserver.options import ListOptions
from kajitori.apiserver.registry import indexes as module
from kajitori.apiserver.registry.indexes import INDEXED_FROM, INDEXES_MAX, Indexes
from kajitori.apiserver.registry.resource import BuiltInResource, Resource
from kajitori.apiserver.registry.selection import Selection, labels_of, select
from kajitori.storage import Render, open_store
from kajitori.testing import run_virtual

SELECTORS = (
    "a=1",
    "a in (1,2)",
    "a,b=1",
    "a=1,b!=1",
    "!a",
    "b notin (1),a",
    "a=never",
    "a>0",
)
FIELDS = ("type=t1", "type=", "metadata.name=n1", "metadata.namespace=x,type=t1", "metadata.name=n1,type!=t1")

namespaces = st.sampled_from(("x", "y", "x-z"))
objects = st.fixed_dictionaries(
    {
        "namespace": namespaces,
        "name": st.sampled_from(("n1", "n2", "n3")),
        "labels": st.dictionaries(st.sampled_from(("a", "b")), st.sampled_from(("1", "2")), max_size=2),
        "type": st.sampled_from(("", "t1", "t2")),
    }
)
steps = st.lists(st.tuples(st.booleans(), objects), max_size=20)


def always(value: bytes) -> Render:
    return lambda _: value


def built_in(plural: str) -> Resource:
    return next(BuiltInResource(each) for each in resources() if each.kind.plural == plural)


def selections(resource: Resource) -> Iterator[Selection]:
    for namespace in ("", "x", "y", "nowhere"):
        for labels in SELECTORS:
            yield select(resource, namespace, ListOptions(label_selector=labels))
        for fields in FIELDS:
            yield select(resource, namespace, ListOptions(field_selector=fields))
        yield select(resource, namespace, ListOptions(label_selector="a=1", field_selector="type=t1"))


@given(steps)
def test_candidates_are_all_that_can_match(done: list[tuple[bool, dict[str, Any]]]) -> None:  # I1
    async def main() -> None:
        store = await open_store(None)
        secrets = built_in("secrets")
        indexes = Indexes(store, indexed_from=0)
        for deletes, obj in [(False, {"namespace": "y", "name": "first", "labels": {}, "type": ""}), *done]:
            key = f"{obj['namespace']}/{obj['name']}"
            metadata = {each: obj[each] for each in ("namespace", "name", "labels")}
            value = json.dumps({"metadata": metadata, "type": obj["type"]}).encode()
            if not deletes:
                await store.put(secrets.bucket, key, always(value), expect=None)
            elif store.get(secrets.bucket, key):
                await store.delete(secrets.bucket, key, None, expect=None)
            for selection in selections(secrets):
                matching = [
                    item.name
                    for item in store.range(secrets.bucket)
                    if selection.covers(item.name)
                    and (selection.matches is None or selection.matches(item.name, item.value))
                ]
                found = indexes.candidates(secrets, selection)
                if found is not None:
                    assert found == sorted(set(found)) and set(matching) <= set(found)
        await store.close()

    run_virtual(main())


async def filled(api: Api, path: str = CONFIG_MAPS, count: int = INDEXED_FROM) -> None:
    for number in range(count):
        obj = config_map(f"o{number:04}", labels={"app": "rare" if number % 100 == 7 else "usual"})
        await api.ok("POST", path, obj)


def names(told: Told) -> list[str]:
    return [each["metadata"]["name"] for each in told.body["items"]]


@served
async def test_a_selector_finds_its_objects_among_many(api: Api) -> None:
    await filled(api)
    rare = f"{CONFIG_MAPS}?labelSelector=app%3Drare"
    assert names(await api.ok("GET", rare)) == ["o0007", "o0107", "o0207", "o0307", "o0407"]
    await api.ok("PATCH", f"{CONFIG_MAPS}/o0100", {"metadata": {"labels": {"app": "rare"}}}, type=MERGE)
    await api.ok("PATCH", f"{CONFIG_MAPS}/o0107", {"metadata": {"labels": {"app": None}}}, type=MERGE)
    await api.ok("DELETE", f"{CONFIG_MAPS}/o0207")
    await api.ok("POST", CONFIG_MAPS, config_map("new", labels={"app": "rare"}))
    now = ["new", "o0007", "o0100", "o0307", "o0407"]
    assert names(await api.ok("GET", rare)) == now
    everywhere = rare.replace("/namespaces/default", "")
    assert names(await api.ok("GET", everywhere)) == now
    async with api.watch(f"{rare}&resourceVersion=0") as watching:
        assert await watching.take(5) == [("ADDED", name) for name in now]


@served
async def test_pages_of_what_a_selector_finds_are_of_one_revision(api: Api) -> None:
    await filled(api)
    rare = f"{CONFIG_MAPS}?labelSelector=app%3Drare&limit=2"
    first = await api.ok("GET", rare)
    await api.ok("DELETE", f"{CONFIG_MAPS}/o0207")
    await api.ok("PATCH", f"{CONFIG_MAPS}/o0307", {"metadata": {"labels": {"app": "usual"}}}, type=MERGE)
    await api.ok("POST", CONFIG_MAPS, config_map("o0300a", labels={"app": "rare"}))
    second = await api.ok("GET", f"{rare}&continue={first.body['metadata']['continue']}")
    third = await api.ok("GET", f"{rare}&continue={second.body['metadata']['continue']}")
    found = [*names(first), *names(second), *names(third)]
    assert found == ["o0007", "o0107", "o0207", "o0307", "o0407"]


@served
async def test_a_name_is_found_in_all_namespaces(api: Api) -> None:
    await filled(api)
    for namespace in ("other", "other-b"):
        await api.ok("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        await api.ok("POST", CONFIG_MAPS.replace("default", namespace), config_map("o0003"))
    told = await api.ok("GET", "/api/v1/configmaps?fieldSelector=metadata.name%3Do0003")
    assert [each["metadata"]["namespace"] for each in told.body["items"]] == ["default", "other-b", "other"]
    told = await api.ok(
        "GET", "/api/v1/configmaps?fieldSelector=metadata.name%3Do0003,metadata.namespace%3Dother"
    )
    assert [each["metadata"]["namespace"] for each in told.body["items"]] == ["other"]


def test_an_index_goes_when_nobody_asks_any_more() -> None:  # I3
    async def main() -> None:
        store = await open_store(None)
        secrets = built_in("secrets")
        indexes = Indexes(store, indexed_from=0)

        async def write(number: int) -> None:
            value = b'{"metadata":{"labels":{"a":"%d"}}}' % number
            await store.put(secrets.bucket, "x/it", always(value), expect=None)

        await write(0)
        asked = select(secrets, "", ListOptions(label_selector="a=1"))
        assert indexes.candidates(secrets, asked) == []
        for number in range(INDEXED_FROM):
            await write(number)
        assert len(indexes) == 1
        await write(1)
        assert len(indexes) == 0
        assert indexes.candidates(secrets, asked) is None  # all there are
        await store.close()

    run_virtual(main())


def test_indexes_are_bounded_in_number() -> None:  # I3
    async def main() -> None:
        store = await open_store(None)
        secrets = built_in("secrets")
        indexes = Indexes(store, indexed_from=0)
        for number in range(INDEXES_MAX * 2):
            selection = select(secrets, "", ListOptions(label_selector=f"key{number}=1"))
            indexes.candidates(secrets, selection)
            indexes.candidates(secrets, select(secrets, "", ListOptions(label_selector="always=1")))
        assert len(indexes) == INDEXES_MAX
        await store.close()

    run_virtual(main())


def test_what_was_found_once_is_not_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:  # I2
    looked_at: list[bytes] = []

    def counted(value: bytes) -> dict[str, str]:
        looked_at.append(value)
        return labels_of(value)

    monkeypatch.setattr(module, "labels_of", counted)

    async def main() -> None:
        store = await open_store(None)
        secrets = built_in("secrets")
        indexes = Indexes(store)
        for number in range(INDEXED_FROM):
            value = b'{"metadata":{"labels":{"a":"%d"}}}' % (number % 100)
            await store.put(secrets.bucket, f"x/{number:03}", always(value), expect=None)
        asked = select(secrets, "x", ListOptions(label_selector="a=7"))
        expected = ["x/007", "x/107", "x/207", "x/307", "x/407"]
        assert indexes.candidates(secrets, asked) == expected and len(looked_at) == INDEXED_FROM
        looked_at.clear()
        assert indexes.candidates(secrets, asked) == expected
        assert indexes.candidates(secrets, select(secrets, "", ListOptions(label_selector="a=8"))) is not None
        assert not looked_at
        await store.close()

    run_virtual(main())
