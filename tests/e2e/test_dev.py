"""`kajitori dev` as its users have it: a file is saved, and the new code runs."""

import signal
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.support.dev import DevProcess
from tests.support.https import Access, Api
from tests.support.server import UpProcess

WIDGETS = """\
import msgspec

from kajitori.apis import Kind, ObjectMeta, kind
from kajitori.ctrl import DONE, Manager, Result, as_reconciler, controller_reference

CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")


class WidgetSpec(msgspec.Struct, frozen=True):
    size: int = 3


@kind(group="example.com", version="v1", plural="widgets")
class Widget(msgspec.Struct, frozen=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: WidgetSpec = WidgetSpec()


class Widgets:
    def __init__(self, manager: Manager) -> None:
        self.client = manager.client

    async def reconcile(self, widget: Widget) -> Result:
        meta = widget.metadata
        value = {
            "metadata": {
                "name": meta.name,
                "namespace": meta.namespace,
                "ownerReferences": [controller_reference(widget)],
            },
            "data": {"size": str(widget.spec.size)},
        }
        await self.client.apply(CONFIG_MAPS, value, force=True)
        return DONE


def setup(manager: Manager) -> None:
    reconciler = as_reconciler(manager.cache, Widget, Widgets(manager))
    manager.controller("widgets", reconciler, for_=Widget, owns=[CONFIG_MAPS])
"""

PATH = "/apis/example.com/v1/namespaces/default/widgets"


def widget(name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec}


def create(api: Api, name: str, **spec: Any) -> None:
    made = api.request("POST", PATH, widget(name, **spec))
    assert made.status == 201, made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.joinpath("widgets.py").write_text(WIDGETS)
    return tmp_path


def test_a_save_is_loaded_and_broken_ones_leave_the_old_code_running(folder: Path) -> None:
    with DevProcess(folder, "widgets.py").ready() as dev, dev.api() as api:
        assert any("definition widgets.example.com installed" in line for line in dev.lines)
        create(api, "one", size=1)
        dev.until("widgets default/one success")
        dev.save("widgets.py", WIDGETS.replace("str(widget.spec.size)", "f'size {widget.spec.size}'"))
        told = dev.until("reloaded widgets.py")
        dev.until("kept in the cache: Widget.v1.example.com (1), ConfigMap.v1")
        dev.until("widgets default/one success")
        made = api.request("GET", "/api/v1/namespaces/default/configmaps/one")
        assert msgspec.json.decode(made.body)["data"] == {"size": "size 1"}, told

        dev.save("widgets.py", WIDGETS.replace("async def reconcile(self", "async def reconcile(self,"))
        assert dev.until("SyntaxError")[-4:][0].strip().startswith('File "'), dev.lines
        create(api, "two", size=2)
        dev.until("widgets default/two success")

        dev.save("widgets.py", WIDGETS.replace("reconciler = as", "bad = manager.nope\n    reconciler = as"))
        told = dev.until("AttributeError: 'Manager' object has no attribute 'nope'")
        assert told[-5].endswith("broken; what ran before goes on")
        assert [line.strip() for line in told[-4:-1]] == [
            'File "widgets.py", line 38, in setup',
            "bad = manager.nope",
            "^^^^^^^^^^^^",
        ]
        create(api, "three", size=3)
        dev.until("widgets default/three success")
        assert not (folder / "__pycache__").exists()
        assert dev.end() == 0


def test_an_error_is_shown_with_the_lines_of_the_code_that_raised_it(folder: Path) -> None:
    broken = WIDGETS.replace("meta = widget.metadata", "raise ValueError('no size')")
    (folder / "widgets.py").write_text(broken)
    with DevProcess(folder, "widgets.py").ready() as dev, dev.api() as api:
        create(api, "one")
        told = dev.until("         ValueError: no size")
        assert told[-4].endswith("again in 5ms: ValueError: no size")
        assert [line.strip() for line in told[-3:-1]] == [
            'File "widgets.py", line 24, in reconcile',
            "raise ValueError('no size')",
        ]
        # A version that cannot be loaded moves the lines, but not those of what runs.
        dev.save("widgets.py", "import nothing_like_this\n" * 30 + WIDGETS)
        dev.until("ModuleNotFoundError: No module named 'nothing_like_this'")
        create(api, "two")
        told = dev.until("         ValueError: no size")
        assert told[-2].strip() == "raise ValueError('no size')"


