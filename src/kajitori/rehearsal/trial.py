"""A trial: some writes, judged without and with what is proposed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product

from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.admission.matching import Rule
from kajitori.apiserver.registry.resource import Resource
from kajitori.rehearsal.proposals import Proposals
from kajitori.rehearsal.recorded import Left
from kajitori.rehearsal.replay import CHANGED, DENIED, ERROR, Finding, Judged, Judges, newly
from kajitori.rehearsal.stage import Stage
from kajitori.rehearsal.writes import Write

__all__ = ["Trial", "matched_by", "params_of", "try_out"]


@dataclass(slots=True)
class Trial:
    """What came of it."""

    findings: list[tuple[Write, Finding]] = field(default_factory=list[tuple[Write, Finding]])
    writes: int = 0
    already: int = 0
    """Writes that are denied by what is in force."""
    cost: int = 0
    """Of the policy that cost most, of all writes."""
    left: Left = field(default_factory=Left)

    def writes_with(self, result: str) -> int:
        """How many writes have such a finding."""
        return len({id(write) for write, finding in self.findings if finding.result == result})

    @property
    def is_denied(self) -> bool:
        return self.writes_with(DENIED) > 0

    @property
    def counts(self) -> dict[str, int]:
        """Writes by result."""
        return {each: self.writes_with(each) for each in (DENIED, "warned", "audited", CHANGED, ERROR)}

    @property
    def by_policy(self) -> Counter[str]:
        """How many findings each policy has."""
        return Counter(finding.policy for _, finding in self.findings)


async def matched_by(
    stage: Stage, proposals: Proposals, operations: Iterable[str], *, parts: bool = False
) -> list[Resource]:
    """The resources whose writes something proposed may be about, each in the version that it is kept in.

    `parts`: or writes of their subresources.
    """
    specs = [stage.decoded(each)["spec"] for each in proposals.policies] + _concerned(stage, proposals)
    rules = [
        Rule.of(rule)
        for spec in specs
        for rule in (spec.get("matchConstraints") or {}).get("resourceRules") or ()
    ]
    namespaces = {
        each["metadata"]["name"] for _, each in proposals.objects if each.get("kind") == "Namespace"
    }
    found: list[Resource] = []
    for each in stage.catalog.all():
        if not each.stored or each.kind != each.storage_kind:
            continue
        versions = [each, *stage.registry.equivalents(each)]
        below = ("", *each.subresources) if parts else ("",)
        asked = product(rules, operations, versions, below)
        if any(rule.matches(operation, one, part) for rule, operation, one, part in asked) or (
            namespaces and each.bucket == "/pods"
        ):
            found.append(each)
    return found


def _concerned(stage: Stage, proposals: Proposals) -> list[JsonObject]:
    """The specs of policies in force of which something else is proposed: a binding, parameters, roles."""
    bound = {(each.get("spec") or {}).get("policyName") for _, each in proposals.objects}
    others = [
        each
        for _, each in proposals.objects
        if not str(each.get("apiVersion")).startswith("admissionregistration.")
    ]
    return [
        each["spec"]
        for plural in ("validatingadmissionpolicies", "mutatingadmissionpolicies")
        for each in stage.all(f"admissionregistration.k8s.io/{plural}")
        if others or each["metadata"]["name"] in bound
    ]


def params_of(stage: Stage, proposals: Proposals) -> list[Resource]:
    """The resources that parameters of policies are kept in, those in force included."""
    specs = [each.get("spec") or {} for each in proposals.policies]
    for plural in ("validatingadmissionpolicies", "mutatingadmissionpolicies"):
        specs += [each["spec"] for each in stage.all(f"admissionregistration.k8s.io/{plural}")]
    kinds = [each["paramKind"] for each in specs if each.get("paramKind")]
    found = [
        stage.registry.resource_of_kind(each.get("apiVersion", ""), each.get("kind", "")) for each in kinds
    ]
    buckets = {each.bucket for each in found if each is not None}
    return [each for each in stage.catalog.all() if each.bucket in buckets and each.kind == each.storage_kind]


async def try_out(stage: Stage, proposals: Proposals, writes: Sequence[Write], left: Left) -> Trial:
    """Judges all writes twice. Raises: Unfit."""
    trial = Trial(writes=len(writes), left=left)
    judges = Judges(stage)
    before: list[Judged] = [await judges.judge(each) for each in writes]
    await proposals.put(stage)
    try:
        for now in before:
            then = await judges.judge(now.write)
            trial.already += now.is_denied
            trial.cost = max(trial.cost, then.cost)
            trial.findings += [(now.write, each) for each in newly(now, then)]
    finally:
        await proposals.take_away(stage)
    return trial
