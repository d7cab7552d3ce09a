"""The scale subresource."""

from collections.abc import Callable
from functools import cache
from typing import Any

from kajitori.apimachinery.decode import DecodeError, go_quote
from kajitori.apimachinery.errors import BadRequest, invalid, not_found
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.managedfields.managed import FieldManager, KindVersions
from kajitori.apimachinery.managedfields.scale import SCALE_API_VERSION, to_parent, to_scale
from kajitori.apimachinery.managedfields.sets import from_paths
from kajitori.apimachinery.patch.go_text import go_text
from kajitori.apimachinery.patch.json_patch import apply_json_patch, parse_json_patch
from kajitori.apimachinery.patch.merge_patch import apply_merge_patch, parse_merge_patch
from kajitori.apimachinery.patch.strategic import apply_strategic_merge_patch, parse_strategic_merge_patch
from kajitori.apis import strict
from kajitori.apis.definitions import built_in_definitions
from kajitori.apis.printers import scale_printer
from kajitori.apis.typed import decode
from kajitori.apiserver.endpoints.bodies import read_as, report
from kajitori.apiserver.endpoints.patches import (
    APPLY,
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    bad_outcome,
    check_media,
    read_configuration,
    told,
)
from kajitori.apiserver.endpoints.resources import Answer, ResourceEndpoints
from kajitori.apiserver.negotiation import body_type
from kajitori.apiserver.operating.asked import trail_of
from kajitori.apiserver.registry.call import Call
from kajitori.apiserver.registry.listing import get_item
from kajitori.apiserver.registry.meta import conflict
from kajitori.apiserver.registry.registry import Registry, as_read
from kajitori.apiserver.registry.scale import REPLICAS_UNSET, scale_errors, scale_of, with_replicas
from kajitori.apiserver.registry.updating import MODIFIED, Change, named, update
from kajitori.apiserver.scope import Scope

__all__ = ["Scales"]


@cache
def _owners() -> FieldManager:
    """Who owns the fields of a Scale."""
    schema = built_in_definitions().get(_DEFINITION)
    versions = KindVersions("Scale", {SCALE_API_VERSION: schema})
    reset = {SCALE_API_VERSION: from_paths("status")}
    return FieldManager(versions, SCALE_API_VERSION, subresource="scale", reset=reset)


_DEFINITION = "io.k8s.api.autoscaling.v1.Scale"
_KIND = Kind("autoscaling", "v1", "Scale", "scales", namespaced=True)


