"""The rules of a ClusterRole that aggregates others.

A controller calls this when ClusterRoles change, and writes the result where it differs.

Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
"""

from collections.abc import Iterable, Mapping
from typing import Any

from kajitori.apimachinery.labels import selector_from_object
from kajitori.apiserver.authorization.rules import Rule, parse_rules

__all__ = ["aggregated_rules"]


def aggregated_rules(
    role: Mapping[str, Any], cluster_roles: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]] | None:
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
    rules: dict[Rule, None] = {}
    for selector in aggregation.get("clusterRoleSelectors") or ():
        try:
            matches = selector_from_object(selector).matches
        except ValueError:
            continue
        for each in candidates:
            if matches(each["metadata"].get("labels") or {}):
                rules.update(dict.fromkeys(parse_rules(each.get("rules"))))
    return [each.to_json() for each in rules]
