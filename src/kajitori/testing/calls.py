"""A request as faults are chosen by: who asks what of which object, in Kubernetes' words.

Sits between a transport, which sees methods and paths, and `faults`, whose rules speak of verbs and kinds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

import msgspec

from kajitori.apimachinery.kind import Kind
from kajitori.apiserver.requestinfo import parse_request

__all__ = ["OWN_CLIENTS", "VERBS", "WRITES", "Call", "call_of"]

WRITES = ("create", "update", "patch", "apply", "delete", "deletecollection")

VERBS = ("get", "list", "watch", *WRITES)
"""Those of Kubernetes, and `apply`, which is a patch of a certain kind."""

OWN_CLIENTS = ("test", "test-env")
"""The clients that tests act by themselves: faults are for others, unless they name these."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    verb: str
    """One of VERBS; for paths that are no resource's the HTTP method in lower case."""
    group: str
    resource: str
    """`widgets`; empty for paths that are no resource's."""
    subresource: str
    namespace: str
    name: str
    """Empty where a collection is asked for, and where the server makes the name up."""
    client: str
    """The field manager of the client, or what else it calls itself."""
    path: str
    query: Mapping[str, str]

    @property
    def is_write(self) -> bool:
        return self.verb in WRITES

    @property
    def streams_initial_events(self) -> bool:
        """A watch that first gives what exists."""
        return self.verb == "watch" and self.query.get("sendInitialEvents") == "true"

    def is_about(self, kind: Kind) -> bool:
        """Whether it asks for objects of a kind, in whatever version."""
        return self.resource == kind.plural and self.group == kind.group

    def is_by(self, client: str) -> bool:
        """Whether that client asks; "" is every client but those that tests act by themselves."""
        return self.client == client if client else self.client not in OWN_CLIENTS

    def __str__(self) -> str:
        resource = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        place = "/".join(each for each in (self.namespace, self.name) if each)
        return " ".join(
            each for each in (self.verb, resource or self.path, place, f"by {self.client}") if each
        )


class _Metadata(msgspec.Struct):
    name: str = ""


class _Named(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


_named = msgspec.json.Decoder(_Named)


def call_of(method: str, path_and_query: str, headers: Mapping[str, str], body: bytes | None = None) -> Call:
    """The call that an HTTP request is. `headers` has names in lower case; `body` says what is to be created."""
    path, _, text = path_and_query.partition("?")
    query = parse_qs(text, keep_blank_values=True)
    info = parse_request(method, path, query)
    verb, name = info.verb, info.name
    if verb == "patch" and headers.get("content-type", "").startswith("application/apply-patch"):
        verb = "apply"
    if verb == "create" and not name and body:
        try:
            name = _named.decode(body).metadata.name
        except msgspec.MsgspecError:
            name = ""  # whatever it is, the server will say so
    return Call(
        *(verb, info.group, info.resource, info.subresource, info.namespace, name),
        client=headers.get("user-agent", ""),
        path=path,
        query={key: values[0] for key, values in query.items()},
    )
