"""Roles that aggregate others, against the real API server."""

import asyncio
from typing import Any

from tests.controllers.support import CLUSTER_ROLES, SETTLE_SECONDS, scenario

from kajitori.apimachinery.kind import JsonObject
from kajitori.testing import TestEnv

AGGREGATION = "clusterrole-aggregation-controller"
READ_WIDGETS = {"verbs": ["get", "list"], "apiGroups": ["example.com"], "resources": ["widgets"]}


def role(name: str, *rules: JsonObject, **more: Any) -> JsonObject:
    labels = {"example.com/to": "total"}
    return {"metadata": {"name": name, "labels": labels}, "rules": list(rules), **more}


def total(**more: Any) -> JsonObject:
    selectors = [{"matchLabels": {"example.com/to": "total"}}]
    aggregation = {"clusterRoleSelectors": selectors}
    return {"metadata": {"name": "total"}, "aggregationRule": aggregation, "rules": [], **more}


def test_a_role_labelled_for_view_lets_viewers_see_a_new_kind() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        labels = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
        await client.create(
            CLUSTER_ROLES, role("widgets") | {"metadata": {"name": "widgets", "labels": labels}}
        )
        await client.patch(CLUSTER_ROLES, "", "widgets", {"rules": [READ_WIDGETS]})
        await env.wait_for_object(CLUSTER_ROLES, "", "view", lambda x: READ_WIDGETS in x["rules"])
        await env.wait_for_object(CLUSTER_ROLES, "", "admin", lambda x: READ_WIDGETS in x["rules"])

    scenario(play, {AGGREGATION})


def test_rules_follow_the_selected_roles_and_nobody_else() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        other = {**READ_WIDGETS, "verbs": ["delete"]}

        async def becomes(*rules: JsonObject) -> None:
            await env.wait_for_object(CLUSTER_ROLES, "", "total", lambda x: x.get("rules") == list(rules))

        await client.create(CLUSTER_ROLES, total())
        await client.create(CLUSTER_ROLES, role("b", other))
        await client.create(CLUSTER_ROLES, role("a", READ_WIDGETS, READ_WIDGETS))
        await becomes(READ_WIDGETS, other)
        await client.patch(CLUSTER_ROLES, "", "total", {"rules": [other]})
        await becomes(READ_WIDGETS, other)
        await client.patch(CLUSTER_ROLES, "", "a", {"metadata": {"labels": {"example.com/to": "another"}}})
        await becomes(other)
        await client.delete(CLUSTER_ROLES, "", "b")
        await env.wait_for_object(CLUSTER_ROLES, "", "total", lambda x: not x.get("rules"))

    scenario(play, {AGGREGATION})


def test_roles_that_aggregate_nothing_or_are_right_are_not_written() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(CLUSTER_ROLES, role("plain", READ_WIDGETS))
        before = {each.name: each.resource_version for each in await client.list(CLUSTER_ROLES)}
        await asyncio.sleep(SETTLE_SECONDS)
        after = {each.name: each.resource_version for each in await client.list(CLUSTER_ROLES)}
        assert after == before and "admin" in after

    scenario(play, {AGGREGATION})
