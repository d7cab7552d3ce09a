"""What an admin applies once, so that there can be Guardrails: two kinds, and the right to confirm."""

from collections.abc import Iterator

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.declared import crd_for
from kajitori.apis.guardrails_v1alpha1.kinds import Confirmation, Guardrail
from kajitori.apis.guardrails_v1alpha1.tokens import GROUP

__all__ = ["manifests"]

_NAME = "kajitori:guardrails:confirm"
_RBAC = "rbac.authorization.k8s.io"


def manifests() -> Iterator[JsonObject]:
    """The objects. Everybody who is somebody may create Confirmations: a token counts for its owner alone."""
    for each in (Guardrail, Confirmation):
        yield crd_for(each)
    yield {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": _NAME},
        "rules": [{"apiGroups": [GROUP], "resources": ["confirmations"], "verbs": ["create"]}],
    }
    yield {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": _NAME},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": _NAME},
        "subjects": [{"apiGroup": _RBAC, "kind": "Group", "name": "system:authenticated"}],
    }
