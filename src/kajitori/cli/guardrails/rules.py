"""Rules, and whether a command is what they are about.

Promises
    R1  the first rule that matches decides; where none does, the command runs
    R2  what is not known yet (the objects of a file, how many there are) is asked for only where a rule needs it
    R3  what cannot be known counts against the command: a rule that lets it pass does not match, any other does
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase

from kajitori.wire.kubectl import CommandLine, targets_of

__all__ = ["Action", "Affected", "Rule", "Situation", "first_match", "may_match"]


class Action(Enum):
    """What a rule asks for."""

    ALLOW = "allow"
    CONFIRM = "confirm"
    TYPE_THE_NAME = "type-the-name"
    REQUIRE_TICKET = "require-ticket"
    DRY_RUN = "dry-run"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Empty members match everything."""

    name: str
    action: Action
    contexts: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    """Names of clusters in the kubeconfig, or addresses of API servers."""
    users: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    selector: str = ""
    more_than: int | None = None
    is_all: bool | None = None
    preview: bool = True
    message: str = ""
    ticket: str = ""
    """The regular expression that a ticket must match as a whole."""
    exact: bool = False
    """Names are no patterns, as in the original's files."""


@dataclass(frozen=True, slots=True)
class Affected:
    """One object that a command is about."""

    kinds: frozenset[str]
    """What its kind may be called: `deployment`, `deployments`, `deployments.apps` …"""
    namespace: str
    """Of a Namespace its own name."""
    name: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Situation:
    """A command, and where it would run."""

    line: CommandLine
    context: str
    clusters: tuple[str, ...]
    users: tuple[str, ...]
    namespace: str
    affected: Sequence[Affected] | None = None
    """None as long as nobody has asked; then only what the command line says is known."""
    asked: bool = False
    """Everybody was asked that can be: what is still not known stays so."""


def may_match(rule: Rule, line: CommandLine) -> bool:
    """Whether the words of a command do not rule it out: costs nothing."""
    return _verb_matches(rule, line)


def first_match(rules: Sequence[Rule], situation: Situation) -> Rule | bool | None:
    """The rule that decides; None where there is none; False where the objects have to be known first."""
    for rule in rules:
        matched = _matches(rule, situation)
        if matched is None:
            if not situation.asked:
                return False
            matched = rule.action is not Action.ALLOW
        if matched:
            return rule
    return None


def _matches(rule: Rule, situation: Situation) -> bool | None:
    """Whether a rule matches; None where that is not known."""
    line = situation.line
    unknown = False
    for known in (
        _verb_matches(rule, line),
        _any(rule, rule.contexts, (situation.context,)),
        _any(rule, rule.clusters, situation.clusters),
        _any(rule, rule.users, situation.users),
        _all_matches(rule, line),
        _namespace_matches(rule, situation),
        _resource_matches(rule, situation),
        _count_matches(rule, situation),
        _selector_matches(rule, situation),
    ):
        if known is False:
            return False
        unknown = unknown or known is None
    return None if unknown else True


def _any(rule: Rule, patterns: Sequence[str], values: Sequence[str]) -> bool:
    if not patterns:
        return True
    if rule.exact:
        return any(value in patterns for value in values)
    return any(fnmatchcase(value, pattern) for pattern in patterns for value in values)


def _verb_matches(rule: Rule, line: CommandLine) -> bool:
    if not rule.verbs:
        return bool(line.verb) or line.astray
    if line.astray:
        return True
    words = list(line.verb)
    return any(
        all(fnmatchcase(word, part) for word, part in zip(words, verb.split(), strict=False))
        and len(verb.split()) <= len(words)
        for verb in rule.verbs
    )


def _all_matches(rule: Rule, line: CommandLine) -> bool | None:
    if rule.is_all is None:
        return True
    if line.unsure:
        return None
    return (line.is_on("all") or line.is_on("all-namespaces")) == rule.is_all


def _namespace_matches(rule: Rule, situation: Situation) -> bool | None:
    if not rule.namespaces:
        return True
    if situation.affected is not None:
        return any(_any(rule, rule.namespaces, (each.namespace,)) for each in situation.affected)
    line = situation.line
    targets = targets_of(line)
    if line.is_on("all-namespaces") or targets is None:
        return None
    if any(each.resource in ("ns", "namespace", "namespaces") for each in targets):
        return None
    return _any(rule, rule.namespaces, (situation.namespace,))


def _resource_matches(rule: Rule, situation: Situation) -> bool | None:
    if not rule.resources:
        return True
    if situation.affected is not None:
        return any(_is_of(rule, each.kinds) for each in situation.affected)
    targets = targets_of(situation.line)
    if targets is None:
        return None
    from kajitori.cli.guardrails.kinds import names_in

    unknown = False
    for target in targets:
        named = names_in(target.resource)
        if named is None:
            unknown = True
        elif _is_of(rule, named):
            return True
    return None if unknown else False


def _is_of(rule: Rule, kinds: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern.lower()) for name in kinds for pattern in rule.resources)


def _count_matches(rule: Rule, situation: Situation) -> bool | None:
    if rule.more_than is None:
        return True
    return None if situation.affected is None else len(situation.affected) > rule.more_than


def _selector_matches(rule: Rule, situation: Situation) -> bool | None:
    if not rule.selector:
        return True
    if situation.affected is None:
        return None
    from kajitori.apimachinery.labels import parse_label_selector

    selector = parse_label_selector(rule.selector)
    return any(selector.matches(each.labels) for each in situation.affected)
