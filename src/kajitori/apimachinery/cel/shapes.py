"""What comprehensions look like: which of them only append, when they stop, whether they ask for their variable.

Sits beside the plan, for those who run it.
"""

from collections.abc import Iterator

from kajitori.apimachinery.cel.plan import (
    Attribute,
    Computed,
    Conditional,
    Const,
    Fold,
    Invocation,
    ListOf,
    Logic,
    MapOf,
    Membership,
    OptionalOr,
    Step,
    StructOf,
    Variable,
)

__all__ = [
    "appended",
    "grows",
    "holds_loop",
    "is_variable",
    "parts",
    "stops_at",
    "surely_asks",
    "variables_of",
]


def is_variable(attribute: Attribute, name: str) -> bool:
    """Whether it is that variable and nothing else."""
    return isinstance(attribute.base, Variable) and attribute.base.name == name and not attribute.qualifiers


def stops_at(condition: Step, accumulator: str) -> bool | None:
    """The value of the accumulator that ends a loop with this condition, when that is all the condition asks."""
    if not isinstance(condition, Invocation) or condition.name != "@not_strictly_false":
        return None
    (asked,) = condition.arguments
    negated = False
    if isinstance(asked, Invocation) and asked.name == "!_":
        negated, asked = True, asked.arguments[0]
    if isinstance(asked, Attribute) and is_variable(asked, accumulator):
        return negated
    return None


def surely_asks(step: Step | Variable | Conditional, name: str) -> bool:
    """Whether running the step surely asks for the variable."""
    match step:
        case Variable():
            return step.name == name
        case Conditional():
            return surely_asks(step.condition, name)
        case Attribute():
            return surely_asks(step.base, name)
        case Logic() | OptionalOr():
            return surely_asks(step.left, name)
        case Invocation():
            return any(surely_asks(argument, name) for argument in step.arguments)
        case ListOf():
            return any(surely_asks(element, name) for element in step.elements)
        case MapOf():
            return any(surely_asks(one, name) for key, value, _ in step.entries for one in (key, value))
        case StructOf():
            return any(surely_asks(value, name) for _, value, _ in step.fields)
        case Membership():
            return surely_asks(step.value, name)
        case Fold():
            return surely_asks(step.over, name)
        case Const():
            return False


def parts(step: Step) -> Iterator[Step]:
    """The steps that a step is made of."""
    match step:
        case Const():
            return
        case Attribute():
            yield from _parts_of_attribute(step)
        case Logic() | OptionalOr():
            yield from (step.left, step.right)
        case Invocation():
            yield from step.arguments
        case Membership():
            yield step.value
        case ListOf():
            yield from step.elements
        case MapOf():
            for key, value, _ in step.entries:
                yield from (key, value)
        case StructOf():
            yield from (value for _, value, _ in step.fields)
        case Fold():
            yield from (step.over, step.initial, step.condition, step.step, step.result)


def _parts_of_attribute(step: Attribute) -> Iterator[Step]:
    base = step.base
    if isinstance(base, Conditional):
        yield from (base.condition, base.true, base.false)
    elif not isinstance(base, Variable):
        yield base
    yield from (one.attribute for one in step.qualifiers if isinstance(one, Computed))


def holds_loop(step: Step) -> bool:
    """Whether there is a comprehension in it."""
    waiting = [step]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Fold):
            return True
        waiting += parts(one)
    return False


def variables_of(step: Step) -> tuple[str, ...]:
    """The declared names that running the step may ask for."""
    found: dict[str, None] = {}
    waiting: list[tuple[Step, frozenset[str]]] = [(step, frozenset())]
    while waiting:
        one, bound = waiting.pop()
        if isinstance(one, Attribute) and isinstance(one.base, Variable) and one.base.name not in bound:
            found[one.base.name] = None
        if isinstance(one, Fold):
            within = bound | {one.accumulator}
            waiting += [(one.over, bound), (one.initial, bound), (one.result, within)]
            within |= {one.first} if one.second is None else {one.first, one.second}
            waiting += [(one.condition, within), (one.step, within)]
        else:
            waiting += [(part, bound) for part in parts(one)]
    return tuple(sorted(found))


def appended(fold: Fold, step: Step | Variable | Conditional) -> ListOf | Const | None:
    """The list that a step adds to what a macro accumulates, when the step does nothing else."""
    if not isinstance(step, Invocation) or step.name != "_+_" or "@" not in fold.accumulator:
        return None
    left, right = step.arguments
    if not (isinstance(left, Attribute) and is_variable(left, fold.accumulator)):
        return None
    return right if isinstance(right, ListOf | Const) else None


def grows(fold: Fold) -> bool:
    """Whether the comprehension only appends to what it accumulates, as `map` and `filter` do."""
    step = fold.step
    if isinstance(step, Attribute) and isinstance(step.base, Conditional) and not step.qualifiers:
        return appended(fold, step.base.true.base) is not None
    return appended(fold, step) is not None
