"""Projected volumes: files out of secrets, configuration, the Pod's own fields, tokens and certificates.

Source: validateProjectionSources and the downward API's checks in pkg/apis/core/validation.
"""

import re
from collections.abc import Collection, Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import parse_quantity
from kajitori.apimachinery.validation import is_dns1123_subdomain
from kajitori.apis.validation.checks import Errors, check_label_selector, check_qualified_name
from kajitori.apis.validation.go_values import go_struct
from kajitori.apis.validation.paths import check_file_mode, check_key_path, check_local_path
from kajitori.apis.validation.signers import check_signer_name, is_kubernetes_signer

__all__ = [
    "ENVIRONMENT_FIELDS",
    "check_downward_files",
    "check_field_reference",
    "check_projected",
    "check_resource_reference",
]

ENVIRONMENT_FIELDS = frozenset(
    {
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    }
)
_FILE_FIELDS = frozenset(
    {"metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"}
)
_CONVERTIBLE = (
    ENVIRONMENT_FIELDS | _FILE_FIELDS | {"spec.restartPolicy", "spec.schedulerName", "status.phase"}
)
_RESOURCES = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)
_HUGE_PAGES = ("limits.hugepages-", "requests.hugepages-")
_subscript = re.compile(r"(.+?)\['(.*)'\]", re.DOTALL).fullmatch


def check_field_reference(
    reference: JsonObject, supported: Collection[str], path: str, errors: Errors
) -> None:
    """A field of the Pod itself."""
    version, field = reference.get("apiVersion", ""), reference.get("fieldPath", "")
    if version == "v1" and field in supported:
        return
    for member in ("apiVersion", "fieldPath"):
        if not reference.get(member):
            errors.append(FieldError.required(f"{path}.{member}"))
            return
    found = _subscript(field)
    whole = found.group(1) if found else field
    problem = ""
    if version != "v1":
        problem = f"unsupported pod version: {version}"
    elif found:
        if whole not in ("metadata.annotations", "metadata.labels"):
            problem = f"field label does not support subscript: {field}"
    elif field == "spec.host":
        field = whole = "spec.nodeName"
    elif field not in _CONVERTIBLE:
        problem = f"field label not supported: {field}"
    if problem:
        told = f"error converting fieldPath: {problem}"
        errors.append(FieldError.invalid(f"{path}.fieldPath", field, told))
    elif found:
        key = found.group(2)
        check_qualified_name(key.lower() if whole == "metadata.annotations" else key, path, errors)
    elif field not in supported:
        errors.append(FieldError.not_supported(f"{path}.fieldPath", field, sorted(supported)))


_CPU_DIVISORS = frozenset({"1m", "1"})
_BYTES_DIVISORS = frozenset(
    {"1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"}
)


def check_resource_reference(reference: JsonObject, path: str, errors: Errors, *, in_volume: bool) -> None:
    """What a container asks for or is limited to."""
    resource = reference.get("resource", "")
    if in_volume and not reference.get("containerName"):
        errors.append(FieldError.required(f"{path}.containerName"))
    elif not resource:
        errors.append(FieldError.required(f"{path}.resource"))
    elif resource not in _RESOURCES and not resource.startswith(_HUGE_PAGES):
        errors.append(FieldError.not_supported(f"{path}.resource", resource, _RESOURCES))
    divisor = reference.get("divisor", "0")
    if not parse_quantity(divisor).unscaled:
        return
    if resource in ("limits.cpu", "requests.cpu"):
        if divisor not in _CPU_DIVISORS:
            told = "only divisor's values 1m and 1 are supported with the cpu resource"
            errors.append(FieldError.invalid(f"{path}.divisor", resource, told))
        return
    what = {
        "memory": "memory",
        "ephemeral-storage": "local ephemeral storage",
    }.get(resource.partition(".")[2], "hugepages" if resource.startswith(_HUGE_PAGES) else "")
    if what and divisor not in _BYTES_DIVISORS:
        told = (
            "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported "
            f"with the {what} resource"
        )
        errors.append(FieldError.invalid(f"{path}.divisor", resource, told))


def check_downward_files(items: Sequence[JsonObject], path: str, errors: Errors) -> None:
    """Files out of the Pod's own fields; Kubernetes does not say which of them is wrong."""
    for item in items:
        file = item.get("path", "")
        if not file:
            errors.append(FieldError.required(f"{path}.path"))
        check_local_path(file, f"{path}.path", errors)
        if "fieldRef" in item:
            check_field_reference(item["fieldRef"], _FILE_FIELDS, f"{path}.fieldRef", errors)
            if "resourceFieldRef" in item:
                told = "fieldRef and resourceFieldRef can not be specified simultaneously"
                errors.append(FieldError.invalid(path, "resource", told))
        elif "resourceFieldRef" in item:
            here = f"{path}.resourceFieldRef"
            check_resource_reference(item["resourceFieldRef"], here, errors, in_volume=True)
        else:
            told = "one of fieldRef and resourceFieldRef is required"
            errors.append(FieldError.required(path, told))
        check_file_mode(item.get("mode"), f"{path}.mode", errors)


_TOKEN_SECONDS_MIN = 600
_TOKEN_SECONDS_MAX = 1 << 32


class _Files:
    """The files that a projected volume has so far: no two sources may make the same one."""

    def __init__(self, path: str, errors: Errors) -> None:
        self._path = path
        self._errors = errors
        self._seen: set[str] = set()

    def add(self, file: str, shown: str) -> None:
        if file in self._seen:
            self._errors.append(FieldError.invalid(self._path, shown, "conflicting duplicate paths"))
        self._seen.add(file)


