"""What teams expect of their policies, kept in git beside them: given this write, expect that.

Promises
    X1  a file that says something that nobody understands is refused, with the place
    X2  a case fails when another result comes, or the message or the policy is another; what came is told
    X3  every case is judged with the policies and the objects of its files, and nothing else

The form is this project's own: `apiVersion: policy.kajitori.dev/v1alpha1`, `kind: PolicyTest`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.authentication import User
from kajitori.rehearsal.replay import CHANGED, DENIED, ERROR, Finding, Judges
from kajitori.rehearsal.stage import Stage, Unfit
from kajitori.rehearsal.writes import of_objects

__all__ = ["API_VERSION", "KIND", "Case", "Outcome", "PolicyTest", "Who", "checked", "read_test"]

API_VERSION, KIND = "policy.kajitori.dev/v1alpha1", "PolicyTest"

Expected = Literal["allow", "deny", "warn", "audit", "change", "error"]

_RESULTS = {"deny": DENIED, "warn": "warned", "audit": "audited", "change": CHANGED, "error": ERROR}


class Who(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As `authentication.k8s.io/v1` UserInfo says it."""

    username: str = "kubernetes-admin"
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: dict[str, tuple[str, ...]] = {}


class Case(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One write, and what is to become of it."""

    name: str
    expect: Expected
    operation: Literal["", "CREATE", "UPDATE", "DELETE"] = ""
    """By default what fits the objects."""
    object: JsonObject | None = None
    old_object: JsonObject | None = None
    file: str = ""
    """In place of `object`."""
    old_file: str = ""
    subresource: str = ""
    user: Who = Who()
    message: str = ""
    """A part of what is said."""
    policy: str = ""
    """Who says it."""


class _Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    files: tuple[str, ...] = ()
    cases: tuple[Case, ...] = ()


class PolicyTest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A file of cases."""

    spec: _Spec
    api_version: str = API_VERSION
    kind: str = KIND
    metadata: dict[str, Any] = {}

    @property
    def name(self) -> str:
        return str(self.metadata.get("name") or "")


@dataclass(slots=True)
class Outcome:
    """What came of a case."""

    test: str
    case: Case
    failed: str = ""
    """Why it is not as expected; empty where it is."""
    findings: list[Finding] = field(default_factory=list[Finding])


def read_test(obj: JsonObject) -> PolicyTest:
    """A test as it stands in a file. Raises: Unfit."""
    if obj.get("apiVersion") != API_VERSION:
        raise Unfit(f"apiVersion: write {API_VERSION}")
    try:
        found = msgspec.convert(obj, PolicyTest)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$.")
        raise Unfit(f"{place.rstrip('`') or 'the test'}: {what}") from None
    if not found.spec.cases:
        raise Unfit("spec.cases: there is no case in it")
    return found


async def checked(stage: Stage, test: PolicyTest, load: Callable[[str], JsonObject]) -> list[Outcome]:
    """Judges all cases by what is on the stage. `load` reads an object that is named by its file.

    Raises: Unfit for a case that is no write.
    """
    judges = Judges(stage)
    return [await _checked(stage, judges, test, index, load) for index, _ in enumerate(test.spec.cases)]


async def _checked(
    stage: Stage, judges: Judges, test: PolicyTest, index: int, load: Callable[[str], JsonObject]
) -> Outcome:
    case = test.spec.cases[index]
    where = f"{test.name or KIND}: spec.cases[{index}]"
    try:
        new = load(case.file) if case.file else case.object
        old = load(case.old_file) if case.old_file else case.old_object
        operation = case.operation or _operation(new, old)
        if operation == "DELETE":
            old, new = old or new, None
        if new is None and old is None:
            raise Unfit("give object, oldObject, file or oldFile")
        write = of_objects(stage, operation, new, old, _user(case.user), case.subresource)
    except Unfit as error:
        raise Unfit(f"{where}: {error}") from None
    judged = await judges.judge(write)
    outcome = Outcome(test.name, case, findings=judged.findings)
    outcome.failed = _failed(case, judged.findings)
    return outcome


def _operation(new: JsonObject | None, old: JsonObject | None) -> str:
    if old is None:
        return "CREATE"
    return "DELETE" if new is None else "UPDATE"


def _user(who: Who) -> User:
    groups = who.groups
    if "system:authenticated" not in groups:
        groups = (*groups, "system:authenticated")
    return User(who.username, who.uid, groups, who.extra)


def _failed(case: Case, findings: list[Finding]) -> str:
    denied = [each for each in findings if each.result == DENIED]
    if case.expect == "allow":
        return f"it is denied: {_told(denied[0])}" if denied else ""
    if denied and case.expect in ("warn", "change"):
        return f"it is denied: {_told(denied[0])}"
    wanted = [each for each in findings if each.result == _RESULTS[case.expect]]
    if not wanted:
        others = "; ".join(f"{each.result}: {_told(each)}" for each in findings)
        return f"nothing is {_RESULTS[case.expect]}" + (
            f", but {others}" if others else ", and nothing else is said"
        )
    fitting = [each for each in wanted if case.message in each.message]
    if not fitting:
        return f"the message is {wanted[0].message!r}"
    if case.policy and not any(case.policy in each.policy.split(", ") for each in fitting):
        return f"it is policy {fitting[0].policy} that says so"
    return ""


def _told(finding: Finding) -> str:
    binding = f"/{finding.binding}" if finding.binding else ""
    return f"{finding.policy}{binding}: {finding.message}"
