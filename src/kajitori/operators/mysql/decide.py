"""What to do about one MySQLCluster, given what was seen of it: a total function without side effects.

States
    Deleting     the cluster is being deleted: what lies outside its namespace is removed, then the finalizer
    Stopped      the annotation reconciliation-stopped: nothing but the status is touched
    Invalid      the spec breaks a rule (on API servers without our admission): nothing but the status is
    touched Adopting     finalizer and serverIDBase are missing (likewise): they are added, the rest is for
    the next round Blocked      something a person must repair keeps part of the objects back; everything else
    is done Converging   objects differ from what they should be Settled      nothing to do

Invariants
    I1   carrying out a plan and deciding again gives no action, unless the world changed
    I2   nothing is planned for a cluster that is stopped or invalid but its status
    I3   no Pod is ever deleted
    I4   the StatefulSet's replicas are never lowered, but to 0 for an offline cluster
    I5   passwords are made up only when no copy of them exists
    I6   claims belong to nobody: no claim and no template carries an owner reference
    I7   an object that another owner controls is never touched
    I8   a generated ConfigMap that the StatefulSet or a Pod uses is never deleted
    I9   names follow from the cluster's name and from contents alone
    I10  no secret is made before the namespace that holds it, no StatefulSet before what its Pods mount
    I11 to I14 are about volumes: see `volumes`

Claims are kept when a cluster is deleted, unlike with MOCO, which makes the cluster own them: a database must
not go because an object was deleted by mistake. Whoever wants to be rid of the data deletes the claims.

What happens inside mysqld (clustering, failover, backups) is not decided here: it will be decided from the
databases' own state, by a module of its own beside this one, and share the status.
"""

import msgspec

from kajitori.apis import JsonObject
from kajitori.apis.mysql_v1beta2 import MYSQL_CLUSTER, MySQLClusterSpec, default_cluster, validate_cluster
from kajitori.apis.mysql_v1beta2.names import ANNOTATION_RECONCILIATION_STOPPED, FINALIZER, ClusterNames
from kajitori.operators.mysql.converge import converge
from kajitori.operators.mysql.plan import Action, Delete, Patch, Plan, Problem, State
from kajitori.operators.mysql.seen import CERTIFICATE, SECRET, ClusterSeen
from kajitori.operators.mysql.status import problem_events, status_after, status_when_stopped

__all__ = ["decide"]

INVALID_SPEC = "InvalidSpec"


def decide(seen: ClusterSeen) -> Plan:
    """The plan for one cluster."""
    metadata = seen.cluster["metadata"]
    if metadata.get("deletionTimestamp"):
        return _finalize(seen)
    if (metadata.get("annotations") or {}).get(ANNOTATION_RECONCILIATION_STOPPED) == "true":
        return Plan(
            State.STOPPED, "reconciliation is stopped by annotation", status=status_when_stopped(seen)
        )
    filled = default_cluster(seen.cluster, lambda size: seen.entropy[-size:])
    if complaints := _complaints(filled):
        return _refuse(seen, complaints)
    if filled is not seen.cluster:
        return _adopt(seen, filled)
    return converge(seen)


def _complaints(cluster: JsonObject) -> list[str]:
    """What is wrong with a cluster, its types included: an API server may serve another definition of the
    kind."""
    try:
        msgspec.convert(cluster.get("spec"), MySQLClusterSpec)
    except msgspec.ValidationError as error:
        return [f"spec: {error}"]
    return [str(error) for error in validate_cluster(cluster, None, ())]


def _refuse(seen: ClusterSeen, complaints: list[str]) -> Plan:
    problems = tuple(Problem(INVALID_SPEC, complaint) for complaint in complaints)
    names = ClusterNames(seen.cluster["metadata"]["namespace"], seen.cluster["metadata"]["name"])
    sts = seen.live_statefulset(names)
    return Plan(
        State.INVALID,
        complaints[0],
        status=status_after(seen, sts, problems),
        events=problem_events(seen.cluster, problems),
        problems=problems,
    )


def _adopt(seen: ClusterSeen, filled: JsonObject) -> Plan:
    metadata = seen.cluster["metadata"]
    patch: JsonObject = {
        "metadata": {
            "resourceVersion": metadata["resourceVersion"],
            "finalizers": filled["metadata"]["finalizers"],
        },
        "spec": {"serverIDBase": filled["spec"]["serverIDBase"]},
    }
    why = "no admission of ours added the finalizer and serverIDBase"
    action = Patch(
        kind=MYSQL_CLUSTER, namespace=metadata["namespace"], name=metadata["name"], patch=patch, why=why
    )
    return Plan(State.ADOPTING, why, actions=(action,))


def _finalize(seen: ClusterSeen) -> Plan:
    """Owner references end at the namespace: what lies in the operator's own is removed by hand."""
    metadata = seen.cluster["metadata"]
    finalizers: list[str] = metadata.get("finalizers") or []
    if FINALIZER not in finalizers:
        return Plan(State.DELETING, "waiting for others to finish")
    names = ClusterNames(metadata["namespace"], metadata["name"])
    system = seen.settings.system_namespace
    actions: list[Action] = []
    for kind, name in (
        (CERTIFICATE, names.certificate),
        (SECRET, names.certificate),
        (SECRET, names.controller_secret),
    ):
        live = seen.object(kind, system, name)
        if live is not None and not live["metadata"].get("deletionTimestamp"):
            why = "the cluster is being deleted"
            uid = live["metadata"]["uid"]
            actions.append(Delete(kind=kind, namespace=system, name=name, uid=uid, why=why))
    patch = {
        "metadata": {
            "resourceVersion": metadata["resourceVersion"],
            "finalizers": [each for each in finalizers if each != FINALIZER] or None,
        }
    }
    why = "everything outside the cluster's namespace is gone"
    actions.append(
        Patch(
            kind=MYSQL_CLUSTER, namespace=metadata["namespace"], name=metadata["name"], patch=patch, why=why
        )
    )
    return Plan(State.DELETING, "the cluster is being deleted", actions=tuple(actions))
