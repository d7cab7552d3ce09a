"""Which function prints which built-in kind.

Promises
    K1  the cells of an object are those that Kubernetes 1.36 sends, wide ones included
    K2  an object with members missing gets cells, not an error
"""

from importlib import import_module
from typing import Any

from kajitori.apimachinery.kind import JsonObject

from .columns import columns, has_own_columns
from .table import CellsOf, Printer, RowConditionsOf

__all__ = ["builtin_printer", "cells"]

# Resource by group: the module and the function. Modules are imported when the first of their kinds is printed.
_FUNCTIONS = {
    "pods": "pods.pod_cells",
    "podtemplates": "workloads.pod_template_cells",
    "replicationcontrollers": "workloads.replication_controller_cells",
    "deployments.apps": "workloads.deployment_cells",
    "replicasets.apps": "workloads.replica_set_cells",
    "statefulsets.apps": "workloads.stateful_set_cells",
    "daemonsets.apps": "workloads.daemon_set_cells",
    "controllerrevisions.apps": "workloads.controller_revision_cells",
    "jobs.batch": "workloads.job_cells",
    "cronjobs.batch": "workloads.cron_job_cells",
    "horizontalpodautoscalers.autoscaling": "workloads.horizontal_pod_autoscaler_cells",
    "poddisruptionbudgets.policy": "workloads.pod_disruption_budget_cells",
    "services": "network.service_cells",
    "endpoints": "network.endpoints_cells",
    "endpointslices.discovery.k8s.io": "network.endpoint_slice_cells",
    "ingresses.networking.k8s.io": "network.ingress_cells",
    "ingressclasses.networking.k8s.io": "network.ingress_class_cells",
    "networkpolicies.networking.k8s.io": "network.network_policy_cells",
    "ipaddresses.networking.k8s.io": "network.ip_address_cells",
    "servicecidrs.networking.k8s.io": "network.service_cidr_cells",
    "persistentvolumes": "volumes.persistent_volume_cells",
    "persistentvolumeclaims": "volumes.persistent_volume_claim_cells",
    "storageclasses.storage.k8s.io": "volumes.storage_class_cells",
    "volumeattributesclasses.storage.k8s.io": "volumes.volume_attributes_class_cells",
    "volumeattachments.storage.k8s.io": "volumes.volume_attachment_cells",
    "csidrivers.storage.k8s.io": "volumes.csi_driver_cells",
    "csinodes.storage.k8s.io": "volumes.csi_node_cells",
    "deviceclasses.resource.k8s.io": "volumes.device_class_cells",
    "resourceclaims.resource.k8s.io": "volumes.resource_claim_cells",
    "resourceclaimtemplates.resource.k8s.io": "cluster.name_and_age_cells",
    "resourceslices.resource.k8s.io": "volumes.resource_slice_cells",
    "namespaces": "cluster.namespace_cells",
    "configmaps": "cluster.config_map_cells",
    "secrets": "cluster.secret_cells",
    "serviceaccounts": "cluster.name_and_age_cells",
    "nodes": "cluster.node_cells",
    "componentstatuses": "cluster.component_status_cells",
    "events": "cluster.event_cells",
    "events.events.k8s.io": "cluster.new_event_cells",
    "resourcequotas": "cluster.quota_cells",
    "rolebindings.rbac.authorization.k8s.io": "cluster.binding_cells",
    "clusterrolebindings.rbac.authorization.k8s.io": "cluster.binding_cells",
    "certificatesigningrequests.certificates.k8s.io": "cluster.certificate_signing_request_cells",
    "leases.coordination.k8s.io": "cluster.lease_cells",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": "cluster.webhook_cells",
    "validatingwebhookconfigurations.admissionregistration.k8s.io": "cluster.webhook_cells",
    "validatingadmissionpolicies.admissionregistration.k8s.io": "cluster.validating_policy_cells",
    "mutatingadmissionpolicies.admissionregistration.k8s.io": "cluster.mutating_policy_cells",
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": "cluster.admission_binding_cells",
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io": "cluster.admission_binding_cells",
    "priorityclasses.scheduling.k8s.io": "cluster.priority_class_cells",
    "runtimeclasses.node.k8s.io": "cluster.runtime_class_cells",
    "flowschemas.flowcontrol.apiserver.k8s.io": "cluster.flow_schema_cells",
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": "cluster.priority_level_cells",
    "apiservices.apiregistration.k8s.io": "cluster.api_service_cells",
}
_OTHER_VERSIONS = {
    ("v1", "horizontalpodautoscalers.autoscaling"): "workloads.horizontal_pod_autoscaler_v1_cells",
}
"""Where a version has other members than the newest."""
_DEFAULT = "cluster.named_cells"


def builtin_printer(group: str, version: str, resource: str) -> Printer:
    """What prints the objects of a built-in resource (`apps`, `v1`, `deployments`)."""
    name = f"{resource}.{group}" if group else resource
    path = _OTHER_VERSIONS.get((version, name)) or _FUNCTIONS.get(name, _DEFAULT)
    if not has_own_columns(group, version, resource):
        path = _DEFAULT
    cells_of: CellsOf = _function(path)
    conditions_of: RowConditionsOf | None = None
    if name == "pods":
        conditions_of = _function("pods.pod_row_conditions")
    return Printer(columns(group, version, resource), cells_of, conditions_of)


def _function(path: str) -> Any:
    module, _, name = path.partition(".")
    return getattr(import_module(f".{module}", __package__), name)


def cells(group: str, version: str, resource: str, value: JsonObject, now: float) -> list[Any]:
    """The cells of one object; for many objects, take a `builtin_printer` once."""
    return builtin_printer(group, version, resource).cells_of(value, now)
