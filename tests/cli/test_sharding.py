"""The flags of sharding."""

import pytest

from kajitori.cli.main import CommandError
from kajitori.cli.run import main


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--shard-ring", "Big"], "--shard-ring: sharding: ring is 'Big'; use at most 63 lower-case letters"),
        (["--shard-ring", "a", "--leader-elect"], "--shard-ring and --leader-elect exclude one another"),
    ],
)
def test_flags_that_make_no_sense_are_refused(flags: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message) as refused:
        main(["mysql", *flags])
    assert refused.value.code == 2
