"""The plugin, as long as there are no Guardrails: a cluster without them pays one comparison a write.

Promises
    G1  a write that a Guardrail is about needs a Confirmation of a token that a dry run of the same request has given
        to the same user; it counts once, until its time, and for the object as it was
    G2  a dry run is never refused here
    G3  who is exempt says each Guardrail itself
    G4  what deletes something by way of its namespace, owner or definition is held as if it deleted it itself
    G5  no Guardrail, and neither of their definitions, is changed or deleted without a confirmation by their own rule
    G6  labels that put an object, or what is in a namespace, out of a Guardrail's reach are not changed without one,
        nor does anything get a new owner that is not to be deleted: the garbage collector would do it
    G7  what cannot be told refuses the write: a condition without a value, a Guardrail that cannot be read
"""

from collections.abc import Awaitable, Callable, Iterable

from kajitori.apiserver.authorization import Authorizer
from kajitori.apiserver.registry.call import Attributes
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.resource import Resource
from kajitori.storage import Store
from kajitori.world.clock import Clock

__all__ = ["GUARDRAILS", "Guardrails"]

_GROUP = "guardrails.kajitori.dev"
GUARDRAILS = f"{_GROUP}/guardrails"


class Guardrails:
    """Stands in the chain, and calls the judge with the first Guardrail, or Confirmation, that is written."""

    name = "Guardrails"
    mutate = None

    def __init__(
        self,
        store: Store,
        registry: Callable[[], Registry],
        resources: Callable[[], Iterable[Resource]],
        authorizer: Authorizer,
        clock: Clock,
    ) -> None:
        self._parts = (store, registry, resources, authorizer, clock)
        self._store = store
        self._judge: Callable[[Attributes], Awaitable[None] | None] | None = None
        self._is_idle = False
        store.subscribe(GUARDRAILS, lambda event: self._wake())

    def _wake(self) -> None:
        self._is_idle = False

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return True

    def validate(self, attributes: Attributes) -> Awaitable[None] | None:
        """Raises: Forbidden, Invalid."""
        if self._is_idle and attributes.resource.kind.group != _GROUP:
            return None
        if not self._store.count(GUARDRAILS) and attributes.resource.kind.group != _GROUP:
            self._is_idle = True
            return None
        if self._judge is None:
            from kajitori.apiserver.admission.guardrails.judging import Judge

            self._judge = Judge(*self._parts).validate
        return self._judge(attributes)
