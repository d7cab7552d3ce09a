"""Lists and gets: which revision a reader sees, page by page."""

import asyncio
import base64
import json

import pytest
from tests.apiserver.support import (
    CONFIG_MAPS,
    CORE,
    MERGE,
    Api,
    Told,
    config_map,
    define,
    definition,
    served,
    served_on_disk,
)

SECRETS = f"{CORE}/secrets"
TABLE = "as=Table;v=v1;g=meta.k8s.io"


def names(told: Told) -> list[str]:
    return [each["metadata"]["name"] for each in told.body["items"]]


def token_of(revision: int, start: str, version: str = "meta.k8s.io/v1") -> str:
    return coded(json.dumps({"v": version, "rv": revision, "start": start}).encode())


def coded(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


async def filled(api: Api, count: int = 5) -> None:
    for number in range(count):
        labels = {"parity": "odd" if number % 2 else "even"}
        await api.ok("POST", SECRETS, {"metadata": {"name": f"s{number}", "labels": labels}})


@served
async def test_a_read_sees_every_write_before_it(api: Api) -> None:  # L1
    for number in range(5):
        made = await api.ok("POST", SECRETS, {"metadata": {"name": f"s{number}"}})
        assert (await api.ok("GET", f"{SECRETS}/s{number}")).body == made.body
        listed = await api.ok("GET", SECRETS)
        assert len(names(listed)) == number + 1 and listed.revision == made.revision


@served
async def test_pages_are_of_one_revision(api: Api) -> None:  # L2
    await filled(api)
    first = await api.ok("GET", f"{SECRETS}?limit=2")
    metadata = first.body["metadata"]
    assert (names(first), metadata["remainingItemCount"]) == (["s0", "s1"], 3)
    await api.ok("DELETE", f"{SECRETS}/s3")
    await api.ok("POST", SECRETS, {"metadata": {"name": "s2a"}})
    second = await api.ok("GET", f"{SECRETS}?limit=2&continue={metadata['continue']}")
    assert names(second) == ["s2", "s3"] and second.revision == first.revision
    third = await api.ok("GET", f"{SECRETS}?continue={second.body['metadata']['continue']}")
    assert names(third) == ["s4"] and "continue" not in third.body["metadata"]


@served
async def test_pages_of_a_selection_do_not_count_what_is_left(api: Api) -> None:
    await filled(api)
    first = await api.ok("GET", f"{SECRETS}?limit=2&labelSelector=parity%3Deven")
    assert names(first) == ["s0", "s2"] and "remainingItemCount" not in first.body["metadata"]
    token = first.body["metadata"]["continue"]
    rest = await api.ok("GET", f"{SECRETS}?limit=2&labelSelector=parity%3Deven&continue={token}")
    assert names(rest) == ["s4"]


@served
async def test_a_token_that_is_too_old_says_how_to_go_on(api: Api) -> None:  # L2
    await filled(api)
    token = (await api.ok("GET", f"{SECRETS}?limit=2")).body["metadata"]["continue"]
    await api.ok("DELETE", f"{SECRETS}/s2")
    await api.store.compact(api.store.revision)
    told = await api.refused(410, "GET", f"{SECRETS}?limit=2&continue={token}")
    assert told.body["reason"] == "Expired"
    assert told.message.startswith("The provided continue parameter is too old to display a consistent list")
    again = told.body["metadata"]["continue"]
    rest = await api.ok("GET", f"{SECRETS}?limit=1&continue={again}")
    # What went meanwhile is missing, and the pages after this one are of one revision again.
    assert names(rest) == ["s3"] and rest.revision == str(api.store.revision)
    last = await api.ok("GET", f"{SECRETS}?continue={rest.body['metadata']['continue']}")
    assert names(last) == ["s4"] and last.revision == rest.revision


@served
async def test_an_exact_revision(api: Api) -> None:
    await filled(api, 2)
    then = (await api.ok("GET", SECRETS)).revision
    await api.ok("POST", SECRETS, {"metadata": {"name": "later"}})
    exact = await api.ok("GET", f"{SECRETS}?resourceVersion={then}&resourceVersionMatch=Exact")
    assert names(exact) == ["s0", "s1"] and exact.revision == then
    newer = await api.ok("GET", f"{SECRETS}?resourceVersion={then}&resourceVersionMatch=NotOlderThan")
    assert len(names(newer)) == 3 and int(newer.revision) > int(then)
    await api.store.compact(api.store.revision)
    await api.ok("DELETE", f"{SECRETS}/s0")
    told = await api.refused(410, "GET", f"{SECRETS}?resourceVersion={then}&resourceVersionMatch=Exact")
    assert told.message == "The resourceVersion for the provided list is too old."


@served_on_disk
async def test_a_list_of_the_past_reads_the_file(api: Api) -> None:
    await filled(api, 3)
    then = (await api.ok("GET", SECRETS)).revision
    await api.ok("PATCH", f"{SECRETS}/s1", {"metadata": {"labels": {"new": "x"}}}, type=MERGE)
    await api.ok("DELETE", f"{SECRETS}/s2")
    exact = await api.ok("GET", f"{SECRETS}?resourceVersion={then}&resourceVersionMatch=Exact")
    assert names(exact) == ["s0", "s1", "s2"]
    assert "new" not in exact.body["items"][1]["metadata"]["labels"]


@pytest.mark.parametrize(
    "query", ["resourceVersion=99999999", "resourceVersion=99999999&resourceVersionMatch=Exact"]
)
@served
async def test_a_revision_that_is_yet_to_come_is_refused(api: Api, query: str) -> None:  # L3
    await filled(api, 1)
    for path in (SECRETS, f"{SECRETS}/s0"):
        told = await api.refused(504, "GET", f"{path}?{query}")
        assert told.message.startswith("Timeout: Too large resource version: 99999999, current: ")
        assert told.body["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("!!!", "illegal base64 data at input byte 0"),
        ("abcde", "illegal base64 data"),
        (token_of(5, "x", "v9"), "server does not recognize this encoded version v9"),
        (token_of(5, ""), "encoded start key empty"),
        (token_of(0, "x"), "incorrect encoded start resourceVersion"),
        (token_of(5, "../x"), "continue key is not valid: ../x"),
        (token_of(5, "/a//b"), "continue key is not valid: /a//b"),
        (coded(b"[]"), "json: cannot unmarshal array into Go value of type storage.continueToken"),
        (coded(b"null"), "server does not recognize this encoded version "),
        (
            coded(b'{"v":"meta.k8s.io/v1","rv":"5"}'),
            "json: cannot unmarshal string into Go struct field continueToken.rv of type int64",
        ),
        (
            coded(b'{"v":"meta.k8s.io/v1","rv":1.5}'),
            "json: cannot unmarshal number 1.5 into Go struct field continueToken.rv of type int64",
        ),
        (
            coded(b'{"v":1}'),
            "json: cannot unmarshal number into Go struct field continueToken.v of type string",
        ),
        (coded(b"i"), "invalid character 'i' looking for beginning of value"),
    ],
)
@served
async def test_a_token_that_is_none(api: Api, token: str, why: str) -> None:
    told = await api.refused(400, "GET", f"{SECRETS}?continue={token}")
    assert "continue key is not valid: " in told.message and why in told.message


