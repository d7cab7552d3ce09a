"""What is counted of requests."""

import re

from tests.apiserver.support import APPLY, CONFIG_MAPS, Api, config_map, define, definition, served

LABELS = (
    'component="apiserver",dry_run="",group="",resource="configmaps",scope="{}",subresource="",verb="{}",'
    'version="v1"'
)


async def figures(api: Api) -> dict[str, float]:
    """Every sample by its name and labels."""
    text = (await api.ok("GET", "/metrics")).raw.decode()
    samples: dict[str, float] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            assert name not in samples, name
            assert re.fullmatch(r"[a-z_]+(\{.*\})?", name), line
            samples[name] = float(value)
    return samples


@served
async def test_requests_are_counted_by_verb_resource_and_status(api: Api) -> None:  # F1
    await api.ok("POST", CONFIG_MAPS, config_map())
    await api.refused(409, "POST", CONFIG_MAPS, config_map())
    await api.ok("GET", f"{CONFIG_MAPS}/a")
    await api.ok("GET", CONFIG_MAPS)
    await api.ok("PATCH", f"{CONFIG_MAPS}/b?fieldManager=m", config_map("b"), type=APPLY)
    await api.ok("POST", f"{CONFIG_MAPS}?dryRun=All", config_map("c"))
    found = await figures(api)
    posted = LABELS.format("resource", "POST")
    assert found[f'apiserver_request_total{{code="201",{posted}}}'] == 1
    assert found[f'apiserver_request_total{{code="409",{posted}}}'] == 1
    assert found[f'apiserver_request_total{{code="200",{LABELS.format("namespace", "LIST")}}}'] == 1
    assert found[f'apiserver_request_total{{code="201",{LABELS.format("resource", "APPLY")}}}'] == 1
    dry = posted.replace('dry_run=""', 'dry_run="All"')
    assert found[f'apiserver_request_total{{code="201",{dry}}}'] == 1
    assert found[f"apiserver_request_duration_seconds_count{{{posted}}}"] == 2
    assert found[f'apiserver_request_duration_seconds_bucket{{{posted},le="60"}}'] == 2
    undried = posted.replace('dry_run="",', "")
    assert found[f"apiserver_request_sli_duration_seconds_count{{{undried}}}"] == 2
    got = LABELS.format("resource", "GET").replace('dry_run="",', "")
    assert found[f"apiserver_response_sizes_count{{{got}}}"] == 1
    assert found[f'apiserver_response_sizes_bucket{{{got},le="1000"}}'] == 1


@served
async def test_a_watch_is_counted_when_it_ends_and_its_events_as_they_are_sent(api: Api) -> None:  # F1
    watched = LABELS.format("namespace", "WATCH").replace('dry_run="",', "")
    async with api.watch(CONFIG_MAPS) as watch:
        await api.ok("POST", CONFIG_MAPS, config_map())
        await watch.next()
        found = await figures(api)
        assert found[f"apiserver_longrunning_requests{{{watched}}}"] == 1
        assert found['apiserver_watch_events_total{group="",resource="configmaps",version="v1"}'] == 1
    found = await figures(api)
    assert found[f"apiserver_longrunning_requests{{{watched}}}"] == 0
    assert found[f'apiserver_request_total{{code="200",{LABELS.format("namespace", "WATCH")}}}'] == 1


@served
async def test_who_is_refused_shows_in_authorization_alone(api: Api) -> None:  # F1
    await api.refused(403, "GET", CONFIG_MAPS, impersonate_user="jane")
    await api.refused(401, "GET", CONFIG_MAPS, authorization="Bearer wrong")
    found = await figures(api)
    assert not any(name.startswith("apiserver_request_total") and "configmaps" in name for name in found)
    assert found['authorization_attempts_total{result="no-opinion"}'] == 1
    assert found['authentication_attempts{result="error"}'] == 1
    assert found['authentication_duration_seconds_count{result="error"}'] == 1
    assert found['authentication_duration_seconds_count{result="success"}'] > 1


@served
async def test_clients_make_no_labels(api: Api) -> None:  # F2
    before = set(await figures(api))
    for path in (
        "/nothing/here",
        "/api/v1/nothings",
        "/apis/no.such/v1/x",
        "/api/v1/namespaces/default/pods/a/nothing",
    ):
        await api.ask("GET", path)
    after = set(await figures(api))
    assert not [name for name in after - before if "nothing" in name or "no.such" in name]


@served
async def test_a_custom_kind_that_comes_again_goes_on_counting(api: Api) -> None:
    crd = definition()
    path = await define(api, crd)
    await api.ok("GET", path)
    name = crd["metadata"]["name"]
    await api.ok("DELETE", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}")
    while (await api.ask("GET", path)).status == 200:
        pass
    await define(api, crd)
    await api.ok("GET", path)
    labels = [
        each
        for each in await figures(api)
        if each.startswith('apiserver_request_total{code="200"') and "widgets" in each
    ]
    assert len(labels) == 1


@served
async def test_the_process_and_the_store_tell_of_themselves(api: Api) -> None:
    found = await figures(api)
    for name in ("process_cpu_seconds_total", "process_open_fds", "process_start_time_seconds"):
        assert found[name] > 0
    assert found['apiserver_storage_objects{resource="namespaces"}'] == 4
    assert found['apiserver_resource_objects{group="",resource="namespaces"}'] == 4
    assert any(name.startswith("kubernetes_build_info{") for name in found)
