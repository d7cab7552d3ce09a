"""ConfigMaps, Secrets, ServiceAccounts and Namespaces: simple things with names and sizes.

Source: ValidateConfigMap, ValidateSecret, ValidateNamespace in pkg/apis/core/validation.
"""

import binascii
import json
from collections.abc import Mapping

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.json_syntax import syntax_error
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import is_config_map_key, is_qualified_name
from kajitori.apis.validation.checks import Errors
from kajitori.apis.validation.validator import Validator, same_rules

__all__ = ["VALIDATORS"]

_DATA_BYTES_MAX = 1024 * 1024
_REDACTED = "<secret contents redacted>"
_ACCOUNT_NAME = "kubernetes.io/service-account.name"
_STANDARD_FINALIZERS = ("foregroundDeletion", "kubernetes", "orphan")


def _decoded_size(text: str) -> int:
    """How many bytes a base64 text stands for."""
    return len(text) // 4 * 3 - text[-2:].count("=")


def _text_size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def _check_config_map(obj: JsonObject, errors: Errors) -> None:
    data: Mapping[str, str] = obj.get("data") or {}
    binary: Mapping[str, str] = obj.get("binaryData") or {}
    size = 0
    for key, value in data.items():
        errors += [FieldError.invalid(f"data[{key}]", key, told) for told in is_config_map_key(key)]
        if key in binary:
            told = "duplicate of key present in binaryData"
            errors.append(FieldError.invalid(f"data[{key}]", key, told))
        size += _text_size(value)
    for key, value in binary.items():
        errors += [FieldError.invalid(f"binaryData[{key}]", key, told) for told in is_config_map_key(key)]
        size += _decoded_size(value or "")
    if size > _DATA_BYTES_MAX:
        # The object as a whole has no path; so Kubernetes writes one of no elements.
        errors.append(FieldError.too_long("[]", "", _DATA_BYTES_MAX))


def _check_secret(obj: JsonObject, errors: Errors) -> None:
    data: Mapping[str, str] = obj.get("data") or {}
    size = 0
    for key, value in data.items():
        errors += [FieldError.invalid(f"data[{key}]", key, told) for told in is_config_map_key(key)]
        size += _decoded_size(value or "")
    if size > _DATA_BYTES_MAX:
        errors.append(FieldError.too_long("data", "", _DATA_BYTES_MAX))
    kind = obj.get("type", "")
    if kind == "kubernetes.io/service-account-token":
        if not (obj["metadata"].get("annotations") or {}).get(_ACCOUNT_NAME):
            errors.append(FieldError.required(f"metadata.annotations[{_ACCOUNT_NAME}]"))
    elif kind in _JSON_KEYS:
        _check_json(data, _JSON_KEYS[kind], errors)
    elif kind == "kubernetes.io/basic-auth":
        if "username" not in data and "password" not in data:
            errors.append(FieldError.required("data[username]"))
            errors.append(FieldError.required("data[password]"))
    elif kind == "kubernetes.io/ssh-auth":
        if not data.get("ssh-privatekey"):
            errors.append(FieldError.required("data[ssh-privatekey]"))
    elif kind == "kubernetes.io/tls":
        for key in ("tls.crt", "tls.key"):
            if key not in data:
                errors.append(FieldError.required(f"data[{key}]"))


_JSON_KEYS = {
    "kubernetes.io/dockercfg": ".dockercfg",
    "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
}
_GO_TYPES = {list: "array", str: "string", bool: "bool", int: "number", float: "number"}


def _check_json(data: Mapping[str, str], key: str, errors: Errors) -> None:
    if key not in data:
        errors.append(FieldError.required(f"data[{key}]"))
        return
    text = binascii.a2b_base64(data[key] or "")
    problem = syntax_error(text)
    if problem is None:
        value = json.loads(text.decode("utf-8", "replace"))
        if value is None or isinstance(value, dict):
            return
        kind = _GO_TYPES[type(value)]
        problem = f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
    errors.append(FieldError.invalid(f"data[{key}]", _REDACTED, problem))


def _check_finalizer(name: str, path: str, errors: Errors) -> None:
    errors += [FieldError.invalid(path, name, told) for told in is_qualified_name(name)]
    if "/" not in name and name not in _STANDARD_FINALIZERS:
        told = "name is neither a standard finalizer name nor is it fully qualified"
        errors.append(FieldError.invalid(path, name, told))


def _create_namespace(obj: JsonObject, errors: Errors) -> None:
    for name in (obj.get("spec") or {}).get("finalizers") or ():
        _check_finalizer(name, "spec.finalizers", errors)


def _update_namespace(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    if subresource == "finalize":
        for index, name in enumerate((obj.get("spec") or {}).get("finalizers") or ()):
            _check_finalizer(name, f"spec.finalizers[{index}]", errors)


VALIDATORS = {
    "configmaps": same_rules(_check_config_map),
    "namespaces": Validator(_create_namespace, _update_namespace),
    "secrets": same_rules(_check_secret),
}
