"""The webhooks of one manager: declared on it, answered while it runs, and registered by its leader.

Promises
    G1  what is declared is answered from the manager's first moment to its last, leading or not
    G2  what is registered is what is declared, whoever changes it meanwhile: applied again when others edit it,
        removed when it is no longer declared
    G3  a CustomResourceDefinition that comes later is told of its conversion when it comes; one that is no longer
        converted here is given back
    G4  nothing is registered that cannot be answered yet: without a certificate there is no configuration
    G5  against who keeps changing it back, it is applied ever more rarely: two versions of an operator that overlap
        without a leader do not chase one another

Source: Kubernetes' server-side apply; controller-runtime leaves registering to manifests.
"""

import asyncio
import contextlib
import logging
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kajitori.apimachinery.errors import NotFound
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client.client import Client
from kajitori.client.objects import Model
from kajitori.ctrl.handler import Watch
from kajitori.ctrl.reconcile import DONE, Request, Result
from kajitori.ctrl.webhooks.conversion import Conversions
from kajitori.ctrl.webhooks.declared import (
    CONVERT_PATH,
    MUTATING,
    VALIDATING,
    Handler,
    WebhookOptions,
    configuration,
    conversion,
    declare,
)
from kajitori.ctrl.webhooks.host import Mounted, WebhookHost
from kajitori.ctrl.webhooks.serving import WebhookRouter

if TYPE_CHECKING:
    from kajitori.ctrl.controller import Controller
    from kajitori.ctrl.manager import Manager

__all__ = ["LABEL", "OWNER", "ManagerWebhooks", "field_manager_of", "forget_others"]

LABEL = "webhooks.kajitori.dev/kept"
"""On what is registered here: `true`."""
OWNER = "webhooks.kajitori.dev/owner"
"""The annotation that says by whom."""

CRDS = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)
MENDED_SECONDS, MENDED_SECONDS_MAX = 1.0, 60.0
"""Between the second and the third time that what others changed is applied again, doubled from then on."""

REGISTRATIONS = (MUTATING, VALIDATING)
NAME = "webhook-registration"

_EVERYTHING = Request("", "")
"""What is no longer declared is looked for under no name."""

_log = logging.getLogger(__name__)


def field_manager_of(manager: "Manager") -> str:
    """Who registers, in managedFields."""
    return f"{manager.name}-webhooks"


