"""Defaults of claims on devices.

When a taint was added is the one default that needs a clock; strategies set it (`DeviceTaint.timeAdded`).

Source: pkg/apis/resource/v1/defaults.go.
"""

from kajitori.apimachinery.kind import JsonObject

__all__ = ["DEFAULTS"]

_PACKAGE = "io.k8s.api.resource.v1."


def _request(obj: JsonObject) -> None:
    if obj.setdefault("allocationMode", "ExactCount") == "ExactCount" and not obj.get("count"):
        obj["count"] = 1


def _device(obj: JsonObject) -> None:
    for mapping in (obj.get("nodeAllocatableResourceMappings") or {}).values():
        mapping.setdefault("allocationMultiplier", "1")


DEFAULTS = {
    f"{_PACKAGE}Device": _device,
    f"{_PACKAGE}DeviceSubRequest": _request,
    f"{_PACKAGE}ExactDeviceRequest": _request,
}
