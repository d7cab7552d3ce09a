"""Expressions about claims, and about the users that come of them.

Promises
    X1  an expression that does not compile, or has another type than it must, says why in kube-apiserver's words
    X2  numbers of claims are doubles, as JSON's are in Go; names of claims are found escaped, too

Source: apiserver's pkg/authentication/cel.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from math import inf
from typing import Any

from kajitori.apimachinery.cel import CelError, CompileError, Environment, Program, environments, types
from kajitori.apimachinery.cel.escaping import escape
from kajitori.apimachinery.cel.tree import Call, Ident, Literal, Select
from kajitori.apiserver.authentication.user import User

__all__ = ["Compiled", "compile_claims", "compile_user", "value_of_claims", "value_of_user"]


class Compiled:
    """A program, or why there is none."""

    def __init__(self, text: str, environment: Environment, *, boolean: bool) -> None:
        self.text = text
        self.program: Program | None = None
        self.error = ""
        try:
            program = environment.compile(text)
        except CompileError as error:
            self.error = f"compilation failed: {error}"
        except CelError as error:
            self.error = f"program instantiation failed: {error}"
        else:
            if boolean and program.type != types.BOOL:
                self.error = "must evaluate to bool"
            else:
                self.program = program

    def reads(self, claim: str) -> bool:
        """Whether it looks at `claims.CLAIM`."""
        return self.program is not None and any(
            _is_claim(node, claim) for node in _nodes(self.program.checked.tree.root)
        )

    def evaluate(self, name: str, value: Any) -> Any:
        """The value. Raises: CelError."""
        assert self.program is not None, self.text
        return self.program.evaluate({name: value})


def _is_claim(node: object, claim: str) -> bool:
    match node:
        case Select(operand=Ident(name="claims"), field=field):
            return field == claim
        case Call(function="_?._", args=(Ident(name="claims"), Literal(value=value))):
            return value == claim
        case _:
            return False


def _nodes(value: object) -> Iterator[object]:
    """Every node of a tree."""
    yield value
    if is_dataclass(value):
        for each in fields(value):
            yield from _inside(getattr(value, each.name))


def _inside(value: object) -> Iterator[object]:
    if isinstance(value, tuple):
        for each in value:
            yield from _inside(each)
    elif is_dataclass(value):
        yield from _nodes(value)


@lru_cache(maxsize=1)
def _claims_environment() -> Environment:
    claims = types.map_of(types.STRING, types.ANY)
    return environments().stored.extend(variables={"claims": claims})


@lru_cache(maxsize=1)
def _user_environment() -> Environment:
    user = types.object_type(
        "kubernetes.UserInfo",
        {
            "username": types.STRING,
            "uid": types.STRING,
            "groups": types.list_of(types.STRING),
            "extra": types.map_of(types.STRING, types.list_of(types.STRING)),
        },
    )
    return environments().stored.extend(variables={"user": user}, types=[user])


def compile_claims(text: str, *, boolean: bool = False) -> Compiled:
    """An expression about `claims`; `boolean`: it has to say yes or no."""
    return Compiled(text, _claims_environment(), boolean=boolean)


def compile_user(text: str) -> Compiled:
    """An expression about `user`, which has to say yes or no."""
    return Compiled(text, _user_environment(), boolean=True)


def value_of_claims(claims: Mapping[str, Any]) -> Any:
    """The claims as expressions see them."""
    return _value(claims)


def value_of_user(user: User) -> Any:
    """The user as expressions see it."""
    extra = {key: list(values) for key, values in user.extra.items()}
    known = {"username": user.name, "uid": user.uid, "groups": list(user.groups)}
    return {**known, "extra": _value(extra)}


def _value(value: Any) -> Any:
    if isinstance(value, Mapping):
        found = {name: _value(each) for name, each in value.items()}
        for name in tuple(found):
            identifier = escape(name)
            if identifier is not None and identifier not in found:
                found[identifier] = found[name]
        return found
    if isinstance(value, list):
        return [_value(each) for each in value]
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return inf if value > 0 else -inf
    return value
