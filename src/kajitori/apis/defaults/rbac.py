"""Defaults of the RBAC group.

Source: pkg/apis/rbac/v1/defaults.go.
"""

from kajitori.apimachinery.kind import JsonObject

__all__ = ["DEFAULTS"]

_GROUP = "rbac.authorization.k8s.io"


def _binding(obj: JsonObject) -> None:
    if not obj["roleRef"].get("apiGroup"):
        obj["roleRef"]["apiGroup"] = _GROUP


def _subject(obj: JsonObject) -> None:
    if not obj.get("apiGroup") and obj.get("kind") in ("User", "Group"):
        obj["apiGroup"] = _GROUP


DEFAULTS = {
    "io.k8s.api.rbac.v1.ClusterRoleBinding": _binding,
    "io.k8s.api.rbac.v1.RoleBinding": _binding,
    "io.k8s.api.rbac.v1.Subject": _subject,
}
