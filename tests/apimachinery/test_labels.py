"""Label selectors, as text and as object."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.labels import (
    EVERYTHING,
    NOTHING,
    parse_label_selector,
    selector_from_labels,
    selector_from_object,
)

WEB = {"app": "web", "tier": "front", "size": "5", "in": "in", "empty": ""}


@pytest.mark.parametrize(
    ("text", "matches", "canonical"),
    [
        ("", True, ""),
        ("app=web", True, "app=web"),
        ("app==web", True, "app==web"),
        ("app=", False, "app="),
        ("empty=", True, "empty="),
        ("app!=web", False, "app!=web"),
        ("other!=web", True, "other!=web"),
        ("app in (db, web)", True, "app in (db,web)"),
        ("app in ()", False, "app in ()"),
        ("empty in (,x)", True, "empty in (,x)"),
        ("app notin (db)", True, "app notin (db)"),
        ("other notin (db)", True, "other notin (db)"),
        ("app", True, "app"),
        ("!app", False, "!app"),
        ("! other", True, "!other"),
        ("size>4", True, "size>4"),
        ("size < 5", False, "size<5"),
        ("app>4", False, "app>4"),
        ("in in (in)", True, "in in (in)"),
        ("tier=front,app=web,!x", True, "app=web,tier=front,!x"),
        ("tier=front,app=db", False, "app=db,tier=front"),
        ("a/b.c=1", False, "a/b.c=1"),
    ],
)
def test_texts(text: str, matches: bool, canonical: str) -> None:  # L1, L2, L3
    selector = parse_label_selector(text)
    assert selector.matches(WEB) is matches
    assert str(selector) == canonical
    assert str(parse_label_selector(canonical)) == canonical


NAME_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("env in prod", "unable to parse requirement: found 'prod' expected: '('"),
        ("a b=c", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("-x=y", f'unable to parse requirement: <nil>: Invalid value: "-x": {NAME_RULE}'),
        ("k=bad value", "found 'value', expected: ',' or 'end of string'"),
        ("!k=v", "found '=', expected: ',' or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        (",a", "found ',', expected: !, identifier, or 'end of string'"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"),
        ("a=)", "unable to parse requirement: found ')', expected: identifier"),
        (
            "a>x",
            "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, "
            "the value must be an integer",
        ),
    ],
)
def test_texts_that_are_refused(text: str, message: str) -> None:  # L1
    with pytest.raises(ValueError) as caught:
        parse_label_selector(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("selector", "matches", "canonical"),
    [
        (None, False, ""),
        ({}, True, ""),
        ({"matchLabels": {"tier": "front", "app": "web"}}, True, "app=web,tier=front"),
        (
            {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "db"]}]},
            True,
            "app in (db,web)",
        ),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False, "!app"),
        (
            {
                "matchLabels": {"app": "web"},
                "matchExpressions": [
                    {"key": "tier", "operator": "NotIn", "values": ["back"]},
                    {"key": "size", "operator": "Exists"},
                ],
            },
            True,
            "app=web,size,tier notin (back)",
        ),
    ],
)
def test_objects(selector: dict[str, Any] | None, matches: bool, canonical: str) -> None:  # L1, L2
    compiled = selector_from_object(selector)
    assert compiled.matches(WEB) is matches
    assert str(compiled) == canonical


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ({"key": "a", "operator": "Near"}, '"Near" is not a valid label selector operator'),
        (
            {"key": "a", "operator": "In"},
            "values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty",
        ),
        (
            {"key": "a", "operator": "Exists", "values": ["x"]},
            'values: Invalid value: ["x"]: values set must be empty for exists and does not exist',
        ),
    ],
)
def test_objects_that_are_refused(expression: dict[str, Any], message: str) -> None:  # L1
    with pytest.raises(ValueError) as caught:
        selector_from_object({"matchExpressions": [expression]})
    assert str(caught.value) == message


def test_several_complaints_stand_in_brackets() -> None:
    with pytest.raises(ValueError, match=r"^\[key: Invalid value: .*, values\[0\]\[-a\]: Invalid value: "):
        selector_from_object({"matchLabels": {"-a": "-"}})


def test_nothing_and_everything() -> None:
    assert EVERYTHING.matches({}) and not EVERYTHING
    assert not NOTHING.matches(WEB) and NOTHING
    assert selector_from_labels(None) is EVERYTHING
    assert selector_from_labels({"b": "1", "a": "2"}) == parse_label_selector("a=2,b=1")


def test_which_value_is_demanded() -> None:
    selector = parse_label_selector("a=1,b in (2),c in (3,4),d!=5")
    assert [selector.required_value(key) for key in "abcde"] == ["1", "2", None, None, None]


keys = st.sampled_from(["a", "b", "c"])
values = st.sampled_from(["", "1", "2", "x"])
terms = st.one_of(
    st.builds("{}={}".format, keys, values),
    st.builds("{}!={}".format, keys, values),
    st.builds(lambda key, listed: f"{key} in ({','.join(listed)})", keys, st.lists(values, min_size=1)),
    st.builds(lambda key, listed: f"{key} notin ({','.join(listed)})", keys, st.lists(values, min_size=1)),
    keys,
    st.builds("!{}".format, keys),
)


@given(st.lists(terms, max_size=4), st.dictionaries(keys, values))
def test_a_selector_is_the_conjunction_of_its_terms(texts: list[str], labels: dict[str, str]) -> None:  # L3
    whole = parse_label_selector(",".join(texts))
    assert whole.matches(labels) == all(parse_label_selector(each).matches(labels) for each in texts)
    assert parse_label_selector(str(whole)).matches(labels) == whole.matches(labels)  # L2


@given(st.text(alphabet="ab=!,()<> in", max_size=20))
def test_any_text_is_understood_or_refused(text: str) -> None:  # L1
    try:
        selector = parse_label_selector(text)
    except ValueError:
        return
    assert str(parse_label_selector(str(selector))) == str(selector)


@pytest.mark.parametrize("sign", ["(", "!", "=", "!=", "a,", "a in (", ","])
def test_long_selectors_are_read_soon(sign: str) -> None:
    """A request line has room for a megabyte, and nobody else is served while it is read."""
    with contextlib.suppress(ValueError):
        parse_label_selector("a" + sign * 200_000)
