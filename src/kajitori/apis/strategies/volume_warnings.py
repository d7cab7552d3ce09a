"""Warnings about claims and volumes, shared by their own kinds and by the Pods that use them.

Source: pkg/api/persistentvolumeclaim, pkg/api/persistentvolume and the volume part of pkg/api/pod/warnings.go.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.quantity import parse_quantity

__all__ = ["claim_warnings", "fraction_warnings", "overlap_warnings", "volume_warnings"]

_DEPRECATED = {
    # Member of a Pod's volume to since when it is deprecated, and since when it does nothing.
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
_SHOWN = {"storageos": "storageOS"}


def fraction_warnings(path: str, resources: Mapping[str, str] | None, names: Sequence[str]) -> list[str]:
    """Warnings about amounts of bytes that are no whole number."""
    told: list[str] = []
    for name in names:
        text = (resources or {}).get(name)
        if text is not None and parse_quantity(text).milli_value() % 1000:
            told.append(
                f"{path}[{name}]: fractional byte value {go_quote(text)} is invalid, must be an integer"
            )
    return told


def claim_warnings(path: str, spec: Mapping[str, Any]) -> list[str]:
    """Warnings about the spec of a claim."""
    resources = spec.get("resources") or {}
    told = fraction_warnings(f"{path}.resources.requests", resources.get("requests"), ["storage"])
    return told + fraction_warnings(f"{path}.resources.limits", resources.get("limits"), ["storage"])


def volume_warnings(path: str, volumes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Warnings about the volumes of a Pod."""
    told: list[str] = []
    for index, volume in enumerate(volumes):
        for member, since in _DEPRECATED.items():
            if member in volume:
                told.append(f"{path}[{index}].{_SHOWN.get(member, member)}: {since}")
        template = volume.get("ephemeral", {}).get("volumeClaimTemplate")
        if template:
            told += claim_warnings(f"{path}[{index}].ephemeral.volumeClaimTemplate.spec", template["spec"])
    return told + overlap_warnings(volumes)


_Place = tuple[str, str]
"""A path inside a volume, and where its content comes from."""


def overlap_warnings(volumes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Warnings about files of one volume that hide one another."""
    told: list[str] = []
    for volume in volumes:
        name = volume["name"]
        for member, shown in (
            ("configMap", f"ConfigMap {go_quote(volume.get('configMap', {}).get('name', ''))}"),
            ("secret", f"Secret {go_quote(volume.get('secret', {}).get('secretName', ''))}"),
            ("downwardAPI", "DownwardAPI"),
        ):
            items = volume.get(member, {}).get("items")
            if items:
                told += _collisions(name, shown, [[(each.get("path", ""), "") for each in items]])
        if "projected" in volume:
            sources = volume["projected"].get("sources") or ()
            told += [f'volume "{name}" (Projected) has no sources provided' for each in sources if not each]
            told += _collisions(name, "Projected", [_projected(each) for each in sources])
    return told


def _collisions(volume: str, shown: str, groups: Sequence[Sequence[_Place]]) -> list[str]:
    told: list[str] = []
    seen: list[_Place] = []
    for group in groups:
        for path, source in group:
            place = (path.rstrip("/"), source)
            for other in _overlapping(seen, place):
                body = f"{_show(place)} with {_show(other)}"
                told.append(f"volume {go_quote(volume)} ({shown}): overlapping paths: {body}")
            seen.append(place)
    return told


def _overlapping(seen: Sequence[_Place], place: _Place) -> list[_Place]:
    path = place[0] + "/"
    if path == "/":
        return []
    return [
        each
        for each in seen
        if each[0] and ((each[0] + "/").startswith(path) or path.startswith(each[0] + "/"))
    ]


def _show(place: _Place) -> str:
    path, source = place
    return f"{go_quote(path)} ({source})" if source else go_quote(path)


def _projected(source: Mapping[str, Any]) -> list[_Place]:
    for member, shown in (("configMap", "ConfigMap"), ("secret", "Secret")):
        items = source.get(member, {}).get("items")
        if items:
            title = f"{shown} {go_quote(source[member].get('name', ''))}"
            return [(each.get("path", ""), title) for each in items]
    items = source.get("downwardAPI", {}).get("items")
    if items:
        return [(each.get("path", ""), "DownwardAPI") for each in items]
    if "serviceAccountToken" in source:
        return [(source["serviceAccountToken"].get("path", ""), "ServiceAccountToken")]
    if "clusterTrustBundle" in source:
        bundle = source["clusterTrustBundle"]
        title = f"ClusterTrustBundle {go_quote(bundle.get('name') or bundle.get('signerName', ''))}"
        return [(bundle.get("path", ""), title)]
    return []
