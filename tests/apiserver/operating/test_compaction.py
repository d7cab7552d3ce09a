"""History is forgotten on schedule, and who asks for it is told to begin anew: as with kube-apiserver and etcd."""

import asyncio
from urllib.parse import quote

import pytest
from tests.apiserver.operating.support import watched
from tests.apiserver.support import CONFIG_MAPS, Api, config_map

from kajitori.cli.up import options_from
from kajitori.testing import run_virtual


@pytest.mark.parametrize(("interval", "seconds"), [("5m0s", 300), ("30s", 30)])
def test_what_is_older_than_two_intervals_is_gone(interval: str, seconds: float) -> None:
    async def main() -> None:
        options, _ = options_from(["--memory", "--etcd-compaction-interval", interval])
        assert options.operating.compaction_interval_seconds == seconds
        async with watched(compaction_interval_seconds=seconds) as api:
            await play(api)

    async def play(api: Api) -> None:
        for name in "abc":
            await api.ok("POST", CONFIG_MAPS, config_map(name))
        page = await api.ok("GET", f"{CONFIG_MAPS}?limit=1")
        old, token = page.revision, quote(page.body["metadata"]["continue"])
        exact = f"{CONFIG_MAPS}?resourceVersion={old}&resourceVersionMatch=Exact"
        await api.ok("DELETE", f"{CONFIG_MAPS}/c")
        await asyncio.sleep(seconds * 0.9)
        assert len((await api.ok("GET", exact)).body["items"]) == 3
        assert len((await api.ok("GET", f"{CONFIG_MAPS}?limit=5&continue={token}")).body["items"]) == 2
        async with api.watch(f"{CONFIG_MAPS}?resourceVersion={old}") as watching:
            assert await watching.take(1) == [("DELETED", "c")]
            await asyncio.sleep(seconds * 1.2)
            told = await api.refused(410, "GET", exact)
            assert told.body["reason"] == "Expired"
            told = await api.refused(410, "GET", f"{CONFIG_MAPS}?limit=5&continue={token}")
            again = quote(told.body["metadata"]["continue"])
            rest = (await api.ok("GET", f"{CONFIG_MAPS}?limit=5&continue={again}")).body["items"]
            assert [each["metadata"]["name"] for each in rest] == ["b"]
            async with api.watch(f"{CONFIG_MAPS}?resourceVersion={old}") as late:
                kind, status = await late.next()
            assert (kind, status["code"], status["reason"]) == ("ERROR", 410, "Expired")
            await api.ok("POST", CONFIG_MAPS, config_map("d"))
            assert await watching.take(1) == [("ADDED", "d")], "who follows misses nothing"

    run_virtual(main())


def test_without_an_interval_only_size_counts() -> None:
    async def main() -> None:
        async with watched(compaction_interval_seconds=0.0) as api:
            old = (await api.ok("POST", CONFIG_MAPS, config_map("a"))).revision
            await asyncio.sleep(86_400)
            await api.ok("DELETE", f"{CONFIG_MAPS}/a")
            told = await api.ok("GET", f"{CONFIG_MAPS}?resourceVersion={old}&resourceVersionMatch=Exact")
            assert len(told.body["items"]) == 1

    run_virtual(main())
