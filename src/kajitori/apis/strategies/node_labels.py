"""Warnings about labels of nodes that go by another name today.

Source: pkg/api/node.
"""

from collections.abc import Mapping
from typing import Any

from kajitori.apimachinery.validation import is_label_value

__all__ = ["DEPRECATED", "selector_warnings", "term_warnings"]

DEPRECATED: Mapping[str, str] = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": (
        'deprecated since v1.17; use "topology.kubernetes.io/region" instead'
    ),
    "failure-domain.beta.kubernetes.io/zone": (
        'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'
    ),
    "beta.kubernetes.io/instance-type": (
        'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'
    ),
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "scheduler.alpha.kubernetes.io/preferAvoidPods": (
        "deprecated since v1.22; use Taints and Tolerations instead"
    ),
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}
"""Label to what to say about it."""


def term_warnings(path: str, term: Mapping[str, Any], *, check_values: bool = False) -> list[str]:
    """Warnings about a term of a node selector."""
    told: list[str] = []
    for index, expression in enumerate(term.get("matchExpressions") or ()):
        here = f"{path}.matchExpressions[{index}]"
        key = expression.get("key", "")
        if key in DEPRECATED:
            told.append(f"{here}.key: {key} is {DEPRECATED[key]}")
        if check_values:
            for place, value in enumerate(expression.get("values") or ()):
                told += [
                    f"{here}.values[{place}]: {value} is invalid, {each}" for each in is_label_value(value)
                ]
    return told


def selector_warnings(path: str, selector: Mapping[str, Any] | None) -> list[str]:
    """Warnings about a label selector that chooses nodes."""
    if not selector:
        return []
    told = term_warnings(path, selector)
    for key in selector.get("matchLabels") or ():
        if key in DEPRECATED:
            told.append(f"{path}.matchLabels.{key}: {DEPRECATED[key]}")
    return told
