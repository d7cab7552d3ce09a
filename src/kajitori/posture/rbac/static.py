"""What is open in roles and bindings themselves, whatever the audit log says."""

from collections.abc import Iterator

from kajitori.apis.podsecurity import PRIVILEGED, Policy, policy_of
from kajitori.apiserver.authentication.user import AUTHENTICATED
from kajitori.apiserver.authorization import RoleRef, Rule, parse_rules
from kajitori.apiserver.authorization.escalation import missing_rules
from kajitori.apiserver.authorization.rbac import GROUP
from kajitori.posture.findings import Finding, worst
from kajitori.posture.inventory import Inventory, name_of, namespace_of
from kajitori.posture.rbac.grants import Binding, Grant, Grants, Subject
from kajitori.posture.rbac.powers import held_by, may_everything

__all__ = ["privileged_namespaces", "static_findings"]

_ADMINISTRATORS = ("kubeadm:cluster-admins",)
"""Groups that installers make for the administrator's own credential."""
_ALL_ACCOUNTS = "system:serviceaccounts"
_ACCOUNTS = "/serviceaccounts"


def static_findings(inventory: Inventory, grants: Grants, *, system: bool = False) -> Iterator[Finding]:
    """All of them; with `system` also of what Kubernetes itself grants."""
    of_subjects = grants.by_subject if system else grants.own()
    privileged = privileged_namespaces(inventory)
    for subject, held in of_subjects.items():
        own = held if system else [each for each in held if not each.default]
        yield from _powerful(subject, held, own, privileged)
        yield from _everybody(subject, own)
        yield from _default_account(subject, own)
        yield from _absent(inventory, subject, own)
    yield from _without_role(inventory, grants)
    yield from _changed_roles(inventory, grants)


def privileged_namespaces(inventory: Inventory) -> frozenset[str]:
    """The namespaces whose labels keep no Pod out. What the API server enforces by default is not known here."""
    return frozenset(
        name
        for name, each in inventory.namespaces.items()
        if policy_of((each.get("metadata") or {}).get("labels") or {}, Policy())[0].enforce.level
        == PRIVILEGED
    )


def _powerful(
    subject: Subject, held: list[Grant], own: list[Grant], privileged: frozenset[str]
) -> Iterator[Finding]:
    admin = [each for each in may_everything(held) if each in own]
    if admin:
        everybody = subject.is_everybody or subject.name.startswith(_ALL_ACCOUNTS)
        known = subject.kind == "Group" and subject.name in _ADMINISTRATORS
        yield Finding(
            check="cluster-admin",
            severity="critical" if everybody else "info" if known else "high",
            about=str(subject),
            message=f"may do everything, by {'; '.join(map(str, admin))}",
            advice=""
            if known
            else "bind a role with what it needs: `kajitori audit rbac --audit-log` proposes one",
        )
        return
    powers = [each for each in held_by(held, privileged) if _is_own(each.via, own)]
    if powers:
        several = len(powers) > 1
        yield Finding(
            check="escalation",
            severity=worst(each.severity for each in powers),
            about=str(subject),
            message=f"may get more than it has: {', '.join(each.power for each in powers)}"
            if several
            else f"{powers[0].told}",
            evidence=tuple(f"[{each.severity}] {each}" for each in powers),
        )


def _is_own(via: tuple[str, ...], own: list[Grant]) -> bool:
    """Whether one of the bindings that give a power is not Kubernetes' own."""
    return not set(via).isdisjoint(map(str, own))


def _everybody(subject: Subject, own: list[Grant]) -> Iterator[Finding]:
    if not subject.is_everybody:
        return
    for each in own:
        anyone = subject.name != AUTHENTICATED
        who = "whoever has no credential at all" if anyone else "whoever has any credential"
        yield Finding(
            check="anonymous" if anyone else "everybody",
            severity="low" if _reads_little(each) else "high" if anyone else "medium",
            about=str(subject),
            message=f"{who} has the rights of {each.binding.shown_role}, by {each.binding}",
            advice=_deletion(each),
        )


