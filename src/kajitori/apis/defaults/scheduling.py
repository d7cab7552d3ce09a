"""Defaults of the scheduling group.

Source: pkg/apis/scheduling/v1/defaults.go.
"""

from kajitori.apimachinery.kind import JsonObject

__all__ = ["DEFAULTS"]


def _priority_class(obj: JsonObject) -> None:
    obj.setdefault("preemptionPolicy", "PreemptLowerPriority")


DEFAULTS = {"io.k8s.api.scheduling.v1.PriorityClass": _priority_class}
