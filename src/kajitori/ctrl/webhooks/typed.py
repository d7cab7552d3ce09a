"""What operators write: classes that guard objects of a kind and fill in what they leave out.

    class WidgetRules(Defaulter[Widget], Validator[Widget]):
        def default(self, value: Widget) -> Widget:
            return value if value.spec.color else replace(value, spec=replace(value.spec, color="grey"))

        def validate_update(self, old: Widget, new: Widget) -> None:
            if new.spec.size < old.spec.size:
                raise FieldsInvalid(FieldError.invalid("spec.size", new.spec.size, "must not shrink"))

    manager.webhook(Widget, WidgetRules())

Promises
    T1  an object comes as the class that declares its kind, or frozen; DELETE tells what is stored
    T2  a `Denied` is answered with 403, a `FieldsInvalid` with 422 and its causes, an ApiError with its Status
    T3  what is filled in becomes a JSON patch against what was sent; what the class does not know stays
    T4  what raises anything else, or gives something else, is answered with 500 and one sentence
    T5  what asks for a validator's opinion is what it has an opinion on: operations follow from its methods

Source: controller-runtime's pkg/webhook/admission (validator_custom, defaulter_custom).
"""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from kajitori.apimachinery.carrying import carried
from kajitori.apimachinery.errors import ApiError, FieldError, invalid
from kajitori.apimachinery.frozen import thaw
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.patch.json_diff import json_diff
from kajitori.client.objects import Codec, DoesNotFit, Model, codec_of
from kajitori.ctrl.webhooks.reviews import AdmissionRequest, AdmissionResponse, ReviewError

__all__ = [
    "AdmissionHandler",
    "Defaulter",
    "Denied",
    "FieldsInvalid",
    "Mutating",
    "Nonsense",
    "Validating",
    "Validator",
    "Verdict",
    "current_admission",
    "defaulting",
    "operations_of",
    "refused",
    "settled",
    "validating",
]

T = TypeVar("T")

Verdict = Sequence[str] | None | Awaitable[Sequence[str] | None]
"""Warnings for who asks, if any. A function that waits for something is `async def`."""

AdmissionHandler = Callable[[AdmissionRequest], AdmissionResponse | Awaitable[AdmissionResponse]]

current_admission: ContextVar[AdmissionRequest] = ContextVar("current_admission")
"""What the running webhook was asked: who asks, which operation, whether nothing will be stored."""


