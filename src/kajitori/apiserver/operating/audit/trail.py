"""What the audit log gets to know of one request, and the events that come of it.

Promises
    T1  an event has the members of audit.k8s.io/v1 Event, in JSON, in Kubernetes' order
    T2  objects are there from the level on that asks for them, as JSON, whatever form they were sent in
    T3  what cannot be written as JSON is left out, and disturbs no request
"""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from ipaddress import ip_address
from typing import Any

import msgspec

from kajitori.apimachinery.decode import DecodeError
from kajitori.apiserver.authentication import User
from kajitori.apiserver.authorization.attributes import Attributes, Decision
from kajitori.apiserver.http import Request, Response
from kajitori.apiserver.negotiation import JSON, YAML
from kajitori.apiserver.operating.audit.policy import Wanted

__all__ = ["EventTrail"]

_log = logging.getLogger(__name__)

_USER_AGENT_MAX = 1024

Emit = Callable[[dict[str, Any]], None]


class _Status(msgspec.Struct, omit_defaults=True):
    """What an answer says that is a Status; of other objects only that they are none."""

    kind: str = ""
    status: Any = ""
    message: str = ""
    reason: str = ""
    details: Any = None


_read_status = msgspec.json.Decoder(_Status).decode


class EventTrail:
    """Gathers what is known, and emits one event at each stage that is wanted."""

    def __init__(
        self,
        request: Request,
        attributes: Attributes,
        wanted: Wanted,
        *,
        user: User | None,
        now: Callable[[], datetime],
        emit: Emit,
    ) -> None:
        self._request = request
        self._attributes = attributes
        self._wanted = wanted
        self._user = user
        self._now = now
        self._emit = emit
        self._received = now()
        self._impersonated: User | None = None
        self._constraint = ""
        self._object = {"name": attributes.name, "namespace": attributes.namespace}
        self._status: dict[str, Any] | None = None
        self._sent: msgspec.Raw | None = None
        self._answered: msgspec.Raw | None = None
        self._annotations: dict[str, str] = {}
        self._over = False

    # What is told of the request on its way.

    def impersonated(self, user: User, constraint: str) -> None:
        """It goes on as somebody else's; `constraint` is the verb that allowed it, empty for the plain one."""
        self._impersonated = user
        self._constraint = constraint

    def decided(self, decision: Decision) -> None:
        """Whether it is allowed, and why."""
        if decision.error and not decision.allowed:
            self.annotate("authorization.k8s.io/reason", "internal error")
            return
        self.annotate("authorization.k8s.io/decision", "allow" if decision.allowed else "forbid")
        self.annotate("authorization.k8s.io/reason", decision.reason)

    @property
    def has_requests(self) -> bool:
        """Whether what was sent is written down too."""
        return self._wanted.request_too

    def annotate(self, key: str, value: str) -> None:
        """Something that a part of the server wants to be known; the first value of a key stays."""
        self._annotations.setdefault(key, value)

    def sent(self, obj: Any) -> None:
        """The object in the request: typed and defaulted, as yet untouched by admission."""
        metadata = obj.get("metadata")
        if isinstance(metadata, dict):
            for field in ("namespace", "name", "uid", "resourceVersion"):
                value = metadata.get(field)
                if value and not self._object.get(field):
                    self._object[field] = str(value)
        if self._wanted.request_too:
            try:
                self._sent = self._kept(msgspec.json.encode(obj))
            except (RecursionError, TypeError, ValueError) as error:
                _log.error("an object is not in the audit log", extra={"why": error})

    def patched(self, patch: bytes, *, yaml: bool) -> None:
        """The patch in the request."""
        if self._wanted.request_too:
            self._sent = _as_json(patch, YAML if yaml else JSON)

    # Stages.

    def begin(self) -> None:
        """It has come in."""
        self._stage("RequestReceived", self._received)

    def start(self, status: int) -> None:
        """It is being answered over time."""
        self._status = _status(status, None)
        self._stage("ResponseStarted")

    def refused(self, status: dict[str, Any]) -> None:
        """Nobody knows who asked."""
        self._status = _status(status["code"], msgspec.json.encode(status))
        self._over = True
        self._stage("ResponseStarted")

    def complete(self, status: int, response: Response | None) -> None:
        """It is over. Without a status its client went away before there was an answer."""
        if self._over:
            return
        self._over = True
        if response is not None:
            self._read(response)
        elif not status:
            self._status = {
                "metadata": {},
                "status": "Success",
                "message": "Connection closed early",
                "code": 200,
            }
        elif self._status is None:
            self._status = _status(status, None)
        self._stage("ResponseComplete")

    def panicked(self, error: Exception) -> None:
        """There is a mistake in the server."""
        self._over = True
        self._status = {
            "metadata": {},
            "status": "Failure",
            "message": f"APIServer panic'd: {error}",
            "reason": "InternalError",
            "code": 500,
        }
        self._stage("Panic")

    def _read(self, response: Response) -> None:
        """Takes what is wanted of an answer."""
        value: msgspec.Raw | None = None
        told = response.status >= 400 or self._attributes.verb in ("delete", "deletecollection")
        if self._attributes.resource and (told or self._wanted.response_too):
            body = response.body if isinstance(response.body, bytes) else b"".join(response.body)
            value = _as_json(body, response.content_type)
        self._status = _status(response.status, bytes(value) if told and value is not None else None)
        if value is not None and self._wanted.response_too:
            self._answered = self._kept(bytes(value))

    def _kept(self, value: bytes) -> msgspec.Raw:
        if self._wanted.omit_managed_fields and b'"managedFields"' in value:
            obj = msgspec.json.decode(value)
            for each in _objects(obj):
                each.get("metadata", {}).pop("managedFields", None)
            value = msgspec.json.encode(obj)
        return msgspec.Raw(value)

    def _stage(self, stage: str, moment: datetime | None = None) -> None:
        if stage not in self._wanted.omitted:
            self._emit(self._event(stage, moment or self._now()))

    def _event(self, stage: str, moment: datetime) -> dict[str, Any]:
        request, attributes = self._request, self._attributes
        event: dict[str, Any] = {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": self._wanted.level,
            "auditID": request.audit_id,
            "stage": stage,
            "requestURI": request.target,
            "verb": attributes.verb,
            "user": {} if self._user is None else self._user.to_json(),
        }
        if self._impersonated is not None:
            event["impersonatedUser"] = self._impersonated.to_json()
        if self._constraint:
            event["authenticationMetadata"] = {"impersonationConstraint": self._constraint}
        further = {
            "sourceIPs": list(_sources(request)),
            "userAgent": _shortened(request.headers.get("user-agent", "")),
            "objectRef": self._reference() if attributes.resource else None,
            "responseStatus": self._status,
            "requestObject": self._sent,
            "responseObject": self._answered,
        }
        event |= {name: value for name, value in further.items() if value}
        event["requestReceivedTimestamp"] = _micro(self._received)
        event["stageTimestamp"] = _micro(moment)
        if self._annotations:
            event["annotations"] = dict(sorted(self._annotations.items()))
        return event

    def _reference(self) -> dict[str, str]:
        attributes, known = self._attributes, self._object
        reference = {
            "resource": attributes.resource,
            "namespace": known["namespace"],
            "name": known["name"],
            "uid": known.get("uid", ""),
            "apiGroup": attributes.group,
            "apiVersion": attributes.version,
            "resourceVersion": known.get("resourceVersion", ""),
            "subresource": attributes.subresource,
        }
        return {name: value for name, value in reference.items() if value}


