"""PersistentVolumes and the claims on them.

Source: pkg/registry/core/persistentvolume, persistentvolumeclaim, pkg/api/persistentvolume(claim) and the update
rules of pkg/apis/core/validation.
"""

from typing import Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import parse_quantity
from kajitori.apis.strategies.base import IMMUTABLE, NOBODY, Occasion, Strategy
from kajitori.apis.strategies.node_labels import term_warnings
from kajitori.apis.strategies.volume_warnings import claim_warnings
from kajitori.apis.validation.go_values import go_difference, go_fields, go_struct

__all__ = ["STRATEGIES"]

_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
_USE_CLASS = 'deprecated since v1.8; use "storageClassName" attribute instead'
_NOT_SOURCES = frozenset(
    {
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
    }
)
"""Members of a volume's spec that do not say where its data is."""
_DEPRECATED = {
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}


class PersistentVolume(Strategy):
    returns_deleted = True

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        now = occasion.now or obj["metadata"].get("creationTimestamp")
        obj["status"] = {"phase": "Pending"}
        if now:
            obj["status"]["lastPhaseTransitionTime"] = now

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        super().prepare_for_update(obj, old, subresource, occasion)
        if subresource != "status":
            return
        new, before, member = obj["status"], old["status"], "lastPhaseTransitionTime"
        same_phase = new.get("phase") == before.get("phase")
        if same_phase and member not in new and member in before:
            new[member] = before[member]
        elif not same_phase and (member not in new or new[member] == before.get(member)) and occasion.now:
            new[member] = occasion.now

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        if subresource:
            return []
        spec, before = obj["spec"], old["spec"]
        errors: list[FieldError] = []
        if _source(spec, before) != _source(before, before):
            # Both are shown whole, also what was allowed to change.
            difference = go_difference(_shown_source(before), _shown_source(spec))
            told = f"spec.persistentvolumesource is immutable after creation\n{difference}"
            errors.append(FieldError.forbidden("spec.persistentvolumesource", told))
        errors += _immutable_mode(spec, before)
        if "nodeAffinity" in before and _ga_labels(spec.get("nodeAffinity")) != _ga_labels(
            before["nodeAffinity"]
        ):
            told = f"{IMMUTABLE}, except for updating from beta label to GA"
            wanted = spec.get("nodeAffinity")
            shown = None if wanted is None else go_struct("core.v1.VolumeNodeAffinity", wanted)
            errors.append(FieldError.invalid("nodeAffinity", shown, told))
        if "volumeAttributesClassName" in before and "volumeAttributesClassName" not in spec:
            told = "update from non-nil value to nil is forbidden"
            errors.append(FieldError.forbidden("spec.volumeAttributesClassName", told))
        return errors

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        if subresource:
            return []
        spec = obj["spec"]
        annotations: dict[str, str] = obj["metadata"].get("annotations") or {}
        told: list[str] = []
        for key, text in (
            (_CLASS_ANNOTATION, _USE_CLASS),
            (
                "volume.beta.kubernetes.io/mount-options",
                'deprecated since v1.31; use "mountOptions" attribute instead',
            ),
        ):
            if key in annotations:
                told.append(f"metadata.annotations[{key}]: {text}")
        if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
            told.append(
                "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. "
                "Instead, the recommended approach is to use dynamic provisioning."
            )
        required = (spec.get("nodeAffinity") or {}).get("required") or {}
        for index, term in enumerate(required.get("nodeSelectorTerms") or ()):
            told += term_warnings(f"spec.nodeAffinity.required.nodeSelectorTerms[{index}]", term)
        for member, since in _DEPRECATED.items():
            if member in spec:
                told.append(f"spec.{'storageOS' if member == 'storageos' else member}: {since}")
        return told

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        return {"name": obj["metadata"].get("name", "")}


def _source(spec: JsonObject, old: JsonObject) -> dict[str, Any]:
    """Where the data is; a secret for expansion may be added later."""
    source = {name: value for name, value in spec.items() if name not in _NOT_SOURCES}
    csi = source.get("csi")
    if csi and "controllerExpandSecretRef" not in (old.get("csi") or {"controllerExpandSecretRef": None}):
        source["csi"] = {name: value for name, value in csi.items() if name != "controllerExpandSecretRef"}
    return source


def _shown_source(spec: JsonObject) -> JsonObject:
    return go_fields("core.v1.PersistentVolumeSpec", spec, lambda name: name not in _NOT_SOURCES)


_GA_LABELS = {
    "beta.kubernetes.io/os": "kubernetes.io/os",
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
}


def _ga_labels(affinity: Any) -> Any:
    """The affinity with labels of old by their names of today."""
    if isinstance(affinity, dict):
        return {
            name: _GA_LABELS.get(value, value) if name == "key" else _ga_labels(value)
            for name, value in affinity.items()
        }
    return [_ga_labels(each) for each in affinity] if isinstance(affinity, list) else affinity


def _immutable_mode(spec: JsonObject, old: JsonObject) -> list[FieldError]:
    mode = spec.get("volumeMode")
    return [] if mode == old.get("volumeMode") else [FieldError.invalid("volumeMode", mode, IMMUTABLE)]


