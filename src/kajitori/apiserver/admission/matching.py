"""Which writes a webhook or a policy is about: its rules, and selectors of namespaces and objects.

Sits under the plugins for webhooks and for policies, which ask this first of every write.

Promises
    M1  a rule matches the resource as it was asked for; with the policy Equivalent, also as any other version of
        its group or of another group in which the same objects are served, earlier rules first
    M2  the namespace selector looks at the namespace's labels, of the Namespace itself where that is written; what is
        in no namespace always matches
    M3  the object selector looks at the labels of the new and the old object; one of them is enough

Source: apiserver's pkg/admission/plugin/webhook/{generic,predicates} and plugin/policy/matching.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from kajitori.apimachinery.errors import internal_error, not_found
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.labels import LabelSelector, selector_from_object
from kajitori.apiserver.registry.call import Attributes
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.resource import Resource

__all__ = ["KNOWN_MAX", "Matching", "Rule", "is_of_namespaces"]

_NAMESPACES = "/namespaces"
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def is_of_namespaces(resource: Resource) -> bool:
    """Whether the resource is that of Namespaces, which count as being in themselves."""
    return resource.bucket == _NAMESPACES


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule with operations; `*` stands for everything."""

    operations: frozenset[str]
    groups: frozenset[str]
    versions: frozenset[str]
    resources: tuple[tuple[str, str], ...]
    """Pairs of resource and subresource."""
    scope: str
    names: frozenset[str]
    """Of policies: the only objects that the rule is about; empty for all."""

    @classmethod
    def of(cls, rule: Mapping[str, Any]) -> "Rule":
        """A rule as it stands in a configuration."""
        pairs = [resource.partition("/") for resource in rule.get("resources") or ()]
        return cls(
            frozenset(rule.get("operations") or ()),
            frozenset(rule.get("apiGroups") or ()),
            frozenset(rule.get("apiVersions") or ()),
            tuple((resource, subresource) for resource, _, subresource in pairs),
            rule.get("scope") or "*",
            frozenset(rule.get("resourceNames") or ()),
        )

    def matches(self, operation: str, resource: Resource, subresource: str) -> bool:
        """Whether the rule is about such writes, whatever their object is called."""
        kind = resource.kind
        clustered = is_of_namespaces(resource) or not kind.namespaced
        return (
            (self.scope == "*" or self.scope == ("Cluster" if clustered else "Namespaced"))
            and ("*" in self.operations or operation in self.operations)
            and ("*" in self.groups or kind.group in self.groups)
            and ("*" in self.versions or kind.version in self.versions)
            and any(
                first in ("*", kind.plural) and second in ("*", subresource)
                for first, second in self.resources
            )
        )


