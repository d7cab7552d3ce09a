"""What a create and an update make of objects, and what may not change in them."""

from typing import Any

import pytest
from tests.apis.support import LATER, NOW, Road, texts

from kajitori.apimachinery.errors import BadRequest
from kajitori.apis.resources import resources
from kajitori.apis.strategies import Occasion, strategy_for

SELECTOR = {"matchLabels": {"app": "a"}}
TEMPLATE = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}


def test_every_stored_kind_has_a_strategy_that_prepares_its_zero() -> None:
    for info in resources():
        if info.stored and info.kind == info.storage_kind:
            road = Road(info.kind.group, info.kind.plural)
            obj = road.sent({})
            obj["metadata"]["name"] = "a"
            if info.kind.kind != "CustomResourceDefinition":
                road.strategy.prepare_for_create(obj, Occasion(NOW))
            assert isinstance(road.strategy.reset_fields("status"), tuple)


@pytest.mark.parametrize("plural", ["deployments", "replicasets", "statefulsets", "daemonsets"])
def test_a_generation_counts_changes_of_the_spec_only(plural: str) -> None:  # S3
    road = Road("apps", plural)
    body = {"spec": {"selector": SELECTOR, "template": TEMPLATE}, "status": {"observedGeneration": 9}}
    obj = road.create(body)
    assert obj["metadata"]["generation"] == 1
    assert "observedGeneration" not in obj["status"]
    labelled, errors = road.update(obj, lambda o: o["metadata"].update(labels={"x": "y"}))
    assert labelled["metadata"]["generation"] == 1 and not errors
    changed, errors = road.update(
        obj, lambda o: o["spec"]["template"]["spec"]["containers"][0].update(image="i:2")
    )
    assert changed["metadata"]["generation"] == 2 and not errors


def test_a_deployment_counts_its_annotations_too() -> None:
    road = Road("apps", "deployments")
    obj = road.create({"spec": {"selector": SELECTOR, "template": TEMPLATE}})
    changed, _ = road.update(obj, lambda o: o["metadata"].update(annotations={"x": "y"}))
    assert changed["metadata"]["generation"] == 2


def test_the_status_path_changes_nothing_but_the_status() -> None:
    road = Road("apps", "deployments")
    obj = road.create(
        {"metadata": {"labels": {"a": "b"}}, "spec": {"selector": SELECTOR, "template": TEMPLATE}}
    )

    def change(o: dict[str, Any]) -> None:
        o["spec"]["replicas"] = 7
        o["metadata"]["labels"] = {}
        o["metadata"]["annotations"] = {"c": "d"}
        o["status"]["replicas"] = 3

    after, _ = road.update(obj, change, "status")
    assert after["spec"] == obj["spec"] and after["metadata"]["labels"] == {"a": "b"}
    assert after["metadata"]["annotations"] == {"c": "d"} and after["status"]["replicas"] == 3
    main, _ = road.update(after, lambda o: o["status"].update(replicas=8))
    assert main["status"]["replicas"] == 3


@pytest.mark.parametrize("plural", ["deployments", "replicasets", "daemonsets"])
def test_selectors_never_change(plural: str) -> None:
    road = Road("apps", plural)
    obj = road.create({"spec": {"selector": SELECTOR, "template": TEMPLATE}})
    _, errors = road.update(obj, lambda o: o["spec"].update(selector={"matchLabels": {"app": "b"}}))
    assert texts(errors) == ['spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable']


def test_a_stateful_set_may_only_change_some_of_its_spec() -> None:
    road = Road("apps", "statefulsets")
    obj = road.create({"spec": {"selector": SELECTOR, "template": TEMPLATE, "serviceName": "s"}})
    assert not road.update(obj, lambda o: o["spec"].update(replicas=3, minReadySeconds=4))[1]
    _, errors = road.update(obj, lambda o: o["spec"].update(serviceName="t"))
    assert texts(errors) == [
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', "
        "'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
        "'minReadySeconds' are forbidden"
    ]


def test_a_daemon_set_notes_how_often_its_template_changed() -> None:
    road = Road("apps", "daemonsets")
    obj = road.create({"spec": {"selector": SELECTOR, "template": TEMPLATE}})
    key = "deprecated.daemonset.template.generation"
    assert obj["metadata"]["annotations"] == {key: "1"}

    def change(o: dict[str, Any]) -> None:
        o["spec"]["template"]["spec"]["containers"][0]["image"] = "i:2"
        del o["metadata"]["annotations"]

    assert road.update(obj, change)[0]["metadata"]["annotations"] == {key: "2"}


