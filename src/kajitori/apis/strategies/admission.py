"""Kinds that extend the API server itself: admission, custom kinds, other API servers.

Source: pkg/registry/admissionregistration, apiextensions-apiserver's and kube-aggregator's registries.
"""

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import name_is_path_segment
from kajitori.apis.strategies.base import NOBODY, Occasion, ResetsMetadata, Strategy
from kajitori.apis.validation.capabilities import CAPABILITIES

__all__ = ["STATIC_SUFFIX", "STRATEGIES"]

STATIC_SUFFIX = ".static.k8s.io"
"""How names of webhooks and policies end that lie in files."""

_RESERVED = (
    f'names ending with "{STATIC_SUFFIX}" are reserved for static manifest-based configurations and cannot be '
    "managed via the API"
)


def _name(obj: JsonObject) -> str:
    name: str = obj["metadata"].get("name", "")
    return name


class _Admission(Strategy):
    counts_generations = True
    allow_unconditional_update = False

    def validate(self, obj: JsonObject) -> list[FieldError]:
        errors = super().validate(obj)
        if CAPABILITIES.reserves_static_names and _name(obj).endswith(STATIC_SUFFIX):
            errors.append(FieldError.invalid("metadata.name", _name(obj), _RESERVED))
        return errors

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        return [f"metadata.name: {_RESERVED}"] if _name(obj).endswith(STATIC_SUFFIX) else []


class Policy(_Admission, ResetsMetadata):
    """Of the two kinds of policies only the validating one has a status."""


class PolicyBinding(_Admission):
    pass


class WebhookConfiguration(_Admission):
    generation_parts = ("webhooks",)


class APIService(Strategy):
    name_error = staticmethod(name_is_path_segment)
    status_keeps = ("labels", "annotations", "finalizers", "ownerReferences")

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        super().prepare_for_create(obj, occasion)
        if "service" not in obj["spec"]:
            obj["status"]["conditions"] = [
                {
                    "type": "Available",
                    "status": "True",
                    "lastTransitionTime": occasion.now or obj["metadata"].get("creationTimestamp"),
                    "reason": "Local",
                    "message": "Local APIServices are always available",
                }
            ]


STRATEGIES: dict[str, type[Strategy]] = {
    "admissionregistration.k8s.io/mutatingadmissionpolicies": Policy,
    "admissionregistration.k8s.io/mutatingadmissionpolicybindings": PolicyBinding,
    "admissionregistration.k8s.io/mutatingwebhookconfigurations": WebhookConfiguration,
    "admissionregistration.k8s.io/validatingadmissionpolicies": Policy,
    "admissionregistration.k8s.io/validatingadmissionpolicybindings": PolicyBinding,
    "admissionregistration.k8s.io/validatingwebhookconfigurations": WebhookConfiguration,
    "apiregistration.k8s.io/apiservices": APIService,
}
