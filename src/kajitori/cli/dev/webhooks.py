"""The webhooks of code that is being developed: answered over HTTPS here, from the first version on that has any.

Promises
    H1  a version answers from the moment it runs, and what it no longer declares is no longer asked
    H2  at the end nothing stays registered: an API server that asks somebody who is gone refuses writes
"""

import contextlib

from kajitori.cli.webhooks import HttpsWebhooks, WebhookPlace
from kajitori.client import Client
from kajitori.ctrl import Manager
from kajitori.ctrl.webhooks.declared import MUTATING, VALIDATING
from kajitori.ctrl.webhooks.registering import LABEL, OWNER

__all__ = ["Webhooks"]


class Webhooks:
    """Those of one session."""

    def __init__(self, place: WebhookPlace, client: Client) -> None:
        self.host = HttpsWebhooks(place)
        """What managers are given."""
        self._client = client
        self._stack = contextlib.AsyncExitStack()
        self._listens = False
        self._identities: set[str] = set()

    async def prepare(self, manager: Manager) -> None:
        """Before a manager runs. Raises: CommandError when nobody can listen there."""
        if not manager.declares_webhooks:
            return
        if not self._listens:
            await self._stack.enter_async_context(self.host.listening(self._client, lambda: True))
            self._listens = True
        self._identities.add(self.host.identity_of(manager.name))
        manager.add(self.host.keep, needs_leader=False)

    async def forget(self) -> None:
        """Takes back what was registered; once nobody runs who would register it again."""
        if not self._identities:
            return
        for kind in (MUTATING, VALIDATING):
            for each in await self._client.list(kind, labels=f"{LABEL}=true", metadata_only=True):
                if each.annotations.get(OWNER) in self._identities:
                    await self._client.delete(kind, "", each.name)
        self._identities.clear()

    async def close(self) -> None:
        """Takes back what was registered, and listens no more."""
        try:
            await self.forget()
        finally:
            await self._stack.aclose()
