"""The authentication configuration file: which issuers are believed, what is made of their claims, and who may come
without a name.

Promises
    C1  a file with a field that nobody knows, or a value of another type, is refused, with the path of the field

Source: apiserver's pkg/apis/apiserver/v1.
"""

from typing import Any

import msgspec

from kajitori.apimachinery.decode import DecodeError
from kajitori.apimachinery.yaml import decode_yaml
from kajitori.apiserver.authentication.tokenfile import AuthenticationError

__all__ = [
    "Anonymous",
    "AuthenticationConfiguration",
    "ClaimRule",
    "Issuer",
    "JwtAuthenticator",
    "Mapping",
    "Mappings",
    "UserRule",
    "read_configuration",
]

_GROUP = "apiserver.config.k8s.io"
_VERSIONS = ("v1", "v1beta1", "v1alpha1")


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A part of the file."""


class Issuer(_Strict, frozen=True, forbid_unknown_fields=True, rename="camel"):
    url: str = ""
    discovery_url: str = msgspec.field(name="discoveryURL", default="")
    certificate_authority: str = ""
    audiences: list[str] = msgspec.field(default_factory=list[str])
    audience_match_policy: str = ""
    egress_selector_type: str = ""


class ClaimRule(_Strict, frozen=True, forbid_unknown_fields=True, rename="camel"):
    claim: str = ""
    required_value: str = ""
    expression: str = ""
    message: str = ""


class Mapping(_Strict, frozen=True, forbid_unknown_fields=True, rename="camel"):
    claim: str = ""
    prefix: str | None = None
    expression: str = ""


class UidMapping(_Strict, frozen=True, forbid_unknown_fields=True, rename="camel"):
    claim: str = ""
    expression: str = ""


class ExtraMapping(_Strict, frozen=True, forbid_unknown_fields=True, rename="camel"):
    key: str = ""
    value_expression: str = ""


class Mappings(_Strict, frozen=True, forbid_unknown_fields=True, rename="camel"):
    username: Mapping = Mapping()
    groups: Mapping = Mapping()
    uid: UidMapping = UidMapping()
    extra: list[ExtraMapping] = msgspec.field(default_factory=list[ExtraMapping])


class UserRule(_Strict, frozen=True, forbid_unknown_fields=True, rename="camel"):
    expression: str = ""
    message: str = ""


class JwtAuthenticator(_Strict, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One issuer."""

    issuer: Issuer = msgspec.field(default_factory=Issuer)
    claim_validation_rules: list[ClaimRule] = msgspec.field(default_factory=list[ClaimRule])
    claim_mappings: Mappings = msgspec.field(default_factory=Mappings)
    user_validation_rules: list[UserRule] = msgspec.field(default_factory=list[UserRule])


class AnonymousCondition(_Strict, frozen=True, forbid_unknown_fields=True, rename="camel"):
    path: str


class Anonymous(_Strict, frozen=True, forbid_unknown_fields=True, rename="camel"):
    enabled: bool
    conditions: list[AnonymousCondition] = msgspec.field(default_factory=list[AnonymousCondition])


class AuthenticationConfiguration(_Strict, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The whole file."""

    api_version: str = f"{_GROUP}/v1"
    kind: str = "AuthenticationConfiguration"
    jwt: list[JwtAuthenticator] = msgspec.field(default_factory=list[JwtAuthenticator])
    anonymous: Anonymous | None = None


def read_configuration(content: bytes) -> AuthenticationConfiguration:
    """What the file says, not yet judged.

    Raises: AuthenticationError, which does not name the file.
    """
    if not content:
        raise AuthenticationError("empty config data")
    try:
        value, _ = decode_yaml(content)
    except DecodeError as error:
        raise AuthenticationError(str(error)) from None
    said: dict[str, Any] = value if isinstance(value, dict) else {}
    kind, version = said.get("kind") or "", said.get("apiVersion") or ""
    if not kind:
        raise AuthenticationError("Object 'Kind' is missing in the file")
    if kind != "AuthenticationConfiguration" or version not in [f"{_GROUP}/{each}" for each in _VERSIONS]:
        raise AuthenticationError(
            f'no kind "{kind}" is registered for version "{version}"; write apiVersion: {_GROUP}/v1, '
            "kind: AuthenticationConfiguration"
        )
    try:
        return msgspec.convert(_without_null(value), AuthenticationConfiguration)
    except msgspec.ValidationError as error:
        raise AuthenticationError(_told(str(error))) from None


def _without_null(value: Any) -> Any:
    """Go reads null as if it were not there."""
    if isinstance(value, dict):
        return {name: _without_null(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_null(each) for each in value]
    return value


def _told(error: str) -> str:
    what, _, where = error.partition(" - at `$")
    where = where.rstrip("`").removeprefix(".")
    prefix = "Object contains unknown field "
    if what.startswith(prefix):
        unknown = what.removeprefix(prefix).strip("`")
        path = f"{where}.{unknown}" if where else unknown
        return f'strict decoding error: unknown field "{path}"'
    return f"{where or 'the file'}: {what[:1].lower()}{what[1:].replace('`', '')}"
