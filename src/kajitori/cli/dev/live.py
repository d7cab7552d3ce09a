"""What the screen of `kajitori dev` remembers, and what its keys do.

Sits between the session, which tells what happens, and the terminal, which draws what `view` gives and reads keys.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from kajitori.cli.dev.happenings import Broken, Decision, Happening, Note, Reloaded, Started
from kajitori.cli.dev.lines import lasted, lines_of, sentence
from kajitori.cli.dev.screen import CacheRow, ControllerRow, View
from kajitori.cli.dev.session import Session
from kajitori.ctrl import Controller, Manager
from kajitori.ctrl.explain import TRACES_MAX
from kajitori.ctrl.status import ControllerStatus, snapshot

__all__ = ["Live"]

DECISIONS_MAX = 500
LOG_LINES_MAX = 500


class Live:
    """One screen's memory."""

    def __init__(self) -> None:
        self._decisions: deque[Decision] = deque(maxlen=DECISIONS_MAX)
        self._log: deque[str] = deque(maxlen=LOG_LINES_MAX)
        self._errors: dict[tuple[str, str], str] = {}
        """The user's lines of the error with which a name fails now; of one that repeats itself they come once."""
        self._title = "kajitori dev"
        self._hint = ""
        self._broken = ""
        self._versions = 0
        self.happenings = 0
        """How many there were: another number, another screen."""
        self._chosen: Decision | None = None
        self._explains = False
        self.wants_end = False
        self.wants_reload = False

    def tell(self, happening: Happening) -> None:
        """Something has happened."""
        self.happenings += 1
        match happening:
            case Decision():
                self._decisions.appendleft(happening)
                key = happening.controller, happening.name
                if not happening.error:
                    self._errors.pop(key, None)
                if not happening.lines:
                    return
                self._errors[key] = happening.lines
                lines = [f"{happening.controller} {happening.name}:", *happening.lines.split("\n")]
                self._log.extend(lines)
                return
            case Started():
                self._title = f"kajitori dev {happening.target}"
                self._hint = _hint(happening)
                return
            case Broken():
                self._broken = "\n".join(sentence(happening))
            case Reloaded():
                self._broken = ""
                self._versions += 1
            case Note() if happening.text.startswith("in another shell"):
                return
            case _:
                pass
        self._log.extend(lines_of(happening))

    def press(self, key: str) -> None:
        """A key was pressed: `up`, `down`, `enter`, `escape`, or the character."""
        match key:
            case "q":
                self.wants_end = True
            case "r":
                self.wants_reload = True
            case "up" | "k":
                self._move(-1)
            case "down" | "j":
                self._move(1)
            case "e" | "enter":
                if self._chosen is None:
                    self._move(1)
                    self._explains = self._chosen is not None
                else:
                    self._explains = not self._explains
            case "escape":
                self._chosen, self._explains = None, False
            case _:
                pass

    def view(self, session: Session) -> View:
        """What is to be seen now."""
        manager = session.manager
        status = None if manager is None or not session.runs else snapshot(manager)
        if status is None:
            state = "waits for code that runs"
        else:
            state = f"version {self._versions}, for {lasted(status.running_seconds)}"
            if self._broken:
                state += "; the one saved last is broken"
        return View(
            title=self._title,
            state=state,
            hint=self._hint,
            broken=self._broken,
            controllers=()
            if manager is None or status is None
            else _controllers(manager, status.controllers),
            caches=()
            if status is None
            else [
                CacheRow(each.kind, each.synced, each.objects, each.memory_bytes, each.seconds_since_event)
                for each in status.caches
            ],
            decisions=list(self._decisions),
            chosen=-1 if self._chosen is None else self._position(self._chosen),
            explained=list(self._explained(manager)) if self._explains else (),
            log=list(self._log),
        )

    def _position(self, chosen: Decision) -> int:
        return next((number for number, each in enumerate(self._decisions) if each is chosen), -1)

    def _move(self, by: int) -> None:
        if not self._decisions:
            return
        at = -1 if self._chosen is None else self._position(self._chosen)
        self._chosen = self._decisions[min(max(at + by, 0), len(self._decisions) - 1)]

    def _explained(self, manager: Manager | None) -> Iterator[str]:
        chosen = self._chosen
        if chosen is None:
            return
        yield f"{chosen.controller} {chosen.name}: {chosen.outcome}, reconcile {chosen.reconcile_id}"
        waited, took = lasted(chosen.waited_seconds), lasted(chosen.took_seconds)
        yield f"  waited {waited} with priority {chosen.priority}, took {took}"
        for cause in chosen.causes:
            yield f"  because of {cause}"
        if chosen.error:
            lines = chosen.lines or self._errors.get((chosen.controller, chosen.name)) or chosen.error
            yield from (f"  {each}" for each in lines.split("\n"))
        if manager is not None:
            yield from _now(manager, chosen)


def _hint(started: Started) -> str:
    """How another shell reaches the cluster, in as few words as may be."""
    if not started.kubeconfig:
        return started.cluster
    path, here = Path(started.kubeconfig), Path.cwd()
    return (
        f"export KUBECONFIG=$PWD/{path.relative_to(here)}"
        if path.is_relative_to(here)
        else f"export KUBECONFIG={path}"
    )


def _now(manager: Manager, chosen: Decision) -> Iterator[str]:
    """What is known of the name now."""
    controller = next((each for each in manager.controllers if each.name == chosen.controller), None)
    if controller is None:
        return
    traces = controller.last_traces(TRACES_MAX)
    request = next((each.request for each in traces if str(each.request) == chosen.name), None)
    if request is None:
        return
    known, now = controller.explain(request), asyncio.get_running_loop().time()
    failures = f", failed {known.failures} times in a row" if known.failures else ""
    yield f"now {known.state}{failures}; before that:"
    for trace in known.traces:
        ended = now - trace.started_at - trace.took_seconds
        again = f", again after {lasted(trace.requeue_seconds)}" if trace.requeue_seconds else ""
        writes = f", {trace.writes} written" if trace.writes else ""
        yield f"  {lasted(ended)} ago: {trace.outcome} in {lasted(trace.took_seconds)}{writes}{again}"


def _controllers(manager: Manager, statuses: Sequence[ControllerStatus]) -> list[ControllerRow]:
    by_name = {each.name: each for each in manager.controllers}
    return [_row(by_name[each.name], each) for each in statuses]


def _row(controller: Controller, status: ControllerStatus) -> ControllerRow:
    seconds = sorted(each.took_seconds for each in controller.last_traces(TRACES_MAX))
    queue, counts = status.queue, status.reconciles
    return ControllerRow(
        *(status.name, status.state, queue.ready, queue.waiting, queue.held, queue.failing),
        done=counts.success + counts.requeue_after,
        errors=counts.error,
        p50_seconds=seconds[len(seconds) // 2] if seconds else None,
        p99_seconds=seconds[len(seconds) * 99 // 100] if seconds else None,
    )
