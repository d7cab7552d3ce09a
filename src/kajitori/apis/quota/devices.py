"""What a ResourceClaim uses: itself, and of each class of devices the most that it may get.

Source: pkg/quota/v1/evaluator/core/resource_claims.go.
"""

from collections.abc import Iterable

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import Quantity
from kajitori.apis.quota.evaluator import Evaluator, Surroundings
from kajitori.apis.quota.pods import is_extended_in_quota, pod_usage
from kajitori.apis.quota.quantities import ONE, ZERO, Amounts

__all__ = ["DEVICES_MAX", "DeviceEvaluator", "is_claim_of"]

DEVICES_MAX = 32
"""Devices that one claim can be given: what a request for all of them counts as."""

_COUNT = "count/resourceclaims.resource.k8s.io"
_OF_CLASS = ".deviceclass.resource.k8s.io/devices"
_IMPLICIT = "requests.deviceclass.resource.kubernetes.io/"
_EXTENDED = "resource.kubernetes.io/extended-resource-claim"


class DeviceEvaluator(Evaluator):
    """Measures claims of devices."""

    def handles(self, operation: str, subresource: str, obj: JsonObject, old: JsonObject | None) -> bool:
        return not subresource

    def resources(self, names: Iterable[str], around: Surroundings) -> set[str]:
        return {each for each in names if _counts(each, around)}

    def usage(self, obj: JsonObject, around: Surroundings) -> Amounts:
        used: dict[str, Quantity] = {_COUNT: ONE}
        spec: JsonObject = obj.get("spec") or {}
        for request in (spec.get("devices") or {}).get("requests") or ():
            for name, count in _wanted(request).items():
                used[name] = used.get(name, ZERO) + Quantity(count)
        _add_extended(used, _usage_of_pod(obj, around), around)
        return used


def _counts(name: str, around: Surroundings) -> bool:
    if name == _COUNT or name.endswith(_OF_CLASS):
        return True
    if name.startswith(_IMPLICIT) and around.extended_resource(name.removeprefix(_IMPLICIT)):
        return True
    return is_extended_in_quota(name) and around.has_device_class(name.removeprefix("requests."))


def _wanted(request: JsonObject) -> dict[str, int]:
    """How many devices of each class a request may get."""
    wanted: dict[str, int] = {}
    if request.get("firstAvailable"):
        # One of them is granted: of each class the most counts.
        for each in request["firstAvailable"]:
            name = f"{each.get('deviceClassName', '')}{_OF_CLASS}"
            count = _count(each)
            if count > wanted.get(name, 0):
                wanted[name] = count
        return wanted
    exactly = request.get("exactly")
    if exactly is not None:
        wanted[f"{exactly.get('deviceClassName', '')}{_OF_CLASS}"] = _count(exactly)
    return wanted


def _count(request: JsonObject) -> int:
    mode = request.get("allocationMode", "")
    if mode == "ExactCount":
        return int(request.get("count", 0))
    return DEVICES_MAX if mode == "All" else 0


def _add_extended(used: dict[str, Quantity], of_pod: Amounts, around: Surroundings) -> None:
    """Counts devices as the resources that stand for them too, less what their Pod counts already."""
    extended: dict[str, Quantity] = {}
    for name, amount in used.items():
        device_class = name.removesuffix(_OF_CLASS)
        if device_class == name or not device_class:
            continue
        extended[f"{_IMPLICIT}{device_class}"] = amount
        resource = around.extended_resource(device_class)
        if resource:
            extended[f"requests.{resource}"] = amount
    for name, amount in extended.items():
        left = amount - of_pod.get(name, ZERO)
        if left > ZERO:
            used[name] = left


def _usage_of_pod(claim: JsonObject, around: Surroundings) -> Amounts:
    """What the Pod counts whose extended resources the claim is; nothing where it is no such claim."""
    owner = _pod_of(claim)
    if owner is None:
        return {}
    metadata: JsonObject = claim["metadata"]
    namespace: str = metadata.get("namespace", "")
    pod = around.pod(namespace, owner.get("name", ""))
    if pod is None or pod["metadata"].get("uid") != owner.get("uid"):
        return {}
    known = (pod.get("status") or {}).get("extendedResourceClaimStatus")
    if known is not None:
        if known.get("resourceClaimName", "") != metadata["name"]:
            return {}
    elif not _is_first(claim, around.claims_of(namespace, pod["metadata"]["uid"])):
        return {}
    return pod_usage(pod, around.now)


def _pod_of(claim: JsonObject) -> JsonObject | None:
    """The reference to the Pod whose extended resources the claim is."""
    metadata: JsonObject = claim["metadata"]
    if (metadata.get("annotations") or {}).get(_EXTENDED) != "true":
        return None
    owners: list[JsonObject] = metadata.get("ownerReferences") or []
    owner = next((each for each in owners if each.get("controller")), {})
    return owner if (owner.get("kind"), owner.get("apiVersion")) == ("Pod", "v1") else None


def is_claim_of(claim: JsonObject, pod_uid: str) -> bool:
    """Whether the claim is the extended resources of a Pod."""
    owner = _pod_of(claim)
    return owner is not None and owner.get("uid") == pod_uid


def _is_first(claim: JsonObject, claims: Iterable[JsonObject]) -> bool:
    """Whether no other claim of the same Pod is older."""

    def age(each: JsonObject) -> tuple[str, str]:
        metadata: JsonObject = each["metadata"]
        return metadata.get("creationTimestamp", ""), metadata["name"]

    return all(age(claim) <= age(each) for each in claims)
