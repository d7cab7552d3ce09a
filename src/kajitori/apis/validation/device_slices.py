"""ResourceSlices: the devices that a driver offers, with what they are and what they have.

Source: validateResourceSliceSpec in pkg/apis/resource/validation.
"""

import re
from collections.abc import Mapping, Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import parse_quantity
from kajitori.apimachinery.validation import is_label_value
from kajitori.apis.validation.amounts import is_native_resource
from kajitori.apis.validation.capacity_policies import check_request_policy
from kajitori.apis.validation.checks import (
    Errors,
    check_each,
    check_label,
    check_label_key,
    check_required_enum,
    check_subdomain,
)
from kajitori.apis.validation.device_names import (
    TAINT_EFFECTS,
    check_binding_conditions,
    check_device_name,
    check_driver_name,
    check_pool_name,
    check_resource_name,
    check_short,
)
from kajitori.apis.validation.go_values import go_struct
from kajitori.apis.validation.node_selection import check_node_selector
from kajitori.apis.validation.validator import Validator

__all__ = ["VALIDATORS"]

_DEVICES_MAX = 128
_ELABORATE_DEVICES_MAX = 64
"""Of which some have taints, take from counters or say lists of values."""
_MEMBERS_MAX = 32
_VALUES_MAX = 48
_VALUE_BYTES_MAX = 64
_TAINTS_MAX = 16
_COUNTER_SETS_MAX = 8
_COUNTERS_MAX = 32
_CONSUMPTIONS_MAX = 2
_LIST_VALUES = ("bools", "ints", "strings", "versions")
_PLACES = ("nodeName", "nodeSelector", "allNodes")
_NUMBER = r"(0|[1-9]\d*)"
_PRERELEASE = r"(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_version_matches = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-{_PRERELEASE}(\.{_PRERELEASE})*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?",
    re.ASCII,
).fullmatch


def _check_spec(spec: JsonObject, old: JsonObject | None, errors: Errors) -> None:
    check_driver_name(spec.get("driver", ""), "spec.driver", errors)
    _check_pool(spec.get("pool") or {}, "spec.pool", errors)
    _check_nodes(spec, errors)
    if "sharedCounters" in spec and "devices" in spec:
        told = "only one of `sharedCounters` or `devices` is allowed"
        errors.append(FieldError.invalid("spec", "", told))
    devices: Sequence[JsonObject] = spec.get("devices") or ()
    most = _ELABORATE_DEVICES_MAX if any(map(_is_elaborate, devices)) else _DEVICES_MAX
    each_chooses = bool(spec.get("perDeviceNodeSelection"))
    before = {each.get("name"): each for each in (old or {}).get("devices") or ()}

    def check_device(device: JsonObject, path: str, errors: Errors) -> None:
        _check_device(device, before.get(device.get("name")), path, errors)
        _check_device_nodes(device, path, errors, each_chooses)

    check_short(devices, most, "spec.devices", check_device, errors, key=_name_of)
    counters = spec.get("sharedCounters") or ()
    check_short(counters, _COUNTER_SETS_MAX, "spec.sharedCounters", _check_counters, errors, key=_name_of)


def _name_of(item: JsonObject) -> str:
    name: str = item.get("name", "")
    return name


def _is_elaborate(device: JsonObject) -> bool:
    if device.get("taints") or device.get("consumesCounters"):
        return True
    attributes: Mapping[str, JsonObject] = device.get("attributes") or {}
    return any(member in value for value in attributes.values() for member in _LIST_VALUES)


def _check_pool(pool: JsonObject, path: str, errors: Errors) -> None:
    check_pool_name(pool.get("name", ""), f"{path}.name", errors)
    count, generation = pool.get("resourceSliceCount", 0), pool.get("generation", 0)
    if count <= 0:
        errors.append(FieldError.invalid(f"{path}.resourceSliceCount", count, "must be greater than zero"))
    if generation < 0:
        told = "must be greater than or equal to zero"
        errors.append(FieldError.invalid(f"{path}.generation", generation, told))


# Where devices are.


