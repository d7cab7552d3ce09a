"""Who may import whom, beyond what the contracts in pyproject.toml say, which are checked here too."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.house.modules import ROOT, Module, modules

DOORS = frozenset(
    {"asyncio", "time", "random", "socket", "os", "subprocess", "threading", "uvloop", "ssl", "signal"}
)
PURE = ("kajitori.wire.", "kajitori.apimachinery.", "kajitori.apis.")
OPERATOR_FILES = {"observe.py", "decide.py", "act.py", "reconciler.py"}


@pytest.mark.slow
def test_the_contracts_are_kept() -> None:
    ran = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout


def is_pure(module: Module) -> bool:
    return f"{module.name}.".startswith(PURE) or module.path.name == "decide.py"


def test_pure_modules_open_no_door_not_even_inside_a_function() -> None:
    opened = [
        f"{module.name} imports {taken}"
        for module in modules().values()
        if is_pure(module)
        for taken, _ in module.imports()
        if taken.partition(".")[0] in DOORS or taken.startswith("kajitori.world")
    ]
    assert not opened
    assert sum(is_pure(module) for module in modules().values()) > 50


def test_decisions_know_no_client() -> None:
    for module in modules().values():
        if module.path.name == "decide.py":
            assert not [taken for taken, _ in module.imports() if taken.startswith("kajitori.client")], (
                module.name
            )


def test_operators_do_not_know_one_another_and_look_alike() -> None:
    folder = ROOT / "src/kajitori/operators"
    operators = [path.name for path in folder.iterdir() if (path / "__init__.py").exists()]
    assert "mysql" in operators
    for operator in operators:
        assert {path.name for path in (folder / operator).iterdir()} >= OPERATOR_FILES
        others = tuple(f"kajitori.operators.{other}" for other in operators if other != operator)
        for module in modules().values():
            if module.name.startswith(f"kajitori.operators.{operator}"):
                assert not [taken for taken, _ in module.imports() if taken.startswith(others)], module.name


def test_the_product_never_reaches_out_of_its_own_tree() -> None:
    """The facts it needs are compiled into it: what lies beside a checkout is for tests and tools."""
    for module in modules().values():
        assert "../shared" not in module.path.read_text(encoding="utf-8"), module.name


def test_there_is_no_drawer_for_odds_and_ends() -> None:
    names = {part for name in modules() for part in name.split(".")}
    assert not names & {"utils", "util", "helpers", "misc", "common"}


FOR_OPERATORS = {"kajitori", "kajitori.apis", "kajitori.client", "kajitori.ctrl"}
"""What an operator may take from the rest of the house: what every author of an operator may."""


def is_published(source: str, name: str) -> bool:
    """Whether authors of operators find it where they look. Kinds are published by group and version; what reads other
    people's bytes (`wire`) belongs to the operator that speaks them.
    """
    if re.match(r"kajitori\.apis\.\w+_v\d|kajitori\.wire\.", f"{source}."):
        return True
    return source in FOR_OPERATORS and name in (modules()[source].offers or ())


def test_operators_use_only_what_is_published() -> None:
    taken = [
        (module.name, source, name)
        for module in modules().values()
        if module.name.startswith("kajitori.operators.")
        for source, name in module.imports()
        if source.startswith("kajitori.") and not source.startswith("kajitori.operators")
    ]
    assert len(taken) > 100
    assert not [each for each in taken if not is_published(*each[1:])]
