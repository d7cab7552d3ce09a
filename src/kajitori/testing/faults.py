"""What goes wrong on the way to an API server, by a script or by a seed.

    async with TestEnv() as env:
        env.faults.next("update", Widget, Conflict)             # the next update of a Widget
        with env.faults.always("watch", PODS, Late(5.0)): ...   # as long as the block lasts
        env.faults.cut_watches()                                # now

    async with TestEnv(faults=Faults.random(seed=7, rate=0.1)) as env: ...

Sits in the transport of every client of a `TestEnv`; `around` puts it into another's, of any API server. The clients
that the test acts by itself (`env.client()`) are spared, unless a rule names them.

Promises
    F1  a fault hits the calls that its rule matches, as often as the rule says, and is noted in `injected`
    F2  what happens is what Kubernetes allows: events of one watch come in order, none is told that did not happen,
        an answer is lost but never made up
    F3  the same seed gives the n-th call of a kind the same fault, in whatever order different calls come
    F4  without rules calls go straight through
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

from kajitori.apimachinery.errors import ApiError, Expired, Invalid
from kajitori.client import Model, kind_of
from kajitori.testing.calls import VERBS, WRITES, Call
from kajitori.testing.faultkinds import Fault, NoAnswer, Refused, Stale, WatchError, error_for, fits

if TYPE_CHECKING:
    import asyncio

    from kajitori.apimachinery.kind import Kind
    from kajitori.client.transport import Transport
    from kajitori.testing.faultchances import Chances
    from kajitori.testing.faultywatch import OpenWatch

__all__ = ["Faults", "Injected", "Only", "Rule"]

INJECTED_MAX = 10_000
"""Faults that are remembered; the oldest go."""


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault that happened."""

    call: Call
    fault: Fault

    def __str__(self) -> str:
        if isinstance(self.fault, ApiError):
            return f"{self.call}: {self.fault.code} {self.fault.status_reason}"
        return f"{self.call}: {self.fault}"


class Only(TypedDict, total=False):
    """Which calls a rule is about, of those with its verb and of its kind."""

    after: int
    """Not the first so many (0)."""
    namespace: str
    name: str
    subresource: str | None
    """`status`; "" is the object itself, None either (None)."""
    client: str
    """The name that a client was given: its field manager. "" is everybody but the test itself ("")."""
    when: Callable[[Call], bool]
    """Asked last."""


@dataclass(eq=False)
class Rule:
    """One rule of a script. As a context manager it is in force until the end of the block."""

    verb: str
    kind: "Kind | None"
    fault: Fault
    times: int | None
    """How often it strikes; None: always."""
    only: Only
    hits: int = 0
    """How often it has struck."""
    holder: "list[Rule]" = field(default_factory=list["Rule"], repr=False)
    """Where it is kept while it is in force."""
    _passed: int = 0

    def remove(self) -> None:
        """Ends it. Safe to repeat."""
        if self in self.holder:
            self.holder.remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def matches(self, call: Call) -> bool:
        only = self.only
        when = only.get("when")
        return (
            call.is_by(only.get("client", ""))
            and self._is_verb(call)
            and fits(self.fault, call.verb)
            and (self.kind is None or call.is_about(self.kind))
            and only.get("namespace", "") in ("", call.namespace)
            and only.get("name", "") in ("", call.name)
            and only.get("subresource") in (None, call.subresource)
            and (when is None or when(call))
        )

    def strikes(self) -> bool:
        """Whether it strikes a call that it matches."""
        self._passed += 1
        if self._passed <= self.only.get("after", 0):
            return False
        self.hits += 1
        if self.times is not None and self.hits >= self.times:
            self.remove()
        return True

    def _is_verb(self, call: Call) -> bool:
        if self.verb == "write":
            return call.is_write
        if self.verb == "read":
            return not call.is_write
        return self.verb in ("*", call.verb) or (self.verb == "patch" and call.verb == "apply")


