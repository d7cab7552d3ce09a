"""How `kajitori policy` shows what it found: tables for people, JSON and YAML for programs."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import yaml

from kajitori.apimachinery.cel.cost import UINT64_MAX
from kajitori.apimachinery.cel.kubernetes import RUNTIME_COST_BUDGET
from kajitori.apimachinery.cel.show import formatted
from kajitori.apiserver.authentication import User
from kajitori.cli.cel_output import explanation_lines, explanation_told, json_told
from kajitori.rehearsal.expectations import Outcome
from kajitori.rehearsal.explaining import Bound, Explanation, Run, Step
from kajitori.rehearsal.proposals import Looked
from kajitori.rehearsal.replay import Finding
from kajitori.rehearsal.trial import Trial

__all__ = ["printed_explanation", "printed_trial"]

ROWS_MAX = 200
"""Findings that a table shows; JSON and YAML have them all."""

REASONS_MAX = 20
"""Reasons of what could not be judged, the commonest first."""


def printed_trial(
    title: str,
    user: User,
    looked: Sequence[Looked],
    trial: Trial | None,
    outcomes: Sequence[Outcome],
    notes: Sequence[str],
    output: str,
) -> Iterator[str]:
    """The lines of `policy test`."""
    if output != "table":
        yield _document(_trial_told(title, user, looked, trial, outcomes, notes), output)
        return
    yield from _looked(looked)
    if trial is not None:
        yield ""
        yield f"against {title}, as {_who(user)}" if not title.startswith("audit log") else f"against {title}"
        yield from _findings(trial)
    if outcomes:
        yield ""
        yield from _outcomes(outcomes)
    yield from (f"note: {each}" for each in notes)


def _who(user: User) -> str:
    groups = [each for each in user.groups if each != "system:authenticated"]
    return f"{user.name} ({', '.join(groups)})" if groups else user.name


def _looked(looked: Sequence[Looked]) -> Iterator[str]:
    rows = [
        (
            each.name,
            ", ".join(each.bindings) or "-",
            str(each.expressions),
            _cost(each.cost),
            str(len(each.warnings)),
        )
        for each in looked
    ]
    if rows:
        yield from _table(("POLICY", "BINDINGS", "EXPRESSIONS", "COST", "WARNINGS"), rows)
    for each in looked:
        for where, text in each.warnings:
            yield f"warning: {each.name}: {where}:"
            yield from (f"  {line}" for line in text.splitlines() if line.strip())


def _cost(cost: tuple[int, int]) -> str:
    least, most = cost
    if most > RUNTIME_COST_BUDGET:
        return f"{least} or more"
    return str(least) if least == most else f"{least} to {most}"


def _findings(trial: Trial) -> Iterator[str]:
    rows = [
        (
            finding.result,
            write.operation,
            write.shown,
            "/".join(filter(None, (finding.policy, finding.binding, finding.param))),
            finding.message + (f" [{write.origin}, {write.user.name}]" if write.origin else ""),
        )
        for write, finding in trial.findings[:ROWS_MAX]
    ]
    if rows:
        yield from _table(("RESULT", "OPERATION", "OBJECT", "POLICY", "MESSAGE"), rows)
    if len(trial.findings) > ROWS_MAX:
        yield f"... and {len(trial.findings) - ROWS_MAX} more; -o json has them all"
    counts = trial.counts
    said = [f"{counts['denied']} newly denied"]
    said += [f"{count} {name}" for name, count in counts.items() if count and name != "denied"]
    if trial.already:
        said.append(f"{trial.already} denied already")
    yield f"{trial.writes} replayed: {', '.join(said)}; the costliest took {trial.cost} of {RUNTIME_COST_BUDGET}"
    reasons = trial.left.reasons.most_common()
    yield from (f"not replayable: {count}: {reason}" for reason, count in reasons[:REASONS_MAX])
    if len(reasons) > REASONS_MAX:
        yield f"not replayable: {len(reasons) - REASONS_MAX} reasons more; -o json has them all"


def _outcomes(outcomes: Sequence[Outcome]) -> Iterator[str]:
    rows = [
        ("failed" if each.failed else "ok", each.test, each.case.name, each.case.expect, each.failed)
        for each in outcomes
    ]
    yield from _table(("RESULT", "TEST", "CASE", "EXPECTED", "BUT"), rows)
    bad = sum(1 for each in outcomes if each.failed)
    yield f"{len(outcomes)} cases: {f'{bad} failed' if bad else 'all as expected'}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    rows = [[" ".join(cell.split()) for cell in row] for row in rows]
    widths = [max(len(row[index]) for row in (heads, *rows)) for index in range(len(heads))]
    for row in (heads, *rows):
        yield "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _trial_told(
    title: str,
    user: User,
    looked: Sequence[Looked],
    trial: Trial | None,
    outcomes: Sequence[Outcome],
    notes: Sequence[str],
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "policies": [
            {
                "kind": each.kind,
                "name": each.name,
                "bindings": each.bindings,
                "checkedAgainst": each.kinds,
                "expressions": each.expressions,
                "estimatedCost": {"min": each.cost[0], "max": min(each.cost[1], UINT64_MAX)},
                "warnings": [{"fieldRef": where, "warning": text} for where, text in each.warnings],
            }
            for each in looked
        ]
    }
    if trial is not None:
        told["against"] = title
        told["user"] = user.to_json()
        told["summary"] = {
            "replayed": trial.writes,
            **trial.counts,
            "deniedAlready": trial.already,
            "costliest": trial.cost,
            "notReplayable": dict(trial.left.reasons),
        }
        told["findings"] = [
            {
                "operation": write.operation,
                "resource": write.resource.kind.group_resource,
                "namespace": write.namespace,
                "name": write.name,
                **_finding(finding),
                **({"origin": write.origin, "user": write.user.name} if write.origin else {}),
            }
            for write, finding in trial.findings
        ]
    if outcomes:
        told["tests"] = [
            {
                "test": each.test,
                "case": each.case.name,
                "expected": each.case.expect,
                "ok": not each.failed,
                **({"problem": each.failed} if each.failed else {}),
                "findings": [_finding(one) for one in each.findings],
            }
            for each in outcomes
        ]
    if notes:
        told["notes"] = list(notes)
    return told


def _finding(finding: Finding) -> dict[str, str]:
    told = {
        name: str(getattr(finding, name))
        for name in ("result", "policy", "binding", "param", "message", "reason")
    }
    return {name: text for name, text in told.items() if text}


def _document(told: Any, output: str) -> str:
    if output == "json":
        return msgspec.json.format(msgspec.json.encode(told)).decode()
    text: str = yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=1000)
    return text.rstrip()


# Explanations.


def printed_explanation(
    title: str, explanations: Sequence[Explanation], notes: Sequence[str], output: str, *, everything: bool
) -> Iterator[str]:
    """The lines of `policy explain`."""
    if output != "table":
        told = [_explanation_told(each) for each in explanations]
        yield _document(told[0] if len(told) == 1 else told, output)
        return
    for number, each in enumerate(explanations):
        if number:
            yield ""
        yield f"{each.write.operation} {each.write.shown}, as {_who(each.write.user)}, by {title}"
        yield from _explanation(each, everything=everything)
    yield from (f"note: {each}" for each in notes)


def _explanation(explanation: Explanation, *, everything: bool) -> Iterator[str]:
    for each in explanation.bound:
        if not each.misses:
            yield from _bound(each, explanation)
    silent = [each for each in explanation.bound if each.misses]
    if silent:
        yield ""
        yield "not about it:"
        yield from (f"  {_called(each)}: {each.misses}" for each in silent)
    own = [each for each in explanation.findings if each.policy == "PodSecurity"]
    yield ""
    yield "Pod Security: " + ("; ".join(f"{each.result}: {each.message}" for each in own) or "nothing to say")
    yield from (f"quota: {each}" for each in explanation.quota)
    for sort, configuration, name, why in explanation.webhooks:
        if not why:
            yield f"{sort} webhook {configuration}/{name}: would be called"
        elif everything:
            yield f"{sort} webhook {configuration}/{name}: would not be called: {why}"
    denied = [each for each in explanation.findings if each.result == "denied"]
    yield ""
    yield f"it is denied: {denied[0].message}" if denied else "it is let through"


def _called(bound: Bound) -> str:
    return f"{bound.kind} {bound.policy}" + (f" with binding {bound.binding}" if bound.binding else "")


def _bound(bound: Bound, explanation: Explanation) -> Iterator[str]:
    policy = "passed over" if bound.fails_open else "refused"
    actions = ", ".join(bound.actions) or "changes"
    yield ""
    yield f"{_called(bound)} ({actions}; what fails is {policy})"
    for run in bound.runs:
        yield from _run(run, explanation.budgets)


def _run(run: Run, budgets: tuple[int, int]) -> Iterator[str]:
    if run.param:
        yield f"  parameter {run.param}"
    if run.misfit:
        yield f"  it cannot be used: {run.misfit}"
        return
    for step in run.steps:
        yield from _step(step)
    if run.skipped:
        yield f"  it is skipped: match condition {run.skipped} is false"
    conditions, rest = run.cost(conditions=True), run.cost(conditions=False)
    spent = f"  cost {rest} of {budgets[1]}"
    yield spent + (f", match conditions {conditions} of {budgets[0]}" if conditions else "")
    yield from (f"  {each.result}: {each.message}" for each in run.findings)


def _step(step: Step) -> Iterator[str]:
    if step.wrong:
        yield f"  {step.what}: {step.wrong}"
    elif step.ran is None:
        yield f"  {step.what}: not evaluated"
    else:
        value = f"error: {step.ran.error}" if step.ran.error else _short(formatted(step.ran.value))
        yield f"  {step.what}: {value}"
        yield from (f"    {line}" for line in explanation_lines(step.ran.explained))


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:99]}…"


def _explanation_told(explanation: Explanation) -> dict[str, Any]:
    write = explanation.write
    return {
        "operation": write.operation,
        "resource": write.resource.kind.group_resource,
        "namespace": write.namespace,
        "name": write.name,
        "user": write.user.to_json(),
        "denied": explanation.is_denied,
        "findings": [_finding(each) for each in explanation.findings],
        "policies": [_bound_told(each) for each in explanation.bound],
        "webhooks": [
            {"sort": sort, "configuration": configuration, "name": name, "called": not why}
            | ({"why": why} if why else {})
            for sort, configuration, name, why in explanation.webhooks
        ],
        "quota": explanation.quota,
    }


def _bound_told(bound: Bound) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": bound.kind, "policy": bound.policy, "binding": bound.binding}
    told |= {"actions": list(bound.actions), "failurePolicy": "Ignore" if bound.fails_open else "Fail"}
    told["matches"] = not bound.misses
    if bound.misses:
        return told | {"why": bound.misses}
    told["runs"] = [
        {
            "param": run.param,
            "expressions": [_step_told(each) for each in run.steps],
            "skippedBy": run.skipped,
            "misfit": run.misfit,
            "cost": run.cost(conditions=False),
            "conditionsCost": run.cost(conditions=True),
            "findings": [_finding(each) for each in run.findings],
        }
        for run in bound.runs
    ]
    return told


def _step_told(step: Step) -> dict[str, Any]:
    told: dict[str, Any] = {"what": step.what, "expression": step.text, "evaluated": step.ran is not None}
    if step.wrong:
        told["error"] = step.wrong
    if step.ran is not None:
        told |= {"error": step.ran.error} if step.ran.error else {"value": json_told(step.ran.value)}
        told |= {"cost": step.ran.cost, "charged": step.ran.charged}
        told["explanation"] = explanation_told(step.ran.explained)
    return told
