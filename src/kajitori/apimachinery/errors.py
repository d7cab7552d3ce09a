"""Errors an API server answers with, and the field errors inside them.

One tree, raised by the server and by the client alike; `reason` is the class, `code` the HTTP status:

    ApiError
    ├── BadRequest 400               ├── Invalid 422
    ├── Unauthorized 401             ├── UnsupportedMediaType 415
    ├── Forbidden 403                ├── TooManyRequests 429
    ├── NotFound 404                 ├── InternalError 500
    ├── MethodNotAllowed 405         ├── ServiceUnavailable 503
    ├── NotAcceptable 406            ├── ServerTimeout 500
    ├── AlreadyExists 409            ├── Timeout 504
    ├── Conflict 409                 ├── RequestEntityTooLarge 413
    └── Expired 410 (Gone 410)       └── (ApiError itself: any other Status)

`FieldError` is one complaint about one field, worded as Kubernetes words it
(apimachinery/pkg/util/validation/field). Source of reasons and codes: meta/v1 StatusReason.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

import msgspec

__all__ = [
    "OMITTED",
    "AlreadyExists",
    "ApiError",
    "BadRequest",
    "Cause",
    "Conflict",
    "Expired",
    "FieldError",
    "FieldErrorType",
    "Forbidden",
    "Gone",
    "InternalError",
    "Invalid",
    "MethodNotAllowed",
    "NotAcceptable",
    "NotFound",
    "RequestEntityTooLarge",
    "ServerTimeout",
    "ServiceUnavailable",
    "Timeout",
    "TooManyRequests",
    "Unauthorized",
    "UnsupportedMediaType",
    "error_from_status",
    "forbidden",
    "go_number",
    "internal_error",
    "invalid",
    "not_found",
    "qualified",
]


class FieldErrorType(StrEnum):
    """What is wrong with a field; the value is the `reason` of the Status cause."""

    NOT_FOUND = "FieldValueNotFound"
    REQUIRED = "FieldValueRequired"
    DUPLICATE = "FieldValueDuplicate"
    INVALID = "FieldValueInvalid"
    NOT_SUPPORTED = "FieldValueNotSupported"
    FORBIDDEN = "FieldValueForbidden"
    TOO_LONG = "FieldValueTooLong"
    TOO_MANY = "FieldValueTooMany"
    INTERNAL = "InternalError"
    TYPE_INVALID = "FieldValueTypeInvalid"


_TEXTS = {
    FieldErrorType.NOT_FOUND: "Not found",
    FieldErrorType.REQUIRED: "Required value",
    FieldErrorType.DUPLICATE: "Duplicate value",
    FieldErrorType.INVALID: "Invalid value",
    FieldErrorType.NOT_SUPPORTED: "Unsupported value",
    FieldErrorType.FORBIDDEN: "Forbidden",
    FieldErrorType.TOO_LONG: "Too long",
    FieldErrorType.TOO_MANY: "Too many",
    FieldErrorType.INTERNAL: "Internal error",
    FieldErrorType.TYPE_INVALID: "Invalid value",
}
_WITHOUT_VALUE = {
    FieldErrorType.REQUIRED,
    FieldErrorType.FORBIDDEN,
    FieldErrorType.TOO_LONG,
    FieldErrorType.INTERNAL,
}


class _Omitted:
    """No value: the message goes straight on to the detail."""


OMITTED: Any = _Omitted()
"""The value of a complaint that shows none, though its type would."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One complaint about one field.

    `path` is the wire path (`spec.ports[0].port`, `metadata.labels[a/b]`); `value` the JSON value complained
    about (ignored by the types whose message shows none).
    """

    type: FieldErrorType
    path: str
    value: Any = None
    detail: str = ""

    def body(self) -> str:
        """The message without the path: `Invalid value: "x": must be …`."""
        text = _TEXTS[self.type]
        if self.type not in _WITHOUT_VALUE and self.value is not OMITTED:
            text = f"{text}: {_show(self.value)}"
        return f"{text}: {self.detail}" if self.detail else text

    def __str__(self) -> str:
        return f"{self.path}: {self.body()}"

    @classmethod
    def required(cls, path: str, detail: str = "") -> "FieldError":
        return cls(FieldErrorType.REQUIRED, path, None, detail)

    @classmethod
    def invalid(cls, path: str, value: Any, detail: str) -> "FieldError":
        return cls(FieldErrorType.INVALID, path, value, detail)

    @classmethod
    def type_invalid(cls, path: str, value: Any, detail: str) -> "FieldError":
        return cls(FieldErrorType.TYPE_INVALID, path, value, detail)

    @classmethod
    def duplicate(cls, path: str, value: Any) -> "FieldError":
        return cls(FieldErrorType.DUPLICATE, path, value)

    @classmethod
    def not_found(cls, path: str, value: Any) -> "FieldError":
        return cls(FieldErrorType.NOT_FOUND, path, value)

    @classmethod
    def forbidden(cls, path: str, detail: str) -> "FieldError":
        return cls(FieldErrorType.FORBIDDEN, path, None, detail)

    @classmethod
    def not_supported(cls, path: str, value: Any, supported: Iterable[str]) -> "FieldError":
        """`supported` is shown in the order given; Kubernetes sorts it in most places."""
        shown = ", ".join(_quote(each) for each in supported)
        return cls(FieldErrorType.NOT_SUPPORTED, path, value, f"supported values: {shown}" if shown else "")

    @classmethod
    def too_long(cls, path: str, value: Any, bytes_max: int) -> "FieldError":
        """`bytes_max` below zero: the limit is not told."""
        if bytes_max < 0:
            return cls(FieldErrorType.TOO_LONG, path, value, "value is too long")
        unit = "byte" if bytes_max == 1 else "bytes"
        return cls(FieldErrorType.TOO_LONG, path, value, f"may not be more than {bytes_max} {unit}")

    @classmethod
    def too_many(cls, path: str, count: int, count_max: int) -> "FieldError":
        if count_max < 0:
            return cls(FieldErrorType.TOO_MANY, path, count, "has too many items")
        unit = "item" if count_max == 1 else "items"
        return cls(FieldErrorType.TOO_MANY, path, count, f"must have at most {count_max} {unit}")

    @classmethod
    def internal(cls, path: str, detail: str) -> "FieldError":
        return cls(FieldErrorType.INTERNAL, path, None, detail)


def _quote(text: str) -> str:
    """A Go %q string: JSON's quoting, but for what cannot be printed."""
    if text.isprintable():
        return msgspec.json.encode(text).decode()
    from kajitori.apimachinery.decode import go_quote  # rare, and it needs this module

    return go_quote(text)


