"""Limits and figures on the whole road of a request."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests.apiserver.operating.support import lines, watched
from tests.apiserver.operating.test_figures import figures
from tests.apiserver.support import CONFIG_MAPS, OPTIONS, config_map, serving

from kajitori.apiserver.operating.inflight import RequestLimits
from kajitori.cluster.operating import Operating

BINDING = {
    "metadata": {"name": "jane"},
    "subjects": [{"kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"}],
    "roleRef": {"kind": "ClusterRole", "name": "cluster-admin", "apiGroup": "rbac.authorization.k8s.io"},
}


def test_one_request_too_many_is_told_to_come_back(tmp_path: Path) -> None:
    async def main() -> None:
        limited = Operating(limits=RequestLimits(mutating_requests_max=1))
        async with serving(replace(OPTIONS, data_dir=tmp_path, operating=limited)) as api:
            await api.ok("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", BINDING)
            asked = [
                api.ask("POST", CONFIG_MAPS, config_map(name), impersonate_user="jane") for name in "abc"
            ]
            asked.append(api.ask("POST", CONFIG_MAPS, config_map("d")))
            answers = await asyncio.gather(*asked)
            assert [each.status for each in answers] == [201, 429, 429, 201]
            assert answers[1].headers["retry-after"] == "1"
            assert answers[1].raw == b"Too many requests, please try again later.\n"
            found = await figures(api)
            labels = (
                'code="429",component="apiserver",group="",resource="configmaps",scope="resource",'
                'subresource="",verb="POST",version="v1"'
            )
            assert found[f"apiserver_request_terminations_total{{{labels}}}"] == 2
            assert found['apiserver_current_inflight_requests{request_kind="mutating"}'] >= 2

    asyncio.run(main())


def test_every_answer_is_told_once_and_a_watch_when_it_ends(tmp_path: Path) -> None:  # O1
    path = tmp_path / "access.log"

    async def main() -> None:
        async with watched(access_log=str(path)) as api:
            await api.ok("POST", CONFIG_MAPS, config_map())
            async with api.watch(CONFIG_MAPS):
                assert [line["verb"] for line in lines(path)] == ["create"]
            await api.refused(404, "GET", f"{CONFIG_MAPS}/nobody")
            told = [(line["verb"], line["status"]) for line in lines(path)]
            assert told == [("create", 201), ("watch", 200), ("get", 404)]

    asyncio.run(main())


def test_what_cannot_be_told_changes_no_answer(caplog: pytest.LogCaptureFixture) -> None:  # O2
    async def main() -> None:
        async with watched(access_log="/dev/full") as api:
            await api.ok("POST", CONFIG_MAPS, config_map())
            await api.refused(404, "GET", f"{CONFIG_MAPS}/nobody")
            async with api.watch(CONFIG_MAPS):
                pass

    asyncio.run(main())
    assert "a line could not be written" in caplog.text


def test_commits_to_the_disk_are_timed(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(replace(OPTIONS, data_dir=tmp_path)) as api:
            before = await figures(api)
            await asyncio.gather(*[api.ok("POST", CONFIG_MAPS, config_map(name)) for name in "abc"])
            after = await figures(api)
            writes, commits = "kajitori_store_writes_total", "kajitori_store_commit_duration_seconds_count"
            assert after[writes] - before[writes] == 3
            assert 1 <= after[commits] - before[commits] <= 3
            assert after['apiserver_storage_size_bytes{storage_cluster_id="kajitori"}'] > 0

    asyncio.run(main())


def test_a_client_that_goes_away_is_counted(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(replace(OPTIONS, data_dir=tmp_path)) as api:
            asking = asyncio.ensure_future(api.ask("POST", CONFIG_MAPS, config_map()))
            await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait([asking])
            found = await figures(api)
            assert (
                sum(each for name, each in found.items() if name.startswith("apiserver_request_aborts")) == 1
            )

    asyncio.run(main())
