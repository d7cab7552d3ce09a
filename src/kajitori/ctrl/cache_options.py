"""How a cache keeps a kind: which objects, what of them, how often they are told again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

from kajitori.client.objects import Prepare
from kajitori.ctrl.stored import Transform

__all__ = ["ALL_NAMESPACES", "RESYNC_SECONDS", "CacheOptions", "Selection"]

RESYNC_SECONDS = 36_000.0
"""Handlers see everything again every ten hours, in case a change was mishandled. As controller-runtime."""

ALL_NAMESPACES = ""
"""Among several namespaces: every one that is not named beside it."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects of a namespace are cached. None: as the options say."""

    labels: str | None = None
    """Only objects that this label selector selects; empty: all."""
    fields: str | None = None
    """Only objects that this field selector selects; empty: all."""


@dataclass(frozen=True, slots=True)
class CacheOptions:
    """How one kind is cached. None: as the cache's defaults say.

    A kind is cached in one way. Who needs it in two, such as another selection, declares a class of its own for the
    second (a subclass is one), or makes a second Cache.
    """

    namespaces: Sequence[str] | Mapping[str, Selection] | None = None
    """Only these, each with a selection of its own where one is given; () and "" mean all. Without meaning for
    cluster-scoped kinds.
    """
    labels: str | None = None
    """Only objects that this label selector selects."""
    fields: str | None = None
    """Only objects that this field selector selects."""
    shards: str | None = None
    """Only objects that this shard selector selects (KEP-5866), where the API server knows it; else all."""
    prepare: Prepare | None = None
    """Changes each object, a plain dict of its own, before it is decoded into its class, or frozen. For classes this
    costs about as much again as decoding.
    """
    transform: Transform | None = None
    """From an object to what is kept of it: of a class an instance (`msgspec.structs.replace`), else an Unstructured or
    a dict. After `prepare`.
    """
    keep_managed_fields: bool | frozenset[str] | None = None
    """`metadata.managedFields` is half of many objects and hardly ever read; it is left out unless kept, whole or of
    the managers named here. Of classes, what they declare is kept.
    """
    resync_seconds: float | None = None
    """How often handlers of controllers see everything again (36,000); 0: never."""

    def __post_init__(self) -> None:
        """Raises: TypeError for one name where several belong: its letters would be taken for namespaces."""
        if isinstance(self.namespaces, str) and self.namespaces:
            raise TypeError(
                f"namespaces={self.namespaces!r} is one string; say namespaces=[{self.namespaces!r}]"
            )

    def with_defaults(self, defaults: "CacheOptions") -> "CacheOptions":
        """The same, with what is None taken from `defaults`."""
        missing = {each.name: getattr(defaults, each.name) for each in fields(self) if self._lacks(each.name)}
        return replace(self, **missing)

    def _lacks(self, name: str) -> bool:
        return getattr(self, name) is None

    def selections(self) -> dict[str, Selection]:
        """Which objects of which namespace, complete; "" alone: of all namespaces."""
        chosen = self.namespaces or (ALL_NAMESPACES,)
        named = chosen if isinstance(chosen, Mapping) else dict.fromkeys(chosen, Selection())
        return {
            namespace: Selection(
                (self.labels or "") if selection.labels is None else selection.labels,
                (self.fields or "") if selection.fields is None else selection.fields,
            )
            for namespace, selection in named.items()
        }
