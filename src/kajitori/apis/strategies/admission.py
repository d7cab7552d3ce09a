"""Kinds that extend the API server itself: admission, custom kinds, other API servers.

Source: pkg/registry/admissionregistration, apiextensions-apiserver's and kube-aggregator's registries.
"""

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import name_is_path_segment
from kajitori.apis.strategies.base import NOBODY, Occasion, ResetsMetadata, Strategy

__all__ = ["STRATEGIES"]

_STATIC_SUFFIX = ".static.k8s.io"


class _Admission(Strategy):
    counts_generations = True
    allow_unconditional_update = False

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        if not obj["metadata"].get("name", "").endswith(_STATIC_SUFFIX):
            return []
        return [
            f'metadata.name: names ending with "{_STATIC_SUFFIX}" are reserved for static manifest-based '
            "configurations and cannot be managed via the API"
        ]


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
