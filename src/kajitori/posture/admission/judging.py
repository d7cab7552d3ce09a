"""The section about admission: webhooks and policies that let everything through, stop everything, or do nothing.

Promises
    W1  of each is told what happens while it cannot be asked: what would be refused, or pass, and where
    W2  a webhook that keeps its own Pods from being made while it is down is told: it would not come back
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.posture.admission.reach import Reach, reach_of
from kajitori.posture.admission.targets import Problem, problems_of, shown_target
from kajitori.posture.findings import Finding, Section
from kajitori.posture.inventory import Inventory, name_of

__all__ = ["Gate", "judge_admission"]

_GROUP = "admissionregistration.k8s.io"
_HOOKS = (("validatingwebhookconfigurations", False), ("mutatingwebhookconfigurations", True))
_POLICIES = (
    ("ValidatingAdmissionPolicy", "validatingadmissionpolicies", "validatingadmissionpolicybindings"),
    ("MutatingAdmissionPolicy", "mutatingadmissionpolicies", "mutatingadmissionpolicybindings"),
)
_TIMEOUT_SECONDS = 10
"""Kubernetes' own default: a longer one is a choice."""


class Gate(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One webhook, or one policy."""

    name: str
    """`ValidatingWebhookConfiguration guard, webhook pods.guard.example.com`."""
    matches: str
    where: str
    fails: str
    """`open` or `closed`."""
    timeout_seconds: int
    """0: it is not called, but evaluated."""
    asks: str
    if_down: str
    problems: tuple[str, ...]
    """Checks that found something."""


def judge_admission(inventory: Inventory, now: datetime) -> Section:
    """The section of all webhooks and policies, as of a moment (certificates expire)."""
    gates: list[Gate] = []
    findings: list[Finding] = []
    for resource, mutating in _HOOKS:
        for configuration in inventory[f"{_GROUP}/{resource}"]:
            kind = "MutatingWebhookConfiguration" if mutating else "ValidatingWebhookConfiguration"
            for hook in configuration.get("webhooks") or ():
                about = f"{kind} {name_of(configuration)}, webhook {hook.get('name')}"
                found = list(_of_hook(about, hook, mutating=mutating, inventory=inventory, now=now))
                findings += found
                gates.append(_gate(about, hook, inventory, mutating, found))
    for kind, policies, bindings in _POLICIES:
        bound = inventory[f"{_GROUP}/{bindings}"]
        for policy in inventory[f"{_GROUP}/{policies}"]:
            found = list(
                _of_policy(kind, policy, [each for each in bound if _policy_of(each) == name_of(policy)])
            )
            findings += found
            gates.append(_policy_gate(kind, policy, inventory, found))
        findings += _without_policy(kind, inventory, policies, bindings)
    needed = [f"{_GROUP}/{each}" for each, _ in _HOOKS]
    needed += [f"{_GROUP}/{each}" for _, *both in _POLICIES for each in both]
    missing = inventory.missing("/namespaces", "/services", "discovery.k8s.io/endpointslices", *needed)
    return Section.of("webhooks", findings, judged=gates, missing=missing)


# Webhooks.


def _reach(hook: Mapping[str, Any], inventory: Inventory) -> Reach:
    return reach_of(hook.get("rules") or (), inventory.namespaces, hook.get("namespaceSelector"))


def _opens(hook: Mapping[str, Any]) -> bool:
    return bool(hook.get("failurePolicy") == "Ignore")


def _if_down(reach: Reach, *, opens: bool, mutating: bool) -> str:
    """What happens while it cannot be asked (W1)."""
    passes = "passes unchanged" if mutating else "passes unjudged"
    return f"{reach.told} {passes if opens else 'is refused'} {reach.where}"


def _gate(about: str, hook: JsonObject, inventory: Inventory, mutating: bool, found: list[Finding]) -> Gate:
    reach, opens = _reach(hook, inventory), _opens(hook)
    return Gate(
        name=about,
        matches=reach.told,
        where=reach.where,
        fails="open" if opens else "closed",
        timeout_seconds=int(hook.get("timeoutSeconds") or _TIMEOUT_SECONDS),
        asks=shown_target(hook.get("clientConfig") or {}),
        if_down=_if_down(reach, opens=opens, mutating=mutating),
        problems=tuple(each.check for each in found),
    )


def _of_hook(
    about: str, hook: JsonObject, *, mutating: bool, inventory: Inventory, now: datetime
) -> Iterator[Finding]:
    reach, opens = _reach(hook, inventory), _opens(hook)
    down = _if_down(reach, opens=opens, mutating=mutating)
    config: JsonObject = hook.get("clientConfig") or {}
    for each in problems_of(config, inventory, now):
        yield _of_target(about, each, opens=opens, down=down)
    if opens:
        yield Finding(
            check="fails-open",
            severity="low" if mutating else "medium",
            about=about,
            message=f"failurePolicy is Ignore: while it does not answer, {down}",
            advice="failurePolicy: Fail, with a namespaceSelector that leaves out what must never stand still",
        )
    else:
        yield from _closed(about, hook, reach)
    timeout = int(hook.get("timeoutSeconds") or _TIMEOUT_SECONDS)
    if timeout > _TIMEOUT_SECONDS:
        yield Finding(
            check="slow",
            severity="medium",
            about=about,
            message=f"timeoutSeconds is {timeout}: while it hangs, every {reach.told} waits as long",
            advice=f"timeoutSeconds: {_TIMEOUT_SECONDS} or less",
        )
    yield from _loose(about, hook, mutating=mutating)


def _of_target(about: str, problem: Problem, *, opens: bool, down: str) -> Finding:
    severity = "high" if problem.fails_now and not opens else "medium"
    told = f"{problem.told}: now {down}" if problem.fails_now else f"{problem.told}; then {down}"
    return Finding(check=problem.check, severity=severity, about=about, message=told)


def _closed(about: str, hook: JsonObject, reach: Reach) -> Iterator[Finding]:
    """What comes of failing closed where that reaches too far."""
    service = (hook.get("clientConfig") or {}).get("service") or {}
    home = str(service.get("namespace") or "")
    if home in reach.namespaces and not hook.get("objectSelector") and reach.matches("CREATE", "", "pods"):
        yield Finding(
            check="own-namespace",
            severity="high",
            about=about,
            message=f"it judges the Pods of its own namespace {home}: once they are gone, they cannot be made again",
            advice=f"leave {home} out: namespaceSelector with kubernetes.io/metadata.name NotIn [{home}]",
        )
    if reach.is_everything:
        yield Finding(
            check="everything",
            severity="high",
            about=about,
            message=f"it is asked about everything {reach.where}, leases and events included, and fails closed",
            advice="name the resources that it is about",
        )
    elif reach.vital:
        yield Finding(
            check="kube-system",
            severity="medium",
            about=about,
            message=f"while it does not answer, kube-system cannot heal: {', '.join(reach.vital)} are refused there",
            advice="leave kube-system out: namespaceSelector with kubernetes.io/metadata.name NotIn [kube-system]",
        )


def _loose(about: str, hook: JsonObject, *, mutating: bool) -> Iterator[Finding]:
    effects = hook.get("sideEffects", "Unknown")
    if effects not in ("None", "NoneOnDryRun"):
        yield Finding(
            check="side-effects",
            severity="low",
            about=about,
            message=f"sideEffects is {effects}: dry runs (kubectl diff, --dry-run=server) are refused where it matches",
            advice="sideEffects: None, or NoneOnDryRun, once that is so",
        )
    if mutating:
        return
    if hook.get("matchPolicy", "Equivalent") == "Exact":
        yield Finding(
            check="exact",
            severity="low",
            about=about,
            message="matchPolicy is Exact: the same objects in another version are not judged",
            advice="matchPolicy: Equivalent",
        )
    if hook.get("objectSelector"):
        yield Finding(
            check="opt-out",
            severity="low",
            about=about,
            message="its objectSelector is about labels that whoever writes an object chooses",
            advice="select namespaces instead, where labels are others' to set",
        )


# Policies.


def _policy_of(binding: JsonObject) -> str:
    return str((binding.get("spec") or {}).get("policyName") or "")


def _policy_gate(kind: str, policy: JsonObject, inventory: Inventory, found: list[Finding]) -> Gate:
    spec: JsonObject = policy.get("spec") or {}
    matching: JsonObject = spec.get("matchConstraints") or {}
    reach = reach_of(
        matching.get("resourceRules") or (),
        inventory.namespaces,
        matching.get("namespaceSelector"),
        matching.get("excludeResourceRules") or (),
    )
    opens = _opens(spec)
    mutating = kind == "MutatingAdmissionPolicy"
    return Gate(
        name=f"{kind} {name_of(policy)}",
        matches=reach.told,
        where=reach.where,
        fails="open" if opens else "closed",
        timeout_seconds=0,
        asks="nobody: the API server evaluates it",
        if_down=f"where an expression fails, {_if_down(reach, opens=opens, mutating=mutating)}",
        problems=tuple(each.check for each in found),
    )


def _of_policy(kind: str, policy: JsonObject, bindings: list[JsonObject]) -> Iterator[Finding]:
    about = f"{kind} {name_of(policy)}"
    spec: JsonObject = policy.get("spec") or {}
    if not bindings:
        yield Finding(
            check="unbound",
            severity="medium",
            about=about,
            message="no binding names it: it judges nothing",
            advice=f"apply a {kind}Binding with spec.policyName: {name_of(policy)}",
        )
    if _opens(spec):
        yield Finding(
            check="fails-open",
            severity="low",
            about=about,
            message="failurePolicy is Ignore: where an expression fails, the object passes",
            advice="failurePolicy: Fail",
        )
    actions = {
        action for each in bindings for action in (each.get("spec") or {}).get("validationActions") or ()
    }
    if kind == "ValidatingAdmissionPolicy" and bindings and "Deny" not in actions:
        yield Finding(
            check="not-denied",
            severity="info",
            about=about,
            message=f"no binding of it denies anything, only {' and '.join(sorted(actions)) or 'nothing'}",
        )
    warnings = ((policy.get("status") or {}).get("typeChecking") or {}).get("expressionWarnings") or ()
    if warnings:
        yield Finding(
            check="type-warnings",
            severity="medium",
            about=about,
            message="its expressions do not fit the kinds it matches: they will fail",
            evidence=tuple(
                f"{each.get('fieldRef')}: {' '.join(str(each.get('warning')).split())}" for each in warnings
            ),
        )


def _without_policy(kind: str, inventory: Inventory, policies: str, bindings: str) -> Iterator[Finding]:
    if not inventory.whole or f"{_GROUP}/{policies}" in inventory.unread:
        return
    known = {name_of(each) for each in inventory[f"{_GROUP}/{policies}"]}
    for each in inventory[f"{_GROUP}/{bindings}"]:
        if _policy_of(each) not in known:
            yield Finding(
                check="absent-policy",
                severity="medium",
                about=f"{kind}Binding {name_of(each)}",
                message=f"there is no {kind} {_policy_of(each)}: it binds nothing",
            )
