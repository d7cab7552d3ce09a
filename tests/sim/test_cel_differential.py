"""Random expressions, evaluated here and by the CEL of C++: no difference that is not explained.

`make test` looks at some thousands of evaluations, `make sim` at a million. A failure names the seed, the expression
and the values, so that it can be made a case of its own.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.apimachinery.cel.environments import everything
from tests.apimachinery.cel.tagged import comparable, type_named, value_of
from tests.sim.cel_cplusplus import FEATURES, Error, Judge, explained
from tests.sim.cel_expressions import Expressions, Values, declared
from tests.sim.cel_grammar import VARIABLES

from kajitori.apimachinery.cel.errors import EvaluationError, ProgramError

LONG = bool(os.environ.get("KAJITORI_LONG"))
SEEDS = 50 if LONG else 4
EXPRESSIONS = 1000 if LONG else 100
"""For each seed."""
EVALUATIONS = 20 if LONG else 10
"""Of each expression, with other values."""
SETS = 200 if LONG else 40
"""Sets of values that the evaluations of one seed choose from."""


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge()


class Pool:
    """Sets of values, ready for both."""

    def __init__(self, judge: Judge, random: Random, count: int) -> None:
        self.tagged = [Values(random, plain=True).all() for _ in range(count)]
        self.ours = [{name: value_of(value) for name, value in each.items()} for each in self.tagged]
        self.theirs = [judge.activation(each) for each in self.tagged]


ENVIRONMENT = everything().extend(
    variables={name: type_named(declared(type_)) for name, type_ in VARIABLES.items()}
)


def evaluate(text: str, variables: Sequence[Mapping[str, Any]]) -> list[object]:
    """What our engine gives for each."""
    try:
        made = ENVIRONMENT.compile(text)
    except ProgramError as error:
        return [Error(f"no program: {error}")] * len(variables)
    found: list[object] = []
    for values in variables:
        try:
            found.append(comparable(made.evaluate(values)))
        except EvaluationError as error:
            found.append(Error(str(error)))
    return found


def compare(judge: Judge, text: str, type_: str, values: Pool, chosen: Sequence[int]) -> Counter[str]:
    """How often both agreed, failed, or differed by which rule; anything else fails the test."""
    met: Counter[str] = Counter()
    ours = evaluate(text, [values.ours[at] for at in chosen])
    theirs = judge.evaluate(text, type_, [values.theirs[at] for at in chosen])
    for at, one, other in zip(chosen, ours, theirs, strict=True):
        if isinstance(one, Error) and isinstance(other, Error):
            met["both fail"] += 1
        elif one == other:
            met["same"] += 1
        else:
            rule = explained(one, other)
            assert rule is not None, f"{text}\nours   {one}\ntheirs {other}\n{values.tagged[at]}"
            met[rule.name] += 1
    return met


@settings(max_examples=1000 if LONG else 100, deadline=None, derandomize=not LONG, database=None)
@given(random=st.randoms(use_true_random=False))
def test_a_small_expression_has_the_same_value(judge: Judge, random: Random) -> None:
    text, type_ = Expressions(random, FEATURES).any(depth=2)
    compare(judge, text, type_, Pool(judge, random, 1), [0])


@pytest.mark.parametrize("seed", range(SEEDS))
def test_expressions_have_the_same_values(judge: Judge, seed: int) -> None:
    random = Random(f"cel {seed}")
    values = Pool(judge, random, SETS)
    met: Counter[str] = Counter()
    for _ in range(EXPRESSIONS):
        text, type_ = Expressions(random, FEATURES).any(depth=random.choice((2, 3, 4)))
        met += compare(judge, text, type_, values, random.sample(range(SETS), EVALUATIONS))
    assert met.total() == EXPRESSIONS * EVALUATIONS
    assert met["same"] > met.total() // 2, (
        "most expressions are to have a value, so that there is something to compare"
    )
