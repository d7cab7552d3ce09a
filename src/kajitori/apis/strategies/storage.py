"""The storage group: classes, drivers, what they offer and what is attached.

Source: pkg/registry/storage, pkg/api/storage and the update rules of pkg/apis/storage/validation.
"""

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.strategies.base import NOBODY, Occasion, ResetsMetadata, Strategy
from kajitori.apis.strategies.node_labels import DEPRECATED, selector_warnings
from kajitori.apis.validation.go_values import go_struct

__all__ = ["STRATEGIES"]


class StorageClass(Strategy):
    returns_deleted = True

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        errors: list[FieldError] = []
        for member in ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"):
            errors += self.unchanged(obj.get(member), old.get(member), member)
        return errors

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        told: list[str] = []
        for index, topology in enumerate(obj.get("allowedTopologies") or ()):
            for place, expression in enumerate(topology.get("matchLabelExpressions") or ()):
                key = expression.get("key", "")
                if key in DEPRECATED:
                    path = f"allowedTopologies[{index}].matchLabelExpressions[{place}].key"
                    told.append(f"{path}: {DEPRECATED[key]}")
        return told


class VolumeAttributesClass(Strategy):
    returns_deleted = True
    immutable_first = True

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        return [
            FieldError.forbidden(member, f"updates to {member} are forbidden.")
            for member in ("driverName", "parameters")
            if obj.get(member) != old.get(member)
        ]


class VolumeAttachment(ResetsMetadata):
    returns_deleted = True
    allow_unconditional_update = False

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        return self.unchanged(obj.get("spec"), old.get("spec"), "spec", "storage.v1.VolumeAttachmentSpec")


class CSIDriver(Strategy):
    returns_deleted = True
    allow_unconditional_update = False

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        self._drop_disabled(obj, None)

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        self._drop_disabled(obj, old)
        self.count_generation(obj, old)

    def _drop_disabled(self, obj: JsonObject, old: JsonObject | None) -> None:
        """VolumeLimitScaling and SELinuxMountReadWriteOncePod: only the first is off by default."""
        if old is None or "preventPodSchedulingIfMissing" not in old["spec"]:
            obj["spec"].pop("preventPodSchedulingIfMissing", None)

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        spec, before = obj["spec"], old["spec"]
        errors: list[FieldError] = []
        if spec.get("attachRequired") != before.get("attachRequired"):
            path = "spec.attachedRequired"
            errors.append(FieldError.invalid(path, spec.get("attachRequired"), "field is immutable"))
        modes, path = "volumeLifecycleModes", "spec.volumeLifecycleModes"
        return errors + self.unchanged(spec.get(modes), before.get(modes), path)

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        requests = obj["spec"].get("tokenRequests")
        if not requests or "serviceAccountTokenInSecrets" in obj["spec"]:
            return []
        if old is not None and old["spec"].get("tokenRequests") == requests:
            return []
        return [
            "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, "
            "set to true to prevent possible logging of tokens in volume attributes"
        ]


class CSINode(Strategy):
    returns_deleted = True
    allow_unconditional_update = False

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        def fixed(driver: JsonObject) -> JsonObject:
            return {name: value for name, value in driver.items() if name != "allocatable"}

        new = {each["name"]: fixed(each) for each in obj["spec"].get("drivers") or ()}
        errors: list[FieldError] = []
        for driver in old["spec"].get("drivers") or ():
            wanted = new.get(driver["name"])
            if wanted is not None and wanted != fixed(driver):
                shown = go_struct("storage.v1.CSINodeDriver", wanted)
                errors.append(FieldError.invalid("spec.drivers", shown, "field is immutable"))
        return errors


class CSIStorageCapacity(Strategy):
    allow_unconditional_update = False

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        errors: list[FieldError] = []
        for member in ("nodeTopology", "storageClassName"):
            errors += self.unchanged(obj.get(member), old.get(member), member)
        return errors

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        return selector_warnings("nodeTopology", obj.get("nodeTopology"))


STRATEGIES: dict[str, type[Strategy]] = {
    "storage.k8s.io/csidrivers": CSIDriver,
    "storage.k8s.io/csinodes": CSINode,
    "storage.k8s.io/csistoragecapacities": CSIStorageCapacity,
    "storage.k8s.io/storageclasses": StorageClass,
    "storage.k8s.io/volumeattachments": VolumeAttachment,
    "storage.k8s.io/volumeattributesclasses": VolumeAttributesClass,
}
