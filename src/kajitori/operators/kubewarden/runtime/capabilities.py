"""What a policy may ask its host for while it runs: objects of the cluster, permissions, names, certificates, images.

Sits between the protocols, which hand calls over, and `Services`, which does what takes a cluster or a network.

Promises
    C1  objects are read only of the kinds that the policy was granted
    C2  a policy of a namespace uses only what its server lets such policies use
    C3  what cannot be had here is said to the policy as an error: it decides; nothing is made up

Source: Kubewarden's reference of host capabilities.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import msgspec

from kajitori.apis import JsonObject
from kajitori.operators.kubewarden.runtime.rego import Inventory
from kajitori.wire.wasm.wapc import HostCallError

__all__ = ["Capabilities", "NoServices", "Services"]

_log = logging.getLogger(__name__)

_decode = msgspec.json.Decoder().decode

_OLD_LISTS = {
    "ingresses": ("networking.k8s.io/v1", "Ingress"),
    "namespaces": ("v1", "Namespace"),
    "services": ("v1", "Service"),
}
"""What policies of the first versions could list, without being granted it."""


class Services(Protocol):
    """What takes a cluster or a network. Called from the thread that runs the policy. Raises: HostCallError."""

    def list_objects(
        self, api_version: str, kind: str, namespace: str, labels: str, fields: str
    ) -> JsonObject: ...

    def get_object(self, api_version: str, kind: str, namespace: str, name: str) -> JsonObject: ...

    def plural(self, api_version: str, kind: str) -> str: ...

    def access_review(self, spec: JsonObject) -> JsonObject:
        """The status of a SubjectAccessReview."""
        ...

    def addresses(self, host: str) -> list[str]: ...

    def image(self, reference: str) -> tuple[str, JsonObject, JsonObject | None]:
        """Digest, manifest, and configuration of what a registry has."""
        ...

    def certificate(self, request: JsonObject) -> JsonObject:
        """Whether a certificate is trusted, and why not."""
        ...


class NoServices:
    """For policies that are tried without a cluster."""

    def __getattr__(self, name: str) -> Any:
        def refuse(*_: object) -> Any:
            raise HostCallError(f"{name.replace('_', ' ')}: there is no cluster to ask")

        return refuse


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one policy may use. Calling it is a host call."""

    policy: str
    granted: frozenset[tuple[str, str]] = frozenset()
    """Kinds that may be read: `apiVersion` and `kind`."""
    services: Services = field(default_factory=lambda: cast(Services, NoServices()))
    allowed: tuple[str, ...] = ("*",)
    """Patterns of other capabilities: `*`, `oci/*`, `oci/v1/*`, `net/v1/dns_lookup_host`."""

    def __call__(self, binding: str, namespace: str, operation: str, payload: bytes) -> bytes:
        """What the policy is answered. Raises: HostCallError."""
        if binding == "kubernetes" and namespace in _OLD_LISTS:
            return _encode(self.services.list_objects(*_OLD_LISTS[namespace], "", "", ""))
        if binding != "kubewarden":
            raise HostCallError(f"unknown binding: {binding}")
        if (namespace, operation) == ("tracing", "log"):
            self._log(payload)
            return b""
        known = _OPERATIONS.get(f"{namespace}/{operation}")
        if known is None:
            what = "operation" if namespace in _NAMESPACES else "namespace"
            raise HostCallError(f"unknown {what}: {operation if what == 'operation' else namespace}")
        if not self._may(f"{namespace}/{operation}"):
            raise HostCallError(
                f"Policy has not been granted access to the host capability {namespace}/{operation}"
            )
        try:
            request = _decode(payload)
            return _encode(known(self, request))
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
            raise HostCallError(
                f"{namespace}/{operation}: the request cannot be understood: {error!r}"
            ) from None

    def inventory(self) -> Inventory:
        """All that was granted, as Rego policies are given it. Raises: HostCallError."""
        found: dict[tuple[str, str, str], list[JsonObject]] = {}
        for api_version, kind in sorted(self.granted):
            plural = self.services.plural(api_version, kind)
            items = self.services.list_objects(api_version, kind, "", "", "")["items"]
            found[api_version, kind, plural] = items
        return found

    def _may(self, path: str) -> bool:
        return path in _READS or any(
            pattern in ("*", path) or (pattern.endswith("/*") and path.startswith(pattern[:-1]))
            for pattern in self.allowed
        )

    def _log(self, payload: bytes) -> None:
        _log.info("a policy says", extra={"policy": self.policy, "said": payload.decode("utf-8", "replace")})


