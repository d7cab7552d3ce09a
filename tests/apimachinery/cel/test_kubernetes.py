"""The environments of Kubernetes: what which version lets in."""

import pytest

from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.errors import CompileError
from kajitori.apimachinery.cel.kubernetes import environments
from kajitori.apimachinery.cel.types import BOOL, INT, STRING


def accepted(environment: Environment, text: str) -> bool:
    try:
        environment.check(text)
    except CompileError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("isURL('https://example.com')", 0),
        ("'abc'.find('b') == 'b'", 0),
        ("[1, 2].sum() == 3 && [2, 1].isSorted()", 0),
        ("'a b'.split(' ').join('-') == 'a-b'", 0),
        ("1 < 2.0", 28),
        ("{'a': 1}.?a.orValue(2) == 1", 28),
        ("isQuantity('1Gi')", 28),
        ("'%d'.format([1]) == '1'", 29),
        ("sets.contains([1, 2], [1])", 29),
        ("isIP('::1') && isCIDR('10.0.0.0/8')", 30),
        ("format.dns1123Label().validate('a').hasValue()", 31),
        ("[1].all(i, v, i < v)", 32),
        ("isSemver('1.2.3')", 33),
        ("[3, 1].sort()[0] == 1", 34),
    ],
)
def test_a_version_has_what_came_with_it_or_before(text: str, since: int) -> None:  # V1
    for minor in range(24, 37):
        assert accepted(environments(minor).new, text) is (minor >= since), minor
    assert accepted(environments(24).stored, text)


def test_strings_change_with_1_29() -> None:  # V1
    assert not accepted(environments(28).new, "strings.quote('a') == ''")
    assert accepted(environments(29).new, "strings.quote('a') == ''")


def test_literals_are_looked_at_since_1_29() -> None:  # V1
    for text in ("duration('x') == duration('x')", "timestamp('x') > timestamp('y')", "'a'.matches('(')"):
        assert accepted(environments(28).new, text)
        assert not accepted(environments(29).new, text)
    for minor in (24, 28, 36):
        assert not accepted(environments(minor).new, "[1, 'a'].size() > 0")
    assert accepted(environments(29).new, "'%s %d'.format(['a', 1]) == ''")


def test_environments_are_made_once_and_extended_at_will() -> None:  # V2
    both = environments()
    assert environments().new is both.new and environments(20).stored is both.stored
    wider = both.extend(variables={"x": INT})
    assert wider.new.check("x + 1").type == INT and wider.stored.check("x > 1").type == BOOL
    assert not accepted(both.new, "x + 1")
    assert wider.stored.extend(variables={"x": STRING}).check("x + 'a'").type == STRING
