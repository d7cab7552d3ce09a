"""Nobody grants what they do not have: writes of roles and bindings, whatever admission plugins are on.

In Kubernetes this is part of the storage of these kinds and cannot be switched off; so it is here.

Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
"""

from kajitori.apiserver.authorization import Authorizer
from kajitori.apiserver.authorization.escalation import check_grant
from kajitori.apiserver.registry.call import Attributes

__all__ = ["PrivilegeEscalation"]

_GROUP = "rbac.authorization.k8s.io/"


class PrivilegeEscalation:
    """The check, as a plugin that is always on."""

    name = "rbac"
    mutate = None

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return operation in ("CREATE", "UPDATE") and bucket.startswith(_GROUP)

    def validate(self, attributes: Attributes) -> None:
        """Raises: Forbidden; NotFound for a binding to a role that is not there."""
        assert attributes.obj is not None, attributes
        check_grant(
            self._authorizer,
            attributes.user,
            resource=attributes.resource.kind.plural,
            obj=attributes.obj,
            before=attributes.old,
            named=attributes.call is None or attributes.call.named,
        )
