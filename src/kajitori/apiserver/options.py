"""Options of a request, read from its query (and for deletions its body) and checked.

Numbers that do not parse are a bad request; values that contradict one another are `ListOptions`, `CreateOptions`, …
that are invalid, with Kubernetes' wording.

Source: apimachinery meta/v1 ListOptions, CreateOptions, UpdateOptions, PatchOptions, DeleteOptions and
meta/v1/validation, meta/internalversion/validation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import unquote_plus

import msgspec

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import ApiError, BadRequest, FieldError, invalid
from kajitori.apimachinery.validation import validate_field_manager

__all__ = [
    "DeleteOptions",
    "ListOptions",
    "WriteOptions",
    "delete_options",
    "list_options",
    "parse_query",
    "parse_resource_version",
    "write_options",
]

_DIGITS_MAX = 20
"""Of any number of 64 bits."""

_Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


def parse_query(query: str) -> dict[str, list[str]]:
    """Names to values, in order, blank values kept."""
    if not query:
        return {}
    values: dict[str, list[str]] = {}
    for pair in query.split("&"):
        if not pair:
            continue
        name, _, value = pair.partition("=")
        if "%" in name or "+" in name:
            name = unquote_plus(name)
        if "%" in value or "+" in value:
            value = unquote_plus(value)
        values.setdefault(name, []).append(value)
    return values


@dataclass(slots=True)
class ListOptions:
    label_selector: str = ""
    field_selector: str = ""
    watch: bool = False
    allow_watch_bookmarks: bool = False
    resource_version: str = ""
    resource_version_match: str = ""
    timeout_seconds: int | None = None
    limit: int = 0
    continue_token: str = ""
    send_initial_events: bool | None = None
    shard_selector: str = ""


def list_options(query: Mapping[str, list[str]], *, watch: bool) -> ListOptions:
    """The options of a list or watch.

    Raises: BadRequest for numbers that are none, Invalid for combinations that Kubernetes forbids.
    """
    options = ListOptions(watch=watch)
    if not query:
        return options
    first = {name: values[0] for name, values in query.items()}
    options.label_selector = first.get("labelSelector", "")
    options.field_selector = first.get("fieldSelector", "")
    options.allow_watch_bookmarks = _boolean(first.get("allowWatchBookmarks")) or False
    options.resource_version = first.get("resourceVersion", "")
    options.resource_version_match = first.get("resourceVersionMatch", "")
    options.timeout_seconds = _integer(first.get("timeoutSeconds"))
    options.limit = max(0, _integer(first.get("limit")) or 0)
    options.continue_token = first.get("continue", "")
    options.send_initial_events = _boolean(first.get("sendInitialEvents"))
    options.shard_selector = first.get("shardSelector", "")
    errors = list(_list_errors(options))
    if errors:
        raise invalid("ListOptions", "meta.k8s.io", "", errors)
    return options


def _list_errors(options: ListOptions) -> "list[FieldError]":
    errors: list[FieldError] = []
    path = "resourceVersionMatch"
    match, version = options.resource_version_match, options.resource_version
    if options.watch:
        if options.send_initial_events is not None and match != "NotOlderThan":
            told = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            errors.append(FieldError.forbidden(path, told))
        if match and options.send_initial_events is None:
            told = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            errors.append(FieldError.forbidden(path, told))
        if match not in ("", "NotOlderThan"):
            errors.append(FieldError.not_supported(path, match, ["NotOlderThan"]))
        # A watch of what there is now asks for it as a list without bounds would.
        from_now = version in ("", "0") and options.send_initial_events is None
        if (match or from_now) and options.continue_token:
            told = "resourceVersionMatch is forbidden when continue is provided"
            errors.append(FieldError.forbidden(path, told))
        return errors
    if match:
        if not version:
            errors.append(
                FieldError.forbidden(
                    path, "resourceVersionMatch is forbidden unless resourceVersion is provided"
                )
            )
        if options.continue_token:
            errors.append(
                FieldError.forbidden(path, "resourceVersionMatch is forbidden when continue is provided")
            )
        if match not in ("Exact", "NotOlderThan"):
            errors.append(FieldError.not_supported(path, match, ["Exact", "NotOlderThan", ""]))
        elif match == "Exact" and version == "0":
            errors.append(
                FieldError.forbidden(
                    path, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
                )
            )
    if options.send_initial_events is not None:
        errors.append(FieldError.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    return errors


class WriteOptions(msgspec.Struct):
    """Of a create, update or patch."""

    dry_run: bool = False
    field_manager: str = ""
    field_validation: str = "Warn"
    force: bool | None = None


def write_options(query: Mapping[str, list[str]], kind: str, *, apply: bool = False) -> WriteOptions:
    """The options of a write; `kind` (`CreateOptions` …) is what an error calls them.

    Raises: Invalid, BadRequest.
    """
    options = WriteOptions()
    if not query:
        if apply:
            raise invalid(kind, "meta.k8s.io", "", _manager_errors("", required=True))
        return options
    errors: list[FieldError] = []
    dry_run = query.get("dryRun", [])
    options.field_manager = query.get("fieldManager", [""])[0]
    options.force = _boolean(query["force"][0]) if "force" in query else None
    if kind == "PatchOptions" and options.force is not None and not apply:
        errors.append(FieldError.forbidden("force", "may not be specified for non-apply patch"))
    errors += _manager_errors(options.field_manager, required=apply)
    errors += _dry_run_errors(dry_run)
    options.dry_run = bool(dry_run)
    validation = query.get("fieldValidation", [""])[0]
    if validation not in ("", "Ignore", "Strict", "Warn"):
        errors.append(
            FieldError.not_supported("fieldValidation", validation, ["", "Ignore", "Strict", "Warn"])
        )
    options.field_validation = validation or "Warn"
    if errors:
        raise invalid(kind, "meta.k8s.io", "", errors)
    return options


def _dry_run_errors(values: list[str]) -> list[FieldError]:
    if any(value != "All" for value in values):
        return [FieldError.not_supported("dryRun", values, ["All"])]
    return []


def _manager_errors(manager: str, *, required: bool) -> list[FieldError]:
    if not manager:
        return [FieldError.required("fieldManager", "is required for apply patch")] if required else []
    return validate_field_manager(manager, "fieldManager")


@dataclass(slots=True)
class DeleteOptions:
    grace_period_seconds: int | None = None
    uid: str | None = None
    resource_version: str | None = None
    propagation: str | None = None
    orphan_dependents: bool | None = None
    dry_run: bool = False
    ignore_store_read_error: bool = False
    extra: dict[str, Any] = field(default_factory=dict[str, Any])


def delete_options(query: Mapping[str, list[str]], body: Mapping[str, Any] | None) -> DeleteOptions:
    """The options of a deletion: the body's when there is one, otherwise the query's.

    Raises: Invalid, BadRequest.
    """
    options = DeleteOptions()
    dry_run: list[str] = []
    if body is not None:
        try:
            typed = msgspec.convert(body, _DeleteBody)
        except msgspec.ValidationError:
            raise BadRequest(_wrong_type(body)) from None
        options.grace_period_seconds = typed.gracePeriodSeconds
        if typed.preconditions is not None:
            options.uid = typed.preconditions.uid
            options.resource_version = typed.preconditions.resourceVersion
        options.propagation = typed.propagationPolicy
        options.orphan_dependents = typed.orphanDependents
        options.ignore_store_read_error = bool(typed.ignoreStoreReadErrorWithClusterBreakingPotential)
        dry_run = typed.dryRun or []
    else:
        first = {name: values[0] for name, values in query.items()}
        options.grace_period_seconds = _integer(first.get("gracePeriodSeconds"))
        options.propagation = first.get("propagationPolicy")
        options.orphan_dependents = _boolean(first.get("orphanDependents"))
        options.uid = first.get("uid") or None
        options.resource_version = first.get("resourceVersion") or None
    dry_run = dry_run or query.get("dryRun", [])
    errors: list[FieldError] = []
    if options.propagation is not None and options.orphan_dependents is not None:
        errors.append(
            FieldError.invalid(
                "propagationPolicy",
                options.propagation,
                "orphanDependents and deletionPropagation cannot be both set",
            )
        )
    if options.propagation is not None and options.propagation not in ("Foreground", "Background", "Orphan"):
        errors.append(
            FieldError.not_supported(
                "propagationPolicy", options.propagation, ["Foreground", "Background", "Orphan", "nil"]
            )
        )
    errors += _dry_run_errors(dry_run)
    if errors:
        raise invalid("DeleteOptions", "meta.k8s.io", "", errors)
    options.dry_run = bool(dry_run)
    return options


def _wrong_type(body: Mapping[str, Any]) -> str:
    """What Kubernetes says of the first field with a value of the wrong type."""
    from kajitori.apimachinery.decode import DecodeError
    from kajitori.apis import typed

    try:
        typed.decode("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions", body)
    except DecodeError as error:
        return str(error)
    return "the body of the request is not DeleteOptions"


class _Preconditions(msgspec.Struct):
    uid: str | None = None
    resourceVersion: str | None = None


class _DeleteBody(msgspec.Struct):
    gracePeriodSeconds: _Int64 | None = None
    preconditions: _Preconditions | None = None
    orphanDependents: bool | None = None
    propagationPolicy: str | None = None
    dryRun: list[str] | None = None
    ignoreStoreReadErrorWithClusterBreakingPotential: bool | None = None


def _integer(text: str | None) -> int | None:
    """A query's integer. Raises: BadRequest, worded as Go's strconv."""
    if text is None:
        return None
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()):
        raise BadRequest(f"strconv.ParseInt: parsing {go_quote(text)}: invalid syntax")
    digits = digits.lstrip("0") or "0"
    # Longer ones Python may refuse to read at all.
    number = int(text) if len(digits) <= _DIGITS_MAX else 1 << 63
    if not -(2**63) <= number < 2**63:
        raise BadRequest(f"strconv.ParseInt: parsing {go_quote(text)}: value out of range")
    return number


def _boolean(text: str | None) -> bool | None:
    """A query's boolean: "0" and "false" are false, anything else is true, nothing at all too."""
    return None if text is None else text.lower() not in ("0", "false")


def parse_resource_version(text: str, *, watch: bool = False) -> int:
    """A resource version as the integer it is here; empty is 0.

    Raises: BadRequest for lists and gets; for watches Kubernetes answers 500 without a reason, and so do we.
    """
    if not text:
        return 0
    wrong = "invalid syntax"
    if text.isascii() and text.isdigit():
        if len(text) <= _DIGITS_MAX and (number := int(text)) < 1 << 64:
            return number
        wrong = "value out of range"
    quoted = go_quote(text)
    detail = f"resourceVersion: Invalid value: {quoted}: strconv.ParseUint: parsing {quoted}: {wrong}"
    if watch:
        raise ApiError(detail, code=500)
    raise BadRequest(f"invalid resource version: {detail}")
