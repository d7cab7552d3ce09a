"""The webhooks of code that is being developed: answered over HTTPS here, from the first version on that has any.

Promises
    H1  a version answers from the moment it runs, and what it no longer declares is no longer asked
    H2  at the end nothing stays registered: an API server that asks somebody who is gone refuses writes
"""

import contextlib
import logging

from kajitori.cli.webhooks import HttpsWebhooks, WebhookPlace
from kajitori.client import ApiError, Client, TransportError
from kajitori.ctrl import Manager
from kajitori.ctrl.webhooks.registering import field_manager_of, forget_others

__all__ = ["Webhooks"]

_log = logging.getLogger(__name__)


class Webhooks:
    """Those of one session."""

    def __init__(self, place: WebhookPlace, client: Client) -> None:
        self.host = HttpsWebhooks(place)
        """What managers are given."""
        self._client = client
        self._stack = contextlib.AsyncExitStack()
        self._listens = False
        self._registered: dict[str, str] = {}
        """By whom something was, with the field manager."""

    async def prepare(self, manager: Manager) -> None:
        """Before a manager runs. Raises: CommandError when nobody can listen there."""
        if not manager.declares_webhooks:
            return
        if not self._listens:
            await self._stack.enter_async_context(self.host.listening(self._client, lambda: True))
            self._listens = True
        self._registered[self.host.identity_of(manager.name)] = field_manager_of(manager)
        manager.add(self.host.keep, needs_leader=False)

    async def forget(self) -> None:
        """Takes back what was registered; once nobody runs who would register it again. What fails is logged: nothing
        else depends on it.
        """
        registered, self._registered = self._registered, {}
        for identity, field_manager in registered.items():
            try:
                await forget_others(self._client, identity, (), field_manager)
            except (ApiError, TransportError) as error:
                _log.warning("webhooks stay registered, and nobody answers", extra={"error": str(error)})

    async def close(self) -> None:
        """Takes back what was registered, and listens no more."""
        await self.forget()
        await self._stack.aclose()
