"""The CustomResourceDefinitions of declared kinds, with the schemas of built-in kinds that they refer to."""

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.versions import Versions

__all__ = ["check_crd", "crd_for"]


def crd_for(*classes: type | Versions, conversion: JsonObject | None = None) -> JsonObject:
    """The definition of one kind, from the classes of its versions (see `kajitori.apis.kind`), or from `Versions`.

    `conversion` is `spec.conversion`, such as `webhook_conversion` gives it.
    Raises: DeclarationError, which says which class and field, and what would be right.
    """
    from kajitori.apimachinery import crdgen
    from kajitori.apis import facts

    versions: list[type] = []
    for each in classes:
        versions += each.classes if isinstance(each, Versions) else (each,)
    return crdgen.crd_for(*versions, load=lambda name: facts.definition(name).schema, conversion=conversion)


def check_crd(definition: JsonObject) -> list[str]:
    """What an API server would refuse of a definition, in its words; CEL rules are compiled and estimated."""
    from kajitori.apimachinery.structural.defaulting import copy_json
    from kajitori.apis.apiextensions_v1 import default_crd, prepare_create, validate_crd

    stored: JsonObject = copy_json(definition)
    default_crd(stored)
    prepare_create(stored)
    return [str(each) for each in validate_crd(stored)]
