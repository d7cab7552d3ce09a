"""Objects with something wrong in them: a fine object, what is changed in it, and what is said about that.

A path names where a change is made: `spec.containers[0].image`, `metadata.labels["a.b/c"]`.
"""

import copy
import itertools
import re
from collections.abc import Mapping
from typing import Any

from tests.apis.support import Road

from kajitori.apis import validation

__all__ = [
    "ABSENT",
    "CONFIG_KEY",
    "KEY",
    "LABEL",
    "SUBDOMAIN",
    "VALUE",
    "Case",
    "Checked",
    "below",
    "changed",
    "invalid",
]

_ENDS = "and must start and end with an alphanumeric character"
LABEL = (
    f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', {_ENDS} "
    "(e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN = (
    f"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', {_ENDS} "
    r"(e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
KEY = (
    f"name part must consist of alphanumeric characters, '-', '_' or '.', {_ENDS} "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
VALUE = (
    f"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', {_ENDS} "
    "(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
CONFIG_KEY = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
    "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)

ABSENT = object()
"""The value of what a change takes out."""

Case = tuple[Mapping[str, Any], list[str]]
"""Changes by path, and the complaints about them."""

_TOKENS = re.compile(r'\["([^"]*)"\]|\[(\d+)\]|([^.\[]+)')


def _steps(path: str) -> list[str | int]:
    return [int(found[1]) if found[1] else found[0] or found[2] for found in _TOKENS.findall(path)]


def _inner(holder: Any, step: str | int, following: str | int) -> Any:
    empty: Any = [] if isinstance(following, int) else {}
    if isinstance(step, int):
        if step == len(holder):
            holder.append(empty)
        return holder[step]
    return holder.setdefault(step, empty)


def changed(body: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the body with the changes in it."""
    copied = copy.deepcopy(body)
    for path, value in changes.items():
        steps = _steps(path)
        holder: Any = copied
        for step, following in itertools.pairwise(steps):
            holder = _inner(holder, step, following)
        last = steps[-1]
        if value is ABSENT:
            del holder[last]
        elif isinstance(last, int) and last == len(holder):
            holder.append(copy.deepcopy(value))
        else:
            holder[last] = copy.deepcopy(value)
    return copied


def invalid(path: str, value: str, *told: str) -> list[str]:
    """What is said of a text that is not what it should be."""
    return [f'{path}: Invalid value: "{value}": {each}' for each in told]


def below(path: str, cases: list[Case]) -> list[Case]:
    """The cases, of which paths and complaints begin at a path."""
    return [
        ({f"{path}{key}": value for key, value in changes.items()}, [path + each for each in told])
        for changes, told in cases
    ]


class Checked:
    """A kind, and a fine object of it."""

    def __init__(self, group: str, plural: str, body: dict[str, Any]) -> None:
        self.road = Road(group, plural)
        self.body = body

    def made(self, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The object with these changes, as it comes to be checked."""
        body = {"metadata": {"name": "a"}, **self.body}
        return self.road.create(changed(body, changes or {}))

    def new(self, changes: Mapping[str, Any]) -> list[str]:
        """Complaints about a new object."""
        obj = self.made(changes)
        before = copy.deepcopy(obj)
        errors = validation.validate(self.road.strategy.kind, obj)
        assert obj == before, "objects are only read"
        return [str(each) for each in errors]

    def update(
        self, changes: Mapping[str, Any], subresource: str = "", *, old: Mapping[str, Any] | None = None
    ) -> list[str]:
        """Complaints about changes of a stored object, which `old` may have changed before."""
        stored = self.made(old)
        obj = self.road.sent(changed(stored, changes))
        before, stored_before = copy.deepcopy(obj), copy.deepcopy(stored)
        errors = validation.validate_update(self.road.strategy.kind, obj, stored, subresource)
        assert (obj, stored) == (before, stored_before), "objects are only read"
        return [str(each) for each in errors]

    def status(self, changes: Mapping[str, Any], *, old: Mapping[str, Any] | None = None) -> list[str]:
        """Complaints about changes of the status."""
        return self.update(changes, "status", old=old)
