"""Defaults of the networking and discovery groups.

Source: pkg/apis/networking/v1/defaults.go and pkg/apis/discovery/v1/defaults.go.
"""

from kajitori.apimachinery.kind import JsonObject

__all__ = ["DEFAULTS"]


def _policy_port(obj: JsonObject) -> None:
    obj.setdefault("protocol", "TCP")


def _network_policy(obj: JsonObject) -> None:
    spec = obj["spec"]
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def _ingress_class(obj: JsonObject) -> None:
    parameters = obj["spec"].get("parameters")
    if parameters is not None and parameters.get("scope") is None:
        parameters["scope"] = "Cluster"


def _endpoint_port(obj: JsonObject) -> None:
    obj.setdefault("name", "")
    obj.setdefault("protocol", "TCP")


DEFAULTS = {
    "io.k8s.api.discovery.v1.EndpointPort": _endpoint_port,
    "io.k8s.api.networking.v1.IngressClass": _ingress_class,
    "io.k8s.api.networking.v1.NetworkPolicy": _network_policy,
    "io.k8s.api.networking.v1.NetworkPolicyPort": _policy_port,
}
