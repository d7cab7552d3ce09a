"""The section about RBAC: what is open in it, and, beside an audit log, what of it was never used."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from kajitori.apimachinery.labels import selector_from_object
from kajitori.apiserver.authorization import RoleRef
from kajitori.apiserver.authorization.escalation import covers
from kajitori.apiserver.authorization.rbac import GROUP, RESOURCES
from kajitori.apiserver.operating.audit.policy import Policy
from kajitori.posture.findings import SEVERITIES, Finding, Section, worst
from kajitori.posture.inventory import Inventory, name_of, namespace_of
from kajitori.posture.rbac.auditlog import LogRead
from kajitori.posture.rbac.grants import Binding, Grant, Grants
from kajitori.posture.rbac.narrowing import narrowed, objects_of
from kajitori.posture.rbac.powers import held_by, may_everything
from kajitori.posture.rbac.recorded import Recorded
from kajitori.posture.rbac.static import privileged_namespaces, static_findings
from kajitori.posture.rbac.usage import BindingUse, Used, used_of
from kajitori.posture.rbac.visibility import Unseen

__all__ = ["bindings_used", "judge_rbac", "named_resources"]

_SHORT_HOURS = 24


def judge_rbac(
    inventory: Inventory,
    grants: Grants,
    log: LogRead | None = None,
    *,
    policy: Policy | None = None,
    system: bool = False,
) -> Section:
    """The section; without a log only what roles and bindings themselves say. `policy` is that of the log."""
    findings = list(static_findings(inventory, grants, system=system))
    missing = inventory.missing("/serviceaccounts", *(f"{GROUP}/{each}" for each in RESOURCES))
    notes: list[str] = []
    judged: list[BindingUse] = []
    if log is None:
        notes.append("without --audit-log nobody knows what of this is used")
    else:
        notes += _told_of(log)
        if policy is None:
            notes.append("what the audit policy leaves out looks unused: --audit-policy tells what that is")
        missing += _missing_of(log)
        judged = bindings_used(inventory, grants, log.recorded, policy=policy, system=system)
        by_name = {str(each): each for each in grants.bindings}
        privileged = privileged_namespaces(inventory)
        for each in judged:
            findings += _findings(each, by_name[each.binding], privileged)
    return Section.of("rbac", findings, judged=judged, notes=notes, missing=missing)


def named_resources(grants: Grants) -> Callable[[str, str], bool]:
    """Of which group's resource some role is limited to names: of these a log's names are kept."""
    rules = [rule for each in grants.bindings for rule in each.rules or () if rule.resource_names]
    groups = {group for rule in rules for group in rule.api_groups}
    resources = {resource.partition("/")[0] for rule in rules for resource in rule.resources}

    def named(group: str, resource: str) -> bool:
        return (group in groups or "*" in groups) and (resource in resources or "*" in resources)

    return named


def bindings_used(
    inventory: Inventory,
    grants: Grants,
    recorded: Recorded,
    *,
    policy: Policy | None = None,
    system: bool = False,
) -> list[BindingUse]:
    """Every binding that grants something, with what of it was used and what would be enough."""
    used = Used(recorded)
    bound = Counter(each.role for each in grants.bindings)
    taken = {
        (namespace_of(each), name_of(each))
        for resource in RESOURCES
        for each in inventory[f"{GROUP}/{resource}"]
    }
    in_use: list[BindingUse] = []
    for binding in grants.bindings:
        own = [each for each in binding.subjects if each not in binding.default_subjects]
        if not binding.rules or not (own or (system and binding.subjects)):
            continue
        found = list(used.of(binding))
        unseen = Unseen(binding, policy)
        rules = narrowed(binding.rules, found, unseen)
        wider = not covers(rules, binding.rules)
        in_place = bound[binding.role] == 1 and not _is_shared(inventory, grants, binding.role)
        propose = wider and bool(rules)
        in_use.append(
            BindingUse(
                binding=str(binding),
                role=binding.shown_role,
                subjects=tuple(map(str, binding.subjects)),
                requests=sum(count for _, count, _ in found),
                namespaces=()
                if binding.namespace
                else tuple(sorted({asked.namespace for asked, _, _ in found if asked.resource})),
                rules=used_of(binding.rules, found, unseen),
                unused_subjects=tuple(str(each) for each in binding.subjects if not used.has_asked(each)),
                wider=wider,
                proposal=objects_of(binding, rules, in_place=in_place, taken=taken) if propose else (),
                replaces=propose and not in_place,
                deletion=_deletion(binding) if (wider and not in_place) or not rules else "",
            )
        )
    return in_use


def _deletion(binding: Binding) -> str:
    where = f" -n {binding.namespace}" if binding.namespace else ""
    return f"kubectl delete {binding.kind.lower()} {binding.name}{where}"


def _is_shared(inventory: Inventory, grants: Grants, role: RoleRef) -> bool:
    """Whether others than one binding count on a role: Kubernetes itself, or roles that aggregate it."""
    if role.kind != "ClusterRole":
        return False
    if grants.default_role(role.name) is not None:
        return True
    roles = inventory[f"{GROUP}/clusterroles"]
    labels = next(
        ((each.get("metadata") or {}).get("labels") or {} for each in roles if name_of(each) == role.name), {}
    )
    selectors = [
        selector
        for each in roles
        for selector in (each.get("aggregationRule") or {}).get("clusterRoleSelectors") or ()
        if name_of(each) != role.name
    ]
    aggregates = any(name_of(each) == role.name and each.get("aggregationRule") for each in roles)
    return aggregates or any(selector_from_object(each).matches(labels) for each in selectors)


def _findings(use: BindingUse, binding: Binding, privileged: frozenset[str]) -> Iterator[Finding]:
    if not use.wider:
        return
    grants = [Grant(each, binding) for each in binding.subjects[:1]]
    everything = bool(may_everything(grants))
    powers = [each.severity for each in held_by(grants, privileged)]
    severity = "medium" if everything or worst(powers) in SEVERITIES[:2] else "low"
    if not any(each.used for each in use.rules):
        hidden = [f"cannot be seen: {told}" for rule in use.rules for told in rule.unseen]
        yield Finding(
            check="unused-binding",
            severity=severity,
            about=use.binding,
            message=f"nobody used {use.role}, which it gives to {', '.join(use.subjects)}",
            advice=use.deletion if not hidden else "",
            evidence=tuple(hidden),
        )
        return
    advice = "kajitori audit rbac --propose prints what was used, to be applied"
    yield Finding(
        check="wider-than-used",
        severity=severity,
        about=use.binding,
        message=f"{use.role} allows more than was used",
        advice=f"{advice}; then {use.deletion}" if use.replaces else advice,
        evidence=tuple(_evidence(use)),
    )


def _evidence(use: BindingUse) -> Iterator[str]:
    for number, each in enumerate(use.rules):
        if not each.used and not each.unseen:
            yield f"rules[{number}] never used: {each.rule}"
            continue
        told: list[str] = []
        if each.unused_verbs:
            told.append(f"verbs never used: {', '.join(each.unused_verbs)}")
        if each.unused_resources:
            told.append(f"resources never used: {', '.join(each.unused_resources)}")
        told += [f"* in {wildcard}" for wildcard in each.wildcards]
        if told:
            yield f"rules[{number}] {'; '.join(told)}"
        elif each.unseen:
            yield f"rules[{number}] cannot all be seen in an audit log: {', '.join(each.unseen)}"
    if use.unused_subjects:
        yield f"never seen: {', '.join(use.unused_subjects)}"
    if use.namespaces and "" not in use.namespaces:
        yield f"used only in {_shortened(use.namespaces)}: RoleBindings there would be enough"


def _shortened(names: Sequence[str]) -> str:
    return (
        ", ".join(names)
        if len(names) <= 6
        else f"{', '.join(names[:6])} and {len(names) - 6} more namespaces"
    )


def _told_of(log: LogRead) -> Iterator[str]:
    recorded = log.recorded
    files = f"{len(log.files)} file{'s' if len(log.files) != 1 else ''}"
    if not recorded.events:
        yield f"the audit log ({files}) has no event"
    else:
        yield (
            f"the audit log ({files}) has {recorded.events} events from {recorded.first or '?'} to "
            f"{recorded.last or '?'}, {recorded.refused} of them refused"
        )
        if _hours(recorded.first, recorded.last) < _SHORT_HOURS:
            yield "that is less than a day: what runs weekly, or when something fails, is not in it"


def _missing_of(log: LogRead) -> Iterator[str]:
    if log.bad_lines:
        yield f"{log.bad_lines} lines are no events: {'; '.join(log.named)}"
    if log.recorded.undecided == log.recorded.events > 0:
        yield "the audit log has only the stage RequestReceived, which does not say what was allowed"
    if log.recorded.overflowed:
        yield f"{log.recorded.overflowed} requests are not counted: there are too many different ones"


def _hours(first: str, last: str) -> float:
    from datetime import datetime

    try:
        return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds() / 3600
    except ValueError:
        return 0.0
