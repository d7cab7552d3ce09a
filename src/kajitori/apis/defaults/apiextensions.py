"""Defaults of custom kinds and of other API servers.

Source: the defaults.go of apiextensions-apiserver and kube-aggregator.
"""

from kajitori.apimachinery.kind import JsonObject

__all__ = ["DEFAULTS"]

_PACKAGE = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
_HTTPS = 443


def _definition(obj: JsonObject) -> None:
    spec = obj["spec"]
    names = spec["names"]
    kind = names.get("kind", "")
    if not names.get("singular") and kind:
        names["singular"] = kind.lower()
    if not names.get("listKind") and kind:
        names["listKind"] = kind + "List"
    spec.setdefault("conversion", {"strategy": "None"})
    stored = [each["name"] for each in spec.get("versions") or () if each.get("storage")]
    if stored and not obj["status"].get("storedVersions"):
        obj["status"]["storedVersions"] = stored[:1]


def _service(obj: JsonObject) -> None:
    obj.setdefault("port", _HTTPS)


DEFAULTS = {
    f"{_PACKAGE}CustomResourceDefinition": _definition,
    f"{_PACKAGE}ServiceReference": _service,
    "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference": _service,
}
