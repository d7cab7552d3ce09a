"""Field sets after the schema has changed: what became atomic is owned as a whole.

Promises
    N1  a set written under the present schema is given back as it is
    N2  fields below a value that is atomic now become ownership of that value

Source: structured-merge-diff's ReconcileFieldSetWithSchema.
"""

from kajitori.apimachinery.managedfields.elements import SELF
from kajitori.apimachinery.managedfields.sets import LEAF, FieldSet
from kajitori.apimachinery.managedfields.types import Type

__all__ = ["reconcile", "with_named_fields"]


def reconcile(fields: FieldSet, of: Type) -> FieldSet:
    """The set as the type now has it; the same dict when nothing changed."""
    changed: FieldSet = {}
    for element, below in fields.items():
        if below:
            inner = _reconcile(below, _type_below(of, element))
            if inner is not below:
                changed[element] = inner
    return {**fields, **changed} if changed else fields


def _reconcile(node: FieldSet, of: Type | None) -> FieldSet:
    if of is None:
        return node
    if of.map is not None:
        if of.map.is_free_form:
            return node
        if of.map.atomic:
            return LEAF
    elif of.scalar:
        return node
    elif of.list is not None and of.list.atomic:
        return LEAF
    return reconcile(node, of)


def _type_below(of: Type, element: str) -> Type | None:
    if element[:2] == "f:":
        if of.map is None or (of.map.element is None and not of.map.declares(element[2:])):
            return None
        return of.map.member(element[2:])
    return of.list.items if of.list is not None and element != SELF else None


def with_named_fields(fields: FieldSet, of: Type | None) -> FieldSet:
    """The set, with every declared struct member that has fields below it as a member too.

    Sets leave those out, yet they matter when fields are removed: a struct that nobody names any more goes.
    """
    result: FieldSet = {}
    for element, below in fields.items():
        if not below:
            result[element] = LEAF
            continue
        inner = with_named_fields(below, None if of is None else _type_below(of, element))
        named = of is not None and of.map is not None and of.map.declares(element[2:])
        if SELF not in inner and named and element[:2] == "f:":
            inner = {SELF: LEAF, **inner}
        result[element] = inner
    return result
