"""The volumes of a Pod: each has a name of its own and exactly one source.

Source: ValidateVolumes and validateVolumeSource in pkg/apis/core/validation.
"""

from collections.abc import Mapping, Sequence

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import parse_quantity
from kajitori.apimachinery.validation import is_dns1123_subdomain
from kajitori.apis.validation import volume_sources as sources
from kajitori.apis.validation.checks import Errors, check_enum, check_label, is_label
from kajitori.apis.validation.claims import check_claim_template
from kajitori.apis.validation.paths import check_file_mode, check_key_path
from kajitori.apis.validation.projections import check_downward_files, check_projected
from kajitori.apis.validation.volume_sources import SourceCheck, requires

__all__ = ["check_volumes"]

_ONE_TYPE = "may not specify more than 1 volume type"


def _check_empty_dir(source: JsonObject, path: str, errors: Errors) -> None:
    limit = source.get("sizeLimit")
    if limit is not None and parse_quantity(limit).unscaled < 0:
        told = "SizeLimit field must be a valid resource quantity"
        errors.append(FieldError.forbidden(f"{path}.sizeLimit", told))


def _check_named_files(source: JsonObject, member: str, path: str, errors: Errors) -> None:
    if not source.get(member):
        errors.append(FieldError.required(f"{path}.{member}"))
    mode = source.get("defaultMode")
    if mode is not None and not 0 <= mode <= 0o777:
        check_file_mode(mode, f"{path}.defaultMode", errors)
    for index, item in enumerate(source.get("items") or ()):
        check_key_path(item, f"{path}.items[{index}]", errors)


def _check_secret(source: JsonObject, path: str, errors: Errors) -> None:
    _check_named_files(source, "secretName", path, errors)


def _check_config_map(source: JsonObject, path: str, errors: Errors) -> None:
    _check_named_files(source, "name", path, errors)


def _check_downward_api(source: JsonObject, path: str, errors: Errors) -> None:
    check_file_mode(source.get("defaultMode"), f"{path}.defaultMode", errors)
    check_downward_files(source.get("items") or (), path, errors)


def _check_ephemeral(source: JsonObject, path: str, errors: Errors) -> None:
    template = source.get("volumeClaimTemplate")
    if template is None:
        errors.append(FieldError.required(f"{path}.volumeClaimTemplate"))
    else:
        check_claim_template(template, f"{path}.volumeClaimTemplate", errors)


def _check_image(source: JsonObject, path: str, errors: Errors) -> None:
    if not source.get("reference"):
        errors.append(FieldError.required(f"{path}.reference"))
    policy = source.get("pullPolicy", "")
    if not policy:
        errors.append(FieldError.required(f"{path}.pullPolicy"))
    else:
        check_enum(policy, ("Always", "IfNotPresent", "Never"), f"{path}.pullPolicy", errors)


