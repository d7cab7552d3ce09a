"""Admission of Pods that are resized in place: their node must be able to.

Source: kube-apiserver's PodResizeValidator (plugin/pkg/admission/podresize).
"""

import msgspec

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import Cause, forbidden
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import Quantity, parse_quantity
from kajitori.apiserver.registry.call import Attributes
from kajitori.storage import Store

__all__ = ["PodResizeValidator"]

_SYSTEM = "kubernetes.io/os"
_read = msgspec.json.Decoder(JsonObject).decode


class PodResizeValidator:
    """A Pod on a node asks for no more than the node has to give."""

    name = "PodResizeValidator"
    mutate = None

    def __init__(self, store: Store) -> None:
        self._store = store

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return operation == "UPDATE" and bucket == "/pods" and subresource == "resize"

    def validate(self, attributes: Attributes) -> None:
        """Raises: Forbidden."""
        pod, old = attributes.obj, attributes.old
        assert pod is not None and old is not None, attributes
        name = pod["spec"].get("nodeName")
        if not name or pod["metadata"].get("generation") == old["metadata"].get("generation"):
            return
        item = self._store.get("/nodes", name)
        if item is None:
            raise forbidden("pods", "", attributes.name, f"node {go_quote(name)} not found")
        reason, why = _problem(pod["spec"], _read(item.value))
        if why:
            refused = forbidden("pods", "", attributes.name, why)
            raise type(refused)(refused.message, details=refused.details, causes=[Cause(reason, "")])


def _problem(spec: JsonObject, node: JsonObject) -> tuple[str, str]:
    """What keeps a node from running a Pod of these resources: a word and a sentence, or nothing."""
    from kajitori.apis.validation.pod_resources import aggregated_resources  # only resizes need it

    metadata: JsonObject = node["metadata"]
    system = (metadata.get("labels") or {}).get(_SYSTEM, "linux")
    if system != "linux":
        quoted = f"{go_quote(metadata['name'])} is {go_quote(system)}"
        return "UnsupportedPlatform", f"pod resize is only supported on linux nodes, node {quoted}"
    allocatable: dict[str, str] = (node.get("status") or {}).get("allocatable") or {}
    requests = aggregated_resources(spec, "requests")
    own: dict[str, str] = (spec.get("resources") or {}).get("requests") or {}
    overhead: dict[str, str] = spec.get("overhead") or {}
    lacking: list[str] = []
    for name, scale in (("cpu", -3), ("memory", 0)):
        wanted = parse_quantity(own[name]) if name in own else requests.get(name, Quantity(0))
        wanted += parse_quantity(overhead.get(name, "0"))
        there = parse_quantity(allocatable.get(name, "0"))
        if wanted > there:
            lacking.append(
                f"{name}, requested: {wanted.scaled_value(scale)}, allocatable: {there.scaled_value(scale)}"
            )
    if not lacking:
        return "", ""
    return "NodeCapacity", f"node didn't have enough allocatable resources: {'; '.join(lacking)}"
