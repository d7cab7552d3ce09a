"""Plugins that come into being with the first thing they have to do: most clusters have no webhooks and no policies.

Promises
    D1  a plugin is made with the first write after there is an object in its bucket, and from then on asked
    D2  configurations of webhooks and policies pass by it, so that no mistake in one locks everybody out

Source: apiserver's plugin/webhook/predicates/rules (IsExemptAdmissionConfigurationResource).
"""

from collections.abc import Awaitable, Callable

from kajitori.apiserver.admission.chain import Half, Plugin
from kajitori.apiserver.registry.call import Attributes
from kajitori.storage import Store

__all__ = ["EXEMPT", "Deferred"]

EXEMPT = frozenset(
    f"admissionregistration.k8s.io/{plural}"
    for plural in (
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
        "mutatingwebhookconfigurations",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "validatingwebhookconfigurations",
    )
)
"""The buckets that nobody is asked about."""


class Deferred:
    """Stands in the chain for the plugin that `make` gives; it has a mutating half, or else a validating one."""

    def __init__(
        self, name: str, store: Store, bucket: str, make: Callable[[], Plugin], *, mutating: bool
    ) -> None:
        self.name = name
        self._make = make
        self._half: Half | None = None
        self._is_mutating = mutating
        self._is_idle = False
        self._store, self._bucket = store, bucket
        store.subscribe(bucket, lambda event: self._wake())

    def _wake(self) -> None:
        self._is_idle = False

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return bucket not in EXEMPT

    @property
    def mutate(self) -> Half | None:
        return self._ask if self._is_mutating else None

    @property
    def validate(self) -> Half | None:
        return None if self._is_mutating else self._ask

    def _ask(self, attributes: Attributes) -> Awaitable[None] | None:
        if self._is_idle:
            return None
        if self._half is None:
            if not self._store.count(self._bucket, ""):
                self._is_idle = True
                return None
            made = self._make()
            self._half = made.mutate if self._is_mutating else made.validate
            assert self._half is not None, made
        return self._half(attributes)
