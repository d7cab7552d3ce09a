"""`kajitori dev` at a terminal: its screen, its keys, the debugger."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.test_dev import WIDGETS, create
from tests.support.https import Access, Api
from tests.support.screen import AtScreen
from tests.support.server import kajitori


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.joinpath("widgets.py").write_text(WIDGETS)
    return tmp_path


def at_screen(folder: Path, *arguments: str) -> AtScreen:
    environment = {name: each for name, each in os.environ.items() if name not in ("KUBECONFIG", "NO_COLOR")}
    return AtScreen(kajitori("dev", *arguments), folder, environment | {"HOME": str(folder)})


@pytest.fixture
def screen(folder: Path) -> Iterator[AtScreen]:
    with at_screen(folder, "widgets.py") as screen:
        screen.shows("working")
        yield screen


def api_of(folder: Path) -> Api:
    return Api(Access.of(folder / ".kajitori" / "kubeconfig"))


def test_the_screen_shows_what_goes_on_and_gives_the_terminal_back(folder: Path, screen: AtScreen) -> None:
    assert screen.lines[0].startswith("kajitori dev widgets.py  version 1, for ")
    assert screen.lines[1] == "export KUBECONFIG=$PWD/.kajitori/kubeconfig"
    assert screen.lines[2].split()[:3] == ["CONTROLLER", "STATE", "READY"]
    assert len(screen.lines) == 30 and screen.lines[-1].startswith("q quit")
    with api_of(folder) as api:
        create(api, "one", size=1)
        screen.shows("widgets default/one success")
        row = ["Widget.v1.example.com", "synced", "1"]
        screen.until(lambda seen: row in [line.split()[:3] for line in seen.lines])

        broken = WIDGETS.replace("meta = widget.metadata", "print('here'); raise ValueError('no size')")
        (folder / "widgets.py").write_text(broken)
        screen.shows("widgets default/one error")
        screen.shows("raise ValueError('no size')")
        screen.shows("print here")

        (folder / "widgets.py").write_text("def (")
        screen.shows("broken; what ran before goes on")
        screen.shows("SyntaxError: invalid syntax")
        assert any("the one saved last is broken" in line for line in screen.lines[:1])
        (folder / "widgets.py").write_text(WIDGETS)
        screen.until(lambda seen: "version 3" in seen.lines[0])
    assert not any("SyntaxError" in line for line in screen.lines[:5])
    assert screen.attributes() != screen.before
    screen.press("q")
    screen.prints("Stopped after ")
    assert screen.wait() == 0 and screen.attributes() == screen.before


def test_keys_choose_a_decision_explain_it_and_reload(folder: Path, screen: AtScreen) -> None:
    with api_of(folder) as api:
        create(api, "one", size=1)
        screen.shows("widgets default/one success")
        create(api, "two", size=2)
        screen.shows("widgets default/two success")
    screen.press("\x1b[B")
    screen.shows("▸ ")
    screen.press("e")
    screen.shows("EXPLAINED")
    screen.shows("because of ")
    screen.shows("now absent; before that:")
    screen.press("\x1b")
    screen.until(lambda seen: not any("EXPLAINED" in line for line in seen.lines))
    screen.press("r")
    screen.until(lambda seen: "version 2" in seen.lines[0])
    screen.press("\x03")
    assert screen.wait() == 0 and screen.attributes() == screen.before


@pytest.mark.parametrize("plain", [True, False])
def test_a_breakpoint_has_the_terminal_and_no_time_passes(folder: Path, plain: bool) -> None:
    stopping = WIDGETS.replace("meta = widget.metadata", "breakpoint()\n        meta = widget.metadata")
    limited = stopping.replace("for_=Widget, owns=[CONFIG_MAPS]", "for_=Widget, timeout_seconds=0.2")
    (folder / "widgets.py").write_text(limited)
    with at_screen(folder, "widgets.py", *(["--plain"] if plain else [])) as screen:
        if plain:
            screen.prints("Stop with Ctrl-C")
        else:
            screen.shows("working")
        with api_of(folder) as api:
            create(api, "one", size=7)
            screen.prints("-> meta = widget.metadata")
            screen.prints("(Pdb)")
            # The cluster answers meanwhile.
            assert api.request("GET", "/readyz").status == 200
        screen.interrupt_until("--KeyboardInterrupt--")
        screen.press("p widget.spec\n")
        screen.prints("WidgetSpec(size=7)")
        screen.press("import time; time.sleep(0.3)\n")
        screen.press("c\n")
        if plain:
            screen.prints("widgets default/one success")
        else:
            screen.shows("widgets default/one success")
            assert "blocked" not in "\n".join(screen.lines)
        (folder / "widgets.py").write_text(limited + "\n")
        screen.until(lambda seen: seen.scrolled.count("-> meta = widget.metadata") == 2)
        screen.press("q\n")
        assert screen.wait() == 0 and screen.attributes() == screen.before


def test_a_reconcile_that_blocks_the_loop_is_told_so(folder: Path) -> None:
    blocking = WIDGETS.replace(
        "meta = widget.metadata", "__import__('time').sleep(1.3)\n        meta = widget.metadata"
    )
    (folder / "widgets.py").write_text(blocking)
    with at_screen(folder, "widgets.py", "--plain") as screen:
        screen.prints("Stop with Ctrl-C")
        with api_of(folder) as api:
            create(api, "one", size=1)
        screen.prints("warning widgets default/one: a reconcile has kept the event loop to itself for 1.3")


def test_code_that_never_lets_go_is_ended_by_a_second_signal(folder: Path) -> None:
    endless = "while True: pass\n        meta = widget.metadata"
    (folder / "widgets.py").write_text(WIDGETS.replace("meta = widget.metadata", endless))
    with at_screen(folder, "widgets.py") as screen:
        screen.shows("working")
        with api_of(folder) as api:
            create(api, "one", size=1)
        screen.interrupt_until("ends at once: it was told to a second time")
        assert screen.wait() == 1 and screen.attributes() == screen.before
