"""NamespaceLifecycle: nothing is created in a namespace that is not there or is going away; NamespaceExists and
NamespaceAutoProvision, which came before it.

Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#namespacelifecycle
"""

import contextlib
from collections.abc import Awaitable, Callable

import msgspec

from kajitori.apimachinery.errors import AlreadyExists, ApiError, Cause, Forbidden, forbidden, not_found
from kajitori.apiserver.authentication import User
from kajitori.apiserver.authentication.user import MASTERS
from kajitori.apiserver.options import WriteOptions
from kajitori.apiserver.registry.call import Attributes, Call
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.resource import Resource
from kajitori.storage import Store

__all__ = ["NamespaceAutoProvision", "NamespaceExists", "NamespaceLifecycle", "provider"]

_SELF = User("system:apiserver", groups=(MASTERS,))
_KEPT = frozenset({"default", "kube-system", "kube-public"})


class _Metadata(msgspec.Struct, frozen=True):
    deletionTimestamp: str | None = None


class _Status(msgspec.Struct, frozen=True):
    phase: str = ""


class _Namespace(msgspec.Struct):
    metadata: _Metadata
    status: _Status = _Status()


_read = msgspec.json.Decoder(_Namespace).decode


class NamespaceLifecycle:
    """The plugin."""

    name = "NamespaceLifecycle"
    validate = None

    def __init__(self, store: Store) -> None:
        self._store = store

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        if bucket == "/namespaces":
            return operation == "DELETE"
        # An access review may ask about a namespace that is not there yet.
        return operation == "CREATE" and bucket != "authorization.k8s.io/localsubjectaccessreviews"

    def mutate(self, attributes: Attributes) -> None:
        """Changes nothing, but speaks first, as Kubernetes' does: before the object itself is judged.

        Raises: NotFound, Forbidden.
        """
        if attributes.operation == "DELETE":
            if attributes.name in _KEPT:
                raise forbidden("namespaces", "", attributes.name, "this namespace may not be deleted")
            return
        kind = attributes.resource.kind
        if not kind.namespaced:
            return
        item = self._store.get("/namespaces", attributes.namespace)
        if item is None:
            raise not_found("namespaces", "", attributes.namespace)
        if b'"deletionTimestamp"' not in item.value and b'"Terminating"' not in item.value:
            return
        namespace = _read(item.value)
        if namespace.metadata.deletionTimestamp is None and namespace.status.phase != "Terminating":
            return
        why = (
            f"unable to create new content in namespace {attributes.namespace} because it is being terminated"
        )
        refused: Forbidden = forbidden(kind.plural, kind.group, attributes.name, why)
        cause = Cause(
            "NamespaceTerminating",
            f"namespace {attributes.namespace} is being terminated",
            "metadata.namespace",
        )
        refused.causes = (cause,)
        raise refused


class NamespaceExists:
    """Nothing is done in a namespace that is not there."""

    name = "NamespaceExists"
    mutate = None

    def __init__(self, store: Store) -> None:
        self._store = store

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return operation in ("CREATE", "UPDATE", "DELETE") and bucket != "/namespaces"

    def validate(self, attributes: Attributes) -> None:
        """Raises: NotFound."""
        namespace = attributes.namespace
        if namespace and self._store.get("/namespaces", namespace) is None:
            raise not_found("namespaces", "", namespace)


class NamespaceAutoProvision:
    """A namespace that is not there is made for what is created in it."""

    name = "NamespaceAutoProvision"
    validate = None

    def __init__(self, store: Store, provide: Callable[[str], Awaitable[None]]) -> None:
        """`provide` makes a namespace, unless somebody was faster."""
        self._store = store
        self._provide = provide

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return operation == "CREATE" and bucket != "/namespaces"

    def mutate(self, attributes: Attributes) -> Awaitable[None] | None:
        namespace = attributes.namespace
        if not namespace or attributes.dry_run or self._store.get("/namespaces", namespace) is not None:
            return None
        return self._provided(attributes)

    async def _provided(self, attributes: Attributes) -> None:
        """Raises: Forbidden."""
        try:
            await self._provide(attributes.namespace)
        except ApiError as error:
            kind = attributes.resource.kind
            raise forbidden(kind.plural, kind.group, attributes.name, error.message) from None


def provider(
    registry: Callable[[], Registry], namespaces: Callable[[], Resource]
) -> Callable[[str], Awaitable[None]]:
    """What makes a namespace, unless somebody is faster; `namespaces` is their resource."""

    async def provide(name: str) -> None:
        from kajitori.apiserver.registry.creating import create  # with the first

        resource, call = namespaces(), Call(_SELF, WriteOptions(), "kube-apiserver")
        obj = resource.decode({"metadata": {"name": name}}, [])
        resource.default(obj)
        with contextlib.suppress(AlreadyExists):
            await create(registry(), resource, "", obj, call)

    return provide
