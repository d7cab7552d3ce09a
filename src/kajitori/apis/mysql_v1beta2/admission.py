"""Admission of the kinds of this group: what a webhook does elsewhere, as one plain function.

Under `kajitori up` the API server calls it in process, between the defaults of the schema and storing. It
opens no door: objects it must look up and random bytes are given to it.

Promises
    A1  create adds the finalizer and a `serverIDBase`; update changes nothing
    A2  a refused object raises, and names every field that is wrong
    A3  an update that only removes finalizers from an object being deleted is let through, valid or not,
        because nothing may keep an object from going away
"""

from collections.abc import Callable, Iterable
from typing import Literal, Protocol

from kajitori.apimachinery.errors import forbidden, invalid
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apis.mysql_v1beta2.defaults import default_cluster
from kajitori.apis.mysql_v1beta2.names import BACKUP_POLICY, MYSQL_CLUSTER
from kajitori.apis.mysql_v1beta2.validation import (
    validate_cluster,
    validate_policy,
    validate_policy_deletion,
)

__all__ = ["STORAGE_CLASS", "Lookup", "Operation", "admit"]

Operation = Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]
STORAGE_CLASS = Kind("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False)


class Lookup(Protocol):
    """How admission reads other objects."""

    def __call__(self, kind: Kind, namespace: str = "") -> Iterable[JsonObject]:
        """All objects of a kind, in a namespace or everywhere."""
        ...


def admit(
    operation: Operation,
    obj: JsonObject,
    old: JsonObject | None,
    lookup: Lookup,
    *,
    random_bytes: Callable[[int], bytes],
) -> JsonObject:
    """The object to store (for DELETE, the one to delete).

    Raises: Invalid, with a cause for every field; Forbidden, when a policy in use is to be deleted.
    """
    kind = obj.get("kind")
    if kind == MYSQL_CLUSTER.kind:
        return _admit_cluster(operation, obj, old, lookup, random_bytes)
    if kind == BACKUP_POLICY.kind:
        return _admit_policy(operation, obj, old, lookup)
    return obj


def _admit_cluster(
    operation: Operation,
    cluster: JsonObject,
    old: JsonObject | None,
    lookup: Lookup,
    random_bytes: Callable[[int], bytes],
) -> JsonObject:
    if operation not in ("CREATE", "UPDATE") or _is_going_away(cluster, old):
        return cluster
    if operation == "CREATE":
        cluster = default_cluster(cluster, random_bytes)
    errors = validate_cluster(cluster, old, lookup(STORAGE_CLASS))
    if errors:
        raise invalid(MYSQL_CLUSTER.kind, MYSQL_CLUSTER.group, cluster["metadata"].get("name", ""), errors)
    return cluster


def _admit_policy(
    operation: Operation, policy: JsonObject, old: JsonObject | None, lookup: Lookup
) -> JsonObject:
    name = policy["metadata"].get("name", "")
    if operation == "DELETE":
        users = validate_policy_deletion(
            policy, lookup(MYSQL_CLUSTER, policy["metadata"].get("namespace", ""))
        )
        if users:
            why = f"MySQLCluster {', '.join(users)} uses it; remove spec.backupPolicyName there first"
            raise forbidden(BACKUP_POLICY.plural, BACKUP_POLICY.group, name, why)
        return policy
    if operation not in ("CREATE", "UPDATE") or _is_going_away(policy, old):
        return policy
    if errors := validate_policy(policy):
        raise invalid(BACKUP_POLICY.kind, BACKUP_POLICY.group, name, errors)
    return policy


def _is_going_away(obj: JsonObject, old: JsonObject | None) -> bool:
    """Whether an object that is being deleted is updated without its spec changing."""
    return (
        old is not None
        and bool(obj["metadata"].get("deletionTimestamp"))
        and obj.get("spec") == old.get("spec")
    )
