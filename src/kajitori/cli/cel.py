"""`kajitori cel EXPRESSION`: what an expression makes of a file, or whether it can be evaluated at all."""

import argparse
from collections.abc import Sequence
from dataclasses import replace

from kajitori.apimachinery.cel.compiler import Evaluation, Program
from kajitori.apimachinery.cel.cost import Cost
from kajitori.apimachinery.cel.errors import CelError, CostLimitExceeded, EvaluationError
from kajitori.apimachinery.cel.estimator import estimate
from kajitori.apimachinery.cel.explaining import explain
from kajitori.apimachinery.cel.kubernetes import PER_CALL_COST_LIMIT
from kajitori.cli.cel_inputs import Subject, read_scene
from kajitori.cli.cel_output import Outcome, printed
from kajitori.cli.main import CommandError

__all__ = ["main"]

FALSE, WRONG, FAILED = 1, 2, 3
"""Exit codes: a value is false; the expression or the command line is wrong; there is no value."""

EXAMPLES = """\
what expressions see:
  --as object   as policies and match conditions: object, oldObject, params, namespaceObject
  --as self     as rules of CustomResourceDefinitions: self, oldSelf
  always        the variables that --var and --var-file name
Objects have no types, as in policies, unless --kind or --schema gives them some.

exit codes:
  0  well: a value that is not false, or with --check a good expression
  1  the value is false, for one object at least
  2  the expression is wrong, or the command line is
  3  there is no value: a key is missing, the cost limit was reached, ...

examples:
  kajitori cel 'quantity("1.5Gi").isGreaterThan(quantity("1G"))'
      no file at all
  kajitori cel 'object.spec.replicas <= 5' -f deployment.yaml --explain
      a policy's expression, with every part's value and cost
  kajitori cel 'object.spec.replica <= 5' --kind apps/v1/Deployment --check
      says that there is no such field
  kajitori cel 'self.size >= oldSelf.size' --as self -f new.yaml --old old.yaml --schema crd.yaml
      a rule of a CustomResourceDefinition
  kubectl get pods -o yaml | kajitori cel 'object.spec.containers.all(c, has(c.livenessProbe))' -f -
      what there is in a cluster
"""


def main(arguments: Sequence[str]) -> int:
    """Prints what the expression comes to; gives 0, or 1 when that is false, or 3 when there is no value.

    Raises: CommandError.
    """
    chosen = _parser().parse_args(arguments)
    if chosen.cost_limit < 0:
        raise CommandError("--cost-limit: a number from 0 on is meant", WRONG)
    scene = read_scene(chosen)
    try:
        program = scene.environment.compile(chosen.expression)
    except CelError as error:
        raise CommandError(f"the expression does not compile:\n{error}", WRONG) from None
    cost = estimate(program.checked, scene.sizes)
    if chosen.check:
        print("\n".join(printed([Outcome("", str(program.type), cost)], chosen.output)))
        return 0
    outcomes = [_outcome(program, subject, cost, chosen) for subject in scene.subjects]
    try:
        print("\n".join(printed(outcomes, chosen.output)))
    except RecursionError:
        raise CommandError("the value nests too deeply to be shown", FAILED) from None
    if any(outcome.error is not None for outcome in outcomes):
        return FAILED
    return FALSE if any(outcome.value is False for outcome in outcomes) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kajitori cel",
        description="Evaluate an expression of CEL, in Kubernetes' dialect, against the objects of a file; or\n"
        "only check it. Tells its value and type, what it cost and what it may cost at most.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("expression", metavar="EXPRESSION", help="what to evaluate")
    parser.add_argument("-f", "--file", metavar="FILE", help="objects, YAML or JSON; - is standard input")
    parser.add_argument("--old", metavar="FILE", help="the object before, for oldObject or oldSelf")
    parser.add_argument(
        "--as",
        dest="subject",
        choices=("object", "self"),
        default="object",
        help="the name of an object in expressions (default: object)",
    )
    parser.add_argument(
        "--var",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a variable, JSON or a text; repeatable",
    )
    parser.add_argument(
        "--var-file",
        metavar="NAME=FILE",
        action="append",
        default=[],
        help="a variable from a file; repeatable",
    )
    parser.add_argument("--kind", metavar="GROUP/VERSION/KIND", help="the built-in kind that objects are of")
    parser.add_argument(
        "--schema",
        metavar="FILE",
        help="a CustomResourceDefinition, or a schema, that says what is in objects",
    )
    parser.add_argument("--check", action="store_true", help="do not evaluate, only say whether it can be")
    parser.add_argument("--explain", action="store_true", help="show every part with its value and cost")
    parser.add_argument(
        "--compatibility-version",
        metavar="1.N",
        help="the version of Kubernetes that must understand the expression (default: 1.35)",
    )
    parser.add_argument(
        "--cost-limit",
        metavar="UNITS",
        type=int,
        default=PER_CALL_COST_LIMIT,
        help=f"what an evaluation may cost (default: {PER_CALL_COST_LIMIT})",
    )
    parser.add_argument(
        "-o",
        "--output",
        choices=("text", "json", "yaml"),
        default="text",
        help="how to print it (default: text)",
    )
    return parser


def _outcome(program: Program, subject: Subject, cost: Cost, chosen: argparse.Namespace) -> Outcome:
    kind = str(program.type)
    explained = None
    result: Evaluation | Exception
    if chosen.explain:
        observations, result = program.observe(subject.variables, chosen.cost_limit)
        explained = explain(program.checked.tree, observations)
    else:
        try:
            result = program.run(subject.variables, chosen.cost_limit)
        except (EvaluationError, CostLimitExceeded) as error:
            result = error
    if isinstance(result, Evaluation):
        return Outcome(subject.name, kind, cost, True, result.value, None, result.cost, explained)
    spent: int = getattr(result, "cost", 0)
    if explained is not None and not explained.evaluated:
        explained = replace(explained, error=str(result), cost=spent)
    return Outcome(subject.name, kind, cost, False, None, str(result), spent, explained)
