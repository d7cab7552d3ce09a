"""Typed models of networking.k8s.io/v1: frozen classes, unset fields at their zero.

Written by tools/gen_models.py from the facts: change that, and run it. What the fields mean is told by
`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from typing import ClassVar

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.declare import IntOrString
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.apis.core_v1 import TypedLocalObjectReference
from kajitori.apis.meta_v1 import Condition, LabelSelector

__all__ = [
    "HTTPIngressPath",
    "HTTPIngressRuleValue",
    "IPAddress",
    "IPAddressSpec",
    "IPBlock",
    "Ingress",
    "IngressBackend",
    "IngressClass",
    "IngressClassParametersReference",
    "IngressClassSpec",
    "IngressLoadBalancerIngress",
    "IngressLoadBalancerStatus",
    "IngressPortStatus",
    "IngressRule",
    "IngressServiceBackend",
    "IngressSpec",
    "IngressStatus",
    "IngressTLS",
    "NetworkPolicy",
    "NetworkPolicyEgressRule",
    "NetworkPolicyIngressRule",
    "NetworkPolicyPeer",
    "NetworkPolicyPort",
    "NetworkPolicySpec",
    "ParentReference",
    "ServiceBackendPort",
    "ServiceCIDR",
    "ServiceCIDRSpec",
    "ServiceCIDRStatus",
]


class ServiceBackendPort(BuiltIn, frozen=True, kw_only=True):
    """`ServiceBackendPort` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.ServiceBackendPort"
    name: str = ""
    number: int = 0


class IngressServiceBackend(BuiltIn, frozen=True, kw_only=True):
    """`IngressServiceBackend` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.IngressServiceBackend"
    name: str = ""
    port: ServiceBackendPort = ServiceBackendPort()


class IngressBackend(BuiltIn, frozen=True, kw_only=True):
    """`IngressBackend` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.IngressBackend"
    service: IngressServiceBackend | None = None
    resource: TypedLocalObjectReference | None = None


class HTTPIngressPath(BuiltIn, frozen=True, kw_only=True):
    """`HTTPIngressPath` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.HTTPIngressPath"
    path: str = ""
    path_type: str | None = None
    backend: IngressBackend = IngressBackend()


class HTTPIngressRuleValue(BuiltIn, frozen=True, kw_only=True):
    """`HTTPIngressRuleValue` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.HTTPIngressRuleValue"
    paths: tuple[HTTPIngressPath, ...] = ()


class ParentReference(BuiltIn, frozen=True, kw_only=True):
    """`ParentReference` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.ParentReference"
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""


class IPAddressSpec(BuiltIn, frozen=True, kw_only=True):
    """`IPAddressSpec` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.IPAddressSpec"
    parent_ref: ParentReference | None = None


class IPAddress(BuiltIn, frozen=True, kw_only=True):
    """`ipaddresses` of networking.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind("networking.k8s.io", "v1", "IPAddress", "ipaddresses", False)
    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.IPAddress"
    metadata: ObjectMeta = ObjectMeta()
    spec: IPAddressSpec = IPAddressSpec()


class IPBlock(BuiltIn, frozen=True, kw_only=True):
    """`IPBlock` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.IPBlock"
    cidr: str = ""
    except_: tuple[str, ...] = ()


class IngressTLS(BuiltIn, frozen=True, kw_only=True):
    """`IngressTLS` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.IngressTLS"
    hosts: tuple[str, ...] = ()
    secret_name: str = ""


class IngressRule(BuiltIn, frozen=True, kw_only=True):
    """`IngressRule` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.IngressRule"
    host: str = ""
    http: HTTPIngressRuleValue | None = None


class IngressSpec(BuiltIn, frozen=True, kw_only=True):
    """`IngressSpec` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.IngressSpec"
    ingress_class_name: str | None = None
    default_backend: IngressBackend | None = None
    tls: tuple[IngressTLS, ...] = ()
    rules: tuple[IngressRule, ...] = ()


class IngressPortStatus(BuiltIn, frozen=True, kw_only=True):
    """`IngressPortStatus` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.IngressPortStatus"
    port: int = 0
    protocol: str = ""
    error: str | None = None


