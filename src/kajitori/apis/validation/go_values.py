"""Objects as they stand in messages: Kubernetes shows its own structs there, whose fields have other names.

Only complaints need this; nothing is loaded before the first one.

Promises
    G1  every field is shown, in Go's order, absent ones as Go's zero
    G2  differences are told as Go's unified diff of those structs tells them

Source: field.Error.ErrorBody, which writes structs as JSON; the structs of pkg/apis have no JSON names;
apimachinery's util/diff.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from kajitori.apimachinery.kind import JsonObject

__all__ = ["go_difference", "go_fields", "go_struct"]

_NAMES = {
    # Where the Go name is not the JSON name with a capital letter.
    "apiGroup": "APIGroup",
    "apiGroups": "APIGroups",
    "apiVersion": "APIVersion",
    "awsElasticBlockStore": "AWSElasticBlockStore",
    "cel": "CEL",
    "cephfs": "CephFS",
    "chapAuthDiscovery": "DiscoveryCHAPAuth",
    "chapAuthSession": "SessionCHAPAuth",
    "cidr": "CIDR",
    "cidrs": "CIDRs",
    "csi": "CSI",
    "diskURI": "DataDiskURI",
    "dnsConfig": "DNSConfig",
    "dnsPolicy": "DNSPolicy",
    "externalID": "DoNotUseExternalID",
    "fc": "FC",
    "fsGroup": "FSGroup",
    "fsGroupChangePolicy": "FSGroupChangePolicy",
    "fsGroupPolicy": "FSGroupPolicy",
    "fsType": "FSType",
    "gcePersistentDisk": "GCEPersistentDisk",
    "gid": "GID",
    "gmsaCredentialSpec": "GMSACredentialSpec",
    "gmsaCredentialSpecName": "GMSACredentialSpecName",
    "grpc": "GRPC",
    "http": "HTTP",
    "httpGet": "HTTPGet",
    "httpHeaders": "HTTPHeaders",
    "ip": "IP",
    "ipBlock": "IPBlock",
    "ipFamilies": "IPFamilies",
    "ipFamilyPolicy": "IPFamilyPolicy",
    "ipMode": "IPMode",
    "ips": "IPs",
    "iqn": "IQN",
    "iscsi": "ISCSI",
    "iscsiInterface": "ISCSIInterface",
    "lastState": "LastTerminationState",
    "nfs": "NFS",
    "os": "OS",
    "osImage": "OSImage",
    "pdName": "PDName",
    "qosClass": "QOSClass",
    "rbd": "RBD",
    "seLinuxChangePolicy": "SELinuxChangePolicy",
    "seLinuxMount": "SELinuxMount",
    "seLinuxOptions": "SELinuxOptions",
    "sslEnabled": "SSLEnabled",
    "storageos": "StorageOS",
    "tcpSocket": "TCPSocket",
    "tls": "TLS",
    "ttlSecondsAfterFinished": "TTLSecondsAfterFinished",
    "tty": "TTY",
    "uid": "UID",
    "wwids": "WWIDs",
}
_BLOCK_DEVICE = {"image": "RBDImage", "monitors": "CephMonitors", "pool": "RBDPool", "user": "RadosUser"}
_OWN_NAMES: Mapping[str, Mapping[str, str]] = {
    # Names that hold in one struct only.
    "core.v1.GlusterfsPersistentVolumeSource": {"endpoints": "EndpointsName"},
    "core.v1.GlusterfsVolumeSource": {"endpoints": "EndpointsName"},
    "core.v1.RBDPersistentVolumeSource": _BLOCK_DEVICE,
    "core.v1.RBDVolumeSource": _BLOCK_DEVICE,
    "resource.v1.DeviceAttribute": {
        "bool": "BoolValue",
        "bools": "BoolValues",
        "int": "IntValue",
        "ints": "IntValues",
        "string": "StringValue",
        "strings": "StringValues",
        "version": "VersionValue",
        "versions": "VersionValues",
    },
}
_HOST = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")
"""What a PodSpec has and Kubernetes' own form of it keeps in the security context."""
_MOVED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    # Fields of a struct that stand elsewhere in Kubernetes' own: after which field (empty: first), and which.
    "core.v1.PodSpec": {
        "subdomain": ("setHostnameAsFQDN",),
        "priority": ("preemptionPolicy",),
        "runtimeClassName": ("overhead",),
    },
    "core.v1.PodSecurityContext": {"supplementalGroupsPolicy": ("fsGroup", "fsGroupChangePolicy")},
    "core.v1.PersistentVolumeSpec": {
        "awsElasticBlockStore": ("hostPath",),
        "rbd": ("quobyte", "iscsi", "flexVolume"),
        "fc": ("flocker", "azureFile", "vsphereVolume"),
    },
    "core.v1.Volume": {"rbd": ("quobyte",)},
    "batch.v1.JobSpec": {"completions": ("podFailurePolicy", "successPolicy")},
    "core.v1.ServiceSpec": {
        "": ("type",),
        "clusterIPs": ("ipFamilies", "ipFamilyPolicy", "externalName", "externalIPs", "loadBalancerIP"),
        "sessionAffinity": ("sessionAffinityConfig",),
    },
    "autoscaling.v2.ContainerResourceMetricSource": {"name": ("container",)},
}
_NOTHING: Mapping[str, Any] = {}


