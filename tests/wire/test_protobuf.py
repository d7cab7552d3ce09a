"""The protobuf codec against bytes recorded from Go, and against bytes that nobody meant."""

import base64
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kajitori.apis.facts.protobuf import BuiltinTable, protobuf_codec
from kajitori.wire.protobuf import ProtobufError, Shape, UnknownKindError, frames
from kajitori.wire.protobuf.decoder import NESTING_MAX, Decoder

SAMPLES = json.loads((Path(__file__).parent / "protobuf_samples.json").read_text())
NAMES = [sample["object"]["kind"] for sample in SAMPLES]
CODEC = protobuf_codec()
SCHEMA = "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"


def without_zeros(value: Any) -> Any:
    """What is left when everything that JSON may omit is omitted."""
    if isinstance(value, dict):
        members = {key: without_zeros(each) for key, each in value.items()}
        return {key: each for key, each in members.items() if each not in (None, "", 0, False, {}, [])}
    return [without_zeros(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
def test_what_go_wrote_is_read_as_the_json_that_go_shows(sample: dict[str, Any]) -> None:  # S2, C2
    decoded = CODEC.decode(base64.b64decode(sample["protobuf"]))
    assert without_zeros(decoded) == without_zeros(sample["object"])
    assert list(decoded)[:2] == ["kind", "apiVersion"]


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
def test_what_was_encoded_is_decoded_again(sample: dict[str, Any]) -> None:  # C1, E1
    assert without_zeros(CODEC.decode(CODEC.encode(sample["object"]))) == without_zeros(sample["object"])


def test_pointers_to_zero_survive() -> None:
    deployment = next(each["object"] for each in SAMPLES if each["object"]["kind"] == "Deployment")
    assert CODEC.decode(CODEC.encode(deployment))["spec"]["replicas"] == 0
    volume = next(each["object"] for each in SAMPLES if each["object"]["kind"] == "PersistentVolume")
    assert CODEC.decode(CODEC.encode(volume))["spec"]["hostPath"]["type"] == ""


def test_a_list_made_of_items_is_the_encoded_list() -> None:  # C3
    items = [{"metadata": {"name": "a"}, "data": {"k": "v"}}, {"metadata": {"name": "b"}}]
    metadata = {"resourceVersion": "7"}
    whole = {"apiVersion": "v1", "kind": "ConfigMapList", "metadata": metadata, "items": items}
    assert CODEC.encode_list("v1", "ConfigMapList", metadata, items) == CODEC.encode(whole)
    encode_item = CODEC.item_encoder("v1", "ConfigMapList")
    ready = [encode_item(each) for each in items]
    assert CODEC.envelope_list("v1", "ConfigMapList", metadata, ready) == CODEC.encode(whole)


# A pod called "a", as client-go frames it in a watch; recorded.
GO_FRAME = (
    "000000660a054144444544125d0a5b6b3873000a090a0276311203506f6412460a110a016112001a0022002a00320038004200"
    "121c1a00320042004a0052005800600068008201008a01009a0100c201001a130a001a0022002a0032004a005a007200880100"
    "1a002200"
)


def test_frames_of_a_watch_are_those_of_client_go() -> None:
    received = bytearray.fromhex(GO_FRAME)
    ((event_type, pod),) = map(CODEC.decode_watch_event, frames(received))
    assert (event_type, pod["kind"], pod["metadata"]["name"]) == ("ADDED", "Pod", "a")
    assert not received


def test_a_frame_that_has_not_fully_arrived_waits() -> None:
    event = CODEC.encode_watch_event("MODIFIED", {"apiVersion": "v1", "kind": "Pod", "metadata": {}})
    received = bytearray(event[:-1])
    assert list(frames(received)) == []
    received += event[-1:] + event[:3]
    assert [CODEC.decode_watch_event(each)[0] for each in frames(received)] == ["MODIFIED"]
    assert bytes(received) == event[:3]


def test_a_frame_that_is_too_large_is_refused() -> None:
    with pytest.raises(ProtobufError, match="larger than"):
        list(frames(bytearray(b"\xff\xff\xff\xff")))


def test_custom_kinds_have_no_message() -> None:
    assert not CODEC.knows("example.com/v1", "Widget")
    with pytest.raises(UnknownKindError) as caught:
        CODEC.encode({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {}})
    assert (caught.value.api_version, caught.value.kind) == ("example.com/v1", "Widget")


@pytest.mark.parametrize("api_version", ["v1", "apps/v1", "rbac.authorization.k8s.io/v1"])
def test_options_are_known_in_every_group(api_version: str) -> None:
    sent = {"apiVersion": api_version, "kind": "DeleteOptions", "gracePeriodSeconds": 5}
    assert CODEC.decode(CODEC.encode(sent))["gracePeriodSeconds"] == 5


def test_the_caller_says_what_the_envelope_leaves_out() -> None:
    data = CODEC.envelope("", "", b"")
    assert CODEC.decode(data, api_version="v1", kind="Pod") == {"kind": "Pod", "apiVersion": "v1"}
    with pytest.raises(ProtobufError, match="'Kind' is missing"):
        CODEC.decode(data)
    with pytest.raises(ProtobufError, match="'apiVersion' is missing"):
        CODEC.decode(data, kind="Pod")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty data"),
        (b"k8s\x00", "empty body"),
        (b'{"kind":"Pod"}', "does not appear to be a protobuf message"),
        (b"k8s\x00\x0a\xff", "unexpected EOF"),
    ],
)
def test_what_is_no_envelope_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ProtobufError, match=message):
        CODEC.decode(data)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"\x0a\x05\x0a", "unexpected EOF"),  # the metadata says 5 bytes, there is 1
        (b"\x08\x01", "wrong wireType = 0 for field metadata"),
        (b"\x00\x01", "illegal tag 0"),
        (b"\x0c", "wrong wireType = 4 for field metadata"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "integer overflow"),
        (b"\xf8", "unexpected EOF"),
        (b"\xfb\x01" * 40, "nested too deeply"),  # groups in groups
    ],
)
def test_malformed_messages_are_refused(body: bytes, message: str) -> None:  # D1
    with pytest.raises(ProtobufError, match=message):
        CODEC.decode(CODEC.envelope("v1", "Pod", body))


