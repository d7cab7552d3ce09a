"""Values that are a number or a text: ports by number or name, `maxUnavailable: 1` or `25%`.

Sits under controllers and tables that must turn such a value into a number.

Promises
    I1  a percentage is scaled and rounded as Kubernetes does; a text that is none is refused in its words

Source: apimachinery's pkg/util/intstr.
"""

import math
import re

__all__ = ["percentage", "scaled_value"]

_number_matches = re.compile("[+-]?[0-9]{1,18}").fullmatch


def percentage(text: str) -> int:
    """25 of `25%`.

    Raises: ValueError in Kubernetes' words.
    """
    if not text.endswith("%"):
        raise ValueError("invalid value for IntOrString: invalid type: string is not a percentage")
    if not _number_matches(text[:-1]):
        told = f'strconv.Atoi: parsing "{text[:-1]}": invalid syntax'
        raise ValueError(f'invalid value for IntOrString: invalid value "{text}": {told}')
    return int(text[:-1])


def scaled_value(value: int | str, total: int, *, round_up: bool) -> int:
    """The number itself, or the percentage of `total`.

    Raises: ValueError in Kubernetes' words.
    """
    if isinstance(value, int):
        return value
    exact = percentage(value) * total / 100
    return math.ceil(exact) if round_up else math.floor(exact)
