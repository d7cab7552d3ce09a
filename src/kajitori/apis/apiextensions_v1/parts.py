"""What is wrong with the parts of a definition that are not schemas: names, columns, subresources, conversion.

Sits under the validation of definitions.

Promises
    J1  messages and paths are those of kube-apiserver, which names fields as its internal type does

Source: apiextensions' pkg/apis/apiextensions/validation, apiserver's pkg/util/webhook.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.structural.field_path import FieldPathError, resolve_field_path
from kajitori.apimachinery.validation import is_dns1035_label, is_dns1123_subdomain, is_port_number

__all__ = [
    "column_errors",
    "conversion_errors",
    "deprecation_errors",
    "enumeration_errors",
    "is_ca_bundle_valid",
    "is_recognized_review",
    "name_errors",
    "selectable_field_errors",
    "subresource_errors",
]

SELECTABLE_FIELDS_MAX = 8
DEPRECATION_WARNING_BYTES_MAX = 256

_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_REVIEW_VERSIONS = ("v1", "v1beta1")


def enumeration_errors(path: str, value: str, allowed: Iterable[str]) -> list[FieldError]:
    """A required text out of a few."""
    if not value:
        return [FieldError.required(path)]
    allowed = tuple(allowed)
    return [] if value in allowed else [FieldError.not_supported(path, value, allowed)]


def name_errors(names: Mapping[str, Any], path: str) -> list[FieldError]:
    """Names of a resource, as asked for or as accepted; that they are there is not asked here."""
    errors: list[FieldError] = []
    for name in ("plural", "singular"):
        errors += _label_errors(names.get(name) or "", f"{path}.{name}")
    for name in ("kind", "listKind"):
        text = names.get(name) or ""
        told = ",".join(is_dns1035_label(text.lower())) if text else ""
        if told:
            detail = f"may have mixed case, but should otherwise match: {told}"
            errors.append(FieldError.invalid(f"{path}.{name}", text, detail))
    for index, text in enumerate(names.get("shortNames") or ()):
        errors += _label_errors(text, f"{path}.shortNames[{index}]", is_optional=False)
    kind, list_kind = names.get("kind") or "", names.get("listKind") or ""
    if kind and kind == list_kind:
        detail = "kind and listKind may not be the same"
        errors.append(FieldError.invalid(f"{path}.listKind", list_kind, detail))
    for index, text in enumerate(names.get("categories") or ()):
        errors += _label_errors(text, f"{path}.categories[{index}]", is_optional=False)
    return errors


def _label_errors(text: str, path: str, *, is_optional: bool = True) -> list[FieldError]:
    told = is_dns1035_label(text) if text or not is_optional else []
    return [FieldError.invalid(path, text, ",".join(told))] if told else []


def deprecation_errors(version: Mapping[str, Any], path: str) -> list[FieldError]:
    warning = version.get("deprecationWarning")
    if warning is None:
        return []
    where = f"{path}.deprecationWarning"
    if not version.get("deprecated"):
        return [FieldError.invalid(where, warning, "can only be set for deprecated versions")]
    details: list[str] = []
    if len(warning.encode("utf-8", "replace")) > DEPRECATION_WARNING_BYTES_MAX:
        details.append(f"must be <= {DEPRECATION_WARNING_BYTES_MAX} characters long")
    if not warning:
        details.append("must not be an empty string")
    at = 0
    for character in warning:
        if not character.isprintable():
            told = f"non-printable character found at index {at}"
            details.append(f"must only contain printable UTF-8 characters; {told}")
            break
        at += len(character.encode("utf-8", "replace"))
    return [FieldError.invalid(where, warning, detail) for detail in details]


def column_errors(column: Mapping[str, Any], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if not column.get("name"):
        errors.append(FieldError.required(f"{path}.name"))
    kind, told = column.get("type") or "", f"must be one of {','.join(_COLUMN_TYPES)}"
    if not kind:
        errors.append(FieldError.required(f"{path}.type", told))
    elif kind not in _COLUMN_TYPES:
        errors.append(FieldError.invalid(f"{path}.type", kind, told))
    if column.get("format") and column["format"] not in _COLUMN_FORMATS:
        told = f"must be one of {','.join(_COLUMN_FORMATS)}"
        errors.append(FieldError.invalid(f"{path}.format", column["format"], told))
    json_path = column.get("jsonPath") or ""
    if not json_path:
        errors.append(FieldError.required(f"{path}.JSONPath"))
    return errors + _json_path_errors(json_path, f"{path}.JSONPath")


def _json_path_errors(json_path: str, path: str) -> list[FieldError]:
    if json_path and not json_path.startswith("."):
        return [FieldError.invalid(path, json_path, "must be a simple json path starting with .")]
    return []


def subresource_errors(subresources: Mapping[str, Any], path: str) -> list[FieldError]:
    scale = subresources.get("scale")
    if scale is None:
        return []
    errors: list[FieldError] = []
    for name, root in (("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")):
        where, json_path = f"{path}.scale.{name}", scale.get(name) or ""
        wrong = _json_path_errors(json_path, where)
        if not json_path:
            errors.append(FieldError.required(where))
        elif wrong:
            errors += wrong
        elif not json_path.startswith(root):
            detail = f"should be a json path under {root[:-1]}"
            errors.append(FieldError.invalid(where, json_path, detail))
    json_path = scale.get("labelSelectorPath") or ""
    where = f"{path}.scale.labelSelectorPath"
    wrong = _json_path_errors(json_path, where)
    if json_path and not wrong and not json_path.startswith((".spec.", ".status.")):
        detail = "should be a json path under either .spec or .status"
        wrong = [FieldError.invalid(where, json_path, detail)]
    return errors + wrong


def selectable_field_errors(
    fields: Iterable[Mapping[str, Any]], schema: Mapping[str, Any], path: str
) -> list[FieldError]:
    errors: list[FieldError] = []
    unique: set[tuple[str, ...]] = set()
    for index, field in enumerate(fields):
        where, json_path = f"{path}[{index}].jsonPath", field.get("jsonPath") or ""
        if not json_path:
            errors.append(FieldError.required(where))
            continue
        try:
            names, found = resolve_field_path(json_path, schema, allows_brackets=False)
        except FieldPathError as problem:
            errors.append(FieldError.invalid(where, json_path, f"is an invalid path: {problem}"))
            continue
        if names[0] == "metadata":
            errors.append(FieldError.invalid(where, json_path, "must not point to fields in metadata"))
        if found.get("type") not in ("string", "boolean", "integer"):
            detail = (
                "must point to a field of type string, boolean or integer. "
                "Enum string fields and strings with formats are allowed."
            )
            errors.append(FieldError.invalid(where, json_path, detail))
        if names in unique:
            errors.append(FieldError.duplicate(where, json_path))
        unique.add(names)
    if len(unique) > SELECTABLE_FIELDS_MAX:
        errors.append(FieldError.too_many(path, len(unique), SELECTABLE_FIELDS_MAX))
    return errors


def is_recognized_review(versions: Iterable[str]) -> bool:
    """Whether a webhook speaks a version of ConversionReview that we do."""
    return any(each in _REVIEW_VERSIONS for each in versions)


def conversion_errors(
    conversion: Mapping[str, Any], path: str, *, requires_recognized: bool, allows_invalid_ca: bool
) -> list[FieldError]:
    strategy = conversion.get("strategy") or ""
    errors = enumeration_errors(f"{path}.strategy", strategy, ("None", "Webhook"))
    webhook = conversion.get("webhook") or {}
    config, versions = webhook.get("clientConfig"), webhook.get("conversionReviewVersions") or []
    if strategy != "Webhook":
        detail = "should not be set when strategy is not set to Webhook"
        if config is not None:
            errors.append(FieldError.forbidden(f"{path}.webhookClientConfig", detail))
        if versions:
            errors.append(FieldError.forbidden(f"{path}.conversionReviewVersions", detail))
        return errors
    where = f"{path}.webhookClientConfig"
    if config is None:
        errors.append(FieldError.required(where, "required when strategy is set to Webhook"))
    else:
        errors += _client_errors(config, where)
        bundle = config.get("caBundle") or ""
        if bundle and not allows_invalid_ca and not is_ca_bundle_valid(bundle):
            detail = "unable to load root certificates: unable to parse bytes as PEM block"
            errors.append(FieldError.invalid(f"{where}.caBundle", bundle, detail))
    return errors + _review_errors(versions, f"{path}.conversionReviewVersions", requires_recognized)


def _client_errors(config: Mapping[str, Any], path: str) -> list[FieldError]:
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        return [FieldError.required(path, "exactly one of url or service is required")]
    if service is not None:
        return _service_errors(service, f"{path}.service")
    return _url_errors(url or "", f"{path}.url")


def _url_errors(url: str, path: str) -> list[FieldError]:
    form = "; desired format: https://host[/path]"
    try:
        parts = urlsplit(url)
    except ValueError as problem:
        return [FieldError.required(path, f"url must be a valid URL: {problem}{form}")]
    errors: list[FieldError] = []
    if parts.scheme != "https":
        detail = f"'https' is the only allowed URL scheme{form}"
        errors.append(FieldError.invalid(path, parts.scheme, detail))
    user, at, host = parts.netloc.rpartition("@")
    if not host:
        errors.append(FieldError.invalid(path, host, f"host must be specified{form}"))
    if at:
        errors.append(FieldError.invalid(path, user, "user information is not permitted in the URL"))
    if parts.fragment:
        detail = "fragments are not permitted in the URL"
        errors.append(FieldError.invalid(path, parts.fragment, detail))
    if parts.query:
        detail = "query parameters are not permitted in the URL"
        errors.append(FieldError.invalid(path, parts.query, detail))
    return errors


def _service_errors(service: Mapping[str, Any], path: str) -> list[FieldError]:
    # Kubernetes hands name and namespace over in the wrong order, and complains about the other one.
    other = {"name": "namespace", "namespace": "name"}
    errors = [FieldError.required(f"{path}.{name}") for name in other if not service.get(other[name])]
    port = service.get("port", 443)
    if told := is_port_number(port):
        detail = f"port is not valid: {', '.join(told)}"
        errors.append(FieldError.invalid(f"{path}.port", port, detail))
    url_path, where = service.get("path") or "", f"{path}.path"
    if url_path in ("", "/"):
        return errors
    if url_path == "//":
        return [*errors, FieldError.invalid(where, url_path, "segment[0] may not be empty")]
    if not url_path.startswith("/"):
        errors.append(FieldError.invalid(where, url_path, "must start with a '/'"))
    for index, step in enumerate(url_path[1:].removesuffix("/").split("/")):
        if not step:
            errors.append(FieldError.invalid(where, url_path, f"segment[{index}] may not be empty"))
            continue
        for told_one in is_dns1123_subdomain(step):
            errors.append(FieldError.invalid(where, url_path, f"segment[{index}]: {told_one}"))
    return errors


def _review_errors(versions: list[str], path: str, requires_recognized: bool) -> list[FieldError]:
    if not versions:
        return [FieldError.required(path)]
    errors: list[FieldError] = []
    for index, version in enumerate(versions):
        if version in versions[:index]:
            errors.append(FieldError.invalid(f"{path}[{index}]", version, "duplicate version"))
            continue
        told_all = is_dns1035_label(version)
        errors += [FieldError.invalid(f"{path}[{index}]", version, told) for told in told_all]
    if requires_recognized and not is_recognized_review(versions):
        detail = f"must include at least one of {', '.join(_REVIEW_VERSIONS)}"
        errors.append(FieldError.invalid(path, versions, detail))
    return errors


def is_ca_bundle_valid(bundle: str) -> bool:
    """Whether the base64 text of a PEM bundle holds certificates."""
    import base64

    from cryptography import x509  # large; only definitions with a webhook need it

    try:
        return bool(x509.load_pem_x509_certificates(base64.b64decode(bundle)))
    except ValueError:
        return False
