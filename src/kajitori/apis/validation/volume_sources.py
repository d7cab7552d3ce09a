"""Where the data of volumes is: the sources that Pods' volumes and PersistentVolumes share, and each one's own.

A check gets the source, its path and the list of complaints. Which sources there are, and in which order Kubernetes
looks for them, is told by `volumes` and `persistent_volumes`.

Source: pkg/apis/core/validation.
"""

import re
from collections.abc import Callable

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import is_dns1123_subdomain
from kajitori.apis.validation.checks import Errors, check_enum, check_label, check_namespace, check_subdomain
from kajitori.apis.validation.paths import check_descending_path, check_no_backsteps

__all__ = ["SourceCheck", "check_csi_driver_name", "check_iscsi_names", "check_secret_reference", "requires"]

SourceCheck = Callable[[JsonObject, str, Errors], None]


def requires(*members: str) -> SourceCheck:
    """A check that the members are there."""

    def check(source: JsonObject, path: str, errors: Errors) -> None:
        errors += [FieldError.required(f"{path}.{each}") for each in members if not source.get(each)]

    return check


_HOST_PATH_TYPES = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)


def check_host_path(source: JsonObject, path: str, errors: Errors) -> None:
    location = source.get("path", "")
    if not location:
        errors.append(FieldError.required(f"{path}.path"))
        return
    check_no_backsteps(location, f"{path}.path", errors)
    if "type" in source:
        check_enum(source["type"], _HOST_PATH_TYPES, f"{path}.type", errors)


def check_git_repo(source: JsonObject, path: str, errors: Errors) -> None:
    if not source.get("repository"):
        errors.append(FieldError.required(f"{path}.repository"))
    check_descending_path(source.get("directory", ""), f"{path}.directory", errors)


def _check_partition(source: JsonObject, path: str, errors: Errors) -> None:
    partition = source.get("partition", 0)
    if not 0 <= partition <= 255:
        told = "must be between 1 and 255, inclusive"
        errors.append(FieldError.invalid(f"{path}.partition", partition, told))


def check_gce_disk(source: JsonObject, path: str, errors: Errors) -> None:
    if not source.get("pdName"):
        errors.append(FieldError.required(f"{path}.pdName"))
    _check_partition(source, path, errors)


def check_aws_disk(source: JsonObject, path: str, errors: Errors) -> None:
    if not source.get("volumeID"):
        errors.append(FieldError.required(f"{path}.volumeID"))
    _check_partition(source, path, errors)


def check_nfs(source: JsonObject, path: str, errors: Errors) -> None:
    requires("server", "path")(source, path, errors)
    location = source.get("path", "")
    if not location.startswith("/"):
        errors.append(FieldError.invalid(f"{path}.path", location, "must be an absolute path"))


_iqn = re.compile(r"iqn\.\d{4}-\d{2}\.([A-Za-z0-9.-]+)(:[^,;*&$|\s]+)\Z").search
_eui = re.compile("eui.[A-Za-z0-9]{16}").fullmatch
_naa = re.compile("naa.[A-Za-z0-9]{32}").fullmatch
_ISCSI_NAMES = {"iqn": _iqn, "eui": _eui, "naa": _naa}
_ISCSI_BYTES_MAX = 64
_TOO_LONG_PORTAL = (
    "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters "
    "if iscsi.initiatorName is specified."
)


def _check_iscsi_name(name: str, path: str, told: str, errors: Errors) -> None:
    matches = _ISCSI_NAMES.get(name[:3])
    if matches is None:
        errors.append(FieldError.invalid(path, name, told))
    elif not matches(name):
        errors.append(FieldError.invalid(path, name, "must be valid format"))


def check_iscsi_names(source: JsonObject, path: str, errors: Errors, *, persistent: bool) -> None:
    """The names, the unit and the secret of an iSCSI target, which both kinds of volumes have."""
    told = "must be valid format" if persistent else "must be valid format starting with iqn, eui, or naa"
    if not source.get("iqn"):
        errors.append(FieldError.required(f"{path}.iqn"))
    else:
        _check_iscsi_name(source["iqn"], f"{path}.iqn", told, errors)
    lun = source.get("lun", 0)
    if not 0 <= lun <= 255:
        errors.append(FieldError.invalid(f"{path}.lun", lun, "must be between 0 and 255, inclusive"))
    secret = source.get("secretRef")
    if (source.get("chapAuthDiscovery") or source.get("chapAuthSession")) and secret is None:
        errors.append(FieldError.required(f"{path}.secretRef"))
    if persistent and secret is not None and not secret.get("name"):
        errors.append(FieldError.required(f"{path}.secretRef.name"))
    if "initiatorName" in source:
        _check_iscsi_name(source["initiatorName"], f"{path}.initiatorname", told, errors)


