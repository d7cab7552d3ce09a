"""Writes the kubeconfig that makes kubectl and every client library find the server.

Promises
    F1  a file's other clusters, users and contexts stay, as do its other fields
    F2  the file is replaced whole, readable by its owner only
    F3  a file that is not a kubeconfig is left alone and complained about

Source: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
"""

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kajitori.apiserver.files import make_private_folder, write_private

if TYPE_CHECKING:
    import yaml

__all__ = ["CLUSTER", "CONTEXT", "USER", "KubeconfigError", "write_kubeconfig"]

CLUSTER = "kajitori"
CONTEXT = "kajitori"
USER = "admin"

_TEMPLATE = """\
apiVersion: v1
kind: Config
clusters:
- name: {cluster}
  cluster:
    certificate-authority-data: {ca}
    server: {server}
users:
- name: {user}
  user:
    token: {token}
contexts:
- name: {context}
  context:
    cluster: {cluster}
    user: {user}
current-context: {context}
"""


class KubeconfigError(ValueError):
    """The file at the path is not a kubeconfig."""


def write_kubeconfig(path: Path, *, server: str, ca_data: bytes, token: str) -> None:
    """Puts the cluster, user and context of `server` into the kubeconfig at `path`, and makes it current.

    Raises: KubeconfigError when there is a file that is none; OSError when it cannot be written.
    """
    authority = base64.b64encode(ca_data).decode("ascii")
    try:
        before = path.read_bytes()
    except FileNotFoundError:
        before = b""
    # Ours alone is written without the YAML library, which would cost a start more than all the rest of this.
    content = _TEMPLATE.format(
        cluster=CLUSTER, context=CONTEXT, user=USER, ca=authority, server=server, token=token
    ).encode()
    if before.strip() and before != content:
        content = _merged(path, before, server=server, authority=authority, token=token)
    make_private_folder(path.parent)
    if content != before or path.stat().st_mode & 0o077:
        write_private(path, content)


def _merged(path: Path, before: bytes, *, server: str, authority: str, token: str) -> bytes:
    import yaml

    try:
        config: Any = yaml.safe_load(before)
    except yaml.YAMLError as error:
        raise KubeconfigError(
            f"{path} is not YAML ({_where(error)}); give another path or remove it"
        ) from None
    if not isinstance(config, dict) or config.get("kind", "Config") != "Config":
        raise KubeconfigError(f"{path} is not a kubeconfig; give another path or remove it")
    config.setdefault("apiVersion", "v1")
    config.setdefault("kind", "Config")
    user = _free_user(config)
    cluster = {"certificate-authority-data": authority, "server": server}
    _put(path, config, ("clusters", CLUSTER, "cluster"), cluster)
    _put(path, config, ("users", user, "user"), {"token": token})
    _put(path, config, ("contexts", CONTEXT, "context"), {"cluster": CLUSTER, "user": user})
    config["current-context"] = CONTEXT
    return yaml.safe_dump(config, sort_keys=False).encode()


def _where(error: "yaml.YAMLError") -> str:
    """The error in a few words: YAML's own show the place on lines of their own."""
    import yaml

    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return str(error).partition("\n")[0]


def _put(path: Path, config: dict[str, Any], entry: tuple[str, str, str], value: dict[str, str]) -> None:
    """Replaces or adds one named entry; fields of a context that are not ours (its namespace) stay."""
    section, name, kind = entry
    entries = config.get(section) or []
    if not isinstance(entries, list):
        raise KubeconfigError(f"{path}: {section} is not a list")
    config[section] = entries
    for each in entries:
        if isinstance(each, dict) and each.get("name") == name:
            before = each.get(kind)
            kept: dict[str, Any] = before if kind == "context" and isinstance(before, dict) else {}
            each[kind] = {**kept, **value}
            return
    entries.append({"name": name, kind: value})


def _free_user(config: dict[str, Any]) -> str:
    """`admin`, unless that is somebody else's: a context other than ours names it."""
    for each in config.get("contexts") or ():
        context = each.get("context") if isinstance(each, dict) else None
        if isinstance(context, dict) and context.get("user") == USER and each.get("name") != CONTEXT:
            return f"{CLUSTER}-{USER}"
    return USER
