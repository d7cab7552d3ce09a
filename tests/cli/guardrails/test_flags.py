"""The flags that are ours: taken from the line, the rest left as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.cli.guardrails.errors import GuardrailsError
from kajitori.cli.guardrails.flags import Flags, own_flags


@pytest.mark.parametrize(
    ("text", "words", "flags"),
    [
        ("delete pod x --yes", "delete pod x", Flags(yes=True)),
        ("--yes delete pod x", "delete pod x", Flags(yes=True)),
        ("delete --yes-i-mean abc pod x", "delete pod x", Flags(meant="abc")),
        ("delete pod x --yes-i-mean=abc --ticket=T", "delete pod x", Flags(meant="abc", ticket="T")),
        ("exec x -- apt install --yes", "exec x -- apt install --yes", Flags()),
    ],
)
def test_ours_are_found_before_the_dashes(text: str, words: str, flags: Flags) -> None:
    assert own_flags(text.split()) == (words.split(), flags)


def test_of_plugins_only_those_before_their_name_are_ours() -> None:
    given = ["--yes", "neat", "install", "--yes"]
    assert own_flags(given, before_command=True) == (["neat", "install", "--yes"], Flags(yes=True))


def test_a_value_has_to_be_there() -> None:
    with pytest.raises(GuardrailsError, match="--ticket needs a value"):
        own_flags(["delete", "--ticket"])


@given(st.lists(st.sampled_from(["delete", "-n", "--", "--all", "--yesterday", "--", "x=--yes"])))
def test_what_is_not_ours_stays_as_it_is(words: list[str]) -> None:
    assert own_flags(words) == (words, Flags())
