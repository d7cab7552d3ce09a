"""The access log, and what is told of slow requests."""

import asyncio
from pathlib import Path

import pytest
from tests.apiserver.operating.support import lines, watched
from tests.apiserver.support import CONFIG_MAPS, config_map


def test_every_request_has_one_line(tmp_path: Path) -> None:  # C1
    path = tmp_path / "access.log"

    async def main() -> None:
        async with watched(access_log=str(path)) as api:
            created = await api.ok("POST", CONFIG_MAPS, config_map())
            async with api.watch(CONFIG_MAPS):
                assert len(lines(path)) == 1
            await api.refused(401, "GET", "/version", authorization="Bearer wrong")
            first, watch, refused = lines(path)
            assert (first["verb"], first["path"], first["user"]) == (
                "create",
                CONFIG_MAPS,
                "admin",
            )
            assert (first["status"], first["bytes"]) == (201, len(created.raw))
            assert 0 < first["seconds"] < 5 and first["auditID"] and "slow" not in first
            assert (watch["verb"], watch["status"]) == ("watch", 200)
            assert (refused["status"], refused["user"]) == (401, "")

    asyncio.run(main())


def test_a_slow_request_is_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "access.log"

    async def main() -> None:
        async with watched(access_log=str(path), slow_request_seconds=1e-9) as api:
            await api.ok("GET", CONFIG_MAPS)
            assert lines(path)[-1]["slow"] is True

    asyncio.run(main())
    assert [each.message for each in caplog.records] == ["slow request"]
