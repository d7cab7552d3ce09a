"""Writes judged with what is proposed, and without: what would newly be denied, warned of, audited or changed.

Sits on the plugins of the API server, which are asked what they think and do nothing about it.

Promises
    R1  a write counts as newly denied when what is proposed denies it and what is in force does not
    R2  what failed is told with what the failure policy makes of it; what is denied already is counted apart
    R3  mutating policies come first, as in the API server, and what they would change is told field by field
    R4  Pod Security judges with the labels that namespaces have, those that are proposed included
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kajitori.apimachinery.errors import ApiError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.structural.defaulting import copy_json
from kajitori.apiserver.admission import exempt
from kajitori.apiserver.admission.figures import AdmissionFigures
from kajitori.apiserver.admission.podsecurity import PodSecurity
from kajitori.apiserver.admission.policies.mutating import MutatingPolicies, Watch
from kajitori.apiserver.admission.policies.validating import ValidatingPolicies, Verdict
from kajitori.apiserver.admission.policies.watching import NotingAccount
from kajitori.apiserver.registry.call import Attributes
from kajitori.rehearsal.stage import Stage
from kajitori.rehearsal.writes import Write
from kajitori.world.clock import SYSTEM_CLOCK

__all__ = [
    "CHANGED",
    "DENIED",
    "ERROR",
    "Finding",
    "Judged",
    "Judges",
    "changes_of",
    "differences",
    "findings_of",
    "newly",
]

DENIED, WARNED, AUDITED, ERROR, CHANGED = "denied", "warned", "audited", "error", "changed"

_ACTIONS = {"Deny": DENIED, "Warn": WARNED, "Audit": AUDITED}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a policy has to say."""

    result: str
    """denied, warned, audited, changed; error for what had no value and is passed over."""
    policy: str
    binding: str = ""
    param: str = ""
    message: str = ""
    reason: str = ""


@dataclass(slots=True)
class Judged:
    """What became of one write."""

    write: Write
    attributes: Attributes
    """As validating policies saw it, after the mutating ones."""
    findings: list[Finding] = field(default_factory=list[Finding])
    cost: int = 0
    """Of the policy that cost most."""

    @property
    def is_denied(self) -> bool:
        return any(each.result == DENIED for each in self.findings)


