"""Devices and the claims on them.

Source: pkg/registry/resource and the update rules of pkg/apis/resource/validation. Fields of features that are off
by default (DRAListTypeAttributes, DRANodeAllocatableResources) are taken out.
"""

from typing import Any

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.strategies.base import NOBODY, Occasion, ResetsMetadata, Strategy

__all__ = ["STRATEGIES"]

_LIST_VALUES = ("bools", "ints", "strings", "versions")


class ResourceClaim(ResetsMetadata):
    returns_deleted = True

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        super().prepare_for_update(obj, old, subresource, occasion)
        if subresource == "status":
            _drop_deallocated(obj["status"], old["status"])

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        if not subresource:
            return self.unchanged(obj.get("spec"), old.get("spec"), "spec", "resource.v1.ResourceClaimSpec")
        new, kept = obj["status"].get("allocation"), old["status"].get("allocation")
        if new is None or kept is None:
            return []
        return self.unchanged(new, kept, "status.allocation", "resource.v1.AllocationResult")


def _drop_deallocated(status: JsonObject, old: JsonObject) -> None:
    """Takes out the statuses of devices that the claim has just given back."""

    def allocated(each: JsonObject) -> set[tuple[Any, ...]]:
        results = ((each.get("allocation") or {}).get("devices") or {}).get("results") or ()
        return {_device(result) for result in results}

    gone = allocated(old) - allocated(status)
    kept = [each for each in status.get("devices") or () if _device(each) not in gone]
    if kept:
        status["devices"] = kept
    else:
        status.pop("devices", None)


def _device(result: JsonObject) -> tuple[Any, ...]:
    return tuple(result.get(member) for member in ("driver", "pool", "device", "shareID"))


class ResourceClaimTemplate(Strategy):
    returns_deleted = True

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        definition = "resource.v1.ResourceClaimTemplateSpec"
        return self.unchanged(obj.get("spec"), old.get("spec"), "spec", definition)


class DeviceClass(Strategy):
    returns_deleted = True
    counts_generations = True


class ResourceSlice(Strategy):
    returns_deleted = True
    counts_generations = True
    field_labels = frozenset({"spec.nodeName", "spec.driver"})

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        super().prepare_for_create(obj, occasion)
        _drop_disabled(obj["spec"], None)
        _note_taints(obj["spec"], occasion.now)

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        _note_taints(obj["spec"], occasion.now)
        super().prepare_for_update(obj, old, subresource, occasion)
        _drop_disabled(obj["spec"], old["spec"])

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        spec, before = obj["spec"], old["spec"]
        errors = self.unchanged(
            spec["pool"].get("name"), before["pool"].get("name"), "spec.pool.name"
        ) + self.unchanged(spec.get("driver"), before.get("driver"), "spec.driver")
        if spec.get("nodeName") != before.get("nodeName"):
            errors.append(FieldError.invalid("spec.nodeName", spec.get("nodeName"), "field is immutable"))
        return errors

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        driver = obj["spec"].get("driver", "")
        if driver == driver.lower():
            return []
        shown = go_quote(driver)
        return [f"spec.driver: driver names should be lowercase; {shown} contains uppercase characters"]

    def unknown_field_label(self, label: str) -> str:
        return f"field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: {label}"

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        spec = obj["spec"]
        return {"spec.nodeName": spec.get("nodeName", ""), "spec.driver": spec.get("driver", "")}


def _note_taints(spec: JsonObject, now: str) -> None:
    """Says since when a device has a taint, where nobody else does."""
    for device in spec.get("devices") or ():
        for taint in device.get("taints") or ():
            if now and not taint.get("timeAdded"):
                taint["timeAdded"] = now


def _drop_disabled(spec: JsonObject, old: JsonObject | None) -> None:
    before: list[JsonObject] = (old or {}).get("devices") or []
    if not any(each.get("nodeAllocatableResourceMappings") for each in before):
        for device in spec.get("devices") or ():
            device.pop("nodeAllocatableResourceMappings", None)
    if not any(
        member in value for device in before for value in _attributes(device) for member in _LIST_VALUES
    ):
        for device in spec.get("devices") or ():
            for value in _attributes(device):
                for member in _LIST_VALUES:
                    value.pop(member, None)


def _attributes(device: JsonObject) -> list[JsonObject]:
    return list((device.get("attributes") or {}).values())


STRATEGIES: dict[str, type[Strategy]] = {
    "resource.k8s.io/deviceclasses": DeviceClass,
    "resource.k8s.io/resourceclaims": ResourceClaim,
    "resource.k8s.io/resourceclaimtemplates": ResourceClaimTemplate,
    "resource.k8s.io/resourceslices": ResourceSlice,
}
