"""Everything about one StatefulSet, from the cache.

Pods and revisions are found by who controls them, so that what one set costs does not grow with its namespace.
"""

from collections.abc import Iterable
from typing import Any

from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.labels import selector_from_object
from kajitori.controllers.kinds import (
    CONTROLLER_REVISIONS,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    STATEFUL_SETS,
)
from kajitori.controllers.statefulset.seen import SetSeen
from kajitori.controllers.statefulset.template import claim_names, ordinal_of
from kajitori.ctrl import Cache, NotInCache, Request, controller_of

__all__ = ["add_indexes", "observe", "sets_of_claim", "sets_of_orphan"]

_BY_CONTROLLER = "controller"
_ORPHAN = "-"


def _controller_uid(value: Any) -> Iterable[str]:
    controller = controller_of(value)
    return (controller.uid if controller is not None else _ORPHAN,)


def add_indexes(cache: Cache) -> None:
    """Tells the cache by what `observe` will look."""
    for kind in (PODS, CONTROLLER_REVISIONS):
        cache.add_index(kind, _BY_CONTROLLER, _controller_uid)


def observe(cache: Cache, request: Request, now: float) -> SetSeen | None:
    """Everything about one set; None when there is none."""
    set_ = cache.get(STATEFUL_SETS, request.namespace, request.name)
    if set_ is None:
        return None
    selector = selector_from_object(set_["spec"].get("selector"))
    own, orphan = (_BY_CONTROLLER, set_.uid), (_BY_CONTROLLER, _ORPHAN)
    pods = cache.list(PODS, request.namespace, index=own)
    pods += [
        pod
        for pod in cache.list(PODS, request.namespace, labels=selector, index=orphan)
        if ordinal_of(request.name, pod.name) is not None
    ]
    revisions = cache.list(CONTROLLER_REVISIONS, request.namespace, index=own)
    revisions += [
        each
        for each in cache.list(CONTROLLER_REVISIONS, request.namespace, labels=selector, index=orphan)
        if not each.being_deleted
    ]
    return SetSeen(set_, tuple(pods), tuple(revisions), _claims(cache, set_, pods), now)


def _claims(cache: Cache, set_: Unstructured, pods: Iterable[Unstructured]) -> dict[str, Unstructured]:
    start = int((set_["spec"].get("ordinals") or {}).get("start") or 0)
    replicas = set_["spec"].get("replicas")
    ordinals = {ordinal_of(set_.name, pod.name) for pod in pods}
    ordinals.update(range(start, start + (1 if replicas is None else int(replicas))))
    claims: dict[str, Unstructured] = {}
    for ordinal in ordinals:
        for name in () if ordinal is None else claim_names(set_, ordinal):
            claim = cache.get(PERSISTENT_VOLUME_CLAIMS, set_.namespace, name)
            if claim is not None:
                claims[name] = claim
    return claims


def _sets(cache: Cache, namespace: str) -> Iterable[Unstructured]:
    try:
        return cache.list(STATEFUL_SETS, namespace)
    except NotInCache:
        return ()  # not listed yet: when they are, every one is looked at


def sets_of_orphan(cache: Cache) -> Any:
    """A Pod or revision that nobody controls concerns the sets that would have it; for `Watch`."""

    def requests(value: Any) -> Iterable[Request]:
        if controller_of(value) is not None:
            return
        for set_ in _sets(cache, value.namespace):
            if selector_from_object(set_["spec"].get("selector")).matches(value.labels):
                yield Request(value.namespace, set_.name)

    return requests


def sets_of_claim(cache: Cache) -> Any:
    """A claim concerns the set whose Pod would use it; for `Watch`."""

    def requests(claim: Any) -> Iterable[Request]:
        base, _, ordinal = claim.name.rpartition("-")
        if not ordinal.isdecimal():
            return
        for set_ in _sets(cache, claim.namespace):
            if base.endswith(f"-{set_.name}") and claim.name in claim_names(set_, int(ordinal)):
                yield Request(claim.namespace, set_.name)

    return requests
