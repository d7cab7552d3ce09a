"""The decision about a MySQLCluster: its invariants over made-up worlds, and named cases."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.operators.mysql.support import (
    NAMESPACE_NAME,
    World,
    claim_template,
    job_config,
    new_world,
    storage_class,
)

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.mysql_v1beta2.names import (
    ANNOTATION_RECONCILIATION_STOPPED,
    FINALIZER,
)
from kajitori.operators.mysql.decide import decide
from kajitori.operators.mysql.objects.secrets import PASSWORD_KEYS, passwords_of
from kajitori.operators.mysql.plan import (
    Apply,
    Create,
    Delete,
    GrowClaim,
    Plan,
    RecreateStatefulSet,
    ReplaceClaim,
    State,
)
from kajitori.operators.mysql.seen import (
    CONFIG_MAP,
    CRON_JOB,
    DISRUPTION_BUDGET,
    POD,
    SECRET,
    STATEFUL_SET,
    VOLUME_CLAIM,
)
from kajitori.operators.mysql.settings import Settings

thorough = settings(deadline=None, max_examples=80)

SIZES = ("512Mi", "1Gi", "1024Mi", "2Gi", "3Gi")


@st.composite
def specs(draw: st.DrawFn) -> JsonObject:
    """Valid specs of all sorts."""
    spec: JsonObject = {
        "replicas": draw(st.sampled_from((1, 3, 5))),
        "offline": draw(st.booleans()),
        "disableSlowQueryLogContainer": draw(st.booleans()),
        "collectors": draw(st.sampled_from(([], ["engine_innodb_status"]))),
        "volumeClaimTemplates": [claim_template(storage=draw(st.sampled_from(SIZES)))],
    }
    if draw(st.booleans()):
        spec["volumeClaimTemplates"].append(claim_template("extra", draw(st.sampled_from(SIZES))))
    if draw(st.booleans()):
        spec["backupPolicyName"] = "daily"
    if draw(st.booleans()):
        spec["mysqlConfigMapName"] = "mycnf"
    if draw(st.booleans()):
        labels = {"team": "db"}
        spec["primaryServiceTemplate"] = {"metadata": {"labels": labels}, "spec": {"type": "LoadBalancer"}}
    return spec


def _dress(world: World, draw: Any) -> None:
    """Puts around the cluster what may or may not be there."""
    if draw(st.booleans()):
        config = {
            "metadata": {"name": "mycnf", "namespace": NAMESPACE_NAME},
            "data": {"long_query_time": "0"},
        }
        world.put({"apiVersion": "v1", "kind": "ConfigMap", **config})
    if draw(st.booleans()):
        spec = {"schedule": "0 * * * *", "jobConfig": job_config()}
        world.put(
            {"kind": "BackupPolicy", "metadata": {"name": "daily", "namespace": NAMESPACE_NAME}, "spec": spec}
        )
    for name, expands in draw(
        st.sampled_from(((), (("fast", True),), (("slow", False),), (("slow", None),)))
    ):
        world.put(storage_class(name, expands=expands))
    world.serves_certificates = draw(st.booleans())


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Worlds in the midst of their stories: some settled, some bound, some edited since, some half torn
    down."""
    world = new_world(draw(specs()))
    _dress(world, draw)
    for _ in range(draw(st.integers(0, 3))):
        world.round()
        if draw(st.booleans()):
            world.run_statefulset_controller()
    for claim in world.all(VOLUME_CLAIM):
        if draw(st.booleans()):
            world.bind(claim, draw(st.sampled_from(("fast", "slow", None))))
    for pod in world.all(POD):
        if draw(st.booleans()):
            pod["spec"]["nodeName"] = "n1"
    if draw(st.booleans()):
        world.edit(**draw(specs()))
    for key in sorted(world.objects):
        if key.kind in ("Secret", "Service", "ConfigMap", "StatefulSet") and draw(st.integers(0, 9)) == 0:
            del world.objects[key]
    return world


def _applied(plan: Plan, kind: str) -> list[JsonObject]:
    return [
        each.obj
        for each in plan.actions
        if isinstance(each, Apply | Create | RecreateStatefulSet | ReplaceClaim) and each.kind.kind == kind
    ]


