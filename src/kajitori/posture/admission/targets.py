"""Whom a webhook's configuration asks, and whether somebody can answer there.

Promises
    T1  what is not there now is told: the service, its port, ready endpoints, a certificate authority
    T2  a certificate authority that has expired, or does within EXPIRY_DAYS, is told with its date
    T3  nobody is called: a server that answers with another's certificate is not found here
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.posture.inventory import Inventory, name_of, namespace_of

__all__ = ["EXPIRY_DAYS", "Problem", "problems_of", "shown_target"]

EXPIRY_DAYS = 30

_SERVICE = "kubernetes.io/service-name"


class Problem(msgspec.Struct, frozen=True):
    """Something that is wrong with a target."""

    check: str
    told: str
    fails_now: bool = True
    """Whether calls fail already."""


def shown_target(config: Mapping[str, Any]) -> str:
    """`service guard/webhook:443/validate`, or the URL."""
    service = config.get("service")
    if not isinstance(service, Mapping):
        return str(config.get("url") or "nobody")
    port, path = service.get("port") or 443, service.get("path") or ""
    return f"service {service.get('namespace')}/{service.get('name')}:{port}{path}"


def problems_of(config: Mapping[str, Any], inventory: Inventory, now: datetime) -> Iterator[Problem]:
    """What is wrong with the target of a webhook."""
    service = config.get("service")
    if isinstance(service, Mapping):
        yield from _service(service, inventory)
    bundle = config.get("caBundle")
    if bundle:
        yield from _bundle(str(bundle), now)
    elif isinstance(service, Mapping):
        told = "it names no certificate authority (caBundle), and no public one signs for services"
        yield Problem("no-ca-bundle", told)


def _service(service: Mapping[str, Any], inventory: Inventory) -> Iterator[Problem]:
    if not inventory.whole or "/services" in inventory.unread:
        return
    namespace, name = str(service.get("namespace")), str(service.get("name"))
    if inventory.only and namespace != inventory.only:
        return
    found = _named(inventory, "/services", namespace, name)
    if found is None:
        yield Problem("absent-service", f"there is no service {namespace}/{name}")
        return
    spec: JsonObject = found.get("spec") or {}
    port = service.get("port") or 443
    ports = [each.get("port") for each in spec.get("ports") or ()]
    if port not in ports:
        has = ", ".join(map(str, ports)) or "none"
        yield Problem("absent-port", f"service {namespace}/{name} has no port {port} (it has {has})")
        return
    if spec.get("type") == "ExternalName" or "discovery.k8s.io/endpointslices" in inventory.unread:
        return
    slices = [
        each
        for each in inventory["discovery.k8s.io/endpointslices"]
        if namespace_of(each) == namespace
        and ((each.get("metadata") or {}).get("labels") or {}).get(_SERVICE) == name
    ]
    ready = any(
        (endpoint.get("conditions") or {}).get("ready") is not False
        for each in slices
        for endpoint in each.get("endpoints") or ()
    )
    if not ready:
        yield Problem("no-endpoints", f"service {namespace}/{name} has no ready endpoint")


def _named(inventory: Inventory, bucket: str, namespace: str, name: str) -> JsonObject | None:
    return next(
        (each for each in inventory[bucket] if name_of(each) == name and namespace_of(each) == namespace),
        None,
    )


def _bundle(text: str, now: datetime) -> Iterator[Problem]:
    from cryptography.x509 import load_pem_x509_certificates

    try:
        certificates = load_pem_x509_certificates(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error):
        yield Problem("bad-ca-bundle", "its caBundle is no PEM of certificates")
        return
    ends = max(each.not_valid_after_utc for each in certificates)
    begins = min(each.not_valid_before_utc for each in certificates)
    if ends <= now:
        yield Problem("expired-ca-bundle", f"its certificate authority expired on {ends:%Y-%m-%d}")
    elif begins > now:
        yield Problem("future-ca-bundle", f"its certificate authority is not valid before {begins:%Y-%m-%d}")
    elif ends <= now + timedelta(days=EXPIRY_DAYS):
        told = f"its certificate authority expires on {ends:%Y-%m-%d}"
        yield Problem("expiring-ca-bundle", told, fails_now=False)
