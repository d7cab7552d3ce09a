"""Names of those who sign certificates: a domain, a slash and a path.

Source: ValidateSignerName in pkg/apis/core/validation/names.go.
"""

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.validation import is_dns1123_label, is_dns1123_subdomain
from kajitori.apis.validation.checks import Errors

__all__ = ["check_signer_name", "is_kubernetes_signer"]

_DOMAIN_BYTES_MAX = 253
_NAME_BYTES_MAX = 571
"""A domain, a slash, the name of a namespace, a dot and the name of an object."""


def is_kubernetes_signer(name: str) -> bool:
    host = name.partition("/")[0]
    return host == "kubernetes.io" or host.endswith(".kubernetes.io")


def check_signer_name(name: str, path: str, errors: Errors) -> None:
    if not name:
        errors.append(FieldError.required(path))
        return
    parts = name.split("/")
    if len(parts) != 2:
        told = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        errors.append(FieldError.invalid(path, name, told))
        return
    domain, rest = parts
    if len(domain.encode()) > _DOMAIN_BYTES_MAX:
        errors.append(FieldError.too_long(path, "", _DOMAIN_BYTES_MAX))
    labels = domain.split(".")
    for text, pieces, judge in (
        (domain, labels, is_dns1123_label),
        (rest, rest.split("."), is_dns1123_subdomain),
    ):
        for piece in pieces:
            if problems := judge(piece):
                errors += [
                    FieldError.invalid(path, text, f"validating label {go_quote(piece)}: {told}")
                    for told in problems
                ]
                break
        if text is domain and len(labels) < 2:
            told = "should be a domain with at least two segments separated by dots"
            errors.append(FieldError.invalid(path, domain, told))
    if len(name.encode()) > _NAME_BYTES_MAX:
        errors.append(FieldError.too_long(path, "", _NAME_BYTES_MAX))
