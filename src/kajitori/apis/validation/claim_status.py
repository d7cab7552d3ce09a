"""What became of a claim on devices: what was given, to whom, and how that is.

Source: validateResourceClaimStatusUpdate in pkg/apis/resource/validation.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.addresses import parse_network
from kajitori.apis.validation.checks import Errors, check_label, check_required_enum
from kajitori.apis.validation.conditions import check_conditions
from kajitori.apis.validation.device_names import (
    check_binding_conditions,
    check_device_name,
    check_driver_name,
    check_object,
    check_pool_name,
    check_short,
    check_tolerations,
    check_uid,
)
from kajitori.apis.validation.node_selection import check_node_selector

__all__ = ["RequestNames", "check_claim_status", "check_request_reference"]

RequestNames = Mapping[str, AbstractSet[str]]
"""The names of the requests of a claim to those of their alternatives."""

_USERS_MAX = 256
_RESULTS_MAX = 32
_REQUESTS_MAX = 32
_CONFIGURATIONS_MAX = 64
_CONDITIONS_MAX = 8
_DATA_BYTES_MAX = 10 * 1024
_INTERFACE_BYTES_MAX = 256
_HARDWARE_BYTES_MAX = 128
_ADDRESSES_MAX = 16
_UNLIMITED = 1 << 31
_SOURCES = ("FromClaim", "FromClass")


def check_request_reference(name: str, path: str, names: RequestNames, errors: Errors) -> None:
    """The name of a request, or of an alternative after that of its request and a slash."""
    told = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
    request, slash, alternative = name.partition("/")
    if "/" in alternative:
        errors.append(FieldError.invalid(path, name, told))
        return
    for part in name.split("/"):
        check_label(part, path, errors)
    if request not in names or (slash and alternative not in names[request]):
        errors.append(FieldError.invalid(path, name, told))


def check_claim_status(obj: JsonObject, old: JsonObject, names: RequestNames, errors: Errors) -> None:
    status: JsonObject = obj["status"]
    users: Sequence[JsonObject] = status.get("reservedFor") or ()
    allocation = status.get("allocation")
    check_short(users, _USERS_MAX, "status.reservedFor", _check_user, errors, key=_uid_of)
    results = ((allocation or {}).get("devices") or {}).get("results") or ()
    given = {_shown_device(each) for each in results}

    def check_device(device: JsonObject, path: str, errors: Errors) -> None:
        _check_device(device, path, given, errors)

    devices = status.get("devices") or ()
    check_short(devices, _UNLIMITED, "status.devices", check_device, errors, key=_shown_device)
    if users and allocation is None:
        told = "may not be specified when `allocated` is not set"
        errors.append(FieldError.forbidden("status.reservedFor", told))
    elif users and obj["metadata"].get("deletionTimestamp"):
        before: Sequence[JsonObject] = old["status"].get("reservedFor") or ()
        if any(each not in before for each in users):
            told = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set"
            errors.append(FieldError.forbidden("status.reservedFor", told))
    if allocation is not None and old["status"].get("allocation") is None:
        _check_allocation(allocation, "status.allocation", names, errors)


def _uid_of(user: JsonObject) -> str:
    uid: str = user.get("uid", "")
    return uid


def _shown_device(device: JsonObject) -> str:
    """A device as messages name it."""
    parts = [device.get(member) or "" for member in ("driver", "pool", "device")]
    share = device.get("shareID")
    return "/".join([*parts, share] if share else parts)


def _check_user(user: JsonObject, path: str, errors: Errors) -> None:
    errors += [
        FieldError.required(f"{path}.{member}")
        for member in ("resource", "name", "uid")
        if not user.get(member)
    ]


# What was given.


def _check_allocation(allocation: JsonObject, path: str, names: RequestNames, errors: Errors) -> None:
    devices: JsonObject = allocation.get("devices") or {}

    def check_reference(name: str, here: str, errors: Errors) -> None:
        check_request_reference(name, here, names, errors)

    def check_result(result: JsonObject, here: str, errors: Errors) -> None:
        check_reference(result.get("request", ""), f"{here}.request", errors)
        _check_place(result, here, errors)
        check_binding_conditions(result, here, errors)
        check_tolerations(result.get("tolerations") or (), f"{here}.tolerations", errors)

    def check_configuration(configuration: JsonObject, here: str, errors: Errors) -> None:
        check_required_enum(configuration.get("source"), _SOURCES, f"{here}.source", errors)
        requests = configuration.get("requests") or ()
        check_short(requests, _REQUESTS_MAX, f"{here}.requests", check_reference, errors, key=str)
        opaque = configuration.get("opaque")
        if opaque is None:
            errors.append(FieldError.required(f"{here}.opaque"))
            return
        check_driver_name(opaque.get("driver", ""), f"{here}.opaque.driver", errors)
        check_object(opaque.get("parameters"), f"{here}.opaque.parameters", errors, _DATA_BYTES_MAX)

    results = devices.get("results") or ()
    check_short(results, _RESULTS_MAX, f"{path}.devices.results", check_result, errors)
    configurations = devices.get("config") or ()
    check_short(configurations, _CONFIGURATIONS_MAX, f"{path}.devices.config", check_configuration, errors)
    if "nodeSelector" in allocation:
        check_node_selector(allocation["nodeSelector"], f"{path}.nodeSelector", errors)


def _check_place(device: JsonObject, path: str, errors: Errors) -> None:
    """Which device of which pool of which driver."""
    check_driver_name(device.get("driver", ""), f"{path}.driver", errors)
    check_pool_name(device.get("pool", ""), f"{path}.pool", errors)
    check_device_name(device.get("device", ""), f"{path}.device", errors)
    if "shareID" in device:
        check_uid(device["shareID"], f"{path}.shareID", errors)


# How it is.


def _check_device(device: JsonObject, path: str, given: AbstractSet[str], errors: Errors) -> None:
    _check_place(device, path, errors)
    shown = _shown_device(device)
    if shown not in given:
        errors.append(FieldError.invalid(path, shown, "must be an allocated device in the claim"))
    conditions: Sequence[JsonObject] = device.get("conditions") or ()
    if len(conditions) > _CONDITIONS_MAX:
        errors.append(FieldError.too_many(f"{path}.conditions", len(conditions), _CONDITIONS_MAX))
    check_conditions(conditions, f"{path}.conditions", errors)
    if device.get("data") is not None:
        check_object(device["data"], f"{path}.data", errors, _DATA_BYTES_MAX)
    if "networkData" in device:
        _check_network(device["networkData"], f"{path}.networkData", errors)


def _check_network(network: JsonObject, path: str, errors: Errors) -> None:
    for member, most in (("interfaceName", _INTERFACE_BYTES_MAX), ("hardwareAddress", _HARDWARE_BYTES_MAX)):
        if len(network.get(member, "").encode()) > most:
            errors.append(FieldError.too_long(f"{path}.{member}", "", most))
    addresses = network.get("ips") or ()
    check_short(addresses, _ADDRESSES_MAX, f"{path}.ips", _check_interface_address, errors, key=str)


def _check_interface_address(text: str, path: str, errors: Errors) -> None:
    """An address and the length of its network."""
    found = parse_network(text)
    if found is None:
        told = "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)"
        errors.append(FieldError.invalid(path, text, told))
        return
    address, network = found
    canonical = str(ipaddress.ip_interface((address, network.prefixlen)))
    if text != canonical:
        errors.append(FieldError.invalid(path, text, f"must be in canonical form ({go_quote(canonical)})"))
