"""Kinds alone in their group: leases, budgets, priorities, runtimes, flow control.

Source: pkg/registry/{coordination,policy,scheduling,node,flowcontrol} and the update rules of their validation.
"""

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import name_is_path_segment
from kajitori.apis.strategies.base import NOBODY, Occasion, ResetsMetadata, Strategy
from kajitori.apis.strategies.node_labels import DEPRECATED

__all__ = ["STRATEGIES"]


class Lease(Strategy):
    allow_create_on_update = True
    allow_unconditional_update = False
    _coordinated = ("strategy", "preferredHolder")
    """Of CoordinatedLeaderElection, which is off by default."""

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        for member in self._coordinated:
            obj["spec"].pop(member, None)

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        for member in self._coordinated:
            if member not in old["spec"]:
                obj["spec"].pop(member, None)


class PodDisruptionBudget(Strategy):
    name_error = staticmethod(name_is_path_segment)
    counts_generations = True
    allow_unconditional_update = False


class PriorityClass(Strategy):
    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        obj["metadata"]["generation"] = 1

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        errors: list[FieldError] = []
        if obj.get("value") != old.get("value"):
            errors.append(FieldError.forbidden("value", "may not be changed in an update."))
        policy = obj.get("preemptionPolicy")
        return errors + self.unchanged(policy, old.get("preemptionPolicy"), "preemptionPolicy")


class RuntimeClass(Strategy):
    allow_create_on_update = True
    allow_unconditional_update = False

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        return self.unchanged(obj.get("handler"), old.get("handler"), "handler")

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        selector = (obj.get("scheduling") or {}).get("nodeSelector") or {}
        return [f"scheduling.nodeSelector: {DEPRECATED[key]}" for key in selector if key in DEPRECATED]


class FlowControl(ResetsMetadata):
    counts_generations = True
    status_keeps = (*ResetsMetadata.status_keeps, "generateName", "deletionGracePeriodSeconds")


STRATEGIES: dict[str, type[Strategy]] = {
    "coordination.k8s.io/leases": Lease,
    "flowcontrol.apiserver.k8s.io/flowschemas": FlowControl,
    "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations": FlowControl,
    "node.k8s.io/runtimeclasses": RuntimeClass,
    "policy/poddisruptionbudgets": PodDisruptionBudget,
    "scheduling.k8s.io/priorityclasses": PriorityClass,
}