def check_projected(source: JsonObject, path: str, errors: Errors) -> None:
    check_file_mode(source.get("defaultMode"), f"{path}.defaultMode", errors)
    files = _Files(path, errors)
    sources: Sequence[JsonObject] = source.get("sources") or ()
    for index, projection in enumerate(sources):
        here = f"{path}.sources[{index}]"
        for member in ("secret", "configMap"):
            part = projection.get(member)
            if part is None:
                continue
            if not part.get("name"):
                errors.append(FieldError.required(f"{here}.{member}.name"))
            for place, item in enumerate(part.get("items") or ()):
                check_key_path(item, f"{here}.{member}.items[{place}]", errors)
                if item.get("path"):
                    files.add(item["path"], part.get("name", ""))
        downward: JsonObject = projection.get("downwardAPI") or {}
        for item in downward.get("items") or ():
            check_downward_files([item], f"{here}.downwardAPI", errors)
            if item.get("path"):
                files.add(item["path"], item["path"])
        if "serviceAccountToken" in projection:
            _check_token(projection["serviceAccountToken"], path, here, errors)
        if "clusterTrustBundle" in projection:
            _check_trust_bundle(projection["clusterTrustBundle"], f"{here}.clusterTrustBundle", files, errors)
        if "podCertificate" in projection:
            _check_certificate(projection["podCertificate"], f"{here}.podCertificate", files, errors)
        if len(projection) > 1:
            told = "may not specify more than 1 volume type per source"
            errors.append(FieldError.forbidden(here, told))


def _check_token(token: JsonObject, path: str, source_path: str, errors: Errors) -> None:
    here = f"{source_path}.serviceAccountToken.expirationSeconds"
    seconds = token.get("expirationSeconds", 0)
    if seconds < _TOKEN_SECONDS_MIN:
        told = "may not specify a duration less than 10 minutes"
        errors.append(FieldError.invalid(here, seconds, told))
    if seconds > _TOKEN_SECONDS_MAX:
        told = "may not specify a duration larger than 2^32 seconds"
        errors.append(FieldError.invalid(here, seconds, told))
    # Kubernetes complains about the file at the volume, not at its source.
    if not token.get("path"):
        errors.append(FieldError.required(f"{path}.path"))
    else:
        check_local_path(token["path"], f"{path}.path", errors)


def _check_trust_bundle(bundle: JsonObject, path: str, files: _Files, errors: Errors) -> None:
    name, signer = bundle.get("name"), bundle.get("signerName")
    selector = bundle.get("labelSelector")
    if name is not None and signer is not None:
        shown = go_struct("core.v1.ClusterTrustBundleProjection", bundle)
        told = "only one of name and signerName may be used"
        errors.append(FieldError.invalid(path, shown, told))
    elif name is not None:
        if not name:
            errors.append(FieldError.required(f"{path}.name", "must be a valid object name"))
        for told in _bundle_name_problems(name):
            detail = f"not a valid clustertrustbundlename: {told}"
            errors.append(FieldError.invalid(f"{path}.name", name, detail))
        if selector is not None:
            told = "labelSelector must be unset if name is specified"
            errors.append(FieldError.invalid(f"{path}.labelSelector", selector, told))
    elif signer is not None:
        if not signer:
            errors.append(FieldError.required(f"{path}.signerName", "must be a valid signer name"))
        check_signer_name(signer, f"{path}.signerName", errors)
        check_label_selector(selector, f"{path}.labelSelector", errors)
    else:
        errors.append(FieldError.required(path, "either name or signerName must be specified"))
    file = bundle.get("path", "")
    if not file:
        errors.append(FieldError.required(f"{path}.path"))
    check_local_path(file, f"{path}.path", errors)
    files.add(file, file)


def _bundle_name_problems(name: str) -> list[str]:
    # The signer is the name up to the last colon, so it always has the prefix that its signer asks for.
    return is_dns1123_subdomain(name.rpartition(":")[2])


_KEY_TYPES = ("RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519")
_LIFETIME_SECONDS_MIN = 3600
_LIFETIME_SECONDS_MAX = 91 * 24 * 3600
_KUBERNETES_LIFETIME_SECONDS_MAX = 24 * 3600


def _check_certificate(certificate: JsonObject, path: str, files: _Files, errors: Errors) -> None:
    signer, key_type = certificate.get("signerName", ""), certificate.get("keyType", "")
    check_signer_name(signer, f"{path}.signerName", errors)
    if key_type not in _KEY_TYPES:
        errors.append(FieldError.not_supported(f"{path}.keyType", key_type, _KEY_TYPES))
    seconds = certificate.get("maxExpirationSeconds")
    if seconds is not None:
        here = f"{path}.maxExpirationSeconds"
        if seconds < _LIFETIME_SECONDS_MIN:
            told = f"if provided, maxExpirationSeconds must be >= {_LIFETIME_SECONDS_MIN}"
            errors.append(FieldError.invalid(here, seconds, told))
        own = is_kubernetes_signer(signer)
        longest = _KUBERNETES_LIFETIME_SECONDS_MAX if own else _LIFETIME_SECONDS_MAX
        if seconds > longest:
            told = f"if provided, maxExpirationSeconds must be <= {longest}"
            errors.append(FieldError.invalid(here, seconds, told))
    named = [each for each in _CERTIFICATE_FILES if certificate.get(each)]
    for member in named:
        check_local_path(certificate[member], f"{path}.{member}", errors)
        files.add(certificate[member], certificate[member])
    if not named:
        told = "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"
        errors.append(FieldError.required(path, told))


_CERTIFICATE_FILES = ("credentialBundlePath", "keyPath", "certificateChainPath")
