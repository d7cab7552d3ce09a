"""The user's modules, imported again and again."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kajitori.cli.dev.code import BrokenCode, Code
from kajitori.cli.main import CommandError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    paths, modules = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = paths
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def imported(name: str) -> Any:
    found = sys.modules.get(name)
    assert isinstance(found, ModuleType), name
    return found


SETUP = "def setup(manager): pass\n"


def test_every_load_is_anew_for_the_module_and_those_beside_it(folder: Path) -> None:  # R1, R4
    write(folder, mine_a=f"import mine_b\nvalue = mine_b.value\n{SETUP}", mine_b="value = 1")
    code = Code("mine_a.py")
    loaded = code.load()
    assert loaded.files == {folder / "mine_a.py", folder / "mine_b.py"}
    library = imported("msgspec")
    # The same second, the same length: to Python's own cache the same file.
    write(folder, mine_b="value = 2")
    code.load()
    assert imported("mine_a").value == 2 and imported("msgspec") is library
    assert not list(folder.rglob("__pycache__"))


def test_a_package_is_the_users_with_all_that_it_imports_of_itself(folder: Path) -> None:
    (folder / "minepkg").mkdir()
    (folder / "minepkg" / "__init__.py").touch()
    write(
        folder,
        minepkg__kinds="SIZE = 1",
        minepkg__main=f"from minepkg.kinds import SIZE\nimport mine_beside\n{SETUP}",
        mine_beside="",
    )
    code = Code("minepkg.main")
    assert {each.name for each in code.load().files} == {"__init__.py", "kinds.py", "main.py"}
    write(folder, minepkg__kinds="SIZE = 2")
    code.load()
    assert imported("minepkg.main").SIZE == 2


def test_what_ran_is_in_place_again_when_the_new_code_fails(folder: Path) -> None:  # R2
    write(folder, mine_c=f"value = 1\n{SETUP}")
    code = Code("mine_c.py")
    code.load()
    running = imported("mine_c")
    write(folder, mine_c="value = 2\n1 / 0")
    with pytest.raises(BrokenCode) as caught:
        code.load()
    assert imported("mine_c") is running
    assert str(caught.value).splitlines() == [
        '  File "mine_c.py", line 2, in <module>',
        "    1 / 0",
        "    ~~^~~",
        "ZeroDivisionError: division by zero",
    ]
    write(folder, mine_c=f"value = 3\n{SETUP}")
    loaded = code.load()
    assert imported("mine_c").value == 3
    loaded.undo()
    assert imported("mine_c") is running


def test_only_the_users_own_lines_are_shown_and_a_syntax_error_says_where_it_is(folder: Path) -> None:  # R3
    write(folder, mine_d=f"import json\njson.loads('{{')\n{SETUP}")
    with pytest.raises(BrokenCode) as caught:
        Code("mine_d.py").load()
    assert [line for line in str(caught.value).splitlines() if "File" in line] == [
        '  File "mine_d.py", line 2, in <module>'
    ]
    write(folder, mine_e=f"import mine_f\n{SETUP}", mine_f="def (")
    with pytest.raises(BrokenCode) as caught:
        Code("mine_e.py").load()
    assert "mine_e.py" not in str(caught.value) and str(caught.value).endswith("SyntaxError: invalid syntax")
    assert folder / "mine_f.py" in caught.value.files, "where it can be mended"


def test_lines_are_those_of_the_version_that_runs(folder: Path) -> None:  # R3
    write(folder, mine_g=f"def fail():\n    raise ValueError('old')\n{SETUP}")
    code = Code("mine_g.py")
    code.load()
    code.remember_sources()
    old = imported("mine_g")
    write(folder, mine_g="# moved\n" * 5 + f"def fail():\n    raise ValueError('new')\n1 / 0\n{SETUP}")
    with pytest.raises(BrokenCode, match="1 / 0"):
        code.load()
    with pytest.raises(ValueError, match="old") as failed:
        old.fail()
    assert "raise ValueError('old')" in code.told(failed.value)


def test_exits_at_import_are_errors_too(folder: Path) -> None:
    write(folder, mine_h="import sys\nsys.exit('no more')")
    with pytest.raises(BrokenCode, match="SystemExit: no more"):
        Code("mine_h.py").load()


def test_what_names_nothing_of_the_users_is_a_wrong_command_line(folder: Path) -> None:
    for target, sentence in (
        ("mysql", "kajitori run mysql"),
        ("mine_nothing.py", "there is no such file"),
        ("mine_nothing", "is found from"),
    ):
        with pytest.raises(CommandError, match=sentence):
            Code(target).load()
    write(folder, mine_i="")
    with pytest.raises(CommandError, match="has no function setup"):
        Code("mine_i.py").load()


def test_a_module_of_the_standard_librarys_name_is_loaded_again_and_the_librarys_stays(folder: Path) -> None:
    library = imported("operator")
    write(folder, operator=f"value = 1\n{SETUP}")
    code = Code("operator.py")
    assert code.load().files == code.load().files == {folder / "operator.py"}
    assert imported("operator") is library
