"""A module can be read at a sitting, a function at a glance."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

from tests.house.modules import ROOT, modules

FUNCTION_LINES_MAX = 70
PARAMETERS_MAX = 8


def test_no_module_is_too_long() -> None:
    ran = subprocess.run([sys.executable, ROOT / "tools/sizes.py"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout


def test_a_module_that_is_too_long_is_found(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "src").mkdir()
    shutil.copy(ROOT / "tools/sizes.py", tmp_path / "tools")
    (tmp_path / "src/long.py").write_text("x = 1\n" * 601)
    ran = subprocess.run([sys.executable, tmp_path / "tools/sizes.py"], capture_output=True, text=True)
    assert ran.returncode == 1 and "src/long.py: 601 lines" in ran.stdout


def test_functions_fit_a_screen() -> None:
    for module in modules().values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                assert lines <= FUNCTION_LINES_MAX, f"{module.name}.{node.name} has {lines} lines"
                arguments = node.args
                named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
                taken = [each.arg for each in named if each.arg not in ("self", "cls")]
                assert len(taken) <= PARAMETERS_MAX, f"{module.name}.{node.name} takes {taken}"
