"""The small objects: Services, ServiceAccount, PodDisruptionBudget."""

from typing import Any

from kajitori.apis import JsonObject, thaw
from kajitori.apis.mysql_v1beta2 import ServiceTemplate
from kajitori.apis.mysql_v1beta2.names import LABEL_ROLE, RESERVED_PORTS
from kajitori.operators.mysql.objects.base import Rendering

__all__ = ["disruption_budget", "service_account", "services"]

BUDGET_REPLICAS_MIN = 3
"""With fewer instances a budget could only forbid every eviction or none."""

_OURS_IN_A_TEMPLATE = ("clusterIP", "clusterIPs", "selector")


def services(rendering: Rendering) -> list[JsonObject]:
    """Headless for the Pods' names, and one each for the primary and the replicas."""
    names, spec = rendering.names, rendering.spec
    return [
        _headless_service(rendering),
        _role_service(rendering, names.primary_service, "primary", spec.primary_service_template),
        _role_service(rendering, names.replica_service, "replica", spec.replica_service_template),
    ]


def _headless_service(rendering: Rendering) -> JsonObject:
    service = rendering.owned("v1", "Service", rendering.names.prefixed)
    service["spec"] = {
        "type": "ClusterIP",
        "clusterIP": "None",
        # Instances must find one another before they are ready.
        "publishNotReadyAddresses": True,
        "selector": rendering.labels,
        "ports": [_port(name) for name in ("mysql", "mysqlx", "mysql-admin")],
    }
    return service


def _role_service(rendering: Rendering, name: str, role: str, template: ServiceTemplate | None) -> JsonObject:
    given = template or ServiceTemplate()
    service = rendering.owned("v1", "Service", name, labels={**given.metadata.labels, **rendering.labels})
    if given.metadata.annotations:
        service["metadata"]["annotations"] = dict(given.metadata.annotations)
    spec: dict[str, Any] = {
        key: thaw(value) for key, value in (given.spec or {}).items() if key not in _OURS_IN_A_TEMPLATE
    }
    ports: list[JsonObject] = spec.get("ports") or []
    merged = [
        {**port, **_port(port["name"])} if port.get("name") in ("mysql", "mysqlx") else port for port in ports
    ]
    present = {port.get("name") for port in ports}
    merged += [_port(each) for each in ("mysql", "mysqlx") if each not in present]
    service["spec"] = {**spec, "selector": {**rendering.labels, LABEL_ROLE: role}, "ports": merged}
    return service


def _port(name: str) -> JsonObject:
    return {"name": name, "port": RESERVED_PORTS[name], "protocol": "TCP", "targetPort": name}


def service_account(rendering: Rendering) -> JsonObject:
    """What the Pods run as; it may do nothing."""
    return rendering.owned("v1", "ServiceAccount", rendering.names.prefixed)


def disruption_budget(rendering: Rendering, *, backup_running: bool) -> JsonObject | None:
    """How many instances an eviction may take at once: none while a backup reads from one of them.

    None where there is nothing to guard: fewer than three instances, or none running.
    """
    replicas = rendering.spec.replicas
    if rendering.spec.offline or replicas < BUDGET_REPLICAS_MIN:
        return None
    budget = rendering.owned("policy/v1", "PodDisruptionBudget", rendering.names.prefixed)
    budget["spec"] = {
        "maxUnavailable": 0 if backup_running else replicas // 2,
        "selector": {"matchLabels": rendering.labels},
    }
    return budget