@served
async def test_a_token_is_kubernetes(api: Api) -> None:
    await filled(api, 3)
    for path, start in ((SECRETS, "/s0\0"), ("/api/v1/secrets", "/default/s0\0")):
        token = (await api.ok("GET", f"{path}?limit=1")).body["metadata"]["continue"]
        told = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        assert told == {"v": "meta.k8s.io/v1", "rv": api.store.revision, "start": start}
    # One that was made for another list, or by hand, is taken for what it says.
    for start, expected in (("s1", ["s1", "s2"]), ("/s1\0", ["s2"]), ("/", ["s0", "s1", "s2"]), ("é", [])):
        told = await api.ok("GET", f"{SECRETS}?continue={token_of(-1, start)}")
        assert names(told) == expected, start


@served
async def test_what_may_be_of_any_revision_comes_whole(api: Api) -> None:
    await filled(api, 3)
    told = await api.ok("GET", f"{SECRETS}?limit=1&resourceVersion=0")
    assert names(told) == ["s0", "s1", "s2"] and "continue" not in told.body["metadata"]


@served
async def test_a_token_leads_nowhere_else(api: Api) -> None:
    await filled(api, 1)
    told = await api.ok("GET", f"{SECRETS}?continue={token_of(-1, 'a')}")
    assert names(told) == ["s0"]
    await api.refused(400, "GET", f"{SECRETS}?resourceVersion=5&continue={token_of(-1, 'a')}")


