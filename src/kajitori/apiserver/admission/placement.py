"""Admission of Pods that says where they may run, or where their images come from: plugins that are mostly off.

Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/ (AlwaysPullImages,
ExtendedResourceToleration, LimitPodHardAntiAffinityTopology, PodNodeSelector, PodTopologyLabels)
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from kajitori.apimachinery.errors import ApiError, FieldError, forbidden, not_found
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.names import is_label_value, is_qualified_name
from kajitori.apiserver.admission.chain import ConfigurationError
from kajitori.apiserver.registry.call import Attributes
from kajitori.storage import Store

__all__ = [
    "AlwaysPullImages",
    "ExtendedResourceToleration",
    "LimitPodHardAntiAffinityTopology",
    "PodNodeSelector",
    "PodTopologyLabels",
    "annotations_of_namespace",
]

_PODS = "/pods"
_HOSTNAME = "kubernetes.io/hostname"
_PLACES = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")
_SELECTOR = "scheduler.alpha.kubernetes.io/node-selector"
_read = msgspec.json.Decoder(JsonObject).decode


def _containers(spec: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Paths, and the containers of all kinds."""
    for member in ("initContainers", "containers", "ephemeralContainers"):
        for index, each in enumerate(spec.get(member) or ()):
            yield f"spec.{member}[{index}]", each


def annotations_of_namespace(store: Store, name: str) -> Mapping[str, str]:
    """Raises: NotFound."""
    item = store.get("/namespaces", name)
    if item is None:
        raise not_found("namespaces", "", name)
    if b'"annotations"' not in item.value:
        return {}
    annotations: Mapping[str, str] = _read(item.value)["metadata"].get("annotations") or {}
    return annotations


class _OfPods:
    """A plugin about Pods themselves."""

    operations: tuple[str, ...] = ("CREATE", "UPDATE")

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return bucket == _PODS and not subresource and operation in self.operations


class AlwaysPullImages(_OfPods):
    """Every image is pulled anew, so that nobody runs one that they may not pull."""

    name = "AlwaysPullImages"

    def mutate(self, attributes: Attributes) -> None:
        if self._is_about_nothing_new(attributes):
            return
        spec = _spec(attributes)
        for _, container in _containers(spec):
            container["imagePullPolicy"] = "Always"
        for volume in spec.get("volumes") or ():
            if volume.get("image") is not None:
                volume["image"]["pullPolicy"] = "Always"

    def validate(self, attributes: Attributes) -> None:
        """Raises: ApiError for what a later plugin has changed."""
        if self._is_about_nothing_new(attributes):
            return
        spec = _spec(attributes)
        found = [
            (f"{path}.imagePullPolicy", container.get("imagePullPolicy", ""))
            for path, container in _containers(spec)
        ]
        found += [
            (f"spec.volumes[{index}].image.pullPolicy", each["image"].get("pullPolicy", ""))
            for index, each in enumerate(spec.get("volumes") or ())
            if each.get("image") is not None
        ]
        errors = [
            FieldError.not_supported(path, policy, ["Always"]) for path, policy in found if policy != "Always"
        ]
        if errors:
            told = [forbidden("pods", "", attributes.name, str(each)).message for each in errors]
            raise ApiError(told[0] if len(told) == 1 else f"[{', '.join(told)}]", code=500)

    def _is_about_nothing_new(self, attributes: Attributes) -> bool:
        if attributes.old is None:
            return False
        before = {each.get("image", "") for _, each in _containers(attributes.old["spec"])}
        return all(each.get("image", "") in before for _, each in _containers(_spec(attributes)))


class ExtendedResourceToleration(_OfPods):
    """A Pod that asks for a resource which only some nodes have tolerates the taint that keeps others away."""

    name = "ExtendedResourceToleration"
    validate = None

    def mutate(self, attributes: Attributes) -> None:
        from kajitori.apis.validation.amounts import is_extended_resource  # a Pod is being written anyway

        spec = _spec(attributes)
        asked = {
            name
            for member in ("containers", "initContainers")
            for each in spec.get(member) or ()
            for name in (each.get("resources") or {}).get("requests") or ()
            if is_extended_resource(name)
        }
        for name in sorted(asked):
            _tolerate(spec, {"key": name, "operator": "Exists", "effect": "NoSchedule"})


def _tolerate(spec: JsonObject, wanted: JsonObject) -> None:
    """Puts a toleration in the place of the first that is for the same taint, or adds it."""
    tolerations: list[JsonObject] = list(spec.get("tolerations") or ())

    def matches(each: JsonObject) -> bool:
        return all((each.get(member) or "") == (wanted.get(member) or "") for member in _SAME_TAINT)

    for index, each in enumerate(tolerations):
        if matches(each):
            tolerations[index] = wanted
            break
    else:
        tolerations.append(wanted)
    spec["tolerations"] = tolerations


_SAME_TAINT = ("key", "effect", "operator", "value")


