"""The life of code that is being developed: loaded, run, replaced when it is saved, until somebody ends it.

Promises
    S1  code runs from the moment it can: what is broken is told, and what ran before goes on (R2)
    S2  what replaces it keeps caches and queues (handover V1 to V4), but for kinds whose definition changed
    S3  one version runs at a time: the next begins when the reconciles of the one before have ended or been cut short;
        one that refuses that for ENDED_SECONDS is told of, and left behind
    S4  a manager that fails is told, and begins anew with the next save
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kajitori.apimachinery.errors import ApiError
from kajitori.cli.dev.code import BrokenCode, Code, Loaded, shown
from kajitori.cli.dev.definitions import Definitions, RefusedDefinition
from kajitori.cli.dev.files import SavedFiles
from kajitori.cli.dev.happenings import Broken, Definition, Happening, Note, Reloaded, decision
from kajitori.cli.main import CommandError
from kajitori.client import Client, TransportError
from kajitori.client.objects import kind_of
from kajitori.ctrl import Manager, Request, WebhooksNotServed
from kajitori.ctrl.definitions import NotEstablished
from kajitori.ctrl.explain import Trace
from kajitori.ctrl.handover import Handover, KeptKind
from kajitori.world.clock import Clock

if TYPE_CHECKING:
    from kajitori.cli.dev.manifests import Manifests
    from kajitori.cli.dev.webhooks import Webhooks

__all__ = ["Means", "Session", "innermost"]

TICK_SECONDS = 0.1
"""Between two looks at what was decided and what was saved: a save is seen in two of them."""

ENDED_SECONDS = 3.0
"""How long the code before may take to end, once its reconciles have been cancelled."""

READY_SECONDS = 2.0
"""How long a report on loaded code waits for its caches."""

Tell = Callable[[Happening], None]


@dataclass(frozen=True, slots=True)
class Means:
    """What all versions of the code have in common."""

    client: Client
    tell: Tell
    clock: Clock
    blame: Callable[[str], str]
    """The user's lines of the error with which a reconcile failed, by its id."""
    new_manager: Callable[[], Manager]
    webhooks: "Webhooks | None" = None
    """Where webhooks are answered; None: nowhere."""
    manifests: "Manifests | None" = None
    """Objects that are applied; None: none."""
    installs_crds: bool = True