def test_unknown_fields_are_skipped() -> None:  # D2
    # Field 31 in every wire type: a number, 8 bytes, a text, a group with a number in it, 4 bytes.
    unknown = (
        b"\xf8\x01\x05"
        + b"\xf9\x01"
        + b"x" * 8
        + b"\xfa\x01\x01x"
        + b"\xfb\x01\x08\x01\xfc\x01"
        + b"\xfd\x01xxxx"
    )
    body = unknown + CODEC.encode_body({"metadata": {"name": "a"}}, "v1", "Pod")
    assert CODEC.decode(CODEC.envelope("v1", "Pod", body))["metadata"] == {"name": "a"}


def test_unknown_members_and_nulls_are_left_out() -> None:  # E1
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": None, "new": 1}, "more": {}}
    assert CODEC.decode(CODEC.encode(pod)) == {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}


def test_numbers_may_come_packed() -> None:
    # PodSecurityContext.supplementalGroups is field 4, repeated int64.
    security = b"\x22\x03\x01\xac\x02"
    spec = b"\x72" + bytes([len(security)]) + security
    body = b"\x12" + bytes([len(spec)]) + spec
    decoded = CODEC.decode(CODEC.envelope("v1", "Pod", body))
    assert decoded["spec"]["securityContext"]["supplementalGroups"] == [1, 300]


def test_a_message_in_parts_is_merged() -> None:
    parts = [CODEC.encode_body({"metadata": each}, "v1", "Pod") for each in ({"name": "a"}, {"uid": "u"})]
    decoded = CODEC.decode(CODEC.envelope("v1", "Pod", b"".join(parts)))
    assert decoded["metadata"] == {"name": "a", "uid": "u"}


def test_text_that_is_not_utf8_is_replaced_not_refused() -> None:
    decoded = CODEC.decode(CODEC.envelope("v1", "Pod", b"\x0a\x04\x0a\x02\xff\xfe"))
    assert decoded["metadata"]["name"] == "��"


def test_negative_numbers_and_times_before_1970() -> None:
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"creationTimestamp": "1969-12-31T23:59:59Z"},
        "count": -5,
    }
    assert CODEC.decode(CODEC.encode(event)) == event


