"""What `decide` promises, in a model cluster: plans are carried out, Pods come and go, until all is quiet."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.controllers.support import thorough

from kajitori.apimachinery.frozen import freeze, thaw
from kajitori.apimachinery.kind import JsonObject
from kajitori.controllers.statefulset import seen as plans
from kajitori.controllers.statefulset.decide import decide
from kajitori.controllers.statefulset.template import ordinal_of

STEPS_MAX = 300
REVISION = "controller-revision-hash"


class Model:
    """One StatefulSet and what belongs to it, with nobody else about."""

    def __init__(self, spec: JsonObject) -> None:
        self.set: JsonObject = {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": "web", "namespace": "default", "uid": "set", "generation": 1},
            "spec": spec,
        }
        self.pods: dict[str, JsonObject] = {}
        self.claims: dict[str, JsonObject] = {}
        self.revisions: dict[str, JsonObject] = {}
        self.made = 0

    # What the controller sees and does.

    def seen(self) -> plans.SetSeen:
        def frozen(values: dict[str, JsonObject]) -> list[Any]:
            return [freeze(copy.deepcopy(each)) for each in values.values()]

        return plans.SetSeen(
            freeze(copy.deepcopy(self.set)),
            tuple(frozen(self.pods)),
            tuple(frozen(self.revisions)),
            {each.name: each for each in frozen(self.claims)},
            now=1_800_000_000.0,
        )

    def step(self) -> bool:
        """One reconcile, with all that must hold of its plan. Whether it did anything."""
        seen = self.seen()
        plan = decide(seen)
        check(self, seen, plan)
        for action in plan.actions:
            self.act(action)
        return bool(plan.actions)

    def born(self, value: JsonObject, api_version: str, kind: str) -> JsonObject:
        self.made += 1
        value = thaw(value)
        value["metadata"]["uid"] = f"uid-{self.made}"
        value["metadata"]["creationTimestamp"] = f"2026-01-01T00:00:{self.made % 60:02}Z"
        return {**value, "apiVersion": api_version, "kind": kind}

    def act(self, action: plans.Action) -> None:
        match action:
            case plans.CreateRevision(revision):
                assert revision["metadata"]["name"] not in self.revisions
                self.revisions[revision["metadata"]["name"]] = self.born(
                    revision, "apps/v1", "ControllerRevision"
                )
            case plans.UpdateRevision(revision, number):
                self.revisions[revision.name]["revision"] = number
            case plans.DeleteRevision(revision):
                del self.revisions[revision.name]
            case plans.AdoptRevision(revision):
                self.own(self.revisions[revision.name])
            case plans.AdoptPod(pod):
                self.own(self.pods[pod.name])
            case plans.ReleasePod(pod):
                self.pods[pod.name]["metadata"]["ownerReferences"] = []
            case plans.CreatePod(pod):
                assert pod["metadata"]["name"] not in self.pods
                for name in claimed(pod):
                    assert name in self.claims, "a Pod without its claim"
                made = self.born(pod, "v1", "Pod")
                self.pods[pod["metadata"]["name"]] = {**made, "status": {"phase": "Pending"}}
            case plans.UpdatePod(pod):
                self.pods[pod["metadata"]["name"]] = thaw(pod)
            case plans.DeletePod(pod):
                self.pods[pod.name]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            case plans.CreateClaim(claim, _):
                assert claim["metadata"]["name"] not in self.claims
                made = self.born(claim, "v1", "PersistentVolumeClaim")
                self.claims[claim["metadata"]["name"]] = made
            case plans.UpdateClaimOwners(claim, owners):
                self.claims[claim.name]["metadata"]["ownerReferences"] = thaw(owners)
            case plans.UpdateStatus(status):
                self.set["status"] = thaw(status)

    def own(self, value: JsonObject) -> None:
        reference = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": "set"}
        value["metadata"]["ownerReferences"] = [{**reference, "controller": True, "blockOwnerDeletion": True}]

    # What everybody else does.

    def collect_garbage(self) -> None:
        uids = {"set", "somebody", *(each["metadata"]["uid"] for each in self.pods.values())}
        for name, claim in list(self.claims.items()):
            owners = claim["metadata"].get("ownerReferences")
            if owners and not any(each["uid"] in uids for each in owners):
                del self.claims[name]

    def pod_at(self, position: int) -> str | None:
        names = sorted(self.pods)
        return names[position % len(names)] if names else None

    def report(self, name: str, phase: str, ready: bool) -> None:
        pod = self.pods[name]
        if pod["status"]["phase"] in ("Failed", "Succeeded"):
            return
        pod["status"] = {
            "phase": phase,
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True" if ready else "False",
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                }
            ],
        }

    def remove(self, name: str) -> None:
        if "deletionTimestamp" in self.pods[name]["metadata"]:
            del self.pods[name]
            self.collect_garbage()

    def settle(self) -> None:
        """The node does its work, and the controller its own, until nothing is left to do."""
        for _ in range(STEPS_MAX):
            for name in list(self.pods):
                if "deletionTimestamp" in self.pods[name]["metadata"]:
                    self.remove(name)
                else:
                    self.report(name, "Running", True)
            if not self.step() and not any(
                "deletionTimestamp" in each["metadata"] for each in self.pods.values()
            ):
                return
        raise AssertionError(f"not quiet after {STEPS_MAX} steps: {decide(self.seen()).actions}")


def claimed(pod: Any) -> list[str]:
    volumes = pod["spec"].get("volumes") or ()
    return [each["persistentVolumeClaim"]["claimName"] for each in volumes if "persistentVolumeClaim" in each]


def in_service(pod: Any) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]


def check(model: Model, seen: plans.SetSeen, plan: plans.Plan) -> None:
    """Every invariant that speaks of one plan."""
    if seen.set.being_deleted:  # I6
        assert all(isinstance(each, plans.UpdateStatus) for each in plan.actions), plan
        return
    spec = model.set["spec"]
    start = (spec.get("ordinals") or {}).get("start", 0)
    wanted = range(start, start + spec["replicas"])
    partition = (spec["updateStrategy"].get("rollingUpdate") or {}).get("partition", 0)
    standing = {ordinal_of("web", name): pod for name, pod in model.pods.items()}
    update = next((each for each in plan.actions if isinstance(each, plans.CreateRevision)), None)
    if update is not None:
        revision = update.revision["metadata"]["name"]
    else:
        data = {"$patch": "replace", **spec["template"]}
        revision = [
            name
            for name, each in sorted(model.revisions.items(), key=lambda pair: pair[1]["revision"])
            if each["data"]["spec"]["template"] == data
        ][-1]
    made = [each.pod for each in plan.actions if isinstance(each, plans.CreatePod)]
    deleted = [each.pod for each in plan.actions if isinstance(each, plans.DeletePod)]
    for each in plan.actions:  # I1
        if isinstance(each, plans.UpdateClaimOwners):
            others = [owner for owner in each.claim.owner_references if owner["uid"] == "somebody"]
            assert [owner for owner in each.owners if owner["uid"] == "somebody"] == others
    updated = 0
    for pod in deleted:
        ordinal = ordinal_of("web", pod.name)
        assert ordinal is not None and "deletionTimestamp" not in pod["metadata"]
        assert not (in_service(pod) and ordinal in wanted and pod.labels.get(REVISION) == revision), (
            plan
        )  # I2
        if ordinal in wanted and pod["status"]["phase"] not in ("Failed", "Succeeded"):  # I4
            updated += 1
            assert spec["updateStrategy"]["type"] == "RollingUpdate"
            assert ordinal >= start + partition
            for above in range(ordinal + 1, wanted.stop):
                assert (
                    in_service(standing[above])
                    and standing[above]["metadata"]["labels"][REVISION] == revision
                )
    assert updated <= 1
    if spec["podManagementPolicy"] == "OrderedReady":  # I3
        assert len(made) + len(deleted) <= 1
        for new in made:
            ordinal = ordinal_of("web", new["metadata"]["name"])
            assert ordinal is not None
            assert all(lower in standing and in_service(standing[lower]) for lower in range(start, ordinal))
    for new in made:
        assert ordinal_of("web", new["metadata"]["name"]) in wanted


retention = st.fixed_dictionaries(
    {
        "whenScaled": st.sampled_from(["Retain", "Delete"]),
        "whenDeleted": st.sampled_from(["Retain", "Delete"]),
    }
)
specs = st.fixed_dictionaries(
    {
        "replicas": st.integers(0, 4),
        "ordinals": st.fixed_dictionaries({"start": st.integers(0, 2)}),
        "podManagementPolicy": st.sampled_from(["OrderedReady", "Parallel"]),
        "persistentVolumeClaimRetentionPolicy": retention,
        "revisionHistoryLimit": st.integers(0, 2),
        "updateStrategy": st.just({"type": "OnDelete"})
        | st.integers(0, 4).map(lambda low: {"type": "RollingUpdate", "rollingUpdate": {"partition": low}}),
        "volumeClaimTemplates": st.integers(0, 2).map(
            lambda many: [{"metadata": {"name": f"v{number}"}, "spec": {}} for number in range(many)]
        ),
    }
)
positions = st.integers(0, 9)
events = st.lists(
    st.one_of(
        st.tuples(st.just("step"), st.none()),
        st.tuples(st.just("ready"), positions),
        st.tuples(st.just("unready"), positions),
        st.tuples(st.just("fail"), positions),
        st.tuples(st.just("delete"), positions),
        st.tuples(st.just("remove"), positions),
        st.tuples(st.just("orphan"), positions),
        st.tuples(st.just("relabel"), positions),
        st.tuples(st.just("image"), st.sampled_from("abc")),
        st.tuples(st.just("replicas"), st.integers(0, 4)),
        st.tuples(st.just("retention"), retention),
    ),
    max_size=40,
)


def play(spec: JsonObject, happened: list[tuple[str, Any]]) -> Model:
    model = Model(
        {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"image": "a"}},
            **copy.deepcopy(spec),
        }
    )
    for what, value in happened:
        name = model.pod_at(value) if isinstance(value, int) else None
        if what == "step":
            model.step()
        elif what == "image":
            model.set["spec"]["template"]["spec"]["image"] = value
        elif what == "replicas":
            model.set["spec"]["replicas"] = value
        elif what == "retention":
            model.set["spec"]["persistentVolumeClaimRetentionPolicy"] = value
        elif name is None:
            continue
        elif what in ("ready", "unready"):
            model.report(name, "Running", what == "ready")
        elif what == "fail":
            model.report(name, "Failed", False)
        elif what == "delete":
            model.pods[name]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        elif what == "remove":
            model.remove(name)
        elif what == "orphan":
            model.pods[name]["metadata"]["ownerReferences"] = []
        elif what == "relabel":
            del model.pods[name]["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"]
            model.pods[name]["metadata"]["labels"].setdefault("statefulset.kubernetes.io/pod-name", "lost")
    return model


@thorough(200)
@given(specs, events)
def test_whatever_happens_the_set_becomes_what_was_asked_for(
    spec: JsonObject, happened: list[tuple[str, Any]]
) -> None:
    model = play(spec, happened)
    model.settle()
    now = model.set["spec"]
    start = now["ordinals"]["start"]
    ordinals = range(start, start + now["replicas"])
    assert sorted(model.pods) == sorted(f"web-{ordinal}" for ordinal in ordinals)
    assert decide(model.seen()).actions == ()  # I5
    status = model.set["status"]
    for ordinal in ordinals:
        pod = model.pods[f"web-{ordinal}"]
        assert in_service(pod)
        assert pod["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] == f"web-{ordinal}"
        assert all(name in model.claims for name in claimed(pod))
        strategy = now["updateStrategy"]
        if strategy["type"] == "RollingUpdate" and ordinal >= start + strategy["rollingUpdate"]["partition"]:
            assert pod["metadata"]["labels"][REVISION] == status["updateRevision"]
            assert pod["spec"]["image"] == now["template"]["spec"]["image"]
    assert status["replicas"] == status["availableReplicas"] == now["replicas"]
    used = {each["metadata"]["labels"].get(REVISION) for each in model.pods.values()}
    used |= {status["currentRevision"], status["updateRevision"]}
    assert len(model.revisions.keys() - used) <= now["revisionHistoryLimit"]
    check_claims(model, ordinals)


def check_claims(model: Model, ordinals: range) -> None:
    """Each claim of a Pod that is there belongs to whom the policy says."""
    policy = model.set["spec"]["persistentVolumeClaimRetentionPolicy"]
    for ordinal in ordinals:
        for name in claimed(model.pods[f"web-{ordinal}"]):
            owners = model.claims[name]["metadata"].get("ownerReferences") or []
            wanted = ["set"] if policy["whenDeleted"] == "Delete" else []
            assert [each["uid"] for each in owners] == wanted


@thorough(60)
@given(specs, events)
def test_a_set_that_is_being_deleted_only_tells_how_it_is(
    spec: JsonObject, happened: list[tuple[str, Any]]
) -> None:  # I6
    model = play(spec, happened)
    model.set["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    before = copy.deepcopy((model.pods, model.claims, model.revisions))
    for _ in range(3):
        model.step()
    assert not model.step()
    assert (model.pods, model.claims, model.revisions) == before


@thorough(60)
@given(specs, events)
def test_references_of_others_to_claims_are_kept(
    spec: JsonObject, happened: list[tuple[str, Any]]
) -> None:  # I1, C1
    model = play(spec, happened)
    foreign = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "somebody"}
    for claim in model.claims.values():
        claim["metadata"].setdefault("ownerReferences", []).append(foreign)
    names = set(model.claims)
    model.settle()
    for name in names & model.claims.keys():
        assert foreign in model.claims[name]["metadata"]["ownerReferences"]


def test_a_claim_of_another_controller_gets_no_owner() -> None:  # C2
    policy = {"whenScaled": "Delete", "whenDeleted": "Delete"}
    spec = {
        "replicas": 1,
        "podManagementPolicy": "Parallel",
        "updateStrategy": {"type": "OnDelete"},
        "persistentVolumeClaimRetentionPolicy": policy,
        "volumeClaimTemplates": [{"metadata": {"name": "v"}, "spec": {}}],
        "ordinals": {"start": 0},
    }
    model = play(spec, [])
    model.settle()
    claim = model.claims["v-web-0"]["metadata"]
    assert [each["uid"] for each in claim["ownerReferences"]] == ["set"]
    other = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "somebody", "controller": True}
    claim["ownerReferences"] = [other, *({**each, "controller": False} for each in claim["ownerReferences"])]
    model.settle()
    assert model.claims["v-web-0"]["metadata"]["ownerReferences"] == [other]


def test_a_claim_of_an_earlier_set_is_left_to_the_garbage_collector() -> None:  # C3
    spec = {
        "replicas": 1,
        "podManagementPolicy": "Parallel",
        "updateStrategy": {"type": "OnDelete"},
        "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Retain", "whenDeleted": "Delete"},
        "volumeClaimTemplates": [{"metadata": {"name": "v"}, "spec": {}}],
        "ordinals": {"start": 0},
    }
    model = play(spec, [])
    model.settle()
    earlier = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "name": "web",
        "uid": "earlier",
        "controller": True,
    }
    model.claims["v-web-0"]["metadata"]["ownerReferences"] = [earlier]
    assert not model.step()
