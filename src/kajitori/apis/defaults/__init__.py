"""What Kubernetes fills in where a client said nothing.

Sits between decoding (`typed`) and the strategies. A definition is compiled once into a closure that visits only
what can have defaults: the structs with a rule of their own (one module per group, by definition name), those with
a default in their schema, and what contains them.

Promises
    F1  a struct is filled in before what it contains, members in Go's order, as Kubernetes does
    F2  what is filled in stands where Go would write it
    F3  filling in twice changes nothing more

Source: SetDefaults_* and the generated SetObjectDefaults_* of Kubernetes 1.36.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import parse_quantity
from kajitori.apis import facts

__all__ = ["Default", "default_for", "static_defaults"]

Default = Callable[[JsonObject], None]
"""Fills in one struct, in place."""

_MODULES = {
    # Package of definitions to the module beside this one with its rules.
    "io.k8s.api.admissionregistration.v1": "admissionregistration",
    "io.k8s.api.apps.v1": "apps",
    "io.k8s.api.authentication.v1": "authentication",
    "io.k8s.api.autoscaling.v1": "autoscaling",
    "io.k8s.api.autoscaling.v2": "autoscaling",
    "io.k8s.api.batch.v1": "batch",
    "io.k8s.api.core.v1": "core",
    "io.k8s.api.discovery.v1": "networking",
    "io.k8s.api.flowcontrol.v1": "flowcontrol",
    "io.k8s.api.networking.v1": "networking",
    "io.k8s.api.rbac.v1": "rbac",
    "io.k8s.api.resource.v1": "resource",
    "io.k8s.api.scheduling.v1": "scheduling",
    "io.k8s.api.storage.v1": "storage",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1": "apiextensions",
    "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1": "apiextensions",
}
_QUANTITIES = "{}io.k8s.apimachinery.pkg.api.resource.Quantity"
TOUCHED_LEVELS = 2
"""How deep the rule of a kind reaches into what it contains."""
_VISITED_ANYWAY = frozenset({"io.k8s.api.core.v1.Pod"})
"""Kinds whose rule only reaches into structs that have defaults of their own."""
SHAPES_MAX = 64
"""Sets of members whose order is remembered, per struct."""
_RESOURCE_LISTS = "io.k8s.api.core.v1."
_NOT_ROUNDED = frozenset({"io.k8s.api.core.v1.NodeAllocatableResourceClaimStatus"})
"""Amounts of resources are rounded in the core group, with this exception, and nowhere else."""


def default_for(definition: str) -> Default:
    """What fills in objects of a definition, e.g. `io.k8s.api.core.v1.Pod`."""
    return _compiled(definition, 0) or _nothing


def _nothing(obj: JsonObject) -> None:
    """A kind without defaults."""


def static_defaults(definition: str) -> dict[str, Any]:
    """The members of a struct whose default is a plain value in its schema."""
    raw = facts.definition(definition)
    types = {each.name: each.type for each in raw.fields or ()}
    found: dict[str, Any] = {}
    for name, schema in raw.schema.get("properties", {}).items():
        # A zero is told as a default of everything required; it only means something of a pointer.
        if "default" in schema and (
            types[name].startswith("*") or schema["default"] not in ("", 0, {}, False)
        ):
            found[name] = schema["default"]
    return found


@cache
def _rules(package: str) -> dict[str, Default]:
    module = _MODULES.get(package)
    if module is None:
        return {}
    rules: dict[str, Default] = import_module(f"{__name__}.{module}").DEFAULTS
    return rules


@cache
def _compiled(definition: str, depth: int) -> Default | None:
    """The closure of a definition; None when there is nothing to do in it.

    `depth` is how many levels below this one a rule above may have added to: their order is looked after.
    """
    if not depth and not _has_defaults(definition):
        return None
    package = definition.rpartition(".")[0]
    rule = _rules(package).get(definition)
    fields = facts.definition(definition).fields or []
    pointers = {each.name for each in fields if each.type.startswith("*")}
    statics = tuple((name, value, name in pointers) for name, value in static_defaults(definition).items())
    is_kind = definition not in _VISITED_ANYWAY and any(each.name == "metadata" for each in fields)
    below = TOUCHED_LEVELS if rule is not None and is_kind else max(depth - 1, 0)
    visits = tuple(
        (each.name, visit) for each in fields if (visit := _visit(each.type, definition, below)) is not None
    )
    order = _Order([each.name for each in fields])
    known = order.known.get

    def fill_in(obj: JsonObject) -> None:
        if rule is not None:
            rule(obj)
        for name, value, is_pointer in statics:
            told = obj.get(name)
            if told is None or (told == "" and not is_pointer):
                obj[name] = value
        keys = tuple(obj)
        wanted = known(keys) or order.learn(keys)
        if wanted is not keys and wanted != keys:
            ordered = {name: obj[name] for name in wanted}
            obj.clear()
            obj.update(ordered)
        for name, visit in visits:
            value = obj.get(name)
            if value or value.__class__ is dict:
                visit(value)

    return fill_in


class _Order:
    """The order in which Go writes the members of a struct, for each set of members met."""

    def __init__(self, names: list[str]) -> None:
        self._places = {name: index for index, name in enumerate(names)}
        self.known: dict[tuple[str, ...], tuple[str, ...]] = {}

    def learn(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        if len(self.known) >= SHAPES_MAX:
            self.known.clear()
        wanted = tuple(sorted(keys, key=lambda name: self._places.get(name, -1)))
        self.known[keys] = wanted
        return wanted


def _visit(word: str, definition: str, depth: int) -> Callable[[Any], None] | None:
    """What fills in a member of this type; None when there is nothing to do in it."""
    word = word.removeprefix("*")
    if word == _QUANTITIES:
        return _round_up if _is_rounded(definition) else None
    inner = word.removeprefix("[]").removeprefix("{}").removeprefix("*")
    if not inner.startswith("io.") or facts.definition(inner).fields is None:
        return None
    if not depth and not _has_defaults(inner):
        return None
    if word.startswith("[]"):
        return _of_list(inner, depth)
    return _of_map(inner, depth) if word.startswith("{}") else _of_struct(inner, depth)


# Compiled when first met, because definitions are read when first needed.


def _needed(definition: str, depth: int) -> Default:
    fill_in = _compiled(definition, depth)
    assert fill_in is not None, definition
    return fill_in


def _of_struct(definition: str, depth: int) -> Callable[[Any], None]:
    return lambda value: _needed(definition, depth)(value)


def _of_list(definition: str, depth: int) -> Callable[[Any], None]:
    def visit(items: Any) -> None:
        fill_in = _needed(definition, depth)
        for item in items:
            fill_in(item)

    return visit


def _of_map(definition: str, depth: int) -> Callable[[Any], None]:
    def visit(members: Any) -> None:
        fill_in = _needed(definition, depth)
        for member in members.values():
            fill_in(member)

    return visit


def _is_rounded(definition: str) -> bool:
    return definition.startswith(_RESOURCE_LISTS) and definition not in _NOT_ROUNDED


def _round_up(amounts: Any) -> None:
    """Amounts of resources are never finer than a thousandth."""
    for name, text in amounts.items():
        if text[-1] in "nu" or "." in text or "e" in text or "E" in text:
            amount = parse_quantity(text)
            if amount.scaled_value(-3) * 1000 != amount.scaled_value(-6) or text[-1] == "n":
                amounts[name] = str(type(amount)(amount.milli_value(), -3, format=amount.format))


@cache
def _has_defaults(definition: str) -> bool:
    """Whether a struct or anything in it has defaults. Types that contain themselves have none."""
    return _reaches(definition, frozenset())


def _reaches(definition: str, seen: frozenset[str]) -> bool:
    if definition in seen:
        return False
    raw = facts.definition(definition)
    if raw.fields is None:
        return False
    if definition in _rules(definition.rpartition(".")[0]) or static_defaults(definition):
        return True
    for field in raw.fields:
        word = field.type.lstrip("*")
        if word == _QUANTITIES:
            if _is_rounded(definition):
                return True
            continue
        word = word.removeprefix("[]").removeprefix("{}").lstrip("*")
        if word.startswith("io.") and _reaches(word, seen | {definition}):
            return True
    return False
