"""What expressions may cost: numbers as cel-go's estimator gives them with Kubernetes' options."""

from dataclasses import replace

import pytest

from kajitori.apimachinery.cel.cost import UINT64_MAX, Cost, Size
from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.estimator import estimate, no_sizes, sizes_below
from kajitori.apimachinery.cel.macros import OPTIONAL_MACROS, STANDARD_MACROS
from kajitori.apimachinery.cel.standard import STANDARD
from kajitori.apimachinery.cel.types import BYTES, DYN, INT, STRING, Type, list_of, map_of, object_type

TEXT = replace(STRING, size=Size(0, 40))
LONG = replace(STRING, size=Size(0, 3 * 1024 * 1024 - 2))
ITEM = object_type(
    "item",
    {"name": TEXT, "parts": replace(list_of(TEXT), size=Size(0, 3)), "index": INT, "long": LONG},
)
SELF = object_type(
    "self",
    {
        "name": TEXT,
        "data": replace(BYTES, size=Size(0, 100)),
        "count": INT,
        "items": replace(list_of(ITEM), size=Size(0, 5)),
        "labels": replace(map_of(STRING, TEXT), size=Size(0, 10)),
        "any": replace(DYN, size=Size(0, 50)),
    },
)
ENVIRONMENT = Environment([STANDARD], macros=(*STANDARD_MACROS, *OPTIONAL_MACROS)).extend(
    variables={"self": SELF, "x": STRING, "n": INT}
)


def cost(text: str, *, known: bool = True) -> tuple[int, int]:
    found = estimate(ENVIRONMENT.check(text), sizes_below(SELF) if known else no_sizes)
    return found.min, found.max


ESTIMATES: list[tuple[str, int | None, int]] = [
    ("true", 0, 0),
    ("self.count == 1", 2, 2),
    ("self.name == 'abc'", 3, 3),
    ("self.name != self.name", 5, 8),
    ("self.name < 'b'", 3, 3),
    ("self.data == b'ab'", 3, 3),
    ("self == self", 2, 2),
    ("self.name.startsWith('abcdefghijklm')", 4, 4),
    ("self.name.contains('ab')", 2, 6),
    ("self.name.matches('^[a-z]+$')", 4, 12),
    ("self.name.matches(self.name)", 4, 54),
    ("self.name + self.name == 'x'", 5, 13),
    ("self.data + b'x' == b'yz'", 4, 14),
    ("'x' in ['a', 'b']", 12, 12),
    ("'x' in self.labels", 3, 3),
    ("has(self.name)", 1, 1),
    ("has(self.name) && self.name == 'abc'", 1, 4),
    ("self.name == 'a' || self.count == 1", 3, 5),
    ("self.count == 1 ? self.name == 'a' : true", 2, 5),
    ("self.items.all(x, x.name == 'a')", 3, 33),
    ("self.items.exists(x, x.parts.all(y, y.startsWith(x.name)))", 3, 2038),
    ("self.items.map(x, x.name) == ['a']", 24, 94),
    ("self.items.filter(x, x.index > 1).all(x, x.parts[0] == x.long)", 14, 9223372036854776454),
    ("self.items.all(x, x.parts[x.index] == self.items[0].long)", 3, 1572928),
    ("self.items[0].parts[1].contains('abc')", 5, 9),
    ("self.labels.all(k, k.startsWith('a') && self.labels[k] == 'abcdefghijklmnop')", 3, 113),
    ("self.labels.x.startsWith('abcdefghijklmnop')", 5, 5),
    ("self.labels['x'].contains(self.name)", 5, 21),
    ("[1, 2].all(i, i == 1)", None, 19),
    ("['a', 'bcdefghijklmnopqrstuvw'].exists(i, self.name.contains(i))", None, 25),
    ("{'a': 'bcdefghijkl', 'm': 'n'}.all(k, k == 'abcdefghijkl')", None, 39),
    ("(self.count == 1 ? ['a'] : ['bcd', 'efghijklmnopqrstuvwxyz']).all(i, self.name.contains(i))", None, 25),
    ("(['a'] + ['bcdefghijklmnopqrst']).all(i, self.name.contains(i))", None, 34),
    ("string(self.data) == self.items[0].long", 7, 26),
    ("bytes(self.name) == bytes(self.items[0].long)", 7, 314599),
    ("dyn(self.name) == dyn(self.items[0].long)", 9, 12),
    ("self.any == self.items[0].long", 7, 11),
    ("self.any == 1", 3, 3),
    ("size(self.items) > 1 && self.items.size() > 2", 4, 8),
    ("self.items[0].long.contains(self.items[0].long)", 8, 98956172337),
    ("self.items.all(a, self.items.all(b, self.items.all(c, a == b && b == c)))", 3, 1058),
    ("[self.name, self.name].map(v, v + v).all(v, v == self.items[0].long)", None, 70),
    ("-self.count < 0 && !(self.count > 2)", 4, 8),
    ("timestamp('2020-01-01T00:00:00Z') == timestamp('2020-01-01T00:00:00Z')", 3, 3),
]
"""Recorded; the least cost where it does not depend on what is taken for `self`."""


