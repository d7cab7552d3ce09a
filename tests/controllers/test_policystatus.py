"""The status of ValidatingAdmissionPolicies, against the real API server."""

import asyncio

from tests.controllers.support import CRDS, SETTLE_SECONDS, scenario, widgets_crd

from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject
from kajitori.controllers.kinds import VALIDATING_ADMISSION_POLICIES as POLICIES
from kajitori.testing import TestEnv

STATUS = "validatingadmissionpolicy-status-controller"


def policy(name: str, expression: str, **more: object) -> JsonObject:
    rule = {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["deployments"],
    }
    spec = {
        "matchConstraints": {"resourceRules": [rule | more]},
        "validations": [{"expression": expression}],
    }
    return {"metadata": {"name": name}, "spec": spec}


async def checked(env: TestEnv, name: str, generation: int = 1) -> list[str]:
    """The warnings of a policy, once they are there."""

    def is_there(found: Unstructured) -> bool:
        return (found.get("status") or {}).get("observedGeneration") == generation

    found = await env.wait_for_object(POLICIES, "", name, is_there)
    checking = found["status"]["typeChecking"]
    return [each["warning"] for each in checking.get("expressionWarnings") or ()]


def test_each_generation_is_checked_once() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(POLICIES, policy("replicas", "object.spec.replicaz > 1"))
        (warning,) = await checked(env, "replicas")
        assert warning.startswith(
            "apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'replicaz'\n"
        )
        spec = policy("replicas", "object.spec.replicas > 1")["spec"]
        await client.patch(POLICIES, "", "replicas", {"spec": spec})
        assert await checked(env, "replicas", 2) == []
        before = await client.get(POLICIES, "", "replicas")
        await asyncio.sleep(SETTLE_SECONDS)
        assert await client.get(POLICIES, "", "replicas") == before
        owner = next(
            each for each in before["metadata"]["managedFields"] if each.get("subresource") == "status"
        )
        assert (owner["manager"], owner["operation"]) == ("validatingadmissionpolicy-status", "Apply")

    scenario(play, {STATUS})


def test_custom_kinds_and_parameters_are_known_by_what_is_published() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(CRDS, widgets_crd())
        await asyncio.sleep(SETTLE_SECONDS)
        widgets = {"apiGroups": ["example.com"], "resources": ["widgets"]}
        await client.create(POLICIES, policy("widgets", "object.metadata.nope == 'x'", **widgets))
        (warning,) = await checked(env, "widgets")
        assert warning.startswith("example.com/v1, Kind=Widget: ERROR: <input>:1:16: undefined field 'nope'")
        params = policy("params", "params.foo == object.metadata.name")
        params["spec"]["paramKind"] = {"apiVersion": "example.com/v1", "kind": "Widget"}
        await client.create(POLICIES, params)
        (warning,) = await checked(env, "params")
        assert "undefined field 'foo'" in warning

    scenario(play, {STATUS})


def test_what_is_served_later_is_looked_at_with_the_next_change() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        widgets = {"apiGroups": ["example.com"], "resources": ["widgets"]}
        await client.create(POLICIES, policy("early", "object.nope == 'x'", **widgets))
        assert await checked(env, "early") == []
        await client.create(CRDS, widgets_crd())
        await asyncio.sleep(SETTLE_SECONDS)
        assert await checked(env, "early") == []
        spec = policy("early", "object.nope == 'y'", **widgets)["spec"]
        await client.patch(POLICIES, "", "early", {"spec": spec})
        assert len(await checked(env, "early", 2)) == 1

    scenario(play, {STATUS})


def test_an_empty_group_with_a_version_means_all_groups() -> None:
    async def play(env: TestEnv) -> None:
        events = {"apiGroups": [""], "resources": ["event"]}
        await env.client().create(POLICIES, policy("events", "object.note == 'x'", **events))
        (warning,) = await checked(env, "events")
        assert warning.startswith("/v1, Kind=Event: ")
        both = policy("both", "object.nope == 'x'", **events)
        await env.client().create(POLICIES, both)
        (warning,) = await checked(env, "both")
        assert "\n\nevents.k8s.io/v1, Kind=Event: ERROR" in warning

    scenario(play, {STATUS})
