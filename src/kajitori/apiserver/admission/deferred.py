"""Plugins that come into being with the first thing they have to do: most clusters have no webhooks and no policies.

Promises
    D1  a half is made with the first write after there is an object in its bucket, and from then on asked; one that is
        `needed` is asked from the first write on
    D2  what is exempt passes by it
"""

from collections.abc import Awaitable, Callable, Collection

from kajitori.apiserver.admission.chain import Half
from kajitori.apiserver.registry.call import Attributes
from kajitori.storage import Store

__all__ = ["Deferred"]


class Deferred:
    """Stands in the chain for the half that `make` gives, a mutating one or else a validating one."""

    def __init__(
        self,
        name: str,
        store: Store,
        bucket: str,
        make: Callable[[], Half],
        *,
        mutating: bool,
        exempt: Collection[str] = (),
        needed: bool = False,
    ) -> None:
        self.name = name
        self.mutate: Half | None = self._ask if mutating else None
        self.validate: Half | None = None if mutating else self._ask
        self._make = make
        self._half: Half | None = None
        self._exempt = exempt
        self._needed = needed
        self._is_idle = False
        self._store, self._bucket = store, bucket
        store.subscribe(bucket, lambda event: self._wake())

    def _wake(self) -> None:
        self._is_idle = False

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return bucket not in self._exempt

    def _ask(self, attributes: Attributes) -> Awaitable[None] | None:
        if self._is_idle:
            return None
        if self._half is None:
            if not self._needed and not self._store.count(self._bucket, ""):
                self._is_idle = True
                return None
            self._half = self._make()
        return self._half(attributes)
