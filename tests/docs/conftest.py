import os
from pathlib import Path
import pytest
@pytest.fixture(scope="session")
def kubectl() -> Path:
    return Path(os.environ["KAJITORI_KUBECTL"])
