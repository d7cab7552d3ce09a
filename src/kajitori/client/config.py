"""Which API server to talk to, and as whom: kubeconfig files and the service account of a Pod.

Promises
    G1  files are merged as kubectl merges them: of clusters, users and contexts of one name the first file's
        counts, of settings the first that is not empty
    G2  relative paths are relative to the file that names them
    G3  whatever is wrong is told in one sentence that names the file or the entry (ConfigError)

Source: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ and client-go's
tools/clientcmd.
"""

import base64
import binascii
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

__all__ = [
    "SERVICE_ACCOUNT_FOLDER",
    "ClusterConfig",
    "ConfigError",
    "ConnectionConfig",
    "ExecConfig",
    "UserConfig",
    "load_config",
    "load_contexts",
    "parse_config",
]

SERVICE_ACCOUNT_FOLDER = Path("/var/run/secrets/kubernetes.io/serviceaccount")
EXEC_API_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


class ConfigError(Exception):
    """The configuration is missing, broken or contradicts itself."""


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """Where the API server is, and how to know that it is the right one."""

    server: str
    """`https://host:port/prefix`, without a slash at the end."""
    ca_data: bytes = b""
    """PEM; empty: `ca_file`, or the system's authorities."""
    ca_file: str = ""
    insecure: bool = False
    """Believe any certificate."""
    tls_server_name: str = ""
    """The name that the certificate must have; empty: the host of `server`."""
    proxy_url: str = ""
    disable_compression: bool = False
    exec_extension: Any = None
    """What the cluster's `client.authentication.k8s.io/exec` extension holds, for credential plugins."""


@dataclass(frozen=True, slots=True)
class ExecConfig:
    """A program that prints credentials."""

    api_version: str
    command: str
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    provide_cluster_info: bool = False
    interactive_mode: str = "IfAvailable"
    install_hint: str = ""


@dataclass(frozen=True, slots=True)
class UserConfig:
    """Who we are. Of token sources `exec` counts before `token_file` before `token`."""

    token: str = field(default="", repr=False)
    token_file: str = ""
    certificate_data: bytes = field(default=b"", repr=False)
    certificate_file: str = ""
    key_data: bytes = field(default=b"", repr=False)
    key_file: str = ""
    exec: ExecConfig | None = None
    impersonate: str = ""
    impersonate_groups: Sequence[str] = ()
    impersonate_uid: str = ""
    impersonate_extra: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """All that a NetworkTransport needs."""

    cluster: ClusterConfig
    user: UserConfig = UserConfig()
    namespace: str = "default"
    """The one to use where a command names none."""


def load_config(
    path: str | Path | None = None, context: str | None = None, *, environ: Mapping[str, str] | None = None
) -> ConnectionConfig:
    """The connection of a context (default: the current one).

    Looks at `path` alone when given; otherwise at the files in KUBECONFIG, then ~/.kube/config, then the
    service account of the Pod we run in.
    Raises: ConfigError.
    """
    environ = os.environ if environ is None else environ
    if path is not None:
        return _from_files([Path(path)], context, must_exist=True)
    listed = environ.get("KUBECONFIG", "")
    if listed:
        paths = list(dict.fromkeys(Path(each) for each in listed.split(os.pathsep) if each))
    else:
        paths = [Path(environ.get("HOME") or Path.home()) / ".kube" / "config"]
    existing = [each for each in paths if each.is_file()]
    if existing:
        return _from_files(existing, context)
    if environ.get("KUBERNETES_SERVICE_HOST") and environ.get("KUBERNETES_SERVICE_PORT"):
        return _in_cluster(environ)
    shown = ", ".join(map(str, paths))
    raise ConfigError(
        f"no kubeconfig at {shown}, and not in a Pod; name a file with KUBECONFIG or --kubeconfig"
    )


def load_contexts(path: str | Path, names: Collection[str] | None = None) -> dict[str, ConnectionConfig]:
    """The connections of several contexts of a file, by their names (default: of all but the current one).

    Raises: ConfigError.
    """
    merged = _Merged()
    _merge(merged, Path(path), must_exist=True)
    chosen = [each for each in merged.contexts if each != merged.current] if names is None else names
    return {each: _chosen(merged, str(path), each) for each in chosen}


