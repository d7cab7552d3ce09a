"""Which form an answer takes, from the Accept header; and what a body is, from Content-Type.

Headers repeat endlessly, so what they mean is remembered (FORMS_MAX of them).

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources
"""

from dataclasses import dataclass
from functools import lru_cache

from kajitori.apimachinery.errors import NotAcceptable

__all__ = ["JSON", "PLAIN", "PROTOBUF", "YAML", "Form", "body_type", "negotiate", "no_stream"]

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"

FORMS_MAX = 256
"""Distinct Accept headers remembered; clients use a handful, fuzzers use any number."""

_WITHOUT_STREAMS = f"{JSON}, {YAML}, {PROTOBUF}"
_TRANSFORMS = frozenset({"Table", "PartialObjectMetadata", "PartialObjectMetadataList"})


@dataclass(frozen=True, slots=True)
class Form:
    """How to write an answer."""

    media: str = JSON
    kind: str = ""
    """`Table`, `PartialObjectMetadata`, `PartialObjectMetadataList`, or empty for the object itself."""
    version: str = "v1"


@lru_cache(maxsize=FORMS_MAX)
def negotiate(accept: str, *, custom: bool, streaming: bool, transforms: bool, tables: bool = True) -> Form:
    """The first form that is acceptable, by quality and then by order.

    `custom` resources have no protobuf but of their metadata; `streaming` tells that watch forms exist here (on
    collections); `transforms` whether Table and metadata-only forms are offered, `tables` whether the former is.

    Raises: NotAcceptable.
    """
    if not accept or accept in ("*/*", JSON):
        return PLAIN
    refused = False
    for media, parameters in _preferences(accept):
        form = _form(media, parameters, custom=custom)
        if form is None:
            continue
        wanted = parameters.get("as", "")
        if not wanted:
            return form
        version = parameters.get("v", "")
        if (
            transforms
            and wanted in _TRANSFORMS
            and parameters.get("g") == "meta.k8s.io"
            and version in ("v1", "v1beta1")
            and (wanted != "Table" or (tables and form.media != PROTOBUF))
        ):
            return Form(form.media, wanted, version)
        refused = True
    listed = f"{JSON}, {YAML}" if custom else _WITHOUT_STREAMS
    if refused:
        raise NotAcceptable(f"only the following media types are accepted: {listed}")
    if streaming:
        listed += f", {JSON};stream=watch" + ("" if custom else f", {PROTOBUF};stream=watch")
    message = f"406: Not Acceptable\n\nAvailable representations: {listed}"
    raise NotAcceptable(message, details={})


PLAIN = Form()
"""The object itself in JSON: what almost everybody asks for."""


def _preferences(accept: str) -> list[tuple[str, dict[str, str]]]:
    entries: list[tuple[float, int, str, dict[str, str]]] = []
    for order, entry in enumerate(accept.split(",")):
        media, *rest = [part.strip() for part in entry.split(";")]
        parameters: dict[str, str] = {}
        for each in rest:
            name, _, value = each.partition("=")
            parameters[name.strip()] = value.strip().strip('"')
        try:
            quality = float(parameters.pop("q", "1"))
        except ValueError:
            quality = 1.0
        if quality > 0:
            entries.append((-quality, order, media.lower(), parameters))
    return [(media, parameters) for _, _, media, parameters in sorted(entries, key=lambda each: each[:2])]


def _form(media: str, parameters: dict[str, str], *, custom: bool) -> Form | None:
    stream = parameters.get("stream", "")
    if stream not in ("", "watch"):
        return None
    if media in ("*/*", "application/*", JSON):
        return PLAIN
    if media == YAML and not stream:
        return Form(YAML)
    # Of custom objects protobuf knows the metadata only.
    if media == PROTOBUF and (not custom or parameters.get("as", "").startswith("PartialObjectMetadata")):
        return Form(PROTOBUF)
    return None


def no_stream(*, custom: bool) -> NotAcceptable:
    """What a watch gets that asks for a form in which one object cannot follow another."""
    media = (JSON,) if custom else (JSON, PROTOBUF)
    listed = ", ".join(f"{each};stream=watch" for each in media)
    return NotAcceptable(f"only the following media types are accepted: {listed}")


def body_type(content_type: str) -> str:
    """The media type of a Content-Type header, without parameters; JSON when it says nothing."""
    if not content_type:
        return JSON
    return content_type.split(";", 1)[0].strip().lower()
