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

from kajitori.apimachinery.errors import ApiError, FieldError, forbidden
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.admission.chain import ConfigurationError
from kajitori.apiserver.admission.ledger import Account, Ledger, Reservation
from kajitori.apiserver.registry.call import Attributes
from kajitori.storage import Store
from kajitori.world.clock import Clock

if TYPE_CHECKING:
    from kajitori.apis.quota import Limited

__all__ = ["ResourceQuota"]

_PODS, _CLAIMS = "/pods", "resource.k8s.io/resourceclaims"
_CLASSES = "resource.k8s.io/deviceclasses"
_IMPLICIT = "deviceclass.resource.kubernetes.io/"
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

_read = msgspec.json.Decoder(JsonObject).decode


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
            self._charge(attributes, accounts)

    def _charge(self, attributes: Attributes, accounts: Sequence[Account]) -> None:
        from kajitori.apis.quota import QuotaError, Request, charges, evaluator_for

        resource, obj = attributes.resource, attributes.obj
        assert obj is not None, attributes
        evaluator = evaluator_for(resource.bucket)
        if not evaluator.handles(attributes.operation, attributes.subresource, obj, attributes.old):
            return
        quotas = [each.quota for each in accounts]
        by_name = {quota.name: account for quota, account in zip(quotas, accounts, strict=True)}
        request = Request(attributes.operation, resource.bucket, attributes.subresource, obj, attributes.old)
        around = _Around(self._store, self._clock)
        try:
            found = charges(quotas, request, evaluator, around, self._limited)
        except QuotaError as error:
            if not error.forbidden:
                raise ApiError(str(error), code=500) from None
            kind = resource.kind
            raise forbidden(kind.plural, kind.group, attributes.name, str(error)) from None
        if found and not attributes.dry_run:
            attributes.charge = Reservation([(by_name[each.quota], each.amounts) for each in found])


class _Around:
    """What the use of objects depends on besides them, from what is stored."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @property
    def now(self) -> float:
        return self._clock.now().timestamp()

    def extended_resource(self, device_class: str) -> str:
        item = self._store.get(_CLASSES, device_class)
        return "" if item is None else _extended(_read(item.value))

    def has_device_class(self, extended_resource: str) -> bool:
        if extended_resource.startswith(_IMPLICIT):
            return self._store.get(_CLASSES, extended_resource.removeprefix(_IMPLICIT)) is not None
        classes = self._store.range(_CLASSES)
        return any(_extended(_read(item.value)) == extended_resource for item in classes)

    def pod(self, namespace: str, name: str) -> JsonObject | None:
        item = self._store.get(_PODS, f"{namespace}/{name}")
        return None if item is None else _read(item.value)

    def claims_of(self, namespace: str, pod_uid: str) -> Sequence[JsonObject]:
        from kajitori.apis.quota import is_claim_of

        listed = (_read(item.value) for item in self._store.range(_CLAIMS, f"{namespace}/"))
        return [each for each in listed if is_claim_of(each, pod_uid)]


def _extended(device_class: JsonObject) -> str:
    return (device_class.get("spec") or {}).get("extendedResourceName") or ""
