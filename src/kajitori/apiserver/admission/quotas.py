"""ResourceQuota: what is in a namespace never exceeds what its quotas allow.

Promises
    Q1  however many write at once, what they use together never exceeds a quota
    Q2  a write that fails has used nothing, and a dry run never does
    Q3  a namespace without a quota costs one look-up

Source: https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from kajitori.apimachinery.errors import FieldError
from kajitori.apiserver.admission.chain import ConfigurationError
from kajitori.apiserver.admission.ledger import Ledger
from kajitori.apiserver.registry.call import Attributes
from kajitori.storage import Store
from kajitori.world.clock import Clock

if TYPE_CHECKING:
    from kajitori.apis.quota import Limited

__all__ = ["ResourceQuota"]

_PODS, _CLAIMS = "/pods", "resource.k8s.io/resourceclaims"
_UPDATED = frozenset({_PODS, "/services", "/persistentvolumeclaims", _CLAIMS})
"""Kinds of which a change can use more."""

_SUBRESOURCES = frozenset({(_PODS, "resize"), ("/persistentvolumeclaims", "status")})
_IGNORED = frozenset(
    {
        "/bindings",
        "/componentstatuses",
        "/events",
        "authentication.k8s.io/selfsubjectreviews",
        "authentication.k8s.io/tokenreviews",
        "authorization.k8s.io/localsubjectaccessreviews",
        "authorization.k8s.io/selfsubjectaccessreviews",
        "authorization.k8s.io/selfsubjectrulesreviews",
        "authorization.k8s.io/subjectaccessreviews",
        "events.k8s.io/events",
    }
)
"""What no quota counts: what is not stored, and events."""


class _Configuration(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    api_version: str = ""
    kind: str = ""
    limited_resources: list[Any] | None = None


def _limited(configuration: Any) -> "Sequence[Limited]":
    """What can be used only where a quota covers it. Raises: ConfigurationError."""
    from kajitori.apis.quota import Limited
    from kajitori.apiserver.admission.configuration import typed, without_errors

    where = "ResourceQuota"
    said: Mapping[str, Any] = configuration if isinstance(configuration, dict) else {}
    # The first two versions were of a group of the plugin's own.
    old = str(said.get("apiVersion", "")).startswith("resourcequota.")
    group = "resourcequota.admission.k8s.io" if old else "apiserver.config.k8s.io"
    kinds = ("Configuration",) if old else ("ResourceQuotaConfiguration",)
    found = typed(configuration, _Configuration, kinds=kinds, group=group, where=where)
    try:
        limited = msgspec.convert(found.limited_resources or [], list[Limited])
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{where}: limitedResources: {error}") from None
    missing = [
        FieldError.required(f"limitedResources[{index}].resource")
        for index, each in enumerate(limited)
        if not each.resource
    ]
    without_errors(missing, where)
    return limited


class ResourceQuota:
    """The plugin."""

    name = "ResourceQuota"
    mutate = None

    def __init__(self, store: Store, ledger: Ledger, clock: Clock, configuration: Any = None) -> None:
        """Raises: ConfigurationError."""
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._limited: Sequence[Limited] = () if configuration is None else _limited(configuration)

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        if subresource:
            return operation == "UPDATE" and (bucket, subresource) in _SUBRESOURCES
        if operation == "UPDATE":
            return bucket in _UPDATED
        return operation == "CREATE" and bucket not in _IGNORED

    def validate(self, attributes: Attributes) -> None:
        """Reserves what the write uses. Raises: Forbidden."""
        accounts = self._ledger.accounts(attributes.namespace)
        if accounts or (self._limited and attributes.resource.kind.namespaced):
            from kajitori.apiserver.admission.charging import charge  # most clusters have no quota

            charge(attributes, accounts, self._limited, self._store, self._clock)
