"""What clients send, as objects: JSON, YAML or protobuf, strict where they ask for it.

Source: apiserver/pkg/endpoints/handlers (create.go, rest.go transformDecodeError); field validation is
https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
"""

from collections.abc import Sequence

from kajitori.apimachinery.decode import (
    DecodeError,
    decode_json,
    duplicate_fields,
    has_duplicates,
    type_meta,
)
from kajitori.apimachinery.errors import BadRequest, UnsupportedMediaType
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apiserver.http import Request
from kajitori.apiserver.negotiation import JSON, PROTOBUF, YAML, body_type
from kajitori.apiserver.operating.asked import trail_of
from kajitori.apiserver.registry.call import Call
from kajitori.apiserver.registry.resource import Resource

_SCHEME = 'in scheme "pkg/runtime/scheme.go:111"'
"""Where Kubernetes keeps its kinds, as its message tells."""

__all__ = [
    "read_as",
    "read_object",
    "read_options",
    "read_value",
    "report",
    "typed",
    "unsupported_media_type",
]


def unsupported_media_type(*, custom: bool = False) -> UnsupportedMediaType:
    listed = f"{JSON}, {YAML}" if custom else f"{JSON}, {YAML}, {PROTOBUF}"
    return UnsupportedMediaType(
        f"the body of the request was in an unknown format - accepted media types include: {listed}"
    )


SUMMARY_BYTES = 30
"""How much of a body that is none is told."""


def read_value(request: Request, kind: str = "", *, custom: bool = False) -> tuple[JsonObject, list[str]]:
    """The body as a JSON object, and the fields that it repeats. Complaints name the `kind` that it should be.

    Raises: BadRequest, UnsupportedMediaType, RequestEntityTooLarge.
    """
    try:
        return _decoded(request, custom=custom)
    except DecodeError as error:
        if not kind:
            raise BadRequest(str(error)) from None
        raise BadRequest(
            f"the object provided is unrecognized (must be of type {kind}): {error} ({_summary(request.body)})"
        ) from None


def _decoded(request: Request, *, custom: bool) -> tuple[JsonObject, list[str]]:
    media = body_type(request.headers.get("content-type", ""))
    body = request.body
    repeated: list[str] = []
    if media == PROTOBUF and not custom:
        return _read_protobuf(body), repeated
    if media == JSON:
        try:
            value = decode_json(body)
        except DecodeError as error:
            raise DecodeError(f"couldn't get version/kind; json parse error: {error}") from None
        if has_duplicates(body, value):
            repeated = duplicate_fields(body)
    elif media == YAML:
        from kajitori.apimachinery.yaml import decode_yaml

        value, repeated = decode_yaml(body)
    else:
        raise unsupported_media_type(custom=custom)
    type_meta(value)
    found: JsonObject = value or {}
    return found, repeated


def _read_protobuf(body: bytes) -> JsonObject:
    from kajitori.apis.facts.protobuf import protobuf_codec
    from kajitori.wire.protobuf import ProtobufError

    try:
        return protobuf_codec().decode(body)
    except ProtobufError as error:
        raise DecodeError(str(error)) from None


def _summary(body: bytes) -> str:
    """What is told of a body that is no object: its beginning, in hexadecimal where it is no JSON."""
    if not body:
        return "<empty>"
    first = body[:SUMMARY_BYTES]
    shown = first.decode(errors="replace") if body.startswith(b"{") else first.hex()
    return f"{shown} ..." if len(body) > SUMMARY_BYTES else shown


def read_object(request: Request, resource: Resource, call: Call) -> JsonObject:
    """The body as an object of `resource`, typed; complaints go where the client's field validation says.

    Raises: BadRequest for another kind or version, wrong types, and with Strict for unknown or repeated fields.
    """
    raw, repeated = read_value(request, resource.kind.kind, custom=resource.custom)
    _check_kind(resource.kind, raw)
    unknown: list[str] = []
    obj = typed(resource, raw, unknown)
    if repeated or unknown:
        report(resource.kind, _problems(request, resource.info.definition, repeated, unknown), call)
    trail = trail_of(request)
    if trail is not None:
        trail.sent(obj)
    return obj


