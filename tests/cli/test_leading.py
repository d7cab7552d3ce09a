"""The flags of leader election."""

import pytest

from kajitori.cli.main import CommandError
from kajitori.cli.run import main


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
