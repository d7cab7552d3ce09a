"""Objects to judge, in few words."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from kajitori.apiserver.authorization import bootstrap_rbac
from kajitori.posture.inventory import KINDS, Inventory, bucket_of

RBAC = "rbac.authorization.k8s.io/v1"
_BUCKETS = {(each.api_version, each.kind): bucket_of(each) for each in KINDS}


def inventory(*objects: dict[str, Any], whole: bool = True, version: str = "v1.36.2") -> Inventory:
    """These objects, where they belong; with the namespaces that they are in, and Kubernetes' own roles and bindings
    where the objects do not take their place."""
    by_name: dict[tuple[str, str, str], dict[str, Any]] = {}
    for each in (*_defaults(), *objects) if whole else objects:
        metadata = each["metadata"]
        by_name[each["kind"], metadata.get("namespace", ""), metadata["name"]] = each
    found: dict[str, list[dict[str, Any]]] = {}
    for each in by_name.values():
        found.setdefault(_BUCKETS[each["apiVersion"], each["kind"]], []).append(each)
    spaces = {each["metadata"].get("namespace", "") for several in found.values() for each in several} - {""}
    known = {each["metadata"]["name"] for each in found.get("/namespaces", ())}
    for name in sorted(spaces - known) if whole else ():
        found.setdefault("/namespaces", []).append(namespace(name))
    return Inventory("test", found, whole=whole, version=version)


@cache
def _defaults() -> tuple[dict[str, Any], ...]:
    return tuple(bootstrap_rbac())


def obj(api_version: str, kind: str, name: str, space: str = "", **members: Any) -> dict[str, Any]:
    metadata = {"name": name} | ({"namespace": space} if space else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **members}


def namespace(name: str, **labels: str) -> dict[str, Any]:
    """Labels of Pod Security by their short names: `enforce="baseline"`."""
    made = obj("v1", "Namespace", name)
    made["metadata"]["labels"] = {
        f"pod-security.kubernetes.io/{key.replace('_', '-')}": value for key, value in labels.items()
    }
    return made


def account(space: str, name: str) -> dict[str, Any]:
    return obj("v1", "ServiceAccount", name, space)


def rule(verbs: str, resources: str, *names: str, groups: str = "") -> dict[str, Any]:
    """Verbs, resources and groups parted by commas; an empty group is the core group."""
    made: dict[str, Any] = {
        "verbs": verbs.split(","),
        "apiGroups": groups.split(","),
        "resources": resources.split(","),
    }
    return made | ({"resourceNames": list(names)} if names else {})


def paths(verbs: str, *urls: str) -> dict[str, Any]:
    return {"verbs": verbs.split(","), "nonResourceURLs": list(urls)}


def role(name: str, *rules: dict[str, Any], space: str = "") -> dict[str, Any]:
    return obj(RBAC, "Role" if space else "ClusterRole", name, space, rules=list(rules))


def binding(
    name: str, bound: str, *subjects: str, space: str = "", cluster_role: bool = False
) -> dict[str, Any]:
    """Subjects as `User jane`, `Group ops`, `shop/web` for a ServiceAccount."""
    kind = "ClusterRole" if cluster_role or not space else "Role"
    return obj(
        RBAC,
        "RoleBinding" if space else "ClusterRoleBinding",
        name,
        space,
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": bound},
        subjects=list(_subjects(subjects)),
    )


def _subjects(texts: Iterable[str]) -> Iterable[dict[str, str]]:
    for text in texts:
        kind, space, name = text.partition(" ")
        if space:
            yield {"kind": kind, "name": name, "apiGroup": "rbac.authorization.k8s.io"}
        else:
            place, _, name = text.partition("/")
            yield {"kind": "ServiceAccount", "namespace": place, "name": name}


def pod(space: str, name: str, *, owner: str = "", **spec: Any) -> dict[str, Any]:
    made = obj("v1", "Pod", name, space, spec={"containers": [{"name": "c", "image": "x"}], **spec})
    if owner:
        made["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": owner, "controller": True}]
    return made


RESTRICTED: dict[str, Any] = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {
            "name": "c",
            "image": "x",
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
    ],
}
"""What a Pod must say to be restricted."""


def checks(findings: Sequence[Any]) -> list[tuple[str, str, str]]:
    """Severity, check and what it is about, of each finding."""
    return [(each.severity, each.check, each.about) for each in findings]
