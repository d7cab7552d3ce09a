"""Typed models of coordination.k8s.io/v1: frozen classes, unset fields at their zero.

Written by tools/gen_models.py from the facts: change that, and run it. What the fields mean is told by
`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from typing import ClassVar

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.declare import MicroTime
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta

__all__ = ["Lease", "LeaseSpec"]


class LeaseSpec(BuiltIn, frozen=True, kw_only=True):
    """`LeaseSpec` of coordination.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.coordination.v1.LeaseSpec"
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: MicroTime | None = None
    renew_time: MicroTime | None = None
    lease_transitions: int | None = None
    strategy: str | None = None
    preferred_holder: str | None = None


class Lease(BuiltIn, frozen=True, kw_only=True):
    """`leases` of coordination.k8s.io/v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("coordination.k8s.io", "v1", "Lease", "leases", True)
    __definition__: ClassVar[str] = "io.k8s.api.coordination.v1.Lease"
    metadata: ObjectMeta = ObjectMeta()
    spec: LeaseSpec = LeaseSpec()
