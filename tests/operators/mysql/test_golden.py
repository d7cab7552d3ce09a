"""Rendered manifests and my.cnf files are, byte for byte, those that are kept (see `golden`)."""

import pytest
from tests.operators.mysql.golden import FILES, HERE, everything


@pytest.mark.parametrize("name", sorted(FILES))
def test_what_is_rendered_is_what_is_kept(name: str) -> None:
    assert FILES[name]() == (HERE / name).read_text()


def test_nothing_else_is_kept() -> None:
    assert {each.name for each in HERE.iterdir()} == set(FILES)


def test_a_cluster_that_uses_every_field_settles() -> None:
    world = everything()
    world.settle(10)
