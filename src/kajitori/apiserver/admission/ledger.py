"""All quotas there are, each with its account."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.resource import Resource
from kajitori.storage import Event, Item, Store

if TYPE_CHECKING:
    from kajitori.apiserver.admission.accounts import Account

__all__ = ["QUOTAS", "Ledger"]

QUOTAS = "/resourcequotas"


class Ledger:
    """All quotas there are, by namespace and name."""

    def __init__(
        self, store: Store, registry: Callable[[], Registry], quotas: Callable[[], Resource]
    ) -> None:
        """`quotas` is the resource of the quotas themselves."""
        self._registry, self._quotas = registry, quotas
        self._accounts: dict[str, dict[str, Account]] = {}
        for item in store.range(QUOTAS):
            self._open(item)
        store.subscribe(QUOTAS, self._on_event)

    def accounts(self, namespace: str) -> "Sequence[Account]":
        """The quotas of a namespace, by name."""
        found = self._accounts.get(namespace)
        return [found[name] for name in sorted(found)] if found else ()

    def _open(self, item: Item) -> None:
        from kajitori.apiserver.admission.accounts import Account, Paper  # most clusters have no quota

        namespace, _, name = item.name.partition("/")
        account = Account(item, lambda: Paper(self._registry(), self._quotas()))
        self._accounts.setdefault(namespace, {})[name] = account

    def _on_event(self, event: Event) -> None:
        namespace, _, name = event.name.partition("/")
        if event.deleted:
            there = self._accounts[namespace]
            del there[name]
            if not there:
                del self._accounts[namespace]
        elif event.previous is None:
            self._open(event.item)
        else:
            self._accounts[namespace][name].changed(event)
