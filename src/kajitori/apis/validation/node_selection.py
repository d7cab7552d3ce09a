"""Where Pods may run: node selectors, affinities, taints and tolerations, spreading.

Source: pkg/apis/core/validation.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import is_dns1123_subdomain, is_label_value
from kajitori.apis.validation.checks import (
    Errors,
    check_enum,
    check_label_key,
    check_label_selector,
    check_namespace,
    check_positive,
    duplicate_with_detail,
)

__all__ = [
    "check_affinity",
    "check_node_selector",
    "check_node_selector_term",
    "check_spread_constraints",
    "check_taints",
    "check_tolerations",
    "check_topology_term",
]

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_NO_OPERATOR = "not a valid selector operator"


# Nodes.


def check_node_selector(selector: JsonObject, path: str, errors: Errors) -> None:
    """A NodeSelector: any of its terms must hold."""
    terms: Sequence[JsonObject] = selector.get("nodeSelectorTerms") or ()
    if not terms:
        told = "must have at least one node selector term"
        errors.append(FieldError.required(f"{path}.nodeSelectorTerms", told))
    for index, term in enumerate(terms):
        check_node_selector_term(term, f"{path}.nodeSelectorTerms[{index}]", errors)


def check_node_selector_term(
    term: JsonObject, path: str, errors: Errors, *, any_values: bool = False
) -> None:
    """One term; `any_values` where values that no label can have are let through."""
    for index, requirement in enumerate(term.get("matchExpressions") or ()):
        _check_expression(requirement, f"{path}.matchExpressions[{index}]", errors, any_values)
    for index, requirement in enumerate(term.get("matchFields") or ()):
        _check_field(requirement, f"{path}.matchFields[{index}]", errors)


def _check_expression(requirement: JsonObject, path: str, errors: Errors, any_values: bool) -> None:
    operator = requirement.get("operator", "")
    values: Sequence[str] = requirement.get("values") or ()
    if operator in ("In", "NotIn"):
        if not values:
            told = "must be specified when `operator` is 'In' or 'NotIn'"
            errors.append(FieldError.required(f"{path}.values", told))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            told = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            errors.append(FieldError.forbidden(f"{path}.values", told))
    elif operator in ("Gt", "Lt"):
        if len(values) != 1:
            told = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            errors.append(FieldError.required(f"{path}.values", told))
    else:
        errors.append(FieldError.invalid(f"{path}.operator", operator, _NO_OPERATOR))
    check_label_key(requirement.get("key", ""), f"{path}.key", errors)
    if any_values:
        return
    for index, value in enumerate(values):
        errors += [
            FieldError.invalid(f"{path}.values[{index}]", value, told) for told in is_label_value(value)
        ]


def _check_field(requirement: JsonObject, path: str, errors: Errors) -> None:
    operator, key = requirement.get("operator", ""), requirement.get("key", "")
    values: Sequence[str] = requirement.get("values") or ()
    if operator in ("In", "NotIn"):
        if len(values) != 1:
            told = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
            errors.append(FieldError.required(f"{path}.values", told))
    else:
        errors.append(FieldError.invalid(f"{path}.operator", operator, _NO_OPERATOR))
    if key != "metadata.name":
        errors.append(FieldError.invalid(f"{path}.key", key, "not a valid field selector key"))
        return
    for index, value in enumerate(values):
        errors += [
            FieldError.invalid(f"{path}.values[{index}]", value, told) for told in is_dns1123_subdomain(value)
        ]


def check_topology_term(term: JsonObject, path: str, errors: Errors) -> dict[str, set[str]]:
    """A TopologySelectorTerm; its values by key."""
    found: dict[str, set[str]] = {}
    for index, requirement in enumerate(term.get("matchLabelExpressions") or ()):
        here = f"{path}.matchLabelExpressions[{index}]"
        key, values = requirement.get("key", ""), requirement.get("values") or ()
        if not values:
            errors.append(FieldError.required(f"{here}.values"))
        seen: set[str] = set()
        for place, value in enumerate(values):
            if value in seen:
                errors.append(FieldError.duplicate(f"{here}.values[{place}]", value))
            seen.add(value)
        check_label_key(key, f"{here}.key", errors)
        if key in found:
            errors.append(FieldError.duplicate(f"{here}.key", key))
        found[key] = seen
    return found


# Affinities.


def check_affinity(affinity: JsonObject, path: str, errors: Errors) -> None:
    nodes = affinity.get("nodeAffinity")
    if nodes is not None:
        if _REQUIRED in nodes:
            check_node_selector(nodes[_REQUIRED], f"{path}.nodeAffinity.{_REQUIRED}", errors)
        for index, term in enumerate(nodes.get(_PREFERRED) or ()):
            here = f"{path}.nodeAffinity.{_PREFERRED}[{index}]"
            _check_weight(term, here, errors)
            preference = term.get("preference") or {}
            check_node_selector_term(preference, f"{here}.preference", errors, any_values=True)
    for member in ("podAffinity", "podAntiAffinity"):
        pods = affinity.get(member)
        if pods is None:
            continue
        for index, term in enumerate(pods.get(_REQUIRED) or ()):
            _check_pod_term(term, f"{path}.{member}.{_REQUIRED}[{index}]", errors)
        for index, term in enumerate(pods.get(_PREFERRED) or ()):
            here = f"{path}.{member}.{_PREFERRED}[{index}]"
            _check_weight(term, here, errors)
            _check_pod_term(term.get("podAffinityTerm") or {}, f"{here}.podAffinityTerm", errors)


def _check_weight(term: JsonObject, path: str, errors: Errors) -> None:
    weight = term.get("weight", 0)
    if not 1 <= weight <= 100:
        errors.append(FieldError.invalid(f"{path}.weight", weight, "must be in the range 1-100"))


def _check_pod_term(term: JsonObject, path: str, errors: Errors) -> None:
    selector = term.get("labelSelector")
    check_label_selector(selector, f"{path}.labelSelector", errors)
    check_label_selector(term.get("namespaceSelector"), f"{path}.namespaceSelector", errors)
    for name in term.get("namespaces") or ():
        check_namespace(name, f"{path}.namespace", errors)
    if "matchLabelKeys" in term or "mismatchLabelKeys" in term:
        matched, mismatched = term.get("matchLabelKeys") or (), term.get("mismatchLabelKeys") or ()
        _check_label_keys(matched, mismatched, selector, path, errors)
    key = term.get("topologyKey", "")
    if not key:
        errors.append(FieldError.required(f"{path}.topologyKey", "can not be empty"))
    check_label_key(key, f"{path}.topologyKey", errors)


def _check_label_keys(
    matched: Sequence[str],
    mismatched: Sequence[str],
    selector: Mapping[str, Any] | None,
    path: str,
    errors: Errors,
) -> None:
    """Keys whose values are the Pod's own. When this is checked, the selector has their terms already."""
    both = (("matchLabelKeys", matched), ("mismatchLabelKeys", mismatched))
    if selector is None:
        told = "must not be specified when labelSelector is not set"
        errors += [FieldError.forbidden(f"{path}.{member}", told) for member, keys in both if keys]
    else:
        for member, keys in both:
            for index, key in enumerate(keys):
                check_label_key(key, f"{path}.{member}[{index}]", errors)
        places = {key: index for index, key in enumerate(matched)}
        seen = set(selector.get("matchLabels") or ())
        for expression in selector.get("matchExpressions") or ():
            key = expression.get("key", "")
            if key in places and key in seen:
                told = "exists in both matchLabelKeys and labelSelector"
                errors.append(FieldError.invalid(f"{path}[{places[key]}]", key, told))
            seen.add(key)
    for index, key in enumerate(matched):
        if key in mismatched:
            told = "exists in both matchLabelKeys and mismatchLabelKeys"
            errors.append(FieldError.invalid(f"{path}.matchLabelKeys[{index}]", key, told))


