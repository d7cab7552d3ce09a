"""Environments for the tests of CEL: all that there is outside of Kubernetes, at the latest versions."""

from functools import cache

from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.libraries.bindings import bindings
from kajitori.apimachinery.cel.libraries.encoders import encoders
from kajitori.apimachinery.cel.libraries.lists import lists
from kajitori.apimachinery.cel.libraries.math import math
from kajitori.apimachinery.cel.libraries.optionals import optionals
from kajitori.apimachinery.cel.libraries.sets import sets
from kajitori.apimachinery.cel.libraries.strings import strings
from kajitori.apimachinery.cel.libraries.two_variables import two_variables
from kajitori.apimachinery.cel.standard import STANDARD

LATEST = 100


@cache
def everything(*, macros: bool = True) -> Environment:
    """The standard library and all of cel-go's extensions, as conformance cases expect them."""
    functions = [optionals(LATEST), strings(LATEST), math(LATEST), lists(LATEST), sets, encoders]
    if not macros:
        return Environment(
            [STANDARD, sets, encoders], macros=(), cross_type_comparisons=False, quoted_fields=True
        )
    libraries = [STANDARD, *functions, bindings, two_variables]
    return Environment(libraries, cross_type_comparisons=False, quoted_fields=True)
