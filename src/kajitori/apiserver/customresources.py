"""Custom resources, for a server that may never have any: what serves them is imported with the first definition.

The work is done in `definitions`; a server without definitions starts without it, and without what it needs.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.background import Background
from kajitori.apiserver.catalog import Catalog
from kajitori.apiserver.endpoints.resources import ResourceEndpoints
from kajitori.apiserver.registry.registry import Registry
from kajitori.storage import Event

if TYPE_CHECKING:
    from kajitori.apiserver.definitions import Definitions
    from kajitori.apiserver.webhooks.caller import AnswerHere

__all__ = ["BUCKET", "CustomResources"]

BUCKET = "apiextensions.k8s.io/customresourcedefinitions"


class CustomResources:
    """Serves what CustomResourceDefinitions define, from the first one on."""

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
        self._unsubscribe: Callable[[], None] | None = None
        self._definitions: Definitions | None = None

    def start(self, background: Background) -> None:
        """Serves what is defined already, and follows changes."""
        self._background = background
        store = self._registry.store
        self._unsubscribe = store.subscribe(BUCKET, self._on_event)
        if store.count(BUCKET):
            self._awake()

    def stop(self) -> None:
        """Follows no more changes."""
        if self._unsubscribe is not None:
            self._unsubscribe()

    def _awake(self) -> "Definitions":
        if self._definitions is None:
            from kajitori.apiserver.definitions import Definitions

            assert self._background is not None, "not started"
            self._definitions = Definitions(
                self._registry, self._catalog, self._endpoints, self._changed, webhooks=self._webhooks
            )
            self._definitions.start(self._background)
        return self._definitions

    def _on_event(self, event: Event) -> None:
        self._awake().on_event(event)

    def openapi_digests(self) -> dict[str, str]:
        """By path (`apis/example.com/v1`), what changes whenever the OpenAPI v3 document there does."""
        return {} if self._definitions is None else self._definitions.openapi_digests()

    def openapi(self, path: str) -> JsonObject | None:
        """The OpenAPI v3 document of a custom group and version; None where there is none."""
        return None if self._definitions is None else self._definitions.openapi(path)

    def openapi_v2(self) -> JsonObject:
        """The definitions of custom kinds for OpenAPI v2, by name."""
        return {} if self._definitions is None else self._definitions.openapi_v2()
