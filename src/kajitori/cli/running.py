"""A process of operators: what it tells while it runs, and how it ends.

    first SIGINT or SIGTERM   what is ready is worked off, within the grace; exit code 0, or 1 when that was too short
    second one                the process ends at once, with exit code 1

Promises
    N1  the end comes, whatever a reconciler does: also when it hangs, refuses to be cancelled, or keeps the whole
        process from going on
    N2  logs never wait for their reader, and the last ones are written before the end

Source: controller-runtime's pkg/manager/signals and the graceful shutdown of its manager.
"""

import asyncio
import contextlib
import functools
import logging
import sys
from collections.abc import Coroutine, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kajitori.cli.ending import Ending
from kajitori.cli.main import CommandError
from kajitori.cli.modules import OperatorModule, set_up
from kajitori.cli.printing import Printer
from kajitori.cli.probing import Address, Endpoints
from kajitori.client import ApiError, Client, TransportError
from kajitori.ctrl import (
    CacheOptions,
    CacheSyncTimeout,
    LeaderElection,
    LeadershipLost,
    Manager,
    WebhooksNotServed,
)
from kajitori.ctrl.definitions import install_crds
from kajitori.ctrl.logs import LogFormat, log_to, takes_colour

if TYPE_CHECKING:
    from kajitori.cli.webhooks import HttpsWebhooks, WebhookPlace
    from kajitori.ctrl.sharding import Sharding

__all__ = ["Logs", "Means", "logging_to_stderr", "run_operators"]

