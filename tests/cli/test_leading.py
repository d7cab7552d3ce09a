"""The flags of leader election."""

import argparse

import pytest

from kajitori.cli.leading import add_leader_election, leader_election
from kajitori.cli.main import CommandError
from kajitori.cli.run import main


@pytest.mark.parametrize(
    ("targets", "name"),
    [
        (["mysql"], "kajitori-mysql"),
        (["greetings"], "kajitori-greetings"),
        (["./my folder/greetings.py"], "kajitori-greetings"),
        (["greetings.py:install", "My_Own"], "kajitori-my-own-greetings-install"),
    ],
)
def test_processes_that_run_the_same_stand_for_the_same_lease(targets: list[str], name: str) -> None:
    chosen = argparse.ArgumentParser()
    add_leader_election(chosen)
    given = chosen.parse_args(["--leader-elect"])
    given.target = targets
    election = leader_election(given)
    assert election is not None and election.name == name


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--leader-elect-lease-duration", "15"], "--leader-elect-lease-duration 15: write it with its unit"),
        (
            ["--leader-elect-lease-duration", "9s"],
            "lease duration is 9 s; it must be longer than the renew deadline",
        ),
        (["--leader-elect-lease-duration", "15500ms"], "lease duration is 15.5 s; use whole seconds"),
        (
            ["--leader-elect-retry-period", "9s"],
            "renew deadline is 10 s; it must be longer than 1.2 times the retry",
        ),
    ],
)
def test_durations_that_make_no_sense_are_refused(flags: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message) as refused:
        main(["mysql", "--leader-elect", *flags])
    assert refused.value.code == 2
