"""Decoding as Go does it: what is dropped, filled in, put in order, refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.decode import DecodeError
from kajitori.apis import facts, strict
from kajitori.apis.scalars import WrongType
from kajitori.apis.typed import SHAPES_MAX, decode, decoder

CONFIG_MAP = "io.k8s.api.core.v1.ConfigMap"
POD = "io.k8s.api.core.v1.Pod"
SERVICE = "io.k8s.api.core.v1.Service"
DEPLOYMENT = "io.k8s.api.apps.v1.Deployment"


def decoded(definition: str, value: Any) -> Any:
    return decode(definition, value)[0]


def test_fields_stand_in_gos_order_and_map_keys_sorted() -> None:  # T1
    obj = decoded(
        CONFIG_MAP,
        {"data": {"b": "2", "a": "1"}, "metadata": {"labels": {}, "name": "x"}, "kind": "ConfigMap"},
    )
    assert json.dumps(obj) == '{"kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "1", "b": "2"}}'


def test_nulls_and_zeros_of_omitempty_are_gone() -> None:  # T1 T2
    spec = {"nodeName": "", "hostNetwork": False, "volumes": [], "nodeSelector": {}, "affinity": None}
    assert decoded(POD, {"spec": spec})["spec"] == {"containers": None}


def test_a_pointer_to_zero_is_kept() -> None:  # T2
    spec = decoded(DEPLOYMENT, {"spec": {"replicas": 0, "minReadySeconds": 0}})["spec"]
    assert spec["replicas"] == 0 and "minReadySeconds" not in spec


def test_what_go_always_writes_is_there() -> None:  # T2
    assert decoded(DEPLOYMENT, {}) == {
        "metadata": {},
        "spec": {
            "selector": None,
            "template": {"metadata": {}, "spec": {"containers": None}},
            "strategy": {},
        },
        "status": {},
    }
    event = decoded("io.k8s.api.core.v1.Event", {"lastTimestamp": "2025-01-02T03:04:05Z"})
    assert event["firstTimestamp"] is None and event["lastTimestamp"] == "2025-01-02T03:04:05Z"


def test_an_empty_list_that_is_always_written_is_null_after_protobuf() -> None:  # T2
    role = decoded("io.k8s.api.rbac.v1.Role", {"rules": []})
    assert role == {"metadata": {}, "rules": None}


def test_null_members_of_lists_and_maps_are_zeros() -> None:
    assert decoded(CONFIG_MAP, {"data": {"a": None}})["data"] == {"a": ""}
    assert decoded(POD, {"metadata": {"finalizers": [None, "x"]}})["metadata"]["finalizers"] == ["", "x"]


def test_quantities_times_and_numbers_are_canonical() -> None:  # T3
    resources = {"limits": {"memory": "1024Mi", "cpu": 0.5, "a.b/c": 3}}
    containers = [{"name": "c", "resources": resources}]
    pod = decoded(
        POD,
        {"metadata": {"deletionTimestamp": "2025-01-02T05:04:05+02:00"}, "spec": {"containers": containers}},
    )
    assert pod["spec"]["containers"][0]["resources"]["limits"] == {
        "a.b/c": "3",
        "cpu": "500m",
        "memory": "1Gi",
    }
    assert pod["metadata"]["deletionTimestamp"] == "2025-01-02T03:04:05Z"
    lease = decoded(
        "io.k8s.api.coordination.v1.Lease", {"spec": {"renewTime": "2025-01-02T05:04:05.100000+02:00"}}
    )
    assert lease["spec"]["renewTime"] == "2025-01-02T03:04:05.100000Z"


def test_bytes_are_written_as_go_writes_them() -> None:
    secret = "io.k8s.api.core.v1.Secret"
    assert decoded(secret, {"data": {"a": "YQ==\n", "b": ""}})["data"] == {"a": "YQ==", "b": ""}
    with pytest.raises(DecodeError, match="illegal base64 data at input byte 1"):
        decode(secret, {"data": {"a": "Y!=="}})


def test_int_or_string_keeps_what_was_sent() -> None:
    ports = [{"port": 80, "targetPort": "http"}, {"port": 81, "targetPort": 8081}]
    spec = decoded(SERVICE, {"spec": {"ports": ports}})["spec"]
    assert [each["targetPort"] for each in spec["ports"]] == ["http", 8081]


@pytest.mark.parametrize(
    ("definition", "value", "message"),
    [
        (
            DEPLOYMENT,
            {"spec": {"replicas": "2"}},
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            POD,
            {"spec": {"containers": [{"name": 1}]}},
            "json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string",
        ),
        (
            POD,
            {"spec": {"containers": {}}},
            "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
        ),
        (
            SERVICE,
            {"spec": {"ports": [{"port": 99999999999}]}},
            "json: cannot unmarshal number 99999999999 into Go struct field ServicePort.spec.ports.port of type int32",
        ),
        (
            CONFIG_MAP,
            {"metadata": {"labels": {"a": 1}}},
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            CONFIG_MAP,
            {"immutable": "yes"},
            "json: cannot unmarshal string into Go struct field ConfigMap.immutable of type bool",
        ),
        (CONFIG_MAP, [], "json: cannot unmarshal array into Go value of type v1.ConfigMap"),
        (
            POD,
            {"spec": {"overhead": {"cpu": "x"}}},
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
    ],
)
def test_wrong_types_are_told_in_gos_words(definition: str, value: Any, message: str) -> None:  # T4
    with pytest.raises(DecodeError) as caught:
        decode(definition, value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"metadata": {"labels": "x"}}, "cannot restore map from string"),
        ({"metadata": {"labels": 5}}, "cannot restore map from int64"),
        ({"metadata": {"labels": {"a": 1}}}, "cannot convert int64 to string"),
        ({"metadata": {"labels": {"a": 1.5}}}, "unrecognized type: string"),
        ({"metadata": {"finalizers": {}}}, "cannot restore slice from map"),
        ({"metadata": {"generation": "x"}}, "unrecognized type: int64"),
        (
            {"metadata": {"deletionTimestamp": 5}},
            "json: cannot unmarshal number into Go value of type string",
        ),
        ({"spec": {"replicas": 1.5}}, "cannot convert float64 to int32"),
        ({"spec": {"replicas": True}}, "unrecognized type: int32"),
        ({"spec": {"paused": "x"}}, "unrecognized type: bool"),
        ({"spec": {"strategy": "x"}}, "cannot restore struct from: string"),
        ({"spec": {"template": {"spec": {"restartPolicy": 5}}}}, "cannot convert int64 to v1.RestartPolicy"),
        ({"spec": {"template": {"spec": {"tolerations": "x"}}}}, "cannot restore slice from string"),
        (
            {"spec": {"strategy": {"rollingUpdate": {"maxSurge": True}}}},
            "json: cannot unmarshal bool into Go value of type int32",
        ),
    ],
)
def test_wrong_types_after_a_strategic_patch_are_told_in_other_words(value: Any, message: str) -> None:
    with pytest.raises(WrongType) as raised:
        decode("io.k8s.api.apps.v1.Deployment", value)
    assert raised.value.of_patch() == message


def test_unknown_fields_are_dropped_and_noticed() -> None:  # T5
    value = {"metadata": {"name": "a", "nope": 1}, "spec": {"y": 1}, "data": {"k": "v"}}
    obj, unknown = decode(CONFIG_MAP, value)
    assert unknown and obj == {"metadata": {"name": "a"}, "data": {"k": "v"}}
    assert strict.unknown_fields(CONFIG_MAP, value) == [
        'unknown field "metadata.nope"',
        'unknown field "spec"',
    ]
    assert decode(CONFIG_MAP, {"data": {"k": "v"}})[1] is False


def test_fields_are_case_sensitive() -> None:
    assert strict.unknown_fields(POD, {"Spec": {}, "spec": {"nodename": "x"}}) == [
        'unknown field "Spec"',
        'unknown field "spec.nodename"',
    ]


def test_repeated_and_unknown_fields_come_in_document_order() -> None:  # X1
    text = b'{"metadata":{"name":"d","name":"e"},"x":{"y":1},"data":{"k":"1","k":"2"},"x":1}'
    assert strict.problems(CONFIG_MAP, text) == [
        'duplicate field "metadata.name"',
        'unknown field "x"',
        'duplicate field "data.k"',
    ]


def test_values_that_decode_themselves_are_not_looked_into() -> None:  # X2
    text = b'{"data":{"a":1,"a":2},"revision":1}'
    assert strict.problems("io.k8s.api.apps.v1.ControllerRevision", text) == []


def test_many_shapes_do_not_pile_up() -> None:
    fields = [each.name for each in facts.definition(CONFIG_MAP).fields or []]
    decode_config_map = decoder(CONFIG_MAP)
    for number in range(3 * SHAPES_MAX):
        assert decode_config_map({"data": {"a": "b"}, f"x{number}": 1}, []) == {
            "metadata": {},
            "data": {"a": "b"},
        }
    assert "data" in fields


def test_schemas_of_custom_kinds_may_be_one_thing_or_another() -> None:
    definition = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
    schema = {
        "items": {"type": "string"},
        "additionalProperties": False,
        "properties": {"b": {"additionalProperties": {"type": "integer"}}, "a": {"default": {"x": 1.0}}},
        "maximum": 3.0,
    }
    obj = decoded(definition, schema)
    assert obj["items"] == {"type": "string"} and obj["additionalProperties"] is False
    assert list(obj["properties"]) == ["a", "b"] and obj["maximum"] == 3
    with pytest.raises(DecodeError, match="boolean or JSON schema expected"):
        decode(definition, {"additionalProperties": "x"})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["name", "labels", "spec", "containers", "image", "x"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["metadata", "spec", "status", "kind", "y"]), json_values))
def test_decoding_again_changes_nothing(value: dict[str, Any]) -> None:
    try:
        once = decoded(POD, value)
    except DecodeError:
        return
    assert json.dumps(decoded(POD, json.loads(json.dumps(once)))) == json.dumps(once)
