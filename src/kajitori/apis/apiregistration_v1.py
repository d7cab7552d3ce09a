"""Typed models of apiregistration.k8s.io/v1: frozen classes, unset fields at their zero.

Written by tools/gen_models.py from the facts: change that, and run it. What the fields mean is told by
`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from typing import ClassVar

import msgspec

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.declare import Time
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta

__all__ = ["APIService", "APIServiceCondition", "APIServiceSpec", "APIServiceStatus", "ServiceReference"]


class ServiceReference(BuiltIn, frozen=True, kw_only=True):
    """`ServiceReference` of apiregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference"
    namespace: str = ""
    name: str = ""
    port: int | None = None


class APIServiceSpec(BuiltIn, frozen=True, kw_only=True):
    """`APIServiceSpec` of apiregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceSpec"
    service: ServiceReference | None = None
    group: str = ""
    version: str = ""
    insecure_skip_tls_verify: bool = msgspec.field(default=False, name="insecureSkipTLSVerify")
    ca_bundle: bytes = b""
    group_priority_minimum: int = 0
    version_priority: int = 0


class APIServiceCondition(BuiltIn, frozen=True, kw_only=True):
    """`APIServiceCondition` of apiregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceCondition"
    type: str = ""
    status: str = ""
    last_transition_time: Time | None = None
    reason: str = ""
    message: str = ""


class APIServiceStatus(BuiltIn, frozen=True, kw_only=True):
    """`APIServiceStatus` of apiregistration.v1."""

    __definition__: ClassVar[str] = "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceStatus"
    conditions: tuple[APIServiceCondition, ...] = ()


class APIService(BuiltIn, frozen=True, kw_only=True):
    """`apiservices` of apiregistration.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind("apiregistration.k8s.io", "v1", "APIService", "apiservices", False)
    __definition__: ClassVar[str] = "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService"
    metadata: ObjectMeta = ObjectMeta()
    spec: APIServiceSpec = APIServiceSpec()
    status: APIServiceStatus = APIServiceStatus()
