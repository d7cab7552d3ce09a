"""Asking whether somebody may do something: since Kubernetes 1.27, with selectors since 1.31.

An expression only phrases the question; whoever declares the variable `authorizer` answers it, by an `Authorizer`.

    authorizer.group('apps').resource('deployments').namespace('default').check('create').allowed()

Promises
    A1  a question says all that the expression said; selectors come as they were written, unread
    A2  a question is asked once for each `check` that is evaluated

Source: apiserver's pkg/cel/library/authz.go.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

from kajitori.apimachinery.cel.cost import (
    LIST_CREATE_COST,
    STRING_TRAVERSAL_FACTOR,
    STRUCT_CREATE_COST,
    Cost,
    Estimate,
    Node,
    Size,
)
from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Function, Library, Overload, function
from kajitori.apimachinery.cel.libraries.opaque import no_overload
from kajitori.apimachinery.cel.libraries.strings import SPACES
from kajitori.apimachinery.cel.prices import Price, fixed, priced, size_of
from kajitori.apimachinery.cel.types import BOOL, STRING, Kind, Type
from kajitori.apimachinery.names import name_is_dns_label, name_is_dns_subdomain

__all__ = [
    "AUTHORIZER",
    "RESOURCE_CHECK",
    "Answer",
    "Authorizer",
    "AuthorizerValue",
    "PathQuestion",
    "ResourceCheckValue",
    "ResourceQuestion",
    "authorizer",
    "authorizer_selectors",
]

AUTHORIZER = Type(Kind.OBJECT, "kubernetes.authorization.Authorizer")
_PATH_CHECK = Type(Kind.OBJECT, "kubernetes.authorization.PathCheck")
_GROUP_CHECK = Type(Kind.OBJECT, "kubernetes.authorization.GroupCheck")
RESOURCE_CHECK = Type(Kind.OBJECT, "kubernetes.authorization.ResourceCheck")
_DECISION = Type(Kind.OBJECT, "kubernetes.authorization.Decision")

CHECK_COST = 350_000
"""So much that an expression within its budget asks no more than twice."""
_REQUIREMENT_COST = LIST_CREATE_COST + STRUCT_CREATE_COST
_REQUIREMENTS_BY_LENGTH = 0.5
"""The shortest requirement of a selector, `k,`, has two characters."""


@dataclass(frozen=True, slots=True)
class PathQuestion:
    """May they send such a request to this path, which is no resource?"""

    path: str
    verb: str = ""
    service_account: tuple[str, str] | None = None
    """Namespace and name, when it is not about whoever sent the request."""


@dataclass(frozen=True, slots=True)
class ResourceQuestion:
    """May they do this to such a resource, in any of its versions?"""

    group: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    field_selector: str = ""
    label_selector: str = ""
    verb: str = ""
    service_account: tuple[str, str] | None = None
    """Namespace and name, when it is not about whoever sent the request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the authorizer decided."""

    allowed: bool
    reason: str = ""
    error: str | None = None
    """What went wrong while deciding."""


class Authorizer(Protocol):
    """Whoever answers. It knows who sent the request."""

    def authorize(self, question: PathQuestion | ResourceQuestion) -> Answer: ...


class _Value:
    """A step of a question. In Kubernetes comparing any of them with anything is an error."""

    __slots__ = ()

    cel_type: ClassVar[Type]

    def equals(self, _other: object) -> bool:
        raise no_overload()


class AuthorizerValue(_Value):
    """What the variable `authorizer` holds."""

    __slots__ = ("answering", "service_account")

    cel_type: ClassVar[Type] = AUTHORIZER

    def __init__(self, answering: Authorizer, service_account: tuple[str, str] | None = None) -> None:
        self.answering = answering
        self.service_account = service_account


class _PathCheck(_Value):
    __slots__ = ("answering", "question")

    cel_type: ClassVar[Type] = _PATH_CHECK

    def __init__(self, answering: Authorizer, question: PathQuestion) -> None:
        self.answering = answering
        self.question = question


class _GroupCheck(_Value):
    __slots__ = ("group", "of")

    cel_type: ClassVar[Type] = _GROUP_CHECK

    def __init__(self, of: AuthorizerValue, group: str) -> None:
        self.of = of
        self.group = group


class ResourceCheckValue(_Value):
    """What the variable `authorizer.requestResource` holds: a question that lacks its verb."""

    __slots__ = ("answering", "question")

    cel_type: ClassVar[Type] = RESOURCE_CHECK

    def __init__(self, answering: Authorizer, question: ResourceQuestion) -> None:
        self.answering = answering
        self.question = question


class _Decision(_Value):
    __slots__ = ("answer",)

    cel_type: ClassVar[Type] = _DECISION

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


def _path(value: AuthorizerValue, path: str) -> _PathCheck:
    if not path.strip(SPACES):
        raise EvaluationError("path must not be empty")
    return _PathCheck(value.answering, PathQuestion(path, service_account=value.service_account))


def _service_account(value: AuthorizerValue, namespace: str, name: str) -> AuthorizerValue:
    if name_is_dns_subdomain(name, False):
        raise EvaluationError("Invalid service account name")
    if name_is_dns_label(namespace, False):
        raise EvaluationError("Invalid service account namespace")
    return AuthorizerValue(value.answering, (namespace, name))


def _resource(value: _GroupCheck, resource: str) -> ResourceCheckValue:
    if not resource.strip(SPACES):
        raise EvaluationError("resource must not be empty")
    question = ResourceQuestion(value.group, resource, service_account=value.of.service_account)
    return ResourceCheckValue(value.of.answering, question)


def _check(value: _PathCheck | ResourceCheckValue, verb: str) -> _Decision:
    return _Decision(value.answering.authorize(replace(value.question, verb=verb)))


def _narrowing(part: str) -> Callable[[ResourceCheckValue, str], ResourceCheckValue]:
    """A check with one more part of the question told."""

    def call(value: ResourceCheckValue, text: str) -> ResourceCheckValue:
        told: dict[str, Any] = {part: text}
        return ResourceCheckValue(value.answering, replace(value.question, **told))

    return call


def _selector_cost(length: Size) -> Cost:
    """Reading the text, and making a list of its requirements."""
    requirements = length.cost(_REQUIREMENTS_BY_LENGTH).scaled(_REQUIREMENT_COST)
    start = Cost(LIST_CREATE_COST, LIST_CREATE_COST)
    return start + length.cost(STRING_TRAVERSAL_FACTOR) + requirements


def _cost_of_selector(arguments: Sequence[Any], _result: Any) -> int:
    length = size_of(arguments[1])
    return _selector_cost(Size(length, length)).max


def _estimate_of_selector(arguments: Sequence[Node]) -> Estimate:
    return Estimate(_selector_cost(arguments[1].size()))


def _member(
    name: str, id: str, receiver: Type, result: Type, call: Callable[..., Any], texts: int = 1
) -> Function:
    return function(name, Overload(id, (receiver, *[STRING] * texts), result, call, member=True))


def _answered(name: str, result: Type, call: Callable[[Answer], Any]) -> Function:
    return _member(name, f"decision_{name}", _DECISION, result, lambda value: call(value.answer), texts=0)


def _narrowed(name: str) -> Function:
    return _member(name, f"resourcecheck_{name}", RESOURCE_CHECK, RESOURCE_CHECK, _narrowing(name))


def _selected(name: str, id: str, part: str) -> Function:
    overload = Overload(id, (RESOURCE_CHECK, STRING), RESOURCE_CHECK, _narrowing(part), member=True)
    return priced(name, Price(_cost_of_selector, _estimate_of_selector), overload)


authorizer = Library(
    "kubernetes.authz",
    functions=(
        _member("path", "authorizer_path", AUTHORIZER, _PATH_CHECK, _path),
        _member("group", "authorizer_group", AUTHORIZER, _GROUP_CHECK, _GroupCheck),
        _member(
            "serviceAccount", "authorizer_serviceaccount", AUTHORIZER, AUTHORIZER, _service_account, texts=2
        ),
        _member("resource", "groupcheck_resource", _GROUP_CHECK, RESOURCE_CHECK, _resource),
        _narrowed("subresource"),
        _narrowed("namespace"),
        _narrowed("name"),
        priced(
            "check",
            fixed(CHECK_COST),
            Overload("pathcheck_check", (_PATH_CHECK, STRING), _DECISION, _check, member=True),
            Overload("resourcecheck_check", (RESOURCE_CHECK, STRING), _DECISION, _check, member=True),
        ),
        _answered("errored", BOOL, lambda answer: answer.error is not None),
        _answered("error", STRING, lambda answer: answer.error or ""),
        _answered("allowed", BOOL, lambda answer: answer.allowed),
        _answered("reason", STRING, lambda answer: answer.reason),
    ),
)

authorizer_selectors = Library(
    "kubernetes.authzSelectors",
    functions=(
        _selected("fieldSelector", "authorizer_fieldselector", "field_selector"),
        _selected("labelSelector", "authorizer_labelselector", "label_selector"),
    ),
)