@pytest.mark.parametrize(("text", "least", "most"), ESTIMATES)
def test_estimates_are_those_of_kubernetes(text: str, least: int | None, most: int) -> None:  # E1
    found = cost(text)
    assert found[1] == most
    assert least is None or found[0] == least


def test_presence_costs_only_what_it_takes_to_get_there() -> None:  # E2
    assert cost("has(self.items[0].name)") == cost("self.items[0]")


def test_without_a_schema_nothing_is_known_of_sizes() -> None:
    assert cost("x.contains('a')", known=False) == (1, 1 + 1844674407370955264)
    assert cost("self.items.all(i, i.index > n)", known=False)[1] == UINT64_MAX


def test_a_path_forgets_where_it_led_once_its_brother_is_looked_at() -> None:
    one = cost("self.items.all(i, i.parts[0] == self.items[0].long)")
    other = cost("self.items.all(i, i.parts[i.index] == self.items[0].long)")
    assert one[1] < 100 < other[1]


def test_what_stands_in_a_written_list_is_taken_for_self() -> None:
    # `self` has no size of its own: comparing with it is for free.
    assert cost("[1, 2].all(i, i == 1)")[1] == cost("[1, 2].all(i, i == 1)", known=False)[1] - 2


def test_sums_and_products_never_wrap() -> None:  # cost.py K1
    most = Cost(UINT64_MAX, UINT64_MAX)
    assert most + most == most * most == most.scaled(2) == most
    huge = Size(UINT64_MAX, UINT64_MAX)
    assert huge + huge == huge * huge == huge.scaled(2) == huge
    assert huge.cost(0.1) == Cost(1844674407370955264, 1844674407370955264)
    assert Size(1, 11).cost(0.1) == Cost(1, 2)
    assert (Size(2, 3) | Size(1, 9)) == Size(1, 9)
    assert (Cost(2, 3) | Cost(1, 9)) == Cost(1, 9)


def test_a_size_leads_only_where_the_schema_leads() -> None:
    sizes = sizes_below(SELF)
    assert sizes(("self", "items", "@items", "name")) == Size(0, 40)
    assert sizes(("self", "labels", "@values")) == Size(0, 40)
    assert sizes(("self", "labels", "@keys")) == Size(0, 0)  # as Kubernetes has it
    assert sizes(("self", "items", "@keys")) is None
    assert sizes(("self", "name", "@items")) is None
    assert sizes(("self", "labels", "x")) is None


def test_types_without_size_are_counted_by_their_kind() -> None:
    types: dict[str, Type] = {"when": INT, "text": STRING}
    environment = ENVIRONMENT.extend(variables=types)
    assert estimate(environment.check("when == when"), no_sizes) == Cost(3, 3)
    assert estimate(environment.check("text == text"), no_sizes).max == 2 + 1844674407370955264