# Taints and tolerations.


def check_tolerations(tolerations: Sequence[JsonObject], path: str, errors: Errors) -> None:
    for index, toleration in enumerate(tolerations):
        _check_toleration(toleration, f"{path}[{index}]", errors)


def _check_toleration(toleration: JsonObject, path: str, errors: Errors) -> None:
    key, operator = toleration.get("key", ""), toleration.get("operator", "")
    value, effect = toleration.get("value", ""), toleration.get("effect", "")
    if key:
        check_label_key(key, f"{path}.key", errors)
    elif operator != "Exists":
        told = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        errors.append(FieldError.invalid(f"{path}.operator", operator, told))
    if "tolerationSeconds" in toleration and effect != "NoExecute":
        told = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        errors.append(FieldError.invalid(f"{path}.effect", effect, told))
    if operator in ("Equal", ""):
        if value and (problems := is_label_value(value)):
            errors.append(FieldError.invalid(f"{path}.operator", value, ";".join(problems)))
    elif operator == "Exists":
        if value:
            told = "value must be empty when `operator` is 'Exists'"
            errors.append(FieldError.invalid(f"{path}.operator", value, told))
    elif operator in ("Lt", "Gt"):  # a feature that is off by default, which its message names all the same
        supported = ("Equal", "Exists", "Lt", "Gt")
        errors.append(FieldError.not_supported(f"{path}.operator", operator, supported))
    else:
        errors.append(FieldError.not_supported(f"{path}.operator", operator, ("Equal", "Exists")))
    if effect:
        check_enum(effect, _EFFECTS, f"{path}.effect", errors)


