"""What one manager leaves to the next in the same process, when its code is replaced: caches and queues.

    left = await old.hand_over()
    new.take_over(left)
    await new.run()

Promises
    V1  a kind that both cache alike is not listed again: the next watches on from the version that the first had seen
    V2  what the code reads is as if it had been listed: where a class reads other things than its predecessor, it is
    V3  what was queued, retried, parked or cut short is reconciled first; everything else after it, with low priority,
        since the code may think otherwise now
    V4  nothing that happens in between is missed

Sits beside cache, controller and manager, which fill it and read it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, NamedTuple

import msgspec

from kajitori.apimachinery.frozen_structs import freeze_struct
from kajitori.apimachinery.kind import Kind
from kajitori.client.objects import Model, codec_of, kind_of
from kajitori.ctrl.explain import Cause, Traces
from kajitori.ctrl.reconcile import R
from kajitori.ctrl.shapes import same_shape

if TYPE_CHECKING:
    from kajitori.ctrl.cache_options import CacheOptions

__all__ = ["Backlog", "Handover", "KeptKind", "QueuedName"]


@dataclass(frozen=True, slots=True)
class KeptKind:
    """What an informer held."""

    model: Model
    options: "CacheOptions"
    metadata_only: bool
    objects: Sequence[Any]
    resource_versions: Mapping[str, str]
    """All that happened up to here is in `objects`; by namespace, "" for all."""

    def as_read_by(self, model: Model, options: "CacheOptions", metadata_only: bool) -> Sequence[Any] | None:
        """The objects as that informer would have listed them; None when they must be listed."""
        if kind_of(model) != kind_of(self.model) or (options, metadata_only) != (
            self.options,
            self.metadata_only,
        ):
            return None
        if model == self.model:
            return self.objects
        if isinstance(model, Kind) or isinstance(self.model, Kind) or not same_shape(self.model, model):
            return None
        encode, decode = codec_of(self.model).encode, codec_of(model).decode
        try:
            return [freeze_struct(decode(encode(each))) for each in self.objects]
        except msgspec.MsgspecError:
            return None


class QueuedName(NamedTuple, Generic[R]):
    """A name that was to be reconciled."""

    request: R
    priority: int
    wait_seconds: float
    """Until it is its turn; 0: it is."""
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Backlog(Generic[R]):
    """What a controller had before it."""

    names: Sequence[QueuedName[R]]
    traces: Traces[R]


@dataclass(frozen=True, slots=True)
class Handover:
    """All that a manager leaves."""

    kinds: Sequence[KeptKind] = ()
    backlogs: dict[str, Backlog[Any]] = field(default_factory=dict[str, Backlog[Any]])
    """By the name of the controller."""

    def without(self, leave_out: Callable[[KeptKind], object]) -> "Handover":
        """The same, with kinds left out that are to be listed anew."""
        return Handover([each for each in self.kinds if not leave_out(each)], self.backlogs)
