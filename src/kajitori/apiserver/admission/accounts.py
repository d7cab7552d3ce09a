"""What is used of a quota: as stored, and what writes under way have reserved.

Sits under `ledger`, which knows them all, and is loaded with the first quota.

A reservation is in memory from the moment in which a write is admitted, and in the status of the quota when the write
is answered: both become durable with one commit, the object first. So nobody ever sees a status that counts what is not
there, and what is given back was never seen.

Promises
    B1  what is stored and what is reserved never count the same write twice, nor not at all
    B2  a write that fails gives back what it reserved, also when whoever asked for it goes away
    B3  who else writes the status loses nothing: what is used is added to what they wrote
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import Quantity
from kajitori.apis.quota import Quota, add, amounts_of, masked, quota_of
from kajitori.apiserver.admission.ledger import QUOTAS
from kajitori.apiserver.authentication import User
from kajitori.apiserver.authentication.user import MASTERS
from kajitori.apiserver.options import WriteOptions
from kajitori.apiserver.registry.call import Call, Written
from kajitori.apiserver.registry.registry import Registry, rendered, to_its_end
from kajitori.apiserver.registry.resource import Resource
from kajitori.storage import Event, Item, Mismatch, Render, StoreClosed, StoreError

__all__ = ["Account", "Paper", "Reservation"]


_SELF = User("system:apiserver", groups=(MASTERS,))
_log = logging.getLogger(__name__)
_read = msgspec.json.Decoder(JsonObject).decode


class Paper(NamedTuple):
    """What writing a quota takes."""

    registry: Registry
    resource: Resource


class _Due(NamedTuple):
    """What is to be added to a status, and who waits for it."""

    amounts: dict[str, Quantity]
    done: asyncio.Future[None]


class Account:
    """One quota."""

    def __init__(self, item: Item, paper: Callable[[], Paper]) -> None:
        self._item = item
        self._created = item.created
        self._paper = paper
        self._stored: Quota | None = None
        self._reserved: dict[str, Quantity] = {}
        self._due: list[_Due] = []
        self._writer: asyncio.Task[None] | None = None
        self._in_flight: tuple[int, dict[str, Quantity], dict[str, Quantity]] | None = None
        """The revision of the status that is being written, what it adds, and what it then says is used."""
        self._owned: tuple[tuple[str, Any], frozenset[str]] | None = None
        """When the ownership of the status was settled last, how it was left, and of which names."""

    @property
    def quota(self) -> Quota:
        """The quota, with what is reserved as used."""
        stored = self._stored
        if stored is None:
            stored = self._stored = quota_of(_read(self._item.value))
        if not self._reserved:
            return stored
        used = add(stored.used, masked(self._reserved, stored.used))
        return Quota(stored.name, stored.hard, used, stored.selectors)

    def changed(self, event: Event) -> None:
        """Somebody wrote the quota; where it was this account, what was reserved is stored now (B1)."""
        stored, in_flight = self._stored, self._in_flight
        self._item, self._stored = event.item, None
        if in_flight is not None and in_flight[0] == event.revision:
            self.release(in_flight[1])
            self._in_flight = None
            if stored is not None:
                self._stored = msgspec.structs.replace(stored, used=in_flight[2])

    def reserve(self, amounts: dict[str, Quantity]) -> None:
        self._reserved = add(self._reserved, amounts)

    def release(self, amounts: dict[str, Quantity]) -> None:
        left = add(self._reserved, {name: -amount for name, amount in amounts.items()})
        self._reserved = {name: amount for name, amount in left.items() if amount}

    def pay(self, amounts: dict[str, Quantity]) -> asyncio.Future[None]:
        """Adds what was reserved to the status; done when it is stored, or the quota is gone."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._due.append(_Due(amounts, done))
        if self._writer is None:
            self._writer = loop.create_task(self._write())
        return done

    async def _write(self) -> None:
        """Writes what is due, and what has become due meanwhile, until nothing is."""
        while self._due:
            batch, self._due = self._due, []
            total: dict[str, Quantity] = {}
            for each in batch:
                total = add(total, each.amounts)
            try:
                await self._add(total)
            except StoreClosed:
                pass  # nothing is answered any more; what is stored is true, whoever counts it next
            except Exception:
                # Whoever waits is answered all the same: the controller finds what was not written.
                _log.exception("what a quota is used for could not be written")
                self.release(total)
            for each in batch:
                if not each.done.done():
                    each.done.set_result(None)
        self._writer = None

    async def _add(self, amounts: dict[str, Quantity]) -> None:
        """Raises: StoreError."""
        paper = self._paper()
        store, resource = paper.registry.store, paper.resource
        while True:
            item = store.get(QUOTAS, self._item.name)
            if item is None or item.created != self._created:
                return  # and with it all that was used of it
            quota, used = self._charged(paper, item, amounts)
            render = self._noting(rendered(resource, quota), amounts, used)
            try:
                await store.put(QUOTAS, item.name, render, expect=item.revision)
            except Mismatch:
                continue  # B3
            finally:
                self._in_flight = None
            return

    def _charged(
        self, paper: Paper, item: Item, amounts: dict[str, Quantity]
    ) -> tuple[JsonObject, dict[str, Quantity]]:
        """The quota with more used, and how much that is."""
        quota = paper.resource.parse(item.value)
        status: JsonObject = quota.setdefault("status", {})
        texts: dict[str, str] = status.get("used") or {}
        counted = masked(amounts, status.get("hard") or {})
        used = add(amounts_of(texts), counted)
        texts |= {name: str(used[name]) for name in counted}
        status["used"] = dict(sorted(texts.items()))
        now = paper.registry.now()
        owned = now, quota["metadata"].get("managedFields")
        if self._owned is None or self._owned[0] != owned or not self._owned[1].issuperset(counted):
            # Once in a second: until the time changes, it would come to the same.
            call = Call(_SELF, WriteOptions(), "kube-apiserver")
            stored = paper.resource.parse(item.value)
            paper.registry.own(paper.resource, quota, stored, call, subresource="status", now=now)
            self._owned = (now, quota["metadata"].get("managedFields")), frozenset(counted)
        return quota, used

    def _noting(self, render: Render, amounts: dict[str, Quantity], used: dict[str, Quantity]) -> Render:
        def rendering(revision: int) -> bytes:
            self._in_flight = revision, amounts, used
            return render(revision)

        return rendering


