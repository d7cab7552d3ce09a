"""What kube-apiserver says of the CEL rules in definitions."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from kajitori.apis.apiextensions_v1 import validate_crd, validate_crd_update

Schema = dict[str, Any]
ROOT = "spec.validation.openAPIV3Schema"
INT: Schema = {"type": "integer"}
TEXT: Schema = {"type": "string", "maxLength": 10}
LONG: Schema = {"type": "string"}


def ruled(schema: Mapping[str, Any], *rules: str | Mapping[str, Any]) -> Schema:
    return {
        **schema,
        "x-kubernetes-validations": [{"rule": r} if isinstance(r, str) else dict(r) for r in rules],
    }


def spec(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def array(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


def definition(schema: Schema, *others: Schema) -> dict[str, Any]:
    versions = [
        {"name": f"v{number}", "served": True, "storage": number == 1, "schema": {"openAPIV3Schema": each}}
        for number, each in enumerate((schema, *others), 1)
    ]
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    return {
        "metadata": {"name": "widgets.example.com", "resourceVersion": "1"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": names,
            "conversion": {"strategy": "None"},
            "versions": versions,
        },
        "status": {"storedVersions": ["v1"]},
    }


def told(schema: Schema) -> list[str]:
    """The complaints without the path of the schema and without what shows the whole rule."""
    return [short(str(each)) for each in validate_crd(definition(schema))]


def told_of_update(new: Schema, old: Schema) -> list[str]:
    return [short(str(each)) for each in validate_crd_update(definition(new), definition(old))]


def short(error: str) -> str:
    error = error.replace(f"{ROOT}.", "").replace("x-kubernetes-validations", "rules")
    before, shown, after = error.partition('{"Rule":')
    return before + after[after.index("}: ") + 3 :] if shown else error


def test_rules_that_compile_are_welcome() -> None:
    schema = ruled(spec(a=INT, l=array(TEXT, maxItems=5)), "self.a > 0 && self.l.all(x, x != '')")
    assert told(schema) == []


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (
            "self.b == 1",
            "compilation failed: ERROR: <input>:1:5: undefined field 'b'\n | self.b == 1\n | ....^",
        ),
        (
            "self.a == 'x'",
            "compilation failed: ERROR: <input>:1:8: found no matching overload for '_==_' applied to "
            "'(int, string)'\n | self.a == 'x'\n | .......^",
        ),
        ("self.a", "cel expression must evaluate to a bool"),
        ("dyn(true)", "cel expression must evaluate to a bool"),
        ("int('x') == 1", "program instantiation failed: type conversion error from 'string' to 'int'"),
        (
            "''.matches('(')",
            "compilation failed: ERROR: <input>:1:12: invalid matches argument\n | ''.matches('(')\n | ...........^",
        ),
    ],
)
def test_rules_that_do_not_compile(rule: str, problem: str) -> None:  # R1
    assert told(ruled(spec(a=INT), rule)) == [f"rules[0].rule: Invalid value: {problem}"]


def test_the_whole_rule_is_shown_as_go_shows_it() -> None:  # R1
    rule = {"rule": "self.a < 'x'", "reason": "FieldValueForbidden", "fieldPath": ".a"}
    [error] = validate_crd(definition(ruled(spec(a=INT), rule)))
    assert str(error).startswith(
        f"{ROOT}.x-kubernetes-validations[0].rule: Invalid value: "
        '{"Rule":"self.a \\u003c \'x\'","Message":"","MessageExpression":"","Reason":"FieldValueForbidden",'
        '"FieldPath":".a","OptionalOldSelf":null}: compilation failed: '
    )


def test_computed_messages_are_texts() -> None:  # R1
    rules = [{"rule": "true", "messageExpression": text} for text in ("1", "self.b", "string(1)", " ")]
    assert told(ruled(spec(a=INT), *rules[:3])) == [
        "rules[0].messageExpression: Invalid value: messageExpression must evaluate to a string",
        "rules[1].messageExpression: Invalid value: messageExpression compilation failed: "
        "ERROR: <input>:1:5: undefined field 'b'\n | self.b\n | ....^",
    ]
    assert told(ruled(spec(a=INT), rules[3])) == [
        "rules[0].messageExpression: Required value: messageExpression must be non-empty if specified"
    ]


def test_old_values_are_where_one_can_say_which_was_which() -> None:  # R1
    keyed = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "maxItems": 5}
    item = {**spec(k=TEXT, n=ruled(INT, "self >= oldSelf")), "required": ["k"]}
    assert told(spec(l=array(item, **keyed))) == []
    assert told(spec(l=array(array(item, **keyed), maxItems=5))) == [
        'properties[l].items.items.properties[n].rules[0].rule: Invalid value: "self >= oldSelf": oldSelf cannot be '
        "used on the uncorrelatable portion of the schema within properties[l]"
    ]


def test_optional_old_self_is_for_rules_with_old_self() -> None:  # R1
    rules = [
        {"rule": "self.a > 0", "optionalOldSelf": False},
        {"rule": "oldSelf.hasValue()", "optionalOldSelf": True},
        {"rule": "oldSelf.a == 1", "optionalOldSelf": False},
    ]
    assert told(ruled(spec(a=INT), *rules)) == [
        "rules[0].optionalOldSelf: Invalid value: false: may not be set if oldSelf is not used in rule"
    ]


def test_what_cel_cannot_see_has_no_rules() -> None:  # R1
    free = {"x-kubernetes-preserve-unknown-fields": True}
    problem = (
        "Internal error: internal error: failed to construct type information for x-kubernetes-validations rules: "
        "unable to convert structural schema to CEL declarations"
    )
    assert [str(each) for each in validate_crd(definition(spec(p=ruled(free, "true"))))] == [
        f"{ROOT}.properties[p].x-kubernetes-validations: {problem}"
    ]
    # Inside of it, a part that can be seen by itself may have some, unless a rule further out looks at it.
    inside = {**free, "properties": {"n": ruled(INT, "self > 0")}}
    assert told(spec(p=inside)) == []
    assert len(told(ruled(spec(p=inside), "true"))) == 1


def test_rules_are_not_looked_at_where_the_schema_is_wrong() -> None:
    wrong = {**spec(a=INT), "uniqueItems": True}
    schema = ruled(spec(p=ruled(wrong, "self.b"), q=ruled(spec(a=INT), "self.a")), "self.b")
    assert told(schema) == [
        "properties[p].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity "
        "becomes quadratic",
        "properties[q].rules[0].rule: Invalid value: cel expression must evaluate to a bool",
    ]


def test_what_is_wrong_only_because_of_the_status_subresource_does_not_matter() -> None:
    crd = definition(ruled({**spec(a=INT), "maxProperties": 5}, "self.a"))
    crd["spec"]["versions"][0]["subresources"] = {"status": {}}
    errors = [str(each) for each in validate_crd(crd)]
    assert any(
        "are allowed at the root of the schema if the status subresource is enabled" in each
        for each in errors
    )
    assert any("cel expression must evaluate to a bool" in each for each in errors)


ADVICE = (
    "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength "
    "where arrays, maps, and strings are declared)"
)


def too_expensive(what: str, factor: str) -> str:
    return f"Forbidden: {what} exceeds budget by factor of {factor} {ADVICE}"


def test_a_rule_may_not_cost_too_much() -> None:  # R2
    rule = "self.all(x, self.all(y, self.all(z, x == y && y == z)))"
    matrix = array(ruled(array(TEXT, maxItems=100), rule), maxItems=2)
    assert told(spec(l=matrix)) == [
        f"properties[l].items.rules[0].rule: {too_expensive('estimated rule cost', '3.0x')}"
    ]
    matrix["maxItems"] = 0
    assert told(spec(l=matrix)) == []


def test_without_a_limit_as_many_are_counted_as_fit_into_a_request() -> None:  # R2
    labels = {"type": "object", "additionalProperties": ruled(TEXT, "self.matches('^[a-z]+$')")}
    problem = too_expensive("estimated rule cost", "1.153434x")
    assert told(spec(m=labels)) == [f"properties[m].additionalProperties.rules[0].rule: {problem}"]
    pairs = ruled({**spec(a=TEXT, b=TEXT), "required": ["a", "b"]}, "self.a.matches(self.b)")
    assert told(spec(l=array(pairs))) == []


def test_what_costs_a_hundred_times_too_much_has_no_exact_factor() -> None:  # R2
    text = "self.replace('a', 'bbbbbbb').replace('a', 'b').contains(self) ? 'a' : 'b'"
    schema = spec(s=ruled(LONG, {"rule": "true", "messageExpression": text}))
    assert told(schema) == [
        "properties[s].rules[0].messageExpression: "
        + too_expensive("estimated messageExpression cost", "more than 100x"),
        "properties[s].rules[0].messageExpression: Forbidden: contributed to estimated rule cost total exceeding "
        "cost limit for entire OpenAPIv3 schema",
        f"{ROOT}: "
        + too_expensive("rules estimated rule cost total for entire OpenAPIv3 schema", "more than 100x"),
    ]


def test_all_rules_together_may_not_cost_too_much() -> None:  # R2
    lists = {
        f"l{number}": array(ruled(TEXT, "self.matches('^[a-z]+$')"), maxItems=900_000 + number)
        for number in range(11)
    }
    contributed = (
        "Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
    )
    assert told(spec(**lists)) == [
        *(f"properties[l{number}].items.rules[0].rule: {contributed}" for number in (10, 9, 8, 7)),
        f"{ROOT}: "
        + too_expensive("rules estimated rule cost total for entire OpenAPIv3 schema", "1.089006x"),
    ]


def test_what_was_too_expensive_may_stay_as_long_as_its_schema_does() -> None:  # R3
    labels = {"type": "object", "additionalProperties": ruled(TEXT, "self.matches('^[a-z]+$')")}
    old = spec(m=labels)
    assert told_of_update(old, old) == []
    assert len(told_of_update(spec(m=labels, n=INT), old)) == 1
    both = definition(old, spec(n=INT)), definition(old, spec(n=TEXT))
    assert validate_crd_update(*both) == []


def test_what_stays_the_same_is_checked_all_the_same() -> None:  # R3
    broken = ruled(spec(a=INT), "self.b")
    assert told_of_update(broken, broken) == [
        "rules[0].rule: Invalid value: compilation failed: "
        "ERROR: <input>:1:5: undefined field 'b'\n | self.b\n | ....^"
    ]


def test_defaults_have_to_satisfy_the_rules() -> None:  # default_rules.py
    assert told(
        spec(s=ruled({**TEXT, "default": "b"}, {"rule": "self.startsWith('a')", "message": "no a"}))
    ) == ['properties[s].default: Invalid value: "b": no a']
    inner = spec(n=ruled(INT, "self > 0"))
    assert told(spec(o={**inner, "default": {"n": 0}})) == [
        "properties[o].default.n: Invalid value: 0: failed rule: self > 0"
    ]


def test_defaults_are_both_old_and_new() -> None:  # default_rules.py
    grows = ruled({**INT, "default": 1}, {"rule": "self > oldSelf", "message": "must grow"})
    assert told(spec(n=grows)) == ["properties[n].default: Invalid value: 1: must grow"]
    first = {"rule": "oldSelf.hasValue()", "optionalOldSelf": True, "message": "never new"}
    assert told(spec(n=ruled({**INT, "default": 1}, first))) == [
        "properties[n].default: Invalid value: 1: never new"
    ]


def test_the_rules_about_all_defaults_share_one_budget() -> None:  # default_rules.py F1
    rule = "self.l.all(a, self.l.all(b, a + b > 0))"
    numbers = spec(l=array(INT, maxItems=300))
    value = {"l": [1] * 290}
    parts = {f"p{number:02}": {**ruled(numbers, rule), "default": value} for number in range(40)}
    errors = told(spec(**parts))
    assert errors[-1].endswith(
        "validation failed due to running out of cost budget, no further validation rules will be run"
    )
    assert len(errors) == 1


def test_validation_changes_nothing() -> None:
    schema = ruled(spec(a={**INT, "default": 1}), "self.a > 0")
    crd = definition(schema)
    before = copy.deepcopy(crd)
    validate_crd(crd)
    assert crd == before
