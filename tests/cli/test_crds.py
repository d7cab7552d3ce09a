"""`kajitori crds`: of modules and files, into folders, and compared with what is committed."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from kajitori.cli.main import main

KINDS = '''\
from typing import Annotated, Self

import msgspec

from kajitori.apis import Int32, ObjectMeta, Rule, Versions, kind


class Spec(msgspec.Struct, frozen=True):
    """What is wanted."""

    size: Annotated[Int32, msgspec.Meta(ge=1)] = 3
    """How large."""


@kind(group="example.com", version="v1", plural="widgets", short_names=("w",))
class Widget(msgspec.Struct, frozen=True, omit_defaults=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: Spec = Spec()


@kind(group="example.com", version="v1alpha1", kind="Widget", plural="widgets", storage=False)
class OldWidget(msgspec.Struct, frozen=True, omit_defaults=True):
    metadata: ObjectMeta = ObjectMeta()
    size: int = 3

    def convert_to(self) -> Widget:
        return Widget(self.metadata, Spec(self.size))

    @classmethod
    def convert_from(cls, hub: Widget) -> Self:
        return cls(hub.metadata, hub.spec.size)


@kind(group="example.com", version="v1", plural="gadgets", namespaced=False)
class Gadget(msgspec.Struct, frozen=True, omit_defaults=True):
    metadata: ObjectMeta = ObjectMeta()


WIDGETS = Versions(Widget, OldWidget)
'''


@pytest.fixture
def kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "my_kinds.py"
    file.write_text(KINDS)
    yield file
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def test_versions_that_need_a_manager_are_told(kinds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crds", "my_kinds"]) == 0
    assert capsys.readouterr().err == (
        "Widget: its versions are converted by a manager (manager.conversion); until one runs, an API server changes "
        "nothing but apiVersion\n"
    )


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["crds", *arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("source", ["my_kinds", "my_kinds.py"])
def test_all_kinds_of_a_module_with_their_versions(
    kinds: Path, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    widgets, gadgets = yaml.safe_load_all(printed(capsys, source))
    assert [each["name"] for each in widgets["spec"]["versions"]] == ["v1", "v1alpha1"]
    assert widgets["spec"]["names"]["shortNames"] == ["w"]
    Path("other.py").write_text("import my_kinds\nWIDGETS = my_kinds.WIDGETS\n")
    [same] = yaml.safe_load_all(printed(capsys, "other.py"))
    assert same == widgets
    assert gadgets["spec"]["scope"] == "Cluster"


def test_one_class_or_the_versions_of_one_kind(kinds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert yaml.safe_load(printed(capsys, "my_kinds:Gadget"))["metadata"]["name"] == "gadgets.example.com"
    assert len(yaml.safe_load(printed(capsys, "my_kinds:WIDGETS"))["spec"]["versions"]) == 2


def test_files_are_written_and_compared(kinds: Path, capsys: pytest.CaptureFixture[str]) -> None:  # C1
    assert main(["crds", "my_kinds", "-o", "config/crd"]) == 0
    folder = kinds.parent / "config/crd"
    assert sorted(each.name for each in folder.iterdir()) == [
        "example.com_gadgets.yaml",
        "example.com_widgets.yaml",
    ]
    before = {each: each.read_bytes() for each in folder.iterdir()}
    assert main(["crds", "my_kinds", "-o", "config/crd"]) == 0
    assert {each: each.read_bytes() for each in folder.iterdir()} == before
    capsys.readouterr()
    assert main(["crds", "my_kinds", "--check", "config/crd"]) == 0
    assert capsys.readouterr().out == ""


def test_what_is_committed_and_differs_is_shown(
    kinds: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # C1
    Path("all.yaml").write_text(printed(capsys, "my_kinds").replace("minimum: 1", "minimum: 0"))
    assert main(["crds", "my_kinds", "--check", "all.yaml"]) == 1
    told = capsys.readouterr().out
    assert told.startswith("all.yaml is not what the classes say:\n--- all.yaml\n+++ the classes\n")
    assert "-                minimum: 0\n+                minimum: 1\n" in told
    assert main(["crds", "my_kinds", "--check", "none.yaml"]) == 1
    assert capsys.readouterr().out == "none.yaml is missing\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("size: Annotated", "size: Annotated[object"), "my_kinds.py, line 11: SyntaxError"),
        (("ge=1)]", 'ge=1), Rule("self > size")]'), "Widget would be refused:\n  spec.versions[0].schema"),
        (
            ("size: int = 3", "size: complex = 3"),
            "OldWidget.size: no schema can be made for complex; use two",
        ),
        (('version="v1alpha1"', 'version="V1"'), "OldWidget: version is 'V1'; write it a word such as v1"),
        (("frozen=True, omit_defaults", "omit_defaults"), "Widget: instances are shared by all who read"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    kinds: Path, change: tuple[str, str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:  # C2
    kinds.write_text(KINDS.replace(*change))
    assert main(["crds", "my_kinds", "-o", "out"]) == 2
    assert message in capsys.readouterr().err
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nothing", "nothing is neither an operator (kubewarden, mysql) nor a module that is found from"),
        ("my_kinds:Nothing", "my_kinds: Nothing is not a class declared with @kind, nor a Versions of such"),
        ("my_kinds:Spec", "my_kinds: Spec is not a class declared with @kind"),
        ("json", "json: json has no kinds; declare a class with @kind, or name one in KINDS"),
    ],
)
def test_what_is_no_source_is_told(
    kinds: Path, source: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["crds", source]) == 2
    assert message in capsys.readouterr().err
