"""The scale subresource."""

from collections.abc import Callable

from kajitori.apimachinery.decode import DecodeError
from kajitori.apimachinery.errors import BadRequest, UnsupportedMediaType, invalid, not_found
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.patch.json_patch import apply_json_patch, parse_json_patch
from kajitori.apimachinery.patch.merge_patch import apply_merge_patch, parse_merge_patch
from kajitori.apis.typed import decode
from kajitori.apiserver.endpoints.answers import value_answer
from kajitori.apiserver.endpoints.bodies import read_value
from kajitori.apiserver.endpoints.patches import JSON_PATCH, MERGE, STRATEGIC
from kajitori.apiserver.endpoints.resources import Answer, ResourceEndpoints
from kajitori.apiserver.negotiation import body_type
from kajitori.apiserver.registry.listing import get_item
from kajitori.apiserver.registry.meta import conflict
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.scale import scale_errors, scale_of, with_replicas
from kajitori.apiserver.registry.updating import MODIFIED, Change, update
from kajitori.apiserver.scope import Scope

__all__ = ["Scales"]

_DEFINITION = "io.k8s.api.autoscaling.v1.Scale"


class Scales:
    """Gets, updates and patches of a Scale."""

    def __init__(self, registry: Registry, resources: ResourceEndpoints) -> None:
        self._registry = registry
        self._resources = resources

    def get(self, scope: Scope) -> Answer:
        resource = scope.resource
        item = get_item(self._registry.store, resource, scope.info.namespace, scope.info.name)
        return self._answer(scope, item.value)

    async def update(self, scope: Scope) -> Answer:
        sent, _ = read_value(scope.request)
        return await self._write(scope, lambda current: sent, "UpdateOptions")

    async def patch(self, scope: Scope) -> Answer:
        media = body_type(scope.request.headers.get("content-type", ""))
        body = scope.request.body
        if media == JSON_PATCH:
            operations = parse_json_patch(body)
            return await self._write(
                scope, lambda current: apply_json_patch(current, operations), "PatchOptions"
            )
        if media in (MERGE, STRATEGIC):
            # A Scale has no lists: both patches mean the same.
            patch = parse_merge_patch(body)
            return await self._write(scope, lambda current: apply_merge_patch(current, patch), "PatchOptions")
        raise UnsupportedMediaType("415: Unsupported Media Type", details={})

    async def _write(self, scope: Scope, change: Callable[[JsonObject], JsonObject], options: str) -> Answer:
        resource = scope.resource
        paths = resource.scale_paths
        assert paths is not None, resource.kind
        call = self._resources.call(scope, options)

        def scaled(current: JsonObject | None) -> Change:
            if current is None:
                raise not_found(resource.kind.plural, resource.kind.group, scope.info.name)
            try:
                scale, _ = decode(_DEFINITION, change(scale_of(current, paths)))
            except DecodeError as error:
                raise BadRequest(f'Scale in version "v1" cannot be handled as a Scale: {error}') from None
            name = scale["metadata"].get("name") or scope.info.name
            if name != scope.info.name:
                raise BadRequest(
                    f"the name of the object ({name}) does not match the name on the URL ({scope.info.name})"
                )
            errors = scale_errors(scale)
            if errors:
                raise invalid("Scale", "autoscaling", scope.info.name, errors)
            version = scale["metadata"].get("resourceVersion", "")
            if version and version != current["metadata"]["resourceVersion"]:
                raise conflict(resource, scope.info.name, MODIFIED)
            changed = with_replicas(current, paths, scale["spec"].get("replicas", 0))
            if not version:
                changed["metadata"].pop("resourceVersion", None)
            return Change(changed, uid=scale["metadata"].get("uid", ""))

        updated = await update(
            self._registry, resource, scope.info.namespace, scope.info.name, scaled, call, subresource="scale"
        )
        return self._answer(scope, updated.value)

    def _answer(self, scope: Scope, value: bytes) -> Answer:
        resource = scope.resource
        paths = resource.scale_paths
        assert paths is not None, resource.kind
        obj = resource.from_storage(resource.parse(value))
        return value_answer(200, scale_of(obj, paths), self._resources.form(scope), scope.warnings)
