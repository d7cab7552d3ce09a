"""One rule of a role: what it lets through, and how it is written down.

Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from kajitori.apimachinery.decode import go_quote
from kajitori.apiserver.authorization.attributes import Attributes

__all__ = ["EVERYTHING", "Held", "Rule", "parse_rules", "path_covers"]


class Rule(msgspec.Struct, frozen=True):
    """A PolicyRule. Empty `resource_names` are all names; `*` is everything, except among names."""

    verbs: tuple[str, ...] = ()
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()
    non_resource_urls: tuple[str, ...] = ()

    def allows(self, attributes: Attributes) -> bool:
        """Whether the rule lets a request through."""
        if not attributes.resource:
            return _has(self.verbs, attributes.verb) and any(
                path_covers(each, attributes.path) for each in self.non_resource_urls
            )
        return self.concerns(attributes) and (
            not self.resource_names or attributes.name in self.resource_names
        )

    def concerns(self, attributes: Attributes) -> bool:
        """Whether the rule lets a request for a resource through, its name aside."""
        return (
            _has(self.verbs, attributes.verb)
            and _has(self.api_groups, attributes.group)
            and _has_resource(self.resources, attributes.resource, attributes.subresource)
        )

    def to_json(self) -> dict[str, Any]:
        """The rule as Kubernetes writes it: empty members left out, `verbs` first."""
        members = (
            ("verbs", self.verbs),
            ("apiGroups", self.api_groups),
            ("resources", self.resources),
            ("resourceNames", self.resource_names),
            ("nonResourceURLs", self.non_resource_urls),
        )
        return {name: list(values) for name, values in members if values or name == "verbs"}

    def __str__(self) -> str:
        members = (
            ("APIGroups", self.api_groups),
            ("Resources", self.resources),
            ("NonResourceURLs", self.non_resource_urls),
            ("ResourceNames", self.resource_names),
            ("Verbs", self.verbs),
        )
        shown = (f"{name}:[{' '.join(map(go_quote, values))}]" for name, values in members if values)
        return "{" + ", ".join(shown) + "}"


class Held:
    """What somebody may do in a namespace, as far as it can be told."""

    __slots__ = ("errors", "incomplete", "rules")

    def __init__(
        self, rules: Sequence[Rule] = (), errors: Sequence[str] = (), *, incomplete: bool = False
    ) -> None:
        self.rules = list(rules)
        self.errors = list(errors)
        """What went wrong while looking."""
        self.incomplete = incomplete
        """Whether there may be more that cannot be listed."""


EVERYTHING = (
    Rule(verbs=("*",), api_groups=("*",), resources=("*",)),
    Rule(verbs=("*",), non_resource_urls=("*",)),
)
"""What cluster-admin may do."""


def parse_rules(rules: Iterable[Mapping[str, Any]] | None) -> tuple[Rule, ...]:
    """The `rules` of a Role or ClusterRole; None is none."""
    return tuple(
        Rule(
            verbs=_texts(each.get("verbs")),
            api_groups=_texts(each.get("apiGroups")),
            resources=_texts(each.get("resources")),
            resource_names=_texts(each.get("resourceNames")),
            non_resource_urls=_texts(each.get("nonResourceURLs")),
        )
        for each in rules or ()
    )


def path_covers(pattern: str, path: str) -> bool:
    """Whether a non-resource URL names a path; a `*` at its end stands for whatever follows."""
    return pattern == path or (pattern.endswith("*") and path.startswith(pattern.rstrip("*")))


def _has(values: Sequence[str], wanted: str) -> bool:
    return wanted in values or "*" in values


def _has_resource(resources: Sequence[str], resource: str, subresource: str) -> bool:
    if not subresource:
        return resource in resources or "*" in resources
    return f"{resource}/{subresource}" in resources or "*" in resources or f"*/{subresource}" in resources


def _texts(values: Iterable[str] | None) -> tuple[str, ...]:
    return tuple(values or ())
