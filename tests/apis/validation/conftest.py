"""Validation as a server of its own does it, whatever servers ran before in this process."""

import pytest

from kajitori.apis.validation.capabilities import CAPABILITIES


@pytest.fixture(autouse=True)
def _own_capabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CAPABILITIES, "allow_privileged", False)
    monkeypatch.setattr(CAPABILITIES, "reserves_static_names", False)