class Faults:
    """The faults of one environment, or of the clients that it was put around."""

    def __init__(self) -> None:
        self.injected: list[Injected] = []
        """What has happened, oldest first."""
        self.told: Callable[[Call, str], None] | None = None
        """Is told of every call, and what came of it, when that is known."""
        self._next: list[Rule] = []
        self._always: list[Rule] = []
        self._holds: list[_Hold] = []
        self._chances: Chances | None = None
        self._is_paused = False
        self._watches: dict[OpenWatch, None] = {}

    @classmethod
    def random(cls, seed: int, *, rate: float = 0.05, latency_seconds: float = 0.0) -> Self:
        """Any fault, for about that part of all calls, chosen by the seed; of watches five times as many. All else
        takes up to `latency_seconds` each way.
        """
        from kajitori.testing.faultchances import Chances

        faults = cls()
        faults._chances = Chances(seed, rate, latency_seconds)
        return faults

    def around(self, transport: "Transport") -> "Transport":
        """The same transport, with these faults: for a `Client` of any API server."""
        from kajitori.testing.faultytransport import FaultyTransport

        return FaultyTransport(transport, self)

    # By a script.

    def next(
        self, verb: str, model: Model | None, fault: Fault, *, times: int = 1, **only: Unpack[Only]
    ) -> Rule:
        """The next `times` calls that match suffer the fault. Rules strike in the order in which they were made.

        `verb` is one of get, list, watch, create, update, patch (apply included), apply, delete, deletecollection, or
        read, write, `*` for several; `model` None is any kind; see `Only` for what else may be said.

        Raises: ValueError when there is no such verb, or when calls with it cannot suffer the fault.
        """
        if times < 1:
            raise ValueError(f"times is {times}; a rule strikes once or more often")
        return self._rule(self._next, Rule(verb, _kind(model), fault, times, only))

    def always(self, verb: str, model: Model | None, fault: Fault, **only: Unpack[Only]) -> Rule:
        """Every call that matches suffers the fault, until the rule is removed or its block ends. See `next`."""
        return self._rule(self._always, Rule(verb, _kind(model), fault, None, only))

    def _rule(self, rules: list[Rule], rule: Rule) -> Rule:
        known = (*VERBS, "read", "write", "*")
        if rule.verb not in known:
            raise ValueError(f"unknown verb {rule.verb!r}; known are {', '.join(known)}")
        verbs = {"read": ("get", "list", "watch"), "write": WRITES, "*": VERBS}.get(rule.verb, (rule.verb,))
        if not any(fits(rule.fault, verb) for verb in verbs):
            what = "list" if isinstance(rule.fault, Stale) else "watch"
            raise ValueError(f"{rule.fault} can happen to a {what} only; the verb is {rule.verb!r}")
        rule.holder = rules
        rules.append(rule)
        return rule

    def refuse_watch_lists(self) -> Rule:
        """Watches that ask for what exists are refused, as by servers before 1.32: clients are to list instead."""
        why = "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"
        return self.always("watch", None, Invalid(why), when=lambda call: call.streams_initial_events)

    def clear(self) -> None:
        """Ends every rule, and what a seed chooses but for latency: from now on all is well. What a watch that is open
        suffers, it goes on to suffer.
        """
        self._next.clear()
        self._always.clear()
        if self._chances is not None:
            self._chances.rate = 0.0
        for hold in self._holds:
            hold.release()
        self._holds.clear()

    @contextmanager
    def paused(self) -> Generator[None, None, None]:
        """All is well until the end of the block, and then as before."""
        self._is_paused = True
        try:
            yield
        finally:
            self._is_paused = False

    # To watches that are open.

    def cut_watches(self, model: Model | None = None, *, client: str = "", clean: bool = False) -> int:
        """Breaks the watches that are open now, of a kind or of all; gives how many. `clean`: they end as when their
        time is over.
        """
        found = self._open(model, client)
        for watch in found:
            watch.cut(clean=clean)
        return len(found)

    def expire_watches(
        self, model: Model | None = None, *, client: str = "", error: ApiError | type[ApiError] = Expired
    ) -> int:
        """Tells the watches that are open now that their version is gone, and ends them; gives how many."""
        found = self._open(model, client)
        for watch in found:
            watch.fail(error_for(error, watch.call))
        return len(found)

    @contextmanager
    def hold_watches(self, model: Model | None = None, *, client: str = "") -> Generator[None, None, None]:
        """No watch, of a kind or of any, tells anything until the end of the block: caches are stale."""
        hold = _Hold(_kind(model), client)
        self._holds.append(hold)
        try:
            yield
        finally:
            hold.release()
            if hold in self._holds:
                self._holds.remove(hold)

    @contextmanager
    def outage(self, *, client: str = "", silent: bool = False) -> Generator[None, None, None]:
        """The API server cannot be reached until the end of the block; watches break. `silent`: it does not refuse
        connections, but never answers, and watches stay open and say nothing.
        """
        if silent:
            with self.hold_watches(client=client), self.always("*", None, NoAnswer(), client=client):
                yield
            return
        with self.always("*", None, Refused(), client=client):
            self.cut_watches(client=client)
            yield

    def _open(self, model: Model | None, client: str) -> "list[OpenWatch]":
        kind = _kind(model)
        return [
            each
            for each in self._watches
            if each.call.is_by(client) and (kind is None or each.call.is_about(kind))
        ]

    # For the transport.

    @property
    def may_strike(self) -> bool:
        """Whether there is anything to ask `strike` for."""
        return bool(self._next or self._always) or self._chances is not None

    def latency_seconds(self, call: Call) -> float:
        """How long this call takes on its way, once."""
        return 0.0 if self._chances is None or not call.is_by("") else self._chances.latency_seconds(call)

    def strike(self, call: Call) -> Fault | None:
        """What this call suffers; classes of errors have become errors."""
        if self._is_paused:
            return None
        fault = self._scripted(call)
        if fault is None and self._chances is not None and call.is_by(""):
            fault = self._chances.draw(call)
        if fault is None:
            return None
        if isinstance(fault, type):
            fault = error_for(fault, call)
        elif isinstance(fault, WatchError):
            fault = WatchError(error_for(fault.error, call), fault.after_events)
        del self.injected[: -INJECTED_MAX + 1]
        self.injected.append(Injected(call, fault))
        return fault

    def _scripted(self, call: Call) -> Fault | None:
        for rule in (*self._next, *self._always):
            if not rule.matches(call):
                continue
            if rule.strikes():
                return rule.fault
        return None

    @contextmanager
    def opened(self, watch: "OpenWatch") -> "Generator[OpenWatch, None, None]":
        """A watch is open for the length of the block."""
        self._watches[watch] = None
        if self.told is not None:
            self.told(watch.call, "open")
        try:
            yield watch
        finally:
            del self._watches[watch]
            if self.told is not None:
                self.told(watch.call, "ended")

    def holding(self, call: Call) -> "asyncio.Event | None":
        """Set when a watch that is held may go on; None: none holds it."""
        for hold in self._holds:
            if call.is_by(hold.client) and (hold.kind is None or call.is_about(hold.kind)):
                return hold.released
        return None


class _Hold:
    def __init__(self, kind: "Kind | None", client: str) -> None:
        import asyncio

        self.kind = kind
        self.client = client
        self.released = asyncio.Event()

    def release(self) -> None:
        self.released.set()


def _kind(model: Model | None) -> "Kind | None":
    return None if model is None else kind_of(model)