class IngressLoadBalancerIngress(BuiltIn, frozen=True, kw_only=True):
    """`IngressLoadBalancerIngress` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.IngressLoadBalancerIngress"
    ip: str = ""
    hostname: str = ""
    ports: tuple[IngressPortStatus, ...] = ()


class IngressLoadBalancerStatus(BuiltIn, frozen=True, kw_only=True):
    """`IngressLoadBalancerStatus` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.IngressLoadBalancerStatus"
    ingress: tuple[IngressLoadBalancerIngress, ...] = ()


class IngressStatus(BuiltIn, frozen=True, kw_only=True):
    """`IngressStatus` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.IngressStatus"
    load_balancer: IngressLoadBalancerStatus = IngressLoadBalancerStatus()


class Ingress(BuiltIn, frozen=True, kw_only=True):
    """`ingresses` of networking.k8s.io/v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("networking.k8s.io", "v1", "Ingress", "ingresses", True)
    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.Ingress"
    metadata: ObjectMeta = ObjectMeta()
    spec: IngressSpec = IngressSpec()
    status: IngressStatus = IngressStatus()


class IngressClassParametersReference(BuiltIn, frozen=True, kw_only=True):
    """`IngressClassParametersReference` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.IngressClassParametersReference"
    api_group: str | None = None
    kind: str = ""
    name: str = ""
    scope: str | None = None
    namespace: str | None = None


class IngressClassSpec(BuiltIn, frozen=True, kw_only=True):
    """`IngressClassSpec` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.IngressClassSpec"
    controller: str = ""
    parameters: IngressClassParametersReference | None = None


class IngressClass(BuiltIn, frozen=True, kw_only=True):
    """`ingressclasses` of networking.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind("networking.k8s.io", "v1", "IngressClass", "ingressclasses", False)
    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.IngressClass"
    metadata: ObjectMeta = ObjectMeta()
    spec: IngressClassSpec = IngressClassSpec()


class NetworkPolicyPort(BuiltIn, frozen=True, kw_only=True):
    """`NetworkPolicyPort` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.NetworkPolicyPort"
    protocol: str | None = None
    port: IntOrString | None = None
    end_port: int | None = None


class NetworkPolicyPeer(BuiltIn, frozen=True, kw_only=True):
    """`NetworkPolicyPeer` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.NetworkPolicyPeer"
    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: IPBlock | None = None


class NetworkPolicyIngressRule(BuiltIn, frozen=True, kw_only=True):
    """`NetworkPolicyIngressRule` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.NetworkPolicyIngressRule"
    ports: tuple[NetworkPolicyPort, ...] = ()
    from_: tuple[NetworkPolicyPeer, ...] = ()


class NetworkPolicyEgressRule(BuiltIn, frozen=True, kw_only=True):
    """`NetworkPolicyEgressRule` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.NetworkPolicyEgressRule"
    ports: tuple[NetworkPolicyPort, ...] = ()
    to: tuple[NetworkPolicyPeer, ...] = ()


class NetworkPolicySpec(BuiltIn, frozen=True, kw_only=True):
    """`NetworkPolicySpec` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.NetworkPolicySpec"
    pod_selector: LabelSelector = LabelSelector()
    ingress: tuple[NetworkPolicyIngressRule, ...] = ()
    egress: tuple[NetworkPolicyEgressRule, ...] = ()
    policy_types: tuple[str, ...] = ()


class NetworkPolicy(BuiltIn, frozen=True, kw_only=True):
    """`networkpolicies` of networking.k8s.io/v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", True)
    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.NetworkPolicy"
    metadata: ObjectMeta = ObjectMeta()
    spec: NetworkPolicySpec = NetworkPolicySpec()


class ServiceCIDRSpec(BuiltIn, frozen=True, kw_only=True):
    """`ServiceCIDRSpec` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.ServiceCIDRSpec"
    cidrs: tuple[str, ...] = ()


class ServiceCIDRStatus(BuiltIn, frozen=True, kw_only=True):
    """`ServiceCIDRStatus` of networking.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.ServiceCIDRStatus"
    conditions: tuple[Condition, ...] = ()


class ServiceCIDR(BuiltIn, frozen=True, kw_only=True):
    """`servicecidrs` of networking.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind("networking.k8s.io", "v1", "ServiceCIDR", "servicecidrs", False)
    __definition__: ClassVar[str] = "io.k8s.api.networking.v1.ServiceCIDR"
    metadata: ObjectMeta = ObjectMeta()
    spec: ServiceCIDRSpec = ServiceCIDRSpec()
    status: ServiceCIDRStatus = ServiceCIDRStatus()
