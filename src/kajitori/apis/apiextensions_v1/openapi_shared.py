"""What the OpenAPI documents of custom kinds share with those of built-in kinds: parameters, definitions, descriptions.

Sits under the documents of custom kinds. All of it is read from the recorded documents, of a kind that has the same
operations (events) and of one with a scale, so that the words are Kubernetes' own.

Promises
    S1  parameters are those that the same action of a built-in kind takes, with the differences that Kubernetes makes
    S2  definitions are as Kubernetes publishes them; an unknown name is a KeyError
"""

import gzip
from collections.abc import Mapping
from functools import cached_property

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis import facts

__all__ = ["LIST_META", "Shared"]

LIST_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"

_LIKE_CUSTOM = "apis/events.k8s.io/v1"
_COLLECTION = f"/{_LIKE_CUSTOM}/namespaces/{{namespace}}/events"
_KIND = "io.k8s.api.events.v1.Event"
_STATUS = "io.k8s.apimachinery.pkg.apis.meta.v1.Status"
_SCALED = "apis/apps/v1"


def _document(path: str) -> JsonObject:
    document: JsonObject = msgspec.json.decode(gzip.decompress(facts.openapi_v3(path).gzipped))
    return document


class Shared:
    """Read when first asked for. Made for the making of documents, and not kept."""

    @cached_property
    def _known(self) -> JsonObject:
        return _document(_LIKE_CUSTOM)

    @cached_property
    def _scaled(self) -> JsonObject:
        return _document(_SCALED)

    @property
    def _schemas(self) -> JsonObject:
        schemas: JsonObject = self._known["components"]["schemas"]
        return schemas

    def schema(self, name: str) -> JsonObject:
        """The definition called so. Raises: KeyError when there is none."""
        found = self._schemas.get(name)
        schema: JsonObject = found or self._scaled["components"]["schemas"][name]
        return schema

    @cached_property
    def parameters(self) -> Mapping[str, list[JsonObject]]:
        """The parameters in the query, by action."""
        found: dict[str, list[JsonObject]] = {}
        for path in (_COLLECTION, f"{_COLLECTION}/{{name}}"):
            for operation in self._known["paths"][path].values():
                if isinstance(operation, dict):
                    found[operation["x-kubernetes-action"]] = operation.get("parameters") or []
        # Custom objects alone are said to be read at a revision, and to be deleted by the options of lists.
        found["get"] = [each for each in found["list"] if each["name"] == "resourceVersion"]
        found["deletecollection"] = found["list"]
        return found

    @cached_property
    def _path_parameters(self) -> Mapping[str, JsonObject]:
        return {each["name"]: each for each in self._known["paths"][f"{_COLLECTION}/{{name}}"]["parameters"]}

    @property
    def namespace(self) -> JsonObject:
        return self._path_parameters["namespace"]

    @property
    def pretty(self) -> JsonObject:
        return self._path_parameters["pretty"]

    def name_of(self, kind: str) -> JsonObject:
        """The parameter that names an object of the kind."""
        return {**self._path_parameters["name"], "description": f"name of the {kind}"}

    def type_meta(self) -> JsonObject:
        """The properties `apiVersion` and `kind`."""
        properties = self._schemas[_KIND]["properties"]
        return {name: properties[name] for name in ("apiVersion", "kind")}

    def object_meta(self) -> str:
        """How the metadata of an object is described."""
        text: str = self._schemas[_KIND]["properties"]["metadata"]["description"]
        return text

    def list_meta(self) -> str:
        """How the metadata of a list is described."""
        text: str = self._schemas[_STATUS]["properties"]["metadata"]["description"]
        return text
