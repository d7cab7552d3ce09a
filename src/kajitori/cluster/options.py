"""What a cluster is started with."""

from dataclasses import dataclass, field
from pathlib import Path

from kajitori.apiserver.authentication import AuthenticationOptions
from kajitori.cluster.authorization import Authorization
from kajitori.cluster.operating import Operating

__all__ = ["STATE_FILE", "ClusterOptions"]

STATE_FILE = "state.db"
"""The file in the data directory that holds the state."""


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """The flags of `kajitori up`, as values. Names and meanings follow kube-apiserver where it has the same."""

    data_dir: Path | None = None
    """Where everything is kept; None keeps it in memory."""
    host: str = "127.0.0.1"
    port: int = 6443
    """0 takes a free one."""
    advertise_address: str = ""
    """The address at which others find the API; empty: `host`, or the machine's own where that is only for itself."""
    listen: bool = True
    """False: no socket and no certificates; only clients in this process reach the API."""
    api_only: bool = False
    """No controllers, no operators: what tests of an operator want."""
    controllers: frozenset[str] | None = None
    """Which of Kubernetes' controllers run, by the names they have in kube-controller-manager; None: all."""
    without: frozenset[str] = frozenset()
    """Operators that are not run."""
    cert_dir: Path | None = None
    """Where keys and certificates are kept; None: in `data_dir`, or without one nowhere."""
    tls_cert_file: Path | None = None
    """The certificate to serve with, in PEM, with those between it and its authority; None: one of our own."""
    tls_private_key_file: Path | None = None
    """Its key: given with it, or not at all."""
    authentication: AuthenticationOptions = field(default_factory=AuthenticationOptions)
    client_ca_file: Path | None = None
    enable_admission_plugins: tuple[str, ...] = ()
    disable_admission_plugins: tuple[str, ...] = ()
    admission_control_config_file: Path | None = None
    """What admission plugins are told; None: nothing."""
    admission_manifest_dir: Path | None = None
    """Where webhooks and policies lie in files; None: nowhere, or where the file above says."""
    service_cluster_ip_range: str = "10.96.0.0/16"
    service_node_port_range: tuple[int, int] = (30000, 32767)
    http2_max_streams_per_connection: int = 0
    """0: as many as kube-apiserver allows by default."""
    disable_http2_serving: bool = False
    further_names: tuple[str, ...] = field(default=())
    """More host names that the serving certificate is for."""

    allow_privileged: bool | None = None
    """Whether Pods may have privileged containers. None: yes, except in an API server alone, which is as strict as
    kube-apiserver is by default.
    """

    authorization: Authorization = field(default_factory=Authorization)
    operating: Operating = field(default_factory=Operating)

    @property
    def privileged(self) -> bool:
        """Whether Pods may have privileged containers."""
        return not self.api_only if self.allow_privileged is None else self.allow_privileged

    def runs(self, controller: str) -> bool:
        """Whether a controller of Kubernetes' runs."""
        return not self.api_only and (self.controllers is None or controller in self.controllers)
