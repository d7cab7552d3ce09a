"""The typed models against the decoder that the API server uses: nothing that it knows is lost or changed."""

import importlib
import os
from random import Random
from typing import Any

import msgspec
import pytest

from kajitori.apimachinery.struct_decoder import struct_decoder
from kajitori.apis import facts
from kajitori.apis.autoscaling_v2 import HorizontalPodAutoscaler
from kajitori.apis.core_v1 import ConfigMap, Container, Pod, PodSpec, Secret, ServicePort
from kajitori.apis.discovery_v1 import EndpointSlice
from kajitori.apis.meta_v1 import Condition, LabelSelector, ObjectMeta
from kajitori.apis.rbac_v1 import ClusterRole
from kajitori.apis.resources import ResourceInfo, resources
from kajitori.apis.typed import decode

DEPTH_MAX = 6
SAMPLES = 400 if os.environ.get("KAJITORI_LONG") else 20
KINDS = {info.definition for info in resources()}
LEFT_OUT = ("managedFields", "selfLink")
"""What ObjectMeta leaves out."""
META = "io.k8s.apimachinery.pkg.apis.meta.v1"
EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1"
VALUES: dict[str, list[Any]] = {
    "string": ["", "a", "web", "ü"],
    "bool": [False, True],
    "int32": [0, 1, 7, 8080],
    "int64": [0, 1, 1 << 40],
    "float64": [0.0, 0.5, 2.0],
    "bytes": ["", "YQ==", "AAE="],
    f"{META}.Time": [None, "2026-01-02T03:04:05Z"],
    f"{META}.MicroTime": [None, "2026-01-02T03:04:05.000007Z"],
    f"{META}.FieldsV1": [{"f:spec": {}}],
    "io.k8s.apimachinery.pkg.api.resource.Quantity": ["0", "100m", "1Gi", 3],
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": [0, 80, "http", "25%"],
    "io.k8s.apimachinery.pkg.runtime.RawExtension": [{"kind": "X", "n": None}],
    f"{EXTENSIONS}.JSON": [{"a": [None]}, 1, "x"],
    f"{EXTENSIONS}.JSONSchemaPropsOrArray": [{"type": "string"}, [{"type": "object"}]],
    f"{EXTENSIONS}.JSONSchemaPropsOrBool": [True, False, {"type": "string"}],
    f"{EXTENSIONS}.JSONSchemaPropsOrStringArray": [["a"], {"type": "string"}],
}
"""What Go's types that are no structs may be sent as."""


def sample(random: Random, word: str, depth: int = 0) -> Any:
    """Something that Go decodes into a type (see `facts.GoField`). Structs have a few fields, below some depth none."""
    if word.startswith("*"):
        return sample(random, word[1:], depth)
    if word.startswith("[]"):
        return [sample(random, word[2:], depth) for _ in range(random.randint(0, 2))]
    if word.startswith("{}"):
        return {key: sample(random, word[2:], depth) for key in "ab"[: random.randint(0, 2)]}
    known = VALUES.get(word.partition("=")[0])
    if known is not None:
        return random.choice(known)
    fields = [each for each in facts.definition(word).fields or [] if each.name not in LEFT_OUT]
    if (
        word in KINDS
    ):  # Also inside others: the server says `apiVersion` and `kind` of a claim template itself.
        fields = [each for each in fields if each.name not in ("apiVersion", "kind")]
    chosen = random.sample(fields, 0 if depth > DEPTH_MAX else min(4, len(fields))) if depth else fields
    return {each.name: sample(random, each.type, depth + 1) for each in chosen}


def told(value: Any) -> Any:
    """Without what is empty: some groups tell an empty list from none, which says the same."""
    if isinstance(value, dict):
        members = {key: told(each) for key, each in value.items()}
        return {key: each for key, each in members.items() if each not in (None, "", {}, [])}
    return [told(each) for each in value] if isinstance(value, list) else value


def model_of(info: ResourceInfo) -> type[msgspec.Struct]:
    group, version, name = info.definition.split(".")[-3:]
    found: type[msgspec.Struct] = getattr(importlib.import_module(f"kajitori.apis.{group}_{version}"), name)
    return found


