"""Roles and bindings in a few words."""

from typing import Any

from kajitori.apiserver.authentication import User
from kajitori.apiserver.authorization import Attributes, Authorizer, Rbac

ALICE = User("alice", groups=("system:authenticated",))


def rule(verbs: str, groups: str, resources: str, names: str = "") -> dict[str, Any]:
    """Words with commas between them; no group is the core group."""
    made: dict[str, Any] = {
        "verbs": verbs.split(","),
        "apiGroups": groups.split(","),
        "resources": resources.split(","),
    }
    return made | ({"resourceNames": names.split(",")} if names else {})


def role(name: str, *rules: dict[str, Any], namespace: str = "", **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"metadata": metadata | more.pop("metadata", {}), "rules": list(rules), **more}


def binding(name: str, to: str, *subjects: str, namespace: str = "") -> dict[str, Any]:
    """`to` is `Role/x` or `ClusterRole/x`; subjects are `User/x`, `Group/x`, `ServiceAccount/ns:x`."""
    kind, _, role_name = to.partition("/")
    made: list[dict[str, str]] = []
    for each in subjects:
        subject_kind, _, subject = each.partition("/")
        where, _, account = subject.rpartition(":")
        if subject_kind == "ServiceAccount":
            made.append({"kind": subject_kind, "name": account} | ({"namespace": where} if where else {}))
        else:
            made.append({"kind": subject_kind, "name": subject, "apiGroup": "rbac.authorization.k8s.io"})
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"metadata": metadata, "roleRef": {"kind": kind, "name": role_name}, "subjects": made}


def authorizer_of(**objects: list[dict[str, Any]]) -> Authorizer:
    """An authorizer over roles=[…], clusterroles=[…], rolebindings=[…], clusterrolebindings=[…]."""
    return Authorizer(Rbac(lambda resource: objects.get(resource, [])))


def wish(
    user: User, verb: str, resource: str, *, group: str = "", namespace: str = "", name: str = ""
) -> Attributes:
    resource, _, subresource = resource.partition("/")
    return Attributes(
        user=user,
        verb=verb,
        group=group,
        version="v1",
        resource=resource,
        subresource=subresource,
        namespace=namespace,
        name=name,
    )
