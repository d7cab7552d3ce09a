"""ControllerRevisions of a StatefulSet: one for each Pod template it has had.

Promises
    R1  the same template always gives the same name, the one that Kubernetes gives it: a set that is deleted with
        its Pods left and made again, here or there, finds its revision, and leaves the Pods alone
    R2  only the template counts: other changes of the set make no revision

Source: https://kubernetes.io/docs/tasks/manage-daemon/rollback-daemon-set/#understanding-daemonset-revisions and
Kubernetes' controller/history.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from kajitori.apimachinery.frozen import thaw
from kajitori.apimachinery.kind import JsonObject

__all__ = [
    "HASH_LABEL",
    "in_order",
    "new_revision",
    "revision_hash",
    "revision_number",
    "same_template",
    "template_of",
]

HASH_LABEL = "controller.kubernetes.io/hash"

NAME_PREFIX_MAX = 223
"""How much of the set's name is kept in a revision's: with the hash it stays a valid name."""

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_FNV_OFFSET, _FNV_PRIME = 0x811C9DC5, 0x01000193
_GO_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""What Go's JSON encoder escapes, and ours does not."""


def template_of(set_: Mapping[str, Any]) -> JsonObject:
    """The data of the revision of a set's present template: a patch that would bring the template back."""
    return {"spec": {"template": {"$patch": "replace", **set_["spec"]["template"]}}}


def revision_hash(data: JsonObject, collisions: int) -> str:
    """The letters for a template; `collisions` gives others to a template whose letters are taken."""
    text = msgspec.json.encode(data, order="deterministic").decode()
    for character, escaped in _GO_ESCAPES.items():
        text = text.replace(character, escaped)
    number = _FNV_OFFSET
    for byte in f"{text}{collisions}".encode():
        number = (number * _FNV_PRIME & 0xFFFFFFFF) ^ byte
    return "".join(_ALPHABET[ord(digit) % len(_ALPHABET)] for digit in str(number))


def revision_number(revision: Mapping[str, Any]) -> int:
    return int(revision.get("revision") or 0)


def in_order(revision: Mapping[str, Any]) -> tuple[int, str, str]:
    """The key by which revisions are sorted, the oldest first."""
    metadata = revision["metadata"]
    return revision_number(revision), str(metadata.get("creationTimestamp")), str(metadata["name"])


def same_template(revision: Mapping[str, Any], data: JsonObject) -> bool:
    """Whether a revision holds this template."""
    return bool(revision.get("data") == data)


def new_revision(set_: Mapping[str, Any], data: JsonObject, number: int, owner: JsonObject) -> JsonObject:
    """The ControllerRevision of a template."""
    metadata = set_["metadata"]
    letters = revision_hash(data, (set_.get("status") or {}).get("collisionCount") or 0)
    labels = dict(set_["spec"]["template"].get("metadata", {}).get("labels") or {})
    made: JsonObject = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": f"{metadata['name'][:NAME_PREFIX_MAX]}-{letters}",
            "namespace": metadata["namespace"],
            "labels": {**labels, HASH_LABEL: letters},
            "ownerReferences": [owner],
        },
        "data": _sorted(data),
        "revision": number,
    }
    if metadata.get("annotations"):
        made["metadata"]["annotations"] = dict(metadata["annotations"])
    return made


def _sorted(value: Any) -> Any:
    """The same JSON with the members of every object in order, as Kubernetes stores it."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_sorted(each) for each in value]
    return thaw(value)