def _check_granted(policy: Capabilities, request: JsonObject) -> None:
    api_version, kind = str(request["api_version"]), str(request["kind"])
    if (api_version, kind) not in policy.granted:
        _log.warning(
            "a policy asked for objects that it was not granted",
            extra={"policy": policy.policy, "api_version": api_version, "kind": kind},
        )
        raise HostCallError(
            f"Policy has not been granted access to Kubernetes {api_version}/{kind} resources. The violation "
            "has been reported."
        )


def _list_in_namespace(policy: Capabilities, request: JsonObject) -> JsonObject:
    _check_granted(policy, request)
    return policy.services.list_objects(
        request["api_version"], request["kind"], request["namespace"], *_selectors(request)
    )


def _list_all(policy: Capabilities, request: JsonObject) -> JsonObject:
    _check_granted(policy, request)
    return policy.services.list_objects(request["api_version"], request["kind"], "", *_selectors(request))


def _get(policy: Capabilities, request: JsonObject) -> JsonObject:
    _check_granted(policy, request)
    namespace = request.get("namespace") or ""
    return policy.services.get_object(request["api_version"], request["kind"], namespace, request["name"])


def _can_i(policy: Capabilities, request: JsonObject) -> JsonObject:
    return policy.services.access_review(request.get("subject_access_review", request))


def _lookup(policy: Capabilities, host: str) -> JsonObject:
    return {"ips": policy.services.addresses(host)}


def _is_trusted(policy: Capabilities, request: JsonObject) -> JsonObject:
    return policy.services.certificate(request)


def _digest(policy: Capabilities, image: str) -> JsonObject:
    return {"digest": policy.services.image(image)[0]}


def _manifest(policy: Capabilities, image: str) -> JsonObject:
    return policy.services.image(image)[1]


def _manifest_and_config(policy: Capabilities, image: str) -> JsonObject:
    digest, manifest, config = policy.services.image(image)
    return {"manifest": manifest, "digest": digest, "config": config}


def _verify(policy: Capabilities, request: Any) -> JsonObject:
    raise HostCallError("signatures of images cannot be verified by this host")


_OPERATIONS: Mapping[str, Any] = {
    "kubernetes/list_resources_by_namespace": _list_in_namespace,
    "kubernetes/list_resources_all": _list_all,
    "kubernetes/list_all_resources": _list_all,
    "kubernetes/get_resource": _get,
    "kubernetes/can_i": _can_i,
    "net/v1/dns_lookup_host": _lookup,
    "crypto/v1/is_certificate_trusted": _is_trusted,
    "oci/v1/manifest_digest": _digest,
    "oci/v1/oci_manifest": _manifest,
    "oci/v1/oci_manifest_config": _manifest_and_config,
    "oci/v1/verify": _verify,
    "oci/v2/verify": _verify,
}
_NAMESPACES = frozenset(path.partition("/")[0] for path in _OPERATIONS) | {"tracing"}
_READS = frozenset(
    path for path in _OPERATIONS if path.startswith("kubernetes/") and path != "kubernetes/can_i"
)
"""What is not for patterns to allow: the kinds that were granted say what may be read."""


def _selectors(request: JsonObject) -> tuple[str, str]:
    return request.get("label_selector") or "", request.get("field_selector") or ""


def _encode(value: Any) -> bytes:
    return msgspec.json.encode(value)
