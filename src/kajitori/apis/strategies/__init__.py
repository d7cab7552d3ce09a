"""What Kubernetes does in code with the objects of each kind; `strategy_for` finds it.

A kind that is not in the table below has the usual shape, which `Strategy` serves by itself.
"""

from functools import cache
from importlib import import_module

from kajitori.apis.resources import ResourceInfo, resources
from kajitori.apis.strategies.base import Occasion, Path, Strategy

__all__ = ["Occasion", "Path", "Strategy", "strategy_for"]

_MODULES: dict[str, tuple[str, ...]] = {
    # Module beside this one to the buckets whose strategies it has, in its `STRATEGIES`.
    "pods": ("/pods", "/podtemplates"),
    "workloads": (
        "/replicationcontrollers",
        "apps/controllerrevisions",
        "apps/daemonsets",
        "apps/deployments",
        "apps/replicasets",
        "apps/statefulsets",
    ),
    "batch": ("batch/cronjobs", "batch/jobs"),
    "services": ("/endpoints", "/services", "discovery.k8s.io/endpointslices"),
    "core": (
        "/configmaps",
        "/events",
        "/limitranges",
        "/namespaces",
        "/nodes",
        "/resourcequotas",
        "/secrets",
        "/serviceaccounts",
    ),
    "volumes": ("/persistentvolumeclaims", "/persistentvolumes"),
    "storage": (
        "storage.k8s.io/csidrivers",
        "storage.k8s.io/csinodes",
        "storage.k8s.io/csistoragecapacities",
        "storage.k8s.io/storageclasses",
        "storage.k8s.io/volumeattachments",
        "storage.k8s.io/volumeattributesclasses",
    ),
    "networking": (
        "networking.k8s.io/ingressclasses",
        "networking.k8s.io/ingresses",
        "networking.k8s.io/ipaddresses",
        "networking.k8s.io/networkpolicies",
        "networking.k8s.io/servicecidrs",
    ),
    "access": (
        "certificates.k8s.io/certificatesigningrequests",
        "rbac.authorization.k8s.io/clusterrolebindings",
        "rbac.authorization.k8s.io/clusterroles",
        "rbac.authorization.k8s.io/rolebindings",
        "rbac.authorization.k8s.io/roles",
    ),
    "admission": (
        "admissionregistration.k8s.io/mutatingadmissionpolicies",
        "admissionregistration.k8s.io/mutatingadmissionpolicybindings",
        "admissionregistration.k8s.io/mutatingwebhookconfigurations",
        "admissionregistration.k8s.io/validatingadmissionpolicies",
        "admissionregistration.k8s.io/validatingadmissionpolicybindings",
        "admissionregistration.k8s.io/validatingwebhookconfigurations",
        "apiregistration.k8s.io/apiservices",
    ),
    "custom_kinds": ("apiextensions.k8s.io/customresourcedefinitions",),
    "dynamic_resources": (
        "resource.k8s.io/deviceclasses",
        "resource.k8s.io/resourceclaims",
        "resource.k8s.io/resourceclaimtemplates",
        "resource.k8s.io/resourceslices",
    ),
    "others": (
        "coordination.k8s.io/leases",
        "flowcontrol.apiserver.k8s.io/flowschemas",
        "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations",
        "node.k8s.io/runtimeclasses",
        "policy/poddisruptionbudgets",
        "scheduling.k8s.io/priorityclasses",
    ),
}


@cache
def _modules() -> dict[str, str]:
    return {bucket: module for module, buckets in _MODULES.items() for bucket in buckets}


@cache
def _resources() -> dict[tuple[str, str], ResourceInfo]:
    # Of versions that share objects, the stored one stands for all.
    return {
        (each.kind.group, each.kind.plural): each
        for each in sorted(resources(), key=lambda info: info.kind == info.storage_kind)
    }


@cache
def strategy_for(group: str, resource: str) -> Strategy:
    """The strategy of a built-in resource, e.g. `apps`, `deployments`; one object for all its versions.

    Raises: KeyError when there is no such resource.
    """
    info = _resources()[group, resource]
    module = _modules().get(info.bucket)
    if module is None:
        return Strategy(info)
    strategies: dict[str, type[Strategy]] = import_module(f"{__name__}.{module}").STRATEGIES
    return strategies[info.bucket](info)
