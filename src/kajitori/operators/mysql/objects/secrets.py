"""The passwords of a cluster: the master copy, the copy for Pods and people, and the clients' option files.

The master copy is in the operator's namespace. The other two are made from it, so a user who changes them
gets the old content back.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping

from kajitori.apis import JsonObject
from kajitori.apis.mysql_v1beta2.names import ANNOTATION_SECRET_VERSION, system_labels
from kajitori.operators.mysql.objects.base import Rendering

__all__ = [
    "PASSWORD_BYTES",
    "PASSWORD_KEYS",
    "controller_secret",
    "make_passwords",
    "my_cnf_secret",
    "passwords_of",
    "secret_with",
    "user_secret",
]

PASSWORD_KEYS = (
    "ADMIN_PASSWORD",
    "AGENT_PASSWORD",
    "REPLICATION_PASSWORD",
    "CLONE_DONOR_PASSWORD",
    "EXPORTER_PASSWORD",
    "BACKUP_PASSWORD",
    "READONLY_PASSWORD",
    "WRITABLE_PASSWORD",
)
PASSWORD_BYTES = 16
"""Of randomness in one password."""

_SECRET_VERSION = "1"
_OPTION_FILE_USERS = ("admin", "exporter", "backup", "readonly", "writable")


def make_passwords(entropy: bytes) -> dict[str, str]:
    """A password for every user, out of `PASSWORD_BYTES` random bytes each."""
    assert len(entropy) >= PASSWORD_BYTES * len(PASSWORD_KEYS), len(entropy)
    starts = range(0, PASSWORD_BYTES * len(PASSWORD_KEYS), PASSWORD_BYTES)
    return {
        key: entropy[start : start + PASSWORD_BYTES].hex()
        for key, start in zip(PASSWORD_KEYS, starts, strict=True)
    }


def passwords_of(secret: Mapping[str, object] | None) -> dict[str, str] | None:
    """The passwords in a Secret; None when there is no Secret or one is missing in it."""
    data = (secret or {}).get("data")
    if not isinstance(data, dict):
        return None
    try:
        passwords = {key: b64decode(data[key], validate=True).decode() for key in PASSWORD_KEYS}
    except (KeyError, TypeError, ValueError):
        return None
    return passwords if all(passwords.values()) else None


def secret_with(secret: JsonObject, contents: Mapping[str, str]) -> JsonObject:
    """The Secret with these contents, marked with the version of their layout."""
    metadata = {**secret["metadata"], "annotations": {ANNOTATION_SECRET_VERSION: _SECRET_VERSION}}
    data = {key: b64encode(text.encode()).decode() for key, text in contents.items()}
    return {**secret, "metadata": metadata, "data": data}


def controller_secret(rendering: Rendering, passwords: Mapping[str, str]) -> JsonObject:
    """The master copy. Owner references cannot cross namespaces: the cluster's finalizer deletes it."""
    secret: JsonObject = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": rendering.names.controller_secret,
            "namespace": rendering.settings.system_namespace,
            "labels": system_labels(rendering.namespace, rendering.name),
        },
    }
    return secret_with(secret, passwords)


def user_secret(rendering: Rendering, passwords: Mapping[str, str]) -> JsonObject:
    """The copy that Pods read and people fetch."""
    return secret_with(rendering.owned("v1", "Secret", rendering.names.prefixed), passwords)


def my_cnf_secret(rendering: Rendering, passwords: Mapping[str, str]) -> JsonObject:
    """Option files for the mysql client, one for each user who may log in with it."""
    files = {
        f"{user}-my.cnf": _option_file(f"moco-{user}", passwords[f"{user.upper()}_PASSWORD"])
        for user in _OPTION_FILE_USERS
    }
    return secret_with(rendering.owned("v1", "Secret", rendering.names.my_cnf_secret), files)


def _option_file(user: str, password: str) -> str:
    return f'[client]\nuser="{user}"\npassword="{password}"\n'