_SOURCES: Mapping[str, tuple[str, str, SourceCheck]] = {
    # In Kubernetes' order: where a second source is complained about, where the first, and how it is checked.
    "emptyDir": ("emptyDir", "emptyDir", _check_empty_dir),
    "hostPath": ("hostPath", "hostPath", sources.check_host_path),
    "gitRepo": ("gitRepo", "gitRepo", sources.check_git_repo),
    "gcePersistentDisk": ("gcePersistentDisk", "persistentDisk", sources.check_gce_disk),
    "awsElasticBlockStore": ("awsElasticBlockStore", "awsElasticBlockStore", sources.check_aws_disk),
    "secret": ("secret", "secret", _check_secret),
    "nfs": ("nfs", "nfs", sources.check_nfs),
    "iscsi": ("iscsi", "iscsi", sources.check_iscsi),
    "glusterfs": ("glusterfs", "glusterfs", sources.check_glusterfs),
    "flocker": ("flocker", "flocker", sources.check_flocker),
    "persistentVolumeClaim": ("persistentVolumeClaim", "persistentVolumeClaim", requires("claimName")),
    "rbd": ("rbd", "rbd", requires("monitors", "image")),
    "cinder": ("cinder", "cinder", sources.check_cinder),
    "cephfs": ("cephFS", "cephfs", requires("monitors")),
    "quobyte": ("quobyte", "quobyte", sources.check_quobyte),
    "downwardAPI": ("downwarAPI", "downwardAPI", _check_downward_api),
    "fc": ("fc", "fc", sources.check_fibre_channel),
    "flexVolume": ("flexVolume", "flexVolume", sources.check_flex_volume),
    "configMap": ("configMap", "configMap", _check_config_map),
    "azureFile": ("azureFile", "azureFile", sources.check_azure_file),
    "vsphereVolume": ("vsphereVolume", "vsphereVolume", requires("volumePath")),
    "photonPersistentDisk": ("photonPersistentDisk", "photonPersistentDisk", requires("pdID")),
    "portworxVolume": ("portworxVolume", "portworxVolume", requires("volumeID")),
    "azureDisk": ("azureDisk", "azureDisk", sources.check_azure_disk),
    "storageos": ("storageos", "storageos", sources.check_storage_os),
    "projected": ("projected", "projected", check_projected),
    "scaleIO": ("scaleIO", "scaleIO", sources.check_scale_io),
    "csi": ("csi", "csi", sources.check_csi),
    "ephemeral": ("ephemeral", "ephemeral", _check_ephemeral),
    "image": ("image", "image", _check_image),
}
_ORDER = {member: index for index, member in enumerate(_SOURCES)}


def check_volumes(
    volumes: Sequence[JsonObject], pod_name: str, path: str, errors: Errors
) -> dict[str, JsonObject]:
    """The volumes that are fine, by name; `pod_name` is empty for templates and Pods without a name."""
    found: dict[str, JsonObject] = {}
    claims = {f"{pod_name}-{each['name']}" for each in volumes if pod_name and "ephemeral" in each}
    for index, volume in enumerate(volumes):
        before = len(errors)
        name = volume.get("name", "")
        _check_source(volume, name, pod_name, f"{path}[{index}]", errors)
        if not is_label(name):
            if not name:
                errors.append(FieldError.required(f"{path}[{index}].name"))
            else:
                check_label(name, f"{path}[{index}].name", errors)
        if name in found:
            errors.append(FieldError.duplicate(f"{path}[{index}].name", name))
        if len(errors) == before:
            found[name] = volume
        if claims and (claim := volume.get("persistentVolumeClaim")) and claim.get("claimName") in claims:
            told = "must not reference a PVC that gets created for an ephemeral volume"
            here = f"{path}[{index}].persistentVolumeClaim.claimName"
            errors.append(FieldError.invalid(here, claim["claimName"], told))
    return found


def _check_source(volume: JsonObject, name: str, pod_name: str, path: str, errors: Errors) -> None:
    members = [each for each in volume if each != "name"]
    if len(members) > 1:
        members.sort(key=_ORDER.__getitem__)
    if not members:
        errors.append(FieldError.required(path, "must specify a volume type"))
        return
    first, *others = members
    if first == "emptyDir" and not volume[first]:
        pass  # the common one says nothing that could be wrong
    else:
        _, told_at, check = _SOURCES[first]
        check(volume[first], f"{path}.{told_at}", errors)
    errors += [FieldError.forbidden(f"{path}.{_SOURCES[each][0]}", _ONE_TYPE) for each in others]
    if "iscsi" in volume and sources.is_iscsi_too_long(volume["iscsi"], name):
        errors.append(sources.iscsi_too_long(f"{path}.name", name))
    if first == "ephemeral" and pod_name and name:
        claim = f"{pod_name}-{name}"
        for told in is_dns1123_subdomain(claim):
            detail = f"PVC name {go_quote(claim)}: {told}"
            errors.append(FieldError.invalid(f"{path}.name", name, detail))
