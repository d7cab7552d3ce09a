"""The simple kinds of the core group: configuration, secrets, namespaces, nodes, events, quotas, accounts.

Source: pkg/registry/core and the update rules of pkg/apis/core/validation.
"""

from collections.abc import Mapping
from typing import Any

from kajitori.apimachinery.errors import BadRequest, FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import parse_quantity
from kajitori.apimachinery.validation import name_is_dns_label
from kajitori.apis.resources import ResourceInfo
from kajitori.apis.strategies.base import IMMUTABLE, NOBODY, Occasion, Path, Strategy
from kajitori.apis.strategies.key_pairs import key_pair_problem
from kajitori.apis.validation import Validator

__all__ = ["STRATEGIES"]

_SET_IMMUTABLE = "field is immutable when `immutable` is set"
_KUBERNETES = "kubernetes"


class _Immutables(Strategy):
    """ConfigMaps and Secrets: once marked immutable, they stay so."""

    immutable_first = True
    immutable_parts: tuple[str, ...] = ()

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        if not old.get("immutable"):
            return []
        errors: list[FieldError] = []
        if not obj.get("immutable"):
            errors.append(FieldError.forbidden("immutable", _SET_IMMUTABLE))
        for part in self.immutable_parts:
            if obj.get(part) != old.get(part):
                errors.append(FieldError.forbidden(part, _SET_IMMUTABLE))
        return errors


class ConfigMap(_Immutables):
    immutable_parts = ("data", "binaryData")


class Secret(_Immutables):
    immutable_parts = ("data",)
    field_labels = frozenset({"type"})

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        if not obj.get("type"):
            obj["type"] = old["type"]

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        return self.unchanged(obj.get("type"), old.get("type"), "type") + super().immutable(obj, old)

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        return {"type": obj.get("type", "")}

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        if obj.get("type") != "kubernetes.io/tls":
            return []
        data = obj.get("data") or {}
        problem = key_pair_problem(data.get("tls.crt", ""), data.get("tls.key", ""))
        return [problem] if problem else []


class Namespace(Strategy):
    name_error = staticmethod(name_is_dns_label)
    returns_deleted = True
    field_labels = frozenset({"name", "status.phase"})

    def zero_status(self) -> JsonObject:
        return {"phase": "Active"}

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        super().prepare_for_create(obj, occasion)
        finalizers = obj["spec"].setdefault("finalizers", [])
        if _KUBERNETES not in finalizers:
            finalizers.append(_KUBERNETES)

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        if subresource == "finalize":
            obj["status"] = old["status"]
            return
        super().prepare_for_update(obj, old, subresource, occasion)
        if not subresource:
            finalizers = old["spec"].get("finalizers")
            if finalizers:
                obj["spec"]["finalizers"] = finalizers
            else:
                obj["spec"].pop("finalizers", None)

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        if subresource != "status":
            return []
        phase = obj["status"].get("phase", "")
        deleted = "deletionTimestamp" in obj["metadata"]
        wanted, told = ("Terminating", "not empty") if deleted else ("Active", "empty")
        if phase == wanted:
            return []
        detail = f"may only be '{wanted}' if `deletionTimestamp` is {told}"
        return [FieldError.invalid("status.Phase", phase, detail)]

    def field_label(self, label: str) -> str:
        if label == "name":  # kept for selecting inside the server, never offered to clients
            raise BadRequest(self.unknown_field_label(label))
        return super().field_label(label)

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        return {"name": obj["metadata"].get("name", ""), "status.phase": obj["status"].get("phase", "")}

    def may_go(self, obj: JsonObject) -> bool:
        return not obj["spec"].get("finalizers")

    def mark_deleted(self, obj: JsonObject) -> None:
        obj["status"]["phase"] = "Terminating"

    def reset_fields(self, subresource: str = "") -> tuple[Path, ...]:
        return (("spec",),) if subresource == "status" else (("status",),)


class Node(Strategy):
    field_labels = frozenset({"spec.unschedulable"})

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        # A node tells its status when it registers itself, so it is kept.
        obj["spec"].pop("configSource", None)
        obj["status"].pop("config", None)

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        super().prepare_for_update(obj, old, subresource, occasion)
        if subresource == "status":
            if "config" not in old["status"]:
                obj["status"].pop("config", None)
        elif "configSource" not in old["spec"]:
            obj["spec"].pop("configSource", None)

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        errors: list[FieldError] = []
        new_spec, old_spec = obj["spec"], old["spec"]
        cidrs = old_spec.get("podCIDRs") or []
        if cidrs:
            told = 'node updates may not change podCIDR except from "" to valid'
            changed = new_spec.get("podCIDRs") or []
            count = (
                1 if len(cidrs) != len(changed) else sum(a != b for a, b in zip(cidrs, changed, strict=True))
            )
            errors += [FieldError.forbidden("spec.podCIDRs", told)] * count
        provider = old_spec.get("providerID")
        if provider and provider != new_spec.get("providerID"):
            told = 'node updates may not change providerID except from "" to valid'
            errors.append(FieldError.forbidden("spec.providerID", told))
        if new_spec.get("externalID") != old_spec.get("externalID"):
            errors.append(FieldError.forbidden("spec.externalID", "may not be updated"))
        return errors

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        if subresource:
            return []
        told: list[str] = []
        if "configSource" in obj["spec"]:
            told.append("spec.configSource: the feature is removed")
        if obj["spec"].get("externalID"):
            told.append("spec.externalID: this field is deprecated, and is unused by Kubernetes")
        return told

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        return {"spec.unschedulable": "true" if obj["spec"].get("unschedulable") else "false"}


