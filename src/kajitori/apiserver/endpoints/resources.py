"""The verbs of resources: get, list, watch, create, update, patch, delete, deletecollection.

Between the parsed, authorized request and the registry. Reads answer in the same turn of the loop.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

import asyncio
import random as _jitter
from collections.abc import Sequence
from typing import Any

from kajitori.apimachinery.errors import ApiError, NotFound
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.endpoints.answers import answer, value_answer, warning_headers
from kajitori.apiserver.endpoints.bodies import read_object, read_options
from kajitori.apiserver.endpoints.patches import patch_transform
from kajitori.apiserver.http import BodyWriter, Response, Stream
from kajitori.apiserver.negotiation import JSON, Form, body_type, negotiate
from kajitori.apiserver.options import (
    delete_options,
    list_options,
    parse_resource_version,
    write_options,
)
from kajitori.apiserver.registry.call import Call
from kajitori.apiserver.registry.creating import create
from kajitori.apiserver.registry.deleting import Deleted, delete
from kajitori.apiserver.registry.listing import get_item, initial_items, list_items
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.render import ListPage, Renderer
from kajitori.apiserver.registry.resource import Resource, encode
from kajitori.apiserver.registry.selection import select
from kajitori.apiserver.registry.updating import Change, named, update
from kajitori.apiserver.registry.watching import Watch, Watches
from kajitori.apiserver.scope import Scope

__all__ = ["ResourceEndpoints"]

Answer = Response | Stream

WATCH_SECONDS_MIN = 1800.0
"""A watch that names no timeout ends after this long to twice this long, so that clients spread out again."""

DELETIONS_AT_ONCE_MAX = 32
"""How many objects of a collection are deleted side by side: they share commits, others get their turn."""


class ResourceEndpoints:
    """The standard verbs on every resource."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._watches: dict[Resource, Watches] = {}

    def form(self, scope: Scope) -> Form:
        return negotiate(
            scope.request.headers.get("accept", ""),
            custom=scope.resource.custom,
            streaming=scope.info.collection,
            transforms=True,
        )

    def renderer(self, scope: Scope) -> Renderer:
        include = scope.query.get("includeObject", ["Metadata"])[0] or "Metadata"
        return Renderer(scope.resource, self._now, include)

    def _now(self) -> float:
        return self._registry.clock.now().timestamp()

    def call(self, scope: Scope, options_kind: str, *, apply: bool = False) -> Call:
        options = write_options(scope.query, options_kind, apply=apply)
        return Call(scope.user, options, scope.request.headers.get("user-agent", ""), scope.warnings)

    def show(self, scope: Scope, obj: JsonObject, form: Form, status: int = 200) -> Response:
        """An object that is not stored, in this version."""
        return answer(status, self.renderer(scope).one(encode(obj), form), form, scope.warnings)

    def show_list(self, scope: Scope, objects: Sequence[JsonObject], form: Form) -> Response:
        """A list of objects that are not stored."""
        page = ListPage(self._registry.store.revision)
        return answer(200, self.renderer(scope).many([encode(each) for each in objects], page, form), form)

    # Reads.

    def get(self, scope: Scope) -> Answer:
        form = self.form(scope)
        version = scope.query.get("resourceVersion", _NOTHING)[0] if scope.query else ""
        info = scope.info
        item = get_item(self._registry.store, scope.resource, info.namespace, info.name, version)
        if form.media == JSON and not form.kind and not scope.resource.converted:
            headers = warning_headers(scope.warnings) if scope.warnings else ()
            return Response(200, item.value + b"\n", JSON, headers)
        return answer(200, self.renderer(scope).one(item.value, form), form, scope.warnings)

    async def list(self, scope: Scope) -> Answer:
        form = self.form(scope)
        options = list_options(scope.query, watch=False)
        values, page = await list_items(self._registry.store, scope.resource, scope.info.namespace, options)
        return answer(200, self.renderer(scope).many(values, page, form), form, scope.warnings)

    def watch(self, scope: Scope) -> Answer:
        form = self.form(scope)
        options = list_options(scope.query, watch=True)
        store = self._registry.store
        resource = scope.resource
        revision = parse_resource_version(options.resource_version, watch=True)
        selection = select(resource, scope.info.namespace, options, scope.info.name)
        watches = self._watches.get(resource)
        if watches is None:
            watches = self._watches[resource] = Watches(store, resource)
        renderer = self.renderer(scope)
        initial = options.send_initial_events
        if initial is None and revision == 0:
            initial = True
        from_now = initial is False and revision == 0
        watch = Watch(watches, renderer, selection, form, bookmarks=options.allow_watch_bookmarks)

        def first(watch: Watch) -> None:
            try:
                if initial:
                    for value in initial_items(store, selection, resource):
                        watch.show(value)
                    if options.allow_watch_bookmarks:
                        watch.bookmark(initial_end=True)
                elif not from_now:
                    for event in watches.history_since(revision):
                        watch.tell(event, {})
            except ApiError as error:
                watch.send(renderer.error_event(error, form))
                watch.stop()

        timeout = float(options.timeout_seconds or 0)
        if timeout <= 0:
            timeout = WATCH_SECONDS_MIN * (1 + _jitter.random())
        loop = asyncio.get_running_loop()

        def on_start(writer: BodyWriter) -> None:
            watch.start(writer, timeout, first, loop)

        content_type = form.media if form.media == JSON else f"{form.media};stream=watch"
        headers = warning_headers(scope.warnings)
        return Stream(on_start, watch.stop, content_type=content_type, headers=headers)

    def close_watches(self, resource: Resource | None = None) -> None:
        """Ends the watches of a resource that is no longer served, or all of them."""
        for each in [resource] if resource is not None else list(self._watches):
            watches = self._watches.pop(each, None)
            if watches is not None:
                watches.close()

    # Writes.

    async def create(self, scope: Scope) -> Answer:
        form = self.form(scope)
        call = self.call(scope, "CreateOptions")
        obj = read_object(scope.request, scope.resource, call)
        value = await create(self._registry, scope.resource, scope.info.namespace, obj, call)
        return answer(201, self.renderer(scope).one(value, form), form, call.warnings)

    async def update(self, scope: Scope) -> Answer:
        form = self.form(scope)
        call = self.call(scope, "UpdateOptions")
        resource, name = scope.resource, scope.info.name
        sent = read_object(scope.request, resource, call)
        named(sent, name, url_name=name)
        uid = sent["metadata"].get("uid", "")

        def replaced(current: JsonObject | None) -> Change:
            # Made anew for each try: what is stored may share nothing with what the client sent.
            return Change(_copied(sent), uid=uid, derived=False)

        subresource = scope.info.subresource
        updated = await update(
            self._registry,
            resource,
            scope.info.namespace,
            name,
            replaced,
            call,
            subresource=subresource,
            may_create=resource.strategy.allow_create_on_update and not subresource,
        )
        body = self.renderer(scope).one(updated.value, form)
        return answer(201 if updated.created else 200, body, form, call.warnings)

    async def patch(self, scope: Scope) -> Answer:
        form = self.form(scope)
        media = body_type(scope.request.headers.get("content-type", ""))
        apply = media.startswith("application/apply-patch+")
        call = self.call(scope, "PatchOptions", apply=apply)
        transform = patch_transform(self._registry, scope, media, call)
        updated = await update(
            self._registry,
            scope.resource,
            scope.info.namespace,
            scope.info.name,
            transform,
            call,
            subresource=scope.info.subresource,
            may_create=apply and not scope.info.subresource,
        )
        body = self.renderer(scope).one(updated.value, form)
        return answer(201 if updated.created else 200, body, form, call.warnings)

    async def delete(self, scope: Scope) -> Answer:
        form = self.form(scope)
        options = delete_options(scope.query, read_options(scope.request))
        call = Call(scope.user, write_options({}, "DeleteOptions"), warnings=scope.warnings)
        info, resource = scope.info, scope.resource
        deleted = await delete(self._registry, resource, info.namespace, info.name, options, call)
        if not deleted.gone or resource.strategy.returns_deleted:
            status = 202 if not deleted.gone and options.orphan_dependents is False else 200
            body = self.renderer(scope).one(deleted.value, form)
            return answer(status, body, form, call.warnings)
        return value_answer(200, _success(resource, info.name, deleted), form, call.warnings)

    async def deletecollection(self, scope: Scope) -> Answer:
        form = self.form(scope)
        query = {name: values for name, values in scope.query.items() if name != "watch"}
        options = delete_options(query, read_options(scope.request))
        selected = list_options(query, watch=False)
        call = Call(scope.user, write_options({}, "DeleteOptions"), warnings=scope.warnings)
        resource = scope.resource
        values, page = await list_items(self._registry.store, resource, scope.info.namespace, selected)
        gate = asyncio.Semaphore(DELETIONS_AT_ONCE_MAX)

        async def one(value: bytes) -> bytes:
            metadata = resource.parse(value)["metadata"]
            async with gate:
                try:
                    deleted = await delete(
                        self._registry,
                        resource,
                        metadata.get("namespace", ""),
                        metadata["name"],
                        options,
                        call,
                    )
                except NotFound:
                    return value  # somebody else was faster
            return deleted.value

        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(one(value)) for value in values]
        results = [task.result() for task in running]
        body = self.renderer(scope).many(results, ListPage(page.revision), form)
        return answer(200, body, form, call.warnings)


_NOTHING = ("",)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_copied(each) for each in value]
    return value


def _success(resource: Resource, name: str, deleted: Deleted) -> JsonObject:
    """The Status that tells of a deletion."""
    uid = resource.parse(deleted.value)["metadata"]["uid"]
    details = {"name": name, "group": resource.kind.group, "kind": resource.kind.plural, "uid": uid}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: text for key, text in details.items() if text},
    }
