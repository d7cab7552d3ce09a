"""PodTolerationRestriction: the taints that Pods of a namespace tolerate, and may tolerate.

Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#podtolerationrestriction
"""

from typing import Any

import msgspec

from kajitori.apimachinery.errors import ApiError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.admission.configuration import typed, without_errors
from kajitori.apiserver.admission.placement import annotations_of_namespace
from kajitori.apiserver.admission.runtimes import includes, merged_tolerations
from kajitori.apiserver.registry.call import Attributes
from kajitori.storage import Store

__all__ = ["PodTolerationRestriction"]

_DEFAULT = "scheduler.alpha.kubernetes.io/defaultTolerations"
_ALLOWED = "scheduler.alpha.kubernetes.io/tolerationsWhitelist"
_PRESSURE: JsonObject = {
    "key": "node.kubernetes.io/memory-pressure",
    "operator": "Exists",
    "effect": "NoSchedule",
}
_WHERE = "PodTolerationRestriction"


class _Configuration(msgspec.Struct, frozen=True, rename="camel"):
    api_version: str = ""
    kind: str = ""
    default: list[JsonObject] | None = None
    whitelist: list[JsonObject] | None = None


def _configuration(value: Any) -> _Configuration:
    if value is None:
        return _Configuration()
    from kajitori.apis.validation.node_selection import check_tolerations

    group = "podtolerationrestriction.admission.k8s.io"
    found = typed(
        value, _Configuration, kinds=("Configuration",), group=group, where=_WHERE, versions=("v1alpha1",)
    )
    errors: list[Any] = []
    for member, listed in (("default", found.default), ("whitelist", found.whitelist)):
        check_tolerations(listed or [], f"podtolerationrestriction.{member}", errors)
    without_errors(errors, _WHERE)
    return found


class PodTolerationRestriction:
    """The plugin."""

    name = "PodTolerationRestriction"

    def __init__(self, store: Store, configuration: Any = None) -> None:
        """Raises: ConfigurationError."""
        self._store = store
        self._cluster = _configuration(configuration)

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return operation in ("CREATE", "UPDATE") and bucket == "/pods" and not subresource

    def mutate(self, attributes: Attributes) -> None:
        """Raises: NotFound, ApiError."""
        from kajitori.apis.strategies.qos import qos_class  # a Pod is being written anyway

        pod = attributes.obj
        assert pod is not None, attributes
        spec: JsonObject = pod["spec"]
        further: list[JsonObject] = []
        if attributes.operation == "CREATE":
            of_namespace = self._of_namespace(attributes.namespace, _DEFAULT)
            further += (self._cluster.default or []) if of_namespace is None else of_namespace
        quality: str = (pod.get("status") or {}).get("qosClass") or qos_class(spec)
        if quality != "BestEffort":
            further.append(_PRESSURE)
        if further:
            spec["tolerations"] = merged_tolerations(spec.get("tolerations") or (), further)
        self.validate(attributes)

    def validate(self, attributes: Attributes) -> None:
        """Raises: NotFound, ApiError."""
        assert attributes.obj is not None, attributes
        tolerations: list[JsonObject] = attributes.obj["spec"].get("tolerations") or []
        if not tolerations:
            return
        allowed, scope = self._of_namespace(attributes.namespace, _ALLOWED), "namespace"
        if allowed is None:
            allowed, scope = self._cluster.whitelist or [], "cluster"
        if allowed and not all(any(includes(wide, each) for wide in allowed) for each in tolerations):
            told = "pod tolerations (possibly merged with namespace default tolerations)"
            raise ApiError(f"{told} conflict with its {scope} whitelist", code=500)

    def _of_namespace(self, namespace: str, key: str) -> list[JsonObject] | None:
        """What an annotation of the namespace says; None where it has none."""
        text = annotations_of_namespace(self._store, namespace).get(key)
        if text is None:
            return None
        if not text:
            return []
        try:
            return msgspec.json.decode(text.encode(), type=list[dict[str, Any]] | None) or []
        except (msgspec.DecodeError, ValueError) as error:
            raise ApiError(str(error), code=500) from None
