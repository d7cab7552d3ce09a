"""How a server ends: clients learn of it before it happens, and lose nothing."""

import asyncio
from dataclasses import replace

import pytest
from tests.apiserver.support import CONFIG_MAPS, OPTIONS, Api, config_map

from kajitori.cluster.cluster import Cluster
from kajitori.cluster.operating import Operating
from kajitori.testing import run_virtual


def test_readyz_fails_first_while_everything_else_goes_on() -> None:
    async def main() -> None:
        options = replace(OPTIONS, operating=Operating(shutdown_delay_seconds=30))
        cluster = Cluster(options)
        async with cluster:
            api = Api(cluster)
            assert (await api.ask("GET", "/readyz")).status == 200
            looking = asyncio.ensure_future(look(api))
        await looking

    async def look(api: Api) -> None:
        await asyncio.sleep(10)
        told = await api.ask("GET", "/readyz?verbose")
        assert told.status == 500 and b"[-]shutdown failed" in told.raw, told.raw
        assert (await api.ask("GET", "/livez")).status == 200
        await api.ok("POST", CONFIG_MAPS, config_map())

    run_virtual(main())


def test_new_requests_are_told_to_come_back_while_watches_end_one_by_one() -> None:
    async def main() -> None:
        operating = Operating(shutdown_send_retry_after=True, shutdown_watch_grace_seconds=20)
        cluster = Cluster(replace(OPTIONS, operating=operating))
        loop = asyncio.get_running_loop()
        ended: list[float] = []
        async with cluster:
            api = Api(cluster)

            async def watch() -> None:
                async with api.watch(CONFIG_MAPS) as watching:
                    await watching.rest()
                    ended.append(loop.time())

            watches = [asyncio.ensure_future(watch()) for _ in range(4)]
            await asyncio.sleep(1)
            looking = asyncio.ensure_future(look(api))
        await asyncio.gather(looking, *watches)
        assert len(ended) == 4
        assert ended[-1] - ended[0] == pytest.approx(15)

    async def look(api: Api) -> None:
        await asyncio.sleep(5)
        told = await api.ask("POST", CONFIG_MAPS, config_map())
        assert told.status == 429 and told.headers["retry-after"] == "5"
        assert (await api.ask("GET", "/livez")).status == 200

    run_virtual(main())
