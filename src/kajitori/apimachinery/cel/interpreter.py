"""Runs a plan step by step, as cel-go does: every value, every error and every unit of cost at its place.

The slow and exact way. Generated code is fast as long as nothing goes wrong; what it meets an error in is run again
here, where errors are values that `&&`, `||` and `?:` may absorb. Explaining an expression runs here as well.

Promises
    I1  values, messages and costs are those of cel-go, also where an error was absorbed or a loop went on after one
    I2  passing the limit raises CostLimitExceeded before the next step
    I3  with `observe`, the last value or error of each step that was reached is told, with what all its runs cost

Source: cel-go's interpreter/interpretable.go, attributes.go and runtimecost.go, whose stack of values this keeps too:
what a call costs depends on the arguments it finds there.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kajitori.apimachinery.cel.calls import invoke
from kajitori.apimachinery.cel.cost import LIST_CREATE_COST, MAP_CREATE_COST, SELECT_COST, STRUCT_CREATE_COST
from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.folding import Failure, Growing, Scope, items_of
from kajitori.apimachinery.cel.ledger import Ledger
from kajitori.apimachinery.cel.lookup import probe, qualify
from kajitori.apimachinery.cel.plan import (
    Attribute,
    Computed,
    Conditional,
    Const,
    Fold,
    Invocation,
    Key,
    ListOf,
    Logic,
    MapOf,
    Membership,
    OptionalOr,
    Qualifier,
    Step,
    StructOf,
    Variable,
)
from kajitori.apimachinery.cel.shapes import grows
from kajitori.apimachinery.cel.show import shown
from kajitori.apimachinery.cel.values import (
    MISSING,
    NONE,
    MapValue,
    Optional,
    Struct,
    map_of_entries,
    surely_equal,
)

__all__ = ["Interpreter", "Observation"]


@dataclass(slots=True)
class Observation:
    """What came of one node."""

    value: Any
    """Its last value; `None` when there was an error."""
    error: str | None
    cost: int
    """Of all times it was computed, with what is below it."""
    span: tuple[int, int] = (0, 0)
    """What everything had cost before and after the last time."""


class Interpreter:
    """One run of a plan."""

    def __init__(
        self,
        variables: Mapping[str, Any],
        limit: int | None = None,
        *,
        presence_costs: bool = False,
        observations: dict[int, Observation] | None = None,
    ) -> None:
        self._ledger = Ledger(limit)
        self._variables = variables
        self._presence_costs = presence_costs
        self._observations = observations
        self._scope: Scope | None = None
        self._runs: dict[type, Callable[[Any], Any]] = {
            Const: self._const,
            Attribute: self._attribute,
            Logic: self._logic,
            Invocation: self._invocation,
            Membership: self._membership,
            OptionalOr: self._optional_or,
            ListOf: self._list,
            MapOf: self._map,
            StructOf: self._struct,
            Fold: self._fold,
        }

    @property
    def cost(self) -> int:
        """What has been spent."""
        return self._ledger.cost

    def run(self, step: Step) -> Any:
        """The value of the step.

        Raises:
            EvaluationError: it has none.
            CostLimitExceeded: it costs more than it may.
        """
        value = self._evaluate(step)
        if type(value) is Failure:
            raise EvaluationError(value.message, self._ledger.cost)
        return value

    def _evaluate(self, step: Step) -> Any:
        chain: list[Invocation] = []
        while type(step) is Invocation and step.arguments:
            chain.append(step)
            step = step.arguments[0]
        before = self._ledger.cost
        value = self._runs[type(step)](step)
        self._observe(step.id, value, before)
        for call in reversed(chain):
            value = self._invoked(call, value)
            self._observe(call.id, value, before)
        return value

    def _observe(self, id: int, value: Any, before: int) -> None:
        if self._observations is None:
            return
        failed = type(value) is Failure
        seen = self._observations.setdefault(id, Observation(None, None, 0))
        seen.value = None if failed else value
        seen.error = value.message if failed else None
        after = self._ledger.cost
        seen.cost += after - before
        if before <= seen.span[0] and seen.span[1] <= after:
            # The last selection and the whole of an attribute are one node: what is inside is not counted again.
            seen.cost -= seen.span[1] - seen.span[0]
        seen.span = (before, after)

    # Steps

    def _const(self, step: Const) -> Any:
        self._ledger.push(step.id, step.value)
        return step.value

    def _logic(self, step: Logic) -> Any:
        failure: Failure | None = None
        value: Any = not step.stop
        for term in (step.left, step.right):
            found = self._evaluate(term)
            if found is step.stop:
                value, failure = found, None
                break
            if type(found) is not bool and failure is None:
                failure = found if type(found) is Failure else Failure("no such overload")
        self._ledger.drop(step.left.identity, step.right.identity)
        result = failure if failure is not None else value
        self._ledger.push(step.id, result)
        return result

    def _invocation(self, step: Invocation) -> Any:
        return self._invoked(step, MISSING)

    def _invoked(self, step: Invocation, first: Any) -> Any:
        """The rest of a call whose first argument, if it has one, is computed."""
        arguments: list[Any] = [] if first is MISSING else [first]
        failure = first if type(first) is Failure else None
        for argument in step.arguments[1:]:
            if failure is not None and not step.eager:
                break
            arguments.append(self._evaluate(argument))
            if failure is None and type(arguments[-1]) is Failure:
                failure = arguments[-1]
        result: Any = failure
        if failure is None:
            try:
                result = invoke(step.name, step.overloads, arguments)
            except EvaluationError as error:
                result = Failure(str(error))
        counted = self._ledger.take(step.arguments)
        if counted is not None:
            self._ledger.cost += 1 if step.cost is None else step.cost(counted, result)
        self._ledger.push(step.id, result)
        return result

    def _membership(self, step: Membership) -> Any:
        value = self._evaluate(step.value)
        if type(value) is not Failure:
            value = any(surely_equal(value, member) for member in step.members)
        self._ledger.push(step.id, value)
        return value

    def _optional_or(self, step: OptionalOr) -> Any:
        value = self._evaluate(step.left)
        if type(value) is Optional:
            if not value.present:
                value = self._evaluate(step.right)
            elif step.unwraps:
                value = value.value
        self._ledger.push(step.id, value)
        return value

    def _list(self, step: ListOf) -> Any:
        return self._constructed(step.id, step.elements, self._elements(step), LIST_CREATE_COST)

    def _elements(self, step: ListOf) -> Any:
        values: list[Any] = []
        for position, element in enumerate(step.elements):
            value = self._evaluate(element)
            if type(value) is Failure:
                return value
            if position in step.optional:
                if type(value) is not Optional:
                    message = (
                        f"cannot initialize optional list element from non-optional value {shown(value)}"
                    )
                    return Failure(message)
                if not value.present:
                    continue
                value = value.value
            values.append(value)
        return values

    def _map(self, step: MapOf) -> Any:
        steps = [one for key, value, _ in step.entries for one in (key, value)]
        return self._constructed(step.id, steps, self._entries(step), MAP_CREATE_COST)

    def _entries(self, step: MapOf) -> Any:
        entries: dict[tuple[type, Any], tuple[Any, Any]] = {}
        for key_step, value_step, optional in step.entries:
            key = self._evaluate(key_step)
            if type(key) is Failure:
                return key
            value = self._evaluate(value_step)
            if type(value) is Failure:
                return value
            if isinstance(key, bytes | list | dict | MapValue):
                return Failure("unsupported key type")
            if optional:
                if type(value) is not Optional:
                    return Failure(_no_optional(key, value))
                if not value.present:
                    entries.pop((type(key), key), None)
                    continue
                value = value.value
            entries[type(key), key] = (key, value)
        return map_of_entries(entries.values())

    def _struct(self, step: StructOf) -> Any:
        steps = [value for _, value, _ in step.fields]
        return self._constructed(step.id, steps, self._fields(step), STRUCT_CREATE_COST)

    def _fields(self, step: StructOf) -> Any:
        fields: dict[str, Any] = {}
        for name, value_step, optional in step.fields:
            value = self._evaluate(value_step)
            if type(value) is Failure:
                return value
            if optional:
                if type(value) is not Optional:
                    return Failure(_no_optional(name, value))
                if not value.present:
                    fields.pop(name, None)
                    continue
                value = value.value
            fields[name] = value
        if step.make is None:
            return Struct(step.type, fields.items())
        try:
            return step.make(fields)
        except EvaluationError as error:
            return Failure(str(error))

    def _constructed(self, id: int, steps: Sequence[Step], value: Any, cost: int) -> Any:
        self._ledger.take(steps)
        self._ledger.cost += cost
        self._ledger.push(id, value)
        return value

    # Attributes

    def _attribute(self, step: Attribute) -> Any:
        value = self._resolve(step)
        if step.test_only and type(value) is Optional:
            value = value.present
        base = step.base
        if isinstance(base, Conditional):
            self._ledger.drop(base.false.identity, base.true.identity, base.condition.identity)
        else:
            self._ledger.drop(step.qualifiers[-1].id if step.qualifiers else step.identity)
            self._ledger.cost += SELECT_COST
        if step.test_only and not self._presence_costs:
            self._ledger.cost -= SELECT_COST
        self._ledger.push(step.identity, value)
        return value

    def _resolve(self, attribute: Attribute) -> Any:
        """The value of an attribute, without the cost of its end."""
        base = attribute.base
        if isinstance(base, Variable):
            value = self._look_up(base.name)
            if attribute.qualifiers:
                self._observe(base.id, value, self._ledger.cost)
        elif isinstance(base, Conditional):
            before = self._ledger.cost
            value = self._decide(base)
            self._observe(base.id, value, before)
            return value
        else:
            value = self._evaluate(base)
        if type(value) is Failure or not attribute.qualifiers:
            return value
        return self._select(value, attribute.qualifiers)

    def _decide(self, base: Conditional) -> Any:
        condition = self._evaluate(base.condition)
        if condition is True:
            return self._resolve(base.true)
        if condition is False:
            return self._resolve(base.false)
        return condition if type(condition) is Failure else Failure("no such overload")

    def _look_up(self, name: str) -> Any:
        scope = self._scope
        while scope is not None:
            if name == scope.fold.accumulator:
                return self._accumulated(scope)
            if not scope.ended and name in scope.values:
                return scope.values[name]
            scope = scope.around
        try:
            return self._variables[name]
        except KeyError:
            return Failure(f"no such attribute(s): {name}")

    def _accumulated(self, scope: Scope) -> Any:
        if scope.accumulated is MISSING:
            inside, self._scope = self._scope, scope.around
            value = self._evaluate(scope.fold.initial)
            self._scope = inside
            if isinstance(value, list) and not value and grows(scope.fold):
                value = Growing()
            scope.accumulated = value
        return scope.accumulated

    def _select(self, value: Any, qualifiers: Iterable[Qualifier]) -> Any:
        optional = False
        if type(value) is Optional:
            if not value.present:
                return value
            value, optional = value.value, True
        for qualifier in qualifiers:
            optional = optional or qualifier.optional
            before = self._ledger.cost
            value = self._qualified(value, qualifier, optional=optional)
            if value is MISSING:
                return NONE
            self._observe(qualifier.id, value, before)
            if type(value) is Failure:
                return value
        return Optional(value) if optional else value

    def _qualified(self, holder: Any, qualifier: Qualifier, *, optional: bool) -> Any:
        """What a selection finds; `MISSING` when it optionally finds nothing."""
        if type(qualifier) is Computed:
            before = self._ledger.cost
            key = self._resolve(qualifier.attribute)
            self._observe(qualifier.attribute.identity, key, before)
            written, declared = key, False
        else:
            key, written, declared = qualifier.value, qualifier.written, qualifier.declared  # type: ignore[union-attr]
        found = self._found(holder, key, written, qualifier, optional=optional, declared=declared)
        if found is MISSING or (optional and type(found) is Failure):
            return found
        if type(qualifier) is Computed and qualifier.relative:
            self._ledger.drop(qualifier.attribute.identity)
        self._ledger.cost += SELECT_COST
        self._ledger.push(qualifier.id, found)
        return found

    @staticmethod
    def _found(
        holder: Any, key: Any, written: Any, qualifier: Qualifier, *, optional: bool, declared: bool
    ) -> Any:
        if type(key) is Failure:
            return key
        try:
            if type(qualifier) is Key and qualifier.test_only:
                found = probe(holder, key, declared=declared)
                if optional:
                    return found
                return found is not MISSING
            if optional:
                return probe(holder, key, declared=declared)
            return qualify(holder, key, written, declared=declared)
        except EvaluationError as error:
            return Failure(str(error))

    # Comprehensions

    def _fold(self, step: Fold) -> Any:
        value = self._evaluate(step.over)
        if type(value) is not Failure:
            value = self._folded(step, value)
        self._ledger.drop(step.over.identity)
        self._ledger.push(step.id, value)
        return value

    def _folded(self, step: Fold, over: Any) -> Any:
        scope = Scope(step, self._scope)
        try:
            items = items_of(step, over)
        except EvaluationError as error:
            return Failure(str(error))
        self._scope = scope
        for first, second in items:
            scope.values[step.first] = first
            if step.second is not None:
                scope.values[step.second] = second
            condition = self._evaluate(step.condition)
            if condition is False:
                break
            scope.accumulated = self._evaluate(step.step)
        scope.ended = True
        result = self._evaluate(step.result)
        self._scope = scope.around
        return list(result) if type(result) is Growing else result


def _no_optional(field: Any, value: Any) -> str:
    return f"cannot initialize optional entry '{shown(field)}' from non-optional value {shown(value)}"