def _status(code: int, body: bytes | None) -> dict[str, Any]:
    """The status of an answer: what it says of itself if it is a Status, else its code alone."""
    status: dict[str, Any] = {"metadata": {}}
    if body is not None:
        try:
            told = _read_status(body)
        except msgspec.DecodeError:
            told = _Status()
        if told.kind == "Status":
            said = {"status": told.status, "message": told.message, "reason": told.reason}
            status |= {name: value for name, value in said.items() if value}
            if told.details is not None:
                status["details"] = told.details
    return {**status, "code": code}


def _as_json(body: bytes, media: str) -> msgspec.Raw | None:
    """A body as JSON on one line; None when it is nothing that can be."""
    try:
        if media.startswith(JSON) or media.endswith("+json"):
            return msgspec.Raw(msgspec.json.format(body, indent=-1))
        if media.startswith(YAML):
            from kajitori.apimachinery.yaml import decode_yaml

            return msgspec.Raw(msgspec.json.encode(decode_yaml(body)[0]))
        if media.startswith("application/vnd.kubernetes.protobuf"):
            from kajitori.apis.facts.protobuf import protobuf_codec
            from kajitori.wire.protobuf import ProtobufError

            try:
                return msgspec.Raw(msgspec.json.encode(protobuf_codec().decode(body)))
            except ProtobufError:
                return None
    except (msgspec.DecodeError, DecodeError, RecursionError):
        return None
    return None


def _objects(obj: Any) -> Iterator[dict[str, Any]]:
    """An object, or those of a list or a table."""
    if isinstance(obj, dict):
        yield obj
        yield from obj.get("items") or ()
        for row in obj.get("rows") or ():
            if isinstance(row, dict) and isinstance(row.get("object"), dict):
                yield row["object"]


def _sources(request: Request) -> Iterator[str]:
    """Where a request comes from: what proxies say, then who is at the other end of the connection."""
    headers = request.headers
    told = [_address(each) for each in headers.get("x-forwarded-for", "").split(",")]
    found = [each for each in told if each]
    real = _address(headers.get("x-real-ip", ""))
    if real and real not in found:
        found.append(real)
    remote = _address(request.remote.rpartition(":")[0].strip("[]"))
    if remote and (not found or found[-1] != remote):
        found.append(remote)
    yield from found


def _address(text: str) -> str:
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return ""


def _shortened(user_agent: str) -> str:
    if len(user_agent) <= _USER_AGENT_MAX:
        return user_agent
    return f"{user_agent[:_USER_AGENT_MAX]}...TRUNCATED"


def _micro(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
