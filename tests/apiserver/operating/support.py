"""A server that is watched over, in this process."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from tests.apiserver.support import OPTIONS, Api, serving

from kajitori.cluster.operating import Operating


@asynccontextmanager
async def watched(**operating: Any) -> AsyncGenerator[Api, None]:
    async with serving(replace(OPTIONS, operating=Operating(**operating))) as api:
        yield api


def lines(path: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
