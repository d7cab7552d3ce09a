"""What happens, as lines for people and for programs."""

import time

import msgspec
import pytest

from kajitori.cli.dev.happenings import (
    Applied,
    Broken,
    Decision,
    Definition,
    Ended,
    Happening,
    Logged,
    Note,
    Reloaded,
    Started,
    cause_text,
)
from kajitori.cli.dev.lines import json_line, lasted, lines_of
from kajitori.ctrl import Cause

AT = 1_700_000_000.0


@pytest.mark.parametrize(
    ("happening", "told"),
    [
        (
            Started(time=AT, target="a.py", cluster="https://127.0.0.1:1"),
            ["22:13:20 a.py on https://127.0.0.1:1"],
        ),
        (
            Decision(
                time=AT,
                controller="widgets",
                name="default/a",
                outcome="success",
                causes=["create Widget default/a 12"],
                took_seconds=0.0031,
                writes=1,
            ),
            ["22:13:20 widgets default/a success 3ms: create Widget default/a 12 (1 write)"],
        ),
        (
            Decision(
                time=AT,
                controller="widgets",
                name="a",
                outcome="error",
                error="ValueError: no\nsize",
                causes=["retry", "b", "c", "d", "e"],
                took_seconds=1.26,
                requeue_seconds=0.005,
                lines='  File "a.py", line 1, in b\nValueError: no',
            ),
            [
                "22:13:20 widgets a error 1.3s: retry, b, c, and 2 more; again in 5ms: ValueError: no",
                '           File "a.py", line 1, in b',
                "         ValueError: no",
            ],
        ),
        (
            Reloaded(
                time=AT,
                files=["a.py", "b.py"],
                seconds=0.04,
                controllers=["x"],
                replayed=2,
                kept={"Widget.v1.example.com": 3},
                listed=["Pod.v1"],
                not_ready=["x"],
            ),
            [
                "22:13:20 reloaded a.py, b.py in 40ms: x",
                "         kept in the cache: Widget.v1.example.com (3)",
                "         listed anew: Pod.v1",
                "         queued before, and first now: 2",
                "         still waiting for the first lists: x",
            ],
        ),
        (Reloaded(time=AT, is_first=True, listed=["Pod.v1"]), ["22:13:20 running in 0.0ms: no controllers"]),
        (
            Broken(time=AT, text="SyntaxError: no", still_runs=True),
            ["22:13:20 broken; what ran before goes on", "         SyntaxError: no"],
        ),
        (
            Definition(time=AT, name="a.b", is_new=False, changes=["+ c"]),
            ["22:13:20 definition a.b changed", "         + c"],
        ),
        (Applied(time=AT, object="Pod a", what="created"), ["22:13:20 Pod a created"]),
        (
            Logged(time=AT, level="info", logger="a", text="hello", about="widgets a", lines="b"),
            ["22:13:20 info widgets a: hello", "         b"],
        ),
        (Note(time=AT, text="a \x1b[2Jb\tc"), ["22:13:20 a \\x1b[2Jb c"]),
        (
            Ended(time=AT, settled=False, seconds=200, failing=["a", "b"]),
            ["22:13:20 not settled after 3m", "         a", "         b"],
        ),
    ],
)
def test_a_line_each_and_what_belongs_to_it(happening: Happening, told: list[str]) -> None:  # L1, L2
    assert lines_of(happening, time.gmtime) == told
    assert msgspec.json.decode(json_line(happening))["time"] == AT


def test_causes_in_words() -> None:
    assert cause_text(Cause("retry", 1.0)) == "retry"
    assert cause_text(Cause("update", 1.0, "Pod", "a/b", "1", "2")) == "update Pod a/b 1→2"
    assert cause_text(Cause("resync", 1.0, "Pod", "a/b", "2", "2")) == "resync Pod a/b"
    assert cause_text(Cause("create", 1.0, "Pod", "b", "", "2")) == "create Pod b 2"


def test_durations_in_words() -> None:
    assert [lasted(each) for each in (0.0, 0.0004, 0.012, 1.23, 119, 120, 3600)] == [
        *("0.0ms", "0.4ms", "12ms", "1.2s", "119.0s", "2m", "60m")
    ]
