"""Role-based access control over the roles and bindings that are there now.

The authorizer holds roles as rules by the resources that they name, and bindings by their subjects, kept current
object by object: a request looks only at the bindings that name its user or groups, and in their roles only at the
rules that name its resource. What it found is remembered until a role or binding changes.

Promises
    A1  a request is allowed when some rule of some role bound to its user or groups allows it;
        a RoleBinding counts in its own namespace only
    A2  a change counts from the next request on
    A3  a binding to a role that is not there allows nothing, and the refusal says so

Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

import msgspec

from kajitori.apimachinery.decode import go_quote
from kajitori.apiserver.authentication.user import User
from kajitori.apiserver.authorization.attributes import Attributes, Decision
from kajitori.apiserver.authorization.rules import Held, Rule, parse_rules

if TYPE_CHECKING:
    from kajitori.storage import Event, Store

__all__ = ["GROUP", "RESOURCES", "Rbac", "RoleRef", "role_of"]

GROUP = "rbac.authorization.k8s.io"
RESOURCES = ("clusterroles", "clusterrolebindings", "roles", "rolebindings")

_REMEMBERED_MAX = 50_000
"""Decisions remembered in all, about 10 MiB; beyond it they are forgotten together and found again."""

_Key = tuple[str, str]  # namespace (empty for the cluster) and name


class RoleRef(msgspec.Struct, frozen=True):
    """Which role a binding binds; `namespace` is empty for a ClusterRole."""

    kind: str
    namespace: str
    name: str


_NO_RULES: tuple[Rule, ...] = ()


class _Role:
    """The rules of one role, by what they name."""

    __slots__ = ("_by_resource", "_of_paths", "rules")

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules
        self._by_resource: dict[str, tuple[Rule, ...]] | None = None
        self._of_paths = _NO_RULES

    def concerning(self, attributes: Attributes) -> Iterator[Rule]:
        """The rules that name the resource of a question, or are about paths when it is about one."""
        found = self._by_resource
        if found is None:
            found = self._index()
        resource, subresource = attributes.resource, attributes.subresource
        if not resource:
            yield from self._of_paths
            return
        if subresource:
            yield from found.get(f"{resource}/{subresource}", _NO_RULES)
            yield from found.get(f"*/{subresource}", _NO_RULES)
        else:
            yield from found.get(resource, _NO_RULES)
        yield from found.get("*", _NO_RULES)

    def _index(self) -> dict[str, tuple[Rule, ...]]:
        found: dict[str, list[Rule]] = {}
        for rule in self.rules:
            for resource in dict.fromkeys(rule.resources):
                found.setdefault(resource, []).append(rule)
        self._of_paths = tuple(rule for rule in self.rules if rule.non_resource_urls)
        self._by_resource = {resource: tuple(rules) for resource, rules in found.items()}
        return self._by_resource


class _Binding(msgspec.Struct, frozen=True):
    key: _Key
    role: RoleRef
    subjects: tuple[tuple[str, str], ...]
    """Index key (`u:name`, `g:name`) and how the subject is called in reasons."""

    def reason(self, subject: str) -> str:
        """`RBAC: allowed by RoleBinding "b/ns" of Role "r" to User "x"`."""
        namespace, name = self.key
        if namespace:
            kind, shown = "RoleBinding", f"{name}/{namespace}"
        else:
            kind, shown = "ClusterRoleBinding", name
        bound = f"{self.role.kind} {go_quote(self.role.name)}"
        return f"RBAC: allowed by {kind} {go_quote(shown)} of {bound} to {subject}"


class _Granted(msgspec.Struct):
    """The bindings that name one user, and the decisions that came of them."""

    cluster: list[tuple[_Binding, str]]
    namespaces: dict[str, list[tuple[_Binding, str]]]
    decisions: dict[tuple[str, ...], Decision | None]
    """None: it depends on the object's name, which is then part of the key."""

    def bindings(self, namespace: str) -> Iterator[tuple[_Binding, str]]:
        yield from self.cluster
        if namespace:
            yield from self.namespaces.get(namespace, ())


