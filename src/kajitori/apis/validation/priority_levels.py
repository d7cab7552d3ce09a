"""PriorityLevelConfigurations: how many requests may run at a time, and what becomes of the others.

Source: pkg/apis/flowcontrol/validation, and the mandatory objects of its bootstrap package.
"""

import math
from typing import Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.checks import Errors, check_enum
from kajitori.apis.validation.flow_schemas import check_condition_types
from kajitori.apis.validation.go_values import go_struct
from kajitori.apis.validation.validator import Validator

__all__ = ["VALIDATORS"]

_QUEUES_MAX = 10_000_000
_HASH_BITS_MAX = 60
_MANDATORY_LEVELS: dict[str, JsonObject] = {
    "catch-all": {
        "type": "Limited",
        "limited": {
            "nominalConcurrencyShares": 5,
            "limitResponse": {"type": "Reject"},
            "lendablePercent": 0,
        },
    },
    "exempt": {"type": "Exempt"},
}


def _check_level(obj: JsonObject, errors: Errors) -> None:
    spec: JsonObject = obj["spec"]
    name, kind = obj["metadata"].get("name", ""), spec.get("type", "")
    if (name == "exempt") != (kind == "Exempt"):
        told = "must be 'Exempt' if and only if `name` is 'exempt'"
        errors.append(FieldError.invalid("spec.type", kind, told))
    limited, exempt = spec.get("limited"), spec.get("exempt")
    if kind == "Exempt":
        if limited is not None:
            told = "must be nil if the type is not Limited"
            errors.append(FieldError.forbidden("spec.limited", told))
        if exempt is not None:
            _check_shares(exempt, "spec.exempt", errors)
            _check_lendable(exempt, "spec.exempt", errors)
    elif kind == "Limited":
        if exempt is not None:
            told = "must be nil if the type is Limited"
            errors.append(FieldError.forbidden("spec.exempt", told))
        if limited is None:
            told = "must not be empty when type is Limited"
            errors.append(FieldError.required("spec.limited", told))
        else:
            _check_limited(limited, "spec.limited", errors)
    else:
        errors.append(FieldError.not_supported("spec.type", kind, ("Exempt", "Limited")))
    _check_mandatory_level(name, spec, errors)
    check_condition_types(obj, errors)


def _check_mandatory_level(name: str, spec: JsonObject, errors: Errors) -> None:
    mandatory = _MANDATORY_LEVELS.get(name)
    if mandatory is None:
        return
    kept: dict[str, Any] = {member: value for member, value in spec.items() if member != "exempt"}
    exempted = name == "exempt"
    if (kept if exempted else spec) != mandatory:
        shown = go_struct("flowcontrol.v1.PriorityLevelConfigurationSpec", spec)
        but = " except the 'spec.exempt' field" if exempted else ""
        told = f"spec of '{name}'{but} must equal the fixed value"
        errors.append(FieldError.invalid("spec", shown, told))


def _check_shares(level: JsonObject, path: str, errors: Errors) -> None:
    shares = level.get("nominalConcurrencyShares")
    if shares is not None and shares < 0:
        told = "must be a non-negative integer"
        errors.append(FieldError.invalid(f"{path}.nominalConcurrencyShares", shares, told))


def _check_lendable(level: JsonObject, path: str, errors: Errors) -> None:
    percent = level.get("lendablePercent")
    if percent is not None and not 0 <= percent <= 100:
        told = "must be between 0 and 100, inclusive"
        errors.append(FieldError.invalid(f"{path}.lendablePercent", percent, told))


def _check_limited(limited: JsonObject, path: str, errors: Errors) -> None:
    _check_shares(limited, path, errors)
    response: JsonObject = limited.get("limitResponse") or {}
    here, queuing = f"{path}.limitResponse", response.get("queuing")
    check_enum(response.get("type", ""), ("Queue", "Reject"), f"{here}.type", errors)
    # Limited is what the messages say where Queue is meant.
    if response.get("type") == "Reject" and queuing is not None:
        told = "must be nil if limited.limitResponse.type is not Limited"
        errors.append(FieldError.forbidden(f"{here}.queuing", told))
    elif response.get("type") == "Queue" and queuing is None:
        told = "must not be empty if limited.limitResponse.type is Limited"
        errors.append(FieldError.required(f"{here}.queuing", told))
    elif response.get("type") == "Queue":
        _check_queuing(queuing or {}, f"{here}.queuing", errors)
    _check_lendable(limited, path, errors)
    percent = limited.get("borrowingLimitPercent")
    if percent is not None and percent < 0:
        told = "if specified, must be a non-negative integer"
        errors.append(FieldError.invalid(f"{path}.borrowingLimitPercent", percent, told))


def _check_queuing(queuing: JsonObject, path: str, errors: Errors) -> None:
    length, queues, hand = (queuing.get(each, 0) for each in ("queueLengthLimit", "queues", "handSize"))
    if length <= 0:
        errors.append(FieldError.invalid(f"{path}.queueLengthLimit", length, "must be positive"))
    if queues <= 0:
        errors.append(FieldError.invalid(f"{path}.queues", queues, "must be positive"))
    elif queues > _QUEUES_MAX:
        told = f"must not be greater than {_QUEUES_MAX}"
        errors.append(FieldError.invalid(f"{path}.queues", queues, told))
    here = f"{path}.handSize"
    if hand <= 0:
        errors.append(FieldError.invalid(here, hand, "must be positive"))
    elif hand > queues:
        told = f"should not be greater than queues ({queues})"
        errors.append(FieldError.invalid(here, hand, told))
    elif math.ceil(math.log2(queues) * hand) > _HASH_BITS_MAX:
        told = (
            f"required entropy bits of deckSize {queues} and handSize {hand} "
            f"should not be greater than {_HASH_BITS_MAX}"
        )
        errors.append(FieldError.invalid(here, hand, told))


def _update(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    (check_condition_types if subresource else _check_level)(obj, errors)


VALIDATORS = {"prioritylevelconfigurations": Validator(_check_level, _update)}
