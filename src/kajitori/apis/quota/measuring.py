"""What all objects of a namespace use together of a quota.

Source: CalculateUsage in apiserver's pkg/quota/v1/resources.go and CalculateUsageStats in its generic/evaluator.go.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import Quantity
from kajitori.apis.quota.devices import is_claim_of
from kajitori.apis.quota.evaluator import Evaluator, Surroundings
from kajitori.apis.quota.quantities import ZERO, add
from kajitori.apis.quota.quotas import Quota

__all__ = ["Known", "used_by"]


@dataclass(frozen=True)
class Known:
    """Surroundings of which all that matters has been read."""

    now: float
    device_classes: Mapping[str, str] = field(default_factory=dict[str, str])
    """By name, the resource that stands for their devices, or an empty text."""
    pods: Mapping[tuple[str, str], JsonObject] = field(default_factory=dict[tuple[str, str], JsonObject])
    claims: Sequence[JsonObject] = ()

    def extended_resource(self, device_class: str) -> str:
        return self.device_classes.get(device_class, "")

    def has_device_class(self, extended_resource: str) -> bool:
        implicit = extended_resource.removeprefix("deviceclass.resource.kubernetes.io/")
        if implicit != extended_resource:
            return implicit in self.device_classes
        return extended_resource in self.device_classes.values()

    def pod(self, namespace: str, name: str) -> JsonObject | None:
        return self.pods.get((namespace, name))

    def claims_of(self, namespace: str, pod_uid: str) -> Sequence[JsonObject]:
        return [each for each in self.claims if is_claim_of(each, pod_uid)]


def used_by(
    quota: Quota,
    names: Iterable[str],
    objects: Iterable[JsonObject],
    evaluator: Evaluator,
    around: Surroundings,
) -> dict[str, Quantity]:
    """What objects of one kind use of these names, as far as the quota counts them."""
    used = dict.fromkeys(names, ZERO)
    for obj in objects:
        if all(evaluator.matches(each, obj) for each in quota.selectors):
            own = evaluator.usage(obj, around)
            used = add(used, {name: amount for name, amount in own.items() if name in used})
    return used
