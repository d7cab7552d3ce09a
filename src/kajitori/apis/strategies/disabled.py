"""Fields of features that are off by default: taken out of what is written, unless the old object has them.

Source: the default feature gates of Kubernetes 1.36, and pkg/api/pod/util.go.
"""

from typing import Any

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.strategies.pod_templates import containers_of

__all__ = ["drop_pod_fields", "drop_pod_status_fields"]

_PROJECTIONS = ("clusterTrustBundle", "podCertificate")


def drop_pod_fields(spec: JsonObject | None, old: JsonObject | None) -> None:
    """Takes out of a Pod's spec what belongs to ClusterTrustBundleProjection, PodCertificateRequest,
    GenericWorkload and ContainerStopSignals."""
    if spec is None:
        return
    for volume in spec.get("volumes") or ():
        for source in (volume.get("projected") or {}).get("sources") or ():
            for member in _PROJECTIONS:
                if member in source and not _projects(old, member):
                    del source[member]
    if "schedulingGroup" in spec and "schedulingGroup" not in (old or {}):
        del spec["schedulingGroup"]
    for _, container in containers_of(spec):
        lifecycle = container.get("lifecycle")
        if lifecycle and "stopSignal" in lifecycle and not _signals(old):
            del lifecycle["stopSignal"]
            if not lifecycle:
                del container["lifecycle"]


def _projects(spec: JsonObject | None, member: str) -> bool:
    return any(
        member in source
        for volume in (spec or {}).get("volumes") or ()
        for source in (volume.get("projected") or {}).get("sources") or ()
    )


def _signals(spec: JsonObject | None) -> bool:
    return any(
        "stopSignal" in (container.get("lifecycle") or {}) for _, container in containers_of(spec or {})
    )


def drop_pod_status_fields(status: JsonObject, old: JsonObject | None) -> None:
    """Takes out of a Pod's status what belongs to ImageVolumeWithDigest and DRANodeAllocatableResources."""
    if "nodeAllocatableResourceClaimStatuses" not in (old or {}):
        status.pop("nodeAllocatableResourceClaimStatuses", None)
    if not any("volumeStatus" in mount for mount in _mounts(old or {})):
        for mount in _mounts(status):
            mount.pop("volumeStatus", None)


def _mounts(status: JsonObject) -> list[dict[str, Any]]:
    return [
        mount
        for member in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
        for container in status.get(member) or ()
        for mount in container.get("volumeMounts") or ()
    ]
