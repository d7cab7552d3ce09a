"""NamespaceLifecycle: nothing is created in a namespace that is not there or is going away.

Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#namespacelifecycle
"""

import msgspec

from kajitori.apimachinery.errors import Cause, Forbidden, forbidden, not_found
from kajitori.apiserver.registry.call import Attributes
from kajitori.storage import Store

__all__ = ["NamespaceLifecycle"]

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
