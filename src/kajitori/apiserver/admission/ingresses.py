"""Admission of Ingresses: the default class.

Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/ (DefaultIngressClass)
"""

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.registry.call import Attributes
from kajitori.storage import Store

__all__ = ["DefaultIngressClass"]

_DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"
_NAMED_CLASS = "kubernetes.io/ingress.class"
_read = msgspec.json.Decoder(JsonObject).decode


class DefaultIngressClass:
    """An Ingress that names no class gets the default one; of several the newest, then the first by name."""

    name = "DefaultIngressClass"
    validate = None

    def __init__(self, store: Store) -> None:
        self._store = store

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return operation == "CREATE" and bucket == "networking.k8s.io/ingresses"

    def mutate(self, attributes: Attributes) -> None:
        ingress = attributes.obj
        assert ingress is not None, attributes
        spec: JsonObject = ingress.setdefault("spec", {})
        if "ingressClassName" in spec or _NAMED_CLASS in (ingress["metadata"].get("annotations") or {}):
            return
        found: list[JsonObject] = []
        for item in self._store.range("networking.k8s.io/ingressclasses"):
            metadata: JsonObject = _read(item.value)["metadata"]
            if (metadata.get("annotations") or {}).get(_DEFAULT_CLASS) == "true":
                found.append(metadata)
        if found:
            found.sort(key=lambda each: each["name"])
            spec["ingressClassName"] = max(found, key=lambda each: each["creationTimestamp"])["name"]