def test_a_job_selects_its_own_pods_and_keeps_its_template() -> None:
    road = Road("batch", "jobs")
    obj = road.create({"metadata": {"name": "j", "uid": "u1"}, "spec": {"template": TEMPLATE}})
    labels = {
        "app": "a",
        "batch.kubernetes.io/controller-uid": "u1",
        "batch.kubernetes.io/job-name": "j",
        "controller-uid": "u1",
        "job-name": "j",
    }
    assert obj["spec"]["template"]["metadata"]["labels"] == labels
    assert obj["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": "u1"}}
    _, errors = road.update(obj, lambda o: o["spec"]["template"]["spec"]["containers"][0].update(image="i:2"))
    assert [each.path for each in errors] == ["spec.template"]
    _, errors = road.update(obj, lambda o: o["spec"].update(completions=4))
    assert texts(errors) == ["spec.completions: Invalid value: 4: field is immutable"]
    assert road.strategy.default_propagation == "Orphan"


def test_a_suspended_job_may_be_sized_and_placed_anew() -> None:
    road = Road("batch", "jobs")
    obj = road.create({"spec": {"template": TEMPLATE, "suspend": True}})

    def change(o: dict[str, Any]) -> None:
        spec = o["spec"]["template"]["spec"]
        spec["nodeSelector"] = {"disk": "ssd"}
        spec["containers"][0]["resources"] = {"requests": {"cpu": "2"}}

    assert not road.update(obj, change)[1]
    _, errors = road.update(obj, lambda o: o["spec"]["template"]["spec"]["containers"][0].update(image="i:2"))
    assert [each.path for each in errors] == ["spec.template.spec"]


@pytest.mark.parametrize(
    ("plural", "body", "part"),
    [("configmaps", {"data": {"a": "b"}}, "data"), ("secrets", {"data": {"a": "Yg=="}}, "data")],
)
def test_what_is_marked_immutable_stays(plural: str, body: dict[str, Any], part: str) -> None:
    road = Road("", plural)
    obj = road.create({**body, "immutable": True})
    _, errors = road.update(obj, lambda o: o.update({part: {"a": "Yw=="}, "immutable": False}))
    assert texts(errors) == [
        "immutable: Forbidden: field is immutable when `immutable` is set",
        f"{part}: Forbidden: field is immutable when `immutable` is set",
    ]


def test_the_type_of_a_secret_never_changes() -> None:
    road = Road("", "secrets")
    obj = road.create({"type": "x/y"})
    kept, errors = road.update(obj, lambda o: o.pop("type"))
    assert kept["type"] == "Opaque" and texts(errors) == ['type: Invalid value: "Opaque": field is immutable']


def test_a_namespace_begins_active_and_goes_when_nothing_holds_it() -> None:
    road = Road("", "namespaces")
    obj = road.create({"metadata": {"name": "n"}, "status": {"phase": "Terminating"}})
    assert obj["status"] == {"phase": "Active"} and obj["spec"]["finalizers"] == ["kubernetes"]
    assert obj["metadata"]["labels"] == {"kubernetes.io/metadata.name": "n"}
    assert not road.strategy.may_go(obj)
    road.strategy.mark_deleted(obj)
    assert obj["status"]["phase"] == "Terminating"
    kept, _ = road.update(obj, lambda o: o["spec"].update(finalizers=[]))
    assert kept["spec"]["finalizers"] == ["kubernetes"]
    gone, _ = road.update(obj, lambda o: o["spec"].update(finalizers=[]), "finalize")
    assert road.strategy.may_go(gone)
    _, errors = road.update(obj, lambda o: None, "status")
    assert texts(errors) == [
        "status.Phase: Invalid value: \"Terminating\": may only be 'Active' if `deletionTimestamp` is empty"
    ]


def test_a_service_account_tells_its_secrets_by_name() -> None:
    obj = Road("", "serviceaccounts").create({"secrets": [{"name": "s", "namespace": "x", "uid": "y"}]})
    assert obj["secrets"] == [{"name": "s"}]


def test_a_node_keeps_the_status_it_registers_with() -> None:
    road = Road("", "nodes")
    obj = road.create({"spec": {"podCIDR": "10.1.0.0/24"}, "status": {"capacity": {"cpu": "4"}}})
    assert obj["status"]["capacity"] == obj["status"]["allocatable"] == {"cpu": "4"}
    _, errors = road.update(obj, lambda o: o["spec"].update(podCIDRs=["10.2.0.0/24"], podCIDR="10.2.0.0/24"))
    assert texts(errors) == [
        'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid'
    ]


def test_role_references_never_change() -> None:
    road = Road("rbac.authorization.k8s.io", "rolebindings")
    obj = road.create({"roleRef": {"kind": "Role", "name": "r"}})
    _, errors = road.update(obj, lambda o: o["roleRef"].update(name="s"))
    assert texts(errors) == [
        'roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"s"}: '
        "cannot change roleRef"
    ]


