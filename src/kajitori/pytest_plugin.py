"""The fixture `kube` of pytest: a fresh API server for a test, in this process, in milliseconds.

    @pytest.mark.kube(crds=["widgets.yaml"])
    async def test_a_widget_is_stored(kube: Kube) -> None:
        await kube.client().create(WIDGETS, {"metadata": {"name": "big", "namespace": "default"}})

pytest finds it by its entry point. What it gives is `kajitori.testing.Kube`.

Promises
    P1  a run that does not ask for `kube` imports nothing of kajitori but this module
    P2  a coroutine function that asks for `kube` is run in its loop, unless pytest-asyncio or anyio is to run it:
        then the test says `async with kube`, and the server lives in the loop of the test
    P3  each test has a server of its own, gone when the test is over
    P4  paths of the marker are those beside the file of the test
"""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from kajitori.testing import Kube

__all__ = ["kube", "pytest_configure", "pytest_pyfunc_call"]

_OPTIONS = ("admission", "controllers", "crds", "operators", "serve", "without_admission")
"""What the marker may say; `kajitori.testing.TestEnv` tells what each means."""
_RUN_BY_OTHERS = ("anyio", "asyncio", "trio")
"""Markers of plugins that run coroutine functions."""


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    config.addinivalue_line(
        "markers", f"kube({', '.join(f'{each}=...' for each in _OPTIONS)}): what the fixture kube starts with"
    )


@pytest.fixture
def kube(request: pytest.FixtureRequest) -> "Iterator[Kube]":
    """A fresh API server in this process; `@pytest.mark.kube(controllers=True)` says what else there is."""
    from kajitori.testing import Kube

    options = _options(request)
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


_STARTED: "pytest.StashKey[Kube]" = pytest.StashKey()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object:
    """Runs coroutine functions that asked for `kube`, in its loop."""
    started = pyfuncitem.stash.get(_STARTED, None)
    if started is None or not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    given = {name: value for name, value in pyfuncitem.funcargs.items() if name in wanted}
    started.run(pyfuncitem.obj(**given))
    return True


def _run_by_others(node: pytest.Item) -> bool:
    function = getattr(node, "obj", None)
    return inspect.iscoroutinefunction(function) and any(map(node.get_closest_marker, _RUN_BY_OTHERS))


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the markers say; one that is nearer to the test counts more."""
    options: dict[str, Any] = {}
    for mark in reversed(list(request.node.iter_markers("kube"))):
        unknown = sorted(mark.kwargs.keys() - set(_OPTIONS))
        if mark.args or unknown:
            what = f"unknown: {', '.join(unknown)}" if unknown else "it takes names with values only"
            raise pytest.UsageError(
                f"{request.node.nodeid}: pytest.mark.kube: {what}; known are {', '.join(_OPTIONS)}"
            )
        options.update(mark.kwargs)
    beside = request.path.parent
    options["crds"] = [
        beside / each if isinstance(each, str | Path) else each for each in options.get("crds", ())
    ]
    return options
