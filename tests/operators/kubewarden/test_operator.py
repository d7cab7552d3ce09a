"""The operator at work: policies that are applied as manifests, requests that are judged by them.

Under `kajitori up` in process, and beside another API server over HTTPS.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.operators.kubewarden.guests import rego, wapc, wasi
from tests.operators.kubewarden.registry import Hub

from kajitori.apimachinery.errors import ApiError, Forbidden, Invalid, NotFound
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apis.policies_v1 import (
    ADMISSION_POLICY,
    ADMISSION_POLICY_GROUP,
    CLUSTER_ADMISSION_POLICY,
    CLUSTER_ADMISSION_POLICY_GROUP,
    FINALIZER,
    POLICY_SERVER,
)
from kajitori.cli.webhooks import HttpsWebhooks, WebhookPlace
from kajitori.client import Client
from kajitori.cluster.cluster import Cluster
from kajitori.cluster.options import ClusterOptions
from kajitori.ctrl import Manager, WebhooksNotServed
from kajitori.operators.kubewarden import Settings, crds, setup
from kajitori.operators.kubewarden.plan import MUTATING, VALIDATING
from kajitori.testing import TestEnv

CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps")
SECRET = Kind("", "v1", "Secret", "secrets")
NAMESPACE = Kind("", "v1", "Namespace", "namespaces", namespaced=False)
BINDING = Kind(
    "rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False
)
RULES = [
    {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "resources": ["configmaps"],
        "operations": ["CREATE", "DELETE"],
    }
]
NO = wapc({"accepted": False, "message": "no"})
YES = wapc()

Story = Callable[[TestEnv, Client], Awaitable[None]]


def play(story: Story) -> None:
    """Runs a story in a cluster with the operator and a policy server."""

    async def run() -> None:
        async with TestEnv(operators=["kubewarden"]) as env:
            client = env.client()
            await client.create(POLICY_SERVER, server())
            await story(env, client)

    asyncio.run(run())


def server(**spec: Any) -> JsonObject:
    return {
        "apiVersion": "policies.kubewarden.io/v1",
        "kind": "PolicyServer",
        "metadata": {"name": "default"},
        "spec": {"image": "i", "replicas": 1, **spec},
    }


def policy(kind: Kind, module: str, name: str = "p", **spec: Any) -> JsonObject:
    whole: JsonObject = {"rules": RULES, **spec}
    if not kind.kind.endswith("Group"):
        whole = {"module": module, "mutating": False, **whole}
    metadata = {"name": name, "namespace": "default"} if kind.namespaced else {"name": name}
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, "spec": whole}


def file(folder: Path, module: bytes, name: str = "policy.wasm") -> str:
    folder.joinpath(name).write_bytes(module)
    return f"file://{folder}/{name}"


def config_map(name: str = "c", **data: str) -> JsonObject:
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def stands(word: str, **conditions: str) -> Callable[[Any], bool]:
    """Whether a policy has come to a state, with this in the messages of conditions."""

    def holds(obj: Any) -> bool:
        status = obj.get("status") or {}
        told = {each["type"]: each["message"] for each in status.get("conditions") or ()}
        return status.get("policyStatus") == word and all(
            text in told.get(name, "") for name, text in conditions.items()
        )

    return holds


async def active(env: TestEnv, client: Client, kind: Kind, obj: JsonObject) -> None:
    await client.create(kind, obj)
    namespace = obj["metadata"].get("namespace", "")
    await env.wait_for_object(kind, namespace, obj["metadata"]["name"], holds=stands("active"))


def test_a_policy_judges_requests(tmp_path: Path) -> None:
    async def story(env: TestEnv, client: Client) -> None:
        await active(env, client, ADMISSION_POLICY, policy(ADMISSION_POLICY, file(tmp_path, NO)))
        with pytest.raises(
            ApiError, match=r"namespaced-default-p\.kubewarden\.admission.* denied the request: no"
        ):
            await client.create(CONFIG_MAP, config_map())
        other = await env.namespace()
        elsewhere = config_map()
        elsewhere["metadata"]["namespace"] = other
        await client.create(CONFIG_MAP, elsewhere)
        # A policy that goes takes its configuration with it, and judges no more.
        await client.delete(ADMISSION_POLICY, "default", "p")
        await env.wait_until_gone(ADMISSION_POLICY, "default", "p")
        with pytest.raises(NotFound):
            await client.get(VALIDATING, "", "namespaced-default-p")
        await client.create(CONFIG_MAP, config_map())

    play(story)


def test_policies_of_all_protocols_and_modes(tmp_path: Path) -> None:
    changed = wasi(json.dumps({"accepted": True, "mutated_object": config_map(a="b")}))
    violation = rego([{"result": [{"msg": "it is not right"}]}])

    async def story(env: TestEnv, client: Client) -> None:
        mutating = policy(ADMISSION_POLICY, file(tmp_path, changed, "m.wasm"), "m", mutating=True)
        await active(env, client, ADMISSION_POLICY, mutating)
        watching = policy(CLUSTER_ADMISSION_POLICY, file(tmp_path, violation, "v.wasm"), "v", mode="monitor")
        await active(env, client, CLUSTER_ADMISSION_POLICY, watching)
        created = await client.create(CONFIG_MAP, config_map())
        assert created["data"] == {"a": "b"}
        assert await client.get(MUTATING, "", "namespaced-default-m")
        protect = {"spec": {"mode": "protect", "message": "Ask the platform team."}}
        await client.patch(CLUSTER_ADMISSION_POLICY, "", "v", protect)
        await env.wait_for_object(
            CLUSTER_ADMISSION_POLICY, "", "v", holds=lambda obj: obj["status"]["mode"] == "protect"
        )
        with pytest.raises(ApiError, match=r"Ask the platform team\.") as refused:
            await client.create(CONFIG_MAP, config_map("d"))
        assert [each.message for each in refused.value.causes] == ["it is not right"]
        with pytest.raises(Invalid, match="cannot transition from protect to monitor"):
            await client.patch(CLUSTER_ADMISSION_POLICY, "", "v", {"spec": {"mode": "monitor"}})
        with pytest.raises(Invalid, match="the field is immutable"):
            await client.patch(CLUSTER_ADMISSION_POLICY, "", "v", {"spec": {"policyServer": "x"}})

    play(story)


def test_a_policy_may_become_a_mutating_one(tmp_path: Path) -> None:
    changed = wapc({"accepted": True, "mutated_object": config_map(a="b")})

    async def story(env: TestEnv, client: Client) -> None:
        await active(env, client, ADMISSION_POLICY, policy(ADMISSION_POLICY, file(tmp_path, changed)))
        with pytest.raises(ApiError, match="configured to not allow mutations"):
            await client.create(CONFIG_MAP, config_map())
        await client.patch(ADMISSION_POLICY, "default", "p", {"spec": {"mutating": True}})
        await env.wait_for_object(MUTATING, "", "namespaced-default-p")
        await env.wait_until_gone(VALIDATING, "", "namespaced-default-p")
        assert (await client.create(CONFIG_MAP, config_map()))["data"] == {"a": "b"}

    play(story)


def test_groups(tmp_path: Path) -> None:
    no, yes = file(tmp_path, NO, "no.wasm"), file(tmp_path, YES, "yes.wasm")
    members = {"good": {"module": yes}, "bad": {"module": no}}

    async def story(env: TestEnv, client: Client) -> None:
        loose = policy(
            ADMISSION_POLICY_GROUP,
            "",
            "loose",
            policies=members,
            expression="good() || bad()",
            message="never",
        )
        await active(env, client, ADMISSION_POLICY_GROUP, loose)
        await client.create(CONFIG_MAP, config_map())
        strict = policy(
            CLUSTER_ADMISSION_POLICY_GROUP,
            "",
            "strict",
            policies=members,
            expression="good() && bad()",
            message="the group says no",
        )
        await active(env, client, CLUSTER_ADMISSION_POLICY_GROUP, strict)
        with pytest.raises(ApiError, match=r"clusterwide-group-strict.*the group says no") as refused:
            await client.create(CONFIG_MAP, config_map("d"))
        assert [(each.field, each.message) for each in refused.value.causes] == [("spec.policies.bad", "no")]
        with pytest.raises(Invalid, match=r"spec\.expression"):
            await client.patch(ADMISSION_POLICY_GROUP, "default", "loose", {"spec": {"expression": "x()"}})

    play(story)


def test_settings_that_the_policy_refuses(tmp_path: Path) -> None:
    refusing = wapc(settings='{"valid": false, "message": "give a label"}')

    async def story(env: TestEnv, client: Client) -> None:
        await client.create(ADMISSION_POLICY, policy(ADMISSION_POLICY, file(tmp_path, refusing)))
        told = stands("pending", PolicyActive="Policy settings are invalid: give a label")
        await env.wait_for_object(ADMISSION_POLICY, "default", "p", holds=told)
        await client.create(CONFIG_MAP, config_map())
        # Once it can be run it is; and what runs goes on when a later version cannot.
        good, garbage = file(tmp_path, NO, "good.wasm"), file(tmp_path, b"garbage", "garbage.wasm")
        await client.patch(ADMISSION_POLICY, "default", "p", {"spec": {"module": good}})
        await env.wait_for_object(ADMISSION_POLICY, "default", "p", holds=stands("active"))
        await client.patch(ADMISSION_POLICY, "default", "p", {"spec": {"module": garbage}})
        outdated = stands(
            "active", PolicyServerConfigurationUpToDate="does not begin as a WebAssembly module"
        )
        await env.wait_for_object(ADMISSION_POLICY, "default", "p", holds=outdated)
        with pytest.raises(ApiError, match="denied the request: no"):
            await client.create(CONFIG_MAP, config_map("d"))

    play(story)


def test_a_policy_without_a_server_waits_for_it(tmp_path: Path) -> None:
    async def story(env: TestEnv, client: Client) -> None:
        waiting = policy(CLUSTER_ADMISSION_POLICY, file(tmp_path, NO), policyServer="other")
        await client.create(CLUSTER_ADMISSION_POLICY, waiting)
        told = stands("scheduled", PolicyActive="there is no PolicyServer other")
        await env.wait_for_object(CLUSTER_ADMISSION_POLICY, "", "p", holds=told)
        other = server()
        other["metadata"]["name"] = "other"
        await client.create(POLICY_SERVER, other)
        await env.wait_for_object(CLUSTER_ADMISSION_POLICY, "", "p", holds=stands("active"))
        # A server that goes takes its policies with it.
        assert (await client.get(POLICY_SERVER, "", "other"))["metadata"]["finalizers"] == [FINALIZER]
        await client.delete(POLICY_SERVER, "", "other")
        await env.wait_until_gone(POLICY_SERVER, "", "other")
        with pytest.raises(NotFound):
            await client.get(CLUSTER_ADMISSION_POLICY, "", "p")
        await client.create(CONFIG_MAP, config_map())

    play(story)


def test_a_policy_reads_what_it_was_granted(tmp_path: Path) -> None:
    asks = {"api_version": "v1", "kind": "Namespace", "name": "default"}
    calls = file(tmp_path, wapc(host=("kubernetes", "get_resource", json.dumps(asks))))

    async def story(env: TestEnv, client: Client) -> None:
        curious = policy(CLUSTER_ADMISSION_POLICY, calls)
        await active(env, client, CLUSTER_ADMISSION_POLICY, curious)
        with pytest.raises(ApiError, match="has not been granted access to Kubernetes v1/Namespace"):
            await client.create(CONFIG_MAP, config_map())
        granted = [{"apiVersion": "v1", "kind": "Namespace"}]
        await client.patch(
            CLUSTER_ADMISSION_POLICY,
            "",
            "p",
            {"spec": {"contextAwareResources": granted}},
        )
        told = stands("active")
        await env.wait_for_object(
            CLUSTER_ADMISSION_POLICY,
            "",
            "p",
            holds=lambda obj: (
                told(obj)
                and obj["status"]["conditions"][0]["observedGeneration"] == obj["metadata"]["generation"]
            ),
        )
        # What it read became the object, which this policy may not change.
        with pytest.raises(ApiError, match="configured to not allow mutations"):
            await client.create(CONFIG_MAP, config_map())

    play(story)


def test_policies_read_with_the_rights_of_their_servers_account(tmp_path: Path) -> None:
    asks = {"api_version": "v1", "kind": "Namespace", "name": "default"}
    calls = file(tmp_path, wapc(host=("kubernetes", "get_resource", json.dumps(asks))))
    granted = [{"apiVersion": "v1", "kind": "Namespace"}]

    async def story(env: TestEnv, client: Client) -> None:
        await client.patch(POLICY_SERVER, "", "default", {"spec": {"serviceAccountName": "limited"}})
        curious = policy(CLUSTER_ADMISSION_POLICY, calls, contextAwareResources=granted)
        await active(env, client, CLUSTER_ADMISSION_POLICY, curious)
        # What the host complains of has quotes in it, which this guest does not escape.
        with pytest.raises(ApiError, match="the policy's answer cannot be read"):
            await client.create(CONFIG_MAP, config_map())
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
        account = {"kind": "ServiceAccount", "name": "limited", "namespace": "kubewarden"}
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "limited"},
            "roleRef": role,
            "subjects": [account],
        }
        await client.create(BINDING, binding)
        with pytest.raises(ApiError, match="configured to not allow mutations"):
            await client.create(CONFIG_MAP, config_map())

    play(story)


def test_a_module_of_a_registry_with_credentials(tmp_path: Path) -> None:
    hub = Hub()
    hub.push("team/policy", "v1", NO)
    hub.login = ("u", "p")

    async def story(env: TestEnv, client: Client) -> None:
        with hub.served() as host:
            module = f"registry://{host}/team/policy:v1"
            insecure = {"insecureSources": [host], "imagePullSecret": "pull"}
            await client.patch(POLICY_SERVER, "", "default", {"spec": insecure})
            await client.create(ADMISSION_POLICY, policy(ADMISSION_POLICY, module))
            told = stands("pending", PolicyActive="there is no Secret kubewarden/pull")
            await env.wait_for_object(ADMISSION_POLICY, "default", "p", holds=told)
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kubewarden"}}
            await client.create(NAMESPACE, namespace)
            auths = json.dumps({"auths": {host: {"username": "u", "password": "p"}}})
            secret = {
                "apiVersion": "v1",
                "kind": "Secret",
                "type": "kubernetes.io/dockerconfigjson",
                "metadata": {"name": "pull", "namespace": "kubewarden"},
                "stringData": {".dockerconfigjson": auths},
            }
            await client.create(SECRET, secret)
            await client.patch(ADMISSION_POLICY, "default", "p", {"spec": {"timeoutSeconds": 9}})
            await env.wait_for_object(ADMISSION_POLICY, "default", "p", holds=stands("active"))
            with pytest.raises(ApiError, match="denied the request: no"):
                await client.create(CONFIG_MAP, config_map())

    play(story)


def test_signatures_are_not_passed_over(tmp_path: Path) -> None:
    async def story(env: TestEnv, client: Client) -> None:
        await client.patch(POLICY_SERVER, "", "default", {"spec": {"verificationConfig": "keys"}})
        await client.create(ADMISSION_POLICY, policy(ADMISSION_POLICY, file(tmp_path, YES)))
        told = stands("pending", PolicyActive="signatures cannot be verified here")
        await env.wait_for_object(ADMISSION_POLICY, "default", "p", holds=told)

    play(story)


def test_beside_another_api_server_webhooks_are_answered_over_https(tmp_path: Path) -> None:
    async def run() -> None:
        webhooks = HttpsWebhooks(WebhookPlace(host="127.0.0.1", port=0))
        async with TestEnv(crds=crds()) as env, webhooks.listening(env.client(), lambda: True):
            client = env.client()
            manager = Manager(client, webhooks=webhooks)
            setup(manager, Settings())
            async with env.running(manager):
                await client.create(POLICY_SERVER, server())
                await active(env, client, ADMISSION_POLICY, policy(ADMISSION_POLICY, file(tmp_path, NO)))
                with pytest.raises(ApiError, match="denied the request: no"):
                    await client.create(CONFIG_MAP, config_map())
                [hook] = (await client.get(VALIDATING, "", "namespaced-default-p"))["webhooks"]
                assert hook["clientConfig"]["url"].startswith(f"{webhooks.url}/kubewarden/")
                # Rules of the schema hold on any API server; the rest is found by the operator.
                nothing = policy(ADMISSION_POLICY, "m", "nothing")
                nothing["spec"]["rules"] = []
                await client.create(ADMISSION_POLICY, nothing)
                told = stands("pending", PolicyActive="spec.rules: Required value")
                await env.wait_for_object(ADMISSION_POLICY, "default", "nothing", holds=told)
                await client.delete(POLICY_SERVER, "", "default")
                await env.wait_until_gone(POLICY_SERVER, "", "default")

    asyncio.run(run())


def test_without_anybody_to_answer_webhooks_it_is_not_set_up() -> None:
    async def run() -> None:
        async with TestEnv() as env:
            with pytest.raises(WebhooksNotServed, match="kubewarden"):
                setup(Manager(env.client()))

    asyncio.run(run())


def test_what_is_wrong_is_refused_at_once() -> None:
    async def story(env: TestEnv, client: Client) -> None:
        reports = [{**RULES[0], "apiGroups": ["wgpolicyk8s.io"], "resources": ["policyreports"]}]
        with pytest.raises(Invalid, match=r"spec\.rules: Forbidden"):
            await client.create(ADMISSION_POLICY, policy(ADMISSION_POLICY, "m", rules=reports))
        with pytest.raises((Invalid, Forbidden), match=r"spec\.timeoutSeconds"):
            await client.create(ADMISSION_POLICY, policy(ADMISSION_POLICY, "m", timeoutSeconds=1))
        both = {"minAvailable": 1, "maxUnavailable": 1}
        with pytest.raises(Invalid, match="minAvailable and maxUnavailable"):
            await client.patch(POLICY_SERVER, "", "default", {"spec": both})

    play(story)


def test_a_policy_that_judges_everything_does_not_keep_a_server_from_starting(tmp_path: Path) -> None:
    # At a restart the webhook configuration is there before the policy runs, and refuses the operators' own writes.
    everything = [
        {**RULES[0], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "operations": ["*"]}
    ]
    module = file(tmp_path, YES)
    (tmp_path / "data").mkdir()

    async def run(first: bool) -> None:
        options = ClusterOptions(data_dir=tmp_path / "data", listen=False, controllers=frozenset())
        async with Cluster(options) as cluster:
            client = cluster.client()
            assert "kubewarden operator" in cluster.running
            if first:
                await client.create(POLICY_SERVER, server())
                await client.create(
                    CLUSTER_ADMISSION_POLICY, policy(CLUSTER_ADMISSION_POLICY, module, rules=everything)
                )
            async with asyncio.timeout(10):
                while True:
                    try:
                        found = await client.get(CLUSTER_ADMISSION_POLICY, "", "p")
                        if stands("active")(found):
                            await client.create(SECRET, secret("first" if first else "second"))
                            return
                    except ApiError as error:
                        if "failed calling webhook" not in str(error):
                            raise
                    await asyncio.sleep(0.01)

    asyncio.run(run(first=True))
    asyncio.run(run(first=False))


def secret(name: str) -> JsonObject:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "default"}}