def test_modules_beside_it_are_reloaded_too_and_one_that_was_missing_is_waited_for(folder: Path) -> None:
    (folder / "widgets.py").write_text(
        WIDGETS.replace("import msgspec", "import msgspec\nfrom sizes import shown", 1).replace(
            "str(widget.spec.size)", "shown(widget)"
        )
    )
    with DevProcess(folder, "widgets.py") as dev:
        told = dev.until("ModuleNotFoundError: No module named 'sizes'")
        assert any(line.endswith("broken; save it mended, and it runs") for line in told)
        dev.save("sizes.py", "def shown(widget): return str(widget.spec.size)\n")
        dev.until("running in")
        with dev.api() as api:
            create(api, "one", size=1)
            dev.until("widgets default/one success")
            # Within the same second, and as long as before: what Python would take for the same file.
            dev.save("sizes.py", "def shown(widget): return str(widget.spec.Size)\n")
            dev.until("reloaded sizes.py")
            dev.until("AttributeError: 'WidgetSpec' object has no attribute 'Size'")


def test_a_kind_that_changes_is_installed_and_listed_anew(folder: Path) -> None:
    with DevProcess(folder, "widgets.py").ready() as dev, dev.api() as api:
        create(api, "one", size=1)
        dev.until("widgets default/one success")
        coloured = WIDGETS.replace("size: int = 3", 'colour: str = "red"')
        dev.save("widgets.py", coloured.replace("str(widget.spec.size)", "widget.spec.colour"))
        told = dev.until("reloaded widgets.py")
        assert "definition widgets.example.com changed" in told[-4]
        assert [line.strip() for line in told[-3:-1]] == [
            "+ spec.colour: string",
            "- spec.size: integer   (gone from every object that is written from now on)",
        ]
        dev.until("listed anew: Widget.v1.example.com")
        dev.until("widgets default/one success")
        made = api.request("GET", "/api/v1/namespaces/default/configmaps/one")
        assert msgspec.json.decode(made.body)["data"] == {"size": "red"}

        cluster = coloured.replace('plural="widgets"', 'plural="widgets", namespaced=False')
        dev.save("widgets.py", cluster)
        dev.until("spec.scope: Invalid value")
        assert "kubectl delete crd widgets.example.com" in dev.until("To begin anew")[-1]
        gadgets = WIDGETS.replace("widgets", "gadgets").replace("Widget", "Gadget")
        dev.save("widgets.py", gadgets)
        dev.until("definition gadgets.example.com installed")
        dev.until("definition widgets.example.com is no longer declared, and stays")
        dev.until("reloaded widgets.py")


def test_a_part_that_fails_is_told_and_the_next_save_begins_anew(folder: Path) -> None:
    part = """\
    async def part() -> None:
        raise OSError("no such device")

    manager.add(part)
    reconciler = as"""
    (folder / "widgets.py").write_text(WIDGETS.replace("    reconciler = as", part))
    with DevProcess(folder, "widgets.py") as dev:
        dev.until("broken; save it mended, and it runs")
        assert dev.until("OSError: no such device")[-2].strip() == 'raise OSError("no such device")'
        dev.save("widgets.py", WIDGETS)
        dev.until("reloaded widgets.py")
        with dev.api() as api:
            create(api, "one")
            dev.until("widgets default/one success")


def test_a_server_that_goes_and_comes_is_waited_for(folder: Path) -> None:
    (folder / "a.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: mine}\n")
    with UpProcess(folder / "up", "--api-only") as up:
        arguments = ("widgets.py", "--kubeconfig", str(up.kubeconfig), "--apply", "a.yaml")
        with DevProcess(folder, *arguments).ready() as dev:
            port = up.port
            up.end()
            dev.save("a.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: yours}\n")
            dev.until("not applied: ")
            dev.save("widgets.py", WIDGETS + "# while it is away\n")
            dev.until("broken; what ran before goes on")
            up.start_on(port)
            dev.save("widgets.py", WIDGETS + "# again\n")
            dev.until("Namespace yours created")
            dev.until("reloaded widgets.py")
            with Api(Access.of(up.kubeconfig)) as api:
                create(api, "one")
                dev.until("widgets default/one success")
            assert dev.end() == 0


def test_a_reconcile_that_refuses_to_be_cancelled_keeps_no_new_code_out(folder: Path) -> None:
    stubborn = """\
while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                pass
        meta = widget.metadata"""
    code = WIDGETS.replace("import msgspec", "import asyncio\nimport msgspec", 1)
    (folder / "widgets.py").write_text(code.replace("meta = widget.metadata", stubborn))
    with DevProcess(folder, "widgets.py").ready() as dev, dev.api() as api:
        create(api, "one", size=1)
        dev.save("widgets.py", WIDGETS)
        dev.until("refuses to be cancelled, and goes on beside the new code")
        dev.until("widgets default/one success")
        dev.send(signal.SIGINT)
        assert dev.end() == 1
        assert "ends at once" in dev.lines[-1]


POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  verbs: [list, watch]
  resources:
  - group: example.com
  - group: ""
    resources: [configmaps]
- level: None
"""


def test_a_reload_lists_nothing_as_the_server_saw_it(folder: Path) -> None:
    policy, log = folder / "policy.yaml", folder / "audit.log"
    policy.write_text(POLICY)
    up = UpProcess(
        folder / "up",
        "--memory",
        "--api-only",
        "--audit-policy-file",
        str(policy),
        "--audit-log-path",
        str(log),
    )
    with up, DevProcess(folder, "widgets.py", "--kubeconfig", str(up.kubeconfig)).ready() as dev:
        for number in range(3):
            dev.save("widgets.py", f"{WIDGETS}# {number}\n")
            dev.until("reloaded widgets.py")
            dev.until("kept in the cache: Widget.v1.example.com")
        assert dev.end() == 0
        assert up.end().code == 0
        seen = [msgspec.json.decode(line) for line in log.read_bytes().splitlines()]
    asked = [each["requestURI"] for each in seen if each["stage"] == "ResponseStarted"]
    widgets = [uri for uri in asked if uri.startswith("/apis/example.com/v1/widgets?")]
    assert sum("sendInitialEvents=true" in uri for uri in widgets) == 1, "streamed once, at the start"
    assert all("watch=" in uri for uri in widgets) and len(widgets) == 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_well_by_a_signal(folder: Path, number: signal.Signals) -> None:
    with DevProcess(folder, "widgets.py").ready() as dev:
        assert dev.end(number) == 0


def test_once_says_by_its_exit_code_how_it_went(folder: Path) -> None:
    with DevProcess(folder, "widgets.py", "--once") as dev:
        assert dev.end(None) == 0
        assert "settled after" in dev.lines[-1]
    with UpProcess(folder / "up", "--memory") as up:
        arguments = ("widgets.py", "--once", "--kubeconfig", str(up.kubeconfig))
        with DevProcess(folder, *arguments) as dev:
            assert dev.end(None) == 0
        with Api(Access.of(up.kubeconfig)) as api:
            create(api, "small", size=1)
            create(api, "big", size=9)
            with DevProcess(folder, *arguments) as dev:
                assert dev.end(None) == 0, dev.lines
                assert api.request("GET", "/api/v1/namespaces/default/configmaps/big").status == 200
            fussy = "meta = widget.metadata\n        assert widget.spec.size < 5"
            (folder / "widgets.py").write_text(WIDGETS.replace("meta = widget.metadata", fussy))
            with DevProcess(folder, *arguments) as dev:
                assert dev.end(None) == 1
                assert dev.lines[-1].strip().startswith("widgets default/big: AssertionError"), dev.lines


def test_json_lines_are_all_of_its_output(folder: Path) -> None:
    with DevProcess(folder, "widgets.py", "--once", "-o", "json") as dev:
        assert dev.end(None) == 0
    types = [msgspec.json.decode(line)["type"] for line in dev.lines]
    assert types == ["started", "note", "definition", "loaded", "ended"]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["nothing.py"], 2, "nothing.py: there is no such file"),
        (["mysql"], 2, "mysql is an operator of kajitori's own: kajitori run mysql"),
        (["widgets.py:nope"], 2, "widgets.py:nope: widgets has no function nope"),
        (["widgets.py", "--port", "70000"], 2, "--port 70000: use a port from 0 to 65535"),
        (["widgets.py", "--timeout", "5"], 2, "--timeout 5: write it with its unit"),
        (["widgets.py", "--kubeconfig", "nope"], 1, "nope"),
        (["widgets.py", "--data-dir", "widgets.py"], 1, "cannot use the data directory widgets.py"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(
    folder: Path, arguments: list[str], code: int, sentence: str
) -> None:
    with DevProcess(folder, *arguments) as dev:
        assert dev.end(None) == code, dev.lines
    assert dev.lines[-1].startswith("kajitori dev: ") and sentence in dev.lines[-1], dev.lines


def test_without_a_module_it_shows_the_smallest_one_which_runs(tmp_path: Path) -> None:
    with DevProcess(tmp_path) as dev:
        assert dev.end(None) == 2
    shown = "\n".join(dev.lines)
    begin, end = shown.index("import msgspec"), shown.index("Then run it")
    (tmp_path / "widgets.py").write_text(shown[begin:end])
    with DevProcess(tmp_path, "widgets.py").ready() as dev, dev.api() as api:
        create(api, "big")
        dev.until("big has size 3")
        dev.until("widgets default/big success")
    assert sys.executable
