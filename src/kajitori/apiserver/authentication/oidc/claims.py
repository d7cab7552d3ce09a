"""From the claims of a verified token to a user.

Promises
    U1  required claims and rules hold before anybody is somebody; the first that does not is told
    U2  a user name is never empty by an expression, and an address that is not verified is nobody's

Source: apiserver's plugin/pkg/authenticator/token/oidc.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kajitori.apimachinery.cel import CelError
from kajitori.apiserver.authentication.oidc.configuration import JwtAuthenticator
from kajitori.apiserver.authentication.oidc.expressions import (
    Compiled,
    compile_claims,
    compile_user,
    value_of_claims,
    value_of_user,
)
from kajitori.apiserver.authentication.serviceaccount import TokenError
from kajitori.apiserver.authentication.user import User

__all__ = ["ClaimMapper"]

Claims = Mapping[str, Any]

_CREDENTIAL = "authentication.kubernetes.io/credential-id"


class ClaimMapper:
    """The mappings and rules of one issuer, compiled; they are valid."""

    def __init__(self, configured: JwtAuthenticator) -> None:
        self._mappings = mappings = configured.claim_mappings
        self._username = _maybe(mappings.username.expression)
        self._groups = _maybe(mappings.groups.expression)
        self._uid = _maybe(mappings.uid.expression)
        self._extra = [(each.key, compile_claims(each.value_expression)) for each in mappings.extra]
        rules = configured.claim_validation_rules
        self._required = {each.claim: each.required_value for each in rules if each.claim}
        self._rules = [
            (compile_claims(each.expression, boolean=True), each.message) for each in rules if each.expression
        ]
        self._user_rules = [
            (compile_user(each.expression), each.message) for each in configured.user_validation_rules
        ]

    def user_of(self, claims: Claims) -> User:
        """Whom the claims are about. Raises: TokenError."""
        value = value_of_claims(claims)
        user = User(
            self._name(claims, value),
            groups=self._groups_of(claims, value),
            uid=self._uid_of(claims, value),
            extra=self._extra_of(claims, value),
        )
        for claim, wanted in self._required.items():
            if claim not in claims:
                raise TokenError(f"oidc: required claim {claim} not present in ID token")
            if not isinstance(claims[claim], str):
                raise TokenError(f"oidc: parse claim {claim}: {_not_text(claims[claim])}")
            if claims[claim] != wanted:
                raise TokenError(
                    f"oidc: required claim {claim} value does not match. Got = {claims[claim]}, want = {wanted}"
                )
        _check(self._rules, "claims", value, "claim validation expression")
        if self._user_rules:
            _check(self._user_rules, "user", value_of_user(user), "user info validation rule")
        return user

    def _name(self, claims: Claims, value: Any) -> str:
        if self._username is not None:
            name = _evaluated(self._username, value, "username claim expression")
            if not isinstance(name, str):
                raise TokenError(
                    "oidc: error evaluating username claim expression: username claim expression must return a string"
                )
            if not name:
                raise TokenError("oidc: empty username via CEL expression is not allowed")
            return name
        claim = self._mappings.username.claim
        found = _text(claims, claim, f'parse username claims "{claim}"')
        if claim == "email" and "email_verified" in claims:
            verified = claims["email_verified"]
            if not isinstance(verified, bool):
                raise TokenError(f"oidc: parse 'email_verified' claim: {_not_text(verified, 'bool')}")
            if not verified:
                raise TokenError("oidc: email not verified")
        return (self._mappings.username.prefix or "") + found

    def _groups_of(self, claims: Claims, value: Any) -> tuple[str, ...]:
        claim = self._mappings.groups.claim
        if claim and claim in claims:
            found = claims[claim]
            listed = [found] if isinstance(found, str) else found
            if listed is None:
                return ()
            if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
                raise TokenError(f'oidc: parse groups claim "{claim}": {_not_text(found)}')
            prefix = self._mappings.groups.prefix or ""
            return tuple(prefix + each for each in listed)
        if self._groups is None:
            return ()
        found = _evaluated(self._groups, value, "group claim expression")
        return _texts(found, "oidc: error evaluating group claim expression")

    def _uid_of(self, claims: Claims, value: Any) -> str:
        claim = self._mappings.uid.claim
        if claim:
            return _text(claims, claim, f'parse uid claim "{claim}"')
        if self._uid is None:
            return ""
        uid = _evaluated(self._uid, value, "uid claim expression")
        if not isinstance(uid, str):
            raise TokenError(
                "oidc: error evaluating uid claim expression: uid claim expression must return a string"
            )
        return uid

    def _extra_of(self, claims: Claims, value: Any) -> dict[str, tuple[str, ...]]:
        extra: dict[str, tuple[str, ...]] = {}
        token_id = claims.get("jti")
        if token_id and isinstance(token_id, str):
            extra[_CREDENTIAL] = (f"JTI={token_id}",)
        for key, compiled in self._extra:
            found = _evaluated(compiled, value, "extra claim expression")
            values = _texts(found, f"oidc: error evaluating extra claim expression: {compiled.text}")
            if values:
                extra[key] = values
        return extra


def _maybe(expression: str) -> Compiled | None:
    return compile_claims(expression) if expression else None


def _evaluated(compiled: Compiled, value: Any, what: str) -> Any:
    try:
        return compiled.evaluate("claims", value)
    except CelError as error:
        raise TokenError(
            f"oidc: error evaluating {what}: expression '{compiled.text}' resulted in error: {error}"
        ) from None


def _check(rules: Sequence[tuple[Compiled, str]], name: str, value: Any, what: str) -> None:
    for compiled, message in rules:
        try:
            holds = compiled.evaluate(name, value)
        except CelError as error:
            raise TokenError(
                f"oidc: error evaluating {what}: expression '{compiled.text}' resulted in error: {error}"
            ) from None
        if holds is not True:
            raise TokenError(
                f"oidc: error evaluating {what}: validation expression '{compiled.text}' failed: {message}"
            )


def _text(claims: Claims, claim: str, doing: str) -> str:
    if claim not in claims:
        raise TokenError(f"oidc: {doing}: claim not present")
    found = claims[claim]
    if found is None:
        return ""
    if not isinstance(found, str):
        raise TokenError(f"oidc: {doing}: {_not_text(found)}")
    return found


def _texts(value: Any, doing: str) -> tuple[str, ...]:
    """A text or a list of them; empty ones do not count."""
    if value is None:
        return ()
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list | tuple) or not all(isinstance(each, str) for each in listed):
        raise TokenError(f"{doing}: expression must return a string or a list of strings")
    return tuple(each for each in listed if each)


def _not_text(value: Any, wanted: str = "string") -> str:
    kinds = {bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return f"json: cannot unmarshal {kinds.get(type(value), 'null')} into Go value of type {wanted}"
