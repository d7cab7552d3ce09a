"""PolicyServer: where policies are run.

Here every PolicyServer is run by the operator itself: what says how its Pods look is kept and has no effect.

Source: policies.kubewarden.io/v1.
"""

from typing import Annotated, Any

import msgspec

from kajitori.apimachinery.declare import BuiltinSchema, Column, Int32, IntOrString, ListMap, Quantity, kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.apis.policies_v1.names import GROUP, VERSION
from kajitori.apis.policies_v1.policies import Condition

__all__ = ["PolicyServer", "PolicyServerSecurity", "PolicyServerSpec", "PolicyServerStatus"]

_CORE = "io.k8s.api.core.v1"
_Port = Annotated[Int32, msgspec.Meta(ge=1, le=65535)]


class PolicyServerSecurity(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Security contexts of the server's Pods; without effect here."""

    container: (
        Annotated[dict[str, Any], BuiltinSchema(f"{_CORE}.SecurityContext", every_field_optional=True)] | None
    ) = None
    """Of the container."""
    pod: (
        Annotated[dict[str, Any], BuiltinSchema(f"{_CORE}.PodSecurityContext", every_field_optional=True)]
        | None
    ) = None
    """Of the Pod."""


class PolicyServerSpec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """How a policy server is run."""

    image: str
    """Image of the server; without effect here."""
    replicas: Int32
    """How many replicas run; without effect here."""
    min_available: IntOrString | None = None
    """How many replicas an eviction must leave."""
    max_unavailable: IntOrString | None = None
    """How many replicas an eviction may take."""
    annotations: dict[str, str] = {}
    """Annotations of the server's Deployment; without effect here."""
    labels: dict[str, str] = {}
    """Labels of the server's Deployment and Pods; without effect here."""
    env: list[Annotated[dict[str, Any], BuiltinSchema(f"{_CORE}.EnvVar", every_field_optional=True)]] = []
    """Environment of the server's container; without effect here."""
    service_account_name: str = ""
    """A service account of the operator's namespace. What policies read from the cluster they read with its rights;
    without one, with the operator's."""
    image_pull_secret: str = ""
    """A Secret of the operator's namespace with credentials for the registries that policies are pulled from."""
    insecure_sources: list[str] = []
    """Hosts that policies are pulled from without TLS, or without checking the certificate."""
    source_authorities: dict[str, list[str]] = {}
    """Certificate authorities, in PEM, by the hosts whose certificates they sign."""
    verification_config: str = ""
    """A ConfigMap that says which signatures policies must have. Signatures cannot be verified here: policies of a
    server with this field are not activated."""
    sigstore_trust_config: str = ""
    """A ConfigMap with the trust roots of signatures."""
    security_contexts: PolicyServerSecurity | None = None
    """Security contexts of the server's Pods; without effect here."""
    affinity: (
        Annotated[dict[str, Any], BuiltinSchema(f"{_CORE}.Affinity", every_field_optional=True)] | None
    ) = None
    """Affinity of the server's Pods; without effect here."""
    limits: dict[str, Quantity] = {}
    """Resources that the server's container is limited to; without effect here."""
    requests: dict[str, Quantity] = {}
    """Resources that the server's container asks for; without effect here."""
    tolerations: list[
        Annotated[dict[str, Any], BuiltinSchema(f"{_CORE}.Toleration", every_field_optional=True)]
    ] = []
    """Tolerations of the server's Pods; without effect here."""
    priority_class_name: str = ""
    """Priority class of the server's Pods; without effect here."""
    namespaced_policies_capabilities: list[str] | None = None
    """What policies of a namespace may ask of their host: `*`, `oci/*`, `oci/v1/*`, `net/v1/dns_lookup_host`; missing:
    everything."""
    webhook_port: _Port | None = None
    """The port of the server's Service; 8443 by default."""
    readiness_probe_port: _Port | None = None
    """The port of the readiness probe; without effect here."""
    metrics_port: _Port | None = None
    """The port of the server's metrics; without effect here."""


class PolicyServerStatus(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What became of a policy server."""

    conditions: Annotated[list[Condition], ListMap("type")]
    """`ConfigMapReconciled`: its policies are loaded; `ServiceReconciled`: it is served."""


@kind(
    group=GROUP,
    version=VERSION,
    plural="policyservers",
    short_names=("ps",),
    namespaced=False,
    status=True,
    columns=(
        Column("Replicas", ".spec.replicas", description="Policy Server replicas"),
        Column("Image", ".spec.image", description="Policy Server image"),
    ),
)
class PolicyServer(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A server that policies are run by."""

    spec: PolicyServerSpec | None = None
    """How it is run."""
    metadata: ObjectMeta = ObjectMeta()
    status: PolicyServerStatus | None = None
    """What became of it."""
