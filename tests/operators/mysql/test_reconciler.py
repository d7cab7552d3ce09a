"""The operator at work on a real API server in process, with Kubernetes' own controllers beside it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from tests.operators.mysql.support import claim_template, job_config

from kajitori.apimachinery.errors import Forbidden, Invalid, NotFound
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apis.mysql_v1beta2 import BACKUP_POLICY, MYSQL_CLUSTER
from kajitori.client import Client
from kajitori.cluster.cluster import Cluster
from kajitori.cluster.options import ClusterOptions
from kajitori.ctrl.events import EVENTS
from kajitori.ctrl.manager import Manager
from kajitori.operators.mysql import Settings, crds, explain, setup
from kajitori.operators.mysql.objects.secrets import passwords_of
from kajitori.operators.mysql.seen import (
    CONFIG_MAP,
    CRON_JOB,
    NAMESPACE,
    POD,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    STATEFUL_SET,
    STORAGE_CLASS,
    VOLUME_CLAIM,
)

SECONDS_MAX = 20.0
"""A bound for a machine that is busy; a story takes a fraction of a second."""

MANIFEST: JsonObject = {
    "apiVersion": "moco.cybozu.com/v1beta2",
    "kind": "MySQLCluster",
    "metadata": {"namespace": "foo", "name": "default"},
    "spec": {
        "mysqlConfigMapName": "mycnf",
        "podTemplate": {"spec": {"containers": [{"name": "mysqld", "image": "quay.io/cybozu/mysql:8.0.28"}]}},
        "volumeClaimTemplates": [claim_template()],
    },
}

DEFINITIONS = Kind(
    "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False
)

Check = Callable[[Unstructured], bool]


class Story:
    """A client, and waiting for what it should come to see."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def until(self, kind: Kind, name: str, check: Check, namespace: str = "foo") -> Unstructured:
        """The object, or with an empty name any object, as soon as it passes the check."""
        async with asyncio.timeout(SECONDS_MAX):
            while True:
                options: Any = {"timeout_seconds": 30}
                if name:
                    options["fields"] = f"metadata.name={name}"
                async with self.client.watch(kind, namespace, **options) as events:
                    async for event in events:
                        if event.type in ("ADDED", "MODIFIED") and check(event.object):
                            return event.object

    async def until_gone(self, kind: Kind, name: str, namespace: str = "foo") -> None:
        async with asyncio.timeout(SECONDS_MAX):
            found = await self.client.list(kind, namespace, fields=f"metadata.name={name}")
            if not found.items:
                return
            options: Any = {"fields": f"metadata.name={name}", "resource_version": found.resource_version}
            async with self.client.watch(kind, namespace, **options) as events:
                async for event in events:
                    if event.type == "DELETED":
                        return

    async def settled(self, **more: Any) -> Unstructured:
        """The cluster once the operator has worked on its present generation."""

        def is_settled(cluster: Unstructured) -> bool:
            info = (cluster.get("status") or {}).get("reconcileInfo") or {}
            return (
                info.get("generation") == cluster.generation
                and _condition(cluster, "ReconcileSuccess") == "True"
            )

        return await self.until(MYSQL_CLUSTER, "default", is_settled, **more)

    async def begin(self, manifest: JsonObject = MANIFEST) -> Unstructured:
        """Applies the example in a new namespace, and waits for its Pod."""
        await self.client.create(NAMESPACE, {"metadata": {"name": "foo"}})
        await self.begin_without_waiting(manifest)
        await self.settled()
        await self.until(POD, "moco-default-0", lambda pod: True)
        return await self.client.get(MYSQL_CLUSTER, "foo", "default")

    async def begin_without_waiting(self, manifest: JsonObject = MANIFEST) -> None:
        """Applies the example."""
        config = {"metadata": {"name": "mycnf", "namespace": "foo"}, "data": {"long_query_time": "1"}}
        await self.client.create(CONFIG_MAP, config)
        await self.served()
        await self.client.apply(MYSQL_CLUSTER, manifest)

    async def served(self) -> None:
        """Waits until the API server knows the operator's kinds."""
        for name in ("mysqlclusters.moco.cybozu.com", "backuppolicies.moco.cybozu.com"):
            await self.until(DEFINITIONS, name, _is_established, namespace="")

    async def edit(self, patch: JsonObject) -> Unstructured:
        return await self.client.patch(MYSQL_CLUSTER, "foo", "default", {"spec": patch})

    async def events(self) -> set[str]:
        return {each["reason"] for each in (await self.client.list(EVENTS, "foo")).items}


def _is_told(reason: str, event: Unstructured) -> bool:
    return bool(event["reason"] == reason)


def _condition(cluster: Mapping[str, Any], type: str) -> str:
    conditions = (cluster.get("status") or {}).get("conditions") or ()
    return next((each["status"] for each in conditions if each["type"] == type), "")


def _is_established(definition: Unstructured) -> bool:
    return _condition(definition, "Established") == "True"


@asynccontextmanager
async def _cluster() -> Any:
    async with Cluster(ClusterOptions(port=0)) as cluster:
        yield Story(cluster.client("tester"))


