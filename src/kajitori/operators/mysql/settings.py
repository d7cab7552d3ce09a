"""What an operator of the MySQL operator may set: images, its own namespace, limits.

Values only; `reconciler.setup` takes them. Names and defaults follow the flags of the controller whose CRDs
these are.
"""

from dataclasses import dataclass

__all__ = ["FIELD_MANAGER", "RECONCILE_VERSION", "Images", "Settings"]

FIELD_MANAGER = "moco-controller"
"""Owner of every field that is applied. The same as MOCO's, so that a cluster can be taken over without
conflicts."""

RECONCILE_VERSION = 1
"""Of the rules that objects are rendered by; kept in `status.reconcileInfo`."""


@dataclass(frozen=True, slots=True)
class Images:
    """The container images that are not the user's."""

    agent: str = "ghcr.io/cybozu-go/moco-agent:0.16.0"
    backup: str = "ghcr.io/cybozu-go/moco-backup:0.36.0"
    fluent_bit: str = "ghcr.io/cybozu/fluent-bit:4.0.3.1"
    exporter: str = "ghcr.io/cybozu/mysqld_exporter:0.17.2.1"


@dataclass(frozen=True, slots=True)
class Settings:
    """How the operator behaves, for all clusters alike."""

    system_namespace: str = "kajitori-system"
    """Where the master copies of passwords and the certificates are; created when missing. A namespace of its
    own,
    because who may read Secrets there may log in to every database."""
    images: Images = Images()
    config_map_history_max: int = 10
    """How many generated my.cnf ConfigMaps a cluster keeps, the current one included, so that a StatefulSet
    can be
    rolled back to one of them."""
    default_security_context: bool = True
    """Whether containers run as user and group 10000; off where the platform assigns ids."""
    grpc_issuer: str = "moco-grpc-issuer"
    """The cert-manager Issuer, in the system namespace, that signs the agents' certificates."""
    resync_seconds: float = 0.0
    """Look at every cluster again after so long, changed or not; 0: only when something changes."""
