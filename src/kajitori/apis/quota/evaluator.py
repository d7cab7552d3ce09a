"""What knows how to measure the objects of one kind.

Source: apiserver's pkg/quota/v1/interfaces.go and pkg/quota/v1/generic/evaluator.go.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.quota.quantities import ONE, Amounts
from kajitori.apis.quota.quotas import Selector

__all__ = ["CountEvaluator", "Evaluator", "Surroundings"]


class Surroundings(Protocol):
    """What the use of an object depends on besides the object."""

    @property
    def now(self) -> float:
        """The time, in seconds since 1970."""
        ...

    def extended_resource(self, device_class: str) -> str:
        """The resource that stands for devices of a class; empty where there is none."""
        ...

    def has_device_class(self, extended_resource: str) -> bool:
        """Whether a resource stands for devices of some class."""
        ...

    def pod(self, namespace: str, name: str) -> JsonObject | None: ...

    def claims_of(self, namespace: str, pod_uid: str) -> Sequence[JsonObject]:
        """The ResourceClaims that a Pod's extended resources are."""
        ...


class Evaluator:
    """What differs from kind to kind; here that of kinds of which only the number counts."""

    def handles(self, operation: str, subresource: str, obj: JsonObject, old: JsonObject | None) -> bool:
        """Whether a write can change what is used."""
        return operation == "CREATE" and not subresource

    def resources(self, names: Iterable[str], around: Surroundings) -> set[str]:
        """Which of these names tell something about objects of this kind."""
        raise NotImplementedError

    def matches(self, selector: Selector, obj: JsonObject) -> bool:
        """Whether the object is in a scope."""
        return False

    has_scopes = False
    """Whether objects of this kind are in scopes at all."""

    def usage(self, obj: JsonObject, around: Surroundings) -> Amounts:
        """What the object uses."""
        raise NotImplementedError

    def missing(self, required: Collection[str], obj: JsonObject) -> str:
        """What the object must say to be counted, in Kubernetes' words; empty where that is nothing."""
        return ""


class CountEvaluator(Evaluator):
    """Counts objects, under one name or more."""

    def __init__(self, *names: str) -> None:
        self._usage: Amounts = dict.fromkeys(names, ONE)

    def resources(self, names: Iterable[str], around: Surroundings) -> set[str]:
        return {name for name in names if name in self._usage}

    def usage(self, obj: JsonObject, around: Surroundings) -> Amounts:
        return self._usage
