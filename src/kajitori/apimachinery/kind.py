"""The name of a kind, and the paths its objects are found at."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

__all__ = ["JsonObject", "Kind", "NamespacedName"]

JsonObject = dict[str, Any]
"""A JSON object as it stands on the wire."""


@dataclass(frozen=True, slots=True, order=True)
class NamespacedName:
    """Which object of a kind; `namespace` is empty for cluster-scoped ones."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind in one version, with the plural its paths use."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """`v1`, `apps/v1`: what an object's `apiVersion` says."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_resource(self) -> str:
        """`deployments.apps`, `pods`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The URL path of an object, or of the collection when `name` is empty.

        An empty namespace of a namespaced kind is the collection across all namespaces.
        """
        if not self.plural:
            raise ValueError(f"{self} is the body of a subresource and has no path; use Client.subresource")
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        parts = [root]
        if self.namespaced and namespace:
            parts += ["namespaces", _segment(namespace)]
        parts.append(self.plural)
        if name:
            parts.append(_segment(name))
        if subresource:
            parts.append(subresource)
        return "/".join(parts)

    def __str__(self) -> str:
        return f"{self.kind}.{self.version}.{self.group}" if self.group else f"{self.kind}.{self.version}"


_is_plain = re.compile("[A-Za-z0-9._:-]+").fullmatch


def _segment(name: str) -> str:
    # Nearly all names need no quoting, and finding that out is cheaper than quoting.
    return name if _is_plain(name) else quote(name, safe=":")