def is_iscsi_too_long(source: JsonObject, volume: str) -> bool:
    """Whether the initiator's interface would have too long a name."""
    name = f"{volume}:{source.get('targetPortal', '')}"
    return "initiatorName" in source and len(name.encode()) > _ISCSI_BYTES_MAX


def iscsi_too_long(path: str, value: str) -> FieldError:
    return FieldError.invalid(path, value, _TOO_LONG_PORTAL)


def check_iscsi(source: JsonObject, path: str, errors: Errors) -> None:
    if not source.get("targetPortal"):
        errors.append(FieldError.required(f"{path}.targetPortal"))
    check_iscsi_names(source, path, errors, persistent=False)


def check_fibre_channel(source: JsonObject, path: str, errors: Errors) -> None:
    names, worldwide = source.get("targetWWNs"), source.get("wwids")
    if not names and not worldwide:
        told = "must specify either targetWWNs or wwids, but not both"
        errors.append(FieldError.required(f"{path}.targetWWNs", told))
    if names and worldwide:
        told = "targetWWNs and wwids can not be specified simultaneously"
        errors.append(FieldError.invalid(f"{path}.targetWWNs", names, told))
    if names:
        lun = source.get("lun")
        if lun is None:
            told = "lun is required if targetWWNs is specified"
            errors.append(FieldError.required(f"{path}.lun", told))
        elif not 0 <= lun <= 255:
            errors.append(FieldError.invalid(f"{path}.lun", lun, "must be between 0 and 255, inclusive"))


def check_quobyte(source: JsonObject, path: str, errors: Errors) -> None:
    registry = source.get("registry", "")
    told = "must be a host:port pair or multiple pairs separated by commas"
    if not registry:
        errors.append(FieldError.required(f"{path}.registry", told))
    elif len(source.get("tenant", "").encode()) >= 65:
        wanted = "must be a UUID and may not exceed a length of 64 characters"
        errors.append(FieldError.required(f"{path}.tenant", wanted))
    else:
        for pair in registry.split(","):
            if not _is_host_port(pair):
                errors.append(FieldError.invalid(f"{path}.registry", registry, told))
    if not source.get("volume"):
        errors.append(FieldError.required(f"{path}.volume"))


_host_port_matches = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*):[^:\[\]]*").fullmatch


def _is_host_port(text: str) -> bool:
    return _host_port_matches(text) is not None


check_glusterfs = requires("endpoints", "path")


def check_glusterfs_persistent(source: JsonObject, path: str, errors: Errors) -> None:
    check_glusterfs(source, path, errors)
    namespace = source.get("endpointsNamespace")
    if namespace == "":
        told = "if the endpointnamespace is set, it must be a valid namespace name"
        errors.append(FieldError.invalid(f"{path}.endpointsNamespace", "", told))
    elif namespace is not None:
        check_namespace(namespace, f"{path}.endpointsNamespace", errors)


def check_flocker(source: JsonObject, path: str, errors: Errors) -> None:
    name, uuid = source.get("datasetName", ""), source.get("datasetUUID", "")
    if not name and not uuid:
        errors.append(FieldError.required(path, "one of datasetName and datasetUUID is required"))
    if name and uuid:
        told = "datasetName and datasetUUID can not be specified simultaneously"
        errors.append(FieldError.invalid(path, "resource", told))
    if "/" in name:
        errors.append(FieldError.invalid(f"{path}.datasetName", name, "must not contain '/'"))


def _check_secret_name(source: JsonObject, path: str, errors: Errors, *, namespaced: bool) -> None:
    secret = source.get("secretRef")
    if secret is None:
        return
    members = ("name", "namespace") if namespaced else ("name",)
    requires(*members)(secret, f"{path}.secretRef", errors)


def check_cinder(source: JsonObject, path: str, errors: Errors) -> None:
    requires("volumeID")(source, path, errors)
    _check_secret_name(source, path, errors, namespaced=False)


def check_cinder_persistent(source: JsonObject, path: str, errors: Errors) -> None:
    requires("volumeID")(source, path, errors)
    _check_secret_name(source, path, errors, namespaced=True)