@served
async def test_one_name_is_looked_up(api: Api) -> None:
    await filled(api)
    for selector, expected in (
        ("metadata.name%3Ds1", ["s1"]),
        ("metadata.name%3Dnone", []),
        ("metadata.name%3Ds1,metadata.name!%3Ds1", []),
        ("metadata.name%3Ds1,metadata.name%3Ds2", []),
        ("metadata.name!%3Ds1", ["s0", "s2", "s3", "s4"]),
        ("metadata.name%3Ds1,metadata.namespace%3Ddefault", ["s1"]),
        ("metadata.name%3Ds1,metadata.namespace%3Dother", []),
        ("metadata.name%3Ds1,type%3DOpaque", ["s1"]),
    ):
        assert names(await api.ok("GET", f"{SECRETS}?fieldSelector={selector}")) == expected, selector
    everywhere = await api.ok("GET", "/api/v1/secrets?fieldSelector=metadata.name%3Ds1")
    assert names(everywhere) == ["s1"]
    exact = f"resourceVersion={api.store.revision}&resourceVersionMatch=Exact"
    await api.ok("DELETE", f"{SECRETS}/s1")
    told = await api.ok("GET", f"{SECRETS}?fieldSelector=metadata.name%3Ds1&{exact}")
    assert names(told) == ["s1"]


@served
async def test_labels_and_fields_select_together(api: Api) -> None:
    await filled(api)
    told = await api.ok("GET", f"{SECRETS}?labelSelector=parity%3Dodd&fieldSelector=metadata.name!%3Ds1")
    assert names(told) == ["s3"]
    await api.refused(400, "GET", f"{SECRETS}?labelSelector=((")
    await api.refused(400, "GET", f"{SECRETS}?fieldSelector=data.x%3Dy")


@served
async def test_shards_share_the_objects(api: Api) -> None:
    await filled(api)
    halves = []
    for start, end in (
        ("0x0000000000000000", "0x8000000000000000"),
        ("0x8000000000000000", "0x10000000000000000"),
    ):
        selector = f"shardRange(object.metadata.uid,'{start}','{end}')"
        told = await api.ok("GET", f"{SECRETS}?shardSelector={selector}")
        halves.append(names(told))
        shown = f"shardRange(object.metadata.uid, '{start}', '{end}')"
        assert told.body["metadata"]["shardInfo"] == {"selector": shown}
    assert sorted(halves[0] + halves[1]) == ["s0", "s1", "s2", "s3", "s4"]
    for wrong in ("nonsense", "shardRange(object.metadata.uid,'0x8','0x0')"):
        told = await api.refused(400, "GET", f"{SECRETS}?shardSelector={wrong}")
        assert told.message.startswith("invalid shard selector: ")
    whole = "shardRange(object.metadata.namespace,'0x0000000000000000','0x10000000000000000')"
    rows = await api.ok("GET", f"{SECRETS}?shardSelector={whole}", accept=f"application/json;{TABLE}")
    assert len(rows.body["rows"]) == 5 and "shardInfo" not in rows.body["metadata"]


