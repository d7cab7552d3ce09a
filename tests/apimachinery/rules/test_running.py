"""The rules of a schema at work."""

from collections.abc import Mapping
from typing import Any

import pytest

from kajitori.apimachinery.cel.kubernetes import MESSAGE_BYTES_MAX, RUNTIME_COST_BUDGET
from kajitori.apimachinery.errors import FieldErrorType
from kajitori.apimachinery.rules import SchemaRules

Schema = dict[str, Any]
INT: Schema = {"type": "integer"}
TEXT: Schema = {"type": "string", "maxLength": 20}


def ruled(schema: Mapping[str, Any], *rules: str | Mapping[str, Any]) -> Schema:
    return {
        **schema,
        "x-kubernetes-validations": [{"rule": r} if isinstance(r, str) else dict(r) for r in rules],
    }


def spec(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def root(schema: Schema) -> Schema:
    return spec(spec=schema)


def told(
    schema: Schema,
    value: Any,
    old: Any = None,
    *,
    budget: int = RUNTIME_COST_BUDGET,
    warnings: list[str] | None = None,
) -> list[str]:
    """The errors about `spec`, with `spec` in `old` when there is one."""
    rules = SchemaRules(root(schema))
    errors, _ = rules.run({"spec": value}, None if old is None else {"spec": old}, warnings, budget=budget)
    return [str(each) for each in errors]


def test_a_rule_that_does_not_hold_is_told_where_it_stands() -> None:
    schema = ruled(spec(a=INT, b=INT), "self.a <= self.b")
    assert told(schema, {"a": 1, "b": 1}) == []
    assert told(schema, {"a": 2, "b": 1}) == ["spec: Invalid value: failed rule: self.a <= self.b"]


def test_a_rule_about_a_scalar_shows_its_value() -> None:  # R1
    assert told(spec(n=ruled(INT, "self > 0")), {"n": -1}) == [
        "spec.n: Invalid value: -1: failed rule: self > 0"
    ]
    free = {"x-kubernetes-int-or-string": True}
    assert told(spec(n=ruled(free, "type(self) == int")), {"n": "x"}) == [
        'spec.n: Invalid value: "x": failed rule: type(self) == int'
    ]


def test_the_root_is_called_nil_as_go_calls_it() -> None:
    rules = SchemaRules(ruled(spec(n=INT), "self.n > 0", "self.metadata.name != 'x'"))
    value = {"n": 0, "metadata": {"name": "x"}}
    assert [str(each) for each in rules(value, None, [])] == [
        "<nil>: Invalid value: failed rule: self.n > 0",
        "<nil>: Invalid value: failed rule: self.metadata.name != 'x'",
    ]


def test_embedded_resources_have_metadata_as_well() -> None:
    schema = {**spec(), "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
    schema = ruled(schema, "self.metadata.name.startsWith('a') && self.kind == 'Pod'")
    embedded = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "abc"}}
    assert told(spec(pod=schema), {"pod": embedded}) == []
    assert len(told(spec(pod=schema), {"pod": {**embedded, "kind": "Job"}})) == 1


@pytest.mark.parametrize(
    ("rule", "shown"),
    [
        ({"message": " too small "}, "Invalid value: too small"),
        ({"messageExpression": "'n is ' + string(self.n)"}, "Invalid value: n is 0"),
        ({"messageExpression": "'  n  '"}, "Invalid value: n"),
        ({"messageExpression": "''", "message": "m"}, "Invalid value: m"),
        ({"messageExpression": "'a\\nb'", "message": "m"}, "Invalid value: m"),
        ({"messageExpression": "string(1 / self.n)", "message": "m"}, "Invalid value: m"),
        ({"messageExpression": "'  '"}, "Invalid value: failed rule: self.n > 0"),
        ({"reason": "FieldValueForbidden"}, "Forbidden: failed rule: self.n > 0"),
        ({"reason": "FieldValueRequired", "message": "m"}, "Required value: m"),
        ({"reason": "FieldValueDuplicate"}, "Duplicate value"),
        ({"reason": "FieldValueInvalid"}, "Invalid value: failed rule: self.n > 0"),
    ],
)
def test_messages_and_reasons(rule: Mapping[str, str], shown: str) -> None:  # R1
    assert told(ruled(spec(n=INT), {"rule": "self.n > 0", **rule}), {"n": 0}) == [f"spec: {shown}"]


