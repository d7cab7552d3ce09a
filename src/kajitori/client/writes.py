"""Which objects the running task has written: how the runtime learns what a reconciler must be able to read
back.

The runtime sets a log in the context of a reconcile; every successful write of any `Client` in that context,
or in tasks started from it, is noted in it; so is every write whose answer was lost. Writes that keep nothing
(`dry_run`) are not noted. Outside of a reconcile nothing is noted.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from kajitori.apimachinery.errors import Timeout
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import Kind
from kajitori.client.accessors import deletion_timestamp_of, key_of, resource_version_of
from kajitori.client.transport import TransportError

__all__ = ["WRITES_NOTED_MAX", "NotedWrite", "Write", "WriteLog", "current_log", "current_writes"]

WRITES_NOTED_MAX = 10_000
"""Of one reconcile. Past it only the last write of each kind is noted, which is the newest version anyway."""


@dataclass(frozen=True, slots=True)
class Write:
    """One acknowledged write."""

    kind: Kind
    namespace: str
    name: str
    resource_version: str
    """Empty when the object is gone: the answer to a deletion has none."""
    gone_uid: str = ""
    """Of a deletion: what was deleted; empty when the server did not say."""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    uid: str = ""
    """Of what was written, where the answer says it."""
    superseded: str = ""
    """The version that was replaced, where the new one is not known: of collections that were deleted."""
    is_uncertain: bool = False
    """The request was sent and its answer lost: it may have been acted on."""


@dataclass(slots=True)
class WriteLog:
    """What one reconcile wrote, by object; of several writes to one object the last."""

    writes: dict[tuple[Kind, str, str], Write] = field(default_factory=dict[tuple[Kind, str, str], Write])
    may_write: Callable[[], None] | None = None
    """Asked before each write is sent, or sent again; raises when others may be at work by now."""
    elsewhere: "dict[str, WriteLog] | None" = None
    """What was written in other clusters, by their names."""

    def of(self, cluster: str) -> "WriteLog":
        """What is written in a cluster; the one without a name is this."""
        if not cluster:
            return self
        if self.elsewhere is None:
            self.elsewhere = {}
        return self.elsewhere.setdefault(cluster, WriteLog())

    def by_cluster(self) -> "Iterator[tuple[str, WriteLog]]":
        yield "", self
        yield from (self.elsewhere or {}).items()

    def __len__(self) -> int:
        """Objects, in all clusters."""
        if self.elsewhere is None:
            return len(self.writes)
        return len(self.writes) + sum(map(len, self.elsewhere.values()))

    def note(self, write: Write) -> None:
        if len(self.writes) >= WRITES_NOTED_MAX:
            self.writes[(write.kind, "", "")] = write
            return
        self.writes[(write.kind, write.namespace, write.name)] = write

    def note_uncertain(self, kind: Kind, namespace: str, name: str) -> None:
        """The answer to a write was lost."""
        self.note(Write(kind, namespace, name, "", is_uncertain=True))

    def note_deletion(self, kind: Kind, namespace: str, name: str, answer: Unstructured) -> None:
        """`answer` is what the server said: a Status when the object is gone, the object while it is
        going.
        """
        if answer.get("kind") == "Status":
            uid = (answer.get("details") or {}).get("uid", "")
            self.note(Write(kind, namespace, name, "", uid))
        elif answer.being_deleted:
            self.note(Write(kind, namespace, name, answer.resource_version, "", answer.labels))
        else:
            self.note(Write(kind, namespace, name, "", answer.uid, answer.labels))

    def note_collection(self, kind: Kind, answer: Mapping[str, Any]) -> None:
        """`answer` is the list of objects that were asked to go, as they were before."""
        for item in answer.get("items") or ():
            key, version = key_of(item), resource_version_of(item)
            # What was on its way already is left as it is.
            if version and not deletion_timestamp_of(item):
                self.note(Write(kind, key.namespace, key.name, "", superseded=version))


class NotedWrite:
    """A write that is on its way: when it ends without an answer it may have been acted on, and that is noted.

        with NotedWrite(log, kind, namespace, name) as log: ...

    `log` is where to note what came of it; None where nobody wants to know.
    """

    __slots__ = ("_key", "_log")

    def __init__(self, log: WriteLog | None, kind: Kind, namespace: str, name: str) -> None:
        self._log = log
        self._key = (kind, namespace, name)

    def __enter__(self) -> WriteLog | None:
        return self._log

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._log is not None and error is not None and _may_have_been_acted_on(error):
            self._log.note_uncertain(*self._key)


def _may_have_been_acted_on(error: BaseException) -> bool:
    if isinstance(error, TransportError):
        return error.sent
    # Cut short by us while the answer was awaited, or by a server that did not wait for its own.
    return isinstance(error, (asyncio.CancelledError, Timeout))


current_writes: ContextVar[WriteLog | None] = ContextVar("current_writes", default=None)


def current_log(cluster: str) -> WriteLog | None:
    """Where a write in that cluster is to be noted; None outside of a reconcile."""
    log = current_writes.get()
    return log.of(cluster) if cluster and log is not None else log