FORCED_SECONDS = 5.0
"""After the grace: for cancelled reconciles to clean up, the last Events to be written, the Lease to be given back."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Logs:
    """How the process logs."""

    level: str = "info"
    format: LogFormat = "text"


@dataclass(frozen=True, slots=True)
class Means:
    """What the flags give to the operators."""

    metrics: Address | None
    health: Address | None
    webhooks: "WebhookPlace | None"
    election: LeaderElection | None
    sharding: "Sharding | None"
    namespaces: Sequence[str]
    """Only there objects are watched; none: everywhere."""
    install_crds: bool
    workers: int
    grace_seconds: float
    says: bool
    """Whether people are told, on standard output, beside the logs."""
    hooks: Address | None = None
    """Where the calls of HTTP event sources are taken."""


@contextlib.contextmanager
def logging_to_stderr(logs: Logs) -> Generator[None]:
    """Writes logs there for the length of a block, without waiting for who reads them."""
    printer = Printer(sys.stderr)
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    log_to(printer.print, level=logs.level, format=logs.format, colour=takes_colour(sys.stderr))
    try:
        yield
    finally:
        root.handlers[:], root.level = before, level
        printer.close()


async def run_operators(client: Client, operators: Sequence[OperatorModule], means: Means) -> int:
    """Until a signal ends it; gives the exit code.

    Raises: CommandError, LeadershipLost, and whatever keeps an operator from running.
    """
    webhooks = None
    if means.webhooks is not None:
        from kajitori.cli.webhooks import HttpsWebhooks  # few operators have webhooks

        webhooks = HttpsWebhooks(means.webhooks)
    manager = _manager(client, means, webhooks)
    return await Stopping(manager, means).unless_stopped(_run(manager, operators, means, webhooks))


async def _run(
    manager: Manager,
    operators: Sequence[OperatorModule],
    means: Means,
    webhooks: "HttpsWebhooks | None",
) -> int:
    async with contextlib.AsyncExitStack() as stack:
        endpoints = Endpoints(manager, metrics=means.metrics, health=means.health)
        stack.push_async_callback(endpoints.close)
        for what, url in await endpoints.listen():
            _log.info("Serving %s", what, extra={"url": url})
        await stack.enter_async_context(manager.client)
        if webhooks is not None:
            await stack.enter_async_context(webhooks.listening(manager.client, lambda: manager.is_leader))
            manager.add(webhooks.keep, needs_leader=False)
            _log.info("Serving webhooks", extra={"url": webhooks.url})
        if means.install_crds:
            definitions = [each for operator in operators for each in operator.definitions()]
            await install_crds(manager.client, *definitions)
            _log.info("Installed kinds", extra={"kinds": [each["metadata"]["name"] for each in definitions]})
        for operator in operators:
            try:
                await set_up(operator, manager)
            except WebhooksNotServed as error:
                raise CommandError(
                    f"{error}; say with --webhook-address or --webhook-service where", 2
                ) from None
            except Exception as error:
                _log.exception("Setting up failed", extra={"operator": operator.target})
                raise CommandError(f"{operator.target}: setting up failed: {_said(error)}") from None
        if means.hooks is not None:
            from kajitori.cli.hooks import listen_for_hooks  # few operators have HTTP event sources

            server = await listen_for_hooks(manager, means.hooks)
            stack.push_async_callback(server.close, 1.0)
            _log.info("Serving hooks", extra={"url": server.url})
        if webhooks is not None:
            manager.add(functools.partial(webhooks.forget_undeclared, manager))
        names = ", ".join(controller.name for controller in manager.controllers)
        if means.says:
            nothing = "webhooks" if manager.declares_webhooks else "no controllers"
            if webhooks is not None:
                print(f"Webhooks at {webhooks.url}", flush=True)
            print(f"Running {names or nothing}. Stop with Ctrl-C.", flush=True)
        try:
            await manager.run()
        except ExceptionGroup as group:
            _log.exception("A part of the process failed")
            raise _first_of(group) from None
    if manager.was_cut_short:
        raise CommandError(
            f"what was under way did not end within {means.grace_seconds:g} s, and was cut short"
        )
    return 0


def _manager(client: Client, means: Means, webhooks: "HttpsWebhooks | None") -> Manager:
    try:
        manager = Manager(
            client,
            name=client.field_manager,
            webhooks=webhooks,
            leader_election=means.election,
            sharding=means.sharding,
            graceful_seconds=means.grace_seconds,
            workers=means.workers,
        )
    except ValueError as error:
        flag = "--leader-elect-resource-namespace" if means.sharding is None else "--shard-namespace"
        raise CommandError(f"{error}; here: {flag}", 2) from None
    if means.namespaces:
        manager.cache.configure_all(CacheOptions(namespaces=means.namespaces))
    return manager


def _first_of(group: "ExceptionGroup[Exception]") -> Exception:
    """What to say of it in one sentence; the log has it all."""
    error: Exception = group
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, LeadershipLost):
        return error
    return CommandError(_said(error))


def _said(error: Exception) -> str:
    """Of an error of ours its sentence; of another also what it is, because its text may be a mere word."""
    if isinstance(error, (ApiError, TransportError, CacheSyncTimeout)):
        return str(error)
    return f"{type(error).__name__}: {error}"


class Stopping:
    """Stops a manager when a signal comes, for the length of a block."""

    def __init__(self, manager: Manager, means: Means) -> None:
        self._manager = manager
        self._means = means
        self._task: asyncio.Task[int] | None = None
        self._ending = Ending("kajitori run", means.grace_seconds + FORCED_SECONDS, self._stop)

    async def unless_stopped(self, running: Coroutine[Any, Any, int]) -> int:
        """What `running` gives; 0 when a signal comes before the manager runs."""
        with self._ending:
            self._task = asyncio.get_running_loop().create_task(running, name="operators")
            try:
                return await self._task
            except asyncio.CancelledError:
                if self._manager.is_stopping and self._manager.started_at is None:
                    return 0
                raise

    def _stop(self, name: str) -> None:
        _log.info("Shutdown signal received, waiting for all workers to finish", extra={"signal": name})
        self._manager.stop()
        if self._means.says:
            with contextlib.suppress(OSError):  # who read it may be gone
                print("\nStopping ...", flush=True)
        if self._manager.started_at is None and self._task is not None:
            self._task.cancel()
