"""The kinds that keep Pods running: Deployments and what they are made of.

Source: pkg/registry/apps, pkg/registry/core/replicationcontroller, and the update rules of pkg/apis/apps/validation.
"""

from typing import Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import is_dns1123_label, name_is_dns_label
from kajitori.apis.strategies.base import NOBODY, Occasion, Path, Strategy
from kajitori.apis.strategies.disabled import drop_pod_fields
from kajitori.apis.strategies.pod_templates import template_warnings
from kajitori.apis.strategies.volume_warnings import claim_warnings

__all__ = ["STRATEGIES", "hostname_warnings"]


def hostname_warnings(name: str) -> list[str]:
    """A warning when Pods named after an object have no name that a host can have."""
    problems = is_dns1123_label(name)
    if not problems:
        return []
    return [
        "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; "
        f"a DNS label is recommended: [{' '.join(problems)}]"
    ]


def collision_errors(obj: JsonObject, old: JsonObject) -> list[FieldError]:
    """A complaint when the count of hash collisions goes back."""
    new_count, old_count = obj["status"].get("collisionCount"), old["status"].get("collisionCount")
    if old_count is None or (new_count is not None and new_count >= old_count):
        return []
    return [FieldError.invalid("status.collisionCount", new_count or 0, "cannot be decremented")]


class _Workload(Strategy):
    counts_generations = True
    warns_of_hostname = False

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        super().prepare_for_create(obj, occasion)
        drop_pod_fields((obj["spec"].get("template") or {}).get("spec"), None)

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        if not subresource:
            before = (old["spec"].get("template") or {}).get("spec")
            drop_pod_fields((obj["spec"].get("template") or {}).get("spec"), before)
        super().prepare_for_update(obj, old, subresource, occasion)

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        if subresource:
            return []
        if old is None:
            name = obj["metadata"].get("name", "")
            told = hostname_warnings(name) if self.warns_of_hostname else []
            return told + template_warnings("spec.template", obj["spec"].get("template"), None)
        if obj["metadata"].get("generation") == old["metadata"].get("generation"):
            return []
        return template_warnings("spec.template", obj["spec"].get("template"), old["spec"].get("template"))

    def immutable_selector(self, obj: JsonObject, old: JsonObject) -> list[FieldError]:
        return self.unchanged(obj["spec"].get("selector"), old["spec"].get("selector"), "spec.selector")


class ReplicationController(_Workload):
    default_propagation = "Orphan"
    warns_of_hostname = True
    field_labels = frozenset({"status.replicas"})

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        return {"status.replicas": str(obj["status"].get("replicas", 0))}


class ReplicaSet(_Workload):
    warns_of_hostname = True

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        return [] if subresource else self.immutable_selector(obj, old)


class Deployment(_Workload):
    warns_of_hostname = True
    status_keeps = ("labels",)

    def is_changed(self, obj: JsonObject, old: JsonObject) -> bool:
        # The revision is an annotation, and a controller that acts on it must see that it is new.
        return super().is_changed(obj, old) or (
            (obj["metadata"].get("annotations") or None) != (old["metadata"].get("annotations") or None)
        )

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        return collision_errors(obj, old) if subresource else self.immutable_selector(obj, old)


class DaemonSet(_Workload):
    immutable_first = True
    _counter = "deprecated.daemonset.template.generation"

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        super().prepare_for_create(obj, occasion)
        annotations = obj["metadata"].setdefault("annotations", {})
        annotations[self._counter] = str(max(1, self._template_generation(obj)))

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        super().prepare_for_update(obj, old, subresource, occasion)
        count = self._template_generation(old)
        if obj["spec"].get("template") != old["spec"].get("template"):
            count += 1
        obj["metadata"].setdefault("annotations", {})[self._counter] = str(count)

    def _template_generation(self, obj: JsonObject) -> int:
        """How often the template has changed; apps/v1 has no field for it and keeps it in an annotation."""
        annotations: dict[str, str] = obj["metadata"].get("annotations") or {}
        text = annotations.get(self._counter, "")
        return int(text) if text.lstrip("-").isascii() and text.lstrip("-").isdigit() else 0

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        return collision_errors(obj, old) if subresource else self.immutable_selector(obj, old)


class StatefulSet(_Workload):
    name_error = staticmethod(name_is_dns_label)
    _mutable = frozenset(
        {
            "minReadySeconds",
            "ordinals",
            "persistentVolumeClaimRetentionPolicy",
            "replicas",
            "revisionHistoryLimit",
            "template",
            "updateStrategy",
        }
    )

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        super().prepare_for_create(obj, occasion)
        self._drop_max_unavailable(obj, None)

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        if not subresource:
            self._drop_max_unavailable(obj, old)
        super().prepare_for_update(obj, old, subresource, occasion)

    def _drop_max_unavailable(self, obj: JsonObject, old: JsonObject | None) -> None:
        """MaxUnavailableStatefulSet is off by default."""
        before = ((old or {"spec": {}})["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
        rolling = (obj["spec"].get("updateStrategy") or {}).get("rollingUpdate")
        if rolling and "maxUnavailable" not in before:
            rolling.pop("maxUnavailable", None)

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        if subresource:
            return collision_errors(obj, old)
        if self._fixed(obj["spec"]) == self._fixed(old["spec"]):
            return []
        told = (
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
            "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
            "'minReadySeconds' are forbidden"
        )
        return [FieldError.forbidden("spec", told)]

    def _fixed(self, spec: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in spec.items() if name not in self._mutable}

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        if subresource:
            return []
        told = super().warnings(obj, old)
        for index, claim in enumerate(obj["spec"].get("volumeClaimTemplates") or ()):
            path = f"spec.volumeClaimTemplates[{index}]"
            told += claim_warnings(path if old is None else f"{path}.Spec", claim["spec"])
        if obj["spec"].get("revisionHistoryLimit", 0) < 0:
            told.append(
                "spec.revisionHistoryLimit: a negative value retains all historical revisions; "
                "a value >= 0 is recommended"
            )
        return told


class ControllerRevision(Strategy):
    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        return self.unchanged(obj.get("data"), old.get("data"), "data")

    def reset_fields(self, subresource: str = "") -> tuple[Path, ...]:
        return ()


STRATEGIES: dict[str, type[Strategy]] = {
    "/replicationcontrollers": ReplicationController,
    "apps/controllerrevisions": ControllerRevision,
    "apps/daemonsets": DaemonSet,
    "apps/deployments": Deployment,
    "apps/replicasets": ReplicaSet,
    "apps/statefulsets": StatefulSet,
}
