"""NodeDeclaredFeatureValidator: a Pod on a node is not changed in a way that the node cannot follow.

Source: component-helpers/nodedeclaredfeatures and plugin/pkg/admission/nodedeclaredfeatures of Kubernetes.
"""

from collections.abc import Sequence

import msgspec

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import forbidden
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.registry.call import Attributes
from kajitori.storage import Store

__all__ = ["NodeDeclaredFeatureValidator"]

_WHOLE_POD = "InPlacePodLevelResourcesVerticalScaling"
_INIT_CONTAINERS = "InPlacePodVerticalScalingInitContainers"
_read = msgspec.json.Decoder(JsonObject).decode


class NodeDeclaredFeatureValidator:
    """The plugin."""

    name = "NodeDeclaredFeatureValidator"
    mutate = None

    def __init__(self, store: Store) -> None:
        self._store = store

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return operation == "UPDATE" and bucket == "/pods" and subresource in ("", "resize")

    def validate(self, attributes: Attributes) -> None:
        """Raises: Forbidden."""
        pod, old = attributes.obj, attributes.old
        assert pod is not None and old is not None, attributes
        name = pod["spec"].get("nodeName")
        if not name or pod["metadata"].get("generation") == old["metadata"].get("generation"):
            return
        needed = _needed(pod["spec"], old["spec"])
        if not needed:
            return
        item = self._store.get("/nodes", name)
        if item is None:
            raise forbidden("pods", "", attributes.name, f"node {go_quote(name)} not found")
        declared: Sequence[str] = (_read(item.value).get("status") or {}).get("declaredFeatures") or ()
        missing = [each for each in needed if each not in declared]
        if missing:
            told = f"pod update requires features {', '.join(missing)} which are not available on node"
            raise forbidden("pods", "", attributes.name, f"{told} {go_quote(name)}")


def _needed(spec: JsonObject, old: JsonObject) -> list[str]:
    """What a node must be able to do for the change."""
    needed: list[str] = []
    if (spec.get("resources") or {}) != (old.get("resources") or {}):
        needed.append(_WHOLE_POD)
    after: Sequence[JsonObject] = spec.get("initContainers") or ()
    for index, each in enumerate(old.get("initContainers") or ()):
        is_sidecar = each.get("restartPolicy") == "Always"
        if not is_sidecar and (each.get("resources") or {}) != (after[index].get("resources") or {}):
            needed.append(_INIT_CONTAINERS)
            break
    return needed
