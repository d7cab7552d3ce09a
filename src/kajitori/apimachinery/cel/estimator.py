"""What an expression may cost at worst, said before it ever runs.

Sits beside the compiler: both walk what the checker gives. Kubernetes refuses a rule in a definition by this
number, so it has to be the same number, oddities included.

What is known of sizes comes from three places: from literals, from what functions say of their results
(`Overload.estimate`), and from schemas, which a `Sizes` looks up by the path that leads to a value:
`("self", "spec", "containers", "@items", "name")`.

Promises
    E1  the costs are those of cel-go with Kubernetes' estimator, to the unit
    E2  testing for presence is free, since Kubernetes has it so

Source: cel-go's checker/cost.go; apiserver's pkg/cel/library/cost.go; apiextensions' schema/cel/compilation.go.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kajitori.apimachinery.cel.checker import Checked
from kajitori.apimachinery.cel.cost import (
    LIST_CREATE_COST,
    MAP_CREATE_COST,
    SELECT_COST,
    STRUCT_CREATE_COST,
    UINT64_MAX,
    Cost,
    Estimate,
    Size,
)
from kajitori.apimachinery.cel.functions import Overload
from kajitori.apimachinery.cel.tree import (
    Call,
    Comprehension,
    Expression,
    Ident,
    ListLiteral,
    Literal,
    MapLiteral,
    Select,
    StructLiteral,
)
from kajitori.apimachinery.cel.types import DYN, Kind, Type

__all__ = ["Sizes", "estimate", "no_sizes", "sizes_below"]

Sizes = Callable[[Sequence[str]], Size | None]
"""How large the value at a path can be; `None` when nothing is known of it.