def parse_config(text: str, where: str) -> ConnectionConfig:
    """The connection of the current context of a kubeconfig that somebody else has written: it must be whole, without
    files and without programs, which would be ours. `where` it is from is for messages.

    Raises: ConfigError.
    """
    merged = _Merged()
    _merge_text(merged, text, where, Path("/"), must_exist=True)
    config = _chosen(merged, where, None)
    user = config.user
    if user.exec is not None:
        raise ConfigError(
            f"{where}: runs a program for credentials, which is not allowed here; use a token or certificate"
        )
    if config.cluster.ca_file or user.token_file or user.certificate_file or user.key_file:
        raise ConfigError(
            f"{where}: names files, which are not there for us; put their content into its …-data members"
        )
    return config


def _in_cluster(environ: Mapping[str, str]) -> ConnectionConfig:
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ["KUBERNETES_SERVICE_PORT"]
    token_file, ca_file = SERVICE_ACCOUNT_FOLDER / "token", SERVICE_ACCOUNT_FOLDER / "ca.crt"
    if not token_file.is_file():
        raise ConfigError(f"we run in a Pod, but it has no service account token at {token_file}")
    try:
        namespace = (SERVICE_ACCOUNT_FOLDER / "namespace").read_text().strip()
    except OSError:
        namespace = ""
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    return ConnectionConfig(
        ClusterConfig(server, ca_file=str(ca_file) if ca_file.is_file() else ""),
        UserConfig(token_file=str(token_file)),
        namespace or "default",
    )


@dataclass(slots=True)
class _Merged:
    """Entries by name, each with the folder that its paths are relative to."""

    clusters: dict[str, tuple[dict[str, Any], Path]] = field(
        default_factory=dict[str, tuple[dict[str, Any], Path]]
    )
    users: dict[str, tuple[dict[str, Any], Path]] = field(
        default_factory=dict[str, tuple[dict[str, Any], Path]]
    )
    contexts: dict[str, tuple[dict[str, Any], Path]] = field(
        default_factory=dict[str, tuple[dict[str, Any], Path]]
    )
    current: str = ""


def _from_files(paths: Sequence[Path], context: str | None, *, must_exist: bool = False) -> ConnectionConfig:
    merged = _Merged()
    for path in paths:
        _merge(merged, path, must_exist)
    return _chosen(merged, ", ".join(map(str, paths)), context)


def _chosen(merged: _Merged, shown: str, context: str | None) -> ConnectionConfig:
    name = context or merged.current
    if not name:
        raise ConfigError(f"{shown}: no current-context is set; name a context")
    if name not in merged.contexts:
        raise ConfigError(f"{shown}: there is no context {name!r}; there are {_names(merged.contexts)}")
    chosen, _ = merged.contexts[name]
    cluster_name, user_name = chosen.get("cluster") or "", chosen.get("user") or ""
    if cluster_name not in merged.clusters:
        raise ConfigError(f"{shown}: context {name!r} names cluster {cluster_name!r}, which does not exist")
    if user_name and user_name not in merged.users:
        raise ConfigError(f"{shown}: context {name!r} names user {user_name!r}, which does not exist")
    cluster = _cluster(cluster_name, *merged.clusters[cluster_name])
    user = _user(user_name, *merged.users[user_name]) if user_name else UserConfig()
    return ConnectionConfig(cluster, user, chosen.get("namespace") or "default")


def _merge(merged: _Merged, path: Path, must_exist: bool) -> None:
    try:
        text = path.read_text()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    _merge_text(merged, text, str(path), path.absolute().parent, must_exist)


def _merge_text(merged: _Merged, text: str, path: str, folder: Path, must_exist: bool) -> None:
    import yaml

    try:
        content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        first_line = " ".join(str(error).split())
        raise ConfigError(f"{path}: not YAML: {first_line}") from error
    if content is None and not must_exist:
        return
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: not a kubeconfig")
    merged.current = merged.current or content.get("current-context") or ""
    for listed, member, into in (
        ("clusters", "cluster", merged.clusters),
        ("users", "user", merged.users),
        ("contexts", "context", merged.contexts),
    ):
        for entry in content.get(listed) or ():
            if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
                raise ConfigError(f"{path}: an entry of {listed} has no name")
            into.setdefault(entry["name"], (entry.get(member) or {}, folder))


