"""CEL, the Common Expression Language, in the dialect of Kubernetes: checked against types and compiled to Python.

    text ─ lexer, parser, macros ─▶ tree ─ checker ─▶ checked ─ compiler ─▶ Program ─ evaluate ─▶ value, cost
                                                        └──── estimator ─▶ cost

Pure and independent of the rest: nothing here knows of objects, requests or policies.

    from kajitori.apimachinery import cel

    environment = cel.environments().new.extend(variables={"object": cel.types.DYN})
    program = environment.compile("object.spec.replicas <= 5")
    program.evaluate({"object": {"spec": {"replicas": 3}}})

What is offered here is loaded when it is asked for.

Source: https://github.com/google/cel-spec and https://kubernetes.io/docs/reference/using-api/cel/
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kajitori.apimachinery.cel import types
    from kajitori.apimachinery.cel.admission import AdmissionVariables
    from kajitori.apimachinery.cel.checker import Checked
    from kajitori.apimachinery.cel.compiler import Evaluation, Program
    from kajitori.apimachinery.cel.conversion import converter
    from kajitori.apimachinery.cel.environment import Environment
    from kajitori.apimachinery.cel.errors import (
        CelError,
        CompileError,
        CostLimitExceeded,
        EvaluationError,
        Issue,
        ProgramError,
    )
    from kajitori.apimachinery.cel.estimator import estimate
    from kajitori.apimachinery.cel.functions import Function, Library, Overload, function
    from kajitori.apimachinery.cel.kubernetes import Environments, environments
    from kajitori.apimachinery.cel.schemas import declared_type
    from kajitori.apimachinery.cel.types import Type

__all__ = [
    "AdmissionVariables",
    "CelError",
    "Checked",
    "CompileError",
    "CostLimitExceeded",
    "Environment",
    "Environments",
    "Evaluation",
    "EvaluationError",
    "Function",
    "Issue",
    "Library",
    "Overload",
    "Program",
    "ProgramError",
    "Type",
    "converter",
    "declared_type",
    "environments",
    "estimate",
    "function",
    "types",
]

_HOMES = {
    "AdmissionVariables": "admission",
    "CelError": "errors",
    "Checked": "checker",
    "CompileError": "errors",
    "CostLimitExceeded": "errors",
    "Environment": "environment",
    "Environments": "kubernetes",
    "Evaluation": "compiler",
    "EvaluationError": "errors",
    "Function": "functions",
    "Issue": "errors",
    "Library": "functions",
    "Overload": "functions",
    "Program": "compiler",
    "ProgramError": "errors",
    "Type": "types",
    "converter": "conversion",
    "declared_type": "schemas",
    "environments": "kubernetes",
    "estimate": "estimator",
    "function": "functions",
}
"""Where each is to be found."""


def __getattr__(name: str) -> Any:
    if name == "types":
        return import_module(f"{__name__}.types")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = found
    return found