@served
async def test_lists_have_their_kind(api: Api) -> None:
    await api.ok("POST", CONFIG_MAPS, config_map("a"))
    told = (await api.ok("GET", "/api/v1/configmaps?fieldSelector=metadata.name%3Da")).body
    assert (told["kind"], told["apiVersion"]) == ("ConfigMapList", "v1")
    assert "kind" not in told["items"][0]
    path = await define(api, definition())
    await api.ok("POST", path, {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}})
    told = (await api.ok("GET", path)).body
    assert told["kind"] == "WidgetList" and told["items"][0]["kind"] == "Widget"
    assert told["metadata"]["continue"] == ""


@served
async def test_events_of_both_groups_are_the_same_objects(api: Api) -> None:
    event = {
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": "default"},
        "message": "m",
    }
    await api.ok("POST", f"{CORE}/events", event)
    told = (await api.ok("GET", "/apis/events.k8s.io/v1/namespaces/default/events")).body
    assert told["apiVersion"] == "events.k8s.io/v1"
    assert (told["items"][0]["note"], told["items"][0]["regarding"]["name"]) == ("m", "p")
    one = (await api.ok("GET", "/apis/events.k8s.io/v1/namespaces/default/events/e")).body
    assert (one["apiVersion"], one["note"]) == ("events.k8s.io/v1", "m")


@served
async def test_lists_while_others_write_are_of_one_moment(api: Api) -> None:
    async def write() -> None:
        for number in range(30):
            await api.ok("POST", SECRETS, {"metadata": {"name": f"s{number:02}"}})
            await asyncio.sleep(0)

    async def read() -> None:
        while True:
            told = await api.ok("GET", SECRETS)
            found = names(told)
            assert found == [f"s{number:02}" for number in range(len(found))]
            if len(found) == 30:
                return
            await asyncio.sleep(0)

    await asyncio.gather(write(), read())


@served
async def test_each_version_says_what_its_objects_are_selected_by(api: Api) -> None:
    crd = definition(selectableFields=[{"jsonPath": ".spec.color"}])
    schema = {"properties": {"spec": {"properties": {"color": {"type": "string"}}, "type": "object"}}}
    first = crd["spec"]["versions"][0]
    first["schema"]["openAPIV3Schema"] |= schema
    beta = {**first, "name": "v1beta1", "storage": False}
    crd["spec"]["versions"].append({key: value for key, value in beta.items() if key != "selectableFields"})
    path = await define(api, crd)
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "spec": {"color": "red"}}
    await api.ok("POST", path, {**widget, "metadata": {"name": "a"}})
    assert names(await api.ok("GET", f"{path}?fieldSelector=spec.color%3Dred")) == ["a"]
    assert names(await api.ok("GET", f"{path}?fieldSelector=spec.color%3Dblue")) == []
    beta_path = path.replace("/v1/", "/v1beta1/")
    told = await api.refused(400, "GET", f"{beta_path}?fieldSelector=spec.color%3Dred")
    assert "field label not supported: spec.color" in told.message


@pytest.mark.parametrize(
    ("resource", "warning"),
    [
        ("endpoints", "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"),
        ("componentstatuses", "v1 ComponentStatus is deprecated in v1.19+"),
    ],
)
@served
async def test_old_kinds_are_warned_of(api: Api, resource: str, warning: str) -> None:
    told = await api.ok("GET", f"/api/v1/{resource}")
    assert told.headers["warning"] == f'299 - "{warning}"'


@served
async def test_what_is_offered_depends_on_the_verb(api: Api) -> None:
    offered = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    streams = ", application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"
    for method, path, expected in (
        ("GET", CONFIG_MAPS, offered + streams),
        ("GET", f"{CONFIG_MAPS}/a", offered),
        ("DELETE", CONFIG_MAPS, offered),
        ("GET", "/version", "application/json"),
        ("GET", "/api/v1", offered),
    ):
        told = await api.refused(406, method, path, accept="text/html")
        assert told.message == f"406: Not Acceptable\n\nAvailable representations: {expected}"
    for path in ("/apis", "/apis/apps"):
        told = await api.refused(406, "GET", path, accept="text/html")
        assert told.message == f"only the following media types are accepted: {offered}"
