"""`kajitori policy test` and `policy explain`: what policies would do, before they do it. Nothing is changed."""

import argparse
import asyncio
from collections.abc import Sequence
from functools import partial

from kajitori.apimachinery.errors import ApiError
from kajitori.cli.main import CommandError
from kajitori.cli.policy_inputs import Against, Given, user_of
from kajitori.cli.policy_output import printed_explanation, printed_trial
from kajitori.client import TransportError
from kajitori.client.config import ConfigError
from kajitori.rehearsal.expectations import Outcome, checked
from kajitori.rehearsal.explaining import Explanation, explained
from kajitori.rehearsal.proposals import Looked, Proposals, shown
from kajitori.rehearsal.recorded import Left
from kajitori.rehearsal.sources import add_all, furnish, kept_as
from kajitori.rehearsal.stage import Stage, Unfit
from kajitori.rehearsal.trial import Trial, matched_by, params_of, try_out
from kajitori.rehearsal.writes import OPERATIONS, Write, of_events, of_object, of_objects
from kajitori.storage.errors import BackupUnfit

__all__ = ["main"]

DENIED, WRONG = 1, 2
"""Exit codes: something is denied, or not as a test expects it; the input is wrong."""

EXAMPLES = """\
test
  Policies of -f are checked as the API server does it, and against the schemas of the kinds that they match, those of
  CustomResourceDefinitions in the same files included. With --against they judge what is there already, or what was
  recorded, and only what would newly be denied, warned of, audited or changed is told. Cases of kind PolicyTest in the
  files are run: given this object, user and operation, expect allow, deny, warn, audit, change or error.
explain
  OBJECT is KIND/NAME in the cluster, or one object of -f, judged by the policies of --against (default: cluster).
  Every policy and binding, why it is not about the object or what each part of each expression came to, with its cost.

--against takes, and may be repeated:
  cluster      the cluster of the kubeconfig, any Kubernetes
  FILE         a file of `kajitori backup`, a log of audit.k8s.io events, or manifests
  FOLDER       all manifests below it
Objects beside an audit log are what requests are judged in: namespaces, roles, parameters, what was there before.

exit codes:
  0  nothing is denied, and all tests are as expected
  1  something is (newly) denied, or a test is not as expected
  2  the input is wrong: a policy that would be refused, a file that cannot be read, the command line

examples:
  kajitori policy test -f policies/
      in CI, without any cluster: policies checked, tests run
  kajitori policy test -f policy.yaml --against cluster --bind
      what of the cluster it would not let in again
  kajitori policy test -f policy.yaml --against audit.log --against monday.db
      which of the recorded requests it would have refused
  kajitori policy explain deployment/web -n shop --as jane --as-group developers
  kajitori policy explain -f web.yaml --against policies/ --operation CREATE
"""


def main(arguments: Sequence[str]) -> int:
    """Runs one of the two.

    Raises: CommandError.
    """
    chosen = _parser().parse_args(arguments)
    operations = [each.strip().upper() for each in (chosen.operation or "").split(",") if each.strip()]
    wrong = [each for each in operations if each not in OPERATIONS]
    if wrong:
        raise CommandError(f"--operation {wrong[0]}: one of {', '.join(OPERATIONS)} is meant", WRONG)
    try:
        if chosen.action == "test":
            return asyncio.run(_test(chosen, operations))
        return asyncio.run(_explain(chosen, operations))
    except BrokenPipeError:
        raise
    except (ConfigError, TransportError, ApiError, BackupUnfit, Unfit, OSError) as error:
        raise CommandError(str(error), WRONG) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kajitori policy",
        description="Try admission policies before they are in force (test), or see why they say what they say of one\n"
        "object (explain). ValidatingAdmissionPolicies, MutatingAdmissionPolicies and Pod Security, by the code that\n"
        "the API server runs. Reads only.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", metavar="ACTION", choices=("test", "explain"), help="test or explain")
    parser.add_argument("object", metavar="OBJECT", nargs="*", help="explain: KIND/NAME, or KIND NAME")
    parser.add_argument(
        "-f",
        "--file",
        metavar="PATH",
        action="append",
        default=[],
        help="test: policies, bindings, parameters, tests; explain: the object. A file, a folder or - ; repeatable",
    )
    parser.add_argument(
        "--against",
        metavar="SOURCE",
        action="append",
        default=[],
        help="what is judged, see below; repeatable",
    )
    parser.add_argument("--kubeconfig", help="kubeconfig to use (default: as kubectl finds it)")
    parser.add_argument("--context", help="context of the kubeconfig")
    parser.add_argument("-n", "--namespace", help="test: only this one; explain: where the object is")
    parser.add_argument(
        "--operation",
        metavar="OPERATION",
        help="what is done with objects: CREATE, UPDATE (that changes nothing), DELETE; test: several, with commas "
        "(default: CREATE, or what policies are about)",
    )
    parser.add_argument(
        "--as", dest="user", metavar="USER", help="who does it (default: kubernetes-admin of system:masters)"
    )
    parser.add_argument(
        "--as-group", dest="groups", metavar="GROUP", action="append", default=[], help="a group; repeatable"
    )
    parser.add_argument(
        "-o",
        "--output",
        choices=("table", "json", "yaml"),
        default="table",
        help="how to print it (default: table)",
    )
    testing = parser.add_argument_group("test")
    testing.add_argument(
        "--bind",
        metavar="ACTION",
        nargs="?",
        const="Deny",
        choices=("Deny", "Warn", "Audit"),
        help="assume a binding for policies that have none: Deny (default), Warn or Audit",
    )
    explaining = parser.add_argument_group("explain")
    explaining.add_argument("--old", metavar="FILE", help="the object before an UPDATE")
    explaining.add_argument(
        "--all", action="store_true", help="also name webhooks that would not be called, and why"
    )
    return parser