def test_a_computed_message_that_is_too_long_is_not_shown() -> None:  # R1
    text = {"type": "string", "maxLength": 10_000}
    rule = {"rule": "self.n > 0", "messageExpression": "self.s", "message": "m"}
    schema = ruled(spec(n=INT, s=text), rule)
    assert told(schema, {"n": 0, "s": "x" * MESSAGE_BYTES_MAX}) == [
        f"spec: Invalid value: {'x' * MESSAGE_BYTES_MAX}"
    ]
    assert told(schema, {"n": 0, "s": "x" * (MESSAGE_BYTES_MAX + 1)}) == ["spec: Invalid value: m"]
    assert told(schema, {"n": 0, "s": "é" * (MESSAGE_BYTES_MAX // 2 + 1)}) == ["spec: Invalid value: m"]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (".n", "spec.n"),
        (".m.a", "spec.m[a]"),
        (".m['a.b']", "spec.m[a.b]"),
        ("['n']", "spec.n"),
        (".o.p", "spec.o.p"),
    ],
)
def test_a_field_path_moves_the_error(path: str, shown: str) -> None:  # R1
    labels = {"type": "object", "maxProperties": 5, "additionalProperties": TEXT}
    schema = ruled(spec(n=INT, m=labels, o=spec(p=INT)), {"rule": "self.n > 0", "fieldPath": path})
    assert told(schema, {"n": 0}) == [f"{shown}: Invalid value: failed rule: self.n > 0"]


def test_what_cannot_be_evaluated_is_an_error_that_says_why() -> None:  # R1
    free = {"x-kubernetes-int-or-string": True}
    schema = ruled(
        spec(a=INT, b=INT, free=free),
        "self.a / self.b == 1",
        "self.free < 5",
        {"rule": "self.a > 1", "message": "m"},
    )
    assert told(schema, {"a": 2, "b": 0, "free": "x"}) == [
        'spec: Invalid value: "object": division by zero evaluating rule: self.a / self.b == 1',
        "spec: Invalid value: \"object\": 'no such overload': call arguments did not match a supported operator, "
        "function or macro signature for rule: self.free < 5",
    ]
    assert (
        told(schema, {"b": 1, "free": 1})[-1]
        == 'spec: Invalid value: "object": no such key: a evaluating rule: m'
    )


def test_null_breaks_no_rule() -> None:  # R1
    schema = spec(s=ruled({**TEXT, "nullable": True}, "self != ''"))
    assert told(schema, {"s": None}) == []
    assert len(told(schema, {"s": ""})) == 1


def test_transition_rules_wait_for_an_old_value() -> None:  # R1
    schema = spec(n=ruled(INT, {"rule": "self >= oldSelf", "message": "must grow"}))
    assert told(schema, {"n": 1}) == []
    assert told(schema, {"n": 1}, {}) == []
    assert told(schema, {"n": 1}, {"n": None}) == []
    assert told(schema, {"n": 1}, {"n": 1}) == []
    assert told(schema, {"n": 1}, {"n": 2}) == ["spec.n: Invalid value: 1: must grow"]


def test_with_optional_old_self_they_do_not_wait() -> None:  # R1
    rule = {"rule": "oldSelf.hasValue() || self == 1", "optionalOldSelf": True, "message": "begins with 1"}
    schema = spec(n=ruled(INT, rule))
    assert told(schema, {"n": 1}) == []
    assert told(schema, {"n": 2}) == ["spec.n: Invalid value: 2: begins with 1"]
    assert told(schema, {"n": 2}, {"n": 1}) == []


def test_a_message_sees_the_old_value_without_its_optional() -> None:
    # So Kubernetes has it, though it checks the types as for the rule: the message cannot be computed.
    rule = {
        "rule": "!oldSelf.hasValue()",
        "optionalOldSelf": True,
        "message": "m",
        "messageExpression": "string(oldSelf.value())",
    }
    assert told(spec(n=ruled(INT, rule)), {"n": 2}, {"n": 1}) == ["spec.n: Invalid value: 2: m"]


def test_items_of_keyed_lists_have_old_values() -> None:  # R2
    item = ruled(
        {**spec(name=TEXT, n=INT), "required": ["name"]}, {"rule": "self.n >= oldSelf.n", "message": "grow"}
    )
    keyed = {
        "type": "array",
        "maxItems": 5,
        "items": item,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
    }
    old = {"l": [{"name": "a", "n": 1}, {"name": "b", "n": 5}]}
    new = {"l": [{"name": "b", "n": 4}, {"name": "new", "n": 0}, {"name": "a", "n": 2}]}
    assert told(spec(l=keyed), new, old) == ["spec.l[0]: Invalid value: grow"]


def test_values_of_maps_have_old_values() -> None:  # R2
    labels = {"type": "object", "maxProperties": 5, "additionalProperties": ruled(INT, "self >= oldSelf")}
    assert told(spec(m=labels), {"m": {"a": 1, "b": 1, "c": 0}}, {"m": {"a": 2, "b": 1}}) == [
        "spec.m[a]: Invalid value: 1: failed rule: self >= oldSelf"
    ]


def test_items_of_other_lists_have_none() -> None:  # R2
    listed = {"type": "array", "maxItems": 5, "items": ruled(INT, "self > 0", "self == oldSelf")}
    assert told(spec(l=listed), {"l": [1, 0]}, {"l": [3, 4]}) == [
        "spec.l[1]: Invalid value: 0: failed rule: self > 0"
    ]


def test_what_an_update_left_alone_is_only_warned_of() -> None:  # R3
    schema = spec(a=ruled(spec(n=INT), "self.n > 0"), b=INT)
    warnings: list[str] = []
    assert told(schema, {"a": {"n": 0}, "b": 2}, {"a": {"n": 0}, "b": 1}, warnings=warnings) == []
    assert warnings == ["spec.a: Invalid value: failed rule: self.n > 0"]
    assert told(schema, {"a": {"n": -1}, "b": 2}, {"a": {"n": 0}, "b": 1}, warnings=warnings)


def test_who_looks_at_the_old_value_knows_that_nothing_changed() -> None:  # R3
    schema = spec(n=ruled(INT, {"rule": "self > oldSelf", "message": "must grow"}))
    warnings: list[str] = []
    assert told(schema, {"n": 1}, {"n": 1}, warnings=warnings) == ["spec.n: Invalid value: 1: must grow"]
    assert warnings == []


def test_errors_of_evaluation_are_never_tolerated() -> None:  # R3
    schema = spec(a=ruled(spec(n=INT, d=INT), "self.n / self.d > 0"))
    same = {"a": {"n": 1, "d": 0}}
    assert told(schema, same, same, warnings=[]) == [
        'spec.a: Invalid value: "object": division by zero evaluating rule: self.n / self.d > 0'
    ]


def test_the_budget_is_for_all_rules_together() -> None:  # R4
    schema = spec(a=ruled(INT, "self > 0"), b=ruled(INT, "self > 0"))
    rules = SchemaRules(root(schema))
    value = {"spec": {"a": 1, "b": 1}}
    assert rules.run(value, budget=10) == ([], 6)
    errors, left = rules.run(value, budget=3)
    assert left == -1
    assert [str(each) for each in errors] == [
        'spec.b: Invalid value: "integer": validation failed due to running out of cost budget, '
        "no further validation rules will be run"
    ]
    errors, left = rules.run(value, budget=2)
    assert (len(errors), left) == (1, -1)


def test_one_evaluation_has_a_limit_of_its_own() -> None:  # R4
    numbers = {"type": "array", "items": INT}
    rule = "self.l.all(a, self.l.all(b, self.l.all(c, a + b + c >= 0)))"
    schema = spec(l=numbers, n=ruled(INT, "self > 0"))
    errors = told(ruled(schema, rule), {"l": [1] * 100, "n": 0})
    assert errors == [
        "spec: Invalid value: \"object\": 'operation cancelled: actual cost limit exceeded': "
        f"no further validation rules will be run due to call cost exceeds limit for rule: {rule}"
    ]


def test_a_message_is_paid_for_too() -> None:  # R4
    rule = {"rule": "self.n > 0", "messageExpression": "self.s + self.s"}
    schema = ruled(spec(n=INT, s=TEXT, t=ruled(TEXT, "self != ''")), rule)
    value = {"n": 0, "s": "abc", "t": ""}
    errors = told(schema, value, budget=4)
    assert errors == [
        'spec: Invalid value: "object": messageExpression evaluation failed due to running out of cost budget, '
        "no further validation rules will be run"
    ]


def test_names_that_cel_spells_differently() -> None:
    schema = ruled(
        spec(**{"a-b": INT, "in": INT, "c.d/e": INT, "2nd": ruled(INT, "self > 0")}),
        "self.a__dash__b + self.__in__ + self.c__dot__d__slash__e == 6",
    )
    assert told(schema, {"a-b": 1, "in": 2, "c.d/e": 3}) == []
    assert told(schema, {"a-b": 1, "in": 2, "c.d/e": 3, "2nd": 0}) == [
        "spec.2nd: Invalid value: 0: failed rule: self > 0"
    ]


def test_times_and_bytes_are_what_their_format_says() -> None:
    schema = ruled(
        spec(
            t={"type": "string", "format": "date-time"},
            d={"type": "string", "format": "duration"},
            b={"type": "string", "format": "byte"},
        ),
        "self.t.getFullYear() == 2020 && self.d > duration('1h') && self.b == b'abc'",
    )
    assert told(schema, {"t": "2020-05-01T00:00:00Z", "d": "2h", "b": "YWJj"}) == []


def test_branches_that_cel_cannot_see_are_left_alone() -> None:
    hidden = {"x-kubernetes-preserve-unknown-fields": True, "properties": {"n": ruled(INT, "self > 0")}}
    assert told(spec(hidden=hidden), {"hidden": {"n": 0}}) == []


def test_the_reasons_are_those_of_the_status() -> None:
    rules = SchemaRules(ruled(spec(n=INT), {"rule": "self.n > 0", "reason": "FieldValueForbidden"}))
    [error] = rules({"n": 0}, None, [])
    assert error.type is FieldErrorType.FORBIDDEN
