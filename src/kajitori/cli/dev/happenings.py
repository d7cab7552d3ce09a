"""What happens while code is being developed, as values: told as lines, as JSON, or on a screen."""

from collections.abc import Sequence

import msgspec

from kajitori.ctrl.explain import Cause, Trace

__all__ = [
    "Applied",
    "Broken",
    "Decision",
    "Definition",
    "Ended",
    "Happening",
    "Logged",
    "Note",
    "Reloaded",
    "Started",
    "cause_text",
    "decision",
]


class Happening(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="type"):
    """One; `time` is seconds since 1970."""

    time: float


class Started(Happening, frozen=True, kw_only=True, tag="started"):
    """Everything is there, but for the user's code."""

    target: str
    cluster: str
    """Where its API is."""
    kubeconfig: str = ""
    """That of the cluster in this process; empty: it was named."""


class Definition(Happening, frozen=True, kw_only=True, tag="definition"):
    """A definition was written."""

    name: str
    is_new: bool
    changes: Sequence[str] = ()


class Reloaded(Happening, frozen=True, kw_only=True, tag="loaded"):
    """Code runs: the first, or that which was saved."""

    files: Sequence[str] = ()
    """Those that were saved; empty: the first time, or asked for."""
    is_first: bool = False
    seconds: float = 0.0
    controllers: Sequence[str] = ()
    replayed: int = 0
    """Names that were to be reconciled already."""
    kept: dict[str, int] = {}
    """Kinds whose caches went on, and how many objects are in them."""
    listed: Sequence[str] = ()
    """Kinds that had to be listed."""
    not_ready: Sequence[str] = ()
    """Controllers that still wait for their first lists."""


class Broken(Happening, frozen=True, kw_only=True, tag="broken"):
    """The code, or what it stands on, cannot be used."""

    text: str
    """With the user's lines."""
    still_runs: bool
    """Whether what was there before goes on."""


class Decision(Happening, frozen=True, kw_only=True, tag="reconcile"):
    """One reconcile has ended."""

    controller: str
    name: str
    outcome: str
    error: str = ""
    causes: Sequence[str] = ()
    priority: int = 0
    waited_seconds: float = 0.0
    took_seconds: float = 0.0
    requeue_seconds: float = 0.0
    writes: int = 0
    reconcile_id: str = ""
    lines: str = ""
    """The user's lines of what was raised."""


class Applied(Happening, frozen=True, kw_only=True, tag="applied"):
    """A manifest was applied."""

    object: str
    what: str
    """`created`, `configured` or `unchanged`."""


class Logged(Happening, frozen=True, kw_only=True, tag="log"):
    """Somebody wrote to the log."""

    level: str
    logger: str
    text: str
    lines: str = ""
    """The user's lines of what was raised."""
    about: str = ""
    """The controller and the name that were being reconciled; empty: it was elsewhere."""


class Note(Happening, frozen=True, kw_only=True, tag="note"):
    """A sentence for the user."""

    text: str


class Ended(Happening, frozen=True, kw_only=True, tag="ended"):
    """Of `--once`: how it came out."""

    settled: bool
    seconds: float
    reconciles: int = 0
    objects: dict[str, int] = {}
    failing: Sequence[str] = ()


def decision(controller: str, trace: Trace, ended_at: float, lines: str = "") -> Decision:
    """A reconcile, as it is told."""
    return Decision(
        time=ended_at,
        controller=controller,
        name=str(trace.request),
        outcome=trace.outcome,
        error=trace.error,
        causes=[cause_text(each) for each in trace.causes],
        priority=trace.priority,
        waited_seconds=trace.waited_seconds,
        took_seconds=trace.took_seconds,
        requeue_seconds=trace.requeue_seconds,
        writes=trace.writes,
        reconcile_id=trace.reconcile_id,
        lines=lines,
    )


def cause_text(cause: Cause) -> str:
    """`update Widget default/a 12→13`."""
    words = [cause.type, cause.kind, cause.object]
    if cause.new_version and cause.type != "resync":
        words.append(f"{cause.old_version}→{cause.new_version}" if cause.old_version else cause.new_version)
    return " ".join(each for each in words if each)
