"""Every function and macro of the libraries is described, and nothing else."""

import pytest

from kajitori.apimachinery.cel.functions import Library
from kajitori.apimachinery.cel.libraries import descriptions
from kajitori.apimachinery.cel.libraries.authorizer import authorizer, authorizer_selectors
from kajitori.apimachinery.cel.libraries.bindings import bindings
from kajitori.apimachinery.cel.libraries.cidr import cidr
from kajitori.apimachinery.cel.libraries.encoders import encoders
from kajitori.apimachinery.cel.libraries.formats import formats
from kajitori.apimachinery.cel.libraries.ip import ip
from kajitori.apimachinery.cel.libraries.jsonpatch import jsonpatch
from kajitori.apimachinery.cel.libraries.kubernetes_lists import kubernetes_lists
from kajitori.apimachinery.cel.libraries.kubernetes_regex import kubernetes_regex
from kajitori.apimachinery.cel.libraries.lists import lists
from kajitori.apimachinery.cel.libraries.math import math
from kajitori.apimachinery.cel.libraries.optionals import optionals
from kajitori.apimachinery.cel.libraries.quantity import quantity
from kajitori.apimachinery.cel.libraries.regex import regex
from kajitori.apimachinery.cel.libraries.semver import semver
from kajitori.apimachinery.cel.libraries.sets import sets
from kajitori.apimachinery.cel.libraries.strings import strings
from kajitori.apimachinery.cel.libraries.two_variables import two_variables
from kajitori.apimachinery.cel.libraries.urls import urls

LIBRARIES = (
    strings(4),
    kubernetes_regex,
    kubernetes_lists,
    lists(3),
    sets,
    two_variables,
    optionals(2),
    quantity,
    semver(1),
    ip,
    cidr,
    urls,
    formats,
    authorizer,
    authorizer_selectors,
    jsonpatch,
    bindings,
    encoders,
    math(2),
    regex,
)


def test_every_library_has_a_subject() -> None:
    assert list(descriptions.SUBJECTS) == [one.name for one in LIBRARIES]


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda one: one.name)
def test_every_function_and_macro_is_described(library: Library) -> None:
    functions = {one.name for one in library.functions if "@" not in one.name}
    assert set(descriptions.FUNCTIONS[library.name]) == functions
    usages = descriptions.MACROS.get(library.name, {})
    assert {usage.partition("(")[0].rpartition(".")[2] for usage in usages} == {
        one.name for one in library.macros
    }
