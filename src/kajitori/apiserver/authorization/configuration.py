"""The file of `--authorization-config`: who is asked, in which order, and how webhooks are reached.

Promises
    F1  a file, a member or a value that nobody knows is refused, with all that is wrong, at its path, in the words
        of Kubernetes
    F2  what a file leaves out has Kubernetes' defaults

Source: https://kubernetes.io/docs/reference/config-api/apiserver-config.v1/#apiserver-config-k8s-io-v1-AuthorizationConfiguration
and ValidateAuthorizationConfiguration of apiserver's pkg/apis/apiserver/validation.
"""

import os
import stat
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from kajitori.apimachinery.decode import DecodeError
from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.names import is_dns1123_subdomain
from kajitori.apimachinery.yaml import decode_yaml
from kajitori.apiserver.authorization.configured import (
    ConfiguredAuthorizer,
    ConfiguredWebhook,
    WebhookSettings,
)
from kajitori.wire.go_time import format_duration, parse_duration

if TYPE_CHECKING:
    from kajitori.apimachinery.cel.expression import Expression

__all__ = ["TYPES", "read_configuration"]

GROUP = "apiserver.config.k8s.io"
_VERSIONS = ("v1", "v1beta1", "v1alpha1")
KIND = "AuthorizationConfiguration"

TYPES = ("ABAC", "AlwaysAllow", "AlwaysDeny", "Node", "RBAC", "Webhook")

CONDITIONS_MAX = 64
_SECOND = 1_000_000_000
_TIMEOUT_MAX = 30 * _SECOND
_AUTHORIZED = 300 * _SECOND
_UNAUTHORIZED = 30 * _SECOND


class _Connection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: str = ""
    kubeConfigFile: str | None = None


class _Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    expression: str = ""


class _Webhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    authorizedTTL: str | None = None
    cacheAuthorizedRequests: bool | None = None
    unauthorizedTTL: str | None = None
    cacheUnauthorizedRequests: bool | None = None
    timeout: str | None = None
    subjectAccessReviewVersion: str = ""
    matchConditionSubjectAccessReviewVersion: str = ""
    failurePolicy: str = ""
    connectionInfo: _Connection = _Connection()
    matchConditions: list[_Condition] | None = None


class _Authorizer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: str = ""
    name: str = ""
    webhook: _Webhook | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    apiVersion: str = ""
    kind: str = ""
    authorizers: list[_Authorizer] | None = None


def read_configuration(data: bytes, required: Collection[str] = ()) -> list[ConfiguredAuthorizer]:
    """Who is asked, by a file. `required` are types that the server was started with, and that have to stay.

    Raises: ValueError with all that is wrong.
    """
    file = _File() if not data else _read(data)
    errors: list[FieldError] = []
    if not file.authorizers:
        errors.append(FieldError.required("authorizers", "at least one authorization mode must be defined"))
    found: list[ConfiguredAuthorizer] = []
    types, names = set[str](), set[str]()
    for index, each in enumerate(file.authorizers or ()):
        path = f"authorizers[{index}]"
        wrong = _type_errors(each, path, types)
        if wrong:
            errors += wrong
            continue
        types.add(each.type)
        errors += _name_errors(each, path, names)
        names.add(each.name)
        webhook = None
        if each.type == "Webhook":
            webhook = _webhook(each, path, errors)
        elif each.webhook is not None:
            why = "may only be specified when type=Webhook"
            errors.append(FieldError.invalid(f"{path}.webhook", "non-null", why))
        found.append(ConfiguredAuthorizer(type=each.type, name=each.name, webhook=webhook))
    told = [str(each) for each in errors] or _misnamed(found, required)
    if told:
        told = list(dict.fromkeys(told))
        raise ValueError(told[0] if len(told) == 1 else f"[{', '.join(told)}]")
    return found


def _misnamed(found: Sequence[ConfiguredAuthorizer], required: Collection[str]) -> list[str]:
    others = [each for each in found if each.type != "Webhook"]
    told = [
        f"expected name {each.type.lower()} for authorizer {each.type} instead of {each.name}"
        for each in others
        if each.name != each.type.lower()
    ]
    missing = sorted(set(required) - {each.type for each in others})
    if missing:
        told.append(f"missing required types: [{' '.join(missing)}]")
    return told


def _read(data: bytes) -> _File:
    """Raises: ValueError."""
    failed = "failed to load AuthorizationConfiguration from file"
    try:
        value, _ = decode_yaml(data)
    except DecodeError as error:
        raise ValueError(f"{failed}: {error}") from None
    said = value if isinstance(value, dict) else {}
    version, kind = str(said.get("apiVersion") or ""), str(said.get("kind") or "")
    if not kind:
        raise ValueError(f"{failed}: Object 'Kind' is missing in '{data.decode(errors='replace')}'")
    if kind != KIND or version not in [f"{GROUP}/{each}" for each in _VERSIONS]:
        raise ValueError(
            f'{failed}: no kind "{kind}" is registered for version "{version}"; '
            f"write apiVersion: {GROUP}/v1, kind: {KIND}"
        )
    try:
        return msgspec.convert(value, _File)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        member = where.rstrip("`")
        raise ValueError(f"{failed}: strict decoding error: {_strict(what, member)}") from None


def _strict(what: str, member: str) -> str:
    prefix = "Object contains unknown field `"
    if what.startswith(prefix):
        field = what[len(prefix) :].rstrip("`")
        return f'unknown field "{f"{member}.{field}" if member else field}"'
    return f"{member}: {what}" if member else what


def _type_errors(each: _Authorizer, path: str, types: Collection[str]) -> list[FieldError]:
    if not each.type:
        return [FieldError.required(f"{path}.type")]
    if each.type not in TYPES:
        return [FieldError.not_supported(f"{path}.type", each.type, TYPES)]
    if each.type in types and each.type != "Webhook":
        return [FieldError.duplicate(f"{path}.type", each.type)]
    return []