class Event(Strategy):
    """Events of both groups; fields are selected by the names that their group gives them."""

    allow_create_on_update = True
    default_propagation = ""
    _members = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
    field_labels = frozenset(
        {f"involvedObject.{each}" for each in _members} | {"reason", "reportingComponent", "source", "type"}
    )

    _renamed: Mapping[str, str] = {
        **{f"regarding.{each}": f"involvedObject.{each}" for each in _members},
        "reason": "reason",
        "reportingController": "reportingComponent",
        "type": "type",
    }
    """What events.k8s.io calls the fields that are stored under core/v1's names."""

    def __init__(self, info: ResourceInfo) -> None:
        super().__init__(info)
        self._is_renamed = bool(info.kind.group)

    def validate(self, obj: JsonObject) -> list[FieldError]:
        errors: list[FieldError] = []
        self._rules().create(obj, errors)
        return errors

    def validate_update(
        self,
        obj: JsonObject,
        old: JsonObject,
        subresource: str = "",
        warnings: list[str] | None = None,
    ) -> list[FieldError]:
        errors: list[FieldError] = []
        self._rules().update(obj, old, subresource, errors)
        return errors

    def _rules(self) -> Validator:
        from kajitori.apis.validation.event_records import NEW_EVENTS, VALIDATORS

        return NEW_EVENTS if self._is_renamed else VALIDATORS["events"]

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        """An event is kept as it is told."""

    def field_label(self, label: str) -> str:
        if not self._is_renamed or label in ("metadata.name", "metadata.namespace"):
            return super().field_label(label)
        if label not in self._renamed:
            raise BadRequest(self.unknown_field_label(label))
        return self._renamed[label]

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        involved = obj.get("involvedObject") or {}
        reporter = obj.get("reportingComponent", "")
        return {
            **{f"involvedObject.{each}": involved.get(each, "") for each in self._members},
            "reason": obj.get("reason", ""),
            "reportingComponent": reporter,
            "source": (obj.get("source") or {}).get("component") or reporter,
            "type": obj.get("type", ""),
        }


class ServiceAccount(Strategy):
    returns_deleted = True
    _enforce_mountable = "kubernetes.io/enforce-mountable-secrets"

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        self._clean_secrets(obj)

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        self._clean_secrets(obj)

    def _clean_secrets(self, obj: JsonObject) -> None:
        """A secret of an account is told by its name alone."""
        if "secrets" in obj:
            obj["secrets"] = [{"name": each["name"]} if "name" in each else {} for each in obj["secrets"]]

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        annotations: dict[str, str] = obj["metadata"].get("annotations") or {}
        before: dict[str, str] = (old["metadata"].get("annotations") if old else None) or {}
        if self._enforce_mountable not in annotations or self._enforce_mountable in before:
            return []
        return [
            f"metadata.annotations[{self._enforce_mountable}]: deprecated in v1.32+; "
            "prefer separate namespaces to isolate access to mounted secrets"
        ]


class ResourceQuota(Strategy):
    returns_deleted = True

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        scopes: list[str] = obj["spec"].get("scopes") or []
        if subresource or set(scopes) == set(old["spec"].get("scopes") or ()):
            return []
        return [FieldError.invalid("spec.scopes", obj["spec"].get("scopes"), IMMUTABLE)]

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        if old is not None:
            return []
        hard: dict[str, Any] = obj["spec"].get("hard") or {}
        told: list[str] = []
        for name in ("cpu", "memory", "storage", "ephemeral-storage"):
            request, limit = f"requests.{name}", f"limits.{name}"
            if request not in hard and name in ("cpu", "memory"):
                request = name
            if request not in hard or limit not in hard:
                continue
            if parse_quantity(hard[request]) > parse_quantity(hard[limit]):
                told.append(
                    f"ResourceQuota {request} ({hard[request]}) should be less than {limit} ({hard[limit]})"
                )
        return told


class LimitRange(Strategy):
    allow_create_on_update = True


STRATEGIES: dict[str, type[Strategy]] = {
    "/configmaps": ConfigMap,
    "/events": Event,
    "/limitranges": LimitRange,
    "/namespaces": Namespace,
    "/nodes": Node,
    "/resourcequotas": ResourceQuota,
    "/secrets": Secret,
    "/serviceaccounts": ServiceAccount,
}
