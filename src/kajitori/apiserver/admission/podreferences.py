"""What of the API a Pod needs to run: a mirror Pod, which a node makes on its own, needs nothing.

Source: HasAPIObjectReference in pkg/api/pod of Kubernetes.
"""

from collections.abc import Iterator, Mapping

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.kind import JsonObject

__all__ = ["referenced"]

_SECRET_VOLUMES = {
    "azureFile": "secretName",
    "cephfs": "secretRef",
    "cinder": "secretRef",
    "flexVolume": "secretRef",
    "iscsi": "secretRef",
    "rbd": "secretRef",
    "scaleIO": "secretRef",
    "secret": "secretName",
    "storageos": "secretRef",
}
_FREE = frozenset(
    {
        "awsElasticBlockStore",
        "azureDisk",
        "cephfs",
        "cinder",
        "downwardAPI",
        "emptyDir",
        "fc",
        "flexVolume",
        "flocker",
        "gcePersistentDisk",
        "gitRepo",
        "hostPath",
        "image",
        "iscsi",
        "nfs",
        "photonPersistentDisk",
        "portworxVolume",
        "quobyte",
        "rbd",
        "scaleIO",
        "storageos",
        "vsphereVolume",
    }
)
"""Volumes that need nothing of the API."""

_REFERRING: Mapping[str, str] = {
    "configMap": "configmaps (via configmap volumes)",
    "secret": "secrets (via secret volumes)",
    "csi": "csidrivers (via CSI volumes)",
    "glusterfs": "endpoints (via glusterFS volumes)",
    "persistentVolumeClaim": "persistentvolumeclaims",
    "ephemeral": "persistentvolumeclaims (via ephemeral volumes)",
    "azureFile": "secrets (via azureFile volumes)",
}
_PROJECTED: Mapping[str, str] = {
    "configMap": "configmaps (via projected volumes)",
    "secret": "secrets (via projected volumes)",
    "serviceAccountToken": "serviceaccounts (via projected volumes)",
    "clusterTrustBundle": "clustertrustbundles",
    "podCertificate": "podcertificates",
}


def referenced(spec: JsonObject) -> str:
    """The first kind of object that a Pod refers to; empty where it refers to none.

    Raises: ValueError for a volume of an unknown kind.
    """
    if spec.get("serviceAccountName"):
        return "serviceaccounts"
    if any(_secrets(spec)):
        return "secrets"
    if any(_config_maps(spec)):
        return "configmaps"
    if spec.get("resourceClaims"):
        return "resourceclaims"
    for volume in spec.get("volumes") or ():
        what = _of_volume(volume)
        if what:
            return what
    return ""


def _of_volume(volume: JsonObject) -> str:
    kinds = [each for each in volume if each != "name" and volume[each] is not None]
    if any(each in _FREE for each in kinds):
        return ""
    for each in kinds:
        if each in _REFERRING:
            return _REFERRING[each]
    if "projected" not in kinds:
        raise ValueError(f"unknown volume type for volume  {go_quote(volume.get('name', ''))}")
    for source in volume["projected"].get("sources") or ():
        found = next((_PROJECTED[each] for each in _PROJECTED if source.get(each) is not None), "")
        if found:
            return found
        if source.get("downwardAPI") is None:
            raise ValueError(f"unknown source for projected volume {go_quote(volume.get('name', ''))}")
    return ""


def _environment(spec: JsonObject, member: str, key: str) -> Iterator[bool]:
    """Whether each source of a container's environment is of a kind."""
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(kind) or ():
            for each in container.get("envFrom") or ():
                yield bool((each.get(member) or {}).get("name"))
            for each in container.get("env") or ():
                yield bool(((each.get("valueFrom") or {}).get(key) or {}).get("name"))


def _secrets(spec: JsonObject) -> Iterator[bool]:
    yield bool(spec.get("imagePullSecrets"))
    yield from _environment(spec, "secretRef", "secretKeyRef")
    for volume in spec.get("volumes") or ():
        for kind, member in _SECRET_VOLUMES.items():
            yield bool((volume.get(kind) or {}).get(member))
        yield (volume.get("csi") or {}).get("nodePublishSecretRef") is not None
        for source in (volume.get("projected") or {}).get("sources") or ():
            yield source.get("secret") is not None


def _config_maps(spec: JsonObject) -> Iterator[bool]:
    yield from _environment(spec, "configMapRef", "configMapKeyRef")
    for volume in spec.get("volumes") or ():
        yield volume.get("configMap") is not None
        for source in (volume.get("projected") or {}).get("sources") or ():
            yield source.get("configMap") is not None
