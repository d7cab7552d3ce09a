"""Who can read Secrets: with rights to them, and by way of others.

Promises
    R1  whoever may get, list or watch Secrets is told, with the Secrets it is limited to; so is whoever may patch
        them, since the answer to an empty patch is the Secret
    R2  whoever gets at them by another way is told with that way: Pods that mount them, commands in Pods that have
        mounted them, others' tokens, rights that can be made more
    R3  members of system:masters, who may everything, are in no binding and are not told
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from kajitori.apiserver.authentication.user import User
from kajitori.apiserver.authorization import Attributes
from kajitori.posture.findings import Finding, Section
from kajitori.posture.inventory import Inventory, name_of, namespace_of
from kajitori.posture.rbac.grants import Grant, Grants, Subject
from kajitori.posture.rbac.powers import Held, held_by

__all__ = ["NamespaceSecrets", "Reader", "judge_secrets"]

_SECRETS = "/secrets"
_READING = ("get", "list", "watch", "patch")
_WAYS = {
    "create-pods": "a Pod that mounts them",
    "exec": "a command in a Pod that has mounted them",
    "ephemeral-containers": "a container in a Pod that has mounted them",
    "service-account-tokens": "the token of a ServiceAccount that may",
    "impersonate": "acting as somebody who may",
    "escalate": "a role that it writes itself",
    "bind": "a role that it binds",
    "nodes-proxy": "a kubelet whose Pods have mounted them",
    "approve-certificates": "a certificate of somebody who may",
    "sign-certificates": "a certificate of somebody who may",
    "admission-webhooks": "a webhook that is sent them when they are written",
    "aggregated-apis": "an API of its own that sees others' credentials",
}
_NOBODY = User("")


class Reader(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Somebody who can read Secrets."""

    who: str
    verbs: tuple[str, ...] = ()
    """`get`, `list` …; empty for who gets at them by another way."""
    way: str = ""
    names: tuple[str, ...] = ()
    """Only these; empty: all of the namespace."""
    everywhere: bool = False
    """In all namespaces, not in this one alone."""
    via: tuple[str, ...] = ()