def _play(story: Callable[[Story], Awaitable[None]]) -> None:
    async def main() -> None:
        async with _cluster() as stage:
            await story(stage)

    asyncio.run(main())


def test_the_example_becomes_objects_and_a_truthful_status() -> None:
    async def story(stage: Story) -> None:
        cluster = await stage.begin()
        assert cluster["spec"]["serverIDBase"] > 0 and cluster["spec"]["maxDelaySeconds"] == 60
        assert cluster.finalizers == ["moco.cybozu.com/mysqlcluster"]
        for kind, name in (
            (SECRET, "moco-default"),
            (SECRET, "moco-my-cnf-default"),
            (SERVICE, "moco-default"),
            (SERVICE, "moco-default-primary"),
            (SERVICE, "moco-default-replica"),
            (SERVICE_ACCOUNT, "moco-default"),
            (STATEFUL_SET, "moco-default"),
            (VOLUME_CLAIM, "mysql-data-moco-default-0"),
        ):
            await stage.client.get(kind, "foo", name)
        assert (await stage.client.get(SERVICE, "foo", "moco-default"))["spec"]["clusterIP"] == "None"
        assert _condition(cluster, "Available") == "Unknown"
        assert _condition(cluster, "ClusteringActive") == "False"
        master = await stage.client.get(SECRET, "kajitori-system", "mysql-foo.default")
        assert passwords_of(master) == passwords_of(await stage.client.get(SECRET, "foo", "moco-default"))

    _play(story)


def test_a_settled_cluster_is_left_in_peace() -> None:
    async def story(stage: Story) -> None:
        await stage.begin()
        told = await explain(stage.client, "foo", "default")
        assert told is not None
        assert told["plan"] == [], told["plan"]
        assert told["state"] == "Settled"

    _play(story)


def test_growing_keeps_the_pods() -> None:
    async def story(stage: Story) -> None:
        await stage.begin()
        sts = await stage.client.get(STATEFUL_SET, "foo", "moco-default")
        pod = await stage.client.get(POD, "foo", "moco-default-0")
        await stage.edit({"volumeClaimTemplates": [claim_template(storage="2Gi")]})
        await stage.until(
            VOLUME_CLAIM,
            "mysql-data-moco-default-0",
            lambda claim: claim["spec"]["resources"]["requests"]["storage"] == "2Gi",
        )
        grown = await stage.until(STATEFUL_SET, "moco-default", lambda each: each.uid != sts.uid)
        adopted = await stage.until(
            POD, "moco-default-0", lambda each: any(o["uid"] == grown.uid for o in each.owner_references)
        )
        assert adopted.uid == pod.uid and not adopted.being_deleted
        await stage.settled()
        for reason in ("StatefulSetRecreated", "VolumeGrown"):
            await stage.until(EVENTS, "", partial(_is_told, reason))

    _play(story)


def test_a_storage_class_that_forbids_growing_is_refused_at_once() -> None:
    async def story(stage: Story) -> None:
        annotations = {"storageclass.kubernetes.io/is-default-class": "true"}
        slow = {"metadata": {"name": "slow", "annotations": annotations}, "provisioner": "example.com/none"}
        await stage.client.create(STORAGE_CLASS, slow)
        await stage.begin()
        with pytest.raises(Invalid, match='the StorageClass "slow" does not allow volumes to grow'):
            await stage.edit({"volumeClaimTemplates": [claim_template(storage="2Gi")]})

    _play(story)


def test_wrong_clusters_and_policies_in_use_are_refused() -> None:
    async def story(stage: Story) -> None:
        await stage.begin()
        with pytest.raises(Invalid, match=r"spec\.replicas"):
            await stage.edit({"replicas": 2})
        spec = {"schedule": "@daily", "jobConfig": job_config()}
        policy = {"metadata": {"name": "daily", "namespace": "foo"}, "spec": spec}
        await stage.client.create(BACKUP_POLICY, policy)
        await stage.edit({"backupPolicyName": "daily"})
        await stage.until(CRON_JOB, "moco-backup-default", lambda each: True)
        with pytest.raises(Forbidden, match="MySQLCluster default uses it"):
            await stage.client.delete(BACKUP_POLICY, "foo", "daily")
        await stage.edit({"backupPolicyName": None})
        await stage.until_gone(CRON_JOB, "moco-backup-default")
        await stage.client.delete(BACKUP_POLICY, "foo", "daily")

    _play(story)


def test_what_others_change_is_put_back_and_what_they_add_stays() -> None:
    async def story(stage: Story) -> None:
        await stage.begin()
        spec = {"spec": {"selector": {"app": "other"}}, "metadata": {"labels": {"mine": "yes"}}}
        await stage.client.patch(SERVICE, "foo", "moco-default-primary", spec)
        service = await stage.until(
            SERVICE, "moco-default-primary", lambda each: "app" not in each["spec"]["selector"]
        )
        assert service.labels["mine"] == "yes"
        await stage.client.delete(SERVICE, "foo", "moco-default-replica")
        await stage.until(SERVICE, "moco-default-replica", lambda each: True)

    _play(story)


