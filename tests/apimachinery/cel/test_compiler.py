"""Programs: values, errors and costs as cel-go has them, by generated code and by the interpreter."""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from kajitori.apimachinery.cel import compiler
from kajitori.apimachinery.cel.compiler import RUNS_INTERPRETED, Evaluation, Program, compile_program
from kajitori.apimachinery.cel.cost import UINT64_MAX
from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.errors import CelError, CostLimitExceeded, EvaluationError, ProgramError
from kajitori.apimachinery.cel.macros import ACCUMULATOR
from kajitori.apimachinery.cel.show import formatted
from kajitori.apimachinery.cel.standard import STANDARD
from kajitori.apimachinery.cel.times import parse_duration, parse_timestamp
from kajitori.apimachinery.cel.types import (
    BOOL,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    list_of,
    map_of,
    object_type,
)
from kajitori.apimachinery.cel.values import LazyFields, UInt

TYPES = {
    "b": BOOL,
    "d": DYN,
    "dl": list_of(DYN),
    "dur": DURATION,
    "e": DYN,
    "f": DOUBLE,
    "ls": list_of(STRING),
    "m": map_of(STRING, INT),
    "mm": map_of(STRING, DYN),
    "n": INT,
    "s": STRING,
    "t": TIMESTAMP,
    "u": UINT,
    "x": list_of(INT),
}
VALUES: Mapping[str, Any] = {
    "b": True,
    "d": {
        "spec": {
            "replicas": 3,
            "flag": True,
            "name": "web",
            "nul": None,
            "list": [1, 2, 3],
            "items": [{"name": "a", "v": 1}, {"name": "b"}, {"v": 3, "name": "c"}],
        },
        "empty": {},
        "str": "hello world this is long",
        "dbl": 1.5,
    },
    "dl": [1, "a", True, None, 2.5, [1], {"a": 1}],
    "dur": parse_duration("3723.5s"),
    "e": None,
    "f": 2.5,
    "ls": ["alpha", "beta", "", "gamma delta epsilon"],
    "m": {"a": 1, "b": 2, "k": 3},
    "mm": {"a": 1, "b": "x", "c": [1, 2], "d": {"e": True}},
    "n": 5,
    "s": "hello",
    "t": parse_timestamp("2023-07-14T10:30:45.123Z"),
    "u": UInt(7),
    "x": [1, 2, 3, 40],
}
ENVIRONMENT = Environment([STANDARD]).extend(variables=TYPES)

