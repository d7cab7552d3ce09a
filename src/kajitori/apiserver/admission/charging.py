"""Charges a write to the quotas that count it.

Sits under `quotas`, the plugin, and is loaded with the first write that a quota may count.
"""

from collections.abc import Sequence

import msgspec

from kajitori.apimachinery.errors import ApiError, forbidden
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.quota import Limited, QuotaError, Request, charges, evaluator_for, is_claim_of
from kajitori.apiserver.admission.accounts import Account, Reservation
from kajitori.apiserver.registry.call import Attributes
from kajitori.storage import Store
from kajitori.world.clock import Clock

__all__ = ["charge"]

_PODS, _CLAIMS = "/pods", "resource.k8s.io/resourceclaims"
_CLASSES = "resource.k8s.io/deviceclasses"
_IMPLICIT = "deviceclass.resource.kubernetes.io/"
_read = msgspec.json.Decoder(JsonObject).decode


def charge(
    attributes: Attributes,
    accounts: Sequence[Account],
    limited: Sequence[Limited],
    store: Store,
    clock: Clock,
) -> None:
    """Reserves what the write uses; `limited` is what only a quota makes usable. Raises: Forbidden."""
    resource, obj = attributes.resource, attributes.obj
    assert obj is not None, attributes
    evaluator = evaluator_for(resource.bucket)
    if not evaluator.handles(attributes.operation, attributes.subresource, obj, attributes.old):
        return
    quotas = [each.quota for each in accounts]
    by_name = {quota.name: account for quota, account in zip(quotas, accounts, strict=True)}
    request = Request(attributes.operation, resource.bucket, attributes.subresource, obj, attributes.old)
    try:
        found = charges(quotas, request, evaluator, _Around(store, clock), limited)
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
        listed = (_read(item.value) for item in self._store.range(_CLAIMS, f"{namespace}/"))
        return [each for each in listed if is_claim_of(each, pod_uid)]


def _extended(device_class: JsonObject) -> str:
    return (device_class.get("spec") or {}).get("extendedResourceName") or ""
