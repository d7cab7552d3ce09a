"""The verbs of resources that read: get, list, watch. Those that write are in `writes`.

Between the parsed, authorized request and the registry. Reads answer in the same turn of the loop.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kajitori.apimachinery.errors import BadRequest, FieldError, NotAcceptable
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.endpoints.answers import answer, value_answer, warning_headers
from kajitori.apiserver.http import BodyWriter, Response, Stream
from kajitori.apiserver.negotiation import JSON, PLAIN, YAML, Form, negotiate, no_stream
from kajitori.apiserver.operating.asked import trail_of
from kajitori.apiserver.operating.figures import SizeFigures
from kajitori.apiserver.options import (
    list_options,
    parse_resource_version,
    write_options,
)
from kajitori.apiserver.registry.call import Attributes, Call, admitted
from kajitori.apiserver.registry.listing import get_item, list_items, not_in_future
from kajitori.apiserver.registry.registry import Registry, as_read
from kajitori.apiserver.registry.render import ListPage, Renderer
from kajitori.apiserver.registry.resource import Resource, encode
from kajitori.apiserver.registry.selection import select
from kajitori.apiserver.registry.watching import Watch, Watches
from kajitori.apiserver.scope import Scope

if TYPE_CHECKING:
    from kajitori.apis.printers import Printer
    from kajitori.apiserver.endpoints.writes import Writes

__all__ = ["Answer", "ResourceEndpoints"]

Answer = Response | Stream

WATCH_SECONDS_MIN = 1800.0
"""A watch that names no timeout ends after this long to twice this long, so that clients spread out again."""


_STREAMING = frozenset(("list", "watch"))
_WITHOUT_TABLES = frozenset(
    ("approval", "binding", "ephemeralcontainers", "eviction", "finalize", "resize", "token")
)
"""Subresources that Kubernetes prints for nobody."""


class ResourceEndpoints:
    """The standard verbs on every resource."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._watches: dict[Resource, Watches] = {}
        self.event_sizes = SizeFigures()

    def form(self, scope: Scope) -> Form:
        """How the answer is to be written. Raises: NotAcceptable, BadRequest."""
        info = scope.info
        form = negotiate(
            scope.request.headers.get("accept", ""),
            custom=scope.resource.custom,
            streaming=info.collection and info.verb in _STREAMING,
            transforms=True,
            tables=info.subresource not in _WITHOUT_TABLES and scope.resource.has_tables,
        )
        if form.kind == "Table" and _included(scope) not in ("Metadata", "None", "Object"):
            told = "must be 'Metadata', 'Object', 'None', or empty"
            error = FieldError.invalid("includeObject", _included(scope), told)
            raise BadRequest(f"Unable to convert to Table as requested: {error}")
        return form

    def renderer(self, scope: Scope) -> Renderer:
        return Renderer(scope.resource, self._now, _included(scope))

    def _now(self) -> float:
        return self._registry.clock.now().timestamp()

    def call(self, scope: Scope, options_kind: str, *, apply: bool = False) -> Call:
        options = write_options(scope.query, options_kind, apply=apply)
        request = scope.request
        agent = request.headers.get("user-agent", "")
        return Call(scope.user, options, agent, scope.warnings, trail_of(request), scope.info.name != "")

    async def admitted(
        self,
        scope: Scope,
        call: Call,
        obj: JsonObject,
        *,
        operation: str = "CREATE",
        into: "tuple[Resource, str] | None" = None,
        name: str = "",
    ) -> JsonObject:
        """What is asked of a resource or subresource that stores nothing, past admission.

        `into` is another resource and subresource that it is asked of than the path says. Raises: ApiError.
        """
        resource, subresource = into or (scope.resource, scope.info.subresource)
        attributes = Attributes(
            operation, resource, subresource, scope.info.namespace, name or scope.info.name, obj, None, scope.user,
            call.options.dry_run, call.options, call,
        )  # fmt: skip
        return await admitted(self._registry.admission, attributes)

    def show(self, scope: Scope, obj: JsonObject, form: Form, status: int = 200) -> Response:
        """An object that is not stored, in this version."""
        return answer(status, self.renderer(scope).one(encode(obj), form), form, scope.warnings)

    def show_other(
        self, scope: Scope, obj: JsonObject, form: Form, status: int = 200, printer: "Printer | None" = None
    ) -> Response:
        """An object of another kind than the resource's: a token, a Scale. Tables need a `printer`."""
        if form.kind:
            obj = self._other_form(scope, obj, form, printer)
        return value_answer(status, obj, form, scope.warnings)

    def _other_form(self, scope: Scope, obj: JsonObject, form: Form, printer: "Printer | None") -> JsonObject:
        from kajitori.apis.printers import partial_object_metadata, table

        version = f"meta.k8s.io/{form.version}"
        if form.kind == "Table" and printer is not None:
            include = _included(scope)
            metadata = obj["metadata"]
            return table(printer, [obj], metadata, self._now(), include_object=include, api_version=version)
        if form.kind == "PartialObjectMetadata":
            return partial_object_metadata(obj, api_version=version)
        group = obj["apiVersion"].partition("/")[0].partition(".")[0]
        raise NotAcceptable(
            f"you requested {form.kind}, but the requested object is not a list (*{group}.{obj['kind']})"
        )

    def show_list(self, scope: Scope, objects: Sequence[JsonObject], form: Form) -> Response:
        """A list of objects that are not stored."""
        page = ListPage(self._registry.store.revision)
        body = self.renderer(scope).many([encode(each) for each in objects], page, form)
        return answer(200, body, form, scope.warnings)

    # Reads.

    def get(self, scope: Scope) -> Answer | Awaitable[Answer]:
        form = self.form(scope)
        version = scope.query.get("resourceVersion", _NOTHING)[0] if scope.query else ""
        info = scope.info
        item = get_item(self._registry.store, scope.resource, info.namespace, info.name, version)
        if scope.resource.conversion is not None:
            return self._converted(scope, item.value, form)
        if form is PLAIN:
            value = item.value if scope.resource.serves_stored else scope.resource.serve(item.value)
            headers = warning_headers(scope.warnings) if scope.warnings else ()
            return Response(200, value + b"\n", JSON, headers)
        return answer(200, self.renderer(scope).one(item.value, form), form, scope.warnings)

    async def _converted(self, scope: Scope, value: bytes, form: Form) -> Answer:
        value = await as_read(scope.resource, value)
        return answer(200, self.renderer(scope).one(value, form), form, scope.warnings)

    async def list(self, scope: Scope) -> Answer:
        form = self.form(scope)
        options = list_options(scope.query, watch=False)
        values, page = await list_items(self._registry, scope.resource, scope.info.namespace, options)
        return answer(200, self.renderer(scope).many(values, page, form), form, scope.warnings)

    def watch(self, scope: Scope) -> Answer:
        form = self.form(scope)
        if form.media == YAML:
            raise no_stream()
        options = list_options(scope.query, watch=True)
        store = self._registry.store
        resource = scope.resource
        revision = parse_resource_version(options.resource_version, watch=True)
        selection = select(resource, scope.info.namespace, options, scope.info.name)
        watches = self._watches.get(resource)
        if watches is None:
            sizes = self.event_sizes.of(resource.kind)
            watches = self._watches[resource] = Watches(store, resource, sizes)
        watch = self._watch_of(resource)(
            watches, self.renderer(scope), selection, form, bookmarks=options.allow_watch_bookmarks
        )
        initial = options.send_initial_events
        if initial is None:
            initial = revision == 0

        def before(watch: Watch) -> Iterable[Any]:
            if initial:
                not_in_future(store, revision)
                return watch.beginning(self._registry)
            return watch.since(revision) if revision else ()

        # A negative time is over at once, as any context's in Go.
        timeout = max(-1.0, float(options.timeout_seconds or 0))
        if timeout == 0:
            timeout = self._registry.random.uniform(WATCH_SECONDS_MIN, 2 * WATCH_SECONDS_MIN)

        def on_start(writer: BodyWriter) -> None:
            watch.start(writer, timeout, before)

        content_type = form.media if form.media == JSON else f"{form.media};stream=watch"
        headers = warning_headers(scope.warnings)
        return Stream(on_start, watch.stop, content_type=content_type, headers=headers)

    def _watch_of(self, resource: Resource) -> type[Watch]:
        if resource.conversion is None:
            return Watch
        from kajitori.apiserver.registry.converted_watching import (
            ConvertedWatch,  # with the first such webhook
        )

        return ConvertedWatch

    def close_watches(self, resource: Resource | None = None) -> None:
        """Ends the watches of a resource that is no longer served, or all of them."""
        for each in [resource] if resource is not None else list(self._watches):
            watches = self._watches.pop(each, None)
            if watches is not None:
                watches.close()

    async def end_watches(self, seconds: float) -> None:
        """Ends the watches one by one over `seconds`; those who ask meanwhile are served as ever."""
        watches = [each for opened in self._watches.values() for each in opened.open]
        for number, watch in enumerate(watches):
            if number and seconds:
                await asyncio.sleep(seconds / len(watches))
            watch.stop()

    @cached_property
    def writes(self) -> "Writes":
        """The verbs that change something; comes into being with the first of them."""
        from kajitori.apiserver.endpoints.writes import Writes

        return Writes(self._registry, self)


_NOTHING = ("",)


def _included(scope: Scope) -> str:
    """What the rows of a table carry."""
    return (scope.query.get("includeObject", _NOTHING)[0] if scope.query else "") or "Metadata"
