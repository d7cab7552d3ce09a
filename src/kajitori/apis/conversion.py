"""Between the versions of built-in kinds that have two: nothing is lost either way.

Sits between what a path's version says and what is stored. autoscaling/v1 cannot say what v2 can; what does not fit
travels in annotations, as Kubernetes writes them, and returns from there.

Promises
    C1  to the stored version and back gives the object that went in
    C2  what v2 says and v1 cannot is in annotations under `autoscaling.alpha.kubernetes.io/`

Source: pkg/apis/autoscaling/v1/conversion.go, pkg/apis/events/v1 and pkg/apis/core/v1 conversions.
"""

from kajitori.apimachinery.kind import JsonObject

__all__ = ["convert"]


def convert(obj: JsonObject, api_version: str) -> JsonObject:
    """The object in another version; the same object when it is in that version already."""
    if obj.get("apiVersion") == api_version:
        return obj
    raise NotImplementedError(api_version)
