"""Who asks for a change, and how: what a write carries besides its object."""

from collections.abc import Awaitable, Coroutine
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import FIELD_MANAGER_BYTES_MAX
from kajitori.apiserver.authentication import User
from kajitori.apiserver.options import WriteOptions
from kajitori.apiserver.registry.resource import Resource
from kajitori.storage import Render

if TYPE_CHECKING:
    from kajitori.apis.strategies.base import Occasion

__all__ = [
    "Admission",
    "Annotated",
    "Attributes",
    "Call",
    "Charge",
    "Reinvocation",
    "Written",
    "admitted",
]


Written = TypeVar("Written")


class Annotated(Protocol):
    """Where parts of the server write down what is to be known of a request."""

    @property
    def has_requests(self) -> bool:
        """Whether what was sent is written down too."""
        ...

    def annotate(self, key: str, value: str) -> None: ...


class Call(msgspec.Struct):
    """One write request, past authorization."""

    user: User
    options: WriteOptions
    user_agent: str = ""
    warnings: list[str] = msgspec.field(default_factory=list[str])
    """Told to the client in Warning headers, in this order."""
    trail: "Annotated | None" = None
    """What the audit log gets to know; None when it wants nothing of this request."""
    named: bool = False
    """Whether the path of the request names the object, as that of a POST does not."""

    @property
    def manager(self) -> str:
        """Who owns the fields: the field manager, or the user agent up to its version."""
        return self.options.field_manager or _program(self.user_agent) or "unknown"

    def occasion(self, now: str) -> "Occasion":
        """What strategies may know of who writes, and when."""
        user = self.user
        return _occasion_type()(now, user.name, user.uid, tuple(user.groups), user.extra)

    def warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)

    def annotate(self, key: str, value: str) -> None:
        """Tells the audit log; the first value of a key stays."""
        if self.trail is not None:
            self.trail.annotate(key, value)


@cache
def _occasion_type() -> "type[Occasion]":
    """Imported with the first write."""
    from kajitori.apis.strategies.base import Occasion

    return Occasion


def _program(user_agent: str) -> str:
    """The name in a user agent, as far as it can be a field manager's."""
    name = user_agent.split("/", 1)[0]
    if name.isascii() and name.isprintable() and len(name) <= FIELD_MANAGER_BYTES_MAX:
        return name
    printable = "".join(each for each in name if each.isprintable())
    return printable.encode()[:FIELD_MANAGER_BYTES_MAX].decode(errors="ignore")


class Charge(Protocol):
    """What a write has reserved, and uses only if it takes place."""

    def paying(self, render: Render, /) -> Render:
        """Renders the object, and makes the reservation final with the commit that it becomes part of."""
        ...

    async def until_done(self, write: Coroutine[Any, Any, Written], /) -> Written:
        """The outcome of `write`, which goes on where whoever asked for it goes away."""
        ...

    def release(self) -> None:
        """There is no write."""
        ...


class Reinvocation:
    """What the plugins of one write know of its rounds: after a webhook or policy has changed the object, all have it
    once more."""

    __slots__ = ("again", "kept", "needed")

    def __init__(self) -> None:
        self.needed = False
        """Somebody wants a second round."""
        self.again = False
        """This is the second round; there is no third."""
        self.kept: dict[str, object] = {}
        """What plugins remember from round to round, by their names."""


class Attributes(msgspec.Struct):
    """What admission sees of a write. `obj` may be changed in place by mutating plugins; None for deletions."""

    operation: str
    """CREATE, UPDATE, DELETE or CONNECT."""
    resource: Resource
    subresource: str
    namespace: str
    name: str
    obj: JsonObject | None
    old: JsonObject | None
    user: User
    dry_run: bool
    options: Any
    call: Call | None = None
    charge: "Charge | None" = None
    """What the write uses of a quota, where it is admitted."""
    reinvocation: Reinvocation = msgspec.field(default_factory=Reinvocation)


async def admitted(admission: "Admission", attributes: Attributes) -> JsonObject:
    """The object of a request that stores none, past both halves of admission.

    Raises: what a plugin raises that refuses.
    """
    for half in (admission.mutate, admission.validate):
        waiting = half(attributes)
        if waiting is not None:
            await waiting
    return attributes.obj or {}


class Admission(Protocol):
    """The admission chain. A plugin that refuses raises an ApiError."""

    def mutate(self, attributes: Attributes) -> Awaitable[None] | None: ...

    def validate(self, attributes: Attributes) -> Awaitable[None] | None: ...
