"""What a webhook or policy is about: operations, resources, namespaces.

Promises
    R1  a namespace is reached when its labels match the selector; where they are not known, it may be
    R2  what is told of rules is all of them, in their order

Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-rules
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.labels import EVERYTHING, LabelSelector, selector_from_object

__all__ = ["Reach", "reach_of"]

_NAME = "kubernetes.io/metadata.name"
_VITAL = (
    ("", "pods"),
    ("apps", "deployments"),
    ("apps", "daemonsets"),
    ("coordination.k8s.io", "leases"),
    ("", "endpoints"),
    ("discovery.k8s.io", "endpointslices"),
)
"""What a cluster needs to write in kube-system so that it heals."""


class Reach(msgspec.Struct, frozen=True):
    """What is sent to a webhook, or judged by a policy."""

    rules: tuple[JsonObject, ...]
    namespaces: tuple[str, ...]
    """Those of the cluster that the selector takes."""
    of: int
    """How many there are."""
    excluded: tuple[JsonObject, ...] = ()

    def matches(self, operation: str, group: str, resource: str) -> bool:
        """Whether a request of this kind, in some namespace, is among it."""
        wanted = operation, group, resource
        return any(_matches(rule, *wanted) for rule in self.rules) and not any(
            _matches(rule, *wanted) for rule in self.excluded
        )

    @property
    def is_everything(self) -> bool:
        """Whether some rule names no resource and no group."""
        return not self.excluded and any(
            "*" in (rule.get("apiGroups") or ())
            and any(each in ("*", "*/*") for each in rule.get("resources") or ())
            for rule in self.rules
        )

    @property
    def vital(self) -> tuple[str, ...]:
        """What of kube-system's own needs is among it."""
        if "kube-system" not in self.namespaces:
            return ()
        return tuple(
            resource
            for group, resource in _VITAL
            if any(self.matches(each, group, resource) for each in ("CREATE", "UPDATE"))
        )

    @property
    def told(self) -> str:
        """`CREATE, UPDATE of pods, deployments.apps`."""
        return "; ".join(map(_told, self.rules)) or "nothing"

    @property
    def where(self) -> str:
        """`in 3 of 12 namespaces`."""
        if not self.of:
            return "in no namespace that there is"
        if self.of == 1 and self.namespaces:
            return f"in namespace {self.namespaces[0]}"
        if len(self.namespaces) == self.of:
            return "in every namespace"
        return f"in {len(self.namespaces)} of {self.of} namespaces"


def reach_of(
    rules: Sequence[JsonObject],
    namespaces: Mapping[str, JsonObject],
    selector: Mapping[str, Any] | None,
    excluded: Sequence[JsonObject] = (),
) -> Reach:
    """The reach of rules, where a selector of namespaces takes some of those there are."""
    chosen = _selector(selector)
    taken = tuple(name for name, each in namespaces.items() if chosen.matches(_labels(name, each)))
    return Reach(tuple(rules), taken, len(namespaces), tuple(excluded))


def _selector(selector: Mapping[str, Any] | None) -> LabelSelector:
    if not selector:
        return EVERYTHING
    try:
        return selector_from_object(selector)
    except ValueError:
        return EVERYTHING  # what no API server would have let in


def _labels(name: str, namespace: JsonObject) -> dict[str, str]:
    """As the API server completes them."""
    return {_NAME: name} | dict((namespace.get("metadata") or {}).get("labels") or {})


def _matches(rule: JsonObject, operation: str, group: str, resource: str) -> bool:
    return (
        _has(rule.get("operations"), operation)
        and _has(rule.get("apiGroups"), group)
        and any(each in ("*", "*/*", resource, f"{resource}/*") for each in rule.get("resources") or ())
        and rule.get("scope") != "Cluster"
        and not rule.get("resourceNames")
    )


def _has(values: Sequence[str] | None, wanted: str) -> bool:
    return wanted in (values or ()) or "*" in (values or ())


def _told(rule: JsonObject) -> str:
    operations = ", ".join(rule.get("operations") or ())
    return (
        f"{'every write' if operations == '*' else operations} of {', '.join(_resources(rule)) or 'nothing'}"
    )


def _resources(rule: JsonObject) -> Iterator[str]:
    groups = rule.get("apiGroups") or ()
    for resource in rule.get("resources") or ():
        if "*" in groups:
            yield "everything" if resource in ("*", "*/*") else f"{resource} of any group"
        else:
            yield from (f"{resource}.{group}" if group else str(resource) for group in groups)