class NamespaceSecrets(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The Secrets of one namespace."""

    namespace: str
    secrets: tuple[str, ...]
    readers: tuple[Reader, ...]
    indirectly: tuple[Reader, ...]


def judge_secrets(inventory: Inventory, grants: Grants, *, system: bool = False) -> Section:
    """The section of all namespaces; with `system` also Kubernetes' own controllers are told."""
    names: dict[str, list[str]] = {each: [] for each in inventory.namespaces}
    for each in inventory[_SECRETS]:
        names.setdefault(namespace_of(each), []).append(name_of(each))
    of_subjects = grants.by_subject if system else grants.own()
    places = {each: _Place() for each in names}
    everywhere = _Place()
    for subject, held in of_subjects.items():
        own = list(_readers(subject, [each for each in held if not each.binding.namespace], everywhere=True))
        all_powers = list(held_by(held))
        everywhere.add(subject, own, [each for each in all_powers if not each.namespaces])
        for namespace in dict.fromkeys(each.binding.namespace for each in held if each.binding.namespace):
            inside = [each for each in held if each.binding.namespace == namespace]
            powers = [each for each in all_powers if namespace in each.namespaces]
            places.setdefault(namespace, _Place()).add(subject, list(_readers(subject, inside)), powers)
    judged = [
        _judged(namespace, tuple(sorted(names.get(namespace, ()))), place, everywhere)
        for namespace, place in sorted(places.items())
    ]
    missing = inventory.missing(
        "/namespaces", _SECRETS, *(f"rbac.authorization.k8s.io/{each}" for each in _RBAC_RESOURCES)
    )
    findings = [*_of_everywhere(everywhere.readers, judged), *_of_namespaces(judged)]
    return Section.of("secrets", findings, judged=judged, missing=missing)


_RBAC_RESOURCES = ("clusterroles", "clusterrolebindings", "roles", "rolebindings")


class _Place:
    """Who has what in a namespace, or everywhere."""

    def __init__(self) -> None:
        self.readers: dict[Subject, list[Reader]] = {}
        self.ways: dict[Subject, list[Reader]] = {}

    def add(self, subject: Subject, readers: list[Reader], powers: Iterable[Held]) -> None:
        if readers:
            self.readers[subject] = readers
        ways = [_way(subject, each) for each in powers if each.power in _WAYS]
        if ways:
            self.ways[subject] = ways


def _way(subject: Subject, power: Held) -> Reader:
    named = power.power in ("service-account-tokens", "impersonate")
    return Reader(
        who=str(subject),
        way=_WAYS[power.power],
        names=power.names if named else (),
        everywhere=not power.namespaces,
        via=power.via,
    )


def _judged(namespace: str, secrets: tuple[str, ...], place: _Place, everywhere: _Place) -> NamespaceSecrets:
    readers: list[Reader] = []
    indirectly: list[Reader] = []
    for subject in sorted({*place.readers, *place.ways, *everywhere.readers, *everywhere.ways}):
        direct = [*everywhere.readers.get(subject, ()), *place.readers.get(subject, ())]
        readers += direct
        if all(each.names for each in direct):  # who may read them all needs no other way
            indirectly += [*everywhere.ways.get(subject, ()), *place.ways.get(subject, ())]
    return NamespaceSecrets(
        namespace=namespace, secrets=secrets, readers=tuple(readers), indirectly=tuple(indirectly)
    )


def _readers(subject: Subject, grants: Iterable[Grant], *, everywhere: bool = False) -> Iterator[Reader]:
    """By name and verb what these grants allow, joined."""
    found: dict[tuple[str, ...], tuple[list[str], list[str]]] = {}
    for grant in grants:
        for rule in grant.rules:
            verbs = [each for each in _READING if rule.concerns(_question(each))]
            if verbs:
                known, via = found.setdefault(rule.resource_names, ([], []))
                known += verbs
                via.append(str(grant))
    for names, (verbs, via) in found.items():
        yield Reader(
            who=str(subject),
            verbs=tuple(each for each in _READING if each in verbs),
            names=names,
            everywhere=everywhere,
            via=tuple(dict.fromkeys(via)),
        )


def _question(verb: str) -> Attributes:
    return Attributes(user=_NOBODY, verb=verb, resource="secrets", version="v1")


def _of_everywhere(
    everywhere: Mapping[Subject, list[Reader]], judged: list[NamespaceSecrets]
) -> Iterator[Finding]:
    count = sum(len(each.secrets) for each in judged)
    for subject, readers in everywhere.items():
        for each in readers:
            everybody = subject.is_everybody or subject.name.startswith("system:serviceaccounts")
            which = (
                f"the Secrets {', '.join(each.names)} of every namespace" if each.names else "every Secret"
            )
            known = f", {count} now" if count and not each.names else ""
            yield Finding(
                check="reads-all-secrets",
                severity="critical" if everybody else "medium" if each.names else "high",
                about=str(subject),
                message=f"can read {which}{known} ({', '.join(each.verbs)})",
                advice="bind it in the namespaces that it needs, by RoleBindings",
                evidence=each.via,
            )


def _of_namespaces(judged: list[NamespaceSecrets]) -> Iterator[Finding]:
    for each in judged:
        for reader in each.readers:
            if reader.everywhere:
                continue
            everybody = reader.who.split(" ")[-1].startswith(
                ("system:authenticated", "system:unauthenticated")
            )
            accounts = reader.who.startswith("Group system:serviceaccounts")
            default = reader.who.startswith("ServiceAccount ") and reader.who.endswith("/default")
            anonymous = reader.who == "User system:anonymous"
            if not (everybody or accounts or default or anonymous or each.namespace == "kube-system"):
                continue
            which = f"the Secrets {', '.join(reader.names)}" if reader.names else "every Secret"
            yield Finding(
                check="reads-secrets",
                severity="critical" if everybody or anonymous else "medium" if reader.names else "high",
                about=reader.who,
                message=f"can read {which} of namespace {each.namespace} ({', '.join(reader.verbs)})",
                evidence=reader.via,
            )