@pytest.mark.parametrize(
    ("group", "plural", "body", "change", "told"),
    [
        ("storage.k8s.io", "storageclasses", {"provisioner": "p"}, {"provisioner": "q"},
         'provisioner: Invalid value: "q": field is immutable'),
        ("scheduling.k8s.io", "priorityclasses", {"value": 1}, {"value": 2},
         "value: Forbidden: may not be changed in an update."),
        ("node.k8s.io", "runtimeclasses", {"handler": "h"}, {"handler": "i"},
         'handler: Invalid value: "i": field is immutable'),
        ("networking.k8s.io", "ingressclasses", {"spec": {"controller": "a/b"}}, {"spec": {"controller": "a/c"}},
         'spec.controller: Invalid value: "a/c": field is immutable'),
        ("apps", "controllerrevisions", {"data": {"a": 1}}, {"data": {"a": 2}},
         'data: Invalid value: {"a":2}: field is immutable'),
        ("discovery.k8s.io", "endpointslices", {"addressType": "IPv4"}, {"addressType": "IPv6"},
         'addressType: Invalid value: "IPv6": field is immutable'),
        ("storage.k8s.io", "volumeattributesclasses", {"driverName": "d"}, {"driverName": "e"},
         "driverName: Forbidden: updates to driverName are forbidden."),
        ("", "resourcequotas", {"spec": {"scopes": ["BestEffort"]}}, {"spec": {"scopes": []}},
         "spec.scopes: Invalid value: null: field is immutable"),
    ],
)  # fmt: skip
def test_what_never_changes(
    group: str, plural: str, body: dict[str, Any], change: dict[str, Any], told: str
) -> None:
    road = Road(group, plural)
    assert texts(road.update(road.create(body), lambda o: o.update(change))[1]) == [told]


def test_a_claim_may_grow_once_it_is_bound_and_change_nothing_else() -> None:
    road = Road("", "persistentvolumeclaims")
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    obj = road.create({"spec": spec})
    assert obj["status"] == {"phase": "Pending"}
    told = (
        "spec: Forbidden: spec is immutable after creation except resources.requests and "
        "volumeAttributesClassName for bound claims"
    )
    grow = {"requests": {"storage": "2Gi"}}
    assert texts(road.update(obj, lambda o: o["spec"].update(resources=grow))[1]) == [told]
    assert not road.update(obj, lambda o: o["spec"].update(volumeName="pv"))[1]
    obj["status"] = {"phase": "Bound", "capacity": {"storage": "1Gi"}}
    assert not road.update(obj, lambda o: o["spec"].update(resources=grow))[1]
    shrink = {"requests": {"storage": "512Mi"}}
    assert texts(road.update(obj, lambda o: o["spec"].update(resources=shrink))[1]) == [
        "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"
    ]
    assert texts(road.update(obj, lambda o: o["spec"].update(accessModes=["ReadWriteMany"]))[1]) == [told]


def test_a_claims_sources_tell_the_same() -> None:
    road = Road("", "persistentvolumeclaims")
    source = {"apiGroup": None, "kind": "PersistentVolumeClaim", "name": "other"}
    obj = road.create({"spec": {"dataSource": source}})
    assert obj["spec"]["dataSourceRef"] == source
    assert "dataSource" not in road.create({"spec": {"dataSource": {"kind": "X", "name": "y"}}})["spec"]


def test_a_volume_notes_when_its_phase_changes() -> None:  # S4
    road = Road("", "persistentvolumes")
    obj = road.create({"spec": {"hostPath": {"path": "/x"}}})
    assert obj["status"] == {"phase": "Pending", "lastPhaseTransitionTime": NOW}
    bound, _ = road.update(obj, lambda o: o["status"].update(phase="Bound"), "status")
    assert bound["status"]["lastPhaseTransitionTime"] == LATER
    same, _ = road.update(obj, lambda o: o["status"].pop("lastPhaseTransitionTime"), "status")
    assert same["status"]["lastPhaseTransitionTime"] == NOW
    _, errors = road.update(obj, lambda o: o["spec"].update(hostPath={"path": "/y"}))
    assert texts(errors) == [
        "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation"
    ]


