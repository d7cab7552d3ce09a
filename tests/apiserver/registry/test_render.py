"""Objects in the form that was asked for: whole, as rows, or their metadata only."""

import msgspec
import pytest
import yaml
from tests.apiserver.support import CONFIG_MAPS, PODS, Api, config_map, define, definition, pod, served

from kajitori.apis.facts.protobuf import protobuf_codec

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
PROTOBUF = "application/vnd.kubernetes.protobuf"


@served
async def test_what_is_stored_is_what_is_read(api: Api) -> None:
    await api.ok("POST", CONFIG_MAPS, config_map("a", k="v"))
    told = await api.ok("GET", f"{CONFIG_MAPS}/a")
    item = api.store.get("/configmaps", "default/a")
    assert item is not None and told.raw == item.value + b"\n"
    assert told.raw.startswith(b'{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a",')


@served
async def test_all_media_types_tell_the_same(api: Api) -> None:
    await api.ok("POST", CONFIG_MAPS, config_map("a", k="ü: 'x'\n"))
    for path in (f"{CONFIG_MAPS}/a", f"{CONFIG_MAPS}?fieldSelector=metadata.name%3Da"):
        plain = (await api.ok("GET", path)).body
        as_yaml = await api.ok("GET", path, accept="application/yaml")
        assert as_yaml.headers["content-type"] == "application/yaml"
        assert yaml.safe_load(as_yaml.raw) == plain
        as_protobuf = await api.ok("GET", path, accept=PROTOBUF)
        assert as_protobuf.headers["content-type"] == PROTOBUF
        assert (
            protobuf_codec().decode(as_protobuf.raw)["metadata"]["resourceVersion"]
            == plain["metadata"]["resourceVersion"]
        )


@pytest.mark.parametrize(
    ("include", "kind"),
    [("", "PartialObjectMetadata"), ("Metadata", "PartialObjectMetadata"), ("Object", "Pod")],
)
@served
async def test_rows_carry_what_was_asked_for(api: Api, include: str, kind: str) -> None:
    await api.ok("POST", PODS, pod("a"))
    for path in (PODS, f"{PODS}/a"):
        told = (await api.ok("GET", f"{path}?includeObject={include}", accept=TABLE)).body
        assert (told["kind"], told["apiVersion"]) == ("Table", "meta.k8s.io/v1")
        assert told["metadata"]["resourceVersion"] == str(api.store.revision)
        (row,) = told["rows"]
        assert row["object"]["kind"] == kind and ("spec" in row["object"]) == (kind == "Pod")
        assert len(row["cells"]) == len(told["columnDefinitions"]) and row["cells"][0] == "a"
    told = (await api.ok("GET", f"{PODS}?includeObject=None", accept=TABLE)).body
    assert told["rows"][0]["object"] is None


@served
async def test_a_pod_that_has_ended_is_marked_in_its_row(api: Api) -> None:
    await api.ok("POST", PODS, pod("a"))
    body = {"status": {"phase": "Succeeded"}}
    await api.ok("PATCH", f"{PODS}/a/status", body, type="application/merge-patch+json")
    (row,) = (await api.ok("GET", PODS, accept=TABLE)).body["rows"]
    assert row["conditions"][0]["type"] == "Completed" and row["conditions"][0]["reason"] == "Succeeded"


@served
async def test_a_table_that_is_none_is_refused(api: Api) -> None:
    told = await api.refused(400, "GET", f"{PODS}?includeObject=All", accept=f"{TABLE},application/json")
    assert told.message == (
        'Unable to convert to Table as requested: includeObject: Invalid value: "All": '
        "must be 'Metadata', 'Object', 'None', or empty"
    )
    await api.ok("GET", f"{PODS}?includeObject=All")


@served
async def test_metadata_only(api: Api) -> None:
    await api.ok("POST", CONFIG_MAPS, config_map("a", labels={"x": "y"}))
    one = (await api.ok("GET", f"{CONFIG_MAPS}/a", accept=PARTIAL)).body
    assert set(one) == {"kind", "apiVersion", "metadata"} and one["metadata"]["labels"] == {"x": "y"}
    many = (await api.ok("GET", f"{CONFIG_MAPS}?labelSelector=x", accept=PARTIAL_LIST)).body
    assert many["kind"] == "PartialObjectMetadataList" and many["items"] == [one]
    told = await api.refused(406, "GET", CONFIG_MAPS, accept=PARTIAL)
    assert told.message.startswith("you requested PartialObjectMetadata, but the requested object is a list")
    await api.refused(406, "GET", f"{CONFIG_MAPS}/a", accept=PARTIAL_LIST)


@served
async def test_metadata_of_custom_objects_can_be_protobuf(api: Api) -> None:
    path = await define(api, definition())
    await api.ok("POST", path, {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}})
    told = await api.ok("GET", f"{path}/w", accept=PARTIAL.replace("application/json", PROTOBUF))
    assert protobuf_codec().decode(told.raw)["metadata"]["name"] == "w"
    assert (await api.ask("GET", f"{path}/w", accept=PROTOBUF)).status == 406


@served
async def test_people_get_indented_json(api: Api) -> None:
    await api.ok("POST", CONFIG_MAPS, config_map("a"))
    plain = await api.ok("GET", f"{CONFIG_MAPS}/a")
    for told in (
        await api.ok("GET", f"{CONFIG_MAPS}/a?pretty=true"),
        await api.ok("GET", f"{CONFIG_MAPS}/a", user_agent="curl/8.0"),
        await api.ok("GET", f"{CONFIG_MAPS}/a", user_agent="Mozilla/5.0 (X11)"),
        await api.ok("GET", f"{CONFIG_MAPS}/a", accept="application/json;pretty=1"),
    ):
        assert told.raw.startswith(b'{\n  "kind": "ConfigMap",\n') and told.body == plain.body
    for told in (
        await api.ok("GET", f"{CONFIG_MAPS}/a?pretty=false", user_agent="curl/8.0"),
        await api.ok("GET", f"{CONFIG_MAPS}/a?pretty=0"),
    ):
        assert told.raw == plain.raw
    listed = await api.ok("GET", f"{CONFIG_MAPS}?pretty=1")
    assert msgspec.json.encode(listed.body) + b"\n" == (await api.ok("GET", CONFIG_MAPS)).raw
    assert b"\n  " in (await api.refused(404, "GET", f"{CONFIG_MAPS}/none?pretty=true")).raw
