"""An unchanged suite of controller-runtime's envtest: kinds, a watch, a webhook, a user, and the end."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from kajitori.cli.main import main

SUITE = Path(__file__).parent / "envtest"


@pytest.mark.e2e
@pytest.mark.slow
def test_a_suite_in_go(tmp_path: Path) -> None:
    go = shutil.which("go")
    if go is None:
        pytest.skip("there is no Go")
    suite = tmp_path / "suite"
    shutil.copytree(SUITE, suite)
    environment = {**os.environ, "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local"}
    built = subprocess.run(
        [go, "test", "-c", "-o", "suite.test", "."],
        cwd=suite,
        env=environment,
        capture_output=True,
        text=True,
    )
    if built.returncode != 0:
        if "module lookup disabled" in built.stderr or "requires go" in built.stderr:
            pytest.skip("Go's modules of the suite are not here: go mod download in tests/e2e/envtest")
        pytest.fail(built.stderr)
    assert main(["envtest", str(tmp_path / "assets")]) == 0
    environment["KUBEBUILDER_ASSETS"] = str(tmp_path / "assets")
    done = subprocess.run([suite / "suite.test"], cwd=suite, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "PASS"), done.stdout + done.stderr
