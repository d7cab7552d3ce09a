"""What to do about one policy, given what was seen of it: a total function without side effects.

States
    Deleting     its webhook configurations go, then the finalizer
    Invalid      the spec breaks a rule (on API servers without our admission): it is not activated
    Unscheduled  it names no policy server
    Scheduled    its policy server is not there
    Pending      its module cannot be had, or refuses the settings, and no earlier version of it runs
    Outdated     likewise, but an earlier version runs, and answers requests until the new one can
    Active       requests are given to it

Invariants
    I1   carrying out a plan and deciding again gives the same status, and nothing else to do
    I2   a webhook configuration is applied only where the policy runs
    I3   a policy has a configuration of one sort, the one that its `mutating` asks for
    I4   the finalizer goes only with the configurations
    I5   requests in the operator's own namespace are not given to policies of the cluster
"""

from kajitori.apis import JsonObject, Kind
from kajitori.apis.policies_v1 import FINALIZER, is_cluster_wide, is_group, unique_name, validate_policy
from kajitori.ctrl import set_condition
from kajitori.operators.kubewarden.plan import MUTATING, VALIDATING, Plan, State
from kajitori.operators.kubewarden.seen import PolicySeen

__all__ = ["decide", "webhook_configuration"]

_ACTIVE, _CURRENT, _REACHABLE = (
    "PolicyActive",
    "PolicyServerConfigurationUpToDate",
    "PolicyUniquelyReachable",
)
_NOT_CREATED = "The policy webhook has not been created"
_METADATA_NAME = "kubernetes.io/metadata.name"


def decide(seen: PolicySeen) -> Plan:
    """The plan for one policy."""
    policy = seen.policy
    if policy["metadata"].get("deletionTimestamp"):
        return Plan(
            State.DELETING,
            "it is being deleted",
            deleted=_there(seen, MUTATING, VALIDATING),
            remove_finalizer=True,
        )
    adopts = FINALIZER not in (policy["metadata"].get("finalizers") or ())
    if complaints := validate_policy(policy):
        return _inactive(seen, State.INVALID, "pending", "; ".join(map(str, complaints)), adopts)
    if not policy["spec"].get("policyServer"):
        return _inactive(seen, State.UNSCHEDULED, "unscheduled", "it names no policy server", adopts)
    if not seen.has_server:
        why = f"there is no PolicyServer {policy['spec']['policyServer']}"
        return _inactive(seen, State.SCHEDULED, "scheduled", why, adopts)
    if seen.loading.failure and not seen.loading.runs_as:
        return _inactive(seen, State.PENDING, "pending", seen.loading.failure, adopts)
    return _active(seen, adopts)


def _active(seen: PolicySeen, adopts: bool) -> Plan:
    loading, mutating = seen.loading, bool(seen.policy["spec"].get("mutating"))
    outdated = bool(loading.failure)
    status: JsonObject = {
        "policyStatus": "active",
        "mode": loading.runs_as,
        "conditions": _conditions(
            seen,
            (_ACTIVE, True, "PolicyActive", "The policy webhook has been created"),
            (_CURRENT, False, "PolicyInitializationFailed", loading.failure)
            if outdated
            else (
                _CURRENT,
                True,
                "ConfigurationVersionMatch",
                "Configuration for this policy is up to date",
            ),
            (
                _REACHABLE,
                not outdated,
                "PreviousVersionIsServed" if outdated else "LatestReplicaSetIsUniquelyReachable",
                "An earlier version of the policy is reachable"
                if outdated
                else "The latest replica set is uniquely reachable",
            ),
        ),
    }
    return Plan(
        State.OUTDATED if outdated else State.ACTIVE,
        loading.failure or "its module runs, and requests are given to it",
        add_finalizer=adopts,
        applied=webhook_configuration(seen),
        deleted=_there(seen, VALIDATING if mutating else MUTATING),
        status=status,
        retry_after_seconds=seen.retry_seconds if outdated and loading.will_pass else 0.0,
    )


def _inactive(seen: PolicySeen, state: State, word: str, why: str, adopts: bool) -> Plan:
    """A policy that no request is given to."""
    return Plan(
        state,
        why,
        add_finalizer=adopts,
        deleted=_there(seen, MUTATING, VALIDATING),
        status={
            "policyStatus": word,
            "mode": "unknown",
            "conditions": _conditions(
                seen,
                (_ACTIVE, False, "PolicyNotActive", f"{_NOT_CREATED}: {why}"),
                (_CURRENT, False, "PolicyInitializationFailed", why),
                (_REACHABLE, False, "LatestReplicaSetIsNotUniquelyReachable", why),
            ),
        },
        retry_after_seconds=seen.retry_seconds if seen.loading.will_pass else 0.0,
    )


def _conditions(seen: PolicySeen, *wanted: tuple[str, bool, str, str]) -> list[JsonObject]:
    conditions: list[JsonObject] = (seen.policy.get("status") or {}).get("conditions") or []
    for kind, holds, reason, message in wanted:
        conditions = set_condition(
            conditions,
            kind,
            status="True" if holds else "False",
            reason=reason,
            message=message[:32768],
            observed_generation=seen.policy["metadata"].get("generation"),
            now=seen.now,
        )
    return conditions


def _there(seen: PolicySeen, *kinds: Kind) -> tuple[Kind, ...]:
    return tuple(kind for kind in kinds if kind.kind in seen.configurations)


def webhook_configuration(seen: PolicySeen) -> JsonObject:
    """The configuration that makes the API server ask the policy."""
    policy, spec = seen.policy, seen.policy["spec"]
    metadata, name = policy["metadata"], unique_name(policy)
    kind = MUTATING if spec.get("mutating") else VALIDATING
    webhook: JsonObject = {
        "name": f"{name}.kubewarden.admission",
        "clientConfig": seen.client_config,
        "rules": spec["rules"],
        "sideEffects": spec.get("sideEffects") or "None",
        "timeoutSeconds": spec.get("timeoutSeconds") or 10,
        "admissionReviewVersions": ["v1"],
    }
    for member in ("failurePolicy", "matchPolicy", "objectSelector", "matchConditions"):
        if spec.get(member):
            webhook[member] = spec[member]
    webhook["namespaceSelector"] = _namespace_selector(seen)
    annotations = {
        "kubewardenPolicyName": metadata["name"],
        "kubewardenPolicyNamespace": metadata.get("namespace", ""),
    }
    if is_group(policy):
        annotations["kubewardenPolicyGroup"] = "true"
    scope = "cluster" if is_cluster_wide(policy) else "namespace"
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {
            "name": name,
            "labels": {"app.kubernetes.io/part-of": "kubewarden", "kubewardenPolicyScope": scope},
            "annotations": annotations,
        },
        "webhooks": [webhook],
    }


def _namespace_selector(seen: PolicySeen) -> JsonObject:
    policy = seen.policy
    if not is_cluster_wide(policy):
        return {"matchLabels": {_METADATA_NAME: policy["metadata"]["namespace"]}}
    own = {"key": _METADATA_NAME, "operator": "NotIn", "values": [seen.namespace]}
    wanted: JsonObject = policy["spec"].get("namespaceSelector") or {}
    return {**wanted, "matchExpressions": [own, *(wanted.get("matchExpressions") or ())]}
