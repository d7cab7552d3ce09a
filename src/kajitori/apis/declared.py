"""The CustomResourceDefinitions of declared kinds, with the schemas of built-in kinds that they refer to."""

from kajitori.apimachinery.kind import JsonObject

__all__ = ["crd_for"]


def crd_for(*classes: type) -> JsonObject:
    """The definition of one kind, from the classes of its versions (see `kajitori.apis.kind`).

    Raises: DeclarationError, which says which class and field, and what would be right.
    """
    from kajitori.apimachinery import crdgen
    from kajitori.apis import facts

    return crdgen.crd_for(*classes, load=lambda name: facts.definition(name).schema)