class LimitPodHardAntiAffinityTopology(_OfPods):
    """What must not be near a Pod is kept off its node, and off nothing larger."""

    name = "LimitPodHardAntiAffinityTopology"
    mutate = None

    def validate(self, attributes: Attributes) -> None:
        """Raises: Forbidden."""
        affinity: JsonObject = (_spec(attributes).get("affinity") or {}).get("podAntiAffinity") or {}
        for term in affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ():
            key = term.get("topologyKey", "")
            if key != _HOSTNAME:
                told = f"has TopologyKey {key} but only key {_HOSTNAME} is allowed"
                why = f"affinity.PodAntiAffinity.RequiredDuringScheduling {told}"
                raise forbidden("pods", "", attributes.name, why)


class PodNodeSelector(_OfPods):
    """The nodes of a Pod are among those of its namespace."""

    name = "PodNodeSelector"
    operations = ("CREATE",)

    def __init__(self, store: Store, configuration: Any = None) -> None:
        """Raises: ConfigurationError."""
        self._store = store
        self._selectors = _selectors(configuration)

    def mutate(self, attributes: Attributes) -> None:
        """Raises: Forbidden, NotFound."""
        spec = _spec(attributes)
        of_namespace = self._of_namespace(attributes)
        selector: dict[str, str] = {**of_namespace, **(spec.get("nodeSelector") or {})}
        self._check(attributes, of_namespace)
        if selector:
            spec["nodeSelector"] = selector
        self.validate(attributes)

    def validate(self, attributes: Attributes) -> None:
        """Raises: Forbidden, NotFound."""
        self._check(attributes, self._of_namespace(attributes))
        allowed = _labels(self._selectors.get(attributes.namespace, ""))
        selector: Mapping[str, str] = _spec(attributes).get("nodeSelector") or {}
        if allowed and any(allowed.get(key) != value for key, value in selector.items()):
            told = "pod node label selector labels conflict with its namespace whitelist"
            raise forbidden("pods", "", attributes.name, told)

    def _check(self, attributes: Attributes, of_namespace: Mapping[str, str]) -> None:
        selector: Mapping[str, str] = _spec(attributes).get("nodeSelector") or {}
        if any(of_namespace.get(key, value) != value for key, value in selector.items()):
            told = "pod node label selector conflicts with its namespace node label selector"
            raise forbidden("pods", "", attributes.name, told)

    def _of_namespace(self, attributes: Attributes) -> dict[str, str]:
        annotations = annotations_of_namespace(self._store, attributes.namespace)
        return _labels(annotations.get(_SELECTOR, self._selectors.get("clusterDefaultNodeSelector", "")))


def _selectors(configuration: Any) -> dict[str, str]:
    if configuration is None:
        return {}
    try:
        file = msgspec.convert(configuration, dict[str, dict[str, str] | None])
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"PodNodeSelector: {error}") from None
    unknown = sorted(file.keys() - {"podNodeSelectorPluginConfig"})
    if unknown:
        raise ConfigurationError(
            f"PodNodeSelector: unknown field {unknown[0]}; use podNodeSelectorPluginConfig"
        )
    return file.get("podNodeSelectorPluginConfig") or {}


def _labels(text: str) -> dict[str, str]:
    """The labels in `a=b,c=d`. Raises: ApiError."""
    labels: dict[str, str] = {}
    for each in text.split(",") if text else ():
        parts = each.split("=")
        if len(parts) != 2:
            raise ApiError(f"invalid selector: [{' '.join(parts)}]", code=500)
        key, value = (part.strip() for part in parts)
        problems = is_qualified_name(key)
        if problems:
            raise ApiError(str(FieldError.invalid("<nil>", key, "; ".join(problems))), code=500)
        problems = is_label_value(value)
        if problems:
            raise ApiError(str(FieldError.invalid(f"<nil>[{key}]", value, "; ".join(problems))), code=500)
        labels[key] = value
    return labels


class PodTopologyLabels:
    """A Pod is labelled with the zone and the region of its node, when it is bound to it or made for it."""

    name = "PodTopologyLabels"
    validate = None

    def __init__(self, store: Store) -> None:
        self._store = store

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return operation == "CREATE" and bucket == _PODS and subresource in ("", "binding")

    def mutate(self, attributes: Attributes) -> None:
        obj = attributes.obj
        assert obj is not None, attributes
        if attributes.subresource:
            target: JsonObject = obj.get("target") or {}
            node = target.get("name", "") if target.get("kind") == "Node" else ""
        else:
            node = (obj.get("spec") or {}).get("nodeName") or ""
        item = self._store.get("/nodes", node) if node else None
        if item is None:
            return
        labels: Mapping[str, str] = _read(item.value)["metadata"].get("labels") or {}
        places = {key: labels[key] for key in _PLACES if key in labels}
        if places:
            metadata: JsonObject = obj.setdefault("metadata", {})
            metadata["labels"] = {**(metadata.get("labels") or {}), **places}


def _spec(attributes: Attributes) -> JsonObject:
    assert attributes.obj is not None, attributes
    spec: JsonObject = attributes.obj["spec"]
    return spec