def _reads_little(grant: Grant) -> bool:
    """Whether it lets single objects be read, none a Secret, and no more: as installers publish a cluster's CA."""
    return all(
        set(each.verbs) <= {"get"} and each.resource_names and not {"secrets", "*"} & set(each.resources)
        for each in grant.rules
    )


def _default_account(subject: Subject, own: list[Grant]) -> Iterator[Finding]:
    everyone = subject.kind == "Group" and subject.name.startswith(_ALL_ACCOUNTS)
    if not everyone and not (subject.kind == "ServiceAccount" and subject.name == "default"):
        return
    for each in own:
        if not each.rules:
            continue
        whose = "every ServiceAccount named by this group" if everyone else "every Pod that names no other"
        yield Finding(
            check="service-account-group" if everyone else "default-service-account",
            severity="medium",
            about=str(subject),
            message=f"{whose} has the rights of {each.binding.shown_role}, by {each.binding}",
            advice="make a ServiceAccount for the Pods that need them, and bind that one",
        )


def _absent(inventory: Inventory, subject: Subject, own: list[Grant]) -> Iterator[Finding]:
    if subject.kind != "ServiceAccount" or not inventory.whole or _ACCOUNTS in inventory.unread:
        return
    known = any(
        name_of(each) == subject.name and namespace_of(each) == subject.namespace
        for each in inventory[_ACCOUNTS]
    )
    if known:
        return
    if inventory.only and subject.namespace != inventory.only:
        return
    place = subject.namespace not in inventory.namespaces and "/namespaces" not in inventory.unread
    for each in own:
        gone = f"there is no namespace {subject.namespace}" if place else "it does not exist"
        yield Finding(
            check="absent-subject",
            severity="low",
            about=str(subject),
            message=f"{gone}; whoever may make it gets {each.binding.shown_role}, by {each.binding}",
            advice=_deletion(each),
        )


def _without_role(inventory: Inventory, grants: Grants) -> Iterator[Finding]:
    unread = {kind for kind in ("Role", "ClusterRole") if f"{GROUP}/{kind.lower()}s" in inventory.unread}
    for each in grants.bindings:
        if each.rules is None and each.role.kind not in unread:
            yield Finding(
                check="absent-role",
                severity="low",
                about=str(each),
                message=f"there is no {each.shown_role}; whoever makes one of this name gives it to "
                f"{', '.join(map(str, each.subjects)) or 'nobody'}",
                advice=f"kubectl delete {each.kind.lower()} {each.name}"
                + (f" -n {each.namespace}" if each.namespace else ""),
            )


def _changed_roles(inventory: Inventory, grants: Grants) -> Iterator[Finding]:
    """Kubernetes' own roles that give a power they do not give. Others differ from version to version."""
    for role in inventory["rbac.authorization.k8s.io/clusterroles"]:
        name = name_of(role)
        default = grants.default_role(name)
        if default is None or role.get("aggregationRule"):
            continue
        before, now = parse_rules(default.get("rules")), parse_rules(role.get("rules"))
        usual = {each.power for each in held_by([_granting(name, before)])}
        new = [each for each in held_by([_granting(name, now)]) if each.power not in usual]
        if new:
            yield Finding(
                check="widened-default-role",
                severity=worst(each.severity for each in new),
                about=f"ClusterRole {name}",
                message="it gives more than Kubernetes' own role of this name, to everybody it is bound to: "
                f"{', '.join(each.power for each in new)}",
                evidence=tuple(map(str, missing_rules(before, now))),
            )


def _granting(role: str, rules: tuple[Rule, ...]) -> Grant:
    """The role, as if it were bound to somebody everywhere."""
    reference = RoleRef("ClusterRole", "", role)
    return Grant(Subject("User", "", ""), Binding("", role, reference, (), frozenset(), rules))


def _deletion(grant: Grant) -> str:
    binding = grant.binding
    where = f" -n {binding.namespace}" if binding.namespace else ""
    if len(binding.subjects) == 1:
        return f"kubectl delete {binding.kind.lower()} {binding.name}{where}"
    return f"take {grant.subject} out of {binding}: kubectl edit {binding.kind.lower()} {binding.name}{where}"
