"""my.cnf: who wins over whom, and how large the buffer pool becomes."""

import configparser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kajitori.operators.mysql.mycnf import buffer_pool_bytes, render_my_cnf
from kajitori.operators.mysql.objects.base import content_name

option_names = st.sampled_from(
    (
        "gtid_mode",
        "gtid-mode",
        "loose_gtid_mode",
        "max-connections",
        "loose-max_connections",
        "datadir",
        "x_y",
        "x-y",
    )
)
options = st.dictionaries(option_names, st.sampled_from(("1", "ON", "OFF")))


def _mysqld(text: str) -> dict[str, str]:
    parser = configparser.RawConfigParser(strict=True, allow_no_value=True)
    parser.read_string(text.replace("!includedir", "# "))
    return {name: value or "" for name, value in parser["mysqld"].items()}


@settings(deadline=None)
@given(options)
def test_replication_wins_over_the_user(given_options: dict[str, str]) -> None:  # Y1
    mysqld = _mysqld(render_my_cnf(given_options, 0))
    assert mysqld["gtid_mode"] == "ON"
    assert mysqld["datadir"] == "/var/lib/mysql/data"
    assert mysqld["read_only"] == mysqld["super_read_only"] == "ON"
    assert mysqld["relay_log_recovery"] == "OFF"


@settings(deadline=None)
@given(options)
def test_an_option_stands_there_once(given_options: dict[str, str]) -> None:  # Y2
    names = [name.removeprefix("loose_") for name in _mysqld(render_my_cnf(given_options, 0))]
    assert len(names) == len(set(names))
    assert not any("-" in name for name in names)


@settings(deadline=None)
@given(options, st.integers(0, 1 << 45))
def test_options_are_sorted(given_options: dict[str, str], memory: int) -> None:  # Y3
    names = list(_mysqld(render_my_cnf(given_options, memory)))
    assert names == sorted(names)
    assert names.index("enforce_gtid_consistency") < names.index("gtid_mode")


def test_the_user_wins_over_the_defaults() -> None:  # Y1
    mysqld = _mysqld(render_my_cnf({"max-connections": "5", "innodb_numa_interleave": "OFF"}, 0))
    assert mysqld["max_connections"] == "5"
    assert mysqld["innodb_numa_interleave"] == "OFF" and "loose_innodb_numa_interleave" not in mysqld


def test_the_included_text_stands_verbatim_at_the_top() -> None:  # Y4
    text = render_my_cnf({"_include": "a='b/%=ON'\nc"}, 0)
    assert "[mysqld]\na='b/%=ON'\nc\nadmin_port" in text


@pytest.mark.parametrize("name", ["log-bin", "skip_log_bin", "disable-log-bin", "log_error", "loose_log_bin"])
def test_what_would_end_replication_is_dropped(name: str) -> None:
    assert name.replace("-", "_").removeprefix("loose_") not in _mysqld(render_my_cnf({name: "x"}, 0))


@pytest.mark.parametrize(
    ("memory", "pool"),
    [(0, 128 << 20), (100 << 20, 128 << 20), (1 << 30, 716 << 20), (10 << 30, 7168 << 20)],
)
def test_the_buffer_pool_is_seventy_percent_in_whole_mebibytes(memory: int, pool: int) -> None:
    assert buffer_pool_bytes(memory) == pool


def test_names_follow_the_content() -> None:
    # 32-bit FNV-1a, by its published test vectors.
    assert content_name("p.", "") == "p.811c9dc5"
    assert content_name("p.", "foobar") == "p.bf9cf968"
