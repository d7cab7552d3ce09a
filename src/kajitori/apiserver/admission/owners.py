"""OwnerReferencesPermissionEnforcement: who names an owner must have the right to.

Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#ownerreferencespermissionenforcement
"""

from collections.abc import Callable, Iterable, Sequence

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import forbidden
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apiserver.authorization import Attributes as Question
from kajitori.apiserver.authorization import Authorizer
from kajitori.apiserver.registry.call import Attributes
from kajitori.apiserver.registry.resource import Resource

__all__ = ["OwnerReferencesPermissionEnforcement"]


class OwnerReferencesPermissionEnforcement:
    """Changing owners takes the right to delete; keeping an owner from going takes that to its finalizers."""

    name = "OwnerReferencesPermissionEnforcement"
    mutate = None

    def __init__(self, authorizer: Authorizer, resources: Callable[[], Iterable[Resource]]) -> None:
        self._authorizer = authorizer
        self._resources = resources

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return operation in ("CREATE", "UPDATE") and (bucket, subresource) != ("/pods", "status")

    def validate(self, attributes: Attributes) -> None:
        """Raises: Forbidden."""
        new, old = _owners(attributes.obj), _owners(attributes.old)
        if new == old:
            return
        kind, name = attributes.resource.kind, attributes.name
        if attributes.old is not None:
            question = Question(
                user=attributes.user,
                verb="delete",
                group=kind.group,
                version=kind.version,
                resource=kind.plural,
                subresource=attributes.subresource,
                namespace=attributes.namespace,
                name=name,
            )
            decision = self._authorizer.authorize(question)
            if not decision.allowed:
                told = "cannot set an ownerRef on a resource you can't delete"
                raise forbidden(kind.plural, kind.group, name, f"{told}: {decision.reason}, <nil>")
        before = {each.get("uid"): each.get("blockOwnerDeletion") for each in old}
        blocking = [
            each for each in new if each.get("blockOwnerDeletion") and not before.get(each.get("uid"))
        ]
        if not blocking or self._may_finalize(attributes, Kind("*", "*", "", "*"), "*"):
            return
        for reference in blocking:
            self._check_blocking(attributes, reference)

    def _check_blocking(self, attributes: Attributes, reference: JsonObject) -> None:
        kind, name = attributes.resource.kind, attributes.name
        version, owner = reference.get("apiVersion", ""), reference.get("kind", "")
        kinds = [
            each.kind
            for each in self._resources()
            if (each.kind.api_version, each.kind.kind) == (version, owner)
        ]
        if not kinds:
            told = f"cannot find RESTMapping for APIVersion {version} Kind {owner}"
            why = f"no matches for kind {go_quote(owner)} in version {go_quote(version)}"
            raise forbidden(
                kind.plural,
                kind.group,
                name,
                f"cannot set blockOwnerDeletion in this case because {told}: {why}",
            )
        for each in kinds:
            if not self._may_finalize(attributes, each, reference.get("name", "")):
                told = "cannot set blockOwnerDeletion if an ownerReference refers to a resource"
                why = f"{told} you can't set finalizers on: , <nil>"
                raise forbidden(kind.plural, kind.group, name, why)

    def _may_finalize(self, attributes: Attributes, kind: Kind, name: str) -> bool:
        namespaced = kind.namespaced and kind.plural != "*"
        question = Question(
            user=attributes.user,
            verb="update",
            group=kind.group,
            version=kind.version,
            resource=kind.plural,
            subresource="finalizers",
            namespace=attributes.namespace if namespaced else "",
            name=name,
        )
        return self._authorizer.authorize(question).allowed


def _owners(obj: JsonObject | None) -> Sequence[JsonObject]:
    owners: Sequence[JsonObject] = ((obj or {}).get("metadata") or {}).get("ownerReferences") or ()
    return list(owners)
