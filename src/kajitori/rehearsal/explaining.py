"""Everything that is said of one write, and why: each policy, binding, expression and part of it.

Promises
    E1  a policy or binding that is not about the write says what keeps it from being
    E2  of each expression that was run there is its value or error, its cost, and the same of its parts
    E3  webhooks that would be called are named and not called; Pod Security and quotas give their verdict
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kajitori.apimachinery.cel.expression import Expression
from kajitori.apimachinery.cel.kubernetes import MATCH_CONDITIONS_COST_BUDGET, RUNTIME_COST_BUDGET
from kajitori.apimachinery.errors import ApiError
from kajitori.apimachinery.structural.defaulting import copy_json
from kajitori.apiserver.admission import exempt
from kajitori.apiserver.admission.figures import AdmissionFigures
from kajitori.apiserver.admission.ledger import Ledger
from kajitori.apiserver.admission.policies.bound import Binding, Policy
from kajitori.apiserver.admission.policies.validating import ValidatingPolicy, Verdict
from kajitori.apiserver.admission.policies.watching import Ran, WatchedAccount
from kajitori.apiserver.admission.quotas import ResourceQuota
from kajitori.apiserver.admission.webhooks import MutatingWebhooks, ValidatingWebhooks
from kajitori.apiserver.registry.call import Attributes
from kajitori.apiserver.webhooks import WebhookCaller
from kajitori.rehearsal.replay import Finding, Judged, Judges, findings_of
from kajitori.rehearsal.stage import Stage
from kajitori.rehearsal.writes import Write
from kajitori.world.clock import SYSTEM_CLOCK

__all__ = ["Bound", "Explanation", "Run", "Step", "explained"]


@dataclass(slots=True)
class Step:
    """One expression of a policy."""

    what: str
    """`matchCondition x`, `variable y`, `validation 1`, `message 1`, `auditAnnotation k`."""
    text: str
    ran: Ran | None
    """None where it was not needed."""
    wrong: str = ""
    """Why it cannot be run at all."""


@dataclass(slots=True)
class Run:
    """A policy, run with one binding and one parameter."""

    param: str
    steps: list[Step] = field(default_factory=list[Step])
    findings: list[Finding] = field(default_factory=list[Finding])
    misfit: str = ""
    skipped: str = ""
    """The match condition that is false."""

    def cost(self, *, conditions: bool) -> int:
        """What was charged to the budget of match conditions, or of the rest, of which the second is larger."""
        return sum(
            each.ran.charged
            for each in self.steps
            if each.ran is not None
            and not each.what.startswith("variable")
            and each.what.startswith("matchCondition") == conditions
        )


@dataclass(slots=True)
class Bound:
    """A policy with one binding, or none."""

    kind: str
    policy: str
    binding: str
    actions: Sequence[str]
    fails_open: bool
    misses: str = ""
    """Why it is not about the write; empty where it is."""
    runs: list[Run] = field(default_factory=list[Run])


@dataclass(slots=True)
class Explanation:
    """All of it."""

    write: Write
    bound: list[Bound]
    findings: list[Finding]
    webhooks: list[tuple[str, str, str, str]]
    """Sort, configuration, name, and why it would not be called."""
    quota: list[str]
    """What quotas say."""
    budgets: tuple[int, int] = MATCH_CONDITIONS_COST_BUDGET, RUNTIME_COST_BUDGET

    @property
    def is_denied(self) -> bool:
        return any(each.result == "denied" for each in self.findings)


async def explained(stage: Stage, write: Write) -> Explanation:
    """What is said of a write, by whom, and why."""
    judges = Judges(stage)
    if write.resource.kind.namespaced:
        await stage.add_namespace(write.namespace)
    judged: Judged = await judges.judge(write)
    attributes = judged.attributes
    verdicts: list[Verdict] = []
    if write.resource.bucket not in exempt.POLICIES | exempt.REVIEWS:
        verdicts = await judges.validating.verdicts(attributes, WatchedAccount)
    bound = [
        *_bound(
            stage, "MutatingAdmissionPolicy", judges.mutating.bound(write.resource), write.attributes(), ()
        ),
        *_bound(
            stage, "ValidatingAdmissionPolicy", judges.validating.bound(write.resource), attributes, verdicts
        ),
    ]
    return Explanation(
        write, bound, judged.findings, await _webhooks(stage, attributes), _quota(stage, attributes)
    )


def _bound(
    stage: Stage,
    kind: str,
    known: Sequence[tuple[Policy, Sequence[Binding]]],
    attributes: Attributes,
    verdicts: Sequence[Verdict],
) -> Iterator[Bound]:
    plural = f"{kind[:-1]}ies".lower()
    specs = {
        each["metadata"]["name"]: each["spec"] for each in stage.all(f"admissionregistration.k8s.io/{plural}")
    }
    names = {policy.name for policy, _ in known}
    for policy, bindings in known:
        misses = _misses(policy.matching.misses, stage, attributes)
        if not misses and kind.startswith("Mutating") and attributes.operation == "DELETE":
            misses = "mutating policies are not asked about deletions"
        for binding in bindings:
            found = Bound(
                kind,
                policy.name,
                binding.name,
                binding.spec.get("validationActions") or (),
                policy.fails_open,
            )
            found.misses = misses
            if not misses and binding.matching is not None:
                told = _misses(binding.matching.misses, stage, attributes)
                found.misses = f"the binding: {told}" if told else ""
            found.runs = [
                _run(each, specs.get(policy.name) or {})
                for each in verdicts
                if each.policy is policy and (each.binding is None or each.binding.name == binding.name)
            ]
            if not found.misses and not found.runs and kind.startswith("Validating"):
                found.misses = "its binding finds no parameters, and allows that"
            yield found
    exempted = attributes.resource.bucket in exempt.POLICIES | exempt.REVIEWS
    why = "policies judge neither policies nor reviews" if exempted else "it has no binding"
    for name, spec in specs.items():
        if name not in names:
            yield Bound(kind, name, "", (), spec.get("failurePolicy") == "Ignore", why)


def _misses(ask: Any, stage: Stage, attributes: Attributes) -> str:
    try:
        told: str = ask(attributes, stage.registry)
    except ApiError as error:
        return f"this cannot be told: {error}"
    return told


def _run(verdict: Verdict, spec: Mapping[str, Any]) -> Run:
    metadata = (verdict.param or {}).get("metadata") or {}
    run = Run(
        "/".join(filter(None, (metadata.get("namespace"), metadata.get("name")))), misfit=verdict.misfit
    )
    run.findings = list(findings_of(verdict))
    account = verdict.account
    if not isinstance(account, WatchedAccount):
        return run

    def step(what: str, expression: Expression) -> Step:
        return Step(what, expression.text.strip(), account.ran(expression), expression.error)

    policy: ValidatingPolicy = verdict.policy
    for condition, said in zip(policy.conditions, spec.get("matchConditions") or (), strict=True):
        found = step(f"matchCondition {said['name']}", condition)
        run.steps.append(found)
        if found.ran is not None and not found.ran.error and found.ran.value is not True and not run.skipped:
            run.skipped = said["name"]
    run.steps += [step(f"variable {name}", each) for name, each in policy.variables.items()]
    for position, validation in enumerate(policy.validations):
        run.steps.append(step(f"validation {position}", validation.condition))
        if validation.message_expression is not None:
            run.steps.append(step(f"message {position}", validation.message_expression))
    run.steps += [step(f"auditAnnotation {key}", each) for key, each in policy.annotations]
    return run


async def _webhooks(stage: Stage, attributes: Attributes) -> list[tuple[str, str, str, str]]:
    found: list[tuple[str, str, str, str]] = []
    if attributes.resource.bucket in exempt.WEBHOOKS:
        return found
    caller = WebhookCaller(stage.store)
    for sort, plugin in (("mutating", MutatingWebhooks), ("validating", ValidatingWebhooks)):
        hooks = plugin(
            stage.store, lambda: stage.registry, caller, stage.authorizer, AdmissionFigures(SYSTEM_CLOCK)
        )
        found += [(sort, *each) for each in await hooks.called(attributes)]
    return found


def _quota(stage: Stage, attributes: Attributes) -> list[str]:
    quotas = stage.catalog.find("", "v1", "resourcequotas")
    assert quotas is not None
    ledger = Ledger(stage.store, lambda: stage.registry, lambda: quotas)
    plugin = ResourceQuota(stage.store, ledger, SYSTEM_CLOCK)
    kind = attributes.resource.kind
    if not kind.namespaced or not stage.store.count(quotas.bucket, f"{attributes.namespace}/"):
        return []
    if not plugin.handles(attributes.operation, attributes.resource.bucket, attributes.subresource):
        return []
    asked = attributes
    asked.obj = copy_json(attributes.obj)
    try:
        plugin.validate(asked)
    except ApiError as error:
        return [f"denied: {error}"]
    if asked.charge is None:
        return ["it uses nothing that a quota limits"]
    asked.charge.release()
    return ["within the quotas of the namespace"]