class Scales:
    """Gets, updates and patches of a Scale."""

    def __init__(self, registry: Registry, resources: ResourceEndpoints) -> None:
        self._registry = registry
        self._resources = resources

    async def get(self, scope: Scope) -> Answer:
        resource = scope.resource
        item = get_item(self._registry.store, resource, scope.info.namespace, scope.info.name)
        return self._answer(scope, await as_read(resource, item.value))

    async def update(self, scope: Scope) -> Answer:
        self._resources.form(scope)  # is refused before anything is written
        call = self._resources.call(scope, "UpdateOptions")
        sent = read_as(scope.request, scope.resource.subresources["scale"].kind, _DEFINITION, call)
        return await self._write(scope, call, lambda scale: self._owned(scale, sent, call))

    async def patch(self, scope: Scope) -> Answer:
        self._resources.form(scope)
        media = body_type(scope.request.headers.get("content-type", ""))
        check_media(scope.resource, media)
        body = scope.request.body
        apply = media == APPLY[0]
        call = self._resources.call(scope, "PatchOptions", apply=apply)
        trail = trail_of(scope.request)
        if trail is not None:
            trail.patched(body, yaml=apply)
        if apply:
            config = read_configuration(body, call)
            return await self._write(scope, call, lambda scale: self._applied(scale, config, call))
        if media == JSON_PATCH:
            operations = parse_json_patch(body)
            return await self._write(
                scope, call, lambda scale: self._patched(scale, apply_json_patch(scale, operations), call)
            )
        if media == MERGE:
            patch = parse_merge_patch(body)
            return await self._write(
                scope, call, lambda scale: self._patched(scale, apply_merge_patch(scale, patch), call)
            )
        assert media == STRATEGIC, media
        changes, schema = parse_strategic_merge_patch(body), built_in_definitions().get(_DEFINITION)
        shown = go_text(changes)

        def patched(scale: JsonObject) -> JsonObject:
            result = apply_strategic_merge_patch(scale, changes, schema)
            return self._patched(scale, result, call, shown=shown)

        return await self._write(scope, call, patched)

    def _patched(
        self, scale: JsonObject, patched: Any, call: Call, *, shown: str | None = None
    ) -> JsonObject:
        """A Scale that was patched; `shown` is the patch where complaints show it and not what it leaves."""
        try:
            new, unknown = decode(_DEFINITION, patched)
        except DecodeError as error:
            raise bad_outcome(patched, shown, told(error, shown)) from None
        if unknown:
            report(_KIND, strict.unknown_fields(_DEFINITION, patched), call)
        return self._owned(scale, new, call)

    def _owned(self, scale: JsonObject, new: JsonObject, call: Call) -> JsonObject:
        """A Scale that was sent or patched, and who owns its replicas now."""
        new["apiVersion"], new["kind"] = scale["apiVersion"], scale["kind"]
        entries = _owners().update(scale, new, manager=call.manager, now=self._registry.now())
        return {**new, "metadata": {**new["metadata"], "managedFields": entries}}

    def _applied(self, scale: JsonObject, config: JsonObject, call: Call) -> JsonObject:
        applied = _owners().apply(
            scale,
            config,
            manager=call.options.field_manager,
            force=bool(call.options.force),
            now=self._registry.now(),
        )
        return applied.object

    async def _write(self, scope: Scope, call: Call, change: Callable[[JsonObject], JsonObject]) -> Answer:
        resource = scope.resource
        paths = resource.scale_paths
        assert paths is not None, resource.kind
        replicas = self._registry.ownership.replicas(resource)

        def scaled(current: JsonObject | None) -> Change:
            if current is None:
                raise not_found(resource.kind.plural, resource.kind.group, scope.info.name)
            scale = scale_of(current, paths, changing=True)
            owned = current["metadata"].get("managedFields")
            scale["metadata"]["managedFields"] = to_scale(owned, replicas)
            new = change(scale)
            self._check(scope, new, scale)
            wanted = new["spec"].get("replicas") or 0
            if wanted == REPLICAS_UNSET:
                where = go_quote("." + ".".join(paths.spec))
                raise BadRequest(f"the spec replicas field {where} cannot be empty")
            changed = with_replicas(current, paths, wanted)
            entries = to_parent(
                owned, new["metadata"].get("managedFields"), replicas, api_version=resource.kind.api_version
            )
            if entries:
                changed["metadata"]["managedFields"] = entries
            return Change(changed, owned=True, uid=new["metadata"].get("uid", ""))

        updated = await update(
            self._registry, resource, scope.info.namespace, scope.info.name, scaled, call, subresource="scale"
        )
        return self._answer(scope, updated.value, changing=True)

    def _check(self, scope: Scope, new: JsonObject, scale: JsonObject) -> None:
        """Raises: BadRequest for another name, Invalid, Conflict."""
        resource, name = scope.resource, scope.info.name
        named(new, name, url_name=name)
        said = new["metadata"].get("namespace") or scope.info.namespace
        if said != scope.info.namespace:
            raise BadRequest(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        errors = [] if resource.custom else scale_errors(new)
        if errors:
            raise invalid("Scale", "autoscaling", name, errors)
        version = new["metadata"].get("resourceVersion", "")
        if version and version != scale["metadata"]["resourceVersion"]:
            raise conflict(resource, name, MODIFIED)

    def _answer(self, scope: Scope, value: bytes, *, changing: bool = False) -> Answer:
        resource = scope.resource
        paths = resource.scale_paths
        assert paths is not None, resource.kind
        obj = resource.from_storage(resource.parse(value))
        form = self._resources.form(scope)
        printer = scale_printer(custom=resource.custom) if form.kind == "Table" else None
        shown = scale_of(obj, paths, changing=changing)
        if shown["spec"].get("replicas") == REPLICAS_UNSET:
            del shown["spec"]["replicas"]  # was written, and the schema does not know it
        return self._resources.show_other(scope, shown, form, printer=printer)
