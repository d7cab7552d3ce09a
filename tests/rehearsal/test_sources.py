"""Objects from a cluster, and what somebody may there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.apiserver.admission.policies.support import binding, policy
from tests.apiserver.support import CONFIG_MAPS, Api, config_map, define, definition, served
from tests.rehearsal.support import JANE, created, put, said

from kajitori.apimachinery.errors import Forbidden
from kajitori.client import Client
from kajitori.client.transport import RawResponse
from kajitori.rehearsal.sources import Live, Manifests, furnish, kept_as
from kajitori.rehearsal.stage import Stage
from kajitori.rehearsal.writes import of_object

RBAC = "rbac.authorization.k8s.io"


class Noted:
    """The way to a server, on which somebody notes what is asked, and something may not be read."""

    def __init__(self, api: Api, *, unread: str = "") -> None:
        self._transport = api.transport
        self._unread = unread
        self.asked: set[tuple[str, str]] = set()

    async def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, timeout: float | None
    ) -> RawResponse:
        self.asked.add((method, path.partition("?")[0]))
        if self._unread and self._unread in path:
            raise Forbidden(f"{self._unread} is forbidden")
        return await self._transport.request(method, path, headers, body, timeout)

    def stream(self, *given: Any) -> Any:
        raise AssertionError("nothing is watched")

    async def close(self) -> None:
        pass


@served
async def test_a_cluster_is_only_read(api: Api) -> None:  # F1
    await define(api, definition())
    await api.ok("POST", CONFIG_MAPS, config_map("a", k="1"))
    noted = Noted(api)
    live, stage = Live(Client(noted), "here"), await Stage.empty()
    await furnish(stage, live)
    found = await live.read(kept_as(stage, ["/configmaps"]))
    assert [
        (each["kind"], each["metadata"]["name"]) for each in found if each["metadata"]["name"] == "a"
    ] == [("ConfigMap", "a")]
    assert {method for method, _ in noted.asked} == {"GET"}
    assert not any("rbac" in path for _, path in noted.asked)  # the cluster itself is asked
    assert stage.named("widgets") and live.notes == []
    widgets = stage.named("widgets")[0].kind
    assert await live.get(widgets, "default", "none") is None


@served
async def test_what_may_not_be_read_is_told(api: Api) -> None:  # F2
    live, stage = Live(Client(Noted(api, unread="namespaces")), "here"), await Stage.empty()
    await furnish(stage, live)
    assert live.notes == ["namespaces could not be read: namespaces is forbidden"]


@served
async def test_the_cluster_says_what_somebody_may(api: Api) -> None:  # F3
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "r"}
    rules = [{"apiGroups": ["x"], "resources": ["y"], "verbs": ["z"]}]
    subjects = [{"kind": "User", "name": "jane", "apiGroup": RBAC}]
    path = f"/apis/{RBAC}/v1/clusterrole"
    await api.ok("POST", f"{path}s", {"metadata": {"name": "r"}, "rules": rules})
    await api.ok(
        "POST", f"{path}bindings", {"metadata": {"name": "r"}, "roleRef": role, "subjects": subjects}
    )
    asked = "authorizer.group('x').resource('y').check('%s').allowed()"
    judging = [{"expression": asked % verb, "message": f"no {verb}"} for verb in ("z", "zz", "zz")]
    noted = Noted(api)
    live, stage = Live(Client(noted), "here"), await Stage.empty()
    await furnish(stage, live)
    await put(stage, policy(validations=judging), binding())
    obj = {"apiVersion": "v1", **config_map("a")}
    assert await said(stage, created(stage, {"kind": "ConfigMap", **obj}, JANE)) == [
        ("denied", "no zz"),
        ("denied", "no zz"),
    ]
    posted = {path for method, path in noted.asked if method == "POST"}
    assert posted == {"/apis/authorization.k8s.io/v1/subjectaccessreviews"}


@served
async def test_a_cluster_that_may_not_be_asked(api: Api) -> None:  # F3
    live = Live(Client(Noted(api, unread="subjectaccessreviews")), "here")
    stage = await Stage.empty()
    await furnish(stage, live)
    await put(
        stage, policy(validations=[{"expression": "authorizer.path('/x').check('get').allowed()"}]), binding()
    )
    await said(stage, created(stage, {"kind": "ConfigMap", "apiVersion": "v1", **config_map("a")}, JANE))
    assert live.notes == ["not allowed to ask the cluster what jane may: subjectaccessreviews is forbidden"]


def test_manifests_of_a_repository(tmp_path: Path) -> None:  # F2
    import asyncio

    (tmp_path / "values.yaml").write_text("image: x\n")
    (tmp_path / "cm.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    (tmp_path / "ns.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: [x]}\n")

    async def main() -> None:
        source, stage = Manifests(tmp_path), await Stage.empty()
        await furnish(stage, source)
        [note] = source.notes
        assert note.startswith("Namespace ") and " is left out: " in note
        [obj] = await source.read(kept_as(stage, ["/configmaps"]))
        write = of_object(stage, obj, "CREATE", JANE)
        assert (write.namespace, write.name) == ("default", "a")

    asyncio.run(main())
