"""States and invariants of `decide`."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.policies_v1 import FINALIZER, unique_name
from kajitori.operators.kubewarden.decide import decide
from kajitori.operators.kubewarden.plan import MUTATING, VALIDATING, Plan, State
from kajitori.operators.kubewarden.seen import Loading, PolicySeen

RULES = [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}]
KINDS = ("AdmissionPolicy", "ClusterAdmissionPolicy", "AdmissionPolicyGroup", "ClusterAdmissionPolicyGroup")


def policy(kind: str = "AdmissionPolicy", **spec: Any) -> JsonObject:
    metadata: JsonObject = {"name": "p", "generation": 3, "finalizers": [FINALIZER]}
    if not kind.startswith("Cluster"):
        metadata["namespace"] = "ns"
    given: JsonObject = {"policyServer": "default", "mode": "protect", "rules": RULES, **spec}
    if kind.endswith("Group"):
        given |= {"policies": {"a": {"module": "m"}}, "expression": "a()", "message": "no"}
        given.pop("mutating", None)
    else:
        given.setdefault("mutating", False)
        given["module"] = "m"
    return {"kind": kind, "metadata": metadata, "spec": given}


def seen(obj: JsonObject, **changed: Any) -> PolicySeen:
    values: dict[str, Any] = {
        "policy": obj,
        "has_server": True,
        "loading": Loading(runs_as="protect"),
        "configurations": frozenset(),
        "client_config": {"service": {"name": "s"}},
        "namespace": "kubewarden",
        "now": datetime(2026, 1, 1, tzinfo=UTC),
        "retry_seconds": 30.0,
    }
    return PolicySeen(**{**values, **changed})


loadings = st.builds(
    Loading,
    failure=st.sampled_from(["", "the registry is away"]),
    will_pass=st.booleans(),
    runs_as=st.sampled_from(["", "protect", "monitor"]),
).filter(lambda loading: bool(loading.failure) or bool(loading.runs_as))


@st.composite
def worlds(draw: st.DrawFn) -> PolicySeen:
    obj = policy(
        draw(st.sampled_from(KINDS)),
        mutating=draw(st.booleans()),
        policyServer=draw(st.sampled_from(["default", ""])),
        rules=draw(st.sampled_from([RULES, []])),
    )
    if draw(st.booleans()):
        obj["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    if draw(st.booleans()):
        obj["metadata"]["finalizers"] = []
    return seen(
        obj,
        has_server=draw(st.booleans()),
        loading=draw(loadings),
        configurations=draw(st.frozensets(st.sampled_from([MUTATING.kind, VALIDATING.kind]))),
    )


def carried_out(world: PolicySeen, plan: Plan) -> PolicySeen:
    metadata = dict(world.policy["metadata"])
    if plan.add_finalizer:
        metadata["finalizers"] = [*metadata["finalizers"], FINALIZER]
    if plan.remove_finalizer:
        metadata["finalizers"] = [each for each in metadata["finalizers"] if each != FINALIZER]
    there = set(world.configurations) - {kind.kind for kind in plan.deleted}
    if plan.applied is not None:
        there.add(plan.applied["kind"])
    obj = {**world.policy, "metadata": metadata}
    if plan.status is not None:
        obj["status"] = plan.status
    return seen(
        obj,
        has_server=world.has_server,
        loading=world.loading,
        configurations=frozenset(there),
        now=datetime(2026, 1, 2, tzinfo=UTC),
    )


@given(worlds())
def test_doing_it_leaves_nothing_to_do(world: PolicySeen) -> None:  # I1
    plan = decide(world)
    after = carried_out(world, plan)
    again = decide(after)
    assert (again.state, again.status, again.applied) == (plan.state, plan.status, plan.applied)
    assert not again.add_finalizer and not again.deleted


@given(worlds())
def test_requests_are_given_only_to_what_runs(world: PolicySeen) -> None:  # I2, I3
    plan = decide(world)
    there = carried_out(world, plan).configurations
    assert (plan.applied is not None) is (plan.state in (State.ACTIVE, State.OUTDATED))
    if plan.applied is None:
        assert not there
    else:
        assert world.loading.runs_as and world.has_server
        mutating = world.policy["spec"].get("mutating") is True
        assert there == {MUTATING.kind if mutating else VALIDATING.kind}


@given(worlds())
def test_the_finalizer_goes_with_the_configurations(world: PolicySeen) -> None:  # I4
    plan = decide(world)
    deleting = "deletionTimestamp" in world.policy["metadata"]
    assert plan.remove_finalizer is deleting
    if deleting:
        assert {kind.kind for kind in plan.deleted} == world.configurations and plan.status is None


@pytest.mark.parametrize(
    ("world", "state", "status"),
    [
        (seen(policy()), State.ACTIVE, ("active", "protect", "True", "True", "True")),
        (
            seen(policy(policyServer="")),
            State.UNSCHEDULED,
            ("unscheduled", "unknown", "False", "False", "False"),
        ),
        (
            seen(policy(), has_server=False),
            State.SCHEDULED,
            ("scheduled", "unknown", "False", "False", "False"),
        ),
        (
            seen(policy(), loading=Loading("away", True)),
            State.PENDING,
            ("pending", "unknown", "False", "False", "False"),
        ),
        (
            seen(policy(), loading=Loading("away", True, "monitor")),
            State.OUTDATED,
            ("active", "monitor", "True", "False", "False"),
        ),
        (seen(policy(rules=[])), State.INVALID, ("pending", "unknown", "False", "False", "False")),
    ],
)
def test_states(world: PolicySeen, state: State, status: tuple[str, ...]) -> None:
    plan = decide(world)
    assert plan.state is state and plan.status is not None
    conditions = {each["type"]: each for each in plan.status["conditions"]}
    names = ("PolicyActive", "PolicyServerConfigurationUpToDate", "PolicyUniquelyReachable")
    found = tuple(conditions[name]["status"] for name in names)
    assert (plan.status["policyStatus"], plan.status["mode"], *found) == status
    assert all(each["observedGeneration"] == 3 for each in conditions.values())
    assert plan.retry_after_seconds == (30.0 if world.loading.will_pass else 0.0)


def test_the_configuration() -> None:
    selector = {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "c", "operator": "Exists"}]}
    obj = policy(
        "ClusterAdmissionPolicy",
        mutating=True,
        namespaceSelector=selector,
        objectSelector={"matchLabels": {"x": "y"}},
        failurePolicy="Ignore",
        matchPolicy="Exact",
        matchConditions=[{"name": "n", "expression": "true"}],
        timeoutSeconds=5,
    )
    applied = decide(seen(obj)).applied
    assert applied is not None
    assert applied["kind"] == "MutatingWebhookConfiguration"
    assert applied["metadata"] == {
        "name": "clusterwide-p",
        "labels": {"app.kubernetes.io/part-of": "kubewarden", "kubewardenPolicyScope": "cluster"},
        "annotations": {"kubewardenPolicyName": "p", "kubewardenPolicyNamespace": ""},
    }
    own = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kubewarden"]}  # I5
    assert applied["webhooks"] == [
        {
            "name": "clusterwide-p.kubewarden.admission",
            "clientConfig": {"service": {"name": "s"}},
            "rules": RULES,
            "sideEffects": "None",
            "timeoutSeconds": 5,
            "admissionReviewVersions": ["v1"],
            "failurePolicy": "Ignore",
            "matchPolicy": "Exact",
            "objectSelector": {"matchLabels": {"x": "y"}},
            "matchConditions": [{"name": "n", "expression": "true"}],
            "namespaceSelector": {**selector, "matchExpressions": [own, *selector["matchExpressions"]]},
        }
    ]


def test_the_configuration_of_a_group_in_a_namespace() -> None:
    obj = policy("AdmissionPolicyGroup")
    applied = decide(seen(obj)).applied
    assert applied is not None and applied["metadata"]["name"] == unique_name(obj)
    assert applied["metadata"]["annotations"]["kubewardenPolicyGroup"] == "true"
    [webhook] = applied["webhooks"]
    assert webhook["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "ns"}}
