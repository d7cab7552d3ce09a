"""Everything that is said of one write, and why: each policy, binding, expression and part of it.

Promises
    E1  a policy or binding that is not about the write says what keeps it from being
    E2  of each expression that was run there is its value or error, its cost, and the same of its parts
    E3  webhooks that would be called are named and not called; Pod Security and quotas give their verdict
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kajitori.apimachinery.cel.expression import Expression
from kajitori.apimachinery.cel.kubernetes import MATCH_CONDITIONS_COST_BUDGET, RUNTIME_COST_BUDGET
from kajitori.apimachinery.errors import ApiError
from kajitori.apimachinery.structural.defaulting import copy_json
from kajitori.apiserver.admission import exempt
from kajitori.apiserver.admission.figures import AdmissionFigures
from kajitori.apiserver.admission.ledger import Ledger
from kajitori.apiserver.admission.policies.bound import Binding, Key, Policy
from kajitori.apiserver.admission.policies.mutating import MutatingPolicy, Watch
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
    watch = Watch(WatchedAccount)
    if write.obj is not None and write.resource.bucket not in exempt.POLICIES | exempt.REVIEWS:
        trial = write.attributes()
        trial.obj = copy_json(write.obj)
        await judges.mutate(trial, watch)
    verdicts: list[Verdict] = []
    if write.resource.bucket not in exempt.POLICIES | exempt.REVIEWS:
        verdicts = await judges.validating.verdicts(attributes, WatchedAccount)
    mutating = judges.mutating.bound(write.resource), write.attributes(), _mutations(watch, judged.findings)
    validating = judges.validating.bound(write.resource), attributes, _validations(verdicts)
    bound = [
        *_bound(stage, "MutatingAdmissionPolicy", *mutating),
        *_bound(stage, "ValidatingAdmissionPolicy", *validating),
    ]
    return Explanation(
        write, bound, judged.findings, await _webhooks(stage, attributes), _quota(stage, attributes)
    )


def _bound(
    stage: Stage,
    kind: str,
    known: Sequence[tuple[Policy, Sequence[Binding]]],
    attributes: Attributes,
    runs: Sequence[tuple[Policy, str, Run]],
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
            found.runs = [run for of, name, run in runs if of is policy and name in ("", binding.name)]
            for run in found.runs:
                _name_conditions(run, specs.get(policy.name) or {})
            if not found.misses and not found.runs:
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


_RanOf = Callable[[Expression], Ran | None]


def _validations(verdicts: Sequence[Verdict]) -> list[tuple[Policy, str, Run]]:
    """The runs of validating policies, with their bindings' names."""
    found: list[tuple[Policy, str, Run]] = []
    for verdict in verdicts:
        metadata = (verdict.param or {}).get("metadata") or {}
        param = "/".join(filter(None, (metadata.get("namespace"), metadata.get("name"))))
        run = Run(param, misfit=verdict.misfit, findings=list(findings_of(verdict)))
        if isinstance(verdict.account, WatchedAccount):
            run.steps = [
                *_shared(verdict.policy, verdict.account.ran),
                *_judging(verdict.policy, verdict.account.ran),
            ]
        found.append((verdict.policy, "" if verdict.binding is None else verdict.binding.name, run))
    return found


def _mutations(watch: Watch, findings: Sequence[Finding]) -> list[tuple[Policy, str, Run]]:
    """The same of mutating policies, which run in an account for each mutation; of two rounds the first is told."""
    accounts: dict[Key, list[WatchedAccount]] = {}
    policies: dict[Key, MutatingPolicy] = {}
    for invocation, account in watch.ran:
        assert isinstance(account, WatchedAccount), "as asked for"
        accounts.setdefault(invocation.key, []).append(account)
        policies[invocation.key] = invocation.policy
    found: list[tuple[Policy, str, Run]] = []
    for key, several in accounts.items():

        def ran(expression: Expression, several: Sequence[WatchedAccount] = several) -> Ran | None:
            return next((one for each in several if (one := each.ran(expression)) is not None), None)

        policy, binding, param = policies[key], key[1], "/".join(filter(None, key[2:]))
        run = Run(param)
        run.findings = [
            each
            for each in findings
            if (each.policy, each.binding) == (policy.name, binding) and each.param in ("", param)
        ]
        run.steps = [*_shared(policy, ran), *_mutating(policy, ran)]
        found.append((policy, binding, run))
    known = {(policy.name, binding) for policy, binding, _ in found}
    for failure in watch.failures:
        binding = "" if failure.binding is None else failure.binding.name
        if (failure.policy.name, binding) not in known:
            found.append((failure.policy, binding, Run("", misfit=failure.message)))
    return found


def _step(what: str, expression: Expression, ran: _RanOf) -> Step:
    return Step(what, expression.text.strip(), ran(expression), expression.error)


def _shared(policy: Policy, ran: _RanOf) -> Iterator[Step]:
    """What both sorts of policies have."""
    for position, condition in enumerate(policy.conditions):
        yield _step(f"matchCondition {position}", condition, ran)
    for name, variable in policy.variables.items():
        yield _step(f"variable {name}", variable, ran)


def _judging(policy: ValidatingPolicy, ran: _RanOf) -> Iterator[Step]:
    for position, validation in enumerate(policy.validations):
        yield _step(f"validation {position}", validation.condition, ran)
        if validation.message_expression is not None:
            yield _step(f"message {position}", validation.message_expression, ran)
    for key, annotation in policy.annotations:
        yield _step(f"auditAnnotation {key}", annotation, ran)


def _mutating(policy: MutatingPolicy, ran: _RanOf) -> Iterator[Step]:
    for position, mutation in enumerate(policy.mutations):
        yield _step(f"mutation {position}", mutation.expression, ran)


def _name_conditions(run: Run, spec: Mapping[str, Any]) -> None:
    """Calls match conditions what the policy calls them, and says which of them is false."""
    for step, said in zip(run.steps, spec.get("matchConditions") or (), strict=False):
        step.what = f"matchCondition {said['name']}"
        if step.ran is not None and not step.ran.error and step.ran.value is not True and not run.skipped:
            run.skipped = said["name"]


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
