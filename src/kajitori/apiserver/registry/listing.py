"""Lists, gets and the beginnings of watches: which revision a reader sees.

Promises
    L1  a read sees every write acknowledged before it came in
    L2  the pages of a list are of one revision; a token older than what is kept answers 410 with a token that
        goes on from there inconsistently
    L3  a revision that is yet to come is refused, not waited for: one process knows its newest revision

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
"""

from collections.abc import Sequence

from kajitori.apimachinery.errors import BadRequest, Cause, Expired, Timeout, not_found
from kajitori.apiserver.options import ListOptions, parse_resource_version
from kajitori.apiserver.registry.continuing import expired_token, read_token, write_token
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.render import ListPage
from kajitori.apiserver.registry.resource import Resource
from kajitori.apiserver.registry.selection import Selection, select
from kajitori.storage import Compacted, FutureRevision, Item, Span, Store

__all__ = ["get_item", "initial_items", "list_items", "not_in_future"]


def get_item(store: Store, resource: Resource, namespace: str, name: str, version: str = "") -> Item:
    """One stored object.

    Raises: NotFound; BadRequest or Timeout for a resource version that is none or is yet to come.
    """
    if version:
        not_in_future(store, parse_resource_version(version))
    item = store.get(resource.bucket, resource.key(namespace, name))
    if item is None:
        raise not_found(resource.kind.plural, resource.kind.group, name)
    return item


async def list_items(
    registry: Registry, resource: Resource, namespace: str, options: ListOptions
) -> tuple[list[bytes], ListPage]:
    """The values of one page, and what its list metadata says.

    Raises: BadRequest, Expired, Timeout.
    """
    store = registry.store
    selection = select(resource, namespace, options)
    after, exact = "", 0
    if options.continue_token:
        after, exact = read_token(options.continue_token, selection.prefix)
        if options.resource_version not in ("", "0"):
            raise BadRequest("specifying resource version is not allowed when using continue")
        exact = max(0, exact)
    else:
        wanted = parse_resource_version(options.resource_version)
        not_in_future(store, wanted)
        if options.resource_version_match == "Exact" or (
            wanted and options.limit and not options.resource_version_match
        ):
            exact = wanted
    revision = exact or store.revision
    try:
        span = await _read(store, resource, selection, after=after, revision=exact)
    except FutureRevision:
        raise _too_large(revision, store.revision) from None
    except Compacted:
        if not options.continue_token:
            raise Expired("The resourceVersion for the provided list is too old.") from None
        raise expired_token(selection.prefix, after) from None
    # What may be of any revision comes whole, as from a watch cache.
    limit = 0 if options.resource_version == "0" else options.limit
    if resource.conversion is not None:
        values, page = await _converted_page(resource, span, selection, revision, limit)
    else:
        candidates = registry.indexes.candidates(resource, selection)
        values, page = _page(span, candidates, selection, revision, limit)
    if selection.shard is not None:
        page.shard = str(selection.shard)
    return values, page


async def _converted_page(
    resource: Resource, span: Span, selection: Selection, revision: int, limit: int
) -> tuple[list[bytes], ListPage]:
    """One page of objects that a webhook converts, which may change what selectors look at: all at once."""
    matches = selection.matches
    if matches is None:
        values, page = _page(span, None, selection, revision, limit)
        return await resource.brought(values), page
    stored = [item.value for item in span if selection.covers(item.name)]
    converted = dict(zip(stored, await resource.brought(stored), strict=True))
    values, page = _page(
        span, None, selection.matching(lambda name, value: matches(name, converted[value])), revision, limit
    )
    return [converted[value] for value in values], page


def initial_items(registry: Registry, resource: Resource, selection: Selection) -> list[bytes]:
    """Everything that a selection holds now: the beginning of a watch."""
    span = _now(registry.store, resource, selection, after="")
    candidates = registry.indexes.candidates(resource, selection)
    return _page(span, candidates, selection, registry.store.revision, 0)[0]


def _now(store: Store, resource: Resource, selection: Selection, *, after: str) -> Span:
    """The items in range as they are now."""
    return store.span(resource.bucket, selection.only or selection.prefix, after=after)


async def _read(store: Store, resource: Resource, selection: Selection, *, after: str, revision: int) -> Span:
    if not revision or revision == store.revision:
        return _now(store, resource, selection, after=after)
    return await store.span_at(resource.bucket, revision, selection.only or selection.prefix, after=after)


def _page(
    span: Span, candidates: Sequence[str] | None, selection: Selection, revision: int, limit: int
) -> tuple[list[bytes], ListPage]:
    """One page of a span. Objects beside the `candidates` cannot match, where these are known."""
    matches = selection.matches
    if matches is None and selection.only is None:
        items = span.first(limit)
        left = span.left(items[-1].name) if limit and items else 0
        token = write_token(revision, selection.prefix, items[-1].name) if left else ""
        return [item.value for item in items], ListPage(revision, token, left or None)
    values: list[bytes] = []
    for item in span if candidates is None else span.among(candidates):
        if matches is not None and not matches(item.name, item.value):
            continue
        if selection.only is not None:
            if item.name == selection.only:
                return [item.value], ListPage(revision)
            continue
        values.append(item.value)
        # How many of those that are left match, nobody knows without looking at them.
        if len(values) == limit and span.left(item.name):
            return values, ListPage(revision, write_token(revision, selection.prefix, item.name))
    return values, ListPage(revision)


def not_in_future(store: Store, revision: int) -> None:
    """Raises: Timeout for a revision that is yet to come (L3)."""
    if revision > store.revision:
        raise _too_large(revision, store.revision)


def _too_large(revision: int, current: int) -> Timeout:
    return Timeout(
        f"Timeout: Too large resource version: {revision}, current: {current}",
        details={"retryAfterSeconds": 1},
        causes=[Cause("ResourceVersionTooLarge", "Too large resource version")],
    )
