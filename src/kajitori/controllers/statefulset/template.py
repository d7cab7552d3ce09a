"""What a Pod and a claim of a StatefulSet look like.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#pod-identity
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from kajitori.apimachinery.frozen import thaw
from kajitori.apimachinery.kind import JsonObject

__all__ = [
    "INDEX_LABEL",
    "NAME_LABEL",
    "REVISION_LABEL",
    "claim_name",
    "claims_of",
    "ordinal_of",
    "pod_of",
    "with_identity",
]

REVISION_LABEL = "controller-revision-hash"
NAME_LABEL = "statefulset.kubernetes.io/pod-name"
INDEX_LABEL = "apps.kubernetes.io/pod-index"

_POD_NAME = re.compile(r"(.*)-([0-9]+)")


def ordinal_of(set_name: str, pod_name: str) -> int | None:
    """Which Pod of the set a name is; None when it is no name of its."""
    found = _POD_NAME.fullmatch(pod_name)
    return int(found[2]) if found is not None and found[1] == set_name else None


def claim_name(template: Mapping[str, Any], set_name: str, ordinal: int) -> str:
    """`data-web-0`."""
    return f"{template['metadata']['name']}-{set_name}-{ordinal}"


def claims_of(set_: Mapping[str, Any], ordinal: int) -> Iterable[JsonObject]:
    """The claims of one Pod, from the set's templates."""
    metadata, spec = set_["metadata"], set_["spec"]
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    for template in spec.get("volumeClaimTemplates") or ():
        said = template["metadata"]
        yield {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                **{name: thaw(said[name]) for name in ("annotations",) if said.get(name)},
                "name": claim_name(template, metadata["name"], ordinal),
                "namespace": metadata["namespace"],
                "labels": {**(said.get("labels") or {}), **labels},
            },
            "spec": thaw(template["spec"]),
        }


def pod_of(
    set_: Mapping[str, Any], template: Mapping[str, Any], ordinal: int, revision: str, owner: JsonObject
) -> JsonObject:
    """The Pod with this ordinal, made from a template."""
    said = template.get("metadata") or {}
    pod: JsonObject = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{set_['metadata']['name']}-{ordinal}",
            "namespace": set_["metadata"]["namespace"],
            "labels": dict(said.get("labels") or {}),
            "ownerReferences": [owner],
        },
        "spec": thaw(template["spec"]),
    }
    for name in ("annotations", "finalizers"):
        if said.get(name):
            pod["metadata"][name] = thaw(said[name])
    return with_identity(pod, set_, ordinal, revision)


def with_identity(pod: JsonObject, set_: Mapping[str, Any], ordinal: int, revision: str) -> JsonObject:
    """The Pod with everything that makes it this one of the set: labels, host name, its own claims."""
    name = f"{set_['metadata']['name']}-{ordinal}"
    pod["metadata"]["labels"] |= {
        NAME_LABEL: name,
        INDEX_LABEL: str(ordinal),
        REVISION_LABEL: revision,
    }
    spec = pod["spec"]
    spec["hostname"] = name
    if set_["spec"].get("serviceName"):
        spec["subdomain"] = set_["spec"]["serviceName"]
    templates = set_["spec"].get("volumeClaimTemplates") or ()
    claimed = {
        each["metadata"]["name"]: {
            "name": each["metadata"]["name"],
            "persistentVolumeClaim": {"claimName": claim_name(each, set_["metadata"]["name"], ordinal)},
        }
        for each in templates
    }
    others = [each for each in spec.get("volumes") or () if each["name"] not in claimed]
    volumes = [*claimed.values(), *others]
    if volumes:
        spec["volumes"] = volumes
    return pod