def go_struct(definition: str, value: Mapping[str, Any] | None) -> JsonObject:
    """A struct, such as `core.v1.SecurityContext`, as Kubernetes writes its own form of it."""
    return go_fields(definition, value, lambda name: True)


def go_fields(definition: str, value: Mapping[str, Any] | None, wanted: Any) -> JsonObject:
    """The fields of a struct of which `wanted` says that they are, by JSON name, as Kubernetes writes them."""
    from kajitori.apis import facts  # only complaints need them

    fields = {each.name: each for each in facts.definition(f"io.k8s.api.{definition}").fields or ()}
    held = value or _NOTHING
    own = _OWN_NAMES.get(definition, _NOTHING)
    shown: JsonObject = {}
    for name in _ordered(definition, list(fields)):
        if not wanted(name):
            continue
        word = fields[name].type
        if name == "metadata" and word.endswith(".ObjectMeta"):
            # It is embedded, and has JSON names.
            shown.update({key: held_ for key, held_ in (held.get(name) or _NOTHING).items() if held_})
            continue
        key = own.get(name) or _NAMES.get(name) or name[:1].upper() + name[1:]
        shown[key] = _shown(word, held.get(name))
        if definition == "core.v1.PodSpec" and name == "securityContext":
            shown[key] = _security_context(held, shown[key])
    return shown


def _security_context(spec: Mapping[str, Any], context: JsonObject | None) -> JsonObject:
    host = {
        name[:1].upper() + name[1:]: spec.get(name, False if name in _HOST[:3] else None) for name in _HOST
    }
    return {**host, **(context or go_struct("core.v1.PodSecurityContext", None))}


def _ordered(definition: str, names: list[str]) -> list[str]:
    if definition == "core.v1.PodSpec":
        names = [each for each in names if each not in _HOST and each != "serviceAccount"]
    for after, moved in _MOVED.get(definition, _NOTHING).items():
        rest = [each for each in names if each not in moved]
        place = rest.index(after) + 1 if after else 0
        names = [*rest[:place], *moved, *rest[place:]]
    return names


def go_difference(old: Any, new: Any) -> str:
    """What is different in two values as `go_struct` shows them."""
    lines = difflib.unified_diff(_lines(old), _lines(new), n=3)
    return "".join(list(lines)[2:])  # without the names of files, which Go leaves out


def _lines(value: Any) -> Sequence[str]:
    """Pretty JSON, line by line; the last line has its end too, as Go's has."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=1).decode()
    return (text + "\n").splitlines(keepends=True)


def _shown(word: str, value: Any) -> Any:
    if word.startswith("io.k8s.api."):
        return go_struct(word.removeprefix("io.k8s.api."), value)
    if value is None:
        return _zero(word)
    element = word.lstrip("*").removeprefix("[]").removeprefix("{}")
    if element.startswith("io.k8s.api."):
        name = element.removeprefix("io.k8s.api.")
        if isinstance(value, list):
            return [go_struct(name, each) for each in value]
        if word.lstrip("*").startswith("{}"):
            return {key: go_struct(name, value[key]) for key in sorted(value)}
        return go_struct(name, value)
    return dict(sorted(value.items())) if word.startswith("{}") else value


def _zero(word: str) -> Any:
    if word.startswith(("*", "[]", "{}")) or word.endswith("Time"):
        return None
    if word.startswith("string"):
        return ""
    if word == "bool":
        return False
    return "0" if word.endswith("Quantity") else 0
