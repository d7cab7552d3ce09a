"""What a request may ask for, and the query strings that say so.

Source: https://kubernetes.io/docs/reference/kubernetes-api/common-parameters/common-parameters/
"""

from enum import StrEnum
from functools import lru_cache
from typing import Literal, NamedTuple, TypedDict
from urllib.parse import urlencode

__all__ = [
    "DeleteOptions",
    "FieldValidation",
    "HowToWrite",
    "ListOptions",
    "PatchType",
    "Propagation",
    "WatchOptions",
    "WriteDefaults",
    "WriteOptions",
    "delete_body",
    "list_query",
    "watch_query",
    "write_query",
]

FieldValidation = Literal["Ignore", "Warn", "Strict"]
Propagation = Literal["Foreground", "Background", "Orphan"]


class PatchType(StrEnum):
    """How a patch is read; the value is its media type."""

    MERGE = "application/merge-patch+json"
    JSON = "application/json-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    """Built-in kinds only: the server knows how their lists merge."""
    APPLY = "application/apply-patch+yaml"


class ListOptions(TypedDict, total=False):
    """Keywords of `list` and `list_pages`."""

    labels: str
    """A label selector: `app=web,tier in (front, back)`."""
    fields: str
    """A field selector: `spec.nodeName=n1`."""
    shard_selector: str
    """Ranges of a hash (KEP-5866); servers that do not know it give everything."""
    resource_version: str
    resource_version_match: Literal["Exact", "NotOlderThan"]
    limit: int
    """Objects a page; 0: everything at once."""
    continue_token: str
    metadata_only: bool
    """Ask for PartialObjectMetadata: no spec, no status."""


class WatchOptions(TypedDict, total=False):
    """Keywords of `watch`."""

    labels: str
    fields: str
    shard_selector: str
    resource_version: str
    """Events after this version; empty: from whatever the server has now, told as ADDED first."""
    resource_version_match: Literal["NotOlderThan"]
    bookmarks: bool
    """Let the server send BOOKMARK events now and then."""
    send_initial_events: bool
    """Stream what exists first (WatchList), ended by a bookmark with `initial_events_end`."""
    timeout_seconds: int
    """When the server ends the watch."""
    metadata_only: bool


class HowToWrite(TypedDict, total=False):
    """Keywords of everything that writes whole objects."""

    dry_run: bool
    field_manager: str
    """Who owns the fields written; default the client's."""
    field_validation: FieldValidation


class WriteOptions(HowToWrite, total=False):
    """Keywords of `create`, `update`, `patch` and `apply`."""

    subresource: str
    """One whose objects are of the same kind: `status`, `resize`, `approval`. For others see
    `Client.subresource`.
    """


class WriteDefaults(NamedTuple):
    """How a client writes where a call does not say."""

    field_manager: str = ""
    """Empty: the server derives it from the user agent."""
    dry_run: bool = False
    field_validation: FieldValidation | None = None
    """None: as the server does, which is Warn."""

    def is_dry(self, options: "HowToWrite | DeleteOptions") -> bool:
        """Whether nothing is kept of a write with these options."""
        return options.get("dry_run", self.dry_run)


class DeleteOptions(TypedDict, total=False):
    """Keywords of `delete` and `delete_collection`."""

    propagation: Propagation
    grace_seconds: int
    uid: str
    """Delete only the object with this uid; another of the same name is a Conflict."""
    resource_version: str
    """Delete only when the object is still at this version."""
    dry_run: bool


def list_query(options: ListOptions) -> str:
    pairs: list[tuple[str, str]] = []
    if labels := options.get("labels"):
        pairs.append(("labelSelector", labels))
    if fields := options.get("fields"):
        pairs.append(("fieldSelector", fields))
    if shards := options.get("shard_selector"):
        pairs.append(("shardSelector", shards))
    if limit := options.get("limit"):
        pairs.append(("limit", str(limit)))
    if token := options.get("continue_token"):
        pairs.append(("continue", token))
    if version := options.get("resource_version"):
        pairs.append(("resourceVersion", version))
    if match := options.get("resource_version_match"):
        pairs.append(("resourceVersionMatch", match))
    return "?" + urlencode(pairs) if pairs else ""


def watch_query(options: WatchOptions) -> str:
    pairs: list[tuple[str, str]] = [("watch", "1")]
    if labels := options.get("labels"):
        pairs.append(("labelSelector", labels))
    if fields := options.get("fields"):
        pairs.append(("fieldSelector", fields))
    if shards := options.get("shard_selector"):
        pairs.append(("shardSelector", shards))
    if version := options.get("resource_version"):
        pairs.append(("resourceVersion", version))
    if match := options.get("resource_version_match"):
        pairs.append(("resourceVersionMatch", match))
    if options.get("bookmarks"):
        pairs.append(("allowWatchBookmarks", "true"))
    if options.get("send_initial_events"):
        pairs.append(("sendInitialEvents", "true"))
    if seconds := options.get("timeout_seconds"):
        pairs.append(("timeoutSeconds", str(seconds)))
    return "?" + urlencode(pairs)


def write_query(options: WriteOptions, defaults: WriteDefaults, *, force: bool = False) -> str:
    """`defaults` are the client's, for what the options do not say."""
    return _write_query(
        options.get("field_manager") or defaults.field_manager,
        defaults.is_dry(options),
        options.get("field_validation", defaults.field_validation) or "",
        force,
    )


@lru_cache(maxsize=256)
def _write_query(manager: str, dry_run: bool, validation: str, force: bool) -> str:
    pairs: list[tuple[str, str]] = []
    if manager:
        pairs.append(("fieldManager", manager))
    if dry_run:
        pairs.append(("dryRun", "All"))
    if validation:
        pairs.append(("fieldValidation", validation))
    if force:
        pairs.append(("force", "true"))
    return "?" + urlencode(pairs) if pairs else ""


def delete_body(options: DeleteOptions, defaults: WriteDefaults) -> dict[str, object] | None:
    """The DeleteOptions object; None when there is nothing to say."""
    body: dict[str, object] = {}
    if "propagation" in options:
        body["propagationPolicy"] = options["propagation"]
    if "grace_seconds" in options:
        body["gracePeriodSeconds"] = options["grace_seconds"]
    conditions: dict[str, str] = {}
    if uid := options.get("uid"):
        conditions["uid"] = uid
    if version := options.get("resource_version"):
        conditions["resourceVersion"] = version
    if conditions:
        body["preconditions"] = conditions
    if defaults.is_dry(options):
        body["dryRun"] = ["All"]
    return {"kind": "DeleteOptions", "apiVersion": "v1", **body} if body else None
