"""What tests of several folders share: the real kubectl."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from tests.support.kubectl import MINOR_MIN, find_kubectl

# How long an example takes depends on what else the machine does.
settings.register_profile("kajitori", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kajitori")


@pytest.fixture(scope="session")
def kubectl_path() -> Path:
    """The real kubectl. Where there is none the test is skipped, but never in CI: there it is a failure."""
    found = find_kubectl()
    if found is None:
        missing = f"there is no kubectl 1.{MINOR_MIN} or newer; run tools/kubectl.sh or set KAJITORI_KUBECTL"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return found
