"""Fixtures of pytest: `kube`, a fresh API server for a test, in this process, in milliseconds; `sim`, a simulation.

    @pytest.mark.kube(crds=["widgets.yaml"])
    async def test_a_widget_is_stored(kube: Kube) -> None:
        await kube.client().create(WIDGETS, {"metadata": {"name": "big", "namespace": "default"}})

    @pytest.mark.simulation(seeds=100, crds=["widgets.yaml"])
    async def test_widgets_settle(sim: Simulation) -> None: ...

pytest finds them by its entry point. What they give are `Kube` and `Simulation` of `kajitori.testing`.

Promises
    P1  a run that does not ask for `kube` imports nothing of kajitori but this module
    P2  a coroutine function that asks for `kube` is run in its loop, unless pytest-asyncio or anyio is to run it:
        then the test says `async with kube`, and the server lives in the loop of the test
    P3  each test has a server of its own, gone when the test is over
    P4  paths of the marker are those beside the file of the test
    P5  a coroutine function that asks for `sim` is run once for every seed; a failure says how to repeat it
"""

import inspect
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from kajitori.testing import Kube, Simulation

__all__ = [
    "kajitori_seed",
    "kube",
    "pytest_addoption",
    "pytest_configure",
    "pytest_generate_tests",
    "pytest_pyfunc_call",
    "sim",
]

_OPTIONS = ("admission", "controllers", "crds", "operators", "serve", "without_admission")
"""What the marker may say; `kajitori.testing.TestEnv` tells what each means."""
_SIMULATED = ("rate", "seeds")
"""What the marker of simulations may say besides, and which `TestEnv` knows nothing of."""
_SEEDS = 20
_RUN_BY_OTHERS = ("anyio", "asyncio", "trio")
"""Markers of plugins that run coroutine functions."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of simulations."""
    group = parser.getgroup("kajitori", "simulations")
    group.addoption("--kajitori-seed", type=int, metavar="N", help="repeat simulations with this seed alone")
    group.addoption(
        "--kajitori-seeds",
        type=int,
        metavar="N",
        help=f"try so many seeds of each simulation (default: what its marker says, or {_SEEDS})",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Makes the markers known."""
    config.addinivalue_line(
        "markers",
        f"simulation({', '.join(f'{each}=...' for each in (*_SIMULATED, *_OPTIONS))}): how many seeds the fixture sim "
        "tries, what part of all calls goes wrong, and what there is",
    )
    config.addinivalue_line(
        "markers", f"kube({', '.join(f'{each}=...' for each in _OPTIONS)}): what the fixture kube starts with"
    )


@pytest.fixture
def kube(request: pytest.FixtureRequest) -> "Iterator[Kube]":
    """A fresh API server in this process; `@pytest.mark.kube(controllers=True)` says what else there is."""
    from kajitori.testing import Kube

    options = _options(request, "kube", _OPTIONS)
    try:
        made = Kube(**options)
    except ValueError as error:
        raise pytest.UsageError(f"{request.node.nodeid}: kube: {error}") from None
    if _run_by_others(request.node):
        yield made
        return
    with made:
        request.node.stash[_STARTED] = made
        yield made


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each seed of a simulation."""
    if "kajitori_seed" not in metafunc.fixturenames:
        return
    config, marks = metafunc.config, list(metafunc.definition.iter_markers("simulation"))
    alone, wanted = config.getoption("--kajitori-seed"), config.getoption("--kajitori-seeds")
    marked = next((mark.kwargs["seeds"] for mark in marks if "seeds" in mark.kwargs), _SEEDS)
    seeds = [alone] if alone is not None else range(marked if wanted is None else wanted)
    metafunc.parametrize("kajitori_seed", seeds, ids=[f"seed{each}" for each in seeds])


@pytest.fixture
def kajitori_seed() -> int:
    """The seed of this try; made by `pytest_generate_tests`."""
    raise AssertionError("there is a seed for every simulation")


@pytest.fixture
def sim(request: pytest.FixtureRequest, kajitori_seed: int) -> "Simulation":
    """The world of one try of a simulation; `@pytest.mark.simulation(seeds=100)` says how many there are."""
    from kajitori.testing import Simulation

    if not inspect.iscoroutinefunction(getattr(request.node, "obj", None)):
        raise pytest.UsageError(f"{request.node.nodeid}: only a coroutine function can be simulated")
    options = _options(request, "simulation", (*_SIMULATED, *_OPTIONS))
    options.pop("seeds", None)
    try:
        made = Simulation(kajitori_seed, **options)
    except ValueError as error:
        raise pytest.UsageError(f"{request.node.nodeid}: sim: {error}") from None
    request.node.stash[_SIMULATION] = made
    return made


_SIMULATION: "pytest.StashKey[Simulation]" = pytest.StashKey()
_STARTED: "pytest.StashKey[Kube]" = pytest.StashKey()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object:
    """Runs coroutine functions that asked for `kube` or `sim`, in its loop."""
    started, simulation = pyfuncitem.stash.get(_STARTED, None), pyfuncitem.stash.get(_SIMULATION, None)
    if (started is None and simulation is None) or not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    given = {name: value for name, value in pyfuncitem.funcargs.items() if name in wanted}
    if simulation is not None:
        try:
            simulation.play(lambda sim: pyfuncitem.obj(**given))
        except Exception as error:
            test = pyfuncitem.nodeid.partition("[")[0]
            error.add_note(f"to repeat it: pytest '{test}' --kajitori-seed {simulation.seed}")
            raise
    elif started is not None:
        started.run(pyfuncitem.obj(**given))
    return True


def _run_by_others(node: pytest.Item) -> bool:
    function = getattr(node, "obj", None)
    return inspect.iscoroutinefunction(function) and any(map(node.get_closest_marker, _RUN_BY_OTHERS))


def _options(request: pytest.FixtureRequest, marker: str, known: Collection[str]) -> dict[str, Any]:
    """What the markers say; one that is nearer to the test counts more."""
    options: dict[str, Any] = {}
    for mark in reversed(list(request.node.iter_markers(marker))):
        unknown = sorted(mark.kwargs.keys() - set(known))
        if mark.args or unknown:
            what = f"unknown: {', '.join(unknown)}" if unknown else "it takes names with values only"
            raise pytest.UsageError(
                f"{request.node.nodeid}: pytest.mark.{marker}: {what}; known are {', '.join(known)}"
            )
        options.update(mark.kwargs)
    beside = request.path.parent
    options["crds"] = [
        beside / each if isinstance(each, str | Path) else each for each in options.get("crds", ())
    ]
    return options
