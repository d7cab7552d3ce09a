"""Who holds which rules where: every subject of every binding, with the rules of the role.

Promises
    G1  the rules are those that the API server's authorizer would apply: it is asked for them
    G2  what Kubernetes itself grants, to whom it grants it, is told apart (`Grant.default`)
    G3  where ClusterRoles could not be read, as in a folder of manifests, Kubernetes' default ones are there
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from typing import Any

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.authentication.user import AUTHENTICATED, UNAUTHENTICATED, service_account_user
from kajitori.apiserver.authorization import Authorizer, Rbac, RoleRef, Rule, bootstrap_rbac
from kajitori.apiserver.authorization.rbac import GROUP, role_of
from kajitori.posture.inventory import Inventory, name_of, namespace_of

__all__ = ["Binding", "Grant", "Grants", "Subject"]

EVERYBODY = (AUTHENTICATED, UNAUTHENTICATED, "system:anonymous")


class Subject(msgspec.Struct, frozen=True, order=True):
    """Whom a binding names; `namespace` is that of a ServiceAccount."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def key(self) -> str:
        """`u:jane`, `g:ops`: as a request would be of it."""
        if self.kind == "Group":
            return f"g:{self.name}"
        if self.kind == "ServiceAccount":
            return f"u:{service_account_user(self.namespace, self.name)}"
        return f"u:{self.name}"

    @property
    def is_everybody(self) -> bool:
        """Whether this is whoever has any credential, or whoever has none."""
        return self.kind != "ServiceAccount" and self.name in EVERYBODY


class Binding(msgspec.Struct, frozen=True):
    """One binding."""

    namespace: str
    """Empty for a ClusterRoleBinding: it holds everywhere."""
    name: str
    role: RoleRef
    subjects: tuple[Subject, ...]
    default_subjects: frozenset[Subject]
    """Whom Kubernetes itself puts there."""
    rules: tuple[Rule, ...] | None
    """None when there is no such role."""

    @property
    def kind(self) -> str:
        return "RoleBinding" if self.namespace else "ClusterRoleBinding"

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def shown_role(self) -> str:
        return f"{self.role.kind} {self.role.name}"


class Grant(msgspec.Struct, frozen=True):
    """What one subject has by one binding."""

    subject: Subject
    binding: Binding

    @property
    def default(self) -> bool:
        return self.subject in self.binding.default_subjects

    @property
    def rules(self) -> tuple[Rule, ...]:
        return self.binding.rules or ()

    def __str__(self) -> str:
        return f"{self.binding} to {self.binding.shown_role}"


class Grants:
    """All of a cluster's, in order."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._defaults = _defaults()
        self.authorizer = Authorizer(Rbac(self._objects))
        self.bindings = tuple(self._bindings())

    def _objects(self, resource: str) -> Iterator[Mapping[str, Any]]:
        listed = self._inventory[f"{GROUP}/{resource}"]
        yield from listed
        unread = not self._inventory.whole or f"{GROUP}/{resource}" in self._inventory.unread
        if resource == "clusterroles" and unread:
            known = {name_of(each) for each in listed}
            yield from (each for name, each in self._defaults.roles.items() if name not in known)

    def _bindings(self) -> Iterator[Binding]:
        for resource in ("clusterrolebindings", "rolebindings"):
            for each in self._objects(resource):
                obj = dict(each)
                namespace = namespace_of(obj) if resource == "rolebindings" else ""
                role = role_of(obj, namespace)
                yield Binding(
                    namespace,
                    name_of(obj),
                    role,
                    tuple(_subjects(obj, namespace)),
                    self._defaults.subjects(namespace, name_of(obj), role),
                    self.authorizer.role_rules(role),
                )

    @cached_property
    def by_subject(self) -> dict[Subject, list[Grant]]:
        """Everybody's, those of Kubernetes itself included."""
        found: dict[Subject, list[Grant]] = {}
        for binding in self.bindings:
            for subject in dict.fromkeys(binding.subjects):
                found.setdefault(subject, []).append(Grant(subject, binding))
        return dict(sorted(found.items()))

    def own(self) -> dict[Subject, list[Grant]]:
        """The same without those whom only Kubernetes itself has granted something."""
        return {
            subject: grants
            for subject, grants in self.by_subject.items()
            if not all(each.default for each in grants)
        }

    def default_role(self, name: str) -> JsonObject | None:
        """A default ClusterRole as Kubernetes makes it."""
        return self._defaults.roles.get(name)


class _Defaults:
    def __init__(self, objects: Iterable[JsonObject]) -> None:
        self.roles: dict[str, JsonObject] = {}
        self._bindings: dict[tuple[str, str], tuple[RoleRef, frozenset[Subject]]] = {}
        for each in objects:
            if each["kind"] == "ClusterRole":
                self.roles[name_of(each)] = each
            elif each["kind"].endswith("Binding"):
                namespace = namespace_of(each)
                bound = role_of(each, namespace), frozenset(_subjects(each, namespace))
                self._bindings[namespace, name_of(each)] = bound

    def subjects(self, namespace: str, name: str, role: RoleRef) -> frozenset[Subject]:
        known = self._bindings.get((namespace, name))
        return known[1] if known is not None and known[0] == role else frozenset()


@cache
def _defaults() -> _Defaults:
    return _Defaults(bootstrap_rbac())


def _subjects(binding: JsonObject, namespace: str) -> Iterator[Subject]:
    for each in binding.get("subjects") or ():
        kind, name = str(each.get("kind", "")), str(each.get("name", ""))
        if kind == "ServiceAccount":
            yield Subject(kind, str(each.get("namespace") or namespace), name)
        elif kind in ("User", "Group"):
            # ServiceAccounts and their groups have names that may be written out.
            account = name.split(":") if name.startswith("system:serviceaccount:") else []
            if kind == "User" and len(account) == 4:
                yield Subject("ServiceAccount", account[2], account[3])
            else:
                yield Subject(kind, "", name)
