"""What a PersistentVolumeClaim uses: itself and its storage, in all and of its class.

Source: pkg/quota/v1/evaluator/core/persistent_volume_claims.go.
"""

from collections.abc import Iterable

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import Quantity, parse_quantity
from kajitori.apis.quota.evaluator import Evaluator, Surroundings
from kajitori.apis.quota.quantities import ONE, Amounts
from kajitori.apis.quota.quotas import Selector

__all__ = ["ClaimEvaluator"]

_OF_CLASS = ".storageclass.storage.k8s.io/"
_COUNT, _CLAIMS, _STORAGE = "count/persistentvolumeclaims", "persistentvolumeclaims", "requests.storage"
_SUFFIXES = (f"{_OF_CLASS}{_CLAIMS}", f"{_OF_CLASS}{_STORAGE}")
_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"


class ClaimEvaluator(Evaluator):
    """Measures claims."""

    has_scopes = True

    def handles(self, operation: str, subresource: str, obj: JsonObject, old: JsonObject | None) -> bool:
        # What a volume has been given, and its attributes, are told in the status.
        return subresource in ("", "status")

    def resources(self, names: Iterable[str], around: Surroundings) -> set[str]:
        return {each for each in names if each in (_COUNT, _CLAIMS, _STORAGE) or each.endswith(_SUFFIXES)}

    def matches(self, selector: Selector, obj: JsonObject) -> bool:
        if selector.scope != "VolumeAttributesClass":
            return False
        classes = _attributes_classes(obj)
        if selector.operator == "Exists":
            return bool(classes)
        return any(selector.selects(each) for each in classes) if classes else selector.selects(None)

    def usage(self, obj: JsonObject, around: Surroundings) -> Amounts:
        used = {_CLAIMS: ONE, _COUNT: ONE}
        of_class = _class(obj)
        if of_class:
            used[f"{of_class}{_OF_CLASS}{_CLAIMS}"] = ONE
        storage = _storage(obj)
        if storage is not None:
            used[_STORAGE] = storage
            if of_class:
                used[f"{of_class}{_OF_CLASS}{_STORAGE}"] = storage
        return used


def _class(claim: JsonObject) -> str:
    annotated: str | None = (claim["metadata"].get("annotations") or {}).get(_CLASS_ANNOTATION)
    said: str = (claim.get("spec") or {}).get("storageClassName") or ""
    return said if annotated is None else annotated


def _storage(claim: JsonObject) -> Quantity | None:
    """Whole bytes; what has been given where that is more than what is asked for."""
    asked: str | None = (((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}).get(
        "storage"
    )
    if asked is None:
        return None
    amount = parse_quantity(asked)
    given: str | None = ((claim.get("status") or {}).get("allocatedResources") or {}).get("storage")
    if given is not None and parse_quantity(given) > amount:
        amount = parse_quantity(given)
    whole = Quantity(amount.value(), format=amount.format)
    return amount if whole == amount else whole


def _attributes_classes(claim: JsonObject) -> set[str]:
    status: JsonObject = claim.get("status") or {}
    names = (
        (claim.get("spec") or {}).get("volumeAttributesClassName"),
        status.get("currentVolumeAttributesClassName"),
        (status.get("modifyVolumeStatus") or {}).get("targetVolumeAttributesClassName"),
    )
    return {each for each in names if each}
