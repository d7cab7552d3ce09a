"""What admission looks at when it judges: the objects of a cluster, in memory, with nothing that would change them.

Promises
    S1  objects are decoded, defaulted and kept as the API server does
    S2  kinds of CustomResourceDefinitions are served as soon as their definition is here; no webhook is called
    S3  what is judged is never kept
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from kajitori.apimachinery.decode import DecodeError
from kajitori.apimachinery.errors import ApiError, FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.structural.defaulting import copy_json
from kajitori.apis.apiextensions_v1 import initial_status, served_resources
from kajitori.apis.apiextensions_v1.openapi import document
from kajitori.apis.apiextensions_v1.openapi_shared import Shared
from kajitori.apis.resources import resources
from kajitori.apiserver.admission.chain import Chain
from kajitori.apiserver.authorization import Authorizer, Member
from kajitori.apiserver.catalog import Catalog
from kajitori.apiserver.registry.custom import CustomResource, custom_resources
from kajitori.apiserver.registry.meta import invalid_metadata
from kajitori.apiserver.registry.registry import Held, Registry
from kajitori.apiserver.registry.resource import BuiltInResource, Resource, encode
from kajitori.storage import Store, open_store
from kajitori.world.clock import SYSTEM_CLOCK
from kajitori.world.random import SYSTEM_RANDOM

__all__ = ["DEFINITIONS", "NAMESPACES", "Stage", "Unfit"]

NAMESPACES = "/namespaces"
DEFINITIONS = "apiextensions.k8s.io/customresourcedefinitions"

_CHECKED = frozenset(("admissionregistration.k8s.io", "apiextensions.k8s.io"))
"""Groups whose objects are made use of here."""

_NOW = "2000-01-01T00:00:00Z"
"""The conditions of definitions have a time, which nobody looks at."""


class Unfit(ValueError):
    """Why something is no object of its kind."""


class _Nothing:
    """Hands out no addresses: nothing is stored."""

    def allocate(
        self, resource: Resource, obj: JsonObject, old: JsonObject | None, *, dry_run: bool
    ) -> Held | None:
        return None


class Stage:
    """The objects around what is judged."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.catalog = Catalog(BuiltInResource(info) for info in resources())
        self.registry = Registry(
            store,
            Chain(()),
            clock=SYSTEM_CLOCK,
            random=SYSTEM_RANDOM,
            allocators=_Nothing(),
            resources=self.catalog.all,
        )
        self.authorizer = Authorizer.of_store(store)
        self._definitions: dict[str, JsonObject] = {}

    @classmethod
    async def empty(cls) -> "Stage":
        """One in memory, of the running event loop."""
        return cls(await open_store(None, compact_every_seconds=0))

    def ask(self, member: Member) -> None:
        """Questions about rights are put to somebody else than the roles that are here."""
        self.authorizer.replace([member])

    # What objects are.

    def resource(self, obj: JsonObject) -> Resource:
        """Where an object would be kept. Raises: Unfit."""
        api_version, kind = str(obj.get("apiVersion") or ""), str(obj.get("kind") or "")
        if not api_version or not kind:
            raise Unfit("it has no apiVersion and kind")
        found = self.registry.resource_of_kind(api_version, kind)
        if found is None:
            raise Unfit(
                f"{api_version} {kind} is no built-in kind, and no CustomResourceDefinition of it is here"
            )
        return found

    def decoded(self, raw: JsonObject, *, strict: bool = False) -> JsonObject:
        """An object with its defaults, in the version in which it came; `strict`: without unknown fields.

        Raises: Unfit.
        """
        resource = self.resource(raw)
        unknown: list[str] = []
        try:
            obj = resource.decode(copy_json(raw), unknown)
        except (ApiError, DecodeError, ValueError) as error:
            raise Unfit(str(error)) from None
        if unknown and strict:
            raise Unfit(", ".join(unknown))
        resource.default(obj)
        metadata = obj.setdefault("metadata", {})
        if resource.kind.namespaced:
            metadata["namespace"] = metadata.get("namespace") or "default"
        return obj

    def created(self, obj: JsonObject) -> JsonObject:
        """A decoded object as validating admission sees its creation."""
        resource = self.resource(obj)
        made: JsonObject = copy_json(obj)
        metadata = made["metadata"]
        metadata.setdefault("uid", "00000000-0000-0000-0000-000000000000")
        metadata.setdefault("creationTimestamp", _NOW)
        for name in ("resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds"):
            metadata.pop(name, None)
        made = resource.to_storage(made)
        resource.strategy.prepare_for_create(made)
        return resource.from_storage(made)

    def problems(self, obj: JsonObject) -> list[FieldError]:
        """What the API server would refuse in a decoded object that is created."""
        resource = self.resource(obj)
        made = resource.to_storage(self.created(obj))
        return invalid_metadata(resource, made["metadata"]) + resource.strategy.validate(made)

    # What is here.

    async def add(self, raw: JsonObject, *, check: bool = False) -> Resource:
        """Puts an object here, in place of what has its name; `check`: if no API server has done so yet.

        Raises: Unfit; with `check` also for policies, webhooks and definitions that no API server would take.
        """
        obj = self.decoded(raw)
        resource = self.resource(obj)
        if check and resource.kind.group in _CHECKED and (problems := self.problems(obj)):
            raise Unfit("; ".join(map(str, problems)))
        metadata = obj["metadata"]
        name = metadata.get("name")
        if not name:
            raise Unfit("it has no name")
        if resource.bucket == DEFINITIONS:
            self._define(name, obj)
        value = encode(resource.to_storage(obj))
        await self.store.put(
            resource.bucket, resource.key(metadata.get("namespace", ""), name), lambda _: value, expect=None
        )
        return resource

    async def add_namespace(self, name: str) -> bool:
        """Puts a namespace here that nobody has described, if it is not; whether it was not."""
        if not name or self.store.get(NAMESPACES, name) is not None:
            return False
        await self.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        return True

    async def remove(self, bucket: str, key: str) -> None:
        """Takes an object away, if it is here."""
        if self.store.get(bucket, key) is not None:
            await self.store.delete(bucket, key, None, expect=None)

    def get(self, resource: Resource, namespace: str, name: str) -> JsonObject | None:
        """An object that is here, in the version of the resource."""
        item = self.store.get(resource.bucket, resource.key(namespace, name))
        return None if item is None else msgspec.json.decode(resource.serve(item.value))

    def all(self, bucket: str) -> list[JsonObject]:
        """What is in a bucket, as it is kept."""
        return [msgspec.json.decode(item.value) for item in self.store.range(bucket)]

    def _define(self, name: str, crd: JsonObject) -> None:
        others = [
            each for each in self._definitions.values() if each["spec"]["group"] == crd["spec"]["group"]
        ]
        crd["status"] = initial_status({**crd, "status": crd.get("status") or {}}, others, _NOW)
        self._definitions[name] = crd
        before = self.catalog.set_custom(
            name, custom_resources(served_resources(crd), rewrites=True, since=0)
        )
        for each in before:
            self.registry.ownership.forget(each)

    def schemas(self, group: str, version: str) -> JsonObject:
        """The OpenAPI document of a group and version with custom kinds."""
        versions = [
            each.version
            for each in self.catalog.custom()
            if isinstance(each, CustomResource) and (each.kind.group, each.kind.version) == (group, version)
        ]
        return document(versions, Shared()) if versions else {}

    def named(self, word: str) -> Sequence[Resource]:
        """The resources that a word means, as kubectl knows it: `deploy`, `deployments.apps`, `Deployment`."""
        lowered = word.lower()
        name, _, group = lowered.partition(".")
        found: dict[str, Resource] = {}
        for each in self.catalog.all():
            names = {each.kind.plural, each.singular, each.kind.kind.lower(), *each.short_names}
            qualified = each.kind.group == group or f"{each.kind.version}.{each.kind.group}" == group
            if each.stored and name in names and (not group or qualified):
                found.setdefault(each.bucket, each)
        return list(found.values())


def without(obj: JsonObject, *names: str) -> JsonObject:
    """An object without some of its metadata."""
    metadata: dict[str, Any] = {key: each for key, each in obj["metadata"].items() if key not in names}
    return {**obj, "metadata": metadata}