class Session:
    """One target, on one cluster."""

    def __init__(self, code: Code, means: Means, tasks: asyncio.TaskGroup) -> None:
        """`tasks` own what runs."""
        self._code = code
        self._means = means
        self._tell = means.tell
        self._tasks = tasks
        self._definitions = Definitions(means.client)
        self._saved = SavedFiles()
        self._asked = False
        self._running: asyncio.Task[None] | None = None
        """None: no code could be loaded yet, or its manager has failed."""
        self._ended: list[tuple[str, Trace]] = []
        """What has ended and is still to be told, with the name of the controller."""
        self._errors: dict[tuple[str, Request], str] = {}
        """With which lines names fail."""
        self.manager: Manager | None = None
        """The one that runs; None: no code could be loaded yet."""
        self.decisions = 0
        """How many have been told."""

    def reload(self) -> None:
        """Loads the code again, soon."""
        self._asked = True

    async def start(self) -> bool:
        """Loads the code the first time; whether it runs.

        Raises: CommandError when there is no such code; ApiError, TransportError when the cluster does not answer.
        """
        try:
            await self._load([])
        except BrokenCode as error:
            self._break(str(error), error.files)
        return self._running is not None

    async def tick(self) -> None:
        """Waits a moment, then tells what was decided, and loads what was saved."""
        await asyncio.sleep(TICK_SECONDS)
        self.observe()
        if self._means.manifests is not None:
            await self._means.manifests.look()
        saved = self._saved.changed()
        if saved or self._asked:
            self._asked = False
            await self._reload(saved)

    async def end(self) -> None:
        """Stops the code; reconciles under way may end."""
        manager, task = self.manager, self._running
        self.manager = self._running = None
        if manager is not None and task is not None:
            manager.stop()
            await asyncio.wait([task])
            self._observe(manager)
        if self._means.webhooks is not None:
            await self._means.webhooks.close()

    @property
    def runs(self) -> bool:
        """Whether code runs; not when none could be loaded yet, or its manager has failed."""
        return self._running is not None

    @property
    def manifests_failed(self) -> bool:
        """Whether something could not be applied."""
        return self._means.manifests is not None and self._means.manifests.has_failed

    # Telling.

    def observe(self) -> None:
        """Tells what was decided since the last time. Safe to be called by anybody on the loop."""
        if self.manager is not None:
            self._observe(self.manager)

    def _observe(self, manager: Manager) -> None:
        self._listen(manager)
        loop_now, now = asyncio.get_running_loop().time(), self._now()
        new, self._ended = self._ended, []
        for name, trace in sorted(new, key=lambda each: _ended_at(each[1])):
            self.decisions += 1
            at = now - (loop_now - _ended_at(trace))
            self._tell(decision(name, trace, at, self._lines_of(name, trace)))

    def _listen(self, manager: Manager) -> None:
        """To all controllers, also to those that came while it runs."""
        for controller in manager.controllers:

            def told(trace: Trace, name: str = controller.name) -> None:
                self._ended.append((name, trace))

            for trace in controller.listen(told):
                told(trace)

    def _lines_of(self, controller: str, trace: Trace) -> str:
        """The user's lines of the error; of one that repeats itself they have been told."""
        key = controller, trace.request
        if not trace.error:
            self._errors.pop(key, None)
            return ""
        lines = self._means.blame(trace.reconcile_id)
        repeated = self._errors.get(key) == lines
        self._errors[key] = lines
        return "" if repeated else lines

    def _now(self) -> float:
        return self._means.clock.now().timestamp()

    def note(self, text: str) -> None:
        """Tells a sentence."""
        self._tell(Note(time=self._now(), text=text))

    def _break(self, text: str, files: Collection[Path] = ()) -> None:
        """Tells what is broken, and watches where it may be mended."""
        # What is missing may be about to be written.
        self._saved.watch({*self._code.files(), *files}, wants_new=True)
        self._tell(Broken(time=self._now(), text=text, still_runs=self._running is not None))

    # Running.

    async def _keep(self, manager: Manager) -> None:
        """Runs a manager; what it fails with is told, and ends nothing else."""
        try:
            await manager.run()
        except Exception as error:
            self._running = None
            self._break(self._code.told(innermost(error)))

    async def _hand_over(self) -> Handover:
        manager, task = self.manager, self._running
        if manager is None:
            return Handover()
        left = await manager.hand_over()
        if task is not None:
            _, late = await asyncio.wait([task], timeout=ENDED_SECONDS)
            if late:
                self.note(
                    "a reconcile of the code before refuses to be cancelled, and goes on beside the new code"
                )
        self._observe(manager)
        return left

    async def _await_ready(self, manager: Manager) -> None:
        deadline = asyncio.get_running_loop().time() + READY_SECONDS
        while self._running is not None and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.005)
            if all(each.is_working for each in manager.controllers):
                return

    # Loading.

    async def _reload(self, saved: Sequence[Path]) -> None:
        try:
            await self._load(saved)
        except BrokenCode as error:
            self._break(str(error), error.files)
        except (CommandError, ApiError, TransportError, NotEstablished) as error:
            self._break(str(error), saved)

    async def _load(self, saved: Sequence[Path]) -> None:
        began = asyncio.get_running_loop().time()
        is_first = self.manager is None
        self._saved.begin(self._code.folder)
        loaded = self._code.load()
        try:
            manager = self._means.new_manager()
            changed = await self._prepare(loaded, manager)
        except BaseException:
            loaded.undo()
            raise
        self._code.remember_sources()
        self._saved.watch(loaded.files)
        if self._means.webhooks is not None:
            await self._means.webhooks.prepare(manager)
        left = (await self._hand_over()).without(lambda kept: _is_of(kept, changed))
        if self._means.webhooks is not None and not manager.declares_webhooks:
            await self._means.webhooks.forget()
        manager.take_over(left)
        self._listen(manager)
        self.manager = manager
        self._running = self._tasks.create_task(self._keep(manager), name="manager")
        await self._await_ready(manager)
        informers = manager.cache.informers()
        self._tell(
            Reloaded(
                time=self._now(),
                files=[shown(each) for each in saved],
                is_first=is_first,
                seconds=asyncio.get_running_loop().time() - began,
                controllers=[each.name for each in manager.controllers],
                replayed=sum(len(each.names) for each in left.backlogs.values()),
                kept={str(each.kind): len(each.store) for each in informers if each.is_resumed},
                listed=[str(each.kind) for each in informers if not each.is_resumed],
                not_ready=[each.name for each in manager.controllers if not each.is_working],
            )
        )

    async def _prepare(self, loaded: Loaded, manager: Manager) -> set[str]:
        """Sets up a version, without starting it, and installs its kinds; the names of those that read otherwise now.

        Raises: BrokenCode; CommandError, ApiError, TransportError, NotEstablished.
        """
        definitions = loaded.definitions()
        try:
            await loaded.set_up(manager)
        except WebhooksNotServed as error:
            raise CommandError(
                f"{error}; say with --webhook-address where the API server reaches it"
            ) from None
        try:
            installed = await self._definitions.install(definitions) if self._means.installs_crds else []
        except RefusedDefinition as error:
            raise CommandError(str(error)) from None
        now = self._now()
        for each in installed:
            self._tell(
                Definition(
                    time=now, name=each.name, is_new=each.is_new, changes=[str(c) for c in each.changes]
                )
            )
        for name in self._definitions.forgotten(definitions):
            self.note(f"definition {name} is no longer declared, and stays: kubectl delete crd {name}")
        if self._means.manifests is not None:
            await self._means.manifests.apply()
        return {each.name for each in installed if each.changes}


def _ended_at(trace: Trace) -> float:
    return trace.started_at + trace.took_seconds


def _is_of(kept: KeptKind, definitions: Collection[str]) -> bool:
    kind = kind_of(kept.model)
    return f"{kind.plural}.{kind.group}" in definitions


def innermost(error: Exception) -> Exception:
    """Of a group of one the one."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