def test_a_certificate_request_says_who_made_it() -> None:  # S4
    road = Road("certificates.k8s.io", "certificatesigningrequests")
    who = Occasion(NOW, "alice", "u1", ("g",), {"k": ["v"]})
    obj = road.create({"spec": {"signerName": "a/b", "username": "root", "groups": ["system:masters"]}}, who)
    assert obj["spec"]["username"] == "alice" and obj["spec"]["groups"] == ["g"]
    assert obj["spec"]["extra"] == {"k": ["v"]}
    approved = [{"type": "Approved", "status": "True"}]
    _, errors = road.update(obj, lambda o: o["status"].update(conditions=approved), "status")
    assert texts(errors) == [
        'status.conditions: Forbidden: updates may not add a condition of type "Approved"'
    ]
    done, errors = road.update(obj, lambda o: o["status"].update(conditions=approved), "approval")
    assert not errors and done["status"]["conditions"][0]["lastUpdateTime"] == LATER
    signed, errors = road.update(done, lambda o: o["status"].update(certificate="YQ=="), "status")
    assert not errors and signed["status"]["certificate"] == "YQ=="
    _, errors = road.update(done, lambda o: o["status"].update(certificate="YQ=="), "approval")
    assert not errors  # what this path cannot change it keeps
    unchanged, _ = road.update(done, lambda o: o["spec"].update(username="mallory"))
    assert unchanged["spec"]["username"] == "alice"


def test_features_that_are_off_leave_no_fields() -> None:
    lease = Road("coordination.k8s.io", "leases").create({"spec": {"strategy": "x", "holderIdentity": "h"}})
    assert lease["spec"] == {"holderIdentity": "h"}
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}}
    body = {"spec": {"selector": SELECTOR, "template": TEMPLATE, "updateStrategy": rolling}}
    stateful = Road("apps", "statefulsets").create(body)
    assert stateful["spec"]["updateStrategy"]["rollingUpdate"] == {"partition": 0}


def test_field_selectors_know_what_each_kind_offers() -> None:
    pods = strategy_for("", "pods")
    assert pods.field_label("spec.nodeName") == "spec.nodeName"
    assert pods.field_label("spec.host") == "spec.nodeName"
    with pytest.raises(BadRequest, match=r"^field label not supported: spec.hostname$"):
        pods.field_label("spec.hostname")
    with pytest.raises(BadRequest, match=r'^field label "x" not supported for Job$'):
        strategy_for("batch", "jobs").field_label("x")
    configmaps = strategy_for("", "configmaps")
    assert configmaps.field_label("metadata.namespace") == "metadata.namespace"
    with pytest.raises(BadRequest) as caught:
        configmaps.field_label("data.k")
    assert caught.value.message == (
        '"data.k" is not a known field selector: only "metadata.name", "metadata.namespace"'
    )
    for info in resources():
        if info.stored and info.kind == info.storage_kind:
            road = Road(info.kind.group, info.kind.plural)
            offered = set(road.strategy.selectable_fields(road.sent({})))
            assert road.strategy.field_labels - offered <= {"status.podIPs"}


def test_events_are_selected_by_the_names_of_their_group() -> None:
    old, new = strategy_for("", "events"), strategy_for("events.k8s.io", "events")
    assert (
        new.field_label("regarding.name") == old.field_label("involvedObject.name") == "involvedObject.name"
    )
    assert new.field_label("metadata.namespace") == "metadata.namespace"
    for strategy, label in ((old, "regarding.name"), (new, "involvedObject.name")):
        with pytest.raises(BadRequest, match=f"^field label not supported: {label}$"):
            strategy.field_label(label)


def test_names_are_judged_as_each_kind_asks() -> None:
    assert not strategy_for("rbac.authorization.k8s.io", "clusterroles").name_errors("system:node")
    assert strategy_for("", "namespaces").name_errors("a.b")
    assert not strategy_for("", "configmaps").name_errors("a.b")
    assert strategy_for("apps", "statefulsets").name_errors("a.b")
    addresses = strategy_for("networking.k8s.io", "ipaddresses")
    assert not addresses.name_errors("10.0.0.1") and not addresses.name_errors("2001:db8::1")
    assert addresses.name_errors("2001:DB8::1") == ['must be in canonical form ("2001:db8::1")']


def test_warnings_are_kubernetes_own() -> None:
    ingresses = Road("networking.k8s.io", "ingresses")
    annotated = ingresses.create({"metadata": {"annotations": {"kubernetes.io/ingress.class": "x"}}})
    assert ingresses.strategy.warnings(annotated, None) == [
        "annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead"
    ]
    assert ingresses.strategy.warnings(annotated, annotated) == []
    deployments = Road("apps", "deployments")
    obj = deployments.create({"metadata": {"name": "a.b"}, "spec": {"template": TEMPLATE}})
    (warning,) = deployments.strategy.warnings(obj, None)
    assert warning.startswith("metadata.name: this is used in Pod names and hostnames")
    quotas = Road("", "resourcequotas")
    quota = quotas.create({"spec": {"hard": {"requests.cpu": "2", "limits.cpu": "1"}}})
    assert quotas.strategy.warnings(quota, None) == [
        "ResourceQuota requests.cpu (2) should be less than limits.cpu (1)"
    ]