@pytest.mark.parametrize("info", resources(), ids=lambda info: str(info.kind))
def test_what_the_server_shows_is_read_and_written_whole(info: ResourceInfo) -> None:
    model = model_of(info)
    read = struct_decoder(model)
    for seed in range(SAMPLES):
        shown, _ = decode(info.definition, sample(Random(seed), info.definition))
        instance = read(msgspec.json.encode(shown))
        assert isinstance(instance, model)
        again = msgspec.json.decode(msgspec.json.encode(instance))
        assert told(decode(info.definition, again)[0]) == told(shown), seed


def test_unset_is_gos_zero_and_is_not_written() -> None:  # M1, M2
    pod = Pod(metadata=ObjectMeta(name="web"), spec=PodSpec(containers=(Container(name="web"),)))
    assert pod.spec.node_name == "" and pod.status.conditions == () and pod.metadata.labels == {}
    assert pod.spec.termination_grace_period_seconds is None
    assert msgspec.json.encode(pod) == b'{"metadata":{"name":"web"},"spec":{"containers":[{"name":"web"}]}}'


def test_a_zero_that_means_something_is_written() -> None:  # M2
    spec = PodSpec(termination_grace_period_seconds=0, enable_service_links=False)
    assert msgspec.json.decode(msgspec.json.encode(spec)) == {
        "terminationGracePeriodSeconds": 0,
        "enableServiceLinks": False,
    }


def test_an_empty_message_of_a_condition_is_written_since_definitions_require_one() -> None:  # M2
    condition = Condition(type="Ready", status="True", reason="Done")
    assert msgspec.json.encode(condition) == b'{"type":"Ready","status":"True","reason":"Done","message":""}'
    assert struct_decoder(Condition)(b'{"type":"Ready"}').message == ""


def test_unknown_fields_are_not_kept() -> None:  # M3
    read = struct_decoder(ConfigMap)(b'{"data":{"a":"b"},"fromTheFuture":1}')
    assert msgspec.json.encode(read) == b'{"data":{"a":"b"}}'


def test_nobody_changes_an_instance() -> None:  # M4
    pod = Pod()
    with pytest.raises(AttributeError):
        pod.spec = PodSpec()  # type: ignore[misc]
    with pytest.raises(TypeError):
        pod.metadata.labels["a"] = "b"  # type: ignore[index]


def test_nulls_are_fields_that_are_not_there() -> None:  # D1
    slice_ = struct_decoder(EndpointSlice)(
        b'{"metadata":{"name":"a","labels":null},"endpoints":null,"ports":null,"addressType":"IPv4"}'
    )
    assert slice_ == EndpointSlice(metadata=ObjectMeta(name="a"), address_type="IPv4")
    role = struct_decoder(ClusterRole)(b'{"rules":[{"verbs":null,"resources":["pods"]}]}')
    assert role.rules[0].verbs == () and role.rules[0].resources == ("pods",)
    secret = struct_decoder(Secret)(b'{"data":{"a":"YQ==","b":null},"type":null}')
    assert secret.data == {"a": b"a"}
    scaler = struct_decoder(HorizontalPodAutoscaler)(b'{"status":{"currentMetrics":null}}')
    assert scaler.status.current_metrics == ()


def test_what_does_not_fit_says_where() -> None:  # D2
    with pytest.raises(msgspec.ValidationError, match=r"Expected `str`, got `int` - at `\$.metadata.name`"):
        struct_decoder(Pod)(b'{"metadata":{"name":3},"spec":null}')


def test_what_is_left_open_keeps_its_nulls() -> None:  # D3
    class Open(msgspec.Struct, frozen=True):
        value: Any = None
        names: tuple[str, ...] = ()

    assert struct_decoder(Open)(b'{"names":null,"value":{"a":null}}') == Open({"a": None})


def test_wire_names_are_gos() -> None:
    spec = PodSpec(host_pid=True, set_hostname_as_fqdn=True)
    assert msgspec.to_builtins(spec) == {"hostPID": True, "setHostnameAsFQDN": True}
    assert msgspec.to_builtins(ServicePort(port=80, target_port="http")) == {"port": 80, "targetPort": "http"}
    assert msgspec.to_builtins(LabelSelector(match_labels={"a": "b"})) == {"matchLabels": {"a": "b"}}