def test_changed_options_reach_the_pods_template() -> None:
    async def story(stage: Story) -> None:
        await stage.begin()
        before = await stage.client.get(STATEFUL_SET, "foo", "moco-default")
        await stage.client.patch(CONFIG_MAP, "foo", "mycnf", {"data": {"long_query_time": "0"}})
        after = await stage.until(
            STATEFUL_SET, "moco-default", lambda each: each.generation > before.generation
        )
        assert after.uid == before.uid
        names = [each.name for each in (await stage.client.list(CONFIG_MAP, "foo")).items]
        assert len([name for name in names if name.startswith("moco-default.")]) == 2

    _play(story)


def test_stopped_reconciliation_ignores_edits_until_it_goes_on() -> None:
    async def story(stage: Story) -> None:
        await stage.begin()
        key = "moco.cybozu.com/reconciliation-stopped"
        await stage.client.patch(
            MYSQL_CLUSTER, "foo", "default", {"metadata": {"annotations": {key: "true"}}}
        )
        await stage.until(
            MYSQL_CLUSTER, "default", lambda each: _condition(each, "ReconciliationActive") == "False"
        )
        await stage.edit({"replicas": 3})
        told = await explain(stage.client, "foo", "default")
        assert told is not None and told["state"] == "Stopped" and told["plan"] == []
        assert (await stage.client.get(STATEFUL_SET, "foo", "moco-default"))["spec"]["replicas"] == 1
        await stage.client.patch(MYSQL_CLUSTER, "foo", "default", {"metadata": {"annotations": {key: None}}})
        await stage.until(STATEFUL_SET, "moco-default", lambda each: each["spec"]["replicas"] == 3)

    _play(story)


def test_deleting_leaves_nothing_but_claims() -> None:
    async def story(stage: Story) -> None:
        await stage.begin()
        await stage.client.delete(MYSQL_CLUSTER, "foo", "default")
        await stage.until_gone(MYSQL_CLUSTER, "default")
        for kind, name in (
            (STATEFUL_SET, "moco-default"),
            (SERVICE, "moco-default-primary"),
            (SECRET, "moco-default"),
            (SERVICE_ACCOUNT, "moco-default"),
            (POD, "moco-default-0"),
        ):
            await stage.until_gone(kind, name)
        with pytest.raises(NotFound):
            await stage.client.get(SECRET, "kajitori-system", "mysql-foo.default")
        assert [each.name for each in (await stage.client.list(VOLUME_CLAIM, "foo")).items] == [
            "mysql-data-moco-default-0"
        ]

    _play(story)


def test_what_the_api_server_refuses_is_told_in_the_status() -> None:
    async def story(stage: Story) -> None:
        await stage.client.create(NAMESPACE, {"metadata": {"name": "foo"}})
        taken = {"metadata": {"name": "moco-my-cnf-default", "namespace": "foo"}, "immutable": True}
        await stage.client.create(SECRET, taken)
        await stage.begin_without_waiting()
        cluster = await stage.until(
            MYSQL_CLUSTER, "default", lambda each: _condition(each, "ReconcileSuccess") == "False"
        )
        (told,) = [e for e in cluster["status"]["conditions"] if e["type"] == "ReconcileSuccess"]
        assert told["reason"] == "ReconcileFailed" and "moco-my-cnf-default" in told["message"]
        await stage.client.delete(SECRET, "foo", "moco-my-cnf-default")
        await stage.settled()

    _play(story)


def test_on_an_api_server_without_our_admission_the_operator_checks_and_fills_in_itself() -> None:
    async def main() -> None:
        async with Cluster(ClusterOptions(port=0, api_only=True)) as cluster:
            stage = Story(cluster.client("tester"))
            for definition in crds():
                await stage.client.create(DEFINITIONS, definition)
            await stage.served()
            manager = Manager(cluster.client("operator"))
            reconciler = setup(manager, Settings(system_namespace="elsewhere"))
            running = asyncio.create_task(manager.run())
            await stage.client.create(NAMESPACE, {"metadata": {"name": "foo"}})
            config = {"metadata": {"name": "mycnf", "namespace": "foo"}, "data": {}}
            await stage.client.create(CONFIG_MAP, config)
            wrong = {**MANIFEST["spec"], "podTemplate": {"spec": {"containers": [{"name": "agent"}]}}}
            await stage.client.create(MYSQL_CLUSTER, {**MANIFEST, "spec": wrong})
            refused = await stage.until(
                MYSQL_CLUSTER, "default", lambda each: _condition(each, "ReconcileSuccess") == "False"
            )
            assert "spec.podTemplate.spec.containers" in str(refused["status"]["conditions"])
            assert (await stage.client.list(SECRET, "elsewhere")).items == []
            await stage.edit({"podTemplate": MANIFEST["spec"]["podTemplate"]})
            settled = await stage.settled()
            assert settled["spec"]["serverIDBase"] > 0 and settled.finalizers
            assert await stage.client.get(SECRET, "elsewhere", "mysql-foo.default")
            assert any(each.samples for each in reconciler.metrics.collect())
            manager.stop()
            await running

    asyncio.run(main())
