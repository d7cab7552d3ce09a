"""What the flags of the audit log say when they do not go together."""

from pathlib import Path

import pytest

from kajitori.cluster.operating import Operating, OperatingError, watch_over
from kajitori.world.clock import SystemClock


def test_a_policy_that_cannot_be_read_is_told_without_a_log_too(tmp_path: Path) -> None:
    with pytest.raises(OperatingError, match=r"--audit-policy-file .*nosuch"):
        watch_over(Operating(audit_policy_file=tmp_path / "nosuch"), SystemClock())


def test_a_log_without_a_policy_says_that_it_stays_empty(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watch_over(Operating(audit_log=str(tmp_path / "audit.log")), SystemClock())
    assert "no --audit-policy-file: nothing is written" in caplog.text
