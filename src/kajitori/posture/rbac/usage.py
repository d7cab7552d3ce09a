"""What of each binding was used: its rules, verbs and resources beside what the audit log recorded.

Promises
    V1  what a request was allowed by counts as used in every binding that would have allowed it by itself: nothing
        that one of them needs is called unused because another has it too
    V2  what an audit log cannot show (see `visibility`) is never called unused
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from kajitori.apiserver.authentication.user import User
from kajitori.apiserver.authorization import Attributes, Rule
from kajitori.posture.rbac.grants import Binding, Subject
from kajitori.posture.rbac.recorded import ANY_NAME, Asked, Recorded
from kajitori.posture.rbac.visibility import Unseen

__all__ = [
    "BindingUse",
    "RuleUse",
    "Used",
    "allowed_by",
    "used_of",
]

_Identity = tuple[str, tuple[str, ...]]
"""A user's name and groups."""


class RuleUse(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One rule of a role."""

    rule: str
    used: bool
    unused_verbs: tuple[str, ...] = ()
    unused_resources: tuple[str, ...] = ()
    wildcards: tuple[str, ...] = ()
    """What a `*` in it was really used for: `verbs: get, list`."""
    unseen: tuple[str, ...] = ()
    """What the log cannot tell of."""


class BindingUse(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One binding."""

    binding: str
    role: str
    subjects: tuple[str, ...]
    requests: int
    namespaces: tuple[str, ...]
    """Where; for ClusterRoleBindings only."""
    rules: tuple[RuleUse, ...]
    unused_subjects: tuple[str, ...]
    wider: bool
    """Whether less would have been enough."""
    proposal: tuple[dict[str, object], ...] = ()
    """Objects that allow what was used; none where nothing was."""
    replaces: bool = False
    """Whether the binding is to be deleted once the proposal is there."""
    deletion: str = ""
    """The command that does so; also where nobody used anything of it."""


class Used:
    """The questions that each user asked, ready to be asked of rules."""

    def __init__(self, recorded: Recorded) -> None:
        self._by_identity: dict[_Identity, list[tuple[Asked, Attributes, int]]] = {}
        self._identities: dict[str, list[_Identity]] = {}
        """By who they are or are in, as `Subject.key`."""
        for asked, count in recorded.asked.items():
            identity = asked.user, asked.groups
            if identity not in self._by_identity:
                self._by_identity[identity] = []
                for key in (f"u:{asked.user}", *(f"g:{each}" for each in asked.groups)):
                    self._identities.setdefault(key, []).append(identity)
            self._by_identity[identity].append((asked, _attributes(asked), count))

    def of(self, binding: Binding) -> Iterator[tuple[Asked, int, tuple[Rule, ...]]]:
        """What the binding's subjects asked that it allows: with how often, and the rules that do."""
        meant = dict.fromkeys(
            identity for each in binding.subjects for identity in self._identities.get(each.key, ())
        )
        for identity in meant:
            for asked, attributes, count in self._by_identity[identity]:
                if binding.namespace and asked.namespace != binding.namespace:
                    continue
                rules = tuple(each for each in binding.rules or () if allowed_by(each, attributes))
                if rules:
                    yield asked, count, rules

    def has_asked(self, subject: Subject) -> bool:
        """Whether anything was asked by this subject."""
        return subject.key in self._identities


def _attributes(asked: Asked) -> Attributes:
    return Attributes(
        user=User(asked.user, groups=asked.groups),
        verb=asked.verb,
        group=asked.group,
        resource=asked.resource,
        subresource=asked.subresource,
        namespace=asked.namespace,
        name=asked.name,
        path=asked.path,
    )


def allowed_by(rule: Rule, attributes: Attributes) -> bool:
    """Whether a rule allows it; where the name is not known, some name."""
    if attributes.resource and attributes.name == ANY_NAME:
        return rule.concerns(attributes)
    return rule.allows(attributes)


def used_of(
    rules: Sequence[Rule], found: Iterable[tuple[Asked, int, tuple[Rule, ...]]], unseen: Unseen
) -> tuple[RuleUse, ...]:
    """What of each rule was used, given what they allowed."""
    by_rule: dict[Rule, list[Asked]] = {each: [] for each in rules}
    for asked, _, allowing in found:
        for each in allowing:
            by_rule[each].append(asked)
    return tuple(_rule_use(each, by_rule[each], unseen) for each in rules)


def _rule_use(rule: Rule, asked: Sequence[Asked], unseen: Unseen) -> RuleUse:
    verbs = {each.verb for each in asked}
    things = {(each.group, _resource(each)) for each in asked}
    resources = {resource for _, resource in things}
    hidden = tuple(dict.fromkeys(_told(rule, unseen)))
    wildcards: list[str] = []
    if "*" in rule.verbs and verbs:
        wildcards.append(f"verbs: {_listed(verbs)}")
    if "*" in rule.api_groups and things:
        wildcards.append(f"apiGroups: {_listed({group or 'core' for group, _ in things})}")
    if any("*" in each for each in rule.resources) and resources:
        wildcards.append(f"resources: {_listed(resources)}")
    if "*" in rule.non_resource_urls and asked:
        wildcards.append(f"nonResourceURLs: {_listed({each.path for each in asked if each.path})}")
    used = bool(asked)
    return RuleUse(
        rule=str(rule),
        used=used,
        unused_verbs=tuple(each for each in rule.verbs if each != "*" and each not in verbs)
        if used and not hidden
        else (),
        unused_resources=tuple(each for each in rule.resources if "*" not in each and each not in resources)
        if used and not hidden
        else (),
        wildcards=tuple(wildcards),
        unseen=hidden,
    )


def _resource(asked: Asked) -> str:
    return f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource


def _listed(texts: Iterable[str]) -> str:
    several = sorted(texts)
    return (
        ", ".join(several)
        if len(several) <= 12
        else f"{', '.join(several[:12])} and {len(several) - 12} more"
    )


def _told(rule: Rule, unseen: Unseen) -> Iterator[str]:
    """`update deployments/finalizers: admission asks for it`."""
    for (verb, _, resource), why in unseen.parts(rule):
        yield f"{verb} {resource}: {why}"
    for path, why in unseen.paths(rule):
        yield f"{path}: {why}"