def _check_nodes(spec: JsonObject, errors: Errors) -> None:
    given: list[str] = []
    node, selector = spec.get("nodeName"), spec.get("nodeSelector")
    if node:
        given.append("`nodeName`")
        check_subdomain(node, "spec.nodeName", errors)
    elif node is not None:
        told = "must be either unset or set to a non-empty string"
        errors.append(FieldError.invalid("spec.nodeName", node, told))
    if selector is not None:
        given.append("`nodeSelector`")
        check_node_selector(selector, "spec.nodeSelector", errors)
        terms: Sequence[JsonObject] | None = selector.get("nodeSelectorTerms")
        if len(terms or ()) != 1:
            shown = None if terms is None else [go_struct("core.v1.NodeSelectorTerm", each) for each in terms]
            told = "must have exactly one node selector term"
            errors.append(FieldError.invalid("spec.nodeSelector.nodeSelectorTerms", shown, told))
    for member in ("allNodes", "perDeviceNodeSelection"):
        if spec.get(member):
            given.append(f"`{member}`")
        elif member in spec:
            told = "must be either unset or set to true"
            errors.append(FieldError.invalid(f"spec.{member}", False, told))
    told = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"
    if not given:
        errors.append(FieldError.required("spec", told))
    elif len(given) > 1:
        shown_all = f"{{{', '.join(given)}}}"
        errors.append(FieldError.invalid("spec", shown_all, f"{told}, but multiple fields are set"))


def _check_device_nodes(device: JsonObject, path: str, errors: Errors, each_chooses: bool) -> None:
    if not each_chooses:
        if any(member in device for member in _PLACES):
            told = (
                "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to "
                "true in the ResourceSlice spec"
            )
            errors.append(FieldError.invalid(path, None, told))
        return
    given: list[str] = []
    node = device.get("nodeName")
    if node:
        given.append("`nodeName`")
        check_subdomain(node, f"{path}.nodeName", errors)
    elif node is not None:
        errors.append(FieldError.invalid(f"{path}.nodeName", node, "must not be empty"))
    if "nodeSelector" in device:
        given.append("`nodeSelector`")
        check_node_selector(device["nodeSelector"], f"{path}.nodeSelector", errors)
    if device.get("allNodes"):
        given.append("`allNodes`")
    elif "allNodes" in device:
        told = "must be either unset or set to true"
        errors.append(FieldError.invalid(f"{path}.allNodes", False, told))
    told = (
        "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is "
        "set to true in the ResourceSlice spec"
    )
    if not given:
        errors.append(FieldError.required(path, told))
    elif len(given) > 1:
        errors.append(FieldError.invalid(path, f"{{{', '.join(given)}}}", told))


# What devices are.


def _check_device(device: JsonObject, old: JsonObject | None, path: str, errors: Errors) -> None:
    check_device_name(_name_of(device), f"{path}.name", errors)
    attributes: Mapping[str, JsonObject] = device.get("attributes") or {}
    capacity: Mapping[str, JsonObject] = device.get("capacity") or {}
    count = len(attributes) + len(capacity)
    if count > _MEMBERS_MAX:
        told = f"the total number of attributes and capacities must not exceed {_MEMBERS_MAX}"
        errors.append(FieldError.invalid(path, count, told))
    count = sum(
        sum(len(each.get(member) or ()) for member in _LIST_VALUES) or 1 for each in attributes.values()
    )
    if count > _VALUES_MAX:
        told = f"the total number of attribute values must not exceed {_VALUES_MAX}"
        errors.append(FieldError.invalid(path, count, told))
    for name, attribute in attributes.items():
        check_resource_name(name, f"{path}.attributes", errors)
        _check_attribute(attribute, f"{path}.attributes[{name}]", errors)
    for name, each in capacity.items():
        here = f"{path}.capacity[{name}]"
        check_resource_name(name, f"{path}.capacity", errors)
        policy = each.get("requestPolicy")
        if policy is not None and device.get("allowMultipleAllocations"):
            check_request_policy(policy, each.get("value", "0"), f"{here}.requestPolicy", errors)
        elif policy is not None:
            told = "allowMultipleAllocations must be true"
            errors.append(FieldError.forbidden(f"{here}.requestPolicy", told))
    taints = device.get("taints") or ()
    if old is None or (old.get("taints") or ()) != taints:
        check_short(taints, _TAINTS_MAX, f"{path}.taints", _check_taint, errors)
    consumptions = device.get("consumesCounters") or ()
    here = f"{path}.consumesCounters"
    check_short(consumptions, _CONSUMPTIONS_MAX, here, _check_consumption, errors, key=_counter_set_of)
    check_binding_conditions(device, path, errors)
    _check_mappings(device, f"{path}.nodeAllocatableResourceMappings", errors)


