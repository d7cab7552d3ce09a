"""Logic and equality. `&&`, `||` and `?:` take errors, so the compiler does them; here they are only declared."""

from typing import Any

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Overload, function
from kajitori.apimachinery.cel.types import BOOL, type_parameter
from kajitori.apimachinery.cel.values import equal, surely_equal

__all__ = ["FUNCTIONS"]

_A = type_parameter("A")


def _by_the_compiler(*arguments: Any) -> Any:
    raise EvaluationError("no such overload")


def _not(value: Any) -> bool:
    if type(value) is not bool:
        raise EvaluationError("no such overload")
    return not value


def _not_strictly_false(value: Any) -> bool:
    return value if type(value) is bool else True


def _unequal(left: Any, right: Any) -> bool:
    # Values that cannot be compared are not equal; only `==` makes an error of it.
    return not surely_equal(left, right)


FUNCTIONS = (
    function("_?_:_", Overload("conditional", (BOOL, _A, _A), _A, _by_the_compiler)),
    function("_&&_", Overload("logical_and", (BOOL, BOOL), BOOL, _by_the_compiler)),
    function("_||_", Overload("logical_or", (BOOL, BOOL), BOOL, _by_the_compiler)),
    function("!_", Overload("logical_not", (BOOL,), BOOL, _not), guarded=False),
    function(
        "@not_strictly_false",
        Overload("not_strictly_false", (BOOL,), BOOL, _not_strictly_false),
        guarded=False,
    ),
    function("_==_", Overload("equals", (_A, _A), BOOL, equal), guarded=False),
    function("_!=_", Overload("not_equals", (_A, _A), BOOL, _unequal), guarded=False),
)
