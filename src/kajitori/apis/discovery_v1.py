"""Typed models of discovery.k8s.io/v1: frozen classes, unset fields at their zero.

Written by tools/gen_models.py from the facts: change that, and run it. What the fields mean is told by
`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from collections.abc import Mapping
from typing import ClassVar

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.frozen import EMPTY
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.apis.core_v1 import ObjectReference

__all__ = [
    "Endpoint",
    "EndpointConditions",
    "EndpointHints",
    "EndpointPort",
    "EndpointSlice",
    "ForNode",
    "ForZone",
]


class EndpointConditions(BuiltIn, frozen=True, kw_only=True):
    """`EndpointConditions` of discovery.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.discovery.v1.EndpointConditions"
    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class ForZone(BuiltIn, frozen=True, kw_only=True):
    """`ForZone` of discovery.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.discovery.v1.ForZone"
    name: str = ""


class ForNode(BuiltIn, frozen=True, kw_only=True):
    """`ForNode` of discovery.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.discovery.v1.ForNode"
    name: str = ""


class EndpointHints(BuiltIn, frozen=True, kw_only=True):
    """`EndpointHints` of discovery.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.discovery.v1.EndpointHints"
    for_zones: tuple[ForZone, ...] = ()
    for_nodes: tuple[ForNode, ...] = ()


class Endpoint(BuiltIn, frozen=True, kw_only=True):
    """`Endpoint` of discovery.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.discovery.v1.Endpoint"
    addresses: tuple[str, ...] = ()
    conditions: EndpointConditions = EndpointConditions()
    hostname: str | None = None
    target_ref: ObjectReference | None = None
    deprecated_topology: Mapping[str, str] = EMPTY
    node_name: str | None = None
    zone: str | None = None
    hints: EndpointHints | None = None


class EndpointPort(BuiltIn, frozen=True, kw_only=True):
    """`EndpointPort` of discovery.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.discovery.v1.EndpointPort"
    name: str | None = None
    protocol: str | None = None
    port: int | None = None
    app_protocol: str | None = None


class EndpointSlice(BuiltIn, frozen=True, kw_only=True):
    """`endpointslices` of discovery.k8s.io/v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", True)
    __definition__: ClassVar[str] = "io.k8s.api.discovery.v1.EndpointSlice"
    metadata: ObjectMeta = ObjectMeta()
    address_type: str = ""
    endpoints: tuple[Endpoint, ...] = ()
    ports: tuple[EndpointPort, ...] = ()
