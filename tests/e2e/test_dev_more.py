"""`kajitori dev` with what an operator has beside controllers: webhooks, manifests, namespaces."""

from pathlib import Path

import msgspec
import pytest
from tests.e2e.test_dev import PATH, WIDGETS, create, widget
from tests.support.dev import DevProcess
from tests.support.https import Access, Api
from tests.support.server import UpProcess
from tests.support.waiting import until

GUARDED = WIDGETS.replace(
    "def setup(manager: Manager) -> None:",
    """\
class WidgetRules(Validator[Widget]):
    def validate_create(self, widget: Widget) -> None:
        if widget.spec.size > 5:
            raise Denied("too big")


def setup(manager: Manager) -> None:
    manager.webhook(Widget, WidgetRules())""",
).replace("import DONE, Manager,", "import DONE, Denied, Manager, Validator,")

CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.joinpath("widgets.py").write_text(WIDGETS)
    return tmp_path


def names(api: Api, path: str) -> list[str]:
    found = msgspec.json.decode(api.request("GET", path).body)["items"]
    return [each["metadata"]["name"] for each in found]


def test_webhooks_follow_the_code(folder: Path) -> None:
    (folder / "widgets.py").write_text(GUARDED)
    with UpProcess(folder / "up", "--memory") as up, Api(Access.of(up.kubeconfig)) as api:
        arguments = ("widgets.py", "--kubeconfig", str(up.kubeconfig), "--webhook-address", "127.0.0.1:0")
        with DevProcess(folder, *arguments).ready() as dev:
            until(lambda: names(api, CONFIGURATIONS), bool)
            refused = api.request("POST", PATH, widget("big", size=9))
            assert refused.status == 403 and b"too big" in refused.body, refused
            create(api, "small", size=1)
            dev.save("widgets.py", GUARDED.replace("too big", "far too big"))
            dev.until("reloaded widgets.py")
            refused = api.request("POST", PATH, widget("big", size=9))
            assert refused.status == 403 and b"far too big" in refused.body, refused
            # What is no longer declared is not asked any more.
            dev.save("widgets.py", WIDGETS)
            dev.until("reloaded widgets.py")
            create(api, "big", size=9)
            dev.save("widgets.py", GUARDED)
            until(lambda: names(api, CONFIGURATIONS), bool)
            assert dev.end() == 0
        assert not names(api, CONFIGURATIONS), "nobody answers any more"


def test_on_the_cluster_of_this_process_webhooks_need_no_flag(folder: Path) -> None:
    (folder / "widgets.py").write_text(GUARDED)
    with DevProcess(folder, "widgets.py").ready() as dev, dev.api() as api:
        until(lambda: names(api, CONFIGURATIONS), bool)
        assert api.request("POST", PATH, widget("big", size=9)).status == 403


def test_on_another_cluster_it_says_that_an_address_is_needed(folder: Path) -> None:
    (folder / "widgets.py").write_text(GUARDED)
    with (
        UpProcess(folder / "up", "--memory", "--api-only") as up,
        DevProcess(folder, "widgets.py", "--kubeconfig", str(up.kubeconfig)) as dev,
    ):
        assert dev.end(None) == 1
        assert "say with --webhook-address where the API server reaches it" in dev.lines[-1]


def manifest(name: str, size: int) -> str:
    return f"apiVersion: example.com/v1\nkind: Widget\nmetadata: {{name: {name}}}\nspec: {{size: {size}}}\n"


def test_manifests_are_applied_and_applied_again_when_they_are_saved(folder: Path) -> None:
    samples = folder / "samples"
    samples.mkdir()
    (samples / "a.yaml").write_text(manifest("one", 1) + "---\n" + manifest("two", 2))
    (samples / "z.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: mine}\n")
    with DevProcess(folder, "widgets.py", "--apply", "samples", "--namespace", "mine").ready() as dev:
        said = [line.partition(" ")[2] for line in dev.lines if "created" in line]
        assert said == ["Namespace mine created", "Widget mine/one created", "Widget mine/two created"]
        dev.until("widgets mine/two success")
        dev.save("samples/a.yaml", manifest("one", 7))
        dev.until("Widget mine/one configured")
        dev.until("widgets mine/one success")
        dev.save("samples/b.yaml", manifest("three", 3).replace("Widget", "Gadget"))
        dev.until("not applied: samples/b.yaml: the cluster has no kind Gadget of example.com/v1")
        dev.save("samples/b.yaml", manifest("three", 3))
        dev.until("widgets mine/three success")
        dev.save("samples/b.yaml", "a: [")
        dev.until("not applied: ")
        with dev.api() as api:
            # Elsewhere nobody looks.
            create(api, "elsewhere")
            dev.save("samples/b.yaml", manifest("four", 4))
            dev.until("widgets mine/four success")
            assert not any("default/elsewhere" in line for line in dev.lines)


def test_once_fails_when_a_manifest_cannot_be_applied(folder: Path) -> None:
    (folder / "a.yaml").write_text(manifest("one", 1))
    with DevProcess(folder, "widgets.py", "--once", "--apply", "a.yaml") as dev:
        assert dev.end(None) == 0 and any("widgets default/one success" in line for line in dev.lines)
    (folder / "a.yaml").write_text(manifest("one", 1).replace("size: 1", "size: much"))
    with DevProcess(folder, "widgets.py", "--once", "--apply", "a.yaml") as dev:
        assert dev.end(None) == 1
        assert any("spec.size" in line for line in dev.lines), dev.lines
    with DevProcess(folder, "widgets.py", "--once", "--apply", "b.yaml") as dev:
        assert dev.end(None) == 2
        assert dev.lines[-1] == "kajitori dev: --apply b.yaml: No such file or directory"
