"""The writes that are replayed: what a policy would have to say something about.

Stored objects become writes of a user that is named; requests of an audit log are what they were.

Promises
    W1  an object that is created comes as validating admission sees it; one that is updated is not changed by it
    W2  of an audit log only requests count that were let through; those of which too little was written down are
        counted by the reason, never guessed
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.structural.defaulting import copy_json
from kajitori.apiserver.authentication import User
from kajitori.apiserver.options import DeleteOptions, WriteOptions
from kajitori.apiserver.registry.call import Attributes, Call
from kajitori.apiserver.registry.resource import Resource
from kajitori.apiserver.registry.scale import BUILT_IN, with_replicas
from kajitori.rehearsal.stage import Stage, Unfit

__all__ = ["OPERATIONS", "Left", "Write", "of_events", "of_object", "of_objects"]

OPERATIONS = ("CREATE", "UPDATE", "DELETE")
_CONNECTS = frozenset(("attach", "exec", "portforward", "proxy"))


@dataclass(slots=True)
class Write:
    """One write to judge."""

    operation: str
    resource: Resource
    subresource: str
    namespace: str
    name: str
    obj: JsonObject | None
    old: JsonObject | None
    user: User
    origin: str = ""
    """Where it was recorded; empty for stored objects."""

    def attributes(self) -> Attributes:
        """As admission is given it; each time anew, for plugins change it."""
        options = DeleteOptions() if self.operation == "DELETE" else WriteOptions()
        call = Call(self.user, WriteOptions(), "kajitori-policy")
        return Attributes(
            self.operation,
            self.resource,
            self.subresource,
            self.namespace,
            self.name,
            self.obj,
            self.old,
            self.user,
            False,
            options,
            call,
        )

    @property
    def shown(self) -> str:
        """`deployments.apps shop/web`."""
        kind = self.resource.kind.group_resource
        below = f"/{self.subresource}" if self.subresource else ""
        return f"{kind}{below} {f'{self.namespace}/' if self.namespace else ''}{self.name}"


@dataclass(slots=True)
class Left:
    """What could not be replayed: how often, by the reason."""

    reasons: Counter[str] = field(default_factory=Counter[str])

    def add(self, reason: str) -> None:
        self.reasons[reason] += 1

    @property
    def total(self) -> int:
        return self.reasons.total()


def of_object(stage: Stage, raw: JsonObject, operation: str, user: User) -> Write:
    """A write of an object as it is. Raises: Unfit."""
    return of_objects(stage, operation, None if operation == "DELETE" else raw, raw, user)


def of_objects(
    stage: Stage,
    operation: str,
    new: JsonObject | None,
    old: JsonObject | None,
    user: User,
    subresource: str = "",
) -> Write:
    """A write of one object over another. Raises: Unfit."""
    given = new if new is not None else old
    assert given is not None, "there is an object"
    resource = stage.resource(given)
    obj = None if new is None else stage.decoded(new)
    before = None if old is None else stage.decoded(old)
    if operation == "CREATE":
        assert obj is not None, "there is an object to create"
        obj, before = stage.created(obj), None
    elif operation == "DELETE":
        obj = None
    elif before is None:
        before = obj
    seen = obj if obj is not None else before
    assert seen is not None, "one of them is there"
    metadata = seen["metadata"]
    name = metadata.get("name") or metadata.get("generateName") or ""
    return Write(operation, resource, subresource, metadata.get("namespace") or "", name, obj, before, user)


def of_events(stage: Stage, events: Iterable[tuple[str, Mapping[str, Any]]], left: Left) -> Iterator[Write]:
    """The writes in events of an audit log, each with where it stands; what is left out is counted in `left`."""
    seen: dict[tuple[str, str, str], JsonObject] = {}
    for where, event in events:
        if event.get("kind") != "Event" or not str(event.get("apiVersion", "")).startswith("audit.k8s.io/"):
            left.add("no event of audit.k8s.io")
            continue
        if event.get("stage") not in (None, "ResponseComplete"):
            continue
        operation = _operation(event)
        reference = event.get("objectRef") or {}
        code = (event.get("responseStatus") or {}).get("code") or 0
        if operation is None or not reference.get("resource"):
            continue
        if code >= 400:
            left.add("it was refused then")
            continue
        if event.get("level") == "Metadata":
            left.add("it was recorded at level Metadata, without its object")
            continue
        resource = stage.catalog.find(
            str(reference.get("apiGroup") or ""),
            str(reference.get("apiVersion") or ""),
            str(reference["resource"]),
        )
        if resource is None or not resource.stored:
            left.add(f"{reference['resource']} is no kind that is known here")
            continue
        try:
            write = _replayed(stage, resource, operation, event, seen)
        except Unfit as error:
            left.add(str(error))
            continue
        write.origin = where
        yield write


def _operation(event: Mapping[str, Any]) -> str | None:
    """What admission calls it; None for what passes no admission."""
    verb, subresource = event.get("verb"), (event.get("objectRef") or {}).get("subresource") or ""
    if subresource in _CONNECTS:
        return "CONNECT"
    found = {"create": "CREATE", "update": "UPDATE", "patch": "UPDATE", "delete": "DELETE"}.get(str(verb))
    if found is None and verb == "deletecollection":
        return "DELETE"
    return found


def _replayed(
    stage: Stage,
    resource: Resource,
    operation: str,
    event: Mapping[str, Any],
    seen: dict[tuple[str, str, str], JsonObject],
) -> Write:
    """Raises: Unfit, which says what is missing."""
    reference = event["objectRef"]
    namespace = str(reference.get("namespace") or "") if resource.kind.namespaced else ""
    sent, answered = event.get("requestObject"), event.get("responseObject")
    new = _of_kind(answered, resource) or (_of_kind(sent, resource) if event.get("verb") != "patch" else None)
    name = str(reference.get("name") or ((new or {}).get("metadata") or {}).get("name") or "")
    key = resource.bucket, namespace, name
    old = seen.get(key) or stage.get(resource, namespace, name)
    user = _user(event)
    subresource = str(reference.get("subresource") or "")
    if operation == "CONNECT":
        return Write("CONNECT", resource, subresource, namespace, name, None, None, user)
    if event.get("verb") == "deletecollection":
        raise Unfit("a deletion of many objects does not say which")
    if subresource == "scale":
        new = _scaled(resource, old, answered if isinstance(answered, dict) else sent)
    if resource.part(subresource) is not None:
        if not isinstance(sent, dict):
            raise Unfit(f"what was sent to the subresource {subresource} is not written down")
        return Write(operation, resource, subresource, namespace, name, dict(sent), None, user)
    if operation != "DELETE" and new is None:
        patch = event.get("verb") == "patch"
        raise Unfit(
            "a patch says what it made only at level RequestResponse"
            if patch
            else "its object is not written down"
        )
    if operation == "UPDATE" and old is None and event.get("verb") == "patch" and _is_new(new):
        operation = "CREATE"  # server-side apply of what was not there
    if operation != "CREATE" and old is None:
        raise Unfit("what the object was before is not known; give a backup or the cluster too")
    if new is not None and namespace:
        new = {**new, "metadata": {**(new.get("metadata") or {}), "namespace": namespace}}
    write = of_objects(stage, operation, None if operation == "DELETE" else new, old, user, subresource)
    write.name = write.name or name
    if operation == "DELETE":
        seen.pop(key, None)
    elif new is not None:
        seen[key] = new
    return write


def _scaled(resource: Resource, old: JsonObject | None, scale: Any) -> JsonObject | None:
    """An object with the replicas of a Scale that was written down. Raises: Unfit."""
    replicas = (scale.get("spec") or {}).get("replicas") if isinstance(scale, dict) else None
    if old is None or not isinstance(replicas, int):
        raise Unfit(
            "what the object was before its scale was written is not known; give a backup or the cluster too"
        )
    return with_replicas(copy_json(old), resource.scale_paths or BUILT_IN, replicas)


def _is_new(obj: JsonObject | None) -> bool:
    metadata = (obj or {}).get("metadata") or {}
    return metadata.get("generation") in (None, 1) and len(metadata.get("managedFields") or ()) == 1


def _of_kind(value: Any, resource: Resource) -> JsonObject | None:
    """An object of the resource that was written down."""
    if not isinstance(value, dict) or value.get("kind", resource.kind.kind) != resource.kind.kind:
        return None
    if value.get("apiVersion", resource.kind.api_version) != resource.kind.api_version:
        return None
    return {**value, "apiVersion": resource.kind.api_version, "kind": resource.kind.kind}


def _user(event: Mapping[str, Any]) -> User:
    said = event.get("impersonatedUser") or event.get("user") or {}
    extra = {str(key): tuple(map(str, values or ())) for key, values in (said.get("extra") or {}).items()}
    groups = tuple(map(str, said.get("groups") or ()))
    return User(str(said.get("username") or ""), str(said.get("uid") or ""), groups, extra)