# What cel-go v0.26 answers: the expression, its value as a literal or its error, the cost.
EVALUATIONS = [
    ("1 + 2 * 3", "7", 2),
    ("9223372036854775807 + n", "error: integer overflow", 2),
    ("n - -9223372036854775807", "error: integer overflow", 2),
    ("n / 0", "error: division by zero", 2),
    ("n % 0", "error: modulus by zero", 2),
    ("-n", "-5", 2),
    ("u - 8u", "error: unsigned integer overflow", 2),
    ("f / 0.0", 'double("Infinity")', 2),
    ("s + ' world'", '"hello world"', 3),
    ("ls[0] + ls[4]", "error: index out of bounds: 4", 5),
    ("x[0] == 1 && x[3] > 39", "true", 6),
    ("x[5]", "error: index out of bounds: 5", 2),
    ("x[-1]", "error: index out of bounds: -1", 2),
    ("m['a'] + m.b", "3", 5),
    ("m.zz", "error: no such key: zz", 2),
    ("m['zz']", "error: no such key: zz", 2),
    ("d.spec.replicas + 1", "4", 4),
    ("d.spec.missing", "error: no such key: missing", 3),
    ("d.spec.name.missing", "error: no such key: missing", 4),
    ("d.spec.list['a']", "error: unsupported index type 'string' in list", 4),
    ("has(d.spec) && !has(d.spec.foo)", "true", 4),
    ("has(d.foo.bar)", "error: no such key: foo", 1),
    ("has(m.a) && !has(m.z)", "true", 3),
    ("has(d.spec.nul)", "true", 2),
    ("d.spec.items.all(i, has(i.name))", "true", 16),
    ("d.spec.items.exists(i, i.v == 3)", "true", 25),
    ("d.spec.items.exists_one(i, i.name == 'b')", "true", 16),
    ("d.spec.items.map(i, i.name)", '["a", "b", "c"]', 46),
    ("d.spec.items.filter(i, has(i.v)).map(i, i.v)", "[1, 3]", 62),
    ("d.spec.items.all(i, i.v > 0)", "error: no such key: v", 22),
    ("d.spec.items.exists(i, i.v == 1 || i.nope)", "true", 14),
    ("d.spec.items.map(i, i.v)", "error: no such key: v", 46),
    ("x.map(i, i > 1, i * 2)", "[4, 6, 80]", 52),
    ("x.map(i, [1, 2].map(j, i * j))", "[[1, 2], [2, 4], [3, 6], [40, 80]]", 174),
    ("d.nope == 1 || n == 5", "true", 5),
    ("n == 5 || d.nope == 1", "true", 2),
    ("d.nope == 1 && n == 6", "false", 5),
    ("d.nope && d.spec.flag", "error: no such key: nope", 5),
    ("d.spec.name && true", "error: no such overload", 3),
    ("true || d.spec.name", "true", 0),
    ("d.nope ? 1 : 2", "error: no such key: nope", 2),
    ("d.spec.flag ? d.spec.name : d.nope", '"web"', 5),
    ("d.spec.name ? 1 : 2", "error: no such overload", 3),
    ("(b ? d : e).spec.name", '"web"', 3),
    ("(b ? d.spec : mm).name == 'web'", "true", 4),
    ("b ? n : 1 / 0", "5", 1),
    ("n in [1, 5, 9]", "true", 1),
    ("n in []", "false", 0),
    ("s in ls", "false", 6),
    ("d.spec.name in ['web', 'api']", "true", 3),
    ("'a' in m", "true", 2),
    ("d.spec.replicas in x", "true", 8),
    ("null in [null, 1]", "true", 2),
    ("e == null", "true", 2),
    ("dyn(1) == 1.0 && dyn(1u) == 1 && !(dyn(1) == 'a')", "true", 4),
    ("dyn(true) == 1", "false", 1),
    ("[1, 2] == [1, 2] && {'a': [1]} == {'a': [1]}", "true", 2),
    ("x == [1, 2, 3, 40]", "true", 2),
    ("ls.exists(i, i == 'beta')", "true", 17),
    ("s.startsWith('he') && s.endsWith('lo') && s.contains('ell')", "true", 6),
    ("s.matches('^h.*o$')", "true", 3),
    ("ls.all(i, i.matches('[a-z ]*'))", "true", 28),
    ("d.spec.replicas.matches('a')", "error: no such overload", 4),
    ("s.matches(ls[0])", "false", 5),
    ("size(s) + s.size() + size(x) + size(m) + size(b'abc')", "20", 13),
    ("size(d.spec.items) + size(d.str)", "27", 8),
    ("size(d.spec.replicas)", "error: no such overload: size", 4),
    ("dyn(1) + dyn('a')", "error: no such overload", 1),
    ("dyn(true) + 1", "error: no such overload: _+_", 1),
    ("dyn(2.5) + n", "error: no such overload", 2),
    ("d.spec.name - 1", "error: no such overload", 4),
    ("-d.spec.name", "error: no such overload", 4),
    ("dyn(1) < dyn(2.5)", "true", 1),
    ("dyn('a') < dyn(1)", "error: no such overload", 1),
    ("[1] + [2] + x", "[1, 2, 1, 2, 3, 40]", 3),
    ("x + [n]", "[1, 2, 3, 40, 5]", 13),
    ("{'a': n}.a + {'b': 2}['b']", "7", 36),
    ("{1: 'a', 2: 'b'}[1]", '"a"', 2),
    ("{1: 'a'}[dyn(1.0)] + {true: 'yes'}[b]", '"ayes"', 5),
    ("{1: 'a'}[3]", "error: no such key: 3", 2),
    ("int('12') + int(2.9) + int(7u)", "21", 2),
    ("int(s)", "error: type conversion error from 'string' to 'int'", 2),
    ("string(n) + string(f) + string(b) + string(u)", '"52.5true7"', 11),
    ("bytes(s) + b'x'", 'b"\\150\\145\\154\\154\\157\\170"', 3),
    ("double('1.5') + double(n)", "6.5", 3),
    ("uint(n) * 2u", "10u", 3),
    ("duration('1h') + dur", 'duration("7323.5s")', 2),
    ("t + duration('24h') > t", "true", 4),
    ("t - duration('1h')", 'timestamp("2023-07-14T09:30:45.123Z")', 2),
    ("t.getFullYear() + t.getHours('America/New_York')", "2029", 5),
    ("t.getHours('nowhere')", "error: unknown time zone nowhere", 2),
    ("dur.getMinutes()", "62", 2),
    ("timestamp('2020-01-01T00:00:00+01:00') == timestamp('2019-12-31T23:00:00Z')", "true", 1),
    ("string(timestamp('2020-01-01T00:00:00+01:00'))", '"2020-01-01T00:00:00+01:00"', 0),
    ("type(n) == int && type([]) == list && type(type(1)) == type", "true", 5),
    ("type(d.spec.name) == string", "true", 5),
    ("dl.map(i, type(i))", "[int, string, bool, null_type, double, list, map]", 100),
    ("dl.filter(i, type(i) == int)", "[1]", 36),
    ("dl.exists(i, i == 'a')", "true", 17),
    ("dl.all(i, i == 1)", "false", 14),
    ("dl.map(i, i + 1)", "error: no such overload", 100),
    ("[n, 1 / 0].size()", "error: division by zero", 13),
    ("[1, 2, 3].all(i, i / (i - 2) > 0 || i == 2)", "false", 13),
    ("m.all(k, m[k] > 0)", "true", 20),
]