class Matching:
    """What one webhook or policy matches."""

    def __init__(
        self,
        rules: Iterable[Mapping[str, Any]],
        *,
        namespaces: Mapping[str, Any] | None,
        objects: Mapping[str, Any] | None,
        policy: str | None,
        excluded: Iterable[Mapping[str, Any]] = (),
        everything: bool = False,
    ) -> None:
        """`everything`: there are no rules, which means all."""
        self._everything = everything
        self._rules = [Rule.of(rule) for rule in rules]
        self._excluded = [Rule.of(rule) for rule in excluded]
        self._namespaces = _selector(namespaces)
        self._objects = _selector(objects)
        self._equivalent = (policy or "Equivalent") == "Equivalent"
        self._selective = any(
            not isinstance(each, LabelSelector) or each for each in (self._namespaces, self._objects)
        )
        """Whether labels have to be looked at, or it is known that this cannot be done."""
        self._named = any(rule.names for rule in (*self._rules, *self._excluded))
        self._known: dict[tuple[str, Resource, str], Resource | None] = {}

    @property
    def depends_on_object(self) -> bool:
        """Whether more than kind and namespace of what is written has to be known."""
        return self._named or isinstance(self._objects, ValueError) or bool(self._objects)

    def is_about(self, attributes: Attributes, registry: Registry) -> bool:
        """Whether the rules are about such writes, whatever their object is called."""
        return self._named or self._by_rules(attributes, registry) is not None

    def may_match(self, attributes: Attributes, registry: Registry) -> bool:
        """Whether the rules match, so that the selectors have to be looked at; costs one look-up."""
        return self._by_rules(attributes, registry) is not None

    def matched(self, attributes: Attributes, registry: Registry) -> Resource | None:
        """The resource, in the version in which the object is to be seen; None where this is about something else.

        Raises: InternalError, NotFound where selectors of what the rules match cannot be told.
        """
        resource = self._by_rules(attributes, registry)
        if resource is None or not self._selective:
            return resource
        if not self._selects_namespace(attributes, registry):
            return None
        return resource if self._selects_object(attributes) else None

    def misses(self, attributes: Attributes, registry: Registry) -> str:
        """Why it does not match, in words; empty where it does.

        Raises: InternalError, NotFound as `matched` does.
        """
        resource = attributes.resource
        if self._by_rules(attributes, registry) is None:
            others = registry.equivalents(resource) if self._equivalent else ()
            if _matching(self._excluded, attributes, [resource, *others]):
                return "excludeResourceRules name it"
            kind = resource.kind
            below = f"/{attributes.subresource}" if attributes.subresource else ""
            return f"no rule names {attributes.operation} of {kind.plural}{below} in {kind.api_version}"
        if not self._selects_namespace(attributes, registry):
            return "namespaceSelector does not select its namespace"
        return "" if self._selects_object(attributes) else "objectSelector does not select it"

    def _by_rules(self, attributes: Attributes, registry: Registry) -> Resource | None:
        if self._named:
            return self._look(attributes, registry)
        key = (attributes.operation, attributes.resource, attributes.subresource)
        if key not in self._known:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            self._known[key] = self._look(attributes, registry)
        return self._known[key]

    def _look(self, attributes: Attributes, registry: Registry) -> Resource | None:
        resource = attributes.resource
        others: Sequence[Resource] = registry.equivalents(resource) if self._equivalent else ()
        if _matching(self._excluded, attributes, [resource]) or _matching(self._excluded, attributes, others):
            return None
        if self._everything:
            return resource
        return _matching(self._rules, attributes, [resource]) or _matching(self._rules, attributes, others)

    def _selects_namespace(self, attributes: Attributes, registry: Registry) -> bool:
        selector = self._usable(self._namespaces)
        if not selector:
            return True
        if is_of_namespaces(attributes.resource):
            if attributes.operation in ("CREATE", "UPDATE") and not attributes.subresource:
                return selector.matches(_labels(attributes.obj))
            name = attributes.name
        elif attributes.resource.kind.namespaced:
            name = attributes.namespace
        else:
            return True
        item = registry.store.get(_NAMESPACES, name)
        if item is None:
            raise not_found("namespaces", "", name)
        return selector.matches(_labels_of(item.value))

    def _selects_object(self, attributes: Attributes) -> bool:
        selector = self._usable(self._objects)
        if not selector:
            return True
        return any(
            obj is not None and selector.matches(_labels(obj)) for obj in (attributes.obj, attributes.old)
        )

    @staticmethod
    def _usable(selector: LabelSelector | ValueError) -> LabelSelector:
        if isinstance(selector, ValueError):
            raise internal_error(selector)
        return selector


KNOWN_MAX = 10_000
"""Kinds of writes whose answer is remembered; a cluster has a few hundred."""


def _matching(
    rules: Sequence[Rule], attributes: Attributes, resources: Sequence[Resource]
) -> Resource | None:
    for rule in rules:
        if rule.names and attributes.name not in rule.names:
            continue
        for resource in resources:
            if rule.matches(attributes.operation, resource, attributes.subresource):
                return resource
    return None


def _selector(selector: Mapping[str, Any] | None) -> LabelSelector | ValueError:
    try:
        return selector_from_object(selector or {})
    except ValueError as error:
        return error


@lru_cache(maxsize=256)
def _labels_of(namespace: bytes) -> Mapping[str, str]:
    """The labels of a stored namespace: they are looked at with every write there, and seldom change."""
    return _labels(_decode(namespace))


def _labels(obj: JsonObject | None) -> Mapping[str, str]:
    found = ((obj or {}).get("metadata") or {}).get("labels")
    return found if isinstance(found, dict) else {}