def test_messages_nest_only_so_deep() -> None:  # D3
    table = BuiltinTable()
    negation = next(each.number for each in table.fields(SCHEMA) if each.name == "not")
    message = b""
    tag = bytes([negation << 3 & 0x7F | 0x80 | 2, negation >> 4])
    for _ in range(NESTING_MAX + 1):
        size = len(message)
        message = tag + (bytes([size]) if size < 128 else bytes([size & 0x7F | 0x80, size >> 7])) + message
    with pytest.raises(ProtobufError, match="nested"):
        Decoder(table).decode(SCHEMA, message)


@pytest.mark.parametrize(
    "wrong",
    [
        {"metadata": {"name": 5}},
        {"metadata": {"generation": "x"}},
        {"metadata": "x"},
        {"metadata": {"labels": {"a": 1}}},
        {"metadata": {"creationTimestamp": "yesterday"}},
        {"spec": {"containers": [{"ports": [{"containerPort": 1.5}]}]}},
        {"spec": {"containers": {"a": 1}}},
    ],
)
def test_a_value_that_does_not_fit_is_refused(wrong: dict[str, Any]) -> None:  # E2
    with pytest.raises(ProtobufError):
        CODEC.encode({"apiVersion": "v1", "kind": "Pod", **wrong})


def test_base64_that_is_none_is_refused() -> None:
    with pytest.raises(ProtobufError, match="base64"):
        CODEC.encode({"apiVersion": "v1", "kind": "Secret", "data": {"k": "*"}})


BYTES = [base64.b64decode(sample["protobuf"]) for sample in SAMPLES]


@given(sample=st.sampled_from(BYTES), data=st.data())
@settings(max_examples=300, deadline=None)
def test_broken_bytes_give_an_object_or_the_declared_error(
    sample: bytes, data: st.DataObject
) -> None:  # D1, C2
    broken = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(4, len(broken) - 1))
        broken[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        if len(broken) < 6:
            break
    try:
        decoded = CODEC.decode(bytes(broken))
    except ProtobufError:
        return
    assert decoded["kind"] and decoded["apiVersion"]
    json.dumps(decoded)


@given(st.binary(max_size=200), st.sampled_from(["Pod", "CustomResourceDefinition", "DeleteOptions"]))
@settings(max_examples=300, deadline=None)
def test_random_bytes_give_an_object_or_the_declared_error(body: bytes, kind: str) -> None:  # D1, S1
    api_version = "apiextensions.k8s.io/v1" if kind.startswith("Custom") else "v1"
    with suppress(ProtobufError):
        json.dumps(CODEC.decode(CODEC.envelope(api_version, kind, body)))


texts = st.text(max_size=8)
pods = st.fixed_dictionaries(
    {"apiVersion": st.just("v1"), "kind": st.just("Pod")},
    optional={
        "metadata": st.fixed_dictionaries(
            {},
            optional={
                "name": texts,
                "generation": st.integers(-(1 << 63), (1 << 63) - 1),
                "labels": st.dictionaries(texts, texts, min_size=1, max_size=3),
                "finalizers": st.lists(texts, min_size=1, max_size=3),
            },
        ),
        "spec": st.fixed_dictionaries(
            {},
            optional={
                "priority": st.integers(-(1 << 31), (1 << 31) - 1),
                "hostNetwork": st.booleans(),
                "volumes": st.lists(
                    st.fixed_dictionaries({"name": texts, "emptyDir": st.just({})}), min_size=1, max_size=2
                ),
            },
        ),
    },
)


@given(pods)
@settings(deadline=None)
def test_any_pod_survives_the_round_trip(pod: dict[str, Any]) -> None:  # C1
    assert CODEC.decode(CODEC.encode(pod)) == pod


def test_the_table_knows_shapes_and_packages() -> None:
    table = BuiltinTable()
    fields = {each.name: each for each in table.fields("k8s.io.api.core.v1.PodSpec")}
    assert fields["containers"].type == "k8s.io.api.core.v1.Container"
    assert fields["containers"].shape is Shape.REPEATED
    assert fields["nodeSelector"].shape is Shape.MAP
    inlined = {each.shape for each in table.fields("k8s.io.api.core.v1.Volume")}
    assert Shape.INLINE in inlined
    assert table.message("apps/v1", "Deployment") == "k8s.io.api.apps.v1.Deployment"
    assert table.message("v1", "Pod\n") is None
    with pytest.raises(KeyError):
        table.fields("k8s.io.api.core.v1.Nothing")