class Judges:
    """The plugins, over the objects of a stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        figures = AdmissionFigures(SYSTEM_CLOCK)  # which nobody reads
        self.validating = ValidatingPolicies(stage.store, lambda: stage.registry, stage.authorizer, figures)
        self.mutating = MutatingPolicies(stage.store, lambda: stage.registry, stage.authorizer, figures)
        self.pod_security = PodSecurity(stage.store, SYSTEM_CLOCK)

    async def judge(self, write: Write) -> Judged:
        """What all policies that are on the stage have to say about a write."""
        attributes = write.attributes()
        judged = Judged(write, attributes)
        if write.resource.bucket in exempt.POLICIES | exempt.REVIEWS:
            return judged
        if write.resource.kind.namespaced:
            await self._stage.add_namespace(write.namespace)
        if write.obj is not None:
            attributes.obj = copy_json(write.obj)
        await self._change(attributes, judged)
        for verdict in await self.validating.verdicts(attributes, NotingAccount):
            judged.findings += findings_of(verdict)
            if isinstance(verdict.account, NotingAccount):
                judged.cost = max(judged.cost, verdict.account.spent)
        judged.findings += await self._pod_security(attributes)
        return judged

    async def mutate(self, attributes: Attributes, watch: Watch) -> ApiError | None:
        """Lets mutating policies change a write; gives why they refuse it."""
        try:
            for again in (False, True):
                attributes.reinvocation.again = again
                await self.mutating.watched(attributes, watch)
                if not attributes.reinvocation.needed:
                    break
        except ApiError as error:
            return error
        return None

    async def _change(self, attributes: Attributes, judged: Judged) -> None:
        if attributes.obj is None:
            return
        watch = Watch(NotingAccount)
        refusal = await self.mutate(attributes, watch)
        judged.findings += changes_of(watch, refusal)
        for _, account in watch.ran:
            assert isinstance(account, NotingAccount), "as asked for"
            judged.cost = max(judged.cost, account.spent)

    async def _pod_security(self, attributes: Attributes) -> list[Finding]:
        plugin, call = self.pod_security, attributes.call
        if not plugin.handles(attributes.operation, attributes.resource.bucket, attributes.subresource):
            return []
        assert call is not None, attributes
        call.warnings.clear()
        try:
            waiting = plugin.validate(attributes)
            if waiting is not None:
                await waiting
        except ApiError as error:
            return [Finding(DENIED, "PodSecurity", message=str(error), reason=error.reason)]
        return [Finding(WARNED, "PodSecurity", message=each) for each in call.warnings]


def findings_of(verdict: Verdict) -> Iterator[Finding]:
    """What one run of a validating policy says."""
    name = verdict.policy.name
    binding = "" if verdict.binding is None else verdict.binding.name
    actions: Sequence[str] = (
        () if verdict.binding is None else verdict.binding.spec.get("validationActions") or ()
    )
    metadata = (verdict.param or {}).get("metadata") or {}
    param = "/".join(filter(None, (metadata.get("namespace"), metadata.get("name"))))
    judgement = verdict.judgement
    if verdict.misfit:
        result = DENIED if judgement.misfit else ERROR
        yield Finding(result, name, binding, param, verdict.misfit, "Invalid")
    told: set[str] = set()
    for _, message, reason in judgement.failures:
        told.add(message)
        for action in actions:
            yield Finding(_ACTIONS[action], name, binding, param, message, reason or "Invalid")
    for message in judgement.broken:
        told.add(message)
        yield Finding(DENIED, name, binding, param, message, "Invalid")
    if isinstance(verdict.account, NotingAccount):
        for message in verdict.account.errors:
            if not any(message in each for each in told):
                yield Finding(ERROR, name, binding, param, message)
    for key, value in judgement.annotations:
        yield Finding(AUDITED, name, binding, param, f"{key}: {value}")


def changes_of(watch: Watch, refusal: ApiError | None) -> Iterator[Finding]:
    """What mutating policies did to one write."""
    for invocation, before, after in watch.seen:
        policy, binding, namespace, name = invocation.key
        param = "/".join(filter(None, (namespace, name)))
        told = "; ".join(differences(before, after))
        if told:
            yield Finding(CHANGED, policy, binding, param, told)
    for each in watch.failures:
        binding = "" if each.binding is None else each.binding.name
        result = ERROR if each.policy.fails_open else DENIED
        yield Finding(result, each.policy.name, binding, message=each.message, reason=each.reason)
    if refusal is not None and not any(not each.policy.fails_open for each in watch.failures):
        policy, binding = watch.ran[-1][0].key[:2] if watch.ran else ("MutatingAdmissionPolicy", "")
        yield Finding(DENIED, policy, binding, message=str(refusal), reason=refusal.reason)


def newly(now: Judged, then: Judged) -> Iterator[Finding]:
    """What is said with what is proposed, and was not said before; of a write that is denied already nothing (R1)."""
    known = {(each.result, each.policy, each.binding, each.message) for each in now.findings}
    for each in then.findings:
        if each.result == DENIED and now.is_denied:
            continue
        if (each.result, each.policy, each.binding, each.message) not in known:
            yield each


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """What has changed, a field each: `spec.replicas: 1 -> 3`."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in [*before, *(each for each in after if each not in before)]:
            below = f"{path}.{name}" if path else str(name)
            if name not in after:
                yield f"{below} removed"
            elif name not in before:
                yield f"{below} = {_short(after[name])}"
            else:
                yield from differences(before[name], after[name], below)
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            below = f"{path}[{index}]"
            if index >= len(after):
                yield f"{below} removed"
            elif index >= len(before):
                yield f"{below} = {_short(after[index])}"
            else:
                yield from differences(before[index], after[index], below)
    elif before != after:
        yield f"{path}: {_short(before)} -> {_short(after)}"


def _short(value: JsonObject | Any) -> str:
    import json

    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:119]}…"