class ManagerWebhooks:
    """What `Manager.webhook` and `Manager.conversion` add to. A Reconciler of what is registered under a name."""

    def __init__(self, manager: "Manager", host: WebhookHost) -> None:
        self._manager = manager
        self._host = host
        self._field_manager = field_manager_of(manager)
        self.router = WebhookRouter()
        self._mounted: Mounted | None = None
        self._controller: Controller | None = None
        self._applied: dict[tuple[Kind, str], JsonObject] = {}
        """What this process has applied: whatever else an earlier one applied is gone from it."""
        self._mended: dict[tuple[Kind, str], tuple[int, float]] = {}
        """How often, and when last, what others had changed was applied again."""
        self._pending = set[Request]()
        self._round = 0
        """Counts up whenever everything is looked at anew."""
        self._settled = asyncio.Event()
        manager.measure(self.router.figures)
        manager.add(self._answer, needs_leader=False)

    def webhook(self, model: Model, handler: Handler, options: WebhookOptions) -> None:
        """Raises: TypeError, ValueError."""
        declared = declare(model, handler, options)
        self.router.add(declared)
        self._enqueue(*(Request("", each.name) for each in declared))

    def conversion(self, kind: Kind, conversions: Conversions) -> None:
        """Raises: ValueError where the kind has a conversion, or the manager runs already."""
        if self._controller is not None:
            raise ValueError(f"declare the conversion of {kind.group_resource} before the manager runs")
        self.router.add_conversion(kind, conversions)

    async def registered(self) -> None:
        """Returns when everything that is declared is registered, as far as there are definitions for it."""
        await self._settled.wait()

    # Answering.

    async def _answer(self) -> None:
        self._mounted = self._host.mount(self._manager.name, self.router.answer)
        try:
            kinds = [*REGISTRATIONS, *([CRDS] if self.router.converted else [])]
            # Not `for_` a kind: shards must not share this work out.
            self._controller = self._manager.controller(
                NAME,
                self,
                watches=[Watch(kind, self._requests_of, metadata_only=True) for kind in kinds],
                workers=1,
                clusters="own",
            )
            self._mounted.on_change(self._again)
            self._again()
            await asyncio.get_running_loop().create_future()
        finally:
            self._mounted.unmount()

    # Registering.

    def _again(self) -> None:
        """Looks at everything that is declared, and at what is not."""
        self._round += 1
        self._enqueue(*self._wanted())

    def _enqueue(self, *requests: Request) -> None:
        if self._controller is None:
            return  # begins with everything
        self._settled.clear()
        self._pending.update(requests)
        for each in requests:
            self._controller.enqueue(each)

    def _wanted(self) -> set[Request]:
        names = [each.name for each in self.router.webhooks]
        names += [each.group_resource for each in self.router.converted]
        return {_EVERYTHING, *(Request("", name) for name in names)}

    def _requests_of(self, value: Any) -> Sequence[Request]:
        request = Request("", value["metadata"]["name"])
        return (request,) if request in self._wanted() else ()

    async def reconcile(self, request: Request) -> Result:
        """Makes what is registered under a name what is declared. Raises: ApiError, TransportError."""
        mounted, began = self._mounted, self._round
        assert mounted is not None, "the controller begins after it"
        if request == _EVERYTHING:
            manager = self._manager
            await forget_others(manager.client, mounted.identity, self._wanted(), self._field_manager)
        else:
            for kind, value in self._desired(mounted, request.name):
                if value is None:
                    return DONE  # comes again when there is something to be told
                if pause := await self._keep(kind, value):
                    return Result(requeue_after_seconds=pause)
        if began == self._round:
            self._pending.discard(request)
        if not self._pending and not self._settled.is_set():
            mounted.registered()
            self._settled.set()
        return DONE

    def _desired(self, mounted: Mounted, name: str) -> list[tuple[Kind, JsonObject | None]]:
        """What is to be registered under a name; None: nothing can be said of it yet."""
        labels, annotations = {LABEL: "true"}, {**mounted.annotations, OWNER: mounted.identity}
        desired: list[tuple[Kind, JsonObject | None]] = []
        for each in self.router.webhooks:
            if each.name == name:
                config = mounted.client_config(each.path)
                desired.append((each.kind, config and configuration(each, config, labels, annotations)))
        for kind in self.router.converted:
            if kind.group_resource == name:
                config = mounted.client_config(CONVERT_PATH)
                desired.append((CRDS, config and conversion(kind, config, labels, annotations)))
        return desired

    async def _keep(self, kind: Kind, desired: JsonObject) -> float:
        """Applies it where it is not so; gives for how long to leave it as it is, 0: it is right."""
        client, name = self._manager.client, desired["metadata"]["name"]
        try:
            found = await client.get(kind, "", name)
        except NotFound:
            if kind is CRDS:
                return 0  # comes again when it does
        else:
            if self._applied.get((kind, name)) == desired:
                if _holds(desired, found):
                    return 0
                if pause := self._pause((kind, name)):
                    return pause
        await client.apply(kind, desired, force=True, field_manager=self._field_manager)
        self._applied[kind, name] = desired
        _log.info("a webhook was registered", extra={"kind": kind.kind, "registration": name})
        return 0

    def _pause(self, registration: tuple[Kind, str]) -> float:
        """For how long to leave what others have changed; 0: apply it again now."""
        now = asyncio.get_running_loop().time()
        times, last = self._mended.get(registration, (0, now))
        if now - last > 2 * MENDED_SECONDS_MAX:
            times = 0
        if times:
            pause = min(MENDED_SECONDS * 2.0 ** (times - 1), MENDED_SECONDS_MAX)
            if now < last + pause:
                return last + pause - now
            told = {"kind": registration[0].kind, "registration": registration[1], "times": times + 1}
            _log.warning("somebody else keeps changing what is registered", extra=told)
        self._mended[registration] = times + 1, now
        return 0.0


async def forget_others(
    client: Client, identity: str, wanted: Collection[Request], field_manager: str
) -> None:
    """Removes what was registered from a place and is not wanted: names of configurations and definitions.

    Raises: ApiError, TransportError.
    """
    for kind in (*REGISTRATIONS, CRDS):
        for each in await client.list(kind, labels=f"{LABEL}=true", metadata_only=True):
            if each.annotations.get(OWNER) != identity or Request("", each.name) in wanted:
                continue
            _log.info("a webhook is no longer declared", extra={"kind": kind.kind, "registration": each.name})
            if kind is CRDS:
                nothing = {"apiVersion": CRDS.api_version, "kind": CRDS.kind, "metadata": {"name": each.name}}
                await client.apply(CRDS, nothing, force=True, field_manager=field_manager)
                continue
            with contextlib.suppress(NotFound):
                await client.delete(kind, "", each.name)


def _holds(desired: Any, found: Any) -> bool:
    """Whether what is there says all that is desired; it may say more. Items of lists are told apart by name."""
    if isinstance(desired, Mapping):
        return isinstance(found, Mapping) and all(
            name in found and _holds(value, found[name]) for name, value in desired.items()
        )
    if isinstance(desired, list) and desired and isinstance(desired[0], dict) and "name" in desired[0]:
        by_name = {each.get("name"): each for each in found or ()}
        return all(_holds(each, by_name.get(each["name"])) for each in desired)
    return bool(desired == found)