# Test.


async def _test(chosen: argparse.Namespace, operations: Sequence[str]) -> int:
    if chosen.object:
        raise CommandError(f"test takes no object; name files with -f: {chosen.object[0]}", WRONG)
    if not chosen.file:
        raise CommandError("-f: name the files of the policies to test", WRONG)
    given = Given(chosen.file)
    proposals = Proposals(given.objects)
    stage = await Stage.empty()
    async with Against(chosen) as against:
        for source in against.sources:
            await furnish(stage, source)
        await proposals.define(stage)
        if proposals.problems:
            raise CommandError(
                "\n  ".join(["what is proposed would be refused:", *proposals.problems]), WRONG
            )
        for source in against.sources:
            await add_all(stage, source, params_of(stage, proposals))
        proposals.bind(stage, [chosen.bind] if chosen.bind else None)
        looked = proposals.look(stage)
        trial: Trial | None = None
        if chosen.against:
            writes, left = await _writes(chosen, operations, stage, proposals, against)
            trial = await try_out(stage, proposals, writes, left)
        notes = [*proposals.notes, *against.notes(stage, proposals, user_of(chosen))]
    outcomes = await _outcomes(given)
    if not proposals.policies and not outcomes and trial is None:
        raise CommandError("-f: there is neither a policy nor a test in these files", WRONG)
    print(
        "\n".join(
            printed_trial(against.title, user_of(chosen), looked, trial, outcomes, notes, chosen.output)
        )
    )
    return DENIED if _is_bad(looked, trial, outcomes) else 0


def _is_bad(looked: Sequence[Looked], trial: Trial | None, outcomes: Sequence[Outcome]) -> bool:
    return (trial is not None and trial.is_denied) or any(each.failed for each in outcomes)


async def _writes(
    chosen: argparse.Namespace,
    operations: Sequence[str],
    stage: Stage,
    proposals: Proposals,
    against: Against,
) -> tuple[list[Write], Left]:
    """What is judged: recorded requests where a log is given, else the objects that policies may be about."""
    left = Left()
    if against.logs:
        matched = await matched_by(stage, proposals, (*OPERATIONS, "CONNECT"), parts=True)
        kinds = [each for each in matched if not stage.store.count(each.bucket)]
        for source in against.sources:
            await add_all(stage, source, kinds)
        found = list(of_events(stage, against.events(left), left))
    else:
        found = []
        for operation in operations or await _operations(stage, proposals):
            resources = await matched_by(stage, proposals, [operation])
            for source in against.sources:
                for obj in await source.read(resources):
                    try:
                        found.append(of_object(stage, obj, operation, user_of(chosen)))
                    except Unfit as error:
                        left.add(f"{shown(obj)}: {error}")
    if chosen.namespace:
        found = [each for each in found if each.namespace == chosen.namespace]
    return found, left


async def _operations(stage: Stage, proposals: Proposals) -> list[str]:
    """The first operation that policies are about."""
    for operation in OPERATIONS:
        if await matched_by(stage, proposals, [operation]):
            return [operation]
    return []


async def _outcomes(given: Given) -> list[Outcome]:
    """What came of the cases in the files, each file of them judged on a stage of its own."""
    outcomes: list[Outcome] = []
    for where, test in given.tests:
        stage = await Stage.empty()
        named = Given(given.beside(where, test.spec.files)).objects if test.spec.files else []
        own = Proposals([*given.objects, *named])
        await own.define(stage)
        if own.problems:
            raise CommandError(
                "\n  ".join([f"{where}: what is tested would be refused:", *own.problems]), WRONG
            )
        own.bind(stage, ["Deny"])
        await own.put(stage)
        outcomes += await checked(stage, test, partial(given.one_beside, where))
    return outcomes


# Explain.


async def _explain(chosen: argparse.Namespace, operations: Sequence[str]) -> int:
    if len(operations) > 1:
        raise CommandError("--operation: explain takes one", WRONG)
    if bool(chosen.object) == bool(chosen.file):
        raise CommandError("name one object, as KIND/NAME in the cluster or by -f FILE", WRONG)
    if not chosen.against:
        chosen.against = ["cluster"]
    stage = await Stage.empty()
    explanations: list[Explanation] = []
    async with Against(chosen) as against:
        if against.logs:
            raise CommandError("--against: explain judges by a cluster, a backup or manifests", WRONG)
        for source in against.sources:
            await furnish(stage, source)
            quotas = kept_as(stage, ["/resourcequotas"])
            await add_all(stage, source, [*params_of(stage, Proposals([])), *quotas])
        old = Given([chosen.old]).one() if chosen.old else None
        for obj in await against.objects(stage, chosen):
            operation = operations[0] if operations else "CREATE"
            try:
                if old is not None:
                    write = of_objects(stage, "UPDATE", obj, old, user_of(chosen))
                else:
                    write = of_object(stage, obj, operation, user_of(chosen))
            except Unfit as error:
                raise Unfit(f"{shown(obj)}: {error}") from None
            explanations.append(await explained(stage, write))
        notes = against.notes(stage, Proposals([]), user_of(chosen))
    lines = printed_explanation(against.title, explanations, notes, chosen.output, everything=chosen.all)
    print("\n".join(lines))
    return DENIED if any(each.is_denied for each in explanations) else 0