_HTML = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def _show(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return go_number(value)
    # Go's encoder writes nothing that could end a script in HTML.
    return msgspec.json.encode(value).decode().translate(_HTML)


def go_number(value: int | float) -> str:
    """A number as Go's %v shows it: floats in their shortest form, from a million with an exponent."""
    if isinstance(value, int):
        return str(value)
    shown = repr(value)
    if shown in ("inf", "nan", "-inf"):
        return {"inf": "+Inf", "nan": "NaN", "-inf": "-Inf"}[shown]
    sign, shown = ("-", shown[1:]) if shown.startswith("-") else ("", shown)
    mantissa, _, power = shown.partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return sign + "0"
    exponent = len(whole) - 1 + int(power or 0)
    exponent -= len(whole + fraction) - len((whole + fraction).lstrip("0"))
    digits = digits.rstrip("0")
    if exponent < -4 or exponent >= 6:
        tail = "." + digits[1:] if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{tail}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    if exponent < 0:
        return sign + "0." + "0" * (-exponent - 1) + digits
    if len(digits) <= exponent + 1:
        return sign + digits + "0" * (exponent + 1 - len(digits))
    return sign + digits[: exponent + 1] + "." + digits[exponent + 1 :]


@dataclass(frozen=True, slots=True)
class Cause:
    """One entry of `Status.details.causes`."""

    reason: str = ""
    message: str = ""
    field: str = ""

    def to_json(self) -> dict[str, str]:
        pairs = (("reason", self.reason), ("message", self.message), ("field", self.field))
        return {name: text for name, text in pairs if text}


class ApiError(Exception):
    """An answer of kind Status with status Failure.

    `details` holds whatever of name, group, kind, uid, retryAfterSeconds the error has; causes apart.
    """

    code: int = 500
    reason: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        details: dict[str, Any] | None = None,
        causes: Sequence[Cause] = (),
        code: int | None = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.causes = tuple(causes)
        self.status_reason = self.reason if reason is None else reason
        if code is not None:
            self.code = code
        self.metadata: dict[str, Any] = {}
        """`metadata` of the Status: a list that ran out of time says there how to go on."""

    def to_status(self) -> dict[str, Any]:
        """The Status object, as the server sends it."""
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
        }
        if self.status_reason:
            status["reason"] = self.status_reason
        if self.details is not None or self.causes:
            status["details"] = dict(self.details or {})
            if self.causes:
                status["details"]["causes"] = [cause.to_json() for cause in self.causes]
        status["code"] = self.code
        return status

    def has_cause(self, reason: str) -> bool:
        """Whether a cause of this reason is given, such as `NamespaceTerminating`."""
        return any(cause.reason == reason for cause in self.causes)

    @property
    def retry_after_seconds(self) -> int:
        """What the server asked for before the next try; 0 when it asked for nothing."""
        return int((self.details or {}).get("retryAfterSeconds", 0))


