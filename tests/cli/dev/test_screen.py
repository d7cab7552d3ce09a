"""The screen, drawn from values."""

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kajitori.cli.dev.happenings import Decision
from kajitori.cli.dev.screen import CacheRow, ControllerRow, Line, View, frame, rendered

AT = 1_700_000_000.0


def text(line: Line) -> str:
    return rendered(line, colours=False)


def width(shown: str) -> int:
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in shown
    )


def decision(name: str, error: str = "") -> Decision:
    outcome = "error" if error else "success"
    return Decision(
        time=AT, controller="widgets", name=name, outcome=outcome, error=error, took_seconds=0.003
    )


VIEW = View(
    title="kajitori dev widgets.py",
    state="version 2, for 12s",
    hint="export KUBECONFIG=here",
    controllers=[
        ControllerRow("widgets", "working", 0, 1, 2, 1, 40, 3, 0.001, 0.25),
        ControllerRow("gadgets", "filling caches", 0, 0, 0, 0, 0, 0, None, None),
    ],
    caches=[
        CacheRow("Widget.v1.example.com", True, 1234, 5 << 20, 61.0),
        CacheRow("Pod.v1", False, 0, 0, None),
    ],
    decisions=[decision("default/b", "ValueError: no"), decision("default/a")],
    chosen=1,
    log=["22:13:20 info hello", "22:13:21 info again"],
    local=time.gmtime,
)


def test_a_screen_as_it_is() -> None:  # D3
    assert [text(each).rstrip() for each in frame(VIEW, 90, 16)] == [
        "kajitori dev widgets.py  version 2, for 12s",
        "export KUBECONFIG=here",
        "CONTROLLER  STATE           READY  WAITING  BUSY  FAILING  DONE  ERRORS  P50    P99",
        "widgets     working             0        1     2        1    40       3  1ms  250ms",
        "gadgets     filling caches      0        0     0        0     0       0    -      -",
        "CACHE                  STATE    OBJECTS  MEMORY  LAST EVENT",
        "Widget.v1.example.com  synced      1234    5MiB   61.0s ago",
        "Pod.v1                 listing        0      0B           -",
        " DECISIONS",
        "  22:13:20 widgets default/b error 3ms: ValueError: no",
        "▸ 22:13:20 widgets default/a success 3ms",
        "",
        " LOG",
        "22:13:20 info hello",
        "22:13:21 info again",
        "q quit   r reload   ↑↓ choose   e explain",
    ]


def test_what_is_broken_stands_above_all_and_in_red() -> None:  # D3
    lines = frame(View("t", "s", broken="broken\nSyntaxError: no"), 40, 10)
    assert [text(each) for each in lines[1:3]] == ["broken", "SyntaxError: no"]
    assert rendered(lines[2]) == "\x1b[31mSyntaxError: no\x1b[0m"


def test_an_explanation_takes_the_place_of_the_log_and_the_chosen_one_stays_in_sight() -> None:
    many = [decision(f"default/{number}") for number in range(50)]
    shown = [
        text(each) for each in frame(View("t", "s", decisions=many, chosen=40, explained=["because"]), 60, 12)
    ]
    assert any("default/40" in line and line.startswith("▸") for line in shown)
    assert "because" in shown and not any(line == " LOG " for line in shown)


_TEXTS = st.text(max_size=40) | st.sampled_from(["舵取り" * 10, "\x1b[2J", "a\nb", "é" * 50])


@settings(max_examples=30, deadline=None)
@given(
    st.builds(
        View,
        title=_TEXTS,
        state=_TEXTS,
        hint=_TEXTS,
        broken=_TEXTS,
        controllers=st.lists(
            st.builds(
                ControllerRow,
                *(_TEXTS, st.just("working"), *[st.integers(0, 10**6)] * 6),
                *[st.none() | st.floats(0, 1e4)] * 2,
            ),
            max_size=15,
        ),
        caches=st.lists(
            st.builds(
                CacheRow,
                _TEXTS,
                st.booleans(),
                st.integers(0, 10**6),
                st.integers(0, 10**12),
                st.none() | st.floats(0, 1e5),
            ),
            max_size=10,
        ),
        decisions=st.lists(st.builds(decision, _TEXTS, _TEXTS), max_size=30),
        chosen=st.integers(-1, 29),
        explained=st.lists(_TEXTS, max_size=10),
        log=st.lists(_TEXTS, max_size=30),
    ),
    st.integers(1, 120),
    st.integers(1, 50),
)
def test_a_frame_fits_its_terminal_whatever_is_in_it(view: View, columns: int, rows: int) -> None:  # D1, D2
    lines = frame(view, columns, rows)
    assert len(lines) == rows
    for line in lines:
        shown = text(line)
        assert width(shown) <= columns
        assert "\x1b" not in shown and "\n" not in shown


@pytest.mark.parametrize(("size", "told"), [(0, "0B"), (2048, "2KiB"), (3 << 20, "3MiB"), (5 << 30, "5GiB")])
def test_memory_in_words(size: int, told: str) -> None:
    view = View("t", "s", caches=[CacheRow("Pod.v1", True, 1, size, 0.0)])
    assert told in text(frame(view, 80, 10)[2]).split()