def _name_errors(each: _Authorizer, path: str, names: Collection[str]) -> list[FieldError]:
    path = f"{path}.name"
    if not each.name:
        return [FieldError.required(path)]
    if each.name in names:
        return [FieldError.duplicate(path, each.name)]
    wrong = is_dns1123_subdomain(each.name)
    if wrong:
        return [FieldError.invalid(path, each.name, f"authorizer name is invalid: {', '.join(wrong)}")]
    return []


def _webhook(each: _Authorizer, path: str, errors: list[FieldError]) -> ConfiguredWebhook | None:
    """The webhook; what is wrong is added to `errors`, at the path of its authorizer, as Kubernetes does."""
    said = each.webhook
    if said is None:
        errors.append(FieldError.required(f"{path}.webhook", "required when type=Webhook"))
        return None
    timeout = _duration(said.timeout, f"{path}.timeout", errors, default=0)
    if timeout == 0:
        errors.append(FieldError.required(f"{path}.timeout"))
    elif timeout > _TIMEOUT_MAX or timeout < 0:
        why = "must be > 0s and <= 30s"
        errors.append(FieldError.invalid(f"{path}.timeout", format_duration(timeout), why))
    authorized = _ttl(said.authorizedTTL, f"{path}.authorizedTTL", errors, default=_AUTHORIZED)
    unauthorized = _ttl(said.unauthorizedTTL, f"{path}.unauthorizedTTL", errors, default=_UNAUTHORIZED)
    review = said.subjectAccessReviewVersion
    errors += _choice(f"{path}.subjectAccessReviewVersion", review, ("v1", "v1beta1"))
    where = f"{path}.matchConditionSubjectAccessReviewVersion"
    if said.matchConditionSubjectAccessReviewVersion:
        errors += _choice(where, said.matchConditionSubjectAccessReviewVersion, ("v1",))
    elif said.matchConditions:
        errors.append(FieldError.required(where, "required if match conditions are specified"))
    errors += _choice(f"{path}.failurePolicy", said.failurePolicy, ("NoOpinion", "Deny"))
    errors += _connection_errors(said.connectionInfo, f"{path}.connectionInfo")
    conditions = _conditions(said.matchConditions or (), f"{path}.matchConditions", errors)
    settings = WebhookSettings(
        name=each.name,
        authorized_seconds=0 if said.cacheAuthorizedRequests is False else authorized / _SECOND,
        unauthorized_seconds=0 if said.cacheUnauthorizedRequests is False else unauthorized / _SECOND,
        version=review,
        fails_closed=said.failurePolicy == "Deny",
    )
    return ConfiguredWebhook(
        settings=settings,
        timeout_seconds=timeout / _SECOND,
        kubeconfig=said.connectionInfo.kubeConfigFile or "",
        conditions=conditions,
    )


def _ttl(text: str | None, path: str, errors: list[FieldError], *, default: int) -> int:
    ttl = _duration(text, path, errors, default=default) or default
    if ttl < 0:
        errors.append(FieldError.invalid(path, format_duration(ttl), "must be > 0s"))
    return ttl


def _duration(text: str | None, path: str, errors: list[FieldError], *, default: int) -> int:
    """Nanoseconds."""
    if not text:
        return default
    try:
        return parse_duration(text)
    except ValueError as error:
        errors.append(FieldError.invalid(path, text, str(error)))
        return default or _SECOND


def _choice(path: str, value: str, supported: Sequence[str]) -> list[FieldError]:
    if not value:
        return [FieldError.required(path)]
    return [] if value in supported else [FieldError.not_supported(path, value, supported)]


def _connection_errors(connection: _Connection, path: str) -> list[FieldError]:
    file, where = connection.kubeConfigFile, f"{path}.kubeConfigFile"
    if connection.type == "InClusterConfig":
        if file is None:
            return []
        return [FieldError.invalid(where, file, "can only be set when type=KubeConfigFile")]
    if connection.type != "KubeConfigFile":
        supported = ("InClusterConfig", "KubeConfigFile")
        if not connection.type:
            return [FieldError.required(f"{path}.type")]
        shown: Mapping[str, Any] = {"Type": connection.type, "KubeConfigFile": file}
        return [FieldError.not_supported(f"{path}.type", shown, supported)]
    if not file:
        return [FieldError.required(where)]
    if not os.path.isabs(file):
        return [FieldError.invalid(where, file, "must be an absolute path")]
    try:
        regular = stat.S_ISREG(os.stat(file).st_mode)
    except OSError as error:
        told = (error.strerror or str(error)).lower()
        return [FieldError.invalid(where, file, f"error loading file: stat {file}: {told}")]
    return [] if regular else [FieldError.invalid(where, file, "must be a regular file")]


def _conditions(
    conditions: Sequence[_Condition], path: str, errors: list[FieldError]
) -> "tuple[Expression, ...]":
    if not conditions:
        return ()
    from kajitori.apiserver.authorization.conditions import compile_condition

    if len(conditions) > CONDITIONS_MAX:
        errors.append(FieldError.too_many(path, len(conditions), CONDITIONS_MAX))
        return ()
    found: list[Expression] = []
    seen: set[str] = set()
    for index, each in enumerate(conditions):
        where, text = f"{path}[{index}].expression", each.expression
        if not text.strip():
            errors.append(FieldError.required(where))
        elif text in seen:
            errors.append(FieldError.duplicate(where, text))
        else:
            seen.add(text)
            compiled = compile_condition(text)
            found.append(compiled)
            if compiled.program is None:
                errors.append(FieldError.invalid(where, text, compiled.error))
    return tuple(found)