class Rbac:
    """Decides, from the objects that `list_objects` gives for each of RESOURCES and the changes since."""

    def __init__(self, list_objects: Callable[[str], Iterable[Mapping[str, Any]]] | None = None) -> None:
        self._list = list_objects
        self._stale = list_objects is not None
        self._roles: dict[RoleRef, _Role] = {}
        self._bindings: dict[_Key, _Binding] = {}
        self._by_subject: dict[str, set[_Key]] = {}
        self._granted: dict[tuple[str, tuple[str, ...]], _Granted] = {}
        self._remembered = 0

    @classmethod
    def of_store(cls, store: "Store") -> Self:
        """Decides from the roles and bindings in a store, and follows their changes."""

        def listed(resource: str) -> Iterator[Mapping[str, Any]]:
            for item in store.range(f"{GROUP}/{resource}"):
                yield msgspec.json.decode(item.value)

        def follow(resource: str) -> None:
            def changed(event: "Event") -> None:
                namespace, _, name = event.name.rpartition("/")
                obj = None if event.deleted else msgspec.json.decode(event.item.value)
                rbac.changed(resource, namespace, name, obj=obj)

            store.subscribe(f"{GROUP}/{resource}", changed)

        rbac = cls(listed)
        for each in RESOURCES:
            follow(each)
        return rbac

    # What is there.

    def reload(self) -> None:
        """Everything may have changed: the next request lists the objects again."""
        self._stale = self._list is not None
        self._forget()

    def changed(self, resource: str, namespace: str, name: str, *, obj: Mapping[str, Any] | None) -> None:
        """One object of one of RESOURCES was written (`obj`) or removed (None)."""
        if self._stale:
            return  # it will be listed
        self._forget()
        if resource in ("roles", "clusterroles"):
            kind = "Role" if resource == "roles" else "ClusterRole"
            reference = RoleRef(kind, namespace, name)
            if obj is None:
                self._roles.pop(reference, None)
            else:
                self._roles[reference] = _Role(parse_rules(obj.get("rules")))
            return
        key = (namespace, name)
        before = self._bindings.pop(key, None)
        for subject, _ in before.subjects if before is not None else ():
            keys = self._by_subject.get(subject)
            if keys is not None:
                keys.discard(key)
                if not keys:
                    del self._by_subject[subject]
        if obj is not None:
            binding = self._bindings[key] = _parse_binding(key, obj)
            for subject, _ in binding.subjects:
                self._by_subject.setdefault(subject, set()).add(key)

    def role_rules(self, role: RoleRef) -> tuple[Rule, ...] | None:
        """The rules of a role, None when there is no such role."""
        if self._stale:
            self._load()
        found = self._roles.get(role)
        return None if found is None else found.rules

    def held(self, user: User, namespace: str) -> Held:
        """What a user may do in a namespace: all of it can be listed."""
        return Held(*self.rules_for(user, namespace))

    def rules_for(self, user: User, namespace: str) -> tuple[list[Rule], list[str]]:
        """What a user may do in a namespace (empty: everywhere), and what went wrong while looking."""
        rules: list[Rule] = []
        errors: list[str] = []
        for binding, _ in self._granted_to(user).bindings(namespace):
            found = self._roles.get(binding.role)
            if found is None:
                errors.append(_no_role(binding.role))
            else:
                rules.extend(found.rules)
        return rules, errors

    # What that allows.

    def authorize(self, attributes: Attributes) -> Decision:
        """The answer to one question."""
        user = attributes.user
        granted = self._granted.get((user.name, user.groups)) or self._granted_to(user)
        key: tuple[str, ...]
        if attributes.resource:
            key = (
                attributes.verb,
                attributes.group,
                attributes.resource,
                attributes.subresource,
                attributes.namespace,
            )
        else:
            key = (attributes.verb, attributes.path)
        try:
            known = granted.decisions[key]
            if known is not None:
                return known
            known = granted.decisions[(*key, attributes.name)]
            assert known is not None, "a decision by name is final"
            return known
        except KeyError:
            return self._decide(granted, attributes, key)

    def _decide(self, granted: _Granted, attributes: Attributes, key: tuple[str, ...]) -> Decision:
        named = False
        decision: Decision | None = None
        errors: list[str] = []
        for binding, subject in granted.bindings(attributes.namespace):
            role = self._roles.get(binding.role)
            if role is None:
                errors.append(_no_role(binding.role))
                continue
            for rule in role.concerning(attributes):
                if rule.resource_names and attributes.resource and rule.concerns(attributes):
                    named = True
                if rule.allows(attributes):
                    decision = Decision(True, binding.reason(subject))
                    break
            if decision is not None:
                break
        if decision is None:
            shown = errors[0] if len(errors) == 1 else "[" + ", ".join(dict.fromkeys(errors)) + "]"
            decision = Decision(False, f"RBAC: {shown}" if errors else "")
        self._remembered += 1
        if self._remembered > _REMEMBERED_MAX:
            self._forget()
        elif named:
            granted.decisions[key] = None
            granted.decisions[(*key, attributes.name)] = decision
        else:
            granted.decisions[key] = decision
        return decision

    def _granted_to(self, user: User) -> _Granted:
        if self._stale:
            self._load()
        identity = (user.name, user.groups)
        known = self._granted.get(identity)
        if known is not None:
            return known
        subjects = [f"u:{user.name}", *(f"g:{group}" for group in user.groups)]
        keys = set[_Key]().union(*(self._by_subject.get(each, ()) for each in subjects))
        wanted = set(subjects)
        granted = _Granted([], {}, {})
        for key in sorted(keys):
            binding = self._bindings[key]
            entry = (binding, next(shown for subject, shown in binding.subjects if subject in wanted))
            if key[0]:
                granted.namespaces.setdefault(key[0], []).append(entry)
            else:
                granted.cluster.append(entry)
        self._remembered += 1
        if self._remembered > _REMEMBERED_MAX:
            self._forget()
        self._granted[identity] = granted
        return granted

    def _forget(self) -> None:
        self._granted.clear()
        self._remembered = 0

    def _load(self) -> None:
        assert self._list is not None, "only what can be listed is stale"
        self._stale = False
        self._roles.clear()
        self._bindings.clear()
        self._by_subject.clear()
        for resource in RESOURCES:
            for obj in self._list(resource):
                metadata = obj["metadata"]
                self.changed(resource, metadata.get("namespace", ""), metadata["name"], obj=obj)


def role_of(binding: Mapping[str, Any], namespace: str) -> RoleRef:
    """The role that a binding object in `namespace` (empty: a ClusterRoleBinding) refers to."""
    reference = binding.get("roleRef") or {}
    kind = reference.get("kind", "")
    return RoleRef(kind, namespace if kind == "Role" else "", reference.get("name", ""))


def _parse_binding(key: _Key, obj: Mapping[str, Any]) -> _Binding:
    subjects: list[tuple[str, str]] = []
    for each in obj.get("subjects") or ():
        kind, name = each.get("kind", ""), each.get("name", "")
        if kind == "User":
            subjects.append((f"u:{name}", f"User {go_quote(name)}"))
        elif kind == "Group":
            subjects.append((f"g:{name}", f"Group {go_quote(name)}"))
        elif kind == "ServiceAccount":
            namespace = each.get("namespace") or key[0]
            if namespace:
                account = f"u:system:serviceaccount:{namespace}:{name}"
                subjects.append((account, f"ServiceAccount {go_quote(f'{name}/{namespace}')}"))
    return _Binding(key, role_of(obj, key[0]), tuple(subjects))


def _no_role(role: RoleRef) -> str:
    return f"{role.kind.lower()}.{GROUP} {go_quote(role.name)} not found"