class Reservation:
    """What one write has reserved; see `registry.Charge`."""

    def __init__(self, parts: Sequence[tuple[Account, dict[str, Quantity]]]) -> None:
        self._parts = parts
        self._paid: list[asyncio.Future[None]] | None = None
        """What is waited for, once the write is on its way."""
        for account, amounts in parts:
            account.reserve(amounts)

    def paying(self, render: Render) -> Render:
        """Renders the object, and pays with the commit that it becomes part of."""

        def rendering(revision: int) -> bytes:
            value = render(revision)
            asyncio.get_running_loop().call_soon(self._pay)
            return value

        return rendering

    async def until_done(self, write: Coroutine[Any, Any, Written], /) -> Written:
        """The outcome of `write`; where it fails, or writes nothing, nothing has been used (B2)."""
        return await to_its_end(self._settled(write))

    def release(self) -> None:
        """There is no write."""
        for account, amounts in self._parts:
            account.release(amounts)

    def _pay(self) -> None:
        self._paid = [account.pay(amounts) for account, amounts in self._parts]

    async def _settled(self, write: Coroutine[Any, Any, Written]) -> Written:
        try:
            return await write
        except StoreError:
            await asyncio.sleep(0)
            self._take_back()
            raise
        finally:
            await asyncio.sleep(0)  # what has been rendered in this turn is paid in the next
            if self._paid is None:
                self.release()
            else:
                for each in self._paid:
                    await each

    def _take_back(self) -> None:
        """Where the disk has failed with the object, but not with the quota, that is corrected."""
        if self._paid is None:
            return
        for account, amounts in self._parts:
            back = {name: -amount for name, amount in amounts.items()}
            account.reserve(back)
            self._paid.append(account.pay(back))
