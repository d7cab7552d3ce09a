"""The rules of a ClusterRole that aggregates others.

Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.labels import selector_from_object

__all__ = ["aggregated_rules"]

_MEMBERS = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")


def aggregated_rules(
    role: Mapping[str, Any], cluster_roles: Iterable[Mapping[str, Any]]
) -> list[JsonObject] | None:
    """The union of the rules of the roles that `role` selects, by name; None when it aggregates nothing.

    A rule that several roles have is there once. Selectors that Kubernetes would refuse select nothing.
    """
    aggregation = role.get("aggregationRule")
    if aggregation is None:
        return None
    own = role["metadata"]["name"]
    candidates = sorted(
        (each for each in cluster_roles if each["metadata"]["name"] != own),
        key=lambda each: str(each["metadata"]["name"]),
    )
    rules: dict[bytes, JsonObject] = {}
    for selector in aggregation.get("clusterRoleSelectors") or ():
        try:
            matches = selector_from_object(selector).matches
        except ValueError:
            continue
        for each in candidates:
            if matches(each["metadata"].get("labels") or {}):
                for rule in map(_plain, each.get("rules") or ()):
                    rules.setdefault(msgspec.json.encode(rule), rule)
    return list(rules.values())


def _plain(rule: Mapping[str, Any]) -> JsonObject:
    """A rule as Kubernetes writes it: empty members left out, `verbs` first and always there."""
    return {name: list(rule.get(name) or ()) for name in _MEMBERS if rule.get(name) or name == "verbs"}
