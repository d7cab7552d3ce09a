"""The file of rules: what the first kubectl-guardrails' files mean, ours, and what is said of mistakes."""

from pathlib import Path

import pytest

from kajitori.cli.guardrails.configuration import Configuration, read_configuration
from kajitori.cli.guardrails.errors import GuardrailsError
from kajitori.cli.guardrails.rules import Action, Rule


def read(folder: Path, text: str) -> Configuration:
    path = folder / "rules"
    path.write_text(text)
    return read_configuration({"KUBECTL_GUARDRAILS_CONF": str(path)})


def test_the_originals_files_mean_what_they_meant(tmp_path: Path) -> None:  # F1
    text = "contexts:\n- name: prod\n  prompts:\n  - name: delete\n  - {name: apply, dry-run: true}\n"
    first, second = read(tmp_path, text).rules
    assert first == Rule(
        "delete in prod", Action.CONFIRM, ("prod",), verbs=("delete",), preview=False, exact=True
    )
    assert (second.verbs, second.preview) == (("apply",), True)


def test_our_form_comes_first_and_both_may_be_there(tmp_path: Path) -> None:
    text = """
contexts: [{name: prod, prompts: [{name: delete}]}]
rules:
- name: careful
  match: {contexts: prod*, verbs: [delete, rollout undo], resources: [ns], selector: "a in (b)", moreThan: 3, all: true}
  action: require-ticket
  ticket: OPS-[0-9]+
  message: think
log: ~/book
"""
    found = read(tmp_path, text)
    assert [each.name for each in found.rules] == ["careful", "delete in prod"]
    rule = found.rules[0]
    assert (rule.contexts, rule.verbs) == (("prod*",), ("delete", "rollout undo"))
    assert (rule.more_than, rule.is_all, rule.ticket) == (3, True, "OPS-[0-9]+")
    assert found.log.endswith("/book") and not found.log.startswith("~")


def test_no_file_is_no_rules_but_a_named_one_has_to_be_there(tmp_path: Path) -> None:
    assert read_configuration({"HOME": str(tmp_path)}) == Configuration()
    with pytest.raises(GuardrailsError, match="which does not exist"):
        read_configuration({"KUBECTL_GUARDRAILS_CONF": str(tmp_path / "none")})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "rules:\n- name: a\n  action: ask\n",
            "line 3: rules[0].action: ask is none; write one of allow, confirm",
        ),
        ("rules:\n- name: a\n", "line 2: rules[0]: has no action; write action: confirm"),
        (
            "rules:\n- name: a\n  action: deny\n  match:\n    verb: [x]\n",
            "line 5: rules[0].match.verb: is not known",
        ),
        ("rules:\n- {name: a, action: deny, match: {moreThan: many}}\n", "moreThan: write a whole number"),
        ("rules:\n- {name: a, action: deny, match: {verbs: []}}\n", "verbs: is empty, which matches nothing"),
        ("rules:\n- {name: a, action: deny, match: {selector: 'a in'}}\n", "selector: is no label selector"),
        ("rules:\n- {name: a, action: deny, ticket: x}\n", "ticket: is for the action require-ticket"),
        ("rules:\n- {name: a, action: require-ticket, ticket: '('}\n", "ticket: is no regular expression"),
        ("contexts:\n- prompts: []\n", "line 2: contexts[0]: has no name"),
        (
            "contexts:\n- name: a\n  prompts:\n  - {name: delete, dry-run: 3}\n",
            "dry-run: write true or false",
        ),
        ("rules: [\n", "line 2: this is no YAML"),
        ("rules: x\n", "line 1: rules: write a list"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_is_right(
    tmp_path: Path, text: str, told: str
) -> None:  # F2
    with pytest.raises(GuardrailsError) as caught:
        read(tmp_path, text)
    assert told in str(caught.value)
