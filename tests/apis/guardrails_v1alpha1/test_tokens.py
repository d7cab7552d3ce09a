"""Tokens: for one action, of one user, until their time."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apis.guardrails_v1alpha1.tokens import (
    Action,
    TokenError,
    confirmation,
    content_of,
    issue,
    read,
    tokens_in,
)

KEY = b"k" * 32
ACTION = Action("ann", "DELETE", "/pods", "shop", "web", "uid", "7", "")
texts = st.text(max_size=5)
actions = st.builds(Action, *([texts] * len(fields(Action))))
times = st.integers(1, 2**47)


@given(actions, times)
def test_a_token_says_what_it_is_for_until_its_time(action: Action, expires: int) -> None:  # T3
    token = issue(KEY, action, expires)
    assert read(KEY, token, action.user, expires - 1) == (action.digest(), expires)
    with pytest.raises(TokenError, match="has expired"):
        read(KEY, token, action.user, expires)


@given(actions, st.sampled_from([each.name for each in fields(Action)]), texts)
def test_another_action_has_another_digest(action: Action, member: str, other: str) -> None:  # T1
    changed = replace(action, **{member: other})
    assert (changed.digest() == action.digest()) is (changed == action)


@given(st.integers(0, 63), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_token_that_was_changed_is_none(position: int, letter: str) -> None:  # T2
    token = issue(KEY, ACTION, 1 << 40)
    changed = token[: 4 + position] + letter + token[5 + position :]
    if changed != token:
        with pytest.raises(TokenError):
            read(KEY, changed, "ann", 0)


def test_another_key_and_another_user_do_not_count() -> None:  # T1, T2
    token = issue(KEY, ACTION, 1 << 40)
    for key, user in ((b"x" * 32, "ann"), (KEY, "bob")):
        with pytest.raises(TokenError, match="was not issued to you"):
            read(key, token, user, 0)


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    with pytest.raises(TokenError):
        read(KEY, text, "ann", 0)
    assert tokens_in(text) == []


def test_tokens_are_found_in_warnings_each_once() -> None:
    first, second = issue(KEY, ACTION, 1), issue(KEY, ACTION, 2)
    text = f'Warning: {{"tokens":["{first}"]}}\nWarning: {second} {first}'
    assert tokens_in(text) == [first, second]
    assert confirmation([first], "OPS-1")["spec"] == {"tokens": [first], "reason": "OPS-1"}


def test_what_the_server_sets_anew_is_no_content() -> None:
    first = {"metadata": {"name": "a", "managedFields": [1], "resourceVersion": "1"}, "data": {"a": "b"}}
    second = {"metadata": {"name": "a", "managedFields": [2]}, "data": {"a": "b"}}
    assert content_of(first) == content_of(second) != content_of({**first, "data": {}})