def _counter_set_of(consumption: JsonObject) -> str:
    name: str = consumption.get("counterSet", "")
    return name


def _check_attribute(attribute: JsonObject, path: str, errors: Errors) -> None:
    for member, check in (("string", _check_text), ("version", _check_version)):
        if member in attribute:
            check(attribute[member], f"{path}.{member}", errors)
        for index, text in enumerate(attribute.get(f"{member}s") or ()):
            check(text, f"{path}.{member}s[{index}]", errors)
    for member in _LIST_VALUES:
        if member in attribute and not attribute[member]:
            told = "must not be empty if specified"
            errors.append(FieldError.invalid(f"{path}.{member}", [], told))
    if len(attribute) != 1:
        shown = go_struct("resource.v1.DeviceAttribute", attribute) if attribute else ""
        errors.append(FieldError.invalid(path, shown, "exactly one value must be specified"))


def _check_text(text: str, path: str, errors: Errors) -> None:
    if len(text.encode()) > _VALUE_BYTES_MAX:
        errors.append(FieldError.too_long(path, "", _VALUE_BYTES_MAX))


def _check_version(text: str, path: str, errors: Errors) -> None:
    if not _version_matches(text):
        told = "must be a string compatible with semver.org spec 2.0.0"
        errors.append(FieldError.invalid(path, text, told))
    _check_text(text, path, errors)


def _check_taint(taint: JsonObject, path: str, errors: Errors) -> None:
    check_label_key(taint.get("key", ""), f"{path}.key", errors)
    if taint.get("value"):
        check_each(taint["value"], f"{path}.value", is_label_value, errors)
    check_required_enum(taint.get("effect"), TAINT_EFFECTS, f"{path}.effect", errors)


def _check_counters(counters: JsonObject, path: str, errors: Errors) -> None:
    _check_counted(counters, "name", path, errors)


def _check_consumption(consumption: JsonObject, path: str, errors: Errors) -> None:
    _check_counted(consumption, "counterSet", path, errors)


def _check_counted(counted: JsonObject, member: str, path: str, errors: Errors) -> None:
    """A set of counters by its name, and some counters of it."""
    if name := counted.get(member):
        check_label(name, f"{path}.{member}", errors)
    else:
        errors.append(FieldError.required(f"{path}.{member}"))
    counters: Mapping[str, JsonObject] = counted.get("counters") or {}
    if not counters:
        errors.append(FieldError.required(f"{path}.counters"))
    elif len(counters) > _COUNTERS_MAX:
        errors.append(FieldError.too_many(f"{path}.counters", len(counters), _COUNTERS_MAX))
    else:
        for name in counters:
            check_label(name, f"{path}.counters", errors)


def _check_mappings(device: JsonObject, path: str, errors: Errors) -> None:
    mappings: Mapping[str, JsonObject] = device.get("nodeAllocatableResourceMappings") or {}
    for name, mapping in mappings.items():
        here, key = f"{path}[{name}]", mapping.get("capacityKey")
        if not is_native_resource(name):
            told = "must be a node allocatable resource name"
            errors.append(FieldError.invalid(here, name, told))
        factor = mapping.get("allocationMultiplier")
        if factor is None and key is None:
            told = "at least one of allocationMultiplier or capacityKey must be set"
            errors.append(FieldError.invalid(here, "", told))
        if factor is not None and parse_quantity(factor).unscaled <= 0:
            errors.append(FieldError.invalid(f"{here}.allocationMultiplier", factor, "must be positive"))
        if key == "":
            told = "capacityKey must not be an empty string"
            errors.append(FieldError.invalid(f"{here}.capacityKey", "", told))
        elif key is not None and key not in (device.get("capacity") or ()):
            errors.append(FieldError.not_found(f"{here}.capacityKey", key))


def _create(obj: JsonObject, errors: Errors) -> None:
    _check_spec(obj["spec"], None, errors)


def _update(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    _check_spec(obj["spec"], old["spec"], errors)


VALIDATORS = {"resourceslices": Validator(_create, _update)}
