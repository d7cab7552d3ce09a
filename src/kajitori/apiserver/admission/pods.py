"""Admission of Pods: service account, priority, tolerations.

Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/ (ServiceAccount, Priority,
DefaultTolerationSeconds)
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from kajitori.apimachinery.errors import Forbidden, forbidden
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.registry.call import Attributes
from kajitori.storage import Store

__all__ = ["DefaultTolerationSeconds", "Priority", "ServiceAccount"]

TOKEN_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_SECONDS = 3607
"""What kube-apiserver asks for: an hour, and seven seconds by which such tokens are recognised."""

CLASSES = "scheduling.k8s.io/priorityclasses"

_MIRROR = "kubernetes.io/config.mirror"
_read = msgspec.json.Decoder(JsonObject).decode


class _PodPlugin:
    """A plugin about Pods that are created."""

    validate = None

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return operation == "CREATE" and bucket == "/pods" and not subresource


class ServiceAccount(_PodPlugin):
    """Every Pod runs as a service account, and holds a token of it unless somebody says otherwise."""

    name = "ServiceAccount"

    def __init__(self, store: Store, suffix: Callable[[], str]) -> None:
        self._store = store
        self._suffix = suffix

    def mutate(self, attributes: Attributes) -> None:
        """Raises: Forbidden when the service account is not there."""
        pod = attributes.obj
        assert pod is not None, attributes
        if _MIRROR in (pod["metadata"].get("annotations") or {}):
            self._check_mirror(attributes, pod)
            return
        spec = pod["spec"]
        name = spec.get("serviceAccountName") or "default"
        spec["serviceAccountName"] = spec["serviceAccount"] = name
        account = self._store.get("/serviceaccounts", f"{attributes.namespace}/{name}")
        if account is None:
            why = (
                f"error looking up service account {attributes.namespace}/{name}: "
                f'serviceaccount "{name}" not found'
            )
            raise forbidden("pods", "", attributes.name, why)
        found = _read(account.value)
        mounts = spec.get("automountServiceAccountToken", found.get("automountServiceAccountToken", True))
        if mounts:
            self._mount_token(spec)
        if not spec.get("imagePullSecrets") and found.get("imagePullSecrets"):
            spec["imagePullSecrets"] = found["imagePullSecrets"]

    def _check_mirror(self, attributes: Attributes, pod: JsonObject) -> None:
        if pod["spec"].get("serviceAccountName"):
            why = "a mirror pod may not reference service accounts"
            raise forbidden("pods", "", attributes.name, why)

    def _mount_token(self, spec: JsonObject) -> None:
        volumes: list[Any] = spec.get("volumes") or []
        token = next((each["name"] for each in volumes if _is_token_volume(each)), None)
        name = token or f"kube-api-access-{self._suffix()}"
        mounted = False
        for container in _containers(spec):
            mounts: list[Any] = container.get("volumeMounts") or []
            if any(each.get("mountPath") == TOKEN_DIRECTORY for each in mounts):
                continue
            mount = {"name": name, "readOnly": True, "mountPath": TOKEN_DIRECTORY}
            container["volumeMounts"] = [*mounts, mount]
            mounted = True
        if mounted and token is None:
            spec["volumes"] = [*volumes, {"name": name, "projected": _token_sources()}]


def _containers(spec: JsonObject) -> Iterator[JsonObject]:
    yield from spec.get("initContainers") or ()
    yield from spec.get("containers") or ()


def _is_token_volume(volume: JsonObject) -> bool:
    return str(volume.get("name", "")).startswith("kube-api-access-") and "projected" in volume


def _token_sources() -> JsonObject:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    return {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [namespace]}},
        ],
        "defaultMode": 420,
    }


class Priority:
    """The number behind a priority class name, and the global default where a Pod names none."""

    name = "Priority"

    def __init__(self, store: Store) -> None:
        self._store = store

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return operation in ("CREATE", "UPDATE") and bucket in ("/pods", CLASSES) and not subresource

    def validate(self, attributes: Attributes) -> None:
        """Raises: Forbidden for a second class that is the default of all."""
        wanted = attributes.obj
        if attributes.resource.bucket != CLASSES or wanted is None or not wanted.get("globalDefault"):
            return
        standing = self._global_default()
        name = wanted["metadata"]["name"]
        if standing is not None and (
            attributes.operation == "CREATE" or standing["metadata"]["name"] != name
        ):
            first = standing["metadata"]["name"]
            why = f"PriorityClass {first} is already marked as default. Only one default can exist"
            raise forbidden("priorityclasses", "scheduling.k8s.io", name, why)

    def mutate(self, attributes: Attributes) -> None:
        """Raises: Forbidden for a class that is not there, or a number that is not its class's."""
        pod = attributes.obj
        assert pod is not None, attributes
        if attributes.resource.bucket != "/pods":
            return
        spec = pod["spec"]
        if attributes.old is not None:
            # It was given once, and a manifest that is sent again does not say it.
            for member in ("priority", "preemptionPolicy"):
                if member in attributes.old["spec"]:
                    spec.setdefault(member, attributes.old["spec"][member])
            return
        name = spec.get("priorityClassName")
        value, policy = 0, "PreemptLowerPriority"
        if name:
            item = self._store.get(CLASSES, name)
            if item is None:
                raise forbidden("pods", "", attributes.name, f"no PriorityClass with name {name} was found")
            found = _read(item.value)
            value, policy = found.get("value", 0), found.get("preemptionPolicy", policy)
        else:
            default = self._global_default()
            if default is not None:
                spec["priorityClassName"] = default["metadata"]["name"]
                value, policy = default.get("value", 0), default.get("preemptionPolicy", policy)
        said = spec.get("priority")
        if said is not None and said != value:
            raise self._refused(
                attributes,
                f"the integer value of priority ({said}) must not be provided in pod spec; priority admission "
                f"controller computed {value} from the given PriorityClass name",
            )
        spec["priority"] = value
        said_policy = spec.get("preemptionPolicy")
        if said_policy is not None and said_policy != policy:
            raise self._refused(
                attributes,
                f"the string value of PreemptionPolicy ({said_policy}) must not be provided in pod spec; priority "
                f"admission controller computed {policy} from the given PriorityClass name",
            )
        spec["preemptionPolicy"] = policy

    def _refused(self, attributes: Attributes, why: str) -> Forbidden:
        return forbidden("pods", "", attributes.name, why)

    def _global_default(self) -> JsonObject | None:
        best: JsonObject | None = None
        for item in self._store.range(CLASSES):
            if b'"globalDefault":true' in item.value:
                found = _read(item.value)
                if best is None or found.get("value", 0) < best.get("value", 0):
                    best = found
        return best


class DefaultTolerationSeconds(_PodPlugin):
    """A Pod stays for five minutes on a node that is not ready or cannot be reached."""

    name = "DefaultTolerationSeconds"

    SECONDS = 300

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        # Updates too: a manifest that is sent again does not have them.
        return operation in ("CREATE", "UPDATE") and bucket == "/pods" and not subresource

    def mutate(self, attributes: Attributes) -> None:
        pod = attributes.obj
        assert pod is not None, attributes
        spec = pod["spec"]
        tolerations: list[Any] = list(spec.get("tolerations") or ())
        for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
            if not any(_tolerates(each, key) for each in tolerations):
                tolerations.append(
                    {
                        "key": key,
                        "operator": "Exists",
                        "effect": "NoExecute",
                        "tolerationSeconds": self.SECONDS,
                    }
                )
        spec["tolerations"] = tolerations


def _tolerates(toleration: JsonObject, key: str) -> bool:
    return toleration.get("key", "") in ("", key) and toleration.get("effect", "") in ("", "NoExecute")
