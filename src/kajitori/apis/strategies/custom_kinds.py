"""CustomResourceDefinition on the road of a write: what apiextensions' functions say, as a strategy.

Source: apiextensions-apiserver's pkg/registry/customresourcedefinition.
"""

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis import apiextensions_v1
from kajitori.apis.strategies.base import NOBODY, Occasion, Strategy

__all__ = ["STRATEGIES"]


class CustomResourceDefinition(Strategy):
    """A definition waits, when it is deleted, until its instances are gone."""

    counts_generations = True
    validates_metadata = True

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        apiextensions_v1.prepare_create(obj)

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        if subresource == "status":
            self.keep_all_but_status(obj, old)
        else:
            apiextensions_v1.prepare_update(obj, old)

    def validate(self, obj: JsonObject) -> list[FieldError]:
        return apiextensions_v1.validate_crd(obj)

    def validate_update(
        self,
        obj: JsonObject,
        old: JsonObject,
        subresource: str = "",
        warnings: list[str] | None = None,
    ) -> list[FieldError]:
        if subresource == "status":
            return apiextensions_v1.validate_crd_status_update(obj, old)
        return apiextensions_v1.validate_crd_update(obj, old)

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        if subresource:
            return []
        if old is None:
            return apiextensions_v1.warnings_on_create(obj)
        return apiextensions_v1.warnings_on_update(obj, old)

    def may_go(self, obj: JsonObject) -> bool:
        """Not before the deletion has been noted: noting it adds the finalizer."""
        return "deletionTimestamp" in obj["metadata"]

    def mark_deleted(self, obj: JsonObject) -> None:
        marked = apiextensions_v1.mark_deleted(obj, obj["metadata"]["deletionTimestamp"])
        obj["metadata"], obj["status"] = marked["metadata"], marked["status"]


STRATEGIES: dict[str, type[Strategy]] = {
    "apiextensions.k8s.io/customresourcedefinitions": CustomResourceDefinition,
}
