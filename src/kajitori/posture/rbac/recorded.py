"""What an audit log says was asked: the events of audit.k8s.io, as the questions that authorization answered.

Promises
    U1  an event gives the question its request was, and those that the server asked besides on its behalf: `create`
        for an update that created, impersonation, `bind` and `escalate` for writes of bindings and roles
    U2  what was refused asks nothing, and what has only come in does not yet
    U3  names are kept only where a role is limited to names; there they are kept all

Source: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/ and, for what is asked besides, the
apiserver's handlers (create on update, pods/exec), escalation checks and impersonation filter.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from kajitori.apiserver.authentication.user import service_account_of

__all__ = ["ANY_NAME", "ASKED_MAX", "PROGRAMS_MAX", "Asked", "Recorded", "questions_of", "read_events"]

ANY_NAME = "*"
"""The log does not say which name was asked for: every name that a rule is limited to may have been."""

ASKED_MAX = 500_000
"""Different questions that are told apart, about 200 MiB; a cluster of ten thousand users asks a tenth of that."""

PROGRAMS_MAX = 1000
"""Programs in different versions that are told apart: whoever asks may claim any."""

_PROGRAM = re.compile(
    r"(kubectl|kubelet|kube-proxy|kube-scheduler|kube-controller-manager)/(v?\d+\.\d+\.\d+\S*)"
)
_RBAC = "rbac.authorization.k8s.io"
_CERTIFICATES = "certificates.k8s.io"
_WRITES = ("create", "update", "patch")
_STREAMED = ("exec", "attach", "portforward")


class Asked(msgspec.Struct, frozen=True, order=True):
    """One question: who wants to do what."""

    user: str
    groups: tuple[str, ...]
    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    """Of what is no resource."""


class _User(msgspec.Struct):
    username: str = ""
    groups: tuple[str, ...] | None = None
    uid: str = ""
    extra: dict[str, tuple[str, ...] | None] | None = None


class _Reference(msgspec.Struct, rename="camel"):
    resource: str = ""
    namespace: str = ""
    name: str = ""
    api_group: str = ""
    subresource: str = ""


class _Status(msgspec.Struct):
    code: int = 0


class _Authentication(msgspec.Struct, rename="camel"):
    impersonation_constraint: str = ""


class _Event(msgspec.Struct, rename="camel"):
    kind: str
    stage: str = ""
    verb: str = ""
    request_uri: str = msgspec.field(default="", name="requestURI")
    user: _User = msgspec.field(default_factory=_User)
    impersonated_user: _User | None = None
    authentication_metadata: _Authentication | None = None
    object_ref: _Reference | None = None
    response_status: _Status | None = None
    annotations: dict[str, str] | None = None
    stage_timestamp: str = ""
    user_agent: str = ""
    request_object: msgspec.Raw = msgspec.Raw()
    items: tuple[msgspec.Raw, ...] = ()


class _AccessSpec(msgspec.Struct, rename="camel"):
    user: str = ""
    groups: tuple[str, ...] | None = None
    resource_attributes: dict[str, Any] | None = None
    non_resource_attributes: dict[str, Any] | None = None


class _AccessReview(msgspec.Struct):
    spec: _AccessSpec = msgspec.field(default_factory=_AccessSpec)


_read_event = msgspec.json.Decoder(_Event).decode
_read_review = msgspec.json.Decoder(_AccessReview).decode


class Recorded(msgspec.Struct):
    """All that a log says."""

    asked: dict[Asked, int] = {}
    """How many times each was asked; of what the server asked besides, how many requests may have needed it."""
    events: int = 0
    refused: int = 0
    undecided: int = 0
    """Events of requests that had only come in: whether they were allowed a later event says."""
    first: str = ""
    """The moment of the first event, RFC 3339; empty without one."""
    last: str = ""
    overflowed: int = 0
    """Questions beyond ASKED_MAX, which are not kept."""
    programs: dict[tuple[str, str], None] = {}
    """Kubernetes' own programs that asked, with their versions, as they say themselves: `("kubectl", "v1.36.4")`."""

    def add(self, line: bytes, named: Callable[[str, str], bool]) -> None:
        """Takes one event, or a list of them. `named` says of which group's resource names are kept (U3).

        Raises: msgspec.DecodeError, msgspec.ValidationError when it is none.
        """
        for event in read_events(line):
            self._take(event, named)

    def _take(self, event: _Event, named: Callable[[str, str], bool]) -> None:
        self.events += 1
        program = _PROGRAM.match(event.user_agent)
        if program is not None and len(self.programs) < PROGRAMS_MAX:
            self.programs[program[1], program[2]] = None
        moment = event.stage_timestamp
        if moment:
            self.first = min(self.first or moment, moment)
            self.last = max(self.last, moment)
        if _is_refused(event):
            self.refused += 1
            return
        if event.stage == "RequestReceived":
            self.undecided += 1
            return
        counted = event.stage != "ResponseStarted"
        for each in questions_of(event):
            kept = each
            if each.name and each.name != ANY_NAME and not named(each.group, each.resource):
                kept = msgspec.structs.replace(each, name="")
            if kept not in self.asked and len(self.asked) >= ASKED_MAX:
                self.overflowed += 1
                continue
            self.asked[kept] = self.asked.get(kept, 0) + counted


