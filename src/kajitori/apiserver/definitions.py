"""CustomResourceDefinitions at work: names accepted, resources mounted, instances deleted with their definition.

Lives in the API server, as in Kubernetes: a cluster without any controllers serves custom resources all the same.

Promises
    D1  a definition whose names are free is established, and its resources served, as soon as it is stored
    D2  a definition that is deleted takes its instances with it, and goes when the last one is gone
    D3  a changed schema is in force for the next request; watches of what is served no more are ended
    D4  nothing is created any more once the deletion of its definition has begun

Source: apiextensions-apiserver's naming, establishing and finalizing controllers.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha512
from typing import TYPE_CHECKING, Any

from kajitori import __version__
from kajitori.apimachinery.errors import ApiError, Conflict, NotFound
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.apiextensions_v1 import (
    CLEANUP_FINALIZER,
    ServedVersion,
    finish_deletion,
    initial_status,
    report_deletion,
    served_resources,
)
from kajitori.apis.apiextensions_v1.conversion import is_webhook
from kajitori.apis.apiextensions_v1.naming import condition_is_true
from kajitori.apis.apiextensions_v1.openapi import document, v2_definitions
from kajitori.apis.apiextensions_v1.openapi_shared import Shared
from kajitori.apis.apiextensions_v1.stored import StoredDefinition
from kajitori.apiserver.authentication import User
from kajitori.apiserver.background import Background
from kajitori.apiserver.catalog import Catalog
from kajitori.apiserver.customresources import BUCKET
from kajitori.apiserver.endpoints.resources import ResourceEndpoints
from kajitori.apiserver.options import DeleteOptions, WriteOptions
from kajitori.apiserver.registry.call import Call
from kajitori.apiserver.registry.custom import CustomResource, custom_resources
from kajitori.apiserver.registry.deleting import delete_all
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.resource import Resource
from kajitori.apiserver.registry.updating import Change, update
from kajitori.storage import Event

if TYPE_CHECKING:
    from kajitori.apiserver.registry.converting import Conversion
    from kajitori.apiserver.webhooks.caller import AnswerHere

__all__ = ["Definitions"]

LOOK_AGAIN_SECONDS = 0.2
"""While instances with finalizers of their own keep a definition from going."""

_SELF = User("system:apiserver", groups=("system:masters", "system:authenticated"))


class Definitions:
    """Keeps the catalog in step with the stored definitions."""

    def __init__(
        self,
        registry: Registry,
        catalog: Catalog,
        endpoints: ResourceEndpoints,
        changed: Callable[[], None],
        *,
        webhooks: "Mapping[tuple[str, str], AnswerHere]",
    ) -> None:
        """`changed` is called when what is served has changed; `webhooks` are those that this process answers."""
        self._registry = registry
        self._catalog = catalog
        self._endpoints = endpoints
        self._changed = changed
        self._webhooks = webhooks
        self._background: Background | None = None
        self._known: dict[str, dict[str, StoredDefinition]] = {}
        """All definitions, by group and name: a group's names are what they may quarrel about."""
        self._groups: dict[str, str] = {}
        """The group of each."""
        self._judged: dict[str, bytes] = {}
        """By name, the digest of the spec whose schemas the status tells of."""
        self._mounted: dict[str, tuple[bytes, JsonObject]] = {}
        """By name, the digest of the spec and the names that are mounted."""
        self._versions: dict[str, list[ServedVersion]] = {}
        self._busy: dict[str, bool] = {}
        """Definitions that a task works on; True when they changed meanwhile."""

    def start(self, background: Background) -> None:
        """Mounts what is stored."""
        self._background = background
        stored = [StoredDefinition(item.value) for item in self._registry.store.range(BUCKET)]
        for each in stored:
            self._remember(each)
            if condition_is_true(each.crd, "Established"):
                self._judged[each.name] = each.digest
        for each in stored:
            self._look(each)

    def _remember(self, stored: StoredDefinition) -> None:
        group = stored.crd["spec"]["group"]
        self._groups[stored.name] = group
        self._known.setdefault(group, {})[stored.name] = stored

    def _forget(self, name: str) -> str:
        """Gives the group that it was of."""
        group = self._groups.pop(name, "")
        of_group = self._known.get(group, {})
        of_group.pop(name, None)
        if not of_group:
            self._known.pop(group, None)
        self._judged.pop(name, None)
        return group

    def _resource(self) -> Resource:
        found = self._catalog.find("apiextensions.k8s.io", "v1", "customresourcedefinitions")
        assert found is not None
        return found

    def on_event(self, event: Event) -> None:
        """Follows a change of a stored definition."""
        if event.deleted:
            self._unmount(event.name)
            # Names that it had are free now: somebody may have waited for them.
            for other in list(self._known.get(self._forget(event.name), {}).values()):
                self._look(other)
        else:
            stored = StoredDefinition(event.item.value)
            self._remember(stored)
            self._look(stored)

    def _look(self, stored: StoredDefinition) -> None:
        name = stored.name
        self._mount(stored)
        if self._unfinished(stored):
            if name in self._busy:
                self._busy[name] = True
            elif self._background is not None:
                self._busy[name] = False
                self._background.spawn(self._finish(name), f"custom resource definition {name}")

    def _unfinished(self, stored: StoredDefinition) -> bool:
        metadata = stored.crd["metadata"]
        if "deletionTimestamp" in metadata:
            return CLEANUP_FINALIZER in (metadata.get("finalizers") or ())
        if self._judged.get(stored.name) != stored.digest:
            return True
        others = self._others(stored.crd["spec"]["group"])
        status = initial_status(stored.crd, others, self._registry.now(), judges_schemas=False)
        return bool(status != stored.crd["status"])

    def _others(self, group: str) -> list[JsonObject]:
        return [each.crd for each in self._known.get(group, {}).values()]

    # What is served.

    def _mount(self, stored: StoredDefinition) -> None:
        name, crd = stored.name, stored.crd
        served = (stored.digest, crd["status"].get("acceptedNames") or {})
        versions = served_resources(crd, stored.schema)
        if not versions:
            self._unmount(name)
            return
        if self._mounted.get(name) == served:
            if versions[0].terminating and not self._versions[name][0].terminating:
                # Its objects are still served, and watched while they go.
                self._versions[name] = versions
                self._catalog.terminate_custom(name)
                self._changed()
            return
        rewrites = (crd["metadata"].get("generation") or 1) > 1
        item = self._registry.store.get(BUCKET, name)
        since = 0 if item is None else item.created
        conversion = self._conversion(versions)
        resources = custom_resources(versions, rewrites=rewrites, since=since, conversion=conversion)
        self._mounted[name] = served
        self._versions[name] = versions
        before = self._catalog.set_custom(name, resources)
        if versions[0].terminating:
            self._catalog.terminate_custom(name)
        self._replaced(before)

    def _conversion(self, versions: Sequence[ServedVersion]) -> "Conversion | None":
        """The webhook that converts between the versions of a definition."""
        conversion = versions[0].conversion
        if not is_webhook(conversion):
            return None
        from kajitori.apiserver.registry.converting import (
            Conversion,
        )  # with the first definition that has one
        from kajitori.apiserver.webhooks import WebhookCaller

        caller = WebhookCaller(self._registry.store, here=self._webhooks)
        return Conversion(conversion.get("webhook") or {}, caller, self._registry.random.uuid4)

    def _replaced(self, before: Sequence[Resource]) -> None:
        ownership = self._registry.ownership
        for each in before:
            ownership.forget(each)
            self._endpoints.close_watches(each)
        self._changed()

    def _unmount(self, name: str) -> None:
        self._mounted.pop(name, None)
        self._versions.pop(name, None)
        before = self._catalog.set_custom(name, ())
        if before:
            self._replaced(before)

    def openapi_digests(self) -> dict[str, str]:
        """By path, what changes whenever the OpenAPI v3 document there does."""
        grouped: dict[str, Any] = {}
        for name, versions in self._versions.items():
            digest, names = self._mounted[name]
            for each in versions:
                if each.served:
                    found = grouped.setdefault(_openapi_path(each), sha512(__version__.encode()))
                    found.update(name.encode() + digest + repr(names).encode())
        return {path: found.hexdigest().upper() for path, found in grouped.items()}

    def openapi(self, path: str) -> JsonObject | None:
        """The OpenAPI v3 document at a path (`apis/example.com/v1`); None where nothing is served."""
        versions = [each for each in self.served() if _openapi_path(each) == path]
        return document(versions, Shared()) if versions else None

    def openapi_v2(self) -> JsonObject:
        """The definitions of what is served for OpenAPI v2, by name."""
        shared = Shared()
        return {
            name: each for version in self.served() for name, each in v2_definitions(version, shared).items()
        }

    def served(self) -> list[ServedVersion]:
        """Every version that is served."""
        return [each for versions in self._versions.values() for each in versions if each.served]

    # What a definition goes through.

    async def _finish(self, name: str) -> None:
        """Brings a definition's status up to date, or finishes its deletion."""
        try:
            while True:
                self._busy[name] = False
                item = self._registry.store.get(BUCKET, name)
                if item is None:
                    return
                stored = StoredDefinition(item.value)
                if not self._unfinished(stored):
                    if not self._busy[name]:
                        return
                    continue
                if "deletionTimestamp" in stored.crd["metadata"]:
                    await self._delete_instances(stored)
                else:
                    await self._write_status(name)
                    self._judged[name] = stored.digest
        except NotFound:
            return
        finally:
            self._busy.pop(name, None)

    def _call(self) -> Call:
        return Call(_SELF, WriteOptions(), "kube-apiserver")

    async def _write_status(self, name: str) -> None:
        def with_status(crd: JsonObject | None) -> Change | None:
            if crd is None:
                return None
            others = self._others(crd["spec"]["group"])
            crd["status"] = initial_status(crd, others, self._registry.now())
            return Change(crd)

        try:
            await update(
                self._registry, self._resource(), "", name, with_status, self._call(), subresource="status"
            )
        except Conflict:
            return  # somebody wrote meanwhile: look again

    async def _delete_instances(self, stored: StoredDefinition) -> None:
        name = stored.name
        left = await self._delete_all(stored)
        now = self._registry.now()

        def told(current: JsonObject | None) -> Change | None:
            if current is None:
                return None
            done = report_deletion(current, now) if left else finish_deletion(current, now)
            return Change(done)

        try:
            if left:
                await update(
                    self._registry, self._resource(), "", name, told, self._call(), subresource="status"
                )
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
                return
            await update(self._registry, self._resource(), "", name, told, self._call())
        except Conflict:
            return

    async def _delete_all(self, stored: StoredDefinition) -> bool:
        """Asks every instance to go. Whether some stay for now."""
        crd = stored.crd
        spec = crd["spec"]
        names = (crd.get("status") or {}).get("acceptedNames") or {}
        bucket = f"{spec['group']}/{names.get('plural') or spec['names']['plural']}"
        store = self._registry.store
        if not store.count(bucket):
            return False
        versions = served_resources(crd, stored.schema)
        storage = next((each for each in versions if each.storage), None)
        if storage is None:
            return False
        siblings = {each.version: each for each in versions}
        conversion = self._conversion(versions)
        resource = CustomResource(storage, siblings, rewrites=False, conversion=conversion)
        keys = [item.name.rpartition("/") for item in store.range(bucket)]
        names = [(namespace, own) for namespace, _, own in keys]
        try:
            await delete_all(self._registry, resource, names, DeleteOptions(), self._call())
        except ApiError:
            return True
        return bool(store.count(bucket))


def _openapi_path(version: ServedVersion) -> str:
    return f"apis/{version.group}/{version.version}"
