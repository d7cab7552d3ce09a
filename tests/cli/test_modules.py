"""Modules of users as operators: how they are found, what they declare, what is told when they are wrong."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ctrl.scripted import Script

from kajitori.cli.main import CommandError
from kajitori.cli.modules import OperatorModule, load, name_of, set_up
from kajitori.client import Client
from kajitori.ctrl import Manager

OPERATOR = """\
import msgspec
from kajitori.apimachinery.declare import kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.apis.mysql_v1beta2 import MySQLCluster
from kajitori.ctrl import DONE, Manager

class Spec(msgspec.Struct, frozen=True):
    size: int = 1

@kind(group="example.com", version="v1", plural="widgets")
class Widget(msgspec.Struct, frozen=True):
    spec: Spec
    metadata: ObjectMeta = ObjectMeta()

class Widgets:
    async def reconcile(self, request):
        return DONE

def setup(manager: Manager) -> None:
    manager.controller("widgets", Widgets(), for_=Widget)

async def later(manager: Manager) -> None:
    manager.controller("later", Widgets(), for_=Widget)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder whose modules are forgotten afterwards."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def controllers_of(operator: OperatorModule) -> list[str]:
    async def run() -> list[str]:
        manager = Manager(Client(Script(lambda asked: None)))
        await set_up(operator, manager)
        return [each.name for each in manager.controllers]

    return asyncio.run(run())


def kinds_of(operator: OperatorModule) -> list[str]:
    return [each["metadata"]["name"] for each in operator.definitions()]


@pytest.mark.parametrize(
    ("target", "controller"),
    [
        ("my_widgets", "widgets"),
        ("my_widgets:later", "later"),
        ("my_widgets.py", "widgets"),
        ("./my_widgets.py:later", "later"),
    ],
)
def test_a_module_adds_its_controllers(folder: Path, target: str, controller: str) -> None:
    (folder / "my_widgets.py").write_text(OPERATOR)
    operator = load(target)
    assert controllers_of(operator) == [controller]
    assert kinds_of(operator) == ["widgets.example.com"], "kinds of others are not a module's own"
    assert load(target).module is operator.module  # L1


def test_a_module_works_under_its_own_name(folder: Path) -> None:
    (folder / "my_widgets.py").write_text(OPERATOR)
    by_name, by_file, ours = load("my_widgets:later"), load("./my_widgets.py"), load("mysql")
    assert name_of([by_name]) == name_of([by_file]) == "my_widgets"
    assert name_of([ours]) == name_of([ours, by_name]) == "kajitori"


def test_an_operator_of_ours_has_its_name_only() -> None:
    operator = load("mysql")
    assert "mysqlclusters.moco.cybozu.com" in kinds_of(operator) and operator.module is None


def test_a_package_finds_its_parts(folder: Path) -> None:
    package = folder / "my_package" / "operator"
    package.mkdir(parents=True)
    (package / "kinds.py").write_text(OPERATOR)
    (package / "__init__.py").write_text("from .kinds import Widget, setup\n")
    assert kinds_of(load("my_package.operator")) == ["widgets.example.com"]


def test_a_file_may_be_called_operator(folder: Path) -> None:  # L3
    (folder / "parts").mkdir()
    (folder / "parts" / "my_sibling.py").write_text(OPERATOR)
    (folder / "parts" / "operator.py").write_text("from my_sibling import *\n")
    operator = load("parts/operator.py")
    assert controllers_of(operator) == ["widgets"] and kinds_of(operator) == ["widgets.example.com"]
    import operator as of_python

    assert of_python.add(1, 2) == 3


def test_kinds_are_what_the_module_says(folder: Path) -> None:
    (folder / "my_none.py").write_text(OPERATOR + "KINDS = ()\n")
    assert kinds_of(load("my_none")) == []
    (folder / "my_wrong.py").write_text(OPERATOR + "KINDS = [Widget, Spec]\n")
    with pytest.raises(
        CommandError, match=r"KINDS: <class 'my_wrong.Spec'> is not a class declared with @kind"
    ):
        load("my_wrong").definitions()
    (folder / "my_number.py").write_text(OPERATOR + "KINDS = 1\n")
    with pytest.raises(CommandError, match="KINDS must be a list of classes"):
        load("my_number").definitions()


def test_versions_of_a_kind_are_one_definition(folder: Path) -> None:
    second = OPERATOR.replace('version="v1"', 'version="v2", storage=False')
    (folder / "my_two.py").write_text("import my_v2\n" + OPERATOR + "KINDS = [Widget, my_v2.Widget]\n")
    (folder / "my_v2.py").write_text(second)
    (crd,) = load("my_two").definitions()
    assert {each["name"] for each in crd["spec"]["versions"]} == {"v1", "v2"}


@pytest.mark.parametrize(
    ("text", "target", "sentence"),
    [
        ("", "my_bad", r"my_bad: my_bad has no function setup; define `def setup\(manager: Manager\) -> None`"),
        ("setup = 1", "my_bad", "my_bad: setup must be a function of one argument, the Manager"),
        ("def setup(): ...", "my_bad.py", "my_bad.py: setup must be a function of one argument, the Manager"),
        ("import nothing_there", "my_bad", r"my_bad.py, line 1: ModuleNotFoundError: No module named 'nothing_"),
        ("\n1 / 0", "my_bad:x", r"my_bad:x cannot be imported: .*my_bad.py, line 2: ZeroDivisionError: div"),
        ("def x(:", "my_bad", "my_bad.py, line 1: SyntaxError: invalid syntax"),
        ("raise SystemExit(3)", "my_bad", "my_bad.py, line 1: SystemExit: 3"),
        ("", "other.py", "other.py: there is no such file"),
        ("", "my_other", r"my_other is neither an operator \(kubewarden, mysql\) nor a module that is found from"),
        ("", "my_other.part", r"my_other.part: there is no module my_other.part; looked in"),
        ("", "what/ever", "what/ever: 'what/ever' is no module; write my.module or path/to/file.py"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_module_is_told_in_one_sentence(
    folder: Path, text: str, target: str, sentence: str
) -> None:  # L2
    (folder / "my_bad.py").write_text(text)
    with pytest.raises(CommandError, match=sentence) as refused:
        load(target)
    assert refused.value.code == 2 and "\n" not in str(refused.value)