def read_as(request: Request, kind: Kind, definition: str, call: Call, *, also: str = "") -> JsonObject:
    """The body as an object of a built-in kind that is not defaulted and not stored: what a subresource takes.

    `also` is a further apiVersion that is accepted, whose objects have the same shape.

    Raises: as `read_object`.
    """
    from kajitori.apis.typed import decode

    raw, repeated = read_value(request, kind.kind)
    if also and raw.get("apiVersion") == also:
        raw["apiVersion"] = kind.api_version
    _check_kind(kind, raw)
    try:
        obj, incomplete = decode(definition, raw)
    except DecodeError as error:
        raise BadRequest(f"{_unhandled(kind)}: {error}") from None
    if repeated or incomplete:
        from kajitori.apis import strict

        unknown = strict.unknown_fields(definition, raw)
        report(kind, _problems(request, definition, repeated, unknown), call)
    trail = trail_of(request)
    if trail is not None:
        trail.sent(obj)
    return obj


def _check_kind(kind: Kind, raw: JsonObject) -> None:
    """Raises: BadRequest for another kind or version than expected."""
    api_version, name = raw.get("apiVersion") or kind.api_version, raw.get("kind") or kind.kind
    if api_version != kind.api_version:
        raise BadRequest(
            f"the API version in the data ({api_version}) does not match the expected API version "
            f"({kind.api_version})"
        )
    if name != kind.kind:
        raise BadRequest(
            f"{name}{_unhandled(kind).removeprefix(kind.kind)}: "
            f"the kind in the data ({name}) does not match the expected kind ({kind.kind})"
        )


def _unhandled(kind: Kind) -> str:
    return f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}'


def _problems(
    request: Request, definition: str, repeated: Sequence[str], unknown: Sequence[str]
) -> Sequence[str]:
    """Repeated and unknown fields together: of JSON and a built-in kind as they come in the document."""
    if not repeated or not definition or body_type(request.headers.get("content-type", "")) != JSON:
        return [*repeated, *unknown]
    from kajitori.apis import strict

    return strict.problems(definition, request.body)


def typed(resource: Resource, raw: JsonObject, problems: list[str]) -> JsonObject:
    """A JSON object as one of the kind. Raises: BadRequest for wrong types."""
    try:
        obj = resource.decode(raw, problems)
    except DecodeError as error:
        raise BadRequest(f"{_unhandled(resource.kind)}: {error}") from None
    resource.default(obj)
    return obj


def report(kind: Kind, problems: Sequence[str], call: Call) -> None:
    """Refuses, warns about or ignores unknown and repeated fields."""
    if not problems or call.options.field_validation == "Ignore":
        return
    if call.options.field_validation == "Warn":
        from kajitori.apimachinery.yaml import warnings_of

        for each in problems:
            for text in warnings_of(each):
                call.warn(text)
        return
    raise BadRequest(f"{_unhandled(kind)}: strict decoding error: {', '.join(problems)}")


def read_options(request: Request) -> JsonObject | None:
    """The DeleteOptions in the body of a deletion; None when there is no body.

    Raises: BadRequest, UnsupportedMediaType.
    """
    if not request.body:
        return None
    options = read_value(request)[0]
    # Whoever sends another kind means something else than to delete.
    if options.get("kind", "DeleteOptions") not in ("", "DeleteOptions"):
        version = options.get("apiVersion") or "meta.k8s.io/v1"
        raise BadRequest(f'no kind "{options["kind"]}" is registered for version "{version}" {_SCHEME}')
    trail = trail_of(request)
    if trail is not None:
        trail.sent({**options, "kind": "DeleteOptions", "apiVersion": "meta.k8s.io/__internal"})
    return options
