"""Plugins that look at nothing: what is allowed, denied or left alone does not depend on the write.

Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/ (AlwaysAdmit, AlwaysDeny)
"""

from kajitori.apimachinery.errors import Forbidden, forbidden
from kajitori.apiserver.registry.call import Attributes

__all__ = ["AlwaysAdmit", "AlwaysDeny", "Gated"]


class AlwaysAdmit:
    """Allows everything, which others do too."""

    name = "AlwaysAdmit"
    mutate = None
    validate = None

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return False


class AlwaysDeny:
    """Denies everything."""

    name = "AlwaysDeny"

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return True

    def mutate(self, attributes: Attributes) -> None:
        """Raises: Forbidden."""
        raise _denied(attributes)

    def validate(self, attributes: Attributes) -> None:
        """Raises: Forbidden."""
        raise _denied(attributes)


def _denied(attributes: Attributes) -> Forbidden:
    kind = attributes.resource.kind
    why = "admission control is denying all modifications"
    return forbidden(kind.plural, kind.group, attributes.name, why)


class Gated:
    """A plugin that acts only behind a feature gate, which is closed in Kubernetes 1.36: it leaves everything alone."""

    mutate = None
    validate = None

    def __init__(self, name: str) -> None:
        self.name = name

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return False
