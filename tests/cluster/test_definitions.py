"""The definitions of the operators' kinds, and operators that begin with their first object."""

import asyncio
import subprocess
import sys
from pathlib import Path

from tools.compile_definitions import compiled

from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import Kind
from kajitori.cluster.cluster import Cluster
from kajitori.cluster.definitions import FILE
from kajitori.cluster.options import ClusterOptions
from kajitori.ctrl import is_condition_true

CRDS = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)
SERVERS = Kind("policies.kubewarden.io", "v1", "PolicyServer", "policyservers", namespaced=False)
NAME = "policyservers.policies.kubewarden.io"


def options(folder: Path | None = None) -> ClusterOptions:
    return ClusterOptions(data_dir=folder, listen=False, controllers=frozenset())


def test_what_is_shipped_is_what_applying_gives() -> None:
    assert compiled() == FILE.read_text(), "run tools/compile_definitions.py"


def test_a_new_cluster_serves_the_kinds_of_its_operators_from_its_first_moment() -> None:  # F1
    async def scenario() -> list[Unstructured]:
        async with Cluster(options()) as cluster:
            client = cluster.client("test")
            assert not (await client.list(SERVERS)).items
            return list((await client.list(CRDS)).items)

    definitions = asyncio.run(scenario())
    assert {each["spec"]["group"] for each in definitions} == {"moco.cybozu.com", "policies.kubewarden.io"}
    assert len({each["metadata"]["uid"] for each in definitions}) == len(definitions) == 7
    for each in definitions:
        assert is_condition_true(each["status"]["conditions"], "Established")
        assert each["metadata"]["creationTimestamp"] == each["status"]["conditions"][0]["lastTransitionTime"]
        assert each["metadata"]["managedFields"][0]["manager"] == "kajitori-operators"
        assert "@" not in str(each["metadata"])


def test_a_definition_that_is_not_what_is_shipped_is_applied_and_others_are_left_alone(
    tmp_path: Path,
) -> None:  # F2
    async def change() -> str:
        async with Cluster(options(tmp_path)) as cluster:
            client = cluster.client("somebody")
            spec = {"spec": {"names": {"shortNames": ["mine"]}}}
            await client.patch(CRDS, "", NAME, spec)
            return (await client.get(CRDS, "", "mysqlclusters.moco.cybozu.com")).resource_version

    async def look() -> tuple[list[str], str]:
        async with Cluster(options(tmp_path)) as cluster:
            client = cluster.client("test")
            changed = await client.get(CRDS, "", NAME)
            left = await client.get(CRDS, "", "mysqlclusters.moco.cybozu.com")
            return changed["spec"]["names"]["shortNames"], left.resource_version

    version = asyncio.run(change())
    assert asyncio.run(look()) == (["ps"], version)


IDLE = """
import asyncio, sys
from kajitori.cluster.cluster import Cluster
from kajitori.cluster.options import ClusterOptions
from kajitori.apimachinery.kind import Kind
from kajitori.testing.waiting import wait_for_object

SERVERS = Kind("policies.kubewarden.io", "v1", "PolicyServer", "policyservers", namespaced=False)

async def main():
    async with Cluster(ClusterOptions(listen=False)) as cluster:
        assert not [name for name in sys.modules if name.startswith("kajitori.operators.")]
        client = cluster.client("test")
        server = {"metadata": {"name": "default"}, "spec": {"image": "a", "replicas": 1}}
        await client.create(SERVERS, server)
        await wait_for_object(
            client, SERVERS, "", "default", holds=lambda it: it["metadata"].get("finalizers"), seconds=20
        )

asyncio.run(main())
"""


def test_operators_begin_with_their_first_objects() -> None:
    ran = subprocess.run([sys.executable, "-c", IDLE], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
