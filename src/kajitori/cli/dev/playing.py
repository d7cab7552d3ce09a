"""A session from its start to its end: on a screen, in lines, or until it has settled."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from kajitori.cli.dev.code import Code
from kajitori.cli.dev.debugging import Debugging, StandingLoop, debugging
from kajitori.cli.dev.happenings import Ended, Happening, Started
from kajitori.cli.dev.live import Live
from kajitori.cli.dev.logs import Logs
from kajitori.cli.dev.screen import frame
from kajitori.cli.dev.session import Means, Session
from kajitori.cli.dev.settling import Settling, standing
from kajitori.cli.dev.terminal import Terminal
from kajitori.cli.ending import Ending

__all__ = ["INTERRUPTED", "NOT_SETTLED", "Options", "develop"]

INTERRUPTED = 130
NOT_SETTLED = 1

FORCED_SECONDS = 12.0
"""From the signal to the end: reconciles get five of them, webhooks and the cluster the rest."""

DRAWN_EVERY_SECONDS = 0.5
"""The screen, when no key is pressed and nothing happens."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a session goes."""

    once_seconds: float | None
    """How long `--once` may take; None: it goes on until ended."""
    tell: Callable[[Happening], None]
    live: Live | None
    """None: lines instead of a screen."""
    is_json: bool
    log_level: str


async def develop(options: Options, code: Code, means: Means, started: Started, logs: Logs) -> int:
    """Until a signal ends it; gives the exit code.

    Raises: CommandError, ApiError, TransportError, NotEstablished, in an ExceptionGroup.
    """
    with Ending("kajitori dev", FORCED_SECONDS) as ending:
        return await _develop(options, code, means, started, logs, ending)


async def _develop(
    options: Options, code: Code, means: Means, started: Started, logs: Logs, ending: Ending
) -> int:
    loop, ended = asyncio.get_running_loop(), ending.asked
    assert isinstance(loop, StandingLoop), loop
    async with means.client, asyncio.TaskGroup() as tasks:
        session = Session(code, means, tasks)
        logs.before = session.observe
        means.tell(started)
        with debugging(loop, ended.set, session.observe) as debugger:
            try:
                if options.live is not None:
                    await _on_a_screen(options.live, session, means, ending, debugger)
                    print(f"Stopped after {session.decisions} reconciles.")
                    return 0
                return await _in_lines(options, session, means, started, ended)
            finally:
                debugger.end()
                ending.begin()
                await session.end()


async def _in_lines(
    options: Options, session: Session, means: Means, started: Started, ended: asyncio.Event
) -> int:
    if started.kubeconfig:
        session.note(f"in another shell: export KUBECONFIG={started.kubeconfig}")
    await session.start()
    if options.once_seconds is not None:
        return await _until_settled(options.once_seconds, session, means, ended)
    session.note("Save a file to reload. Stop with Ctrl-C.")
    while not ended.is_set():
        await session.tick()
    return 0


async def _on_a_screen(
    live: Live, session: Session, means: Means, ending: Ending, debugger: Debugging
) -> None:
    loop, ended = asyncio.get_running_loop(), ending.asked

    def draw() -> None:
        terminal.draw(frame(live.view(session), *terminal.size()))

    def pressed(key: str) -> None:
        live.press(key)
        if live.wants_end:
            ended.set()
        if live.wants_reload:
            live.wants_reload = False
            session.reload()
        draw()

    with Terminal(pressed, means.tell) as terminal:
        debugger.suspended, ending.give_back = terminal.suspended, terminal.give_back
        draw()
        await session.start()
        drawn = 0.0, -1
        while not ended.is_set():
            # A tenth of a second is for those who wait; drawing what nobody waits for would keep the machine busy.
            if loop.time() - drawn[0] >= DRAWN_EVERY_SECONDS or drawn[1] != live.happenings:
                drawn = loop.time(), live.happenings
                draw()
            await session.tick()
        debugger.end()


async def _until_settled(seconds: float, session: Session, means: Means, ended: asyncio.Event) -> int:
    loop, settling = asyncio.get_running_loop(), Settling()
    began = loop.time()
    if not session.runs:
        return NOT_SETTLED
    while not ended.is_set():
        await session.tick()
        manager = session.manager
        if manager is None or not session.runs:
            return NOT_SETTLED
        passed = loop.time() - began
        settled = settling.has_settled(manager, session.decisions)
        if not settled and passed < seconds:
            continue
        stands = standing(manager)
        means.tell(
            Ended(
                time=means.clock.now().timestamp(),
                settled=settled,
                seconds=passed,
                reconciles=session.decisions,
                failing=[*stands.failing, *stands.busy],
            )
        )
        is_well = settled and not stands.failing and not session.manifests_failed
        return 0 if is_well else NOT_SETTLED
    return INTERRUPTED