class BadRequest(ApiError):
    code, reason = 400, "BadRequest"


class Unauthorized(ApiError):
    code, reason = 401, "Unauthorized"


class Forbidden(ApiError):
    code, reason = 403, "Forbidden"


class NotFound(ApiError):
    code, reason = 404, "NotFound"


class MethodNotAllowed(ApiError):
    code, reason = 405, "MethodNotAllowed"


class NotAcceptable(ApiError):
    code, reason = 406, "NotAcceptable"


class AlreadyExists(ApiError):
    code, reason = 409, "AlreadyExists"


class Conflict(ApiError):
    code, reason = 409, "Conflict"


class Gone(ApiError):
    code, reason = 410, "Gone"


class Expired(ApiError):
    """The resource version asked for is older than what is kept; list again."""

    code, reason = 410, "Expired"


class RequestEntityTooLarge(ApiError):
    code, reason = 413, "RequestEntityTooLarge"


class UnsupportedMediaType(ApiError):
    code, reason = 415, "UnsupportedMediaType"


class Invalid(ApiError):
    code, reason = 422, "Invalid"


class TooManyRequests(ApiError):
    code, reason = 429, "TooManyRequests"


class InternalError(ApiError):
    code, reason = 500, "InternalError"


def internal_error(why: object) -> InternalError:
    """The error of a server that cannot go on, as Kubernetes words it (NewInternalError in apimachinery)."""
    return InternalError(f"Internal error occurred: {why}", causes=[Cause(message=str(why))])


class ServerTimeout(ApiError):
    code, reason = 500, "ServerTimeout"


class ServiceUnavailable(ApiError):
    code, reason = 503, "ServiceUnavailable"


class Timeout(ApiError):
    code, reason = 504, "Timeout"


_BY_REASON: dict[str, type[ApiError]] = {each.reason: each for each in ApiError.__subclasses__()}


def error_from_status(status: dict[str, Any], code: int = 0) -> ApiError:
    """The error that a Status answer means; `code` is the HTTP status, used where the body has none."""
    details = dict(status.get("details") or {})
    causes = [
        Cause(each.get("reason", ""), each.get("message", ""), each.get("field", ""))
        for each in details.pop("causes", None) or ()
    ]
    reason = status.get("reason", "")
    return _BY_REASON.get(reason, ApiError)(
        status.get("message", ""),
        details=details or None,
        causes=causes,
        code=status.get("code") or code,
        reason=reason,
    )


def qualified(resource: str, group: str) -> str:
    """`deployments.apps`; the core group adds nothing."""
    return f"{resource}.{group}" if group else resource


def _details(group: str, kind: str, name: str) -> dict[str, Any]:
    pairs = (("name", name), ("group", group), ("kind", kind))
    return {key: text for key, text in pairs if text}


def not_found(resource: str, group: str, name: str) -> NotFound:
    """`pods "a" not found`."""
    message = f'{qualified(resource, group)} "{name}" not found'
    return NotFound(message, details=_details(group, resource, name))


def forbidden(resource: str, group: str, name: str, why: str) -> Forbidden:
    """`pods "a" is forbidden: why`."""
    subject = f'{qualified(resource, group)} "{name}"' if name else qualified(resource, group)
    return Forbidden(f"{subject} is forbidden: {why}", details=_details(group, resource, name))


def invalid(kind: str, group: str, name: str, errors: Sequence[FieldError]) -> Invalid:
    """`Pod "a" is invalid: …`: one error plain, several in brackets, the same text told once."""
    texts = list(dict.fromkeys(str(each) for each in errors))
    listed = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    shown = f'"{name}"'
    message = f"{qualified(kind, group)} {shown} is invalid"
    if texts:
        message += f": {listed}"
    causes = [Cause(each.type.value, each.body(), each.path) for each in errors]
    return Invalid(message, details=_details(group, kind, name), causes=causes)