@thorough
@given(worlds())
def test_a_plan_carried_out_leaves_nothing_to_do(world: World) -> None:  # I1
    world.round()
    for _ in range(3):  # claims that were waited for, finalizers: what needs a second look
        plan = world.round()
    assert plan.actions == ()
    assert plan.status is None, plan.status
    assert plan.state in (State.SETTLED, State.BLOCKED)


@thorough
@given(worlds())
def test_deciding_changes_nothing_and_repeats_itself(world: World) -> None:
    before = copy.deepcopy(world.objects)
    seen = world.seen()
    assert decide(seen) == decide(seen)
    assert world.objects == before


@thorough
@given(worlds())
def test_no_pod_is_deleted(world: World) -> None:  # I3
    assert all(each.kind != POD for each in decide(world.seen()).actions)


@thorough
@given(worlds())
def test_only_claims_without_a_volume_are_deleted(world: World) -> None:  # I11
    users = {
        volume["persistentVolumeClaim"]["claimName"]
        for pod in world.all(POD)
        if pod["spec"].get("nodeName")
        for volume in pod["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    }
    for action in decide(world.seen()).actions:
        assert not (isinstance(action, Delete) and action.kind == VOLUME_CLAIM)
        if isinstance(action, ReplaceClaim):
            name = action.obj["metadata"]["name"]
            claim = world.get(VOLUME_CLAIM, name)
            assert claim is not None and claim["status"]["phase"] == "Pending"
            assert not claim["spec"].get("volumeName")
            assert name not in users


@thorough
@given(worlds())
def test_growing_is_all_or_nothing(world: World) -> None:  # I12
    plan = decide(world.seen())
    if any(each.reason == "VolumeExpansionForbidden" for each in plan.problems):
        assert not any(
            isinstance(each, GrowClaim | ReplaceClaim | RecreateStatefulSet) for each in plan.actions
        )
        sts = world.get(STATEFUL_SET, "moco-default")
        for obj in _applied(plan, "StatefulSet"):
            if sts is not None:
                assert obj["spec"]["volumeClaimTemplates"] == sts["spec"]["volumeClaimTemplates"]


@thorough
@given(worlds())
def test_replicas_are_never_lowered(world: World) -> None:  # I4
    sts = world.get(STATEFUL_SET, "moco-default")
    offline = world.cluster()["spec"].get("offline")
    for obj in _applied(decide(world.seen()), "StatefulSet"):
        if sts is not None and not offline:
            assert obj["spec"]["replicas"] >= sts["spec"]["replicas"]


@thorough
@given(worlds())
def test_passwords_never_change_while_a_copy_exists(world: World) -> None:  # I5
    known = [
        passwords
        for name, namespace in (("mysql-foo.default", "kajitori-system"), ("moco-default", "foo"))
        if (passwords := passwords_of(world.get(SECRET, name, namespace)))
    ]
    for obj in _applied(decide(world.seen()), "Secret"):
        passwords = passwords_of(obj)
        if passwords and known:
            assert passwords == known[0]


@thorough
@given(worlds())
def test_claims_belong_to_nobody(world: World) -> None:  # I6
    plan = decide(world.seen())
    for obj in _applied(plan, "PersistentVolumeClaim"):
        assert "ownerReferences" not in obj["metadata"]
    for obj in _applied(plan, "StatefulSet"):
        for template in obj["spec"]["volumeClaimTemplates"]:
            assert "ownerReferences" not in template["metadata"]


@thorough
@given(worlds())
def test_config_maps_in_use_stay(world: World) -> None:  # I8
    used = {
        volume["configMap"]["name"]
        for pod in world.all(POD)
        for volume in pod["spec"]["volumes"]
        if "configMap" in volume
    }
    for action in decide(world.seen()).actions:
        if isinstance(action, Delete):
            assert action.name not in used


@thorough
@given(worlds())
def test_the_statefulset_comes_after_what_its_pods_mount(world: World) -> None:  # I10
    names = [f"{type(each).__name__} {each.kind.kind}" for each in decide(world.seen()).actions]
    positions = {name: index for index, name in enumerate(names)}
    sts = positions.get("Apply StatefulSet", positions.get("RecreateStatefulSet StatefulSet", len(names)))
    for needed in ("Apply Secret", "Create Secret", "Create Namespace", "Apply ServiceAccount"):
        assert positions.get(needed, -1) < sts


# Named cases.


def _reasons(plan: Plan) -> list[str]:
    return [each.reason for each in plan.problems]


def _events(plans: list[Plan]) -> list[str]:
    return [
        event.reason
        for plan in plans
        for event in (*plan.events, *(each.event for each in plan.actions))
        if event is not None
    ]


def test_the_example_becomes_all_its_objects() -> None:
    world = new_world()
    world.settle()
    names = {f"{key.kind} {key.namespace}/{key.name.split('.')[0]}" for key in world.objects}
    assert names >= {
        "Namespace /kajitori-system",
        "Secret kajitori-system/mysql-foo",
        "Secret foo/moco-default",
        "Secret foo/moco-my-cnf-default",
        "ConfigMap foo/moco-default",
        "ConfigMap foo/moco-slow-log-agent-config-default",
        "ServiceAccount foo/moco-default",
        "Service foo/moco-default",
        "Service foo/moco-default-primary",
        "Service foo/moco-default-replica",
        "StatefulSet foo/moco-default",
        "PersistentVolumeClaim foo/mysql-data-moco-default-0",
    }
    assert world.get(DISRUPTION_BUDGET, "moco-default") is None


def test_growing_an_unbound_volume_replaces_the_claim_and_keeps_the_pods() -> None:
    """The first session of every user: no storage yet, Pods pending, `1Gi` edited to `2Gi`."""
    world = new_world()
    world.settle()
    pods = {each["metadata"]["uid"] for each in world.all(POD)}
    sts = world.get(STATEFUL_SET, "moco-default")
    assert sts is not None
    world.edit(volumeClaimTemplates=[claim_template(storage="2Gi")])
    plans = world.settle()
    (claim,) = world.all(VOLUME_CLAIM)
    assert claim["spec"]["resources"]["requests"]["storage"] == "2Gi"
    grown = world.get(STATEFUL_SET, "moco-default")
    assert grown is not None and grown["metadata"]["uid"] != sts["metadata"]["uid"]
    assert {each["metadata"]["uid"] for each in world.all(POD)} == pods
    assert _events(plans) == ["StatefulSetRecreated", "VolumeGrown"]


def test_growing_a_bound_volume_patches_the_claim_first() -> None:
    world = new_world({"replicas": 3})
    world.put(storage_class("fast", expands=True))
    world.settle()
    for claim in world.all(VOLUME_CLAIM):
        world.bind(claim, "fast")
    uids = {each["metadata"]["uid"] for each in world.all(VOLUME_CLAIM)}
    world.edit(volumeClaimTemplates=[claim_template(storage="2Gi")])
    plan = decide(world.seen())
    kinds = [type(each).__name__ for each in plan.actions]
    assert kinds == ["GrowClaim", "GrowClaim", "GrowClaim", "RecreateStatefulSet"]
    world.settle()
    assert {each["metadata"]["uid"] for each in world.all(VOLUME_CLAIM)} == uids
    assert {each["spec"]["resources"]["requests"]["storage"] for each in world.all(VOLUME_CLAIM)} == {"2Gi"}


def test_a_storage_class_that_forbids_growing_changes_nothing() -> None:
    world = new_world({"replicas": 3})
    world.put(storage_class("fast", expands=True))
    world.put(storage_class("slow", expands=False))
    world.settle()
    for claim, name in zip(world.all(VOLUME_CLAIM), ("fast", "slow", "fast"), strict=True):
        world.bind(claim, name)
    world.edit(volumeClaimTemplates=[claim_template(storage="2Gi")])
    plan = world.round()
    assert plan.state is State.BLOCKED and _reasons(plan) == ["VolumeExpansionForbidden"]
    assert 'StorageClass "slow" does not allow expansion' in plan.reason
    assert [each.reason for each in plan.events] == ["VolumeExpansionForbidden"]
    assert plan.actions == ()
    assert world.round().events == ()  # told once
    assert {each["spec"]["resources"]["requests"]["storage"] for each in world.all(VOLUME_CLAIM)} == {"1Gi"}


def test_other_changes_are_still_applied_while_growing_is_forbidden() -> None:
    world = new_world()
    world.settle()
    world.bind(world.all(VOLUME_CLAIM)[0], None)
    world.edit(volumeClaimTemplates=[claim_template(storage="2Gi")], collectors=["engine_innodb_status"])
    world.settle()
    sts = world.get(STATEFUL_SET, "moco-default")
    assert sts is not None
    names = [each["name"] for each in sts["spec"]["template"]["spec"]["containers"]]
    assert "mysqld-exporter" in names


def test_shrinking_changes_the_templates_and_leaves_the_claims() -> None:  # I13
    world = new_world({"volumeClaimTemplates": [claim_template(storage="2Gi")]})
    world.settle()
    world.edit(volumeClaimTemplates=[claim_template(storage="1Gi")])
    plans = world.settle()
    assert [type(each).__name__ for each in plans[0].actions] == ["RecreateStatefulSet"]
    assert world.all(VOLUME_CLAIM)[0]["spec"]["resources"]["requests"]["storage"] == "2Gi"


@pytest.mark.parametrize("storage", ["1Gi", "1024Mi", "1073741824"])
def test_the_same_amount_in_other_words_recreates_nothing(storage: str) -> None:  # I14
    world = new_world()
    world.settle()
    world.edit(volumeClaimTemplates=[claim_template(storage=storage)])
    assert not any(isinstance(each, RecreateStatefulSet) for each in decide(world.seen()).actions)


def test_a_statefulset_made_by_another_operator_is_not_recreated() -> None:  # I14
    """MOCO's own has owner references in its templates."""
    world = new_world()
    world.settle()
    sts = world.get(STATEFUL_SET, "moco-default")
    assert sts is not None
    sts["spec"]["volumeClaimTemplates"][0]["metadata"]["ownerReferences"] = [{"uid": "cluster-uid"}]
    sts["metadata"]["managedFields"] = []
    plan = decide(world.seen())
    assert [type(each).__name__ for each in plan.actions] == ["Apply"]
    world.settle()


def test_an_interrupted_recreation_is_finished() -> None:
    world = new_world()
    world.settle()
    world.edit(volumeClaimTemplates=[claim_template(storage="2Gi")])
    sts = world.get(STATEFUL_SET, "moco-default")
    assert sts is not None
    sts["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    plan = decide(world.seen())
    assert plan.requeue_after_seconds > 0
    assert not _applied(plan, "StatefulSet") and not any(isinstance(e, ReplaceClaim) for e in plan.actions)
    del world.objects[world._key(sts)]
    plans = world.settle()
    assert _events(plans) == ["StatefulSetRecreated", "VolumeGrown"]
    assert world.all(VOLUME_CLAIM)[0]["spec"]["resources"]["requests"]["storage"] == "2Gi"


def test_a_claim_lost_between_deleting_and_creating_is_made_again() -> None:
    world = new_world()
    world.settle()
    (claim,) = world.all(VOLUME_CLAIM)
    del world.objects[world._key(claim)]
    plan = decide(world.seen())
    (made,) = _applied(plan, "PersistentVolumeClaim")
    assert made["metadata"]["name"] == "mysql-data-moco-default-0"


@pytest.mark.parametrize(
    "annotation", ["volume.kubernetes.io/selected-node", "volume.kubernetes.io/storage-provisioner"]
)
def test_a_claim_that_is_being_provisioned_waits_until_it_is_bound(annotation: str) -> None:
    world = new_world()
    world.settle()
    (claim,) = world.all(VOLUME_CLAIM)
    claim["metadata"]["annotations"] = {annotation: "x"}
    world.edit(volumeClaimTemplates=[claim_template(storage="2Gi")])
    world.put(storage_class("fast", expands=True))
    plan = world.round()
    assert not any(isinstance(each, ReplaceClaim) for each in plan.actions)
    world.bind(claim, "fast")
    assert [type(each).__name__ for each in world.round().actions] == ["GrowClaim"]


def test_a_claim_whose_pod_has_a_node_waits_until_it_is_bound() -> None:  # I11
    """The scheduler has chosen: the kubelet may be about to mount what is being bound."""
    world = new_world()
    world.settle()
    world.all(POD)[0]["spec"]["nodeName"] = "n1"
    world.edit(volumeClaimTemplates=[claim_template(storage="2Gi")])
    assert not any(isinstance(each, ReplaceClaim) for each in world.round().actions)


def test_a_claim_that_a_volume_names_is_not_replaced() -> None:  # I11
    world = new_world()
    world.settle()
    (claim,) = world.all(VOLUME_CLAIM)
    world.bind(claim, "fast")
    claim["status"], claim["spec"]["volumeName"] = {"phase": "Pending"}, ""  # binding has only begun
    world.edit(volumeClaimTemplates=[claim_template(storage="2Gi")])
    assert not any(isinstance(each, ReplaceClaim) for each in world.round().actions)


def test_a_lost_claim_is_left_alone() -> None:  # I11
    world = new_world()
    world.settle()
    (claim,) = world.all(VOLUME_CLAIM)
    claim["status"] = {"phase": "Lost"}
    world.edit(volumeClaimTemplates=[claim_template(storage="2Gi")])
    assert not any(isinstance(each, ReplaceClaim | GrowClaim) for each in world.round().actions)


def test_stopped_means_stopped() -> None:  # I2
    world = new_world(annotations={ANNOTATION_RECONCILIATION_STOPPED: "true"})
    plan = world.round()
    assert plan.state is State.STOPPED and plan.actions == ()
    conditions = {each["type"]: each["status"] for each in world.cluster()["status"]["conditions"]}
    assert conditions["ReconciliationActive"] == "False"
    assert world.round().status is None


def test_an_invalid_cluster_is_reported_and_left_alone() -> None:  # I2
    world = new_world({"replicas": 2})
    plan = world.round()
    assert plan.state is State.INVALID and plan.actions == ()
    assert [event.reason for event in plan.events] == ["InvalidSpec"]
    assert "spec.replicas" in plan.reason
    assert world.round().events == ()


@pytest.mark.parametrize("spec", [{"replicas": "three"}, {"podTemplate": None}, {"volumeClaimTemplates": {}}])
def test_a_cluster_of_another_shape_is_reported_too(spec: JsonObject) -> None:
    plan = new_world(spec).round()
    assert plan.state is State.INVALID and plan.reason.startswith("spec: ")


def test_a_policy_of_another_shape_is_reported() -> None:
    world = new_world({"backupPolicyName": "daily"})
    world.put({"kind": "BackupPolicy", "metadata": {"name": "daily", "namespace": "foo"}, "spec": {}})
    assert _reasons(world.round()) == ["InvalidBackupPolicy"]


def test_a_cluster_without_our_admission_gets_finalizer_and_server_ids_first() -> None:
    world = new_world({"serverIDBase": 0}, finalizers=[])
    plan = world.round()
    assert plan.state is State.ADOPTING
    assert FINALIZER in world.cluster()["metadata"]["finalizers"]
    assert world.cluster()["spec"]["serverIDBase"] > 0
    assert world.round().state is State.CONVERGING


def test_a_deleted_cluster_takes_along_what_lies_outside_its_namespace() -> None:
    world = new_world()
    world.serves_certificates = True
    world.settle()
    world.cluster()["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    plan = world.round()
    assert plan.state is State.DELETING
    assert not [key for key in world.objects if key.namespace == "kajitori-system"]
    assert ("MySQLCluster", "default") not in {(key.kind, key.name) for key in world.objects}
    assert world.all(VOLUME_CLAIM)


def test_a_missing_config_map_holds_up_the_statefulset_only() -> None:
    world = new_world({"mysqlConfigMapName": "mycnf"})
    plan = world.round()
    assert _reasons(plan) == ["ConfigMapNotFound"]
    assert _applied(plan, "Service") and not _applied(plan, "StatefulSet")
    config = {"name": "mycnf", "namespace": NAMESPACE_NAME}
    world.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": config, "data": {"max_connections": "5"}})
    assert _applied(world.round(), "StatefulSet")


def test_a_new_option_is_a_new_config_map_and_a_new_template() -> None:
    world = new_world({"mysqlConfigMapName": "mycnf"})
    config = {"name": "mycnf", "namespace": NAMESPACE_NAME}
    user = world.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": config, "data": {}})
    world.settle()
    user["data"] = {"long_query_time": "0"}
    plan = world.round()
    (config_map,) = _applied(plan, "ConfigMap")
    (sts,) = _applied(plan, "StatefulSet")
    mounted = {
        each["configMap"]["name"]
        for each in sts["spec"]["template"]["spec"]["volumes"]
        if "configMap" in each
    }
    assert config_map["metadata"]["name"] in mounted


def test_old_config_maps_are_kept_up_to_the_limit() -> None:
    world = new_world({"mysqlConfigMapName": "mycnf"})
    world.settings = Settings(config_map_history_max=3)
    config = {"name": "mycnf", "namespace": NAMESPACE_NAME}
    user = world.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": config, "data": {}})
    for number in range(6):
        user["data"] = {"long_query_time": str(number)}
        world.settle()
        for pod in world.all(POD):  # rolled
            del world.objects[world._key(pod)]
    generated = [
        each for each in world.all(CONFIG_MAP) if each["metadata"]["name"].startswith("moco-default.")
    ]
    assert len(generated) == 3


def test_config_maps_of_a_cluster_with_a_similar_name_are_left_alone() -> None:
    world = new_world()
    world.settings = Settings(config_map_history_max=1)
    other = {
        "name": "moco-default.staging.0011aabb",
        "namespace": NAMESPACE_NAME,
        "ownerReferences": [
            {"uid": "other", "controller": True, "kind": "MySQLCluster", "name": "default.staging"}
        ],
    }
    world.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": other, "data": {}})
    world.settle()
    assert world.get(CONFIG_MAP, "moco-default.staging.0011aabb") is not None


def test_an_object_of_somebody_else_is_not_taken_over() -> None:  # I7
    world = new_world()
    owner = {"apiVersion": "v1", "kind": "Other", "name": "x", "uid": "theirs", "controller": True}
    metadata = {"name": "moco-default-primary", "namespace": NAMESPACE_NAME, "ownerReferences": [owner]}
    world.put({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {}})
    plan = world.round()
    assert _reasons(plan) == ["NameTaken"]
    names = [obj["metadata"]["name"] for obj in _applied(plan, "Service")]
    assert names == ["moco-default", "moco-default-replica"]
    assert _applied(plan, "StatefulSet")


def test_a_lost_master_copy_is_restored_from_the_user_secret() -> None:  # I5
    world = new_world()
    world.settle()
    master = world.get(SECRET, "mysql-foo.default", "kajitori-system")
    assert master is not None
    passwords = passwords_of(master)
    del world.objects[world._key(master)]
    world.settle()
    assert passwords_of(world.get(SECRET, "mysql-foo.default", "kajitori-system")) == passwords


def test_a_truncated_master_copy_is_not_overwritten() -> None:
    world = new_world()
    world.settle()
    master = world.get(SECRET, "mysql-foo.default", "kajitori-system")
    assert master is not None
    del master["data"][PASSWORD_KEYS[0]]
    plan = world.round()
    assert _reasons(plan) == ["PasswordsUnreadable"] and plan.actions == ()


def test_a_changed_user_secret_is_put_back() -> None:
    world = new_world()
    world.settle()
    secret = world.get(SECRET, "moco-default", "foo")
    assert secret is not None
    passwords = passwords_of(secret)
    secret["data"][PASSWORD_KEYS[0]] = "AAAA"
    world.settle()
    assert passwords_of(world.get(SECRET, "moco-default", "foo")) == passwords


def test_replicas_lowered_without_admission_are_reported() -> None:  # I4
    world = new_world({"replicas": 3})
    world.settle()
    world.edit(replicas=1)
    plan = world.round()
    assert "ReplicasLowered" in _reasons(plan)
    sts = world.get(STATEFUL_SET, "moco-default")
    assert sts is not None and sts["spec"]["replicas"] == 3


def test_offline_stops_the_pods_and_keeps_the_data() -> None:
    world = new_world({"replicas": 3})
    world.settle()
    assert world.get(DISRUPTION_BUDGET, "moco-default") is not None
    world.edit(offline=True)
    world.settle()
    assert world.all(POD) == [] and len(world.all(VOLUME_CLAIM)) == 3
    assert world.get(DISRUPTION_BUDGET, "moco-default") is None
    world.edit(offline=False)
    world.settle()
    assert len(world.all(POD)) == 3


def test_no_disruption_while_a_backup_runs() -> None:
    world = new_world({"replicas": 3, "backupPolicyName": "daily"})
    spec = {"schedule": "@daily", "jobConfig": job_config()}
    world.put({"kind": "BackupPolicy", "metadata": {"name": "daily", "namespace": "foo"}, "spec": spec})
    world.settle()
    cron_job = world.get(CRON_JOB, "moco-backup-default")
    assert cron_job is not None
    cron_job["status"] = {"active": [{"name": "x"}]}
    (budget,) = _applied(world.round(), "PodDisruptionBudget")
    assert budget["spec"]["maxUnavailable"] == 0


def test_backup_objects_go_with_the_policy() -> None:
    world = new_world({"backupPolicyName": "daily"})
    assert "BackupPolicyNotFound" in _reasons(decide(world.seen()))
    spec = {"schedule": "@daily", "jobConfig": job_config()}
    world.put({"kind": "BackupPolicy", "metadata": {"name": "daily", "namespace": "foo"}, "spec": spec})
    world.settle()
    assert world.get(CRON_JOB, "moco-backup-default") is not None
    world.edit(backupPolicyName=None)
    world.settle()
    assert [key.kind for key in world.objects if key.name == "moco-backup-default"] == []


def test_a_restore_job_is_made_once_and_not_after_it_has_succeeded() -> None:
    restore = {
        "sourceName": "old",
        "sourceNamespace": "foo",
        "restorePoint": "2026-01-02T03:04:05+09:00",
        "jobConfig": job_config(),
    }
    world = new_world({"restore": restore})
    (job,) = _applied(decide(world.seen()), "Job")
    assert "20260101-180405" in job["spec"]["template"]["spec"]["containers"][0]["args"]
    world.settle()
    world.cluster()["status"]["restoredTime"] = "2026-01-03T00:00:00Z"
    for key in [key for key in world.objects if key.kind == "Job"]:
        del world.objects[key]
    assert _applied(world.round(), "Job") == []


def test_the_certificate_is_made_where_cert_manager_is_and_its_secret_copied() -> None:
    world = new_world()
    world.serves_certificates = True
    world.settle()
    certificate = {"name": "moco-agent-foo.default", "namespace": "kajitori-system"}
    world.put({"apiVersion": "v1", "kind": "Secret", "metadata": certificate, "data": {"tls.crt": "eA=="}})
    (copy_,) = _applied(world.round(), "Secret")
    assert copy_["metadata"]["name"] == "moco-default-grpc" and copy_["data"] == {"tls.crt": "eA=="}


def test_without_cert_manager_pods_start_without_a_certificate() -> None:
    world = new_world()
    world.settle()
    sts = world.get(STATEFUL_SET, "moco-default")
    assert sts is not None
    (volume,) = [each for each in sts["spec"]["template"]["spec"]["volumes"] if each["name"] == "grpc-cert"]
    assert volume["secret"]["optional"] is True


def test_a_new_operator_keeps_the_slow_log_container_until_the_user_edits() -> None:
    world = new_world()
    world.settle()
    images = Settings().images
    world.settings = Settings(images=type(images)(fluent_bit="example/fluent-bit:next"))
    assert decide(world.seen()).actions == ()
    world.edit(collectors=["engine_innodb_status"])
    (sts,) = _applied(world.round(), "StatefulSet")
    (slow_log,) = [e for e in sts["spec"]["template"]["spec"]["containers"] if e["name"] == "slow-log"]
    assert slow_log["image"] == "example/fluent-bit:next"


def test_the_status_claims_nothing_that_nobody_has_checked() -> None:
    world = new_world()
    world.settle()
    conditions = {each["type"]: each for each in world.cluster()["status"]["conditions"]}
    assert {name: each["status"] for name, each in conditions.items()} == {
        "Initialized": "Unknown",
        "Available": "Unknown",
        "Healthy": "Unknown",
        "ClusteringActive": "False",
        "StatefulSetReady": "False",
        "ReconcileSuccess": "True",
        "ReconciliationActive": "True",
    }
    assert world.cluster()["status"]["reconcileInfo"] == {"generation": 1, "reconcileVersion": 1}
