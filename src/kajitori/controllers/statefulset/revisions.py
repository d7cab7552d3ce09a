"""ControllerRevisions of a StatefulSet: one for each Pod template it has had.

Promises
    R1  the same template always gives the same name, in this process and in the next: a set that is deleted with its
        Pods left and made again finds its revision, and leaves the Pods alone
    R2  only the template counts: other changes of the set make no revision

Source: https://kubernetes.io/docs/tasks/manage-daemon/rollback-daemon-set/#understanding-daemonset-revisions
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from kajitori.apimachinery.kind import JsonObject

__all__ = ["HASH_LABEL", "new_revision", "revision_hash", "revision_number", "same_template", "template_of"]

HASH_LABEL = "controller.kubernetes.io/hash"

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_LETTERS = 10


def template_of(set_: Mapping[str, Any]) -> JsonObject:
    """The data of the revision of a set's present template: a patch that would bring the template back."""
    return {"spec": {"template": {**set_["spec"]["template"], "$patch": "replace"}}}


def revision_hash(data: JsonObject, collisions: int) -> str:
    """Ten letters for a template; `collisions` gives others to a template whose letters are taken."""
    encoded = msgspec.json.encode(data, order="deterministic") + b"#%d" % collisions
    number = int.from_bytes(hashlib.sha256(encoded).digest()[:8], "big")
    letters: list[str] = []
    for _ in range(_LETTERS):
        number, rest = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[rest])
    return "".join(letters)


def revision_number(revision: Mapping[str, Any]) -> int:
    return int(revision.get("revision") or 0)


def same_template(revision: Mapping[str, Any], data: JsonObject) -> bool:
    """Whether a revision holds this template."""
    return msgspec.json.encode(revision.get("data"), order="deterministic") == msgspec.json.encode(
        data, order="deterministic"
    )


def new_revision(set_: Mapping[str, Any], data: JsonObject, number: int, owner: JsonObject) -> JsonObject:
    """The ControllerRevision of a template."""
    metadata = set_["metadata"]
    letters = revision_hash(data, (set_.get("status") or {}).get("collisionCount") or 0)
    labels = dict(set_["spec"]["template"].get("metadata", {}).get("labels") or {})
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": f"{metadata['name']}-{letters}",
            "namespace": metadata["namespace"],
            "labels": {**labels, HASH_LABEL: letters},
            "ownerReferences": [owner],
        },
        "data": data,
        "revision": number,
    }
