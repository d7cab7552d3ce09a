"""How soon kubectl is there when no rule is about a command: the wrapper stands before every single one."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"asyncio", "kajitori.client", "msgspec", "ssl", "subprocess", "tempfile"}
MODULES_MAX = 130
"""Of the interpreter itself are forty; a tenth of a second pays for four times as many."""


@pytest.mark.parametrize("words", [["get", "pods"], ["delete", "pod", "x", "--context=dev"]])
def test_nothing_heavy_is_imported_before_kubectl_runs(words: list[str], tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.write_text("rules: [{name: r, match: {contexts: [prod], verbs: [delete]}, action: confirm}]\n")
    environ = {
        "HOME": str(tmp_path),
        "KUBECTL_GUARDRAILS_CONF": str(rules),
        "KUBECTL_GUARDRAILS_KUBECTL": "/bin/true",
        "PYTHONPATH": ":".join(sys.path),
    }
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "kajitori.cli.guardrails.main", *words],
        env=environ,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ran.returncode == 0, ran.stderr
    imported = {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines() if "import time:" in line}
    assert "kajitori.cli.guardrails.programs" in imported
    assert not imported & HEAVY and len(imported) < MODULES_MAX, sorted(imported)
