"""DenyServiceExternalIPs: no Service takes addresses from outside that it does not have already.

Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#denyserviceexternalips
"""

from kajitori.apimachinery.errors import forbidden
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.registry.call import Attributes

__all__ = ["DenyServiceExternalIPs"]


class DenyServiceExternalIPs:
    """The plugin."""

    name = "DenyServiceExternalIPs"
    mutate = None

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return operation in ("CREATE", "UPDATE") and bucket == "/services" and not subresource

    def validate(self, attributes: Attributes) -> None:
        """Raises: Forbidden."""
        if not _external(attributes.obj) <= _external(attributes.old):
            why = "Use of external IPs is denied by admission control"
            raise forbidden("services", "", attributes.name, why)


def _external(service: JsonObject | None) -> set[str]:
    return set(((service or {}).get("spec") or {}).get("externalIPs") or ())