A path begins with a variable and goes on with field names, `@items`, `@keys` and `@values`."""

_UNKNOWN = Size(0, UINT64_MAX)
_NOTHING = Size(0, 0)
_FREE = Cost(0, 0)
_ONE = Cost(1, 1)
_NEVER_CHOSEN = Cost(UINT64_MAX, 0)
_NO_SIZE_YET = Size(UINT64_MAX, 0)
_SCALARS = frozenset((Kind.BOOL, Kind.DOUBLE, Kind.DURATION, Kind.INT, Kind.TIMESTAMP, Kind.UINT))
_ELEMENTS = {"index_list": "@items", "index_map": "@values"}
_UNNAMED = Overload("", (), DYN, call=lambda: None)
"""For operators that need no overloads, such as `a.?b`."""
_SUMS = frozenset(("add_string", "add_bytes", "add_list"))


def estimate(checked: Checked, sizes: Sizes) -> Cost:
    """The least and the most that the expression can cost."""
    return _Estimator(checked, sizes).cost(checked.tree.root)


def no_sizes(_path: Sequence[str]) -> Size | None:
    """Nothing is known of any variable."""
    return None


def sizes_below(root: Type) -> Sizes:
    """The sizes that a schema gives for `self`: whatever variable a path begins with, it is taken for `root`.

    That is so in Kubernetes, and it matters: what stands in a list that is written out, such as `x` in
    `[1, 2].all(x, x > 0)`, has the path `("@items",)` and so the size of `root`.
    """

    def size(path: Sequence[str]) -> Size | None:
        current = root
        for name in path[1:]:
            below = _type_below(current, name)
            if below is None:
                return None
            current = below
        return current.size or _NOTHING

    return size


def _type_below(one: Type, name: str) -> Type | None:
    if name in ("@items", "@values"):
        return one.parameters[-1] if one.kind in (Kind.LIST, Kind.MAP) else None
    if name == "@keys":
        return one.parameters[0] if one.kind is Kind.MAP else None
    return (one.fields or {}).get(name)


class _Path:
    """A path that grows as a slice of Go does, which shares what it has room for with the one it grew from.

    So in `self.items.all(x, x.list[x.index] > 0)` the path of `x.list` becomes that of `x.index` as soon as this
    is looked at, and the size of the element is unknown. Kubernetes counts so, therefore we do.
    """

    __slots__ = ("_length", "_room")

    def __init__(self, room: list[str], length: int) -> None:
        self._room = room
        self._length = length

    def __truediv__(self, name: str) -> "_Path":
        """This path and one step more."""
        length = self._length
        if length < len(self._room):
            self._room[length] = name
            return _Path(self._room, length + 1)
        room = [*self._room[:length], *([name] * max(length, 1))]
        return _Path(room, length + 1)

    def names(self) -> Sequence[str]:
        return self._room[: self._length]


_NO_PATH = _Path([], 0)


@dataclass(frozen=True, slots=True)
class _Entries:
    """What is known of the keys (or indices) and of the values in a list or map that is written out."""

    kind: Kind
    keys: Size
    values: Size

    def __or__(self, other: "_Entries") -> "_Entries":
        return _Entries(self.kind, self.keys | other.keys, self.values | other.values)


@dataclass(frozen=True, slots=True)
class _Local:
    """A variable of a comprehension."""

    path: _Path
    size: Size | None
    entries: _Entries | None


class _Argument:
    """An argument of a call, as functions that say what they cost see it."""

    __slots__ = ("_known", "_path", "_sizes", "expression", "type")

    def __init__(
        self, expression: Expression, kind: Type, path: Sequence[str], sizes: Sizes, known: Size | None
    ) -> None:
        self.expression = expression
        self.type = kind
        self._path = path
        self._sizes = sizes
        self._known = known

    def size(self) -> Size:
        return _UNKNOWN if self._known is None else self._known

    def known_size(self) -> Size | None:
        return self._known

    def element_size(self) -> Size:
        found = self._sizes([*self._path, "@items"]) if self._path else None
        return _UNKNOWN if found is None else found


class _Estimator:
    """Walks an expression once, inside out."""

    def __init__(self, checked: Checked, sizes: Sizes) -> None:
        self._checked = checked
        self._sizes = sizes
        self._paths: dict[int, _Path] = {}
        self._known: dict[int, Size] = {}
        self._entries: dict[int, _Entries] = {}
        self._locals: dict[str, list[_Local]] = {}
        self._visits: dict[type, Callable[[Any], Cost]] = {
            Literal: self._literal,
            Ident: self._ident,
            Select: self._select,
            Call: self._call,
            ListLiteral: self._list,
            MapLiteral: self._map,
            StructLiteral: self._struct,
            Comprehension: self._comprehension,
        }

    def cost(self, node: Expression) -> Cost:
        """What the expression and all below it may cost."""
        return self._visits[type(node)](node)

    def _literal(self, _node: Literal) -> Cost:
        return _FREE

    def _ident(self, node: Ident) -> Cost:
        return self._name(node, self._checked.references[node.id].name)

    def _struct(self, node: StructLiteral) -> Cost:
        total = Cost(STRUCT_CREATE_COST, STRUCT_CREATE_COST)
        for each in node.fields:
            total += self.cost(each.value)
        return total

    def _name(self, node: Expression, name: str) -> Cost:
        local = self._local(name)
        self._paths[node.id] = _Path([name], 1) if local is None else local.path
        return Cost(SELECT_COST, SELECT_COST)

    def _select(self, node: Select) -> Cost:
        name = self._checked.references.get(node.id)
        if name is not None:
            return self._name(node, name.name)
        cost = self.cost(node.operand)
        if node.test_only:
            return cost
        self._paths[node.id] = self._path(node.operand) / node.field
        if self._type(node.operand).kind in (Kind.MAP, Kind.OBJECT, Kind.PARAMETER):
            cost += Cost(SELECT_COST, SELECT_COST)
        return cost

    def _list(self, node: ListLiteral) -> Cost:
        total = Cost(LIST_CREATE_COST, LIST_CREATE_COST)
        values = _NO_SIZE_YET if node.elements else _NOTHING
        for each in node.elements:
            total += self.cost(each)
            values |= self._size(each)
        self._entries[node.id] = _Entries(Kind.LIST, Size(1, 1), values)
        return total

    def _map(self, node: MapLiteral) -> Cost:
        total = Cost(MAP_CREATE_COST, MAP_CREATE_COST)
        keys = values = _NO_SIZE_YET if node.entries else _NOTHING
        for each in node.entries:
            total += self.cost(each.key) + self.cost(each.value)
            keys |= self._size(each.key)
            values |= self._size(each.value)
        self._entries[node.id] = _Entries(Kind.MAP, keys, values)
        return total

    def _call(self, node: Call) -> Cost:
        if node.function == "dyn":
            cost = self.cost(node.args[0])
            self._copy_sizes(node, node.args[0])
            return cost + _ONE
        costs: list[Cost] = []
        arguments: list[_Argument] = []
        for each in node.args:
            # Not by way of `cost`: comprehensions nest deeply, and Python's stack is not.
            costs.append(self._visits[type(each)](each))
            arguments.append(self._argument(each))
        own = _FREE
        # What has no type is no receiver but the beginning of the function's name: `strings` of `strings.quote`.
        if node.target is not None and node.target.id in self._checked.types:
            own = self.cost(node.target)
            arguments.insert(0, self._argument(node.target))
        total, size = _NEVER_CHOSEN, None
        for overload in self._checked.references[node.id].overloads or (_UNNAMED,):
            found = self._overload(node, overload, arguments, costs)
            total |= found.cost
            if found.result_size is not None:
                size = found.result_size if size is None else size | found.result_size
            step = _ELEMENTS.get(overload.id)
            if step is not None:
                entries = self._entries_of(node.args[0])
                size = None if entries is None else entries.values
                self._paths[node.id] = self._path(node.args[0]) / step
            if size is None:
                size = self._known_size(node)
        self._remember(node, size)
        return own + total

    def _overload(
        self, node: Call, overload: Overload, arguments: Sequence[_Argument], costs: Sequence[Cost]
    ) -> Estimate:
        """The call by one overload with its arguments, but without its receiver."""
        if overload.id in ("logical_and", "logical_or"):
            # The left side may decide alone.
            return Estimate(Cost(costs[0].min, (costs[0] + costs[1]).max))
        if overload.id == "conditional":
            self._join_entries(node, node.args[1], node.args[2])
            size = arguments[1].size() | arguments[2].size()
            return Estimate(costs[0] + (costs[1] | costs[2]), size)
        if overload.id in _SUMS:
            self._join_entries(node, node.args[0], node.args[1])
        found = overload.estimate(arguments) if overload.estimate is not None else None
        if found is None:
            return Estimate(sum(costs, start=_ONE))
        return Estimate(sum(costs, start=found.cost), found.result_size)

    def _comprehension(self, node: Comprehension) -> Cost:
        if _is_binding(node):
            return self._binding(node)
        total = self.cost(node.iter_range) + self.cost(node.accu_init)
        self._push_accumulator(node)
        if node.iter_var2 is None:
            self._push_element(node.iter_var, node.iter_range, keys=not self._is_list(node.iter_range))
        else:
            self._push_element(node.iter_var, node.iter_range, keys=True)
            self._push_element(node.iter_var2, node.iter_range, keys=False)
        each = self.cost(node.condition)
        each += self._visits[type(node.step)](node.step)
        self._locals[node.iter_var].pop()
        if node.iter_var2 is not None:
            self._locals[node.iter_var2].pop()
        total += self.cost(node.result)
        self._locals[node.accu_var].pop()
        rounds = self._size(node.iter_range)
        if isinstance(node.accu_init, Literal):
            self._remember(node, self._known_size(node.accu_init))
        elif isinstance(node.accu_init, ListLiteral | MapLiteral):
            self._remember(node, rounds)
            entries = self._entries_of(node.step)
            if entries is not None:
                self._entries[node.id] = entries
        return total + each * rounds

    def _binding(self, node: Comprehension) -> Cost:
        total = self.cost(node.iter_range) + self.cost(node.accu_init)
        self._push_accumulator(node)
        total += self.cost(node.result)
        self._locals[node.accu_var].pop()
        self._copy_sizes(node, node.result)
        return total

    def _push_accumulator(self, node: Comprehension) -> None:
        start = node.accu_init
        local = _Local(self._path(start), self._known_size(start), self._entries_of(start))
        self._locals.setdefault(node.accu_var, []).append(local)

    def _push_element(self, name: str, iter_range: Expression, *, keys: bool) -> None:
        entries = self._entries_of(iter_range)
        is_list = self._is_list(iter_range)
        size: Size | None = None
        if entries is not None:
            size = entries.keys if keys else entries.values
        steps = ("@indices", "@keys") if keys else ("@items", "@values")
        local = _Local(self._path(iter_range) / steps[0 if is_list else 1], size, None)
        self._locals.setdefault(name, []).append(local)

    def _is_list(self, node: Expression) -> bool:
        entries = self._entries_of(node)
        return (self._type(node).kind if entries is None else entries.kind) is Kind.LIST

    def _local(self, name: str) -> _Local | None:
        found = self._locals.get(name)
        return found[-1] if found else None

    def _type(self, node: Expression) -> Type:
        return self._checked.types[node.id]

    def _path(self, node: Expression) -> _Path:
        if isinstance(node, Ident):
            local = self._local(node.name)
            if local is not None:
                return local.path
        return self._paths.get(node.id, _NO_PATH)

    def _argument(self, node: Expression) -> _Argument:
        path = self._path(node).names()
        return _Argument(node, self._type(node), path, self._sizes, self._known_size(node))

    def _remember(self, node: Expression, size: Size | None) -> None:
        if size is not None:
            self._known[node.id] = size

    def _copy_sizes(self, node: Expression, source: Expression) -> None:
        self._remember(node, self._known_size(source))
        entries = self._entries_of(source)
        if entries is not None:
            self._entries[node.id] = entries

    def _join_entries(self, node: Expression, left: Expression, right: Expression) -> None:
        one, other = self._entries_of(left), self._entries_of(right)
        if one is not None and other is not None:
            self._entries[node.id] = one | other

    def _size(self, node: Expression) -> Size:
        found = self._known_size(node)
        return _UNKNOWN if found is None else found

    def _known_size(self, node: Expression) -> Size | None:
        found = self._known.get(node.id) or _written_size(node)
        if found is not None:
            return found
        path = self._path(node).names()
        if path:
            found = self._sizes(path)
            if found is not None:
                self._known[node.id] = found
                return found
        if _is_scalar(self._type(node)):
            return Size(1, 1)
        local = self._local(node.name) if isinstance(node, Ident) else None
        return None if local is None else local.size

    def _entries_of(self, node: Expression) -> _Entries | None:
        found = self._entries.get(node.id)
        if found is None and isinstance(node, Ident):
            local = self._local(node.name)
            return None if local is None else local.entries
        return found


def _is_binding(node: Comprehension) -> bool:
    """Whether it only names a value: it never goes round."""
    return (
        isinstance(node.iter_range, ListLiteral)
        and not node.iter_range.elements
        and isinstance(node.condition, Literal)
        and node.condition.value is False
    )


def _written_size(node: Expression) -> Size | None:
    match node:
        case Literal(value=str() | bytes() as text):
            return Size(len(text), len(text))
        case Literal():
            return Size(1, 1)
        case ListLiteral(elements=elements):
            return Size(len(elements), len(elements))
        case MapLiteral(entries=entries):
            return Size(len(entries), len(entries))
        case _:
            return None


def _is_scalar(one: Type) -> bool:
    return one.kind in _SCALARS or (one.is_optional and _is_scalar(one.parameters[0]))
