"""What the fields of built-in kinds may say, one module for kinds that go together; found here by resource.

Strategies ask: what may never change is theirs, what may not be said at all is here. A module tells its rules in
`VALIDATORS`, by resource; modules are imported when an object of theirs is first checked.

Promises
    V1  a kind without rules has no complaints
    V2  every complaint has the path, the type and the message that Kubernetes gives it
    V3  objects are only read, never changed

Source: pkg/apis/*/validation of Kubernetes.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apis.validation.metadata import changed_metadata, judges_new, new_metadata
from kajitori.apis.validation.validator import Validator

__all__ = [
    "Validator",
    "changed_metadata",
    "judges_new",
    "new_metadata",
    "validate",
    "validate_update",
]

_MODULES: Mapping[str, tuple[str, ...]] = {
    # Module of this package to the resources whose rules it has, in its `VALIDATORS`.
    "pods": ("/pods",),
    "pod_templates": ("/podtemplates", "/replicationcontrollers"),
    "apps": (
        "apps/controllerrevisions",
        "apps/daemonsets",
        "apps/deployments",
        "apps/replicasets",
        "apps/statefulsets",
    ),
    "jobs": ("batch/cronjobs", "batch/jobs"),
    "services": ("/services",),
    "endpoints": ("/endpoints", "discovery.k8s.io/endpointslices"),
    "configuration": ("/configmaps", "/namespaces", "/secrets"),
    "nodes": ("/nodes",),
    "quotas": ("/limitranges", "/resourcequotas"),
    "event_records": ("/events",),
    "persistent_volumes": ("/persistentvolumes",),
    "claims": ("/persistentvolumeclaims",),
    "ingresses": ("networking.k8s.io/ingresses",),
    "network_policies": ("networking.k8s.io/networkpolicies",),
    "networks": (
        "networking.k8s.io/ingressclasses",
        "networking.k8s.io/ipaddresses",
        "networking.k8s.io/servicecidrs",
    ),
    "storage": (
        "storage.k8s.io/csidrivers",
        "storage.k8s.io/csinodes",
        "storage.k8s.io/csistoragecapacities",
        "storage.k8s.io/storageclasses",
        "storage.k8s.io/volumeattachments",
        "storage.k8s.io/volumeattributesclasses",
    ),
    "access": (
        "rbac.authorization.k8s.io/clusterrolebindings",
        "rbac.authorization.k8s.io/clusterroles",
        "rbac.authorization.k8s.io/rolebindings",
        "rbac.authorization.k8s.io/roles",
    ),
    "others": (
        "apiregistration.k8s.io/apiservices",
        "coordination.k8s.io/leases",
        "node.k8s.io/runtimeclasses",
        "policy/poddisruptionbudgets",
        "scheduling.k8s.io/priorityclasses",
    ),
    "autoscalers": ("autoscaling/horizontalpodautoscalers",),
    "certificates": ("certificates.k8s.io/certificatesigningrequests",),
    "admission_policies": (
        "admissionregistration.k8s.io/mutatingadmissionpolicies",
        "admissionregistration.k8s.io/mutatingadmissionpolicybindings",
        "admissionregistration.k8s.io/validatingadmissionpolicies",
        "admissionregistration.k8s.io/validatingadmissionpolicybindings",
    ),
    "admission_webhooks": (
        "admissionregistration.k8s.io/mutatingwebhookconfigurations",
        "admissionregistration.k8s.io/validatingwebhookconfigurations",
    ),
    "flow_schemas": ("flowcontrol.apiserver.k8s.io/flowschemas",),
    "priority_levels": ("flowcontrol.apiserver.k8s.io/prioritylevelconfigurations",),
    "device_claims": (
        "resource.k8s.io/deviceclasses",
        "resource.k8s.io/resourceclaims",
        "resource.k8s.io/resourceclaimtemplates",
    ),
    "device_slices": ("resource.k8s.io/resourceslices",),
}


def validate(kind: Kind, obj: JsonObject) -> list[FieldError]:
    """Complaints about a new object of a built-in kind, besides its metadata."""
    errors: list[FieldError] = []
    validator = _validator(kind.group, kind.plural)
    if validator:
        validator.create(obj, errors)
    return errors


def validate_update(kind: Kind, obj: JsonObject, old: JsonObject, subresource: str) -> list[FieldError]:
    """Complaints about a change of an object of a built-in kind, besides its metadata."""
    errors: list[FieldError] = []
    validator = _validator(kind.group, kind.plural)
    if validator:
        validator.update(obj, old, subresource, errors)
    return errors


@cache
def _modules() -> dict[str, str]:
    return {resource: module for module, resources in _MODULES.items() for resource in resources}


@cache
def _validator(group: str, plural: str) -> Validator | None:
    module = _modules().get(f"{group}/{plural}")
    if module is None:
        return None
    found: Mapping[str, Validator] = import_module(f"{__name__}.{module}").VALIDATORS
    return found[plural]
