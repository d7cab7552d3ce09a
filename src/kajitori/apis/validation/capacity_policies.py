"""How much of a capacity of a shared device can be asked for: some amounts, or a range of them.

Source: validateRequestPolicy in pkg/apis/resource/validation.
"""

from collections.abc import Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import Quantity, parse_quantity
from kajitori.apis.validation.checks import Errors

__all__ = ["check_request_policy"]

_OPTIONS_MAX = 10


def check_request_policy(policy: JsonObject, capacity: str, path: str, errors: Errors) -> None:
    """`capacity` is all there is."""
    options: Sequence[str] = policy.get("validValues") or ()
    allowed = policy.get("validRange")
    usual = policy.get("default")
    if options and allowed is not None:
        told = 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time'
        errors.append(FieldError.forbidden(path, told))
    elif options:
        if usual is None:
            told = "required when validValues is defined"
            errors.append(FieldError.required(f"{path}.default", told))
        else:
            _check_options(options, usual, capacity, f"{path}.validValues", errors)
    elif allowed is not None:
        if usual is None:
            told = "required when validRange is defined"
            errors.append(FieldError.required(f"{path}.default", told))
        else:
            _check_range(allowed, usual, capacity, f"{path}.validRange", errors)


def _check_options(options: Sequence[str], usual: str, capacity: str, path: str, errors: Errors) -> None:
    amounts = [parse_quantity(each) for each in options]
    for index in range(1, len(amounts)):
        if amounts[index - 1] > amounts[index]:
            told = "values must be sorted in ascending order"
            errors.append(FieldError.invalid(f"{path}[{index}]", options[index], told))
    if len(options) > _OPTIONS_MAX:
        errors.append(FieldError.too_many(path, len(options), _OPTIONS_MAX))
    else:
        most = parse_quantity(capacity)
        for index, amount in enumerate(amounts):
            if amount > most:
                told = f"option is larger than capacity value: {capacity}"
                errors.append(FieldError.invalid(f"{path}[{index}]", options[index], told))
        for index, amount in enumerate(amounts):
            if amount in amounts[:index]:
                errors.append(FieldError.duplicate(f"{path}[{index}]", options[index]))
        if parse_quantity(usual) in amounts:
            return
    told = "default value is not valid according to the requestPolicy"
    errors.append(FieldError.invalid(path, usual, told))


def _check_range(allowed: JsonObject, usual: str, capacity: str, path: str, errors: Errors) -> None:
    low_text, high_text, step_text = (allowed.get(member) for member in ("min", "max", "step"))
    if low_text is None:
        errors.append(FieldError.required(f"{path}.min", "required when validRange is defined"))
        return
    low, most, default = parse_quantity(low_text), parse_quantity(capacity), parse_quantity(usual)
    here = f"{path}.min"
    if low > most:
        told = f"min is larger than capacity value: {capacity}"
        errors.append(FieldError.invalid(here, low_text, told))
    if default < low:
        errors.append(FieldError.invalid(here, usual, f"default is less than min: {low_text}"))
    ends = [(usual, default)]
    if high_text is not None:
        high, here = parse_quantity(high_text), f"{path}.max"
        ends.append((high_text, high))
        if low > high:
            errors.append(FieldError.invalid(here, low_text, f"min is larger than max: {high_text}"))
        if high > most:
            told = f"max is larger than capacity value: {capacity}"
            errors.append(FieldError.invalid(here, high_text, told))
        if default > high:
            errors.append(FieldError.invalid(here, usual, f"default is more than max: {high_text}"))
    if step_text is not None:
        _check_step(step_text, low_text, capacity, ends, f"{path}.step", errors)


def _check_step(
    step_text: str,
    low_text: str,
    capacity: str,
    ends: Sequence[tuple[str, Quantity]],
    path: str,
    errors: Errors,
) -> None:
    step, low = parse_quantity(step_text), parse_quantity(low_text)
    if step.unscaled <= 0:
        errors.append(FieldError.invalid(path, step_text, "must be greater than zero"))
        return
    first = low + step
    if first > parse_quantity(capacity):
        told = f"one step {first} is larger than capacity value: {capacity}"
        errors.append(FieldError.invalid(path, step_text, told))
    for text, amount in ends:
        if (amount.value() - low.value()) % step.value():
            told = f"value is not a multiple of a given step ({step_text}) from ({low_text})"
            errors.append(FieldError.invalid(path, text, told))
