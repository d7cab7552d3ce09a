"""Which objects belong to what runs on a node: from Pods to what they refer to, through claims to volumes.

Sits between the store and the node authorizer.

Promises
    G1  a thing belongs to a node when a Pod bound to that node refers to it; a PersistentVolume when its claim does;
        a Secret also when such a PersistentVolume needs it; attachments and slices that name the node
    G2  whatever is written counts for the next question
    G3  nothing is read and nothing followed before the first question: a cluster without nodes pays nothing
    G4  after that a write costs a note of its name; it is read with the next question

Source: plugin/pkg/auth/authorizer/node/graph.go of Kubernetes.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from kajitori.apiserver.authorization.node_references import Thing, referred_by_pod, secrets_of_volume

if TYPE_CHECKING:
    from kajitori.storage import Event, Store

__all__ = ["NodeGraph"]

_Key = tuple[str, str]
"""Namespace (empty for the cluster) and name."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class NodeGraph:
    """What belongs to which node."""

    def __init__(self, store: "Store") -> None:
        self._store = store
        self._update: Mapping[str, Callable[[_Key, Mapping[str, Any] | None], None]] = {
            "/pods": self._pod,
            "/persistentvolumes": self._volume,
            "storage.k8s.io/volumeattachments": self._attachment,
            "resource.k8s.io/resourceslices": self._slice,
        }
        self._changed: set[tuple[str, str]] | None = None
        """Bucket and name of what was written since the last question; None: nothing was asked yet."""
        self._pods: dict[_Key, tuple[str, set[Thing]]] = {}
        """The node of each Pod that is bound, and what it refers to."""
        self._nodes: dict[Thing, dict[str, int]] = {}
        """How many Pods of each node refer to a thing."""
        self._volumes: dict[str, tuple[Thing, set[_Key]]] = {}
        """The claim of each PersistentVolume that is bound, and the Secrets it needs."""
        self._volumes_needing: dict[_Key, set[str]] = {}
        """PersistentVolumes by the Secrets they need."""
        self._named: dict[Thing, str] = {}
        """Nodes of things that name one."""

    def belongs(self, node: str, resource: str, namespace: str, name: str) -> bool:
        """Whether an object belongs to what runs on a node."""
        self._catch_up()
        thing = (resource, namespace, name)
        if resource == "pods":
            known = self._pods.get((namespace, name))
            return known is not None and known[0] == node
        if resource == "persistentvolumes":
            return not namespace and self._volume_belongs(node, name)
        if resource in ("volumeattachments", "resourceslices"):
            return self._named.get(thing) == node
        if node in self._nodes.get(thing, ()):
            return True
        return resource == "secrets" and any(
            self._volume_belongs(node, each) for each in self._volumes_needing.get((namespace, name), ())
        )

    def _volume_belongs(self, node: str, name: str) -> bool:
        known = self._volumes.get(name)
        return known is not None and node in self._nodes.get(known[0], ())

    # What is there.

    def _catch_up(self) -> None:
        if self._changed is None:
            self._changed = set()
            for bucket in self._update:
                self._store.subscribe(bucket, self._follow(bucket))
                self._changed.update((bucket, item.name) for item in self._store.range(bucket))
        while self._changed:
            bucket, name = self._changed.pop()
            namespace, _, own = name.rpartition("/")
            item = self._store.get(bucket, name)
            self._update[bucket]((namespace, own), None if item is None else _decode(item.value))

    def _follow(self, bucket: str) -> "Callable[[Event], None]":
        changed = self._changed
        assert changed is not None, "nobody has asked yet"

        def follow(event: "Event") -> None:
            changed.add((bucket, event.name))

        return follow

    def _pod(self, key: _Key, pod: Mapping[str, Any] | None) -> None:
        node = ((pod or {}).get("spec") or {}).get("nodeName") or ""
        before, referred = self._pods.pop(key, ("", set[Thing]()))
        for thing in referred:
            nodes = self._nodes[thing]
            nodes[before] -= 1
            if not nodes[before]:
                del nodes[before]
                if not nodes:
                    del self._nodes[thing]
        if pod is None or not node:
            return
        referred = referred_by_pod(pod)
        self._pods[key] = (node, referred)
        for thing in referred:
            nodes = self._nodes.setdefault(thing, {})
            nodes[node] = nodes.get(node, 0) + 1

    def _volume(self, key: _Key, volume: Mapping[str, Any] | None) -> None:
        name = key[1]
        _, secrets = self._volumes.pop(name, (None, set[_Key]()))
        for secret in secrets:
            self._volumes_needing[secret].discard(name)
            if not self._volumes_needing[secret]:
                del self._volumes_needing[secret]
        spec = (volume or {}).get("spec") or {}
        claim = spec.get("claimRef")
        if claim is None:
            return
        secrets = secrets_of_volume(spec)
        claimed = ("persistentvolumeclaims", claim.get("namespace") or "", claim.get("name") or "")
        self._volumes[name] = (claimed, secrets)
        for secret in secrets:
            self._volumes_needing.setdefault(secret, set()).add(name)

    def _attachment(self, key: _Key, attachment: Mapping[str, Any] | None) -> None:
        self._name_node(("volumeattachments", *key), attachment)

    def _slice(self, key: _Key, found: Mapping[str, Any] | None) -> None:
        self._name_node(("resourceslices", *key), found)

    def _name_node(self, thing: Thing, obj: Mapping[str, Any] | None) -> None:
        node = ((obj or {}).get("spec") or {}).get("nodeName")
        if node:
            self._named[thing] = node
        else:
            self._named.pop(thing, None)
