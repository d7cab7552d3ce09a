"""The fixture `kube`, in test runs of their own: as a user's project has them."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import kajitori.testing

PREAMBLE = """
import asyncio
import pytest
from kajitori.apimachinery.errors import NotFound
from kajitori.apimachinery.kind import Kind

CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")
WIDGETS = Kind("example.com", "v1", "Widget", "widgets")
SERVICE_ACCOUNTS = Kind("", "v1", "ServiceAccount", "serviceaccounts")
MAP = {"metadata": {"name": "a", "namespace": "default"}}
"""

CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
"""


def run(folder: Path, tests: str, *, plugins: str = "") -> "subprocess.CompletedProcess[str]":
    (folder / "test_it.py").write_text(PREAMBLE + tests)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-W",
        "error",
        "--strict-markers",
    ]
    return subprocess.run(
        [*command, "-p", "kajitori.pytest_plugin", *plugins.split(), "test_it.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_server_for_each_test(tmp_path: Path) -> None:  # P2, P3, P4, U1
    (tmp_path / "widgets.yaml").write_text(CRD)
    done = run(
        tmp_path,
        """
def test_plain(kube):
    kube.run(kube.client().create(CONFIG_MAPS, MAP))

def test_nothing_is_left_of_it(kube):
    with pytest.raises(NotFound):
        kube.run(kube.client().get(CONFIG_MAPS, "default", "a"))

async def test_coroutine(kube, tmp_path):
    assert (await kube.client().create(CONFIG_MAPS, MAP)).name == "a"

@pytest.fixture
def there(kube):
    return kube.run(kube.client().create(CONFIG_MAPS, MAP))

@pytest.mark.parametrize("number", [1, 2])
async def test_by_way_of_a_fixture(there, number):
    assert there.name == "a"

@pytest.mark.kube(serve=True)
class TestServed:
    @pytest.mark.kube(crds=["widgets.yaml"])
    async def test_kinds(self, kube):
        assert kube.url.startswith("https://127.0.0.1:")
        await kube.client().create(WIDGETS, MAP)

@pytest.mark.kube(controllers=True)
def test_controllers(kube):
    kube.run(kube.wait_for_object(SERVICE_ACCOUNTS, "default", "default"))
""",
    )
    assert (done.returncode, done.stdout.splitlines()[-1].split(" in ")[0]) == (0, "7 passed"), done.stdout


def test_tests_that_another_plugin_runs(tmp_path: Path) -> None:  # P2, U2
    (tmp_path / "loops.py").write_text(
        """
import asyncio, inspect, pytest

def pytest_configure(config):
    config.addinivalue_line("markers", "asyncio: run by this plugin")

@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if pyfuncitem.get_closest_marker("asyncio"):
        asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}))
        return True
"""
    )
    done = run(
        tmp_path,
        """
@pytest.mark.asyncio
async def test_it(kube):
    async with kube:
        await kube.client().create(CONFIG_MAPS, MAP)
        work = asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="await here"):
            kube.run(work)

@pytest.mark.asyncio
async def test_it_ends_in_the_task_it_began_in(kube):
    await asyncio.create_task(kube.__aenter__())
    await kube.client().create(CONFIG_MAPS, MAP)
    await asyncio.create_task(kube.__aexit__(None, None, None))
""",
        plugins="-p loops",
    )
    assert (done.returncode, done.stdout.splitlines()[-1].split(" in ")[0]) == (0, "2 passed"), done.stdout


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        ("controler=True", "unknown: controler; known are admission, controllers, crds"),
        ("True", "it takes names with values only; known are"),
        ("operators=['mysqll']", "kube: unknown operator mysqll; known are"),
    ],
)
def test_a_marker_that_says_nonsense(tmp_path: Path, mark: str, told: str) -> None:
    done = run(tmp_path, f"@pytest.mark.kube({mark})\ndef test_it(kube): pass\n")
    assert done.returncode == 1 and told in done.stdout


def test_a_server_that_cannot_start_fails_the_test(tmp_path: Path) -> None:
    done = run(tmp_path, "@pytest.mark.kube(admission=['Nonsense'])\ndef test_it(kube): pass\n")
    assert done.returncode == 1 and "unknown admission plugin Nonsense" in done.stdout, done.stdout
    assert "1 error" in done.stdout


SIMULATED = """
@pytest.mark.simulation(seeds=4, rate=0.0, crds=["widgets.yaml"])
async def test_it(sim, tmp_path):
    await sim.client().create(WIDGETS, MAP)
    await sim.sleep(10)
    assert sim.seed != 2
"""


def test_simulations(tmp_path: Path) -> None:  # P5
    (tmp_path / "widgets.yaml").write_text(CRD)
    done = run(tmp_path, SIMULATED)
    assert done.stdout.splitlines()[-1].split(" in ")[0] == "1 failed, 3 passed", done.stdout
    assert "seed 2; the end of its history:" in done.stdout
    assert "commit" in done.stdout and "widgets default/a" in done.stdout
    assert "to repeat it: pytest 'test_it.py::test_it' --kajitori-seed 2" in done.stdout
    assert "test_it[seed2]" in done.stdout
    done = run(tmp_path, SIMULATED, plugins="--kajitori-seed 2")
    assert done.stdout.splitlines()[-1].split(" in ")[0] == "1 failed", done.stdout


@pytest.mark.parametrize(
    ("tests", "told"),
    [
        ("def test_it(sim): pass", "only a coroutine function can be simulated"),
        (
            "@pytest.mark.simulation(seed=3)\nasync def test_it(sim): pass",
            "pytest.mark.simulation: unknown: seed; known are rate, seeds, admission",
        ),
        (
            "@pytest.mark.simulation(rate=3)\nasync def test_it(sim): pass",
            "sim: rate is 3; it is a part of all",
        ),
    ],
)
def test_simulations_that_cannot_be(tmp_path: Path, tests: str, told: str) -> None:
    done = run(tmp_path, tests, plugins="--kajitori-seeds 1")
    assert done.returncode == 1 and told in done.stdout, done.stdout
    assert "1 error" in done.stdout


def test_a_run_without_it_pays_nothing(tmp_path: Path) -> None:  # P1
    done = run(
        tmp_path,
        """
def test_it():
    import sys
    assert [each for each in sys.modules if each.startswith("kajitori.") and "apimachinery" not in each] == [
        "kajitori.pytest_plugin"]
""",
    )
    assert done.returncode == 0, done.stdout


def test_the_entry_point_is_the_module() -> None:
    project = tomllib.loads(Path(__file__).parent.parent.joinpath("pyproject.toml").read_text())
    points = project["project"]["entry-points"]["pytest11"]
    assert points == {"kajitori.pytest_plugin": "kajitori.pytest_plugin"}
    assert "pytest" not in " ".join(project["project"]["dependencies"]), "of the package itself it is no part"
    assert kajitori.testing.Kube.__mro__[1] is kajitori.testing.TestEnv