class Denied(Exception):
    """Refuses a request, with a text for who asks, and warnings beside it."""

    def __init__(self, message: str, *, warnings: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.warnings = warnings


class FieldsInvalid(Exception):
    """Refuses an object for what is in its fields."""

    def __init__(self, *errors: FieldError, warnings: Sequence[str] = ()) -> None:
        super().__init__(", ".join(map(str, errors)))
        self.errors = errors
        self.warnings = warnings


class Nonsense(TypeError):
    """What a function gave, and what it should have given."""


class Validator(Generic[T]):
    """Refuses objects, by raising Denied, FieldsInvalid or an ApiError, and gives warnings.

    Write those methods that there is something to say in; nothing else is asked for.
    """

    def validate_create(self, new: T, /) -> Verdict:
        """Raises: Denied, FieldsInvalid, ApiError."""

    def validate_update(self, old: T, new: T, /) -> Verdict:
        """Raises: Denied, FieldsInvalid, ApiError."""

    def validate_delete(self, old: T, /) -> Verdict:
        """Raises: Denied, FieldsInvalid, ApiError."""


class Defaulter(Generic[T]):
    """Fills in what objects leave out, before they are validated and stored."""

    def default(self, value: T, /) -> T | Awaitable[T]:
        """The object as it is to be; the same when there is nothing to fill in.

        Raises: Denied, FieldsInvalid, ApiError.
        """
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Validating:
    """A function that is asked for its opinion in the terms of the protocol."""

    handle: AdmissionHandler
    operations: Sequence[str] = ("CREATE", "UPDATE")


@dataclass(frozen=True, slots=True)
class Mutating:
    """A function that may change objects, in the terms of the protocol."""

    handle: AdmissionHandler
    operations: Sequence[str] = ("CREATE", "UPDATE")


def operations_of(validator: Validator[Any]) -> list[str]:
    """The operations that a validator has a method for."""
    return [
        operation
        for operation in ("CREATE", "UPDATE", "DELETE")
        if getattr(type(validator), f"validate_{operation.lower()}")
        is not getattr(Validator, f"validate_{operation.lower()}")
    ]


def validating(model: Model, validator: Validator[Any]) -> AdmissionHandler:
    """What answers with a validator's opinion."""
    read = _reader(model)

    async def handle(request: AdmissionRequest) -> AdmissionResponse:
        if request.operation == "CONNECT":
            return AdmissionResponse.allow()
        if request.operation not in ("CREATE", "UPDATE", "DELETE"):
            return AdmissionResponse.error(400, f'unknown operation "{request.operation}"')
        new = read(request.raw_object) if request.operation != "DELETE" else None
        old = read(request.raw_old_object) if request.operation != "CREATE" else None
        match request.operation:
            case "CREATE":
                verdict = validator.validate_create(new)
            case "UPDATE":
                verdict = validator.validate_update(old, new)
            case _:
                verdict = validator.validate_delete(old)
        return AdmissionResponse.allow(warnings=_warnings(await settled(verdict)))

    return handle


def defaulting(model: Model, defaulter: Defaulter[Any]) -> AdmissionHandler:
    """What answers with a patch of what a defaulter fills in."""
    read, is_typed = _reader(model), isinstance(model, type)

    async def handle(request: AdmissionRequest) -> AdmissionResponse:
        if request.operation == "DELETE":
            return AdmissionResponse.allow()
        value = read(request.raw_object)
        changed = await settled(defaulter.default(value))
        if changed is value:
            return AdmissionResponse.allow()
        if not isinstance(changed, model if isinstance(model, type) else dict):
            wanted = model.__name__ if isinstance(model, type) else "object"
            raise Nonsense(f"default() gave {type(changed).__name__}, not {wanted}")
        actual = request.object
        after = _plain(changed, is_typed=is_typed)
        wished = carried(actual, _plain(value, is_typed=True), after) if is_typed else after
        return AdmissionResponse.patched(json_diff(actual, wished))

    return handle


_decode = msgspec.json.Decoder().decode


def refused(request: AdmissionRequest, error: Exception) -> AdmissionResponse | None:
    """The answer that a function means by what it raises; None for a mistake."""
    if isinstance(error, Denied):
        return AdmissionResponse.deny(str(error), warnings=error.warnings)
    if isinstance(error, FieldsInvalid):
        status = invalid(request.kind.kind, request.kind.group, _name_of(request), error.errors)
        return AdmissionResponse.refuse(status, warnings=error.warnings)
    if isinstance(error, ApiError):
        return AdmissionResponse.refuse(error)
    if isinstance(error, ReviewError):
        return AdmissionResponse.error(400, str(error))
    return None


async def settled(given: Any) -> Any:
    """What a function gave, at once or later."""
    return await given if inspect.isawaitable(given) else given


def _reader(model: Model) -> Callable[[msgspec.Raw], Any]:
    """What reads the objects of a review. It raises: ReviewError."""
    codec: Codec[Any] = codec_of(model)
    kind, is_typed = codec.kind, isinstance(model, type)

    def read(raw: msgspec.Raw) -> Any:
        text = bytes(raw)
        if not text or text == b"null":
            raise ReviewError("there is no content to decode")
        if text[:1] != b"{":
            raise ReviewError(f"{kind.kind} is wanted, not {text[:40].decode(errors='replace')}")
        try:
            if is_typed:
                _check_kind(kind, text)
            return codec.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            why = error.why if isinstance(error, DoesNotFit) else error
            raise ReviewError(f"this is no {kind.kind} as we know it: {why}") from None

    return read


class _Head(msgspec.Struct, rename="camel"):
    kind: str | None = None
    api_version: str | None = None


_decode_head = msgspec.json.Decoder(_Head).decode


def _check_kind(kind: Kind, text: bytes) -> None:
    """Raises: ReviewError, msgspec.DecodeError."""
    head = _decode_head(text)
    if (head.kind or kind.kind, head.api_version or kind.api_version) != (kind.kind, kind.api_version):
        shown = f"{head.kind or 'no kind'} of {head.api_version or 'no version'}"
        raise ReviewError(f"{kind.kind} of {kind.api_version} is wanted, not {shown}")


def _name_of(request: AdmissionRequest) -> str:
    """Empty where the API server is to make one."""
    if request.name:
        return request.name
    try:
        found = request.object
    except ReviewError:
        return ""
    return "" if found is None else found.name


def _plain(value: Any, *, is_typed: bool) -> JsonObject:
    plain: JsonObject = _decode(msgspec.json.encode(value)) if is_typed else thaw(value)
    return plain


def _warnings(given: Any) -> Sequence[str]:
    if given is None:
        return ()
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, Sequence) or not all(isinstance(each, str) for each in given):
        raise Nonsense(f"warnings are a list of texts, not {given!r:.60}")
    return given