def check_taints(taints: Sequence[JsonObject], path: str, errors: Errors) -> None:
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(taints):
        here = f"{path}[{index}]"
        key, value, effect = taint.get("key", ""), taint.get("value", ""), taint.get("effect", "")
        check_label_key(key, f"{here}.key", errors)
        if value and (problems := is_label_value(value)):
            errors.append(FieldError.invalid(f"{here}.value", value, ";".join(problems)))
        if not effect:
            errors.append(FieldError.required(f"{here}.effect"))
        else:
            check_enum(effect, _EFFECTS, f"{here}.effect", errors)
        if (key, effect) in seen:
            shown = {"Key": key, "Value": value, "Effect": effect, "TimeAdded": taint.get("timeAdded")}
            told = "taints must be unique by key and effect pair"
            errors.append(duplicate_with_detail(here, shown, told))
        seen.add((key, effect))


# Spreading.

_INCLUSION_POLICIES = ("Honor", "Ignore")


def check_spread_constraints(constraints: Sequence[JsonObject], path: str, errors: Errors) -> None:
    for index, constraint in enumerate(constraints):
        here = f"{path}[{index}]"
        check_positive(constraint.get("maxSkew", 0), f"{here}.maxSkew", errors)
        key, action = constraint.get("topologyKey", ""), constraint.get("whenUnsatisfiable", "")
        if not key:
            errors.append(FieldError.required(f"{here}.topologyKey", "can not be empty"))
        check_enum(action, ("DoNotSchedule", "ScheduleAnyway"), f"{here}.whenUnsatisfiable", errors)
        if any(
            (each.get("topologyKey", ""), each.get("whenUnsatisfiable", "")) == (key, action)
            for each in constraints[index + 1 :]
        ):
            place = here + ".{topologyKey, whenUnsatisfiable}"
            errors.append(FieldError.duplicate(place, f"{{{key}, {action}}}"))
        domains = constraint.get("minDomains")
        if domains is not None:
            check_positive(domains, f"{here}.minDomains", errors)
            if action != "DoNotSchedule":
                told = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
                errors.append(FieldError.invalid(f"{here}.minDomains", domains, told))
        for member in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            if member in constraint:
                check_enum(constraint[member], _INCLUSION_POLICIES, f"{here}.{member}", errors)
        selector = constraint.get("labelSelector")
        if "matchLabelKeys" in constraint:
            _check_label_keys(constraint["matchLabelKeys"] or (), (), selector, here, errors)
        check_label_selector(selector, f"{here}.labelSelector", errors)
