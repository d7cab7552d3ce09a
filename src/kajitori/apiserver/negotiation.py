"""Which form an answer takes, from the Accept header; and what a body is, from Content-Type.

Headers repeat endlessly, so what they mean is remembered (FORMS_MAX of them).

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources;
apiserver/pkg/endpoints/handlers/negotiation, and the go-restful and goautoneg that stand before it.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from kajitori.apimachinery.errors import NotAcceptable

__all__ = [
    "JSON",
    "PLAIN",
    "PROTOBUF",
    "YAML",
    "Form",
    "body_type",
    "negotiate",
    "negotiate_error",
    "no_stream",
    "only_json",
]

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"

FORMS_MAX = 256
"""Distinct Accept headers remembered; clients use a handful, fuzzers use any number."""

_SORTED_BY_INSERTION_MAX = 12
"""Up to so many entries Go sorts by insertion, which decides where its comparison is no order."""

_MEDIA = f"{JSON}, {YAML}, {PROTOBUF}"
_ROUTED = frozenset({"*/*", JSON, YAML, PROTOBUF})
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NOTHING: frozenset[str] = frozenset()
_METADATA = frozenset({"PartialObjectMetadata", "PartialObjectMetadataList"})
_TRANSFORMS = _METADATA | {"Table"}


@dataclass(frozen=True, slots=True)
class Form:
    """How to write an answer."""

    media: str = JSON
    kind: str = ""
    """`Table`, `PartialObjectMetadata`, `PartialObjectMetadataList`, or empty for the object itself."""
    version: str = "v1"


_WHOLE = {media: Form(media) for media in (JSON, YAML, PROTOBUF)}

PLAIN = _WHOLE[JSON]
"""The object itself in JSON: what almost everybody asks for."""


class _Clause(NamedTuple):
    """One entry of an Accept header."""

    type: str
    subtype: str
    quality: float
    parameters: dict[str, str]


@lru_cache(maxsize=FORMS_MAX)
def negotiate(
    accept: str,
    *,
    custom: bool,
    streaming: bool,
    transforms: bool,
    tables: bool = True,
    routed: bool = True,
) -> Form:
    """The form of an answer: that of the best entry which can be served.

    `custom` resources have no protobuf but of their metadata; `streaming` tells that watch forms exist here (on
    collections); `transforms` whether Table and metadata-only forms are offered, `tables` whether the former is;
    `routed` that the media type must be named, as where Kubernetes has a route of its own.

    Raises: NotAcceptable.
    """
    if not accept or accept in ("*/*", JSON):
        return PLAIN
    if routed and not custom and not _named(accept, _ROUTED):
        streams = f", {JSON};stream=watch, {PROTOBUF};stream=watch" if streaming else ""
        raise _not_offered(f"{_MEDIA}{streams}")
    offered = _NOTHING if not transforms else _TRANSFORMS if tables else _METADATA
    form = _best(accept, custom=custom, transforms=offered)
    if form is None:
        raise NotAcceptable(f"only the following media types are accepted: {_MEDIA}")
    return form


@lru_cache(maxsize=FORMS_MAX)
def negotiate_error(accept: str) -> Form:
    """The form of an error: the best that is accepted, else JSON."""
    return _best(accept, custom=False, transforms=_NOTHING) or PLAIN


def only_json(accept: str) -> None:
    """Raises: NotAcceptable where JSON is all there is and somebody wants something else."""
    if accept and not _named(accept, frozenset({"*/*", JSON})):
        raise _not_offered(JSON)


def _not_offered(listed: str) -> NotAcceptable:
    return NotAcceptable(f"406: Not Acceptable\n\nAvailable representations: {listed}", details={})


def _named(accept: str, offered: frozenset[str]) -> bool:
    """Whether an entry names a media type, whatever its parameters: what go-restful asks first."""
    return any(entry.partition(";")[0].strip(" ") in offered for entry in accept.split(","))


def _best(accept: str, *, custom: bool, transforms: frozenset[str]) -> Form | None:
    if not accept:
        return PLAIN
    for clause in _clauses(accept):
        for media in (JSON, YAML, PROTOBUF):
            type_, _, subtype = media.partition("/")
            if (clause.type == type_ and clause.subtype in (subtype, "*")) or clause[:2] == ("*", "*"):
                form = _form(media, clause.parameters, custom=custom, transforms=transforms)
                if form is not None:
                    return form
    return None


def _form(media: str, parameters: dict[str, str], *, custom: bool, transforms: frozenset[str]) -> Form | None:
    stream = parameters.get("stream", "")
    if stream and (stream != "watch" or media == YAML):
        return None
    if parameters.get("sv", "") not in (("", "v1") if transforms else ("",)):
        return None
    if parameters.keys().isdisjoint(("as", "g", "v")):
        return None if custom and media == PROTOBUF else _WHOLE[media]
    kind, version = parameters.get("as", ""), parameters.get("v", "")
    if parameters.get("g") != "meta.k8s.io" or version not in ("v1", "v1beta1"):
        return None
    if kind not in transforms or (kind == "Table" and media == PROTOBUF):
        return None
    return Form(media, kind, version)


def _clauses(accept: str) -> list[_Clause]:
    """The entries, best first.

    The order is that of Kubernetes' parser: by quality, what is definite before what is not, otherwise as they came.
    Quality 0 is only the least of all, and so is one that is no number.
    """
    clauses: list[_Clause] = []
    for entry in accept.split(","):
        media, *rest = entry.strip(" ").split(";")
        type_, slash, subtype = media.partition("/")
        type_, subtype = type_.strip(" "), subtype.strip(" ")
        if not slash and type_ == "*":
            subtype = "*"
        if not subtype or "/" in subtype:
            continue
        quality = 1.0
        parameters: dict[str, str] = {}
        for each in rest:
            name, _, value = each.partition("=")
            if not value or "=" in value:
                continue
            if name.strip(" ") == "q":
                quality = float(value) if _NUMBER.fullmatch(value) else 0.0
            else:
                parameters[name.strip(" ")] = value.strip(" ")
        clauses.append(_Clause(type_, subtype, quality, parameters))
    if len(clauses) > _SORTED_BY_INSERTION_MAX:
        return sorted(clauses, key=lambda each: (-each.quality, each.type == "*", each.subtype == "*"))
    for end in range(1, len(clauses)):
        at = end
        while at and _goes_before(clauses[at], clauses[at - 1]):
            clauses[at - 1], clauses[at] = clauses[at], clauses[at - 1]
            at -= 1
    return clauses


def _goes_before(one: _Clause, other: _Clause) -> bool:
    """No order at all, strictly speaking: what is definite goes before what is not even where it is worse."""
    return (
        one.quality > other.quality
        or (one.type != "*" and other.type == "*")
        or (one.subtype != "*" and other.subtype == "*")
    )


def no_stream() -> NotAcceptable:
    """What a watch gets that asks for a form in which one object cannot follow another."""
    listed = f"{JSON};stream=watch, {PROTOBUF};stream=watch"
    return NotAcceptable(f"only the following media types are accepted: {listed}")


def body_type(content_type: str) -> str:
    """The media type of a Content-Type header, without parameters; JSON when it says nothing."""
    if not content_type:
        return JSON
    return content_type.split(";", 1)[0].strip().lower()
