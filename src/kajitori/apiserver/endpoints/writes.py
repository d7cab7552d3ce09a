"""The verbs of resources that write: create, update, patch, delete, deletecollection.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from typing import Any

from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.endpoints.answers import answer, value_answer
from kajitori.apiserver.endpoints.bodies import read_object, read_options
from kajitori.apiserver.endpoints.resources import Answer, ResourceEndpoints
from kajitori.apiserver.negotiation import body_type
from kajitori.apiserver.operating.asked import trail_of
from kajitori.apiserver.options import delete_options, list_options, write_options
from kajitori.apiserver.registry.call import Call
from kajitori.apiserver.registry.creating import create
from kajitori.apiserver.registry.deleting import Deleted, delete, delete_all, warn_of_orphans
from kajitori.apiserver.registry.listing import list_items
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.resource import Resource, stored_metadata
from kajitori.apiserver.registry.updating import Change, named, update
from kajitori.apiserver.scope import Scope

__all__ = ["Writes"]


class Writes:
    """The writing verbs on every resource."""

    def __init__(self, registry: Registry, reads: ResourceEndpoints) -> None:
        self._registry = registry
        self._reads = reads

    async def create(self, scope: Scope) -> Answer:
        form = self._reads.form(scope)
        call = self._reads.call(scope, "CreateOptions")
        obj = read_object(scope.request, scope.resource, call)
        value = await create(self._registry, scope.resource, scope.info.namespace, obj, call)
        return answer(201, self._reads.renderer(scope).one(value, form), form, call.warnings)

    async def update(self, scope: Scope) -> Answer:
        form = self._reads.form(scope)
        call = self._reads.call(scope, "UpdateOptions")
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
        body = self._reads.renderer(scope).one(updated.value, form)
        return answer(201 if updated.created else 200, body, form, call.warnings)

    async def patch(self, scope: Scope) -> Answer:
        from kajitori.apiserver.endpoints.patches import check_media, patch_transform  # with the first patch

        form = self._reads.form(scope)
        media = body_type(scope.request.headers.get("content-type", ""))
        check_media(scope.resource, media)
        apply = media.startswith("application/apply-patch+")
        call = self._reads.call(scope, "PatchOptions", apply=apply)
        trail = trail_of(scope.request)
        if trail is not None:
            trail.patched(scope.request.body, yaml=apply)
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
        body = self._reads.renderer(scope).one(updated.value, form)
        return answer(201 if updated.created else 200, body, form, call.warnings)

    async def delete(self, scope: Scope) -> Answer:
        form = self._reads.form(scope)
        options = delete_options(scope.query, read_options(scope.request))
        call = _deleting(scope)
        info, resource = scope.info, scope.resource
        warn_of_orphans(resource, options, call)
        deleted = await delete(self._registry, resource, info.namespace, info.name, options, call)
        if not deleted.gone or resource.strategy.returns_deleted:
            status = 202 if not deleted.gone and options.orphan_dependents is False else 200
            body = self._reads.renderer(scope).one(deleted.value, form)
            return answer(status, body, form, call.warnings)
        return value_answer(200, _success(resource, info.name, deleted), form, call.warnings)

    async def deletecollection(self, scope: Scope) -> Answer:
        form = self._reads.form(scope)
        query = {name: values for name, values in scope.query.items() if name != "watch"}
        options = delete_options(query, read_options(scope.request))
        selected = list_options(query, watch=False)
        call = _deleting(scope)
        resource = scope.resource
        values, page = await list_items(self._registry, resource, scope.info.namespace, selected)
        warn_of_orphans(resource, options, call)
        listed = map(stored_metadata, values)
        names = ((each.get("namespace", ""), each["name"]) for each in listed)
        await delete_all(self._registry, resource, names, options, call)
        # As they were listed, and not as they went.
        body = self._reads.renderer(scope).many(values, page, form)
        return answer(200, body, form, call.warnings)


def _deleting(scope: Scope) -> Call:
    options = write_options({}, "DeleteOptions")
    return Call(scope.user, options, warnings=scope.warnings, trail=trail_of(scope.request))


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
