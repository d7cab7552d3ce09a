"""What is wrong with the expressions of webhooks and policies, when they are written.

New expressions are judged by what every version that one may roll back to understands; those that stood there before,
by everything.

Promises
    X1  an expression sees the variables before it, and `params` only where there is a kind of parameters

Source: validateCELCondition and its relatives in pkg/apis/admissionregistration/validation.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.checks import Errors

if TYPE_CHECKING:
    from kajitori.apimachinery.cel import Type

__all__ = ["Expressions", "stored_texts"]


def stored_texts(obj: Any) -> frozenset[str]:
    """Every expression in a stored policy or webhook configuration."""
    return frozenset(_texts(obj))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            if isinstance(each, str) and name.lower().endswith("expression"):
                yield each
                yield each.strip()
            else:
                yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


class Expressions:
    """Judges the expressions of one policy, or of one webhook, in their order."""

    def __init__(
        self, *, params: bool = False, composed: bool = False, stored: frozenset[str] = frozenset()
    ) -> None:
        """`composed`: there are variables of its own; `stored` is what `stored_texts` gave before."""
        self._params = params
        self._stored = stored
        self._types: dict[str, Type] | None = {} if composed else None

    def check(
        self,
        text: str,
        path: str,
        errors: Errors,
        returns: Sequence[str] | None,
        *,
        authorizer: bool = True,
        alone: bool = False,
        patches: bool = False,
        shown: str | None = None,
    ) -> "Type":
        """Judges one; gives the type of its value. `returns` has the names of allowed types; `alone`: it sees no
        variables of the policy; `patches`: it makes objects and patches; `shown` is how it was written.
        """
        # Loaded with the first expression that somebody writes.
        from kajitori.apimachinery.cel import types
        from kajitori.apimachinery.cel.admission import (
            AdmissionVariables,
            admission_environment,
            with_variables,
        )
        from kajitori.apimachinery.cel.expression import compile_expression

        variables = AdmissionVariables(params=self._params, authorizer=authorizer, patches=patches)
        environment = admission_environment(variables, stored=text in self._stored)
        if self._types is not None and not alone:
            environment = with_variables(environment, self._types)
        known: Mapping[str, Type] = {
            "bool": types.BOOL,
            "string": types.STRING,
            "null": types.NULL,
            "object": types.object_type("Object", {}),
            "patches": types.list_of(types.object_type("JSONPatch", {})),
        }
        wanted = None if returns is None else [known[name] for name in returns]
        expression = compile_expression(text, environment, wanted)
        if expression.error:
            errors.append(FieldError.invalid(path, text if shown is None else shown, expression.error))
        return expression.type

    def variable(self, variable: JsonObject, path: str, errors: Errors) -> None:
        """Judges a variable, which those after it may use."""
        assert self._types is not None, "there are variables"
        self._types[variable.get("name", "")] = self.check(variable["expression"], path, errors, None)
