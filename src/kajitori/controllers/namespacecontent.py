"""What is left in a namespace that is going away, and how its conditions say so. Pure.

Source: the conditions are those of core/v1 NamespaceConditionType; their words are those of Kubernetes' namespace
controller.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kajitori.apimachinery.errors import ApiError
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.ctrl.conditions import set_condition

__all__ = ["Remaining", "conditions_of"]


@dataclass(slots=True)
class Remaining:
    """What is left in a namespace after everything was told to go."""

    namespace: str
    age_seconds: float
    """Since the namespace was deleted."""
    discovery_error: str = ""
    stale: list[str] = field(default_factory=list[str])
    """Groups and versions whose kinds are not known."""
    by_resource: "Counter[str]" = field(default_factory=Counter[str])
    by_finalizer: "Counter[str]" = field(default_factory=Counter[str])
    errors: list[str] = field(default_factory=list[str])

    @property
    def is_empty(self) -> bool:
        return not (self.discovery_error or self.stale or self.by_resource or self.errors)

    def found(self, kind: Kind, objects: Sequence[Unstructured]) -> None:
        """Objects that are still there although they were told to go."""
        if not objects:
            return
        self.by_resource[f"{kind.plural}.{kind.group}"] += len(objects)
        grace = 0
        finalizers: Counter[str] = Counter()
        for each in objects:
            finalizers.update(each.finalizers)
            grace = max(grace, each.metadata.get("deletionGracePeriodSeconds") or 0)
        self.by_finalizer.update(finalizers)
        if grace <= self.age_seconds and not finalizers:
            gvr = f"{kind.group}/{kind.version}, Resource={kind.plural}"
            self.errors.append(f"unexpected items still remain in namespace: {self.namespace} for gvr: {gvr}")

    def failed(self, kind: Kind, error: ApiError) -> None:
        """A kind that could not be listed or deleted."""
        if kind.plural == "pods" and not kind.group:
            self.errors.append(f"failed to delete pods for namespace: {self.namespace}, err: {error.message}")
        else:
            self.errors.append(error.message)


def conditions_of(before: Iterable[Any], remaining: Remaining, now: datetime) -> list[JsonObject]:
    """The conditions of the namespace, `before` brought up to date."""
    conditions: list[JsonObject] = list(before)
    for type_, reasons, message, good in _findings(remaining):
        conditions = set_condition(
            conditions,
            type_,
            status="True" if message else "False",
            reason=reasons[0] if message else reasons[1],
            message=message or good,
            now=now,
        )
    return conditions


def _findings(remaining: Remaining) -> list[tuple[str, tuple[str, str], str, str]]:
    """Each condition: its type, its reasons in trouble and otherwise, the trouble (if any), what is said without."""
    content = ", ".join(
        sorted(
            f"{resource} has {count} resource instances" for resource, count in remaining.by_resource.items()
        )
    )
    finalizers = ", ".join(
        sorted(f"{name} in {count} resource instances" for name, count in remaining.by_finalizer.items())
    )
    return [
        (
            "NamespaceDeletionDiscoveryFailure",
            ("DiscoveryFailed", "ResourcesDiscovered"),
            _discovery(remaining),
            "All resources successfully discovered",
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            ("GroupVersionParsingFailed", "ParsedGroupVersions"),
            "",
            "All legacy kube types successfully parsed",
        ),
        (
            "NamespaceDeletionContentFailure",
            ("ContentDeletionFailed", "ContentDeleted"),
            _errors(remaining),
            "All content successfully deleted, may be waiting on finalization",
        ),
        (
            "NamespaceContentRemaining",
            ("SomeResourcesRemain", "ContentRemoved"),
            f"Some resources are remaining: {content}" if content else "",
            "All content successfully removed",
        ),
        (
            "NamespaceFinalizersRemaining",
            ("SomeFinalizersRemain", "ContentHasNoFinalizers"),
            f"Some content in the namespace has finalizers remaining: {finalizers}" if finalizers else "",
            "All content-preserving finalizers finished",
        ),
    ]


def _discovery(remaining: Remaining) -> str:
    if remaining.discovery_error or not remaining.stale:
        return remaining.discovery_error
    failing = ", ".join(f"{each}: stale GroupVersion discovery: {each}" for each in sorted(remaining.stale))
    return (
        f"Discovery failed for some groups, {len(remaining.stale)} failing: "
        f"unable to retrieve the complete list of server APIs: {failing}"
    )


def _errors(remaining: Remaining) -> str:
    if not remaining.errors:
        return ""
    return (
        f"Failed to delete all resource types, {len(remaining.errors)} remaining: "
        f"{', '.join(sorted(remaining.errors))}"
    )
