"""How a webhook is reached: by its URL, or by a Service.

Source: apiserver's pkg/util/webhook/validation.go.
"""

from urllib.parse import urlsplit

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import is_dns1123_subdomain, is_port_number
from kajitori.apis.validation.checks import Errors

__all__ = ["check_webhook_client"]

_FORM = "; desired format: https://host[/path]"


def check_webhook_client(client: JsonObject, path: str, errors: Errors) -> None:
    """A `clientConfig`."""
    url, service = client.get("url"), client.get("service")
    if (url is None) == (service is None):
        errors.append(FieldError.required(path, "exactly one of url or service is required"))
    elif url is not None:
        _check_url(url, f"{path}.url", errors)
    else:
        _check_service(service or {}, f"{path}.service", errors)


def _check_url(url: str, path: str, errors: Errors) -> None:
    try:
        parts = urlsplit(url)
    except ValueError as problem:
        errors.append(FieldError.required(path, f"url must be a valid URL: {problem}{_FORM}"))
        return
    if parts.scheme != "https":
        told = f"'https' is the only allowed URL scheme{_FORM}"
        errors.append(FieldError.invalid(path, parts.scheme, told))
    user, at, host = parts.netloc.rpartition("@")
    if not host:
        errors.append(FieldError.invalid(path, host, f"host must be specified{_FORM}"))
    for text, given, what in (
        (user, at, "user information is"),
        (parts.fragment, parts.fragment, "fragments are"),
        (parts.query, parts.query, "query parameters are"),
    ):
        if given:
            errors.append(FieldError.invalid(path, text, f"{what} not permitted in the URL"))


def _check_service(service: JsonObject, path: str, errors: Errors) -> None:
    # Kubernetes hands name and namespace over in the wrong order, and complains about the other one.
    for member, other in (("name", "namespace"), ("namespace", "name")):
        if not service.get(other):
            errors.append(FieldError.required(f"{path}.{member}"))
    port = service.get("port", 0)
    if problems := is_port_number(port):
        told = f"port is not valid: {', '.join(problems)}"
        errors.append(FieldError.invalid(f"{path}.port", port, told))
    _check_path(service.get("path") or "", f"{path}.path", errors)


def _check_path(text: str, path: str, errors: Errors) -> None:
    if text in ("", "/"):
        return
    if text == "//":
        errors.append(FieldError.invalid(path, text, "segment[0] may not be empty"))
        return
    if not text.startswith("/"):
        errors.append(FieldError.invalid(path, text, "must start with a '/'"))
    for index, step in enumerate(text[1:].removesuffix("/").split("/")):
        if not step:
            errors.append(FieldError.invalid(path, text, f"segment[{index}] may not be empty"))
            continue
        errors += [
            FieldError.invalid(path, text, f"segment[{index}]: {told}") for told in is_dns1123_subdomain(step)
        ]
