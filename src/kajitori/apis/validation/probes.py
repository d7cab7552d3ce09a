"""Probes and lifecycle hooks: what is done to a container to learn how it is, or to tell it something.

Source: validateProbe, validateHandler and validateLifecycle in pkg/apis/core/validation.
"""

from collections.abc import Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import is_http_header_name
from kajitori.apis.validation.checks import (
    Errors,
    check_enum,
    check_not_negative,
    check_port,
    check_port_or_name,
)

__all__ = ["check_lifecycle", "check_probes"]

_NUMBERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_SCHEMES = ("HTTP", "HTTPS")
_ONE_TYPE = "may not specify more than 1 handler type"


def check_probes(container: JsonObject, grace_seconds: int | None, path: str, errors: Errors) -> None:
    """All probes of a container; `grace_seconds` is how long its Pod may take to stop."""
    for member in _PROBES:
        probe = container.get(member)
        if probe is not None:
            _check_probe(probe, member, grace_seconds, path, errors)


def _check_probe(
    probe: JsonObject, member: str, grace_seconds: int | None, path: str, errors: Errors
) -> None:
    here = f"{path}.{member}"
    _check_handler(probe, grace_seconds, here, errors)
    for name in _NUMBERS:
        if probe.get(name, 0) < 0:
            check_not_negative(probe[name], f"{here}.{name}", errors)
    seconds = probe.get("terminationGracePeriodSeconds")
    if seconds is not None and seconds <= 0:
        told = "must be greater than 0"
        errors.append(FieldError.invalid(f"{here}.terminationGracePeriodSeconds", seconds, told))
    if member == "readinessProbe":
        if seconds is not None:
            told = "must not be set for readinessProbes"
            errors.append(FieldError.invalid(f"{here}.terminationGracePeriodSeconds", seconds, told))
    elif probe.get("successThreshold", 0) != 1:
        threshold = probe.get("successThreshold", 0)
        errors.append(FieldError.invalid(f"{here}.successThreshold", threshold, "must be 1"))


def _check_handler(handler: JsonObject, grace_seconds: int | None, path: str, errors: Errors) -> None:
    first = ""
    for member in _HANDLERS:
        if member not in handler:
            continue
        if first:
            errors.append(FieldError.forbidden(f"{path}.{member}", _ONE_TYPE))
            continue
        first = member
        action = handler[member]
        if member == "httpGet":
            _check_http_get(action, f"{path}.httpGet", errors)
        elif member == "exec":
            if not action.get("command"):
                errors.append(FieldError.required(f"{path}.exec.command"))
        elif member == "tcpSocket":
            check_port_or_name(action.get("port", 0), f"{path}.tcpSocket.port", errors)
        elif member == "grpc":
            check_port(action.get("port", 0), f"{path}.grpc.port", errors)
        else:
            seconds = action.get("seconds", 0)
            if grace_seconds is not None and not 0 <= seconds <= grace_seconds:
                told = f"must be non-negative and less than terminationGracePeriodSeconds ({grace_seconds})"
                errors.append(FieldError.invalid(f"{path}.sleep", seconds, told))
    if not first:
        errors.append(FieldError.required(path, "must specify a handler type"))


def _check_http_get(action: JsonObject, path: str, errors: Errors) -> None:
    port = action.get("port", 0)
    if not action.get("path"):
        errors.append(FieldError.required(f"{path}.path"))
    check_port_or_name(port, f"{path}.port", errors)
    check_enum(action.get("scheme", ""), _SCHEMES, f"{path}.scheme", errors)
    headers: Sequence[JsonObject] = action.get("httpHeaders") or ()
    for header in headers:
        name = header.get("name", "")
        errors += [
            FieldError.invalid(f"{path}.httpHeaders", name, told) for told in is_http_header_name(name)
        ]


_SIGNALS_LINUX = (
    "SIGABRT", "SIGALRM", "SIGBUS", "SIGCHLD", "SIGCLD", "SIGCONT", "SIGFPE", "SIGHUP", "SIGILL", "SIGINT",
    "SIGIO", "SIGIOT", "SIGKILL", "SIGPIPE", "SIGPOLL", "SIGPROF", "SIGPWR", "SIGQUIT", "SIGRTMAX",
    *(f"SIGRTMAX-{number}" for number in (1, 10, 11, 12, 13, 14, 2, 3, 4, 5, 6, 7, 8, 9)), "SIGRTMIN",
    *(f"SIGRTMIN+{number}" for number in (1, 10, 11, 12, 13, 14, 15, 2, 3, 4, 5, 6, 7, 8, 9)), "SIGSEGV",
    "SIGSTKFLT", "SIGSTOP", "SIGSYS", "SIGTERM", "SIGTRAP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG",
    "SIGUSR1", "SIGUSR2", "SIGVTALRM", "SIGWINCH", "SIGXCPU", "SIGXFSZ",
)  # fmt: skip
_SIGNALS = {"linux": _SIGNALS_LINUX, "windows": ("SIGKILL", "SIGTERM")}


def check_lifecycle(
    lifecycle: JsonObject, grace_seconds: int | None, system: str | None, path: str, errors: Errors
) -> None:
    """Hooks and the stop signal of a container; `system` is the name in `spec.os`, None without one."""
    for member in ("postStart", "preStop"):
        if member in lifecycle:
            _check_handler(lifecycle[member], grace_seconds, f"{path}.{member}", errors)
    signal = lifecycle.get("stopSignal")
    if signal is None:
        return
    if system is None:
        told = "may not be set for containers with empty `spec.os.name`"
        errors.append(FieldError.forbidden(f"{path}.stopSignal", told))
    elif system in _SIGNALS:
        check_enum(signal, _SIGNALS[system], f"{path}.stopSignal", errors)