def program(text: str, environment: Environment = ENVIRONMENT) -> Program:
    return compile_program(environment.check(text))


def quick(text: str, values: Mapping[str, Any] = VALUES, environment: Environment = ENVIRONMENT) -> Any:
    """What generated code gives, without the runs that come before it is generated."""
    ready = program(text, environment)
    return Evaluation(*ready.function(*[values[name] for name in ready.variables], UINT64_MAX))


def outcome(run: Any) -> tuple[str, int]:
    try:
        evaluation = run()
    except EvaluationError as error:
        return f"error: {error}", error.cost
    return formatted(evaluation.value), evaluation.cost


@pytest.mark.parametrize(("text", "shown", "cost"), EVALUATIONS)
def test_values_errors_and_costs_are_cel_gos(text: str, shown: str, cost: int) -> None:  # P1
    assert outcome(lambda: quick(text)) == (shown, cost)


ABSORBED = ("d.nope == 1 || n == 5", "d.nope == 1 && n == 6", "d.spec.items.exists(i, i.v == 3)")
"""Have a value in spite of an error inside them."""


@pytest.mark.parametrize(
    ("text", "shown", "cost"),
    [each for each in EVALUATIONS if not each[1].startswith("error: ") and each[0] not in ABSORBED],
)
def test_what_has_a_value_needs_no_interpreter(
    text: str, shown: str, cost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be right, and an order of magnitude slower: nothing else would show it."""
    monkeypatch.setattr(compiler, "Interpreter", None)
    assert outcome(lambda: quick(text)) == (shown, cost)


@pytest.mark.parametrize(("text", "shown", "cost"), EVALUATIONS)
def test_the_interpreter_agrees(text: str, shown: str, cost: int) -> None:  # I1
    _, found = program(text).observe(VALUES)
    if isinstance(found, CelError):
        assert (f"error: {found}", found.cost) == (shown, cost)  # type: ignore[attr-defined]
    else:
        assert (formatted(found.value), found.cost) == (shown, cost)


@pytest.mark.parametrize("runs_before", [0, RUNS_INTERPRETED])
def test_no_run_goes_far_beyond_its_limit(runs_before: int) -> None:  # P2
    endless = program("x.all(i, x.all(j, x.all(k, i + j + k > 0)))")
    for _ in range(runs_before):
        endless.run(VALUES)
    whole = endless.run(VALUES).cost
    assert endless.run(VALUES, whole).value is True
    for limit in (0, 10, whole // 2, whole - 1):
        with pytest.raises(CostLimitExceeded) as error:
            endless.run(VALUES, limit)
        assert limit < error.value.cost <= limit + 20
        assert str(error.value) == "operation cancelled: actual cost limit exceeded"


def test_the_limit_counts_where_an_error_was_absorbed() -> None:  # I2
    text = "d.nope == 1 || x.all(i, i > 0)"
    whole = program(text).run(VALUES).cost
    assert program(text).evaluate(VALUES, whole) is True
    with pytest.raises(CostLimitExceeded):
        program(text).evaluate(VALUES, whole - 1)


def test_a_constant_without_value_is_told_before_any_run() -> None:
    for text, message in (
        ("int('x')", "type conversion error from 'string' to 'int'"),
        ("s.matches('(')", "error parsing regexp: missing closing ): `(`"),
        ("d[dyn(b'x')]", "invalid qualifier type: types.Bytes"),
    ):
        with pytest.raises(ProgramError) as error:
            program(text)
        assert str(error.value) == message


ODD_VALUES: list[Any] = [
    *(None, True, 1, UInt(1), 2.5, "x", b"x", [], [1], {}, {"a": 1}, {"spec": None}, object_type, object()),
]


@pytest.mark.parametrize("value", ODD_VALUES)
def test_nothing_but_errors_of_cel_leaves_a_run(value: Any) -> None:  # P3
    wrong = {**VALUES, "d": value, "x": value, "m": value, "ls": value}
    for text, _, _ in EVALUATIONS:
        with suppress(CelError):
            program(text).run(wrong)
        with suppress(CelError):
            quick(text, wrong)


def test_a_variable_that_is_not_given_is_an_error_only_when_asked_for() -> None:
    either = program("n == 5 || s == 'x'")
    for _ in range(RUNS_INTERPRETED + 1):
        assert outcome(lambda: either.run({"n": 5})) == ("true", 2)
    assert outcome(lambda: program("s == 'x'").run({})) == ("error: no such attribute(s): s", 2)


def test_deep_expressions_run_or_fail_but_never_break() -> None:  # P3
    chain = " + ".join(["n"] * 200)
    assert quick(chain).value == program(chain).evaluate(VALUES) == 1000
    assert quick(chain.replace("+", "||").replace("n", "b")).value is True
    assert quick(chain.replace("n", "s")).value == "hello" * 200
    nested = "x.map(a0, " * 14 + "1" + ")" * 14
    for number in range(14):
        nested = nested.replace("a0", f"b{number}", 1)
    with pytest.raises(CostLimitExceeded):
        program(nested).evaluate(VALUES, 10_000)
    ladder = "n == 5 && (n == 6 || (" * 40 + "b" + "))" * 40
    assert quick(ladder).value is True
    assert program(ladder).source_code  # as deep as blocks go


def test_what_is_too_deep_for_blocks_is_interpreted() -> None:  # G3
    ladder = "n == 5 && (n == 6 || (" * 60 + "b" + "))" * 60
    deep = program(ladder)
    assert deep.source_code == ""
    assert quick(ladder) == deep.run(VALUES)


def test_programs_keep_nothing_between_runs() -> None:  # P4
    collecting = program("x.map(i, i).filter(i, i > 1)")
    first = collecting.evaluate(VALUES)
    for _ in range(RUNS_INTERPRETED + 2):
        again = collecting.evaluate(VALUES)
        assert again == first == [2, 3, 40]
        assert again is not first
        first = again


def test_observing_tells_the_value_and_cost_of_each_step() -> None:  # I3
    watched = program("d.spec.replicas > 2 && d.nope == 1")
    observations, found = watched.observe(VALUES)
    assert isinstance(found, EvaluationError)
    root: Any = watched.checked.tree.root
    left, right = root.args
    assert (observations[left.id].value, observations[left.id].cost) == (True, 4)
    assert (observations[right.id].error, observations[right.id].cost) == ("no such key: nope", 3)
    assert observations[left.args[0].id].value == 3
    assert observations[left.args[0].operand.id].value == VALUES["d"]["spec"]
    assert observations[root.id].cost == found.cost == 7


def test_fields_of_variables_are_computed_once_and_when_asked_for() -> None:
    computed: list[str] = []

    def compute(name: str, value: Any) -> Any:
        computed.append(name)
        if value is None:
            raise EvaluationError("not now")
        return value

    environment = ENVIRONMENT.extend(
        variables={"variables": object_type("Variables", {"a": INT, "bad": INT, "c": INT})}
    )
    values = {"a": 1, "bad": None, "c": 3}
    lazy = LazyFields({name: partial(compute, name, value) for name, value in values.items()})
    uses = program("variables.a + variables.a == 2 || variables.c == 1", environment)
    assert uses.evaluate({"variables": lazy}) is True
    assert computed == ["a"]
    failing = program("variables.bad == 1 || variables.a == 1", environment)
    assert failing.evaluate({"variables": lazy}) is True
    assert computed == ["a", "bad"]
    with pytest.raises(EvaluationError, match="not now"):
        program("variables.bad == 1", environment).evaluate({"variables": lazy})
    assert computed == ["a", "bad"]
    assert program("has(variables.c)", environment).evaluate({"variables": lazy}) is True


def test_null_is_absent_in_objects_and_a_value_in_maps() -> None:  # S1
    environment = ENVIRONMENT.extend(variables={"o": object_type("O", {"a": INT, "m": map_of(STRING, DYN)})})
    values = {"o": {"a": None, "m": {"k": None}}}
    for text, shown in (
        ("has(o.a)", "false"),
        ("o.a == 1", "error: no such key: a"),
        ("has(o.m.k)", "true"),
        ("o.m.k == null", "true"),
        ("o.m.z == null", "error: no such key: z"),
    ):
        assert outcome(partial(program(text, environment).run, values))[0] == shown
        assert outcome(partial(quick, text, values, environment))[0] == shown


def test_escaped_names_find_the_properties_they_stand_for() -> None:
    environment = ENVIRONMENT.extend(
        variables={"o": object_type("O", {"a__dash__b": INT, "__namespace__": INT})}
    )
    values = {"o": {"a-b": 1, "namespace": 2}}
    assert program("o.a__dash__b + o.__namespace__", environment).evaluate(values) == 3
    with pytest.raises(EvaluationError, match="no such key: a__dash__b"):
        program("o.a__dash__b", environment).evaluate({"o": {}})


def test_loops_of_macros_accumulate_under_a_name_that_no_expression_has() -> None:
    assert ACCUMULATOR.startswith("@")
