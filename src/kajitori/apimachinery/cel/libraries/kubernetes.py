"""Which libraries expressions may use, by the version of Kubernetes that they must work with.

Source: apiserver's pkg/cel/environment/base.go.
"""

from dataclasses import dataclass

from kajitori.apimachinery.cel.functions import Library
from kajitori.apimachinery.cel.libraries.authorizer import authorizer, authorizer_selectors
from kajitori.apimachinery.cel.libraries.cidr import cidr
from kajitori.apimachinery.cel.libraries.formats import formats
from kajitori.apimachinery.cel.libraries.ip import ip
from kajitori.apimachinery.cel.libraries.kubernetes_lists import kubernetes_lists
from kajitori.apimachinery.cel.libraries.kubernetes_regex import kubernetes_regex
from kajitori.apimachinery.cel.libraries.lists import lists
from kajitori.apimachinery.cel.libraries.optionals import optionals
from kajitori.apimachinery.cel.libraries.quantity import quantity
from kajitori.apimachinery.cel.libraries.semver import semver
from kajitori.apimachinery.cel.libraries.sets import sets
from kajitori.apimachinery.cel.libraries.strings import strings
from kajitori.apimachinery.cel.libraries.two_variables import two_variables
from kajitori.apimachinery.cel.libraries.urls import urls

__all__ = ["INTRODUCED", "Introduced", "kubernetes_libraries"]


@dataclass(frozen=True, slots=True)
class Introduced:
    """A library, and the minor versions of Kubernetes 1 that have it."""

    library: Library
    since: int = 0
    until: int | None = None
    """The first version that has it no more."""


INTRODUCED: tuple[Introduced, ...] = (
    Introduced(urls),
    Introduced(kubernetes_regex),
    Introduced(kubernetes_lists),
    Introduced(authorizer, since=27),
    Introduced(optionals(2), since=28),
    Introduced(quantity, since=28),
    Introduced(strings(0), until=29),
    Introduced(strings(2), since=29),
    Introduced(sets, since=29),
    Introduced(ip, since=30),
    Introduced(cidr, since=30),
    Introduced(formats, since=31),
    Introduced(authorizer_selectors, since=31),
    Introduced(two_variables, since=32),
    Introduced(semver(1), since=33),
    Introduced(lists(3), since=34),
)
"""In the order in which their overloads are tried."""


def kubernetes_libraries(minor: int) -> tuple[Library, ...]:
    """What an environment of this minor version has beyond the standard library."""
    return tuple(
        one.library for one in INTRODUCED if one.since <= minor and (one.until is None or minor < one.until)
    )
