"""Type checking of ValidatingAdmissionPolicies: what of their expressions cannot work with the kinds they match.

When a policy is admitted its objects are of any type; here each expression is checked once more for each kind that
the rules name. Sits under the controller that writes the warnings into `status.typeChecking`.

Promises
    T1  kinds are those of rules without wildcards, without subresources, in the order of their names; once a rule has
        brought KINDS_MAX there are no more
    T2  validations and their messages are checked, with `object`, `oldObject` and `params` in their types; what is of
        no known kind is not looked into
    T3  a warning has a paragraph for each kind that an expression does not fit

Source: apiserver's pkg/admission/plugin/policy/validating/typechecking.go.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

from kajitori.apimachinery.cel import CompileError, Environment, environments
from kajitori.apimachinery.cel.admission import NAMESPACE, REQUEST, with_variables
from kajitori.apimachinery.cel.libraries.authorizer import AUTHORIZER
from kajitori.apimachinery.cel.schemas import declared_type
from kajitori.apimachinery.cel.types import DYN, Type
from kajitori.apimachinery.cel.types import Kind as TypeKind
from kajitori.apimachinery.kind import JsonObject

__all__ = [
    "KINDS_MAX",
    "GroupVersionKind",
    "Matched",
    "custom_type",
    "kinds_matched",
    "param_kind",
    "warnings",
]

KINDS_MAX = 10
"""Kinds that one rule brings, as in Kubernetes."""

_Spec = Mapping[str, Any]
_SCHEMAS = "#/components/schemas/"


class GroupVersionKind(NamedTuple):
    """A kind in one version. `str()` is how Kubernetes writes it: `apps/v1, Kind=Deployment`."""

    group: str
    version: str
    kind: str

    def __str__(self) -> str:
        return f"{self.group}/{self.version}, Kind={self.kind}"


KindsFor = Callable[[str, str, str], Sequence[GroupVersionKind]]
"""The kinds of a group, version and resource; of the empty group those of all groups."""


@dataclass(frozen=True, slots=True)
class Matched:
    """A kind that a policy matches, or that its parameters are of."""

    kind: GroupVersionKind
    type: Type
    """DYN where nothing is known of it."""


def kinds_matched(spec: _Spec, kinds_for: KindsFor) -> list[GroupVersionKind]:
    """The kinds to check a policy for."""
    found: set[GroupVersionKind] = set()
    for rule in (spec.get("matchConstraints") or {}).get("resourceRules") or ():
        groups, versions = (
            _without_wildcards(rule.get("apiGroups")),
            _without_wildcards(rule.get("apiVersions")),
        )
        resources = sorted(each for each in rule.get("resources") or () if not _has_any(each, "*/"))
        count = 0
        for group, version, resource in product(groups, versions, resources):
            for kind in kinds_for(group, version, resource):
                found.add(kind)
                count += 1
                if count == KINDS_MAX:
                    return sorted(found)
    return sorted(found)


def _without_wildcards(names: Iterable[str] | None) -> list[str]:
    """In order; none at all where one of them stands for others."""
    found = sorted(names or ())
    return [] if any("*" in each for each in found) else found


def _has_any(text: str, characters: str) -> bool:
    return any(each in text for each in characters)


def param_kind(spec: _Spec) -> GroupVersionKind | None:
    """What the parameters are of, for a policy that has any."""
    said = spec.get("paramKind")
    if said is None:
        return None
    group, _, version = said.get("apiVersion", "").rpartition("/")
    return GroupVersionKind(group, version, said.get("kind", ""))


def custom_type(document: _Spec, kind: GroupVersionKind, name: str) -> Type | None:
    """The type of a kind, called `name`, by the OpenAPI document of its group and version; None if it is not there."""
    schemas: Mapping[str, Any] = (document.get("components") or {}).get("schemas") or {}
    for schema in schemas.values():
        for said in schema.get("x-kubernetes-group-version-kind") or ():
            if (said.get("group"), said.get("version"), said.get("kind")) == kind:
                return declared_type(
                    schema, name, root=True, resolve=lambda target: schemas[target.removeprefix(_SCHEMAS)]
                )
    return None


def warnings(spec: _Spec, matched: Sequence[Matched], params: Type | None) -> list[JsonObject]:
    """What `status.typeChecking.expressionWarnings` is to say. `params` is None for a policy without parameters."""
    environments = [(each.kind, _environment(spec, each.type, params)) for each in matched]
    found: list[JsonObject] = []
    for index, validation in enumerate(spec.get("validations") or ()):
        for member in ("expression", "messageExpression"):
            text = validation.get(member)
            if not text:
                continue
            told = [
                f"{kind}: {problem}\n"
                for kind, environment in environments
                if (problem := _problem(text, environment)) is not None
            ]
            if told:
                path = f"spec.validations[{index}].{member}"
                found.append({"fieldRef": path, "warning": "\n".join(told)})
    return found


def _problem(text: str, environment: Environment) -> str | None:
    try:
        environment.check(text)
    except CompileError as error:
        return str(error)
    return None


def _environment(spec: _Spec, of: Type, params: Type | None) -> Environment:
    """What the expressions of a policy see when its objects are of this type. Of the authorizer nothing but itself."""
    variables = {
        "object": of,
        "oldObject": of,
        "namespaceObject": NAMESPACE,
        "request": REQUEST,
        "authorizer": AUTHORIZER,
    }
    if params is not None:
        variables["params"] = params
    types = [
        one for one in (NAMESPACE, REQUEST, of, params) if one is not None and one.kind is TypeKind.OBJECT
    ]
    base = environments().stored.extend(variables=variables, types=types)
    composed: dict[str, Type] = {}
    for variable in spec.get("variables") or ():
        try:
            found = with_variables(base, composed).check(variable["expression"]).type
        except CompileError:
            found = DYN  # told where it is used wrongly
        composed[variable["name"]] = found
    return with_variables(base, composed)
