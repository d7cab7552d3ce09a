"""Admission: what is added at creation, what is refused, what is let through."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kajitori.apimachinery.errors import Forbidden, Invalid
from kajitori.apimachinery.frozen import freeze
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apis.mysql_v1beta2 import MYSQL_CLUSTER, Operation, admit
from kajitori.apis.mysql_v1beta2.defaults import SERVER_ID_BASE_MAX, server_id_base
from kajitori.apis.mysql_v1beta2.names import FINALIZER


def _cluster(**spec: Any) -> JsonObject:
    default: JsonObject = {
        "replicas": 1,
        "podTemplate": {"spec": {"containers": [{"name": "mysqld", "image": "mysql:8.4"}]}},
        "volumeClaimTemplates": [
            {"metadata": {"name": "mysql-data"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}
        ],
    }
    return {
        "apiVersion": MYSQL_CLUSTER.api_version,
        "kind": "MySQLCluster",
        "metadata": {"name": "orders", "namespace": "db"},
        "spec": {**default, **spec},
    }


def _policy() -> JsonObject:
    return {
        "kind": "BackupPolicy",
        "metadata": {"name": "daily", "namespace": "db"},
        "spec": {"schedule": "@daily"},
    }


def _admit(
    operation: Operation, obj: JsonObject, old: JsonObject | None = None, *others: JsonObject
) -> JsonObject:
    def lookup(kind: Kind, namespace: str = "") -> Iterable[JsonObject]:
        return [each for each in others if each["kind"] == kind.kind]

    return admit(operation, obj, old, lookup, random_bytes=lambda size: b"\x01" * size)


def test_a_new_cluster_gets_a_finalizer_and_server_ids() -> None:  # A1
    given_cluster = _cluster()
    admitted = _admit("CREATE", given_cluster)
    assert admitted["metadata"]["finalizers"] == [FINALIZER]
    assert admitted["spec"]["serverIDBase"] == 0x01010101 + 1
    assert "finalizers" not in given_cluster["metadata"]  # the caller's object is untouched


def test_what_the_user_chose_stays() -> None:  # A1
    cluster = _cluster(serverIDBase=5)
    cluster["metadata"]["finalizers"] = ["other", FINALIZER]
    assert _admit("CREATE", cluster) is cluster


def test_frozen_objects_are_admitted_too() -> None:
    assert _admit("CREATE", freeze(_cluster()))["spec"]["serverIDBase"] > 0


@settings(deadline=None)
@given(st.binary(min_size=4, max_size=8))
def test_server_ids_are_positive_and_leave_room(entropy: bytes) -> None:
    assert 0 < server_id_base(entropy) <= SERVER_ID_BASE_MAX


def test_an_update_changes_nothing() -> None:  # A1
    old = _admit("CREATE", _cluster())
    new = _admit("CREATE", _cluster(offline=True))
    assert _admit("UPDATE", new, old) is new


def test_a_refused_cluster_names_every_field() -> None:  # A2
    with pytest.raises(Invalid) as caught:
        _admit("CREATE", _cluster(replicas=2, logRotationSchedule="x"))
    assert {each.field for each in caught.value.causes} == {"spec.replicas", "spec.logRotationSchedule"}
    assert caught.value.message.startswith('MySQLCluster.moco.cybozu.com "orders" is invalid: [')


def test_growth_asks_the_storage_classes() -> None:
    storage_class = {"kind": "StorageClass", "metadata": {"name": "slow"}, "allowVolumeExpansion": False}
    storage_class["metadata"] |= {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}  # type: ignore[operator]
    old = _admit("CREATE", _cluster())
    templates = [
        {"metadata": {"name": "mysql-data"}, "spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    ]
    new = {**old, "spec": {**old["spec"], "volumeClaimTemplates": templates}}
    with pytest.raises(Invalid, match='the StorageClass "slow" does not allow volumes to grow'):
        _admit("UPDATE", new, old, storage_class)
    assert _admit("UPDATE", new, old) is new


def test_nothing_keeps_a_deleted_cluster_from_going() -> None:  # A3
    invalid = _cluster(replicas=2)
    going = {**invalid, "metadata": {**invalid["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    assert _admit("UPDATE", going, invalid) is going
    with pytest.raises(Invalid):
        _admit("UPDATE", _cluster(replicas=2), invalid)


def test_a_policy_in_use_cannot_be_deleted() -> None:
    with pytest.raises(
        Forbidden, match=r'backuppolicies\.moco\.cybozu\.com "daily" is forbidden: MySQLCluster orders'
    ):
        _admit("DELETE", _policy(), None, _cluster(backupPolicyName="daily"))
    policy = _policy()
    assert _admit("DELETE", policy, None, _cluster()) is policy


def test_a_policy_is_validated() -> None:
    policy = _policy()
    assert _admit("CREATE", policy) is policy
    with pytest.raises(Invalid, match=r"spec\.schedule"):
        _admit("CREATE", {**policy, "spec": {"schedule": "never"}})


def test_other_kinds_and_operations_pass() -> None:
    pod = {"kind": "Pod", "metadata": {}}
    assert _admit("CREATE", pod) is pod
    cluster = _cluster(replicas=2)
    assert _admit("DELETE", cluster) is cluster
