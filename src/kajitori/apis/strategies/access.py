"""Who may do what: roles, bindings, and requests for certificates.

Source: pkg/registry/rbac, pkg/registry/certificates and the update rules of their validation.
"""

from typing import Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import name_is_path_segment
from kajitori.apis.strategies.base import NOBODY, Occasion, Path, Strategy

__all__ = ["STRATEGIES"]


class Role(Strategy):
    name_error = staticmethod(name_is_path_segment)
    allow_create_on_update = True


class Binding(Role):
    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        if obj.get("roleRef") == old.get("roleRef"):
            return []
        said = obj.get("roleRef") or {}
        # Shown as the fields of a Go struct, not as JSON.
        shown = {"APIGroup": said.get("apiGroup"), "Kind": said.get("kind"), "Name": said.get("name")}
        return [FieldError.invalid("roleRef", shown, "cannot change roleRef")]


def _any_name(name: str, prefix: bool) -> list[str]:
    return []


_DECISIONS = ("Approved", "Denied")


class CertificateSigningRequest(Strategy):
    name_error = staticmethod(_any_name)
    field_labels = frozenset({"spec.signerName"})

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        # A request says who made it, whatever it says itself.
        spec = obj["spec"]
        for member in ("username", "uid", "groups", "extra"):
            spec.pop(member, None)
        if occasion.username:
            spec["username"] = occasion.username
        if occasion.uid:
            spec["uid"] = occasion.uid
        if occasion.groups:
            spec["groups"] = list(occasion.groups)
        if occasion.extra:
            spec["extra"] = {key: list(values) for key, values in sorted(occasion.extra.items())}
        super().prepare_for_create(obj, occasion)

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        obj["spec"] = old["spec"]
        if not subresource:
            obj["status"] = old["status"]
            return
        sent: list[JsonObject] = obj["status"].get("conditions") or []
        if subresource == "status":
            for decision in _DECISIONS:
                _keep_conditions(sent, old["status"].get("conditions") or [], decision)
        _set_times(sent, old["status"].get("conditions") or [], occasion.now)
        if subresource == "approval":
            status: JsonObject = {name: each for name, each in old["status"].items() if name != "conditions"}
            obj["status"] = {"conditions": sent, **status} if sent else status

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        new: list[JsonObject] = obj["status"].get("conditions") or []
        kept: list[JsonObject] = old["status"].get("conditions") or []
        path = "status.conditions"
        errors: list[FieldError] = []
        for kind in (*_DECISIONS, "Failed"):
            if len(_of(new, kind)) < len(_of(kept, kind)):
                told = f'updates may not remove a condition of type "{kind}"'
                errors.append(FieldError.forbidden(path, told))
        for kind in _DECISIONS if subresource != "approval" else ():
            before, after = _of(kept, kind), _of(new, kind)
            if len(after) > len(before):
                told = f'updates may not add a condition of type "{kind}"'
                errors.append(FieldError.forbidden(path, told))
            elif len(after) == len(before) and after != before:
                told = f'updates may not modify a condition of type "{kind}"\n'
                errors.append(FieldError.forbidden(path, told))
        return errors + _certificate_errors(obj["status"], old["status"], subresource)

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        return {"spec.signerName": obj["spec"].get("signerName", "")}

    def reset_fields(self, subresource: str = "") -> tuple[Path, ...]:
        if subresource == "status":
            return (("spec",), ("status", "conditions"))
        if subresource == "approval":
            return (("spec",), ("status", "certificate"))
        return (("spec",), ("status",))


def _certificate_errors(status: JsonObject, old: JsonObject, subresource: str) -> list[FieldError]:
    if status.get("certificate") == old.get("certificate"):
        return []
    path = "status.certificate"
    if subresource != "status":
        return [FieldError.forbidden(path, "updates may not set certificate content")]
    if old.get("certificate"):
        return [FieldError.forbidden(path, "updates may not modify existing certificate content")]
    return []


def _of(conditions: list[JsonObject], kind: str) -> list[JsonObject]:
    return [each for each in conditions if each.get("type") == kind]


def _keep_conditions(sent: list[JsonObject], old: list[JsonObject], kind: str) -> None:
    """Decisions stay as they were made, as long as none is added or taken away."""
    places = [index for index, each in enumerate(sent) if each.get("type") == kind]
    kept = _of(old, kind)
    if len(places) == len(kept):
        for place, condition in zip(places, kept, strict=True):
            sent[place] = condition


def _set_times(conditions: list[JsonObject], old: list[JsonObject], now: str) -> None:
    for index, condition in enumerate(conditions):
        changed: dict[str, Any] = {}
        if not condition.get("lastUpdateTime") and now:
            changed["lastUpdateTime"] = now
        if not condition.get("lastTransitionTime"):
            times = [
                each["lastTransitionTime"]
                for each in old
                if (each.get("type"), each.get("status")) == (condition.get("type"), condition.get("status"))
                and each.get("lastTransitionTime")
            ]
            if times or now:
                changed["lastTransitionTime"] = times[0] if times else now
        if changed:
            conditions[index] = {**condition, **changed}


STRATEGIES: dict[str, type[Strategy]] = {
    "certificates.k8s.io/certificatesigningrequests": CertificateSigningRequest,
    "rbac.authorization.k8s.io/clusterrolebindings": Binding,
    "rbac.authorization.k8s.io/clusterroles": Role,
    "rbac.authorization.k8s.io/rolebindings": Binding,
    "rbac.authorization.k8s.io/roles": Role,
}
