"""Admission of nodes: a new one is not ready before somebody says that it is.

Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/ (TaintNodesByCondition)
"""

from collections.abc import Sequence

from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.registry.call import Attributes

__all__ = ["TaintNodesByCondition"]

_NOT_READY = "node.kubernetes.io/not-ready"
_EFFECT = "NoSchedule"


class TaintNodesByCondition:
    """A node that registers itself takes no Pods until its taint is taken off, which is when it is ready."""

    name = "TaintNodesByCondition"
    validate = None

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return operation == "CREATE" and bucket == "/nodes" and not subresource

    def mutate(self, attributes: Attributes) -> None:
        node = attributes.obj
        assert node is not None, attributes
        spec: JsonObject = node.setdefault("spec", {})
        taints: Sequence[JsonObject] = spec.get("taints") or ()
        if not any(each.get("key") == _NOT_READY and each.get("effect") == _EFFECT for each in taints):
            spec["taints"] = [*taints, {"key": _NOT_READY, "effect": _EFFECT}]
