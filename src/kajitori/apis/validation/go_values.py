"""Objects as they stand in messages: Kubernetes shows its own structs there, whose fields have other names.

Only complaints need this; nothing is loaded before the first one.

Promises
    G1  every field is shown, in Go's order, absent ones as Go's zero

Source: field.Error.ErrorBody, which writes structs as JSON; the structs of pkg/apis have no JSON names.
"""

from collections.abc import Mapping
from typing import Any

from kajitori.apimachinery.kind import JsonObject

__all__ = ["go_struct"]

_NAMES = {
    # Where the Go name is not the JSON name with a capital letter.
    "apiGroup": "APIGroup",
    "apiGroups": "APIGroups",
    "apiVersion": "APIVersion",
    "cidr": "CIDR",
    "cidrs": "CIDRs",
    "fsGroup": "FSGroup",
    "fsGroupChangePolicy": "FSGroupChangePolicy",
    "gmsaCredentialSpec": "GMSACredentialSpec",
    "gmsaCredentialSpecName": "GMSACredentialSpecName",
    "grpc": "GRPC",
    "hostIP": "HostIP",
    "httpGet": "HTTPGet",
    "httpHeaders": "HTTPHeaders",
    "ip": "IP",
    "ipBlock": "IPBlock",
    "ipMode": "IPMode",
    "seLinuxChangePolicy": "SELinuxChangePolicy",
    "seLinuxOptions": "SELinuxOptions",
    "tcpSocket": "TCPSocket",
    "tls": "TLS",
    "tty": "TTY",
    "uid": "UID",
}
_NOTHING: Mapping[str, Any] = {}


def go_struct(definition: str, value: Mapping[str, Any] | None) -> JsonObject:
    """A struct, such as `core.v1.SecurityContext`, as Kubernetes writes its own form of it."""
    from kajitori.apis import facts  # only complaints need them

    fields = facts.definition(f"io.k8s.api.{definition}").fields or ()
    held = value or _NOTHING
    return {
        _NAMES.get(each.name, each.name[:1].upper() + each.name[1:]): _shown(each.type, held.get(each.name))
        for each in fields
    }


def _shown(word: str, value: Any) -> Any:
    if word.startswith("io.k8s.api."):
        return go_struct(word.removeprefix("io.k8s.api."), value)
    if value is None:
        return _zero(word)
    element = word.lstrip("*").removeprefix("[]")
    if element.startswith("io.k8s.api."):
        name = element.removeprefix("io.k8s.api.")
        return (
            [go_struct(name, each) for each in value] if isinstance(value, list) else go_struct(name, value)
        )
    return value


def _zero(word: str) -> Any:
    if word.startswith(("*", "[]", "{}")) or word.endswith("Time"):
        return None
    if word.startswith("string"):
        return ""
    if word == "bool":
        return False
    return "0" if word.endswith("Quantity") else 0