def check_flex_volume(source: JsonObject, path: str, errors: Errors) -> None:
    requires("driver")(source, path, errors)
    for key in source.get("options") or ():
        domain = "." + key.partition("/")[0].lower()
        if domain.endswith((".kubernetes.io", ".k8s.io")):
            told = "kubernetes.io and k8s.io namespaces are reserved"
            errors.append(FieldError.invalid(f"{path}.options[{key}]", key, told))


check_azure_file = requires("secretName", "shareName")


def check_azure_file_persistent(source: JsonObject, path: str, errors: Errors) -> None:
    check_azure_file(source, path, errors)
    if source.get("secretNamespace") == "":
        errors.append(FieldError.required(f"{path}.secretNamespace"))


_MANAGED_DISKS = (
    "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}",
)
_BLOB_DISKS = ("https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd",)


def check_azure_disk(source: JsonObject, path: str, errors: Errors) -> None:
    requires("diskName", "diskURI")(source, path, errors)
    if "cachingMode" in source:
        modes = ("None", "ReadOnly", "ReadWrite")
        check_enum(source["cachingMode"], modes, f"{path}.cachingMode", errors)
    kind, uri = source.get("kind"), source.get("diskURI", "")
    if kind is None:
        return
    check_enum(kind, ("Dedicated", "Managed", "Shared"), f"{path}.kind", errors)
    if kind == "Managed" and not uri.startswith("/subscriptions/"):
        errors.append(FieldError.not_supported(f"{path}.diskURI", uri, _MANAGED_DISKS))
    elif kind != "Managed" and not uri.startswith("https://"):
        errors.append(FieldError.not_supported(f"{path}.diskURI", uri, _BLOB_DISKS))


check_scale_io = requires("gateway", "system", "volumeName")


def _check_storage_os(source: JsonObject, path: str, errors: Errors) -> None:
    name, namespace = source.get("volumeName", ""), source.get("volumeNamespace", "")
    if not name:
        errors.append(FieldError.required(f"{path}.volumeName"))
    else:
        check_label(name, f"{path}.volumeName", errors)
    if namespace:
        check_label(namespace, f"{path}.volumeNamespace", errors)


def check_storage_os(source: JsonObject, path: str, errors: Errors) -> None:
    _check_storage_os(source, path, errors)
    _check_secret_name(source, path, errors, namespaced=False)


def check_storage_os_persistent(source: JsonObject, path: str, errors: Errors) -> None:
    _check_storage_os(source, path, errors)
    _check_secret_name(source, path, errors, namespaced=True)


_DRIVER_BYTES_MAX = 63


def check_csi_driver_name(name: str, path: str, errors: Errors) -> None:
    if not name:
        errors.append(FieldError.required(path))
        return
    if len(name.encode()) > _DRIVER_BYTES_MAX:
        errors.append(FieldError.too_long(path, "", _DRIVER_BYTES_MAX))
    errors += [FieldError.invalid(path, name, told) for told in is_dns1123_subdomain(name.lower())]


def check_csi(source: JsonObject, path: str, errors: Errors) -> None:
    check_csi_driver_name(source.get("driver", ""), f"{path}.driver", errors)
    secret = source.get("nodePublishSecretRef")
    if secret is None:
        return
    if not secret.get("name"):
        errors.append(FieldError.required(f"{path}.nodePublishSecretRef.name"))
    else:
        check_subdomain(secret["name"], f"{path}.name", errors)


def check_secret_reference(secret: JsonObject, path: str, errors: Errors) -> None:
    """A secret by name and namespace."""
    for member, check in (("name", check_subdomain), ("namespace", check_namespace)):
        if not secret.get(member):
            errors.append(FieldError.required(f"{path}.{member}"))
        else:
            check(secret[member], f"{path}.{member}", errors)


def check_csi_persistent(source: JsonObject, path: str, errors: Errors) -> None:
    check_csi_driver_name(source.get("driver", ""), f"{path}.driver", errors)
    if not source.get("volumeHandle"):
        errors.append(FieldError.required(f"{path}.volumeHandle"))
    for member in (
        "controllerPublishSecretRef",
        "controllerExpandSecretRef",
        "nodePublishSecretRef",
        "nodeExpandSecretRef",
    ):
        if member in source:
            check_secret_reference(source[member], f"{path}.{member}", errors)


def check_local(source: JsonObject, path: str, errors: Errors) -> None:
    location = source.get("path", "")
    if not location:
        errors.append(FieldError.required(f"{path}.path"))
    else:
        check_no_backsteps(location, f"{path}.path", errors)
