"""The generated pages say what the code says."""

import importlib.util
import sys
from types import ModuleType

import pytest
from tests.docs.pages import ROOT


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gen_reference", ROOT / "tools" / "gen_reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name", ["cli.md", "kinds-as-classes.md", "metrics.md", "mysqlcluster.md", "policies.md"]
)
def test_the_page_is_up_to_date(generator: ModuleType, name: str) -> None:
    assert (generator.FOLDER / name).read_text() == generator.PAGES[name](), "run tools/gen_reference.py"


def test_the_page_of_conformance_cases_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("cel_spec", ROOT / "tools" / "cel_spec.py")
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    sys.modules["cel_spec"] = tool  # Its dataclasses look themselves up.
    spec.loader.exec_module(tool)
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), "run tools/cel_spec.py"
    assert {case["reason"] for case in tool.read(tool.LEFT_OUT)} == set(tool.REASONS)


def test_every_option_is_told(generator: ModuleType) -> None:  # G1
    page = generator.command_line_page()
    for option in ("--data-dir", "--memory", "--api-only", "--token-auth-file", "--kubeconfig", "--output"):
        assert f"`{option}" in page or f", `{option}" in page, option


def test_every_field_of_policies_is_told(generator: ModuleType) -> None:  # G1
    page = generator.policies_page()
    for field in (
        "contextAwareResources",
        "timeoutEvalSeconds",
        "expression",
        "insecureSources",
        "policyStatus",
    ):
        assert f"| `{field}` |" in page, field
    assert "|  |\n" not in page, "a field without a description"


def test_every_field_is_told(generator: ModuleType) -> None:  # G1
    page = generator.kinds_page()
    for field in ("volumeClaimTemplates", "serverIDBase", "currentPrimaryIndex", "endpointURL", "timeZone"):
        assert f"| `{field}` |" in page, field
    assert "|  |\n" not in page, "a field without a description"