def _cluster(name: str, raw: dict[str, Any], folder: Path) -> ClusterConfig:
    server = raw.get("server") or ""
    parts = urlsplit(server)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"cluster {name!r}: server is {server!r}; it must be an http or https URL")
    proxy = raw.get("proxy-url") or ""
    if proxy and urlsplit(proxy).scheme not in ("http", "https"):
        raise ConfigError(
            f"cluster {name!r}: proxy-url is {proxy!r}; only http and https proxies are supported"
        )
    extension = None
    for each in raw.get("extensions") or ():
        if each.get("name") == "client.authentication.k8s.io/exec":
            extension = each.get("extension")
    ca_data = _decoded(f"cluster {name!r}", raw, "certificate-authority-data")
    insecure = bool(raw.get("insecure-skip-tls-verify"))
    if insecure and (ca_data or raw.get("certificate-authority")):
        raise ConfigError(
            f"cluster {name!r}: a certificate authority and insecure-skip-tls-verify exclude each other"
        )
    return ClusterConfig(
        server.rstrip("/"),
        ca_data=ca_data,
        ca_file="" if ca_data else _path(folder, raw.get("certificate-authority")),
        insecure=insecure,
        tls_server_name=raw.get("tls-server-name") or "",
        proxy_url=proxy,
        disable_compression=bool(raw.get("disable-compression")),
        exec_extension=extension,
    )


def _user(name: str, raw: dict[str, Any], folder: Path) -> UserConfig:
    if raw.get("username"):
        raise ConfigError(
            f"user {name!r}: basic authentication left Kubernetes in 1.19; use a token or certificate"
        )
    if raw.get("auth-provider"):
        raise ConfigError(
            f"user {name!r}: auth-provider left Kubernetes in 1.26; use an exec credential plugin"
        )
    certificate = _decoded(f"user {name!r}", raw, "client-certificate-data")
    key = _decoded(f"user {name!r}", raw, "client-key-data")
    certificate_file = "" if certificate else _path(folder, raw.get("client-certificate"))
    key_file = "" if key else _path(folder, raw.get("client-key"))
    if bool(certificate or certificate_file) != bool(key or key_file):
        raise ConfigError(f"user {name!r}: a client certificate and its key go together; one is missing")
    return UserConfig(
        token=raw.get("token") or "",
        token_file=_path(folder, raw.get("tokenFile")),
        certificate_data=certificate,
        certificate_file=certificate_file,
        key_data=key,
        key_file=key_file,
        exec=_exec(name, raw["exec"], folder) if raw.get("exec") else None,
        impersonate=raw.get("as") or "",
        impersonate_groups=tuple(raw.get("as-groups") or ()),
        impersonate_uid=raw.get("as-uid") or "",
        impersonate_extra={key: tuple(values) for key, values in (raw.get("as-user-extra") or {}).items()},
    )


def _exec(name: str, raw: dict[str, Any], folder: Path) -> ExecConfig:
    api_version, command = raw.get("apiVersion") or "", raw.get("command") or ""
    if api_version not in EXEC_API_VERSIONS:
        supported = " and ".join(EXEC_API_VERSIONS)
        raise ConfigError(f"user {name!r}: exec apiVersion is {api_version!r}; {supported} are supported")
    if not command:
        raise ConfigError(f"user {name!r}: exec names no command")
    if os.sep in command:
        command = _path(folder, command)
    return ExecConfig(
        api_version,
        command,
        args=tuple(raw.get("args") or ()),
        env={each["name"]: each.get("value") or "" for each in raw.get("env") or ()},
        provide_cluster_info=bool(raw.get("provideClusterInfo")),
        interactive_mode=raw.get("interactiveMode") or "IfAvailable",
        install_hint=raw.get("installHint") or "",
    )


def _path(folder: Path, text: str | None) -> str:
    return str(folder / text) if text else ""


def _decoded(whose: str, raw: dict[str, Any], member: str) -> bytes:
    text = raw.get(member)
    if not text:
        return b""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ConfigError(f"{whose}: {member} is not base64") from error


def _names(entries: Mapping[str, Any]) -> str:
    return ", ".join(map(repr, sorted(entries))) or "none"