def read_events(line: bytes) -> Iterator[_Event]:
    """The events of a line: one, or those of an EventList, which webhooks are sent.

    Raises: msgspec.DecodeError, msgspec.ValidationError.
    """
    event = _read_event(line)
    if event.kind == "EventList":
        for each in event.items:
            yield _read_event(each)
    elif event.kind == "Event":
        yield event
    else:
        raise msgspec.ValidationError(f"the kind is {event.kind!r}; Event is meant")


def _is_refused(event: _Event) -> bool:
    decision = (event.annotations or {}).get("authorization.k8s.io/decision")
    if decision is not None:
        return decision != "allow"
    # Without a decision the request did not get that far, or is not there yet.
    return event.response_status is not None and event.response_status.code in (401, 403)


def questions_of(event: _Event) -> Iterator[Asked]:
    """Everything that authorization was asked on behalf of a request, as far as an event can tell (U1)."""
    user = event.impersonated_user or event.user
    who = user.username, user.groups or ()
    asking = event.user.username, event.user.groups or ()
    metadata = event.authentication_metadata
    constraint = "" if metadata is None else metadata.impersonation_constraint
    if event.impersonated_user is not None:
        yield from _impersonation(asking, event.impersonated_user, constraint)
    reference = event.object_ref
    if reference is None or not reference.resource:
        path = event.request_uri.partition("?")[0]
        yield Asked(*who, event.verb, path=path)
        return
    # What is created has no name when it is asked for, though the log learns it later.
    creates = event.verb == "create" and not reference.subresource
    asked = Asked(
        *who,
        event.verb,
        reference.api_group,
        reference.resource,
        reference.subresource,
        reference.namespace,
        "" if creates or event.verb == "deletecollection" else reference.name,
    )
    yield asked
    if constraint:
        mode = constraint.partition(":")[2]
        on = f"impersonate-on:{mode}:{asked.verb}"
        yield msgspec.structs.replace(asked, user=asking[0], groups=asking[1], verb=on)
    yield from _besides(asked, event)


def _besides(asked: Asked, event: _Event) -> Iterator[Asked]:
    """What is asked within a request for a resource."""
    code = 0 if event.response_status is None else event.response_status.code
    if asked.verb in ("update", "patch") and code == 201:
        yield msgspec.structs.replace(asked, verb="create")
    if asked.resource == "pods" and asked.subresource in _STREAMED and asked.verb == "get":
        yield msgspec.structs.replace(asked, verb="create")
    if asked.group == _RBAC and asked.verb in _WRITES and not asked.subresource:
        if asked.resource in ("roles", "clusterroles"):
            yield msgspec.structs.replace(asked, verb="escalate", name=ANY_NAME)
        elif asked.resource in ("rolebindings", "clusterrolebindings"):
            for resource in ("roles", "clusterroles"):
                yield msgspec.structs.replace(asked, verb="bind", resource=resource, name=ANY_NAME)
    if asked.group == _CERTIFICATES and asked.verb in _WRITES:
        verb = {
            ("certificatesigningrequests", "approval"): "approve",
            ("certificatesigningrequests", "status"): "sign",
            ("clustertrustbundles", ""): "attest",
        }.get((asked.resource, asked.subresource))
        if verb is not None:
            yield msgspec.structs.replace(
                asked, verb=verb, resource="signers", subresource="", namespace="", name=ANY_NAME
            )
    if asked.resource.endswith("accessreviews") and asked.group == "authorization.k8s.io":
        yield from _reviewed(asked.resource, event)


def _reviewed(resource: str, event: _Event) -> Iterator[Asked]:
    """What another server had asked: a SubjectAccessReview, where the log holds what was sent."""
    if "subjectaccessreviews" not in resource or resource.startswith("self") or not event.request_object:
        return
    try:
        spec = _read_review(event.request_object).spec
    except msgspec.DecodeError:
        return
    who = spec.user, spec.groups or ()
    attributes = spec.resource_attributes
    if attributes is not None:
        members = ("verb", "group", "resource", "subresource", "namespace", "name")
        yield Asked(*who, *(str(attributes.get(each) or "") for each in members))
    elif spec.non_resource_attributes is not None:
        path = spec.non_resource_attributes
        yield Asked(*who, str(path.get("verb") or ""), path=str(path.get("path") or ""))


def _impersonation(who: tuple[str, tuple[str, ...]], wanted: _User, constraint: str) -> Iterator[Asked]:
    """The rights to act as somebody, each part of whom is asked for by itself."""
    authentication = "authentication.k8s.io"
    verb, group = (constraint, authentication) if constraint else ("impersonate", "")
    account = service_account_of(wanted.username)
    node = wanted.username.removeprefix("system:node:")
    if account is not None:
        yield Asked(*who, verb, group, "serviceaccounts", "", *account)
    elif constraint and node != wanted.username:
        yield Asked(*who, verb, group, "nodes", name=node)
    else:
        yield Asked(*who, verb, group, "users", name=wanted.username)
    for each in wanted.groups or ():
        yield Asked(*who, verb, group, "groups", name=each)
    if wanted.uid:
        yield Asked(*who, verb, authentication, "uids", name=wanted.uid)
    for key, values in (wanted.extra or {}).items():
        for value in values or ():
            yield Asked(*who, verb, authentication, "userextras", key, name=value)
