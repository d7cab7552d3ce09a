"""ResourceQuotas: what an object uses, which quotas count it, and whether there is room for it.

Source: https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from collections.abc import Iterable, Mapping

from kajitori.apis.quota.charging import Charge, Limited, QuotaError, Request, charges
from kajitori.apis.quota.claims import ClaimEvaluator
from kajitori.apis.quota.devices import DeviceEvaluator, is_claim_of
from kajitori.apis.quota.evaluator import CountEvaluator, Evaluator, Surroundings
from kajitori.apis.quota.measuring import Known, used_by
from kajitori.apis.quota.pods import PodEvaluator
from kajitori.apis.quota.quantities import Amounts, add, amounts_of, less, masked, texts_of
from kajitori.apis.quota.quotas import Quota, Selector, quota_of
from kajitori.apis.quota.services import ServiceEvaluator

__all__ = [
    "Amounts",
    "Charge",
    "CountEvaluator",
    "Evaluator",
    "Known",
    "Limited",
    "Quota",
    "QuotaError",
    "Request",
    "Selector",
    "Surroundings",
    "add",
    "amounts_of",
    "charges",
    "evaluator_for",
    "is_claim_of",
    "less",
    "masked",
    "measured",
    "quota_of",
    "texts_of",
    "used_by",
]

_ALIASED = ("configmaps", "replicationcontrollers", "resourcequotas", "secrets")
"""Resources of the core group whose number has a name of its own."""

_EVALUATORS: Mapping[str, Evaluator] = {
    "/pods": PodEvaluator(),
    "/services": ServiceEvaluator(),
    "/persistentvolumeclaims": ClaimEvaluator(),
    "resource.k8s.io/resourceclaims": DeviceEvaluator(),
    **{f"/{each}": CountEvaluator(f"count/{each}", each) for each in _ALIASED},
}


def evaluator_for(bucket: str) -> Evaluator:
    """What measures the objects of a bucket (`group/resource`)."""
    known = _EVALUATORS.get(bucket)
    if known is not None:
        return known
    group, _, resource = bucket.rpartition("/")
    return CountEvaluator(f"count/{resource}.{group}" if group else f"count/{resource}")


_UNCOUNTED = ("/events", "events.k8s.io/events")


def measured(names: Iterable[str], around: Surroundings) -> dict[str, set[str]]:
    """By bucket, which of the names in a quota tell something about its objects."""
    names = list(names)
    buckets = dict.fromkeys(_EVALUATORS)
    for name in names:
        if name.startswith("count/"):
            resource, _, group = name.removeprefix("count/").partition(".")
            buckets[f"{group}/{resource}"] = None
    found = {each: evaluator_for(each).resources(names, around) for each in buckets if each not in _UNCOUNTED}
    return {bucket: told for bucket, told in found.items() if told}
