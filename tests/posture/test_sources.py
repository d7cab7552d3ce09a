"""Reading what is to be judged."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from tests.posture.objects import account, binding, inventory, namespace, obj, pod, role, rule

from kajitori.apimachinery.kind import JsonObject
from kajitori.client import Client
from kajitori.posture.inventory import KINDS, Inventory, bucket_of, name_of
from kajitori.posture.manifests import from_manifests
from kajitori.posture.sources import from_backup, from_cluster
from kajitori.storage.backup import copy_items
from kajitori.storage.errors import BackupUnfit
from kajitori.storage.interface import Item
from kajitori.testing import TestEnv, run_virtual
from kajitori.testing.virtual_time import VirtualClock

OBJECTS = [
    namespace("shop"),
    obj("v1", "Secret", "token", "shop", data={"a": "c2VjcmV0"}, type="Opaque"),
    account("shop", "web"),
    role("r", rule("get", "pods"), space="shop"),
    binding("b", "r", "shop/web", space="shop"),
    pod("shop", "p"),
]


def names(found: Inventory, bucket: str) -> list[str]:
    return [name_of(each) for each in found[bucket]]


async def with_objects(env: TestEnv, objects: list[JsonObject] = OBJECTS) -> Client:
    client = env.client()
    kinds = {(each.api_version, each.kind): each for each in KINDS}
    for each in objects:
        await client.create(kinds[each["apiVersion"], each["kind"]], each)
    return client


def test_a_cluster() -> None:
    async def read() -> Inventory:
        async with TestEnv(clock=VirtualClock()) as env:
            return await from_cluster(await with_objects(env), "cluster here")

    found = run_virtual(read())
    assert (found.source, found.whole, dict(found.unread)) == ("cluster here", True, {})
    assert found.version.startswith("v1.36.")
    assert names(found, "/pods") == ["p"] and found["/pods"][0]["spec"]["containers"][0]["name"] == "c"
    assert "shop" in found.namespaces
    assert list(found["/secrets"]) == [{"metadata": {"name": "token", "namespace": "shop"}, "type": ""}]
    assert "cluster-admin" in names(found, "rbac.authorization.k8s.io/clusterroles")


class Watched:
    """A transport that notes what is asked through it, and refuses some."""

    def __init__(self, inner: Any, refused: str = "") -> None:
        self.inner = inner
        self.refused = refused
        self.asked: list[tuple[str, str, Mapping[str, str]]] = []

    async def request(
        self, method: str, path: str, headers: Mapping[str, str], body: Any, timeout: Any
    ) -> Any:
        self.asked.append((method, path, headers))
        answer = await self.inner.request(method, path, headers, body, timeout)
        if self.refused and self.refused in path:
            status = {
                "kind": "Status",
                "status": "Failure",
                "reason": "Forbidden",
                "code": 403,
                "message": "no",
            }
            return type(answer)(403, answer.headers, msgspec.json.encode(status))
        return answer

    async def close(self) -> None:
        """The inner one is closed by its owner."""


def test_a_cluster_is_only_read_and_secrets_by_name_alone() -> None:  # S1
    async def read() -> Watched:
        async with TestEnv(clock=VirtualClock()) as env:
            watched = Watched((await with_objects(env)).transport)
            await from_cluster(Client(watched), "here")  # type: ignore[arg-type]
            return watched

    asked = run_virtual(read()).asked
    assert {method for method, _, _ in asked} == {"GET"}
    (accept,) = [headers["accept"] for _, path, headers in asked if path.startswith("/api/v1/secrets")]
    assert accept == "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


def test_what_may_not_be_read_is_told_and_the_rest_is_read() -> None:  # S2
    async def read() -> Inventory:
        async with TestEnv(clock=VirtualClock()) as env:
            watched = Watched((await with_objects(env)).transport, refused="/api/v1/nodes")
            return await from_cluster(Client(watched), "here")  # type: ignore[arg-type]

    found = run_virtual(read())
    assert dict(found.unread) == {"/nodes": "no"} and names(found, "/pods") == ["p"]
    assert found.missing("/nodes", "/pods") == ["nodes could not be read: no"]


def test_many_objects_come_page_by_page() -> None:
    pods = [pod("default", f"p{number:04}") for number in range(501)]

    async def read() -> Inventory:
        async with TestEnv(clock=VirtualClock()) as env:
            return await from_cluster(await with_objects(env, pods), "here")

    assert len(run_virtual(read())["/pods"]) == 501


def backup(folder: Path, objects: list[JsonObject]) -> Path:
    buckets = {(each.api_version, each.kind): bucket_of(each) for each in KINDS}
    items = []
    for revision, each in enumerate(objects, start=1):
        name = f"{each['metadata'].get('namespace', '')}/{each['metadata']['name']}".lstrip("/")
        value = msgspec.json.encode(each)
        items.append((buckets[each["apiVersion"], each["kind"]], Item(name, value, revision, revision)))
    path = folder / "cluster.db"
    copy_items(path, len(items), items)
    return path


def test_a_backup(tmp_path: Path) -> None:  # S3
    path = backup(tmp_path, OBJECTS)
    before = path.read_bytes()
    found = from_backup(path)
    assert (found.source, found.whole, found.version) == (f"backup {path}", True, "")
    assert names(found, "/pods") == ["p"]
    assert list(found["/secrets"]) == [{"metadata": {"name": "token", "namespace": "shop"}, "type": "Opaque"}]
    assert path.read_bytes() == before


def test_a_damaged_backup(tmp_path: Path) -> None:  # S3
    path = backup(tmp_path, OBJECTS)
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"image":"x"', b'"image":"y"'))
    with pytest.raises(BackupUnfit, match="is damaged"):
        from_backup(path)


def test_a_folder_of_manifests(tmp_path: Path) -> None:  # M1, M2
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/all.yaml").write_text(yaml.safe_dump_all(OBJECTS[:3]) + "---\n# nothing\n---\n3\n")
    listed = {"kind": "List", "items": [*OBJECTS[3:], {"kind": "Widget", "apiVersion": "example.com/v1"}, 1]}
    (tmp_path / "list.json").write_bytes(msgspec.json.encode(listed))
    (tmp_path / "bad.yml").write_text("a: [")
    (tmp_path / "type.yml").write_text("apiVersion: v1\nkind: Pod\nspec: {containers: web}\n")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "notes.txt").write_text("kind: Pod")
    found = from_manifests(tmp_path)
    assert not found.whole and found.source == f"folder {tmp_path}"
    assert names(found, "/pods") == ["p"]
    assert list(found["/secrets"]) == [{"metadata": {"name": "token", "namespace": "shop"}, "type": "Opaque"}]
    assert [note.partition(":")[0] for note in found.notes] == [
        f"{tmp_path}/bad.yml, document 1",
        f"{tmp_path}/binary.yaml",
        f"{tmp_path}/type.yml",
    ]
    assert found.notes[-1].endswith("Go struct field PodSpec.spec.containers of type []v1.Container")


def test_manifests_without_a_namespace_are_in_default(tmp_path: Path) -> None:
    path = tmp_path / "pod.yaml"
    path.write_text(yaml.safe_dump(obj("v1", "Pod", "p", spec={})))
    assert list(from_manifests(path).namespaces) == ["default"]


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        from_manifests(tmp_path / "gone")


def test_one_namespace_of_a_cluster() -> None:
    async def read() -> tuple[Inventory, list[str]]:
        async with TestEnv(clock=VirtualClock()) as env:
            client = await with_objects(env, [*OBJECTS, namespace("other"), pod("other", "o")])
            watched = Watched(client.transport, refused="/api/v1/nodes")
            found = await from_cluster(Client(watched), "here", "shop")  # type: ignore[arg-type]
            return found, [path for _, path, _ in watched.asked]

    found, asked = run_virtual(read())
    assert names(found, "/pods") == ["p"] and list(found.namespaces) == ["shop"] and found.only == "shop"
    assert "/api/v1/namespaces/shop" in asked and "/api/v1/pods?limit=500" not in asked
    assert dict(found.unread) == {"/nodes": "no"}


def test_one_namespace_of_what_was_read() -> None:
    found = inventory(*OBJECTS, namespace("other"), pod("other", "o")).within("shop")
    assert names(found, "/pods") == ["p"] and list(found.namespaces) == ["shop"]
    assert "cluster-admin" in names(found, "rbac.authorization.k8s.io/clusterroles")
