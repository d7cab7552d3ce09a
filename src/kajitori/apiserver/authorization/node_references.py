"""What Pods and PersistentVolumes refer to: what the node that runs them must be able to read.

Sits under the node authorizer; no I/O.

Source: VisitPodSecretNames and VisitPodConfigmapNames of pkg/api/v1/pod, VisitPVSecretNames of
pkg/api/v1/persistentvolume, AddPod of plugin/pkg/auth/authorizer/node.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["Thing", "referred_by_pod", "secrets_of_volume"]

Thing = tuple[str, str, str]
"""Resource, namespace and name."""

_Object = Mapping[str, Any]

_SECRET_MEMBERS = {
    "azureFile": "secretName",
    "cephfs": "secretRef",
    "cinder": "secretRef",
    "flexVolume": "secretRef",
    "rbd": "secretRef",
    "secret": "secretName",
    "scaleIO": "secretRef",
    "iscsi": "secretRef",
    "storageos": "secretRef",
    "csi": "nodePublishSecretRef",
}
"""Where each kind of volume of a Pod names its Secret."""

_OWN_NAMESPACE = frozenset(("cinder", "storageos", "csi"))
"""Volumes whose Secrets have to say their namespace; others fall back on that of the claim."""

_CSI_MEMBERS = ("nodePublishSecretRef", "nodeStageSecretRef", "nodeExpandSecretRef")
"""What a node needs; the other Secrets of a CSI volume are for controllers."""


def referred_by_pod(pod: _Object) -> set[Thing]:
    """What a Pod lets its node see. A mirror Pod, which a node makes by itself, lets it see nothing."""
    metadata, spec = pod["metadata"], pod.get("spec") or {}
    if "kubernetes.io/config.mirror" in (metadata.get("annotations") or {}):
        return set()
    named: list[tuple[str, Any]] = [("serviceaccounts", spec.get("serviceAccountName"))]
    named += [("secrets", each.get("name")) for each in spec.get("imagePullSecrets") or ()]
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(kind) or ():
            named += _of_container(container)
    for volume in spec.get("volumes") or ():
        named += _of_volume(metadata["name"], volume)
    named += [("resourceclaims", name) for name in _claims(spec, pod.get("status") or {})]
    return {(resource, metadata["namespace"], name) for resource, name in named if name}


def _of_container(container: _Object) -> Iterator[tuple[str, Any]]:
    for source in container.get("envFrom") or ():
        yield "secrets", _name(source.get("secretRef"))
        yield "configmaps", _name(source.get("configMapRef"))
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        yield "secrets", _name(source.get("secretKeyRef"))
        yield "configmaps", _name(source.get("configMapKeyRef"))


def _of_volume(pod_name: str, volume: _Object) -> Iterator[tuple[str, Any]]:
    if volume.get("persistentVolumeClaim") is not None:
        yield "persistentvolumeclaims", volume["persistentVolumeClaim"].get("claimName")
    elif volume.get("ephemeral") is not None:
        yield "persistentvolumeclaims", f"{pod_name}-{volume['name']}"
    yield "configmaps", _name(volume.get("configMap"))
    for kind, member in _SECRET_MEMBERS.items():
        found = (volume.get(kind) or {}).get(member)
        yield "secrets", found if isinstance(found, str) else _name(found)
    for source in (volume.get("projected") or {}).get("sources") or ():
        yield "secrets", _name(source.get("secret"))
        yield "configmaps", _name(source.get("configMap"))


def _claims(spec: _Object, status: _Object) -> Iterator[Any]:
    """ResourceClaims by their names; those made from a template have theirs in the status."""
    made = {each.get("name"): each for each in reversed(status.get("resourceClaimStatuses") or ())}
    for claim in spec.get("resourceClaims") or ():
        if claim.get("resourceClaimName") is not None:
            yield claim["resourceClaimName"]
        elif claim.get("resourceClaimTemplateName") is not None:
            yield made.get(claim.get("name"), {}).get("resourceClaimName")
    yield (status.get("extendedResourceClaimStatus") or {}).get("resourceClaimName")


def secrets_of_volume(spec: _Object) -> set[tuple[str, str]]:
    """The Secrets, by namespace and name, that a node needs for a PersistentVolume that is bound."""
    claim_namespace = (spec.get("claimRef") or {}).get("namespace") or ""
    kind = next((each for each in _SECRET_MEMBERS if each != "secret" and spec.get(each) is not None), "")
    if not kind:
        return set()
    source: _Object = spec[kind]
    if kind == "azureFile":
        references: Sequence[Any] = [
            {"name": source.get("secretName"), "namespace": source.get("secretNamespace")}
        ]
    elif kind == "csi":
        references = [source.get(each) for each in _CSI_MEMBERS]
    else:
        references = [source.get("secretRef")]
    fallback = "" if kind in _OWN_NAMESPACE else claim_namespace
    return {(each.get("namespace") or fallback, each["name"]) for each in references if _name(each)}


def _name(reference: Any) -> Any:
    return None if reference is None else reference.get("name")
