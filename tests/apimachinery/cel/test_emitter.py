"""Generated code gives what the interpreter gives, or leaves it to the interpreter."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.cel.compiler import compile_program
from kajitori.apimachinery.cel.cost import UINT64_MAX
from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.errors import CompileError, CostLimitExceeded, EvaluationError
from kajitori.apimachinery.cel.interpreter import Interpreter
from kajitori.apimachinery.cel.libraries.bindings import bindings
from kajitori.apimachinery.cel.libraries.kubernetes import kubernetes_libraries
from kajitori.apimachinery.cel.planner import plan
from kajitori.apimachinery.cel.show import formatted
from kajitori.apimachinery.cel.standard import STANDARD
from kajitori.apimachinery.cel.types import BOOL, DYN, INT, STRING, Type, list_of, map_of

VARIABLES: dict[str, Type] = {
    "b": BOOL,
    "d": DYN,
    "ls": list_of(STRING),
    "m": map_of(STRING, INT),
    "n": INT,
    "s": STRING,
    "x": list_of(INT),
}
VALUES: dict[str, Any] = {
    "b": True,
    "d": {"spec": {"replicas": 3, "name": "web", "items": [{"v": 1}, {"name": "b"}]}, "none": None},
    "ls": ["alpha", "", "gamma delta epsilon"],
    "m": {"a": 1, "b": 2},
    "n": 5,
    "s": "hello",
    "x": [1, 2, 3, 40],
}
ENVIRONMENT = Environment([STANDARD, *kubernetes_libraries(36), bindings]).extend(variables=VARIABLES)

# What each rule of this little grammar says: `{bool}` stands for an expression of that type, `$` for a fresh name.
GRAMMAR: dict[str, list[str]] = {
    "bool": [
        *(
            "b",
            "true",
            "false",
            "({bool} && {bool})",
            "({bool} || {bool})",
            "!{bool}",
            "({bool} ? {bool} : {bool})",
        ),
        *(
            "({int} == {int})",
            "({string} != {string})",
            "({dyn} == {dyn})",
            "({dyn} == {string})",
            "({dyn} == {bool})",
        ),
        *(
            "({int} < {int})",
            "({string} <= {string})",
            "({dyn} > {int})",
            "({int} in {ints})",
            "({string} in ls)",
        ),
        *(
            "({dyn} in ['web', 'x'])",
            "({int} in [1, 5])",
            "{string}.startsWith({string})",
            "{string}.contains('l')",
        ),
        *(
            "{dyn}.endsWith('b')",
            "{string}.matches('^[a-h]')",
            "has(d.spec.name)",
            "has(d.nope.name)",
            "has(m.a)",
        ),
        *("{ints}.all($i, {bool})", "{ints}.exists($i, {bool})", "{ints}.exists_one($i, {bool})"),
        *(
            "m.all($s, m[$s] > {int})",
            "{dyn}.all($d, {bool})",
            "{ints}.all($i, $j, {bool})",
        ),
        *(
            "({dyn} == null)",
            "{ints}[?{int}].hasValue()",
            "cel.bind($i, {int}, {bool})",
        ),
    ],
    "int": [
        *(
            "n",
            "0",
            "1",
            "7",
            "({int} + {int})",
            "({int} - {int})",
            "({int} * {int})",
            "({int} / {int})",
            "-{int}",
        ),
        *(
            "size({string})",
            "{ints}.size()",
            "{ints}[{int}]",
            "m[{string}]",
            "m.b",
            "({bool} ? {int} : {int})",
        ),
        *("{ints}[?{int}].orValue({int})", "m[?{string}].orValue({int})", "int({string})", "{ints}.sum()"),
        *("cel.bind($i, {int}, {int})", "m.?a.optMap($i, {int}).orValue({int})", "9223372036854775807"),
    ],
    "string": [
        *(
            "s",
            "'a'",
            "'b'",
            "''",
            "({string} + {string})",
            "string({int})",
            "ls[{int}]",
            "({bool} ? {string} : s)",
        ),
        *("{string}.lowerAscii()", "d.spec.name", "{string}.substring({int})"),
    ],
    "ints": [
        *(
            "x",
            "[1, 2]",
            "[{int}]",
            "({ints} + {ints})",
            "{ints}.map($i, {int})",
            "{ints}.filter($i, {bool})",
        ),
        *("{ints}.map($i, {bool}, {int})", "({bool} ? {ints} : x)", "{ints}.transformList($i, $j, {int})"),
    ],
    "dyn": [
        *(
            "d",
            "d.spec",
            "d.spec.replicas",
            "d.none",
            "d.spec.items",
            "d.nope",
            "dyn({int})",
            "dyn({string})",
        ),
        *(
            "dyn({bool})",
            "{dyn}.v",
            "{dyn}[{int}]",
            "{dyn}[{string}]",
            "({bool} ? {dyn} : {dyn})",
            "({dyn} + {int})",
        ),
        *(
            "{dyn}.?spec.?name",
            "{dyn}.?v.orValue({dyn})",
            "({bool} ? d : {dyn}).spec",
            "{'a': {dyn}}.a",
            "{1: {dyn}}[n]",
        ),
        *("[{dyn}, {dyn}]", "dyn({ints})"),
    ],
}
LEAVES = {"bool": "b", "int": "n", "string": "s", "ints": "x", "dyn": "d"}


@st.composite
def expressions(draw: st.DrawFn, kind: str, depth: int = 4, bound: tuple[tuple[str, str], ...] = ()) -> str:
    """A text that type-checks, or nearly."""
    known = [name for name, of in bound if of == kind]
    if known and draw(st.integers(0, 2)) == 0:
        return draw(st.sampled_from(known))
    if depth == 0:
        return LEAVES[kind]
    rule = draw(st.sampled_from(GRAMMAR[kind]))
    for sign, of in (("$i", "int"), ("$j", "int"), ("$s", "string"), ("$d", "dyn")):
        if sign in rule:
            name = f"{sign[1]}{len(bound)}"
            rule = rule.replace(sign, name)
            bound = (*bound, (name, of))
    while "{" in rule:
        start = rule.find("{bool}")
        holes = [(rule.find(f"{{{one}}}"), one) for one in GRAMMAR if f"{{{one}}}" in rule]
        if not holes:
            break
        start, one = min(holes)
        filled = draw(expressions(one, depth - 1, bound))
        rule = rule[:start] + filled + rule[start + len(one) + 2 :]
    return rule


def outcome(call: Any) -> tuple[str, int | None]:
    try:
        value, cost = call()
    except EvaluationError as error:
        return f"error: {error}", error.cost
    except CostLimitExceeded as error:
        return str(error), None
    return formatted(value), cost


@given(st.sampled_from(sorted(GRAMMAR)).flatmap(expressions), st.one_of(st.none(), st.integers(0, 60)))
def test_generated_code_gives_what_the_interpreter_gives(text: str, limit: int | None) -> None:  # G1, G2
    try:
        checked = ENVIRONMENT.check(text)
        ready = compile_program(checked)
    except CompileError:
        return
    most = UINT64_MAX if limit is None else limit

    def interpreted() -> tuple[Any, int]:
        interpreter = Interpreter(VALUES, most)
        return interpreter.run(plan(checked)), interpreter.cost

    given_ = [VALUES[name] for name in ready.variables]
    assert outcome(lambda: ready.function(*given_, most)) == outcome(interpreted)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        # Known types become Python's own operators.
        ("n + 1 > 2 && s == 'x'", ["(t2 > 2)", "(v1 == 'x')"]),
        ("s in ['a', 'b']", ["(v0 in members1)"]),
        ("s.startsWith('a')", ["v0.startswith('a')"]),
        # Loops are loops.
        ("x.map(i, i)", ["for e2 in v0:", "a1.append(e2)"]),
        ("x.exists(i, i > 1)", ["for e2 in v0:", "break"]),
        ("ls.all(k, v, v != '')", ["for e2, e3 in enumerate(v0):"]),
        # What is asked for in any case is computed at once, the rest when it is asked for.
        ("cel.bind(y, n + 1, y * y)", ["t1 = v0 + 1"]),
        ("cel.bind(y, n + 1, b && y > 1)", ["def thunk2():", "nonlocal cost, lazy1"]),
    ],
)
def test_what_is_written(text: str, lines: list[str]) -> None:
    source = ENVIRONMENT.compile(text).source_code
    for line in lines:
        assert line in source, source


def test_every_turn_of_a_loop_looks_at_the_limit() -> None:  # G2
    looping = ENVIRONMENT.compile("x.all(i, i > 0)")
    turn = "if cost > limit: raise exceeded(cost)"
    assert looping.source_code.count(turn) == 2
    with pytest.raises(CostLimitExceeded) as error:
        looping.function(list(range(1, 1_000_000)), 1000)
    assert error.value.cost < 1010


def test_a_loop_that_an_error_stands_before_does_not_pass_the_limit() -> None:
    """cel-go finds the missing key first; the loop after it would have cost too much."""
    text = "[d.nope, x.map(i, x.map(j, i * j))].size() > 0"
    with pytest.raises(EvaluationError, match="no such key: nope"):
        ENVIRONMENT.compile(text).function(VALUES["d"], VALUES["x"], 50)


def test_a_variable_that_binds_is_computed_once_or_not_at_all() -> None:
    for text, value, cost in (
        ("cel.bind(y, x.map(i, i * 2), y.size() + y.size())", 8, None),
        ("cel.bind(y, 1 / 0, b || y == 1)", True, 1),
        ("cel.bind(y, 1 / 0, b)", True, 1),
    ):
        bound = ENVIRONMENT.compile(text)
        found = bound.function(*[VALUES[name] for name in bound.variables], 1000)
        assert found[0] == value
        assert cost is None or found[1] == cost
