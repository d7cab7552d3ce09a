"""Kubernetes' default roles and bindings as objects, and how an upgrade brings a cluster's own up to date.

Promises
    B1  every default object carries the label and the annotation by which Kubernetes knows it
    B2  reconciling only ever adds: rules, subjects, labels and annotations of the cluster's own stay
    B3  an object whose autoupdate annotation is "false" is left alone

Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#auto-reconciliation
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.aggregation import aggregated_rules
from kajitori.apiserver.authorization.escalation import missing_rules
from kajitori.apiserver.authorization.rbac import GROUP
from kajitori.apiserver.authorization.rules import parse_rules

__all__ = ["bootstrap_objects", "bootstrap_rbac", "reconciled"]

AUTO_UPDATE = "rbac.authorization.kubernetes.io/autoupdate"
_LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"
_VERBS = {
    "read": ["get", "list", "watch"],
    "write": ["create", "delete", "deletecollection", "patch", "update"],
}


def bootstrap_objects() -> dict[str, list[JsonObject]]:
    """The default objects by resource: clusterroles, clusterrolebindings, roles, rolebindings.

    Namespaced ones live in kube-system and kube-public. Aggregating roles have no rules yet.
    """
    from kajitori.apiserver.authorization.bootstrap_policy import POLICY

    objects: dict[str, list[JsonObject]] = {
        "clusterroles": [],
        "clusterrolebindings": [],
        "roles": [],
        "rolebindings": [],
    }
    rules: list[JsonObject] = []
    for line in POLICY.splitlines():
        words = line.split()
        if not words:
            continue
        if line.startswith(" "):
            rules.append(_rule(words))
            continue
        rules = []
        statement, *words = words
        if statement in ("role", "aggregate"):
            objects["clusterroles"].append(_cluster_role(words, rules, aggregates=statement == "aggregate"))
        elif statement == "controller":
            name = f"system:controller:{words[0]}"
            objects["clusterroles"].append(_object("ClusterRole", name) | {"rules": rules})
            objects["clusterrolebindings"].append(
                _binding("", name, role=name, subjects=[f"account:kube-system/{words[0]}"])
            )
        elif statement == "namespaced":
            objects["roles"].append(_object("Role", words[1], words[0]) | {"rules": rules})
        elif statement == "bind":
            objects["clusterrolebindings"].append(_binding("", words[0], role=words[1], subjects=words[2:]))
        else:
            assert statement == "bind-in", f"no such statement: {line}"
            objects["rolebindings"].append(_binding(words[0], words[1], role=words[2], subjects=words[3:]))
    return objects


def bootstrap_rbac() -> list[JsonObject]:
    """The default objects in one list, the aggregating roles with the rules that they aggregate."""
    objects = bootstrap_objects()
    roles = {each["metadata"]["name"]: each for each in objects["clusterroles"]}
    for name in ("view", "edit", "admin"):  # each aggregates the one before it
        roles[name]["rules"] = aggregated_rules(roles[name], roles.values())
    return [each for several in objects.values() for each in several]


def reconciled(existing: Mapping[str, Any], expected: Mapping[str, Any]) -> JsonObject | None:
    """`existing` brought up to `expected`; None when it has all of it, or wants to be left alone.

    The role of a binding cannot be changed: where the result's `roleRef` differs, the old binding is to be
    deleted first.
    """
    metadata = existing["metadata"]
    if (metadata.get("annotations") or {}).get(AUTO_UPDATE) == "false":
        return None
    wanted = dict(existing)
    own = dict(metadata)
    for member in ("labels", "annotations"):
        own[member] = {**expected["metadata"][member], **(metadata.get(member) or {})}
    wanted["metadata"] = own
    if "roleRef" in expected:
        wanted["roleRef"] = expected["roleRef"]
        wanted["subjects"] = _union(existing.get("subjects"), expected.get("subjects"))
    elif "aggregationRule" in expected:
        selectors = (existing.get("aggregationRule") or {}).get("clusterRoleSelectors")
        expected_selectors = expected["aggregationRule"]["clusterRoleSelectors"]
        wanted["aggregationRule"] = {"clusterRoleSelectors": _union(selectors, expected_selectors)}
    else:
        missing = missing_rules(parse_rules(existing.get("rules")), parse_rules(expected["rules"]))
        wanted["rules"] = [*(existing.get("rules") or ()), *(each.to_json() for each in missing)]
    unchanged = all(
        wanted[key] == existing.get(key) or not (wanted[key] or existing.get(key)) for key in wanted
    )
    return None if unchanged else wanted


def _union(own: Iterable[JsonObject] | None, expected: Iterable[JsonObject] | None) -> list[JsonObject]:
    found = list(own or ())
    return found + [each for each in expected or () if each not in found]


def _cluster_role(words: Sequence[str], rules: list[JsonObject], *, aggregates: bool) -> JsonObject:
    role = _object("ClusterRole", words[0])
    if len(words) > 1:
        role["metadata"]["labels"][_AGGREGATE + words[1][1:]] = "true"
    if aggregates:
        selector = {"matchLabels": {_AGGREGATE + words[0]: "true"}}
        return role | {"aggregationRule": {"clusterRoleSelectors": [selector]}, "rules": None}
    return role | {"rules": rules}


def _object(kind: str, name: str, namespace: str = "") -> JsonObject:
    metadata: JsonObject = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    metadata["labels"] = dict(_LABELS)
    metadata["annotations"] = {AUTO_UPDATE: "true"}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata}


def _binding(namespace: str, name: str, *, role: str, subjects: Sequence[str]) -> JsonObject:
    binding = _object("RoleBinding" if namespace else "ClusterRoleBinding", name, namespace)
    kind = "Role" if namespace else "ClusterRole"
    binding["roleRef"] = {"apiGroup": GROUP, "kind": kind, "name": role}
    if subjects:
        binding["subjects"] = [_subject(each) for each in subjects]
    return binding


def _subject(text: str) -> JsonObject:
    kind, _, name = text.partition(":")
    if kind == "account":
        namespace, _, account = name.partition("/")
        return {"kind": "ServiceAccount", "name": account, "namespace": namespace}
    return {"apiGroup": GROUP, "kind": kind.capitalize(), "name": name}


def _rule(words: Sequence[str]) -> JsonObject:
    if words[0] == "events":
        words = ["create,patch,update", "core,events.k8s.io", "events"]
    verbs = _VERBS.get(words[0]) or words[0].split(",")
    if words[1][0] == "/" or words[1] == "paths:*":
        return {"verbs": list(verbs), "nonResourceURLs": [each.removeprefix("paths:") for each in words[1:]]}
    groups = ["" if each == "core" else each for each in words[1].split(",")]
    rule: JsonObject = {"verbs": list(verbs), "apiGroups": groups, "resources": words[2].split(",")}
    if len(words) > 3:
        rule["resourceNames"] = words[3].split(",")
    return rule
