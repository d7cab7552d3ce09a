"""The writes that are replayed: what a policy would have to say something about.

Stored objects become writes of a user that is named; requests of an audit log are what they were.

Promises
    W1  an object that is created comes as validating admission sees it; one that is updated is not changed by it
    W2  of an audit log only requests count that were let through; those of which too little was written down are
        counted by the reason, never guessed
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.structural.defaulting import copy_json
from kajitori.apiserver.authentication import User
from kajitori.apiserver.options import DeleteOptions, WriteOptions
from kajitori.apiserver.registry.call import Attributes, Call
from kajitori.apiserver.registry.resource import Resource
from kajitori.apiserver.registry.scale import BUILT_IN, with_replicas
from kajitori.rehearsal.recorded import Left, Recorded, Reference
from kajitori.rehearsal.stage import Stage, Unfit

__all__ = ["OPERATIONS", "Write", "of_events", "of_object", "of_objects"]

OPERATIONS = ("CREATE", "UPDATE", "DELETE")
_NO_OUTCOME = "a patch says what it made only at level RequestResponse"
_VERBS = {
    "create": "CREATE",
    "update": "UPDATE",
    "patch": "UPDATE",
    "delete": "DELETE",
    "deletecollection": "DELETE",
}
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


def of_events(stage: Stage, events: Iterable[tuple[str, Recorded]], left: Left) -> Iterator[Write]:
    """The writes in events of an audit log, each with where it stands; what is left out is counted in `left`."""
    seen: dict[tuple[str, str, str], JsonObject] = {}
    for where, event in events:
        reference, status = event.object_ref, event.response_status
        if not event.api_version.startswith("audit.k8s.io/"):
            left.add("no event of audit.k8s.io")
            continue
        operation = _operation(event)
        if event.stage not in ("", "ResponseComplete") or operation is None or reference is None:
            continue
        if status is not None and status.code >= 400:
            left.add("it was refused then")
            continue
        if event.level == "Metadata" and operation in ("CREATE", "UPDATE"):
            left.add("it was recorded at level Metadata, without its object")
            continue
        resource = stage.catalog.find(reference.api_group, reference.api_version, reference.resource)
        if resource is None:
            left.add(
                f"{reference.resource} is no kind that is known here; give its definition, a backup or the cluster"
            )
            continue
        if not resource.stored:
            continue  # a question, which no policy is asked about
        try:
            write = _replayed(stage, resource, operation, event, reference, seen)
        except Unfit as error:
            left.add(str(error))
            continue
        write.origin = where
        yield write


def _operation(event: Recorded) -> str | None:
    """What admission calls it; None for what passes no admission."""
    if event.object_ref is not None and event.object_ref.subresource in _CONNECTS:
        return "CONNECT"
    return _VERBS.get(event.verb)


def _replayed(
    stage: Stage,
    resource: Resource,
    operation: str,
    event: Recorded,
    reference: Reference,
    seen: dict[tuple[str, str, str], JsonObject],
) -> Write:
    """Raises: Unfit, which says what is missing."""
    namespace = reference.namespace if resource.kind.namespaced else ""
    subresource, user = reference.subresource, _user(event)
    sent, answered, is_patch = event.request_object, event.response_object, event.verb == "patch"
    new = _of_kind(answered, resource) or (None if is_patch else _of_kind(sent, resource))
    name = reference.name or ((new or {}).get("metadata") or {}).get("name") or ""
    key = resource.bucket, namespace, name
    old = seen.get(key) or stage.get(resource, namespace, name)
    if operation == "CONNECT":
        return Write("CONNECT", resource, subresource, namespace, name, None, None, user)
    if event.verb == "deletecollection":
        raise Unfit("a deletion of many objects does not say which")
    if subresource == "scale":
        new = _scaled(resource, old, answered if isinstance(answered, dict) else sent)
    if resource.part(subresource) is not None:
        if not isinstance(sent, dict):
            raise Unfit(f"what was sent to the subresource {subresource} is not written down")
        return Write(operation, resource, subresource, namespace, name, dict(sent), None, user)
    if operation != "DELETE" and new is None:
        raise Unfit(_NO_OUTCOME if is_patch else "its object is not written down")
    if operation == "UPDATE" and old is None and is_patch and _is_new(new):
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
    if not isinstance(value.get("metadata") or {}, dict):
        return None
    if value.get("apiVersion", resource.kind.api_version) != resource.kind.api_version:
        return None
    return {**value, "apiVersion": resource.kind.api_version, "kind": resource.kind.kind}


def _user(event: Recorded) -> User:
    said = event.impersonated_user or event.user
    extra = {key: values or () for key, values in (said.extra or {}).items()}
    return User(said.username, said.uid, said.groups or (), extra)
