"""Questions to an authorizer: what is asked, and what becomes of the answers."""

from typing import Any

import pytest
from tests.apimachinery.cel.libraries.support import call, overload

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.libraries.authorizer import (
    Answer,
    AuthorizerValue,
    PathQuestion,
    ResourceCheckValue,
    ResourceQuestion,
    authorizer,
    authorizer_selectors,
)
from kajitori.apimachinery.cel.values import equal


class Asked:
    """Answers every question alike, and keeps them."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.questions: list[PathQuestion | ResourceQuestion] = []

    def authorize(self, question: PathQuestion | ResourceQuestion) -> Answer:
        self.questions.append(question)
        return self.answer


def chain(value: Any, *steps: tuple[str, ...]) -> Any:
    for id, *texts in steps:
        library = authorizer_selectors if id.endswith("selector") else authorizer
        value = call(library, id, value, *texts)
    return value


def test_a_question_about_a_resource_says_all_that_the_expression_said() -> None:  # A1, A2
    asked = Asked(Answer(allowed=True, reason="because"))
    decision = chain(
        AuthorizerValue(asked),
        ("authorizer_group", "apps"),
        ("groupcheck_resource", "deployments"),
        ("resourcecheck_subresource", "scale"),
        ("resourcecheck_namespace", "default"),
        ("resourcecheck_name", "web"),
        ("authorizer_fieldselector", "metadata.name=web"),
        ("authorizer_labelselector", "a in (b"),
        ("resourcecheck_check", "update"),
    )
    assert asked.questions == [
        ResourceQuestion(
            "apps",
            "deployments",
            subresource="scale",
            namespace="default",
            name="web",
            field_selector="metadata.name=web",
            label_selector="a in (b",
            verb="update",
        )
    ]
    assert chain(decision, ("decision_allowed",)) is True
    assert chain(decision, ("decision_reason",)) == "because"
    assert chain(decision, ("decision_errored",)) is False
    assert chain(decision, ("decision_error",)) == ""


def test_a_question_about_a_path_can_be_on_behalf_of_a_service_account() -> None:  # A1
    asked = Asked(Answer(allowed=False, error="webhook is away"))
    decision = chain(
        AuthorizerValue(asked),
        ("authorizer_serviceaccount", "default", "builder"),
        ("authorizer_path", "/healthz"),
        ("pathcheck_check", "get"),
    )
    assert asked.questions == [PathQuestion("/healthz", "get", ("default", "builder"))]
    assert chain(decision, ("decision_errored",)) is True
    assert chain(decision, ("decision_error",)) == "webhook is away"


def test_the_resource_of_the_request_can_be_asked_about_right_away() -> None:
    asked = Asked(Answer(allowed=True))
    value = ResourceCheckValue(asked, ResourceQuestion("", "pods", namespace="a", name="b"))
    assert chain(value, ("resourcecheck_check", "get"), ("decision_allowed",)) is True
    assert asked.questions == [ResourceQuestion("", "pods", namespace="a", name="b", verb="get")]


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ([("authorizer_path", " \u3000")], "path must not be empty"),
        ([("authorizer_group", ""), ("groupcheck_resource", "  ")], "resource must not be empty"),
        ([("authorizer_serviceaccount", "default", "not@valid")], "Invalid service account name"),
        ([("authorizer_serviceaccount", "a.b", "valid.name")], "Invalid service account namespace"),
    ],
)
def test_some_questions_make_no_sense(steps: list[tuple[str, ...]], problem: str) -> None:
    with pytest.raises(EvaluationError, match=problem):
        chain(AuthorizerValue(Asked(Answer(allowed=True))), *steps)


def test_asking_costs_so_much_that_few_questions_fit_a_budget() -> None:
    check = overload(authorizer, "resourcecheck_check")
    assert check.cost is not None and check.cost((None, "get"), None) == 350_000


def test_a_selector_costs_by_the_requirements_it_may_have() -> None:
    selector = overload(authorizer_selectors, "authorizer_labelselector")
    assert selector.cost is not None
    assert selector.cost((None, "a,b"), None) == 10 + 1 + 100


def test_steps_of_a_question_cannot_be_compared() -> None:
    value = AuthorizerValue(Asked(Answer(allowed=True)))
    with pytest.raises(EvaluationError, match="no such overload"):
        equal(value, value)