class PersistentVolumeClaim(Strategy):
    returns_deleted = True

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        super().prepare_for_create(obj, occasion)
        _settle_data_source(obj["spec"], None)

    def zero_status(self) -> JsonObject:
        return {"phase": "Pending"}

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        super().prepare_for_update(obj, old, subresource, occasion)
        if not subresource:
            _settle_data_source(obj["spec"], old["spec"])

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        if subresource:
            return []
        spec, before = obj["spec"], old["spec"]
        annotations: dict[str, str] = obj["metadata"].get("annotations") or {}
        kept: dict[str, str] = old["metadata"].get("annotations") or {}
        errors: list[FieldError] = []
        munged = dict(spec)
        if "volumeName" not in before:
            munged.pop("volumeName", None)
        if _class_moves_from_annotation(spec, before, annotations, kept):
            munged.pop("storageClassName", None)
        else:
            wanted = annotations.get(_CLASS_ANNOTATION, "")
            if wanted != kept.get(_CLASS_ANNOTATION, ""):
                path = f"metadata.annotations.{_CLASS_ANNOTATION}"
                errors.append(FieldError.invalid(path, wanted, IMMUTABLE))
            if _class_is_set_later(spec, before, kept):
                munged.pop("storageClassName", None)
        if obj["status"].get("phase") == "Bound":
            munged = _bound(munged, before)
        if munged != before:
            shown = [go_struct("core.v1.PersistentVolumeClaimSpec", each) for each in (before, munged)]
            told = (
                "spec is immutable after creation except resources.requests and volumeAttributesClassName "
                f"for bound claims\n{go_difference(*shown)}"
            )
            errors.append(FieldError.forbidden("spec", told))
        errors += _shrinking(spec, before, old["status"])
        errors += _immutable_mode(spec, before)
        return errors + _attributes_errors(spec, before, old["status"])

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        if subresource:
            return []
        told: list[str] = []
        if _CLASS_ANNOTATION in (obj["metadata"].get("annotations") or {}):
            told.append(f"metadata.annotations[{_CLASS_ANNOTATION}]: {_USE_CLASS}")
        return told + claim_warnings("spec", obj["spec"])

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        return {"name": obj["metadata"].get("name", "")}


def _settle_data_source(spec: JsonObject, old: JsonObject | None) -> None:
    """Makes `dataSource` and `dataSourceRef` tell the same, as far as both can."""
    reference = spec.get("dataSourceRef")
    if reference and reference.get("namespace") and "dataSourceRef" not in (old or {}):
        # Sources in other namespaces are a feature that is off by default.
        reference = spec.pop("dataSourceRef") and None
    in_use = bool(old) and ("dataSource" in (old or {}) or "dataSourceRef" in (old or {}))
    source = spec.get("dataSource")
    if source and not in_use and reference is None and not _is_known_source(source):
        del spec["dataSource"]
        source = None
    if source and reference is None:
        spec["dataSourceRef"] = dict(source)
    elif reference and source is None and not reference.get("namespace"):
        spec["dataSource"] = {name: value for name, value in reference.items() if name != "namespace"}


def _is_known_source(source: JsonObject) -> bool:
    return (source.get("apiGroup") or "", source.get("kind")) in (
        ("", "PersistentVolumeClaim"),
        ("snapshot.storage.k8s.io", "VolumeSnapshot"),
    )


def _class_moves_from_annotation(
    spec: JsonObject, old: JsonObject, annotations: dict[str, str], kept: dict[str, str]
) -> bool:
    if _CLASS_ANNOTATION not in kept or "storageClassName" in old:
        return False
    before = kept[_CLASS_ANNOTATION]
    named: bool = spec.get("storageClassName") == before
    return named and annotations.get(_CLASS_ANNOTATION, before) == before


def _class_is_set_later(spec: JsonObject, old: JsonObject, kept: dict[str, str]) -> bool:
    name = spec.get("storageClassName")
    if name is None or "storageClassName" in old:
        return False
    return bool(kept.get(_CLASS_ANNOTATION, name) == name)


def _bound(munged: JsonObject, old: JsonObject) -> JsonObject:
    """The spec with what may change in a bound claim as it was: its size and its attributes."""
    munged = dict(munged)
    resources = dict(munged.get("resources") or {})
    before = (old.get("resources") or {}).get("requests") or {}
    if resources.get("requests") is not None and "storage" in before:
        resources["requests"] = {**resources["requests"], "storage": before["storage"]}
    munged["resources"] = resources
    if "volumeAttributesClassName" in old:
        munged["volumeAttributesClassName"] = old["volumeAttributesClassName"]
    else:
        munged.pop("volumeAttributesClassName", None)
    return munged


def _shrinking(spec: JsonObject, old: JsonObject, status: JsonObject) -> list[FieldError]:
    def size(amounts: JsonObject | None) -> Any:
        return parse_quantity((amounts or {}).get("storage", "0"))

    new = size((spec.get("resources") or {}).get("requests"))
    before = size((old.get("resources") or {}).get("requests"))
    # A failed expansion may be taken back, down to what there is.
    if new >= before or new > size(status.get("capacity")):
        return []
    told = "field can not be less than status.capacity"
    return [FieldError.forbidden("spec.resources.requests.storage", told)]


def _attributes_errors(spec: JsonObject, old: JsonObject, status: JsonObject) -> list[FieldError]:
    wanted = spec.get("volumeAttributesClassName")
    if wanted == old.get("volumeAttributesClassName") or "currentVolumeAttributesClassName" not in status:
        return []
    if wanted:
        return []
    what = "nil" if wanted is None else "empty string"
    told = f"update to {what} is forbidden when status.currentVolumeAttributesClassName is not nil"
    return [FieldError.forbidden("spec.volumeAttributesClassName", told)]


STRATEGIES: dict[str, type[Strategy]] = {
    "/persistentvolumeclaims": PersistentVolumeClaim,
    "/persistentvolumes": PersistentVolume,
}
