"""What a Pod and a claim of a StatefulSet look like.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#pod-identity
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kajitori.apimachinery.frozen import thaw
from kajitori.apimachinery.kind import JsonObject

__all__ = [
    "INDEX_LABEL",
    "NAME_LABEL",
    "REVISION_LABEL",
    "claim_names",
    "claims_of",
    "has_identity",
    "has_storage",
    "ordinal_of",
    "pod_of",
    "with_identity",
]

REVISION_LABEL = "controller-revision-hash"
NAME_LABEL = "statefulset.kubernetes.io/pod-name"
INDEX_LABEL = "apps.kubernetes.io/pod-index"

_POD_NAME = re.compile(r"(.*)-(0|[1-9][0-9]{0,9})")


def ordinal_of(set_name: str, pod_name: str) -> int | None:
    """Which Pod of the set a name is; None when it is no name of its."""
    found = _POD_NAME.fullmatch(pod_name)
    return int(found[2]) if found is not None and found[1] == set_name else None


def _claim_name(template: Mapping[str, Any], set_name: str, ordinal: int) -> str:
    """`data-web-0`."""
    return f"{template['metadata']['name']}-{set_name}-{ordinal}"


def claim_names(set_: Mapping[str, Any], ordinal: int) -> Iterator[str]:
    """The names of the claims of one Pod."""
    for template in set_["spec"].get("volumeClaimTemplates") or ():
        yield _claim_name(template, set_["metadata"]["name"], ordinal)


def claims_of(set_: Mapping[str, Any], ordinal: int) -> Iterator[JsonObject]:
    """The claims of one Pod, from the set's templates."""
    metadata, spec = set_["metadata"], set_["spec"]
    selected = (spec.get("selector") or {}).get("matchLabels") or {}
    for template in spec.get("volumeClaimTemplates") or ():
        said = template["metadata"]
        about: JsonObject = {
            "name": _claim_name(template, metadata["name"], ordinal),
            "namespace": metadata["namespace"],
            "labels": {**(said.get("labels") or {}), **selected},
        }
        for name in ("annotations", "finalizers", "ownerReferences"):
            if said.get(name):
                about[name] = thaw(said[name])
        yield {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": about,
            "spec": thaw(template["spec"]),
        }


def pod_of(
    set_: Mapping[str, Any], template: Mapping[str, Any], ordinal: int, revision: str, owner: JsonObject
) -> JsonObject:
    """The Pod with this ordinal, made from a template."""
    said = template.get("metadata") or {}
    set_name = set_["metadata"]["name"]
    name = f"{set_name}-{ordinal}"
    metadata: JsonObject = {
        "name": name,
        "generateName": f"{set_name}-",
        "namespace": set_["metadata"]["namespace"],
        "labels": {**(said.get("labels") or {}), REVISION_LABEL: revision},
        "ownerReferences": [owner],
    }
    for key in ("annotations", "finalizers"):
        if said.get(key):
            metadata[key] = thaw(said[key])
    spec = thaw(template["spec"])
    spec["hostname"] = name
    if set_["spec"].get("serviceName"):
        spec["subdomain"] = set_["spec"]["serviceName"]
    pod: JsonObject = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    return with_identity(pod, set_, ordinal)


def with_identity(pod: JsonObject, set_: Mapping[str, Any], ordinal: int) -> JsonObject:
    """The Pod, changed in place, with what makes it this one of the set: labels, and the volumes of its claims."""
    set_name = set_["metadata"]["name"]
    labels = {NAME_LABEL: f"{set_name}-{ordinal}", INDEX_LABEL: str(ordinal)}
    pod["metadata"]["labels"] = {**(pod["metadata"].get("labels") or {}), **labels}
    claimed = {
        each["metadata"]["name"]: {
            "name": each["metadata"]["name"],
            "persistentVolumeClaim": {"claimName": _claim_name(each, set_name, ordinal)},
        }
        for each in set_["spec"].get("volumeClaimTemplates") or ()
    }
    others = [each for each in pod["spec"].get("volumes") or () if each["name"] not in claimed]
    if claimed or others:
        pod["spec"]["volumes"] = [*claimed.values(), *others]
    return pod


def has_identity(pod: Mapping[str, Any]) -> bool:
    """Whether a Pod whose name is one of the set's says so in its labels."""
    metadata = pod["metadata"]
    return bool((metadata.get("labels") or {}).get(NAME_LABEL) == metadata["name"])


def has_storage(pod: Mapping[str, Any], set_: Mapping[str, Any], ordinal: int) -> bool:
    """Whether a Pod uses the claims that its ordinal has."""
    claimed = {
        volume["name"]: (volume.get("persistentVolumeClaim") or {}).get("claimName")
        for volume in pod["spec"].get("volumes") or ()
    }
    return all(
        claimed.get(each["metadata"]["name"]) == _claim_name(each, set_["metadata"]["name"], ordinal)
        for each in set_["spec"].get("volumeClaimTemplates") or ()
    )
