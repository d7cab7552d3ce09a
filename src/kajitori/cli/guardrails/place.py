"""Where a command would run: context, cluster, user and namespace, as kubectl finds them.

Promises
    P1  files are merged as kubectl merges them, and flags come before what a context says
    P2  a cluster goes by every name that the files have for its address: an alias hides nothing

Source: client-go's tools/clientcmd (ClientConfigLoadingRules, DirectClientConfig, ConfigOverrides).
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kajitori.cli.guardrails.errors import GuardrailsError
from kajitori.wire.kubectl import CommandLine

__all__ = ["Place", "place_of"]

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Place:
    """The cluster and the user of one command."""

    context: str
    cluster: str
    """The name in the kubeconfig; empty in a Pod, or where only an address is given."""
    server: str
    clusters: tuple[str, ...]
    """Every name of that address, and the address."""
    user: str
    impersonated: str
    namespace: str

    @property
    def users(self) -> tuple[str, ...]:
        """The user in the kubeconfig, and who that one acts as."""
        return tuple(each for each in (self.user, self.impersonated) if each)


@dataclass(slots=True)
class _Entries:
    clusters: dict[str, Mapping[str, Any]]
    users: dict[str, Mapping[str, Any]]
    contexts: dict[str, Mapping[str, Any]]
    current: str = ""


def place_of(line: CommandLine, environ: Mapping[str, str]) -> Place:
    """Where a command would run. What does not exist is left to kubectl to complain of: it is named as it is.

    Raises: GuardrailsError where a file cannot be read.
    """
    entries = _read(line.flag("kubeconfig"), environ)
    context = line.flag("context") or entries.current
    chosen = entries.contexts.get(context) or {}
    cluster = line.flag("cluster") or _text(chosen.get("cluster"))
    known = entries.clusters.get(cluster) or {}
    server = line.flag("server") or _text(known.get("server"))
    in_pod = not server and bool(environ.get("KUBERNETES_SERVICE_HOST"))
    if in_pod:
        host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT", "443")
        server = f"https://{host}:{port}"
    user = line.flag("user") or _text(chosen.get("user"))
    same = {
        name for name, each in entries.clusters.items() if _address(each.get("server")) == _address(server)
    }
    names = {*same, *([cluster] if cluster else ()), server} - {""}
    return Place(
        context,
        cluster,
        server,
        tuple(sorted(names)),
        user,
        line.flag("as"),
        line.flag("namespace") or _text(chosen.get("namespace")) or _pods_namespace(in_pod) or "default",
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _address(value: object) -> str:
    return _text(value).rstrip("/").lower()


def _pods_namespace(in_pod: bool) -> str:
    path = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
    return path.read_text().strip() if in_pod and path.is_file() else ""


def _paths(named: str, environ: Mapping[str, str]) -> Iterator[Path]:
    if named:
        yield Path(named)
    elif listed := environ.get("KUBECONFIG", ""):
        yield from dict.fromkeys(Path(each) for each in listed.split(os.pathsep) if each)
    else:
        yield Path(environ.get("HOME") or os.path.expanduser("~")) / ".kube" / "config"


def _read(named: str, environ: Mapping[str, str]) -> _Entries:
    merged = _Entries({}, {}, {})
    for path in _paths(named, environ):
        try:
            content = yaml.load(path.read_bytes(), Loader=_Loader)
        except FileNotFoundError:
            continue
        except (OSError, yaml.YAMLError) as error:
            raise GuardrailsError(f"the kubeconfig {path} cannot be read: {error}") from None
        if not isinstance(content, dict):
            continue
        merged.current = merged.current or _text(content.get("current-context"))
        for listed, member, into in (
            ("clusters", "cluster", merged.clusters),
            ("users", "user", merged.users),
            ("contexts", "context", merged.contexts),
        ):
            for entry in content.get(listed) or ():
                if isinstance(entry, dict) and isinstance(entry.get(member), dict):
                    into.setdefault(_text(entry.get("name")), entry[member])
    return merged
