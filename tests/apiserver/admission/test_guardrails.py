"""Guardrails: what needs a confirmation, and what counts as one."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.apiserver.operating.audit.test_log import audited
from tests.apiserver.support import CONFIG_MAPS, CORE, MERGE, PODS, Api, Told, served

from kajitori.apis.guardrails_v1alpha1 import manifests
from kajitori.apis.guardrails_v1alpha1.tokens import confirmation, tokens_in

GROUP = "/apis/guardrails.kajitori.dev/v1alpha1"
GUARDRAILS, CONFIRMATIONS = f"{GROUP}/guardrails", f"{GROUP}/confirmations"
DRY = "?dryRun=All"
ANN = {"impersonate_user": "ann", "impersonate_group": "system:masters"}
BOB = {"impersonate_user": "bob", "impersonate_group": "system:masters"}
PATHS = {
    "CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
}


def rule(*resources: str, operations: tuple[str, ...] = ("DELETE",), group: str = "") -> dict[str, Any]:
    return {
        "operations": list(operations),
        "apiGroups": [group],
        "apiVersions": ["*"],
        "resources": list(resources),
    }


async def guard(
    api: Api,
    *rules: dict[str, Any],
    namespaceSelector: dict[str, Any] | None = None,
    objectSelector: dict[str, Any] | None = None,
    **spec: Any,
) -> None:
    """Installs the kinds, and one Guardrail."""
    constraints: dict[str, Any] = {"resourceRules": list(rules)}
    if namespaceSelector is not None:
        constraints["namespaceSelector"] = namespaceSelector
    if objectSelector is not None:
        constraints["objectSelector"] = objectSelector
    for each in manifests():
        await api.ok("POST", PATHS[each["kind"]], each)
    for path in (GUARDRAILS, CONFIRMATIONS):
        for _ in range(1000):
            if (await api.ask("GET", path)).status == 200:
                break
            await asyncio.sleep(0)
    spec = {"matchConstraints": constraints, **spec}
    await api.ok("POST", GUARDRAILS, {"metadata": {"name": "careful"}, "spec": spec})


async def config_map(api: Api, name: str = "a", **metadata: Any) -> str:
    """A new ConfigMap; gives its uid."""
    told = await api.ok("POST", CONFIG_MAPS, {"metadata": {"name": name, **metadata}})
    return str(told.body["metadata"]["uid"])


def token_in(told: Told) -> str:
    (token,) = tokens_in(told.headers["warning"])
    return token


async def confirm(api: Api, *tokens: str, **headers: str) -> Told:
    return await api.ask("POST", CONFIRMATIONS, confirmation(tokens), **headers)


@served
async def test_what_is_guarded_needs_the_token_of_a_dry_run(api: Api) -> None:  # G1, G2
    await guard(api, rule("configmaps"), message="think twice")
    await config_map(api)
    path = f"{CONFIG_MAPS}/a"
    refused = await api.refused(403, "DELETE", path, **ANN)
    assert refused.message == (
        'configmaps "a" is forbidden: guardrail careful (think twice): deleting ConfigMap default/a needs a '
        "confirmation of exactly this; do it as a dry run first (--dry-run=server), which tells what would go and how "
        "to confirm it"
    )
    dry = await api.ok("DELETE", path + DRY, **ANN)
    assert "think twice" in dry.headers["warning"] and "within 300 seconds" in dry.headers["warning"]
    await api.refused(403, "DELETE", path, **ANN)
    assert (await confirm(api, token_in(dry), **ANN)).status == 201
    await api.ok("DELETE", path, **ANN)
    assert not (await api.ok("GET", CONFIRMATIONS)).body["items"]


def test_why_it_was_confirmed_is_in_the_audit_log(tmp_path: Path) -> None:
    async def work(api: Api) -> None:
        await guard(api, rule("configmaps"))
        await config_map(api)
        token = token_in(await api.ok("DELETE", f"{CONFIG_MAPS}/a{DRY}", **ANN))
        await api.ok("POST", CONFIRMATIONS, confirmation([token], "OPS-7"), **ANN)
        await api.ok("DELETE", f"{CONFIG_MAPS}/a", **ANN)

    told = audited("rules: [{level: Metadata, verbs: [delete]}]", tmp_path, work)
    assert told[-1]["annotations"]["guardrails.kajitori.dev/confirmed"] == "OPS-7"


@served
async def test_a_token_counts_once_and_for_its_user_object_and_state_alone(api: Api) -> None:  # G1
    await guard(api, rule("configmaps", operations=("DELETE", "UPDATE")))
    await config_map(api)
    path = f"{CONFIG_MAPS}/a"
    token = token_in(await api.ok("DELETE", path + DRY, **ANN))
    stolen = await confirm(api, token, **BOB)
    assert stolen.status == 422 and "was not issued to you" in stolen.message
    assert (await confirm(api, "kjt-nonsense", **ANN)).status == 422
    await confirm(api, token, **ANN)
    twice = await confirm(api, token, **ANN)
    assert twice.status == 422 and "confirmed already" in twice.message
    await api.refused(403, "DELETE", path, **BOB)
    await api.refused(403, "DELETE", path + "?propagationPolicy=Orphan", **ANN)
    change = {"data": {"k": "v"}}
    dry = await api.ok("PATCH", path + DRY, change, type=MERGE, **ANN)
    await confirm(api, token_in(dry), **ANN)
    await api.refused(403, "PATCH", path, {"data": {"k": "other"}}, type=MERGE, **ANN)
    await api.ok("PATCH", path, change, type=MERGE, **ANN)
    await api.refused(403, "DELETE", path, **ANN)  # it is another version now
    again = token_in(await api.ok("DELETE", path + DRY, **ANN))
    await confirm(api, again, **ANN)
    await api.ok("DELETE", path, **ANN)
    await config_map(api)
    used = await confirm(api, again, **ANN)
    assert used.status == 422 and "has been used" in used.message
    await api.refused(403, "DELETE", path, **ANN)


@served
async def test_of_two_at_once_one_is_confirmed(api: Api) -> None:  # G1
    await guard(api, rule("configmaps"))
    await config_map(api, finalizers=["example.com/stay"])
    path = f"{CONFIG_MAPS}/a"
    await confirm(api, token_in(await api.ok("DELETE", path + DRY, **ANN)), **ANN)
    both = await asyncio.gather(*(api.ask("DELETE", path, **ANN) for _ in range(2)))
    assert sorted(each.status for each in both) == [200, 403]


@served
async def test_collections_evictions_and_scales_are_held_too(api: Api) -> None:
    apps = "/apis/apps/v1/namespaces/default/deployments"
    scales = rule("deployments/scale", operations=("UPDATE",), group="apps")
    condition = {"name": "to-zero", "expression": "!has(object.spec.replicas)"}
    evictions = rule("configmaps", "pods/eviction", operations=("CREATE", "DELETE"))
    await guard(api, evictions)
    spec = {"matchConstraints": {"resourceRules": [scales]}, "matchConditions": [condition]}
    await api.ok("POST", GUARDRAILS, {"metadata": {"name": "scales"}, "spec": spec})
    exempt = {"impersonate_user": "system:kube-controller-manager", "impersonate_group": "system:masters"}
    for name in "ab":
        await api.ok("POST", CONFIG_MAPS, {"metadata": {"name": name}}, **exempt)
    await api.refused(403, "DELETE", CONFIG_MAPS, **ANN)
    dry = await api.ok("DELETE", CONFIG_MAPS + DRY, **ANN)
    tokens = tokens_in(dry.headers["warning"])
    assert len(tokens) == 2
    await confirm(api, *tokens, **ANN)
    await api.ok("DELETE", CONFIG_MAPS, **ANN)

    await api.ok(
        "POST", PODS, {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    )
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}
    await api.refused(403, "POST", f"{PODS}/p/eviction", eviction, **ANN)
    its_own = {**eviction, "deleteOptions": {"dryRun": ["All"]}}
    assert tokens_in((await api.ok("POST", f"{PODS}/p/eviction", its_own, **ANN)).headers["warning"])
    dry = await api.ok("POST", f"{PODS}/p/eviction{DRY}", eviction, **ANN)
    await confirm(api, token_in(dry), **ANN)
    await api.ok("POST", f"{PODS}/p/eviction", eviction, **ANN)

    labels = {"app": "w"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    deployment = {"selector": {"matchLabels": labels}, "template": template}
    await api.ok("POST", apps, {"metadata": {"name": "w"}, "spec": deployment})
    await api.ok("PATCH", f"{apps}/w/scale", {"spec": {"replicas": 3}}, type=MERGE, **ANN)
    await api.refused(403, "PATCH", f"{apps}/w/scale", {"spec": {"replicas": 0}}, type=MERGE, **ANN)
    dry = await api.ok("PATCH", f"{apps}/w/scale{DRY}", {"spec": {"replicas": 0}}, type=MERGE, **ANN)
    await confirm(api, token_in(dry), **ANN)
    await api.ok("PATCH", f"{apps}/w/scale", {"spec": {"replicas": 0}}, type=MERGE, **ANN)


@served
async def test_an_eviction_that_is_put_off_is_confirmed_still(api: Api) -> None:
    await guard(api, rule("pods/eviction", operations=("CREATE",)))
    container = {"name": "c", "image": "i"}
    pod = {"metadata": {"name": "p", "labels": {"app": "a"}}, "spec": {"containers": [container]}}
    await api.ok("POST", PODS, pod)
    ready = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
    await api.ok("PATCH", f"{PODS}/p/status", ready, type=MERGE)
    budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "a"}}}
    await api.ok("POST", budgets, {"metadata": {"name": "b"}, "spec": spec})
    path, eviction = (
        f"{PODS}/p/eviction",
        {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}},
    )
    its_own = {**eviction, "deleteOptions": {"dryRun": ["All"]}}
    dry = await api.ask("POST", path, its_own, **ANN)
    await confirm(api, token_in(dry), **ANN)
    for _ in range(2):
        await api.refused(429, "POST", path, eviction, **ANN)
    await api.ok("DELETE", f"{budgets}/b")
    await api.ok("POST", path, eviction, **ANN)
    await api.refused(403, "POST", path, eviction, **ANN)  # the Pod is marked now: another version


@served
async def test_namespaces_and_owners_are_no_way_around(api: Api) -> None:  # G4
    await guard(api, rule("secrets"))
    uid = await config_map(api)
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": uid}
    secret = {"metadata": {"name": "s", "ownerReferences": [owner]}}
    await api.ok("POST", f"{CORE}/secrets", secret)
    await api.ok("POST", "/api/v1/namespaces", {"metadata": {"name": "shop"}})
    await api.ok("POST", "/api/v1/namespaces/shop/secrets", {"metadata": {"name": "s"}})
    await api.ok("POST", "/api/v1/namespaces", {"metadata": {"name": "empty"}})
    await api.refused(403, "DELETE", f"{CONFIG_MAPS}/a", **ANN)
    dry = await api.ok("DELETE", f"{CONFIG_MAPS}/a{DRY}", **ANN)
    assert "with ConfigMap default/a go: 1 Secret" in dry.headers["warning"]
    await api.refused(403, "DELETE", "/api/v1/namespaces/shop", **ANN)
    await api.ok("DELETE", "/api/v1/namespaces/empty", **ANN)
    await api.ok("DELETE", f"{CONFIG_MAPS}/a?propagationPolicy=Orphan", **ANN)


@served
async def test_orphaning_keeps_nothing_of_a_namespace_or_a_definition(api: Api) -> None:  # G4
    await guard(api, rule("secrets"), rule("gadgets", group="shop.example"))
    await api.ok("POST", "/api/v1/namespaces", {"metadata": {"name": "shop"}})
    await api.ok("POST", "/api/v1/namespaces/shop/secrets", {"metadata": {"name": "s"}})
    orphaning = {"propagationPolicy": "Orphan"}
    for query in ("?propagationPolicy=Orphan", "?orphanDependents=true"):
        await api.refused(403, "DELETE", f"/api/v1/namespaces/shop{query}", **ANN)
    await api.refused(403, "DELETE", "/api/v1/namespaces/shop", orphaning, **ANN)
    dry = await api.ok("DELETE", f"/api/v1/namespaces/shop{DRY}&propagationPolicy=Orphan", **ANN)
    assert "with Namespace shop go: 1 Secret" in dry.headers["warning"]


@served
async def test_who_is_exempt_says_the_guardrail(api: Api) -> None:  # G3
    await guard(api, rule("configmaps"), exempt={"groups": ["break-glass"]})
    said = (await api.ok("GET", f"{GUARDRAILS}/careful")).body["spec"]["exempt"]
    assert "system:kube-controller-manager" in said["users"] and said["groups"] == ["break-glass"]
    await config_map(api)
    await api.refused(403, "DELETE", f"{CONFIG_MAPS}/a", **ANN)
    await api.refused(403, "DELETE", f"{CONFIG_MAPS}/a")
    await api.ok("POST", PATHS["ClusterRoleBinding"], ALL_TO_BREAK_GLASS)
    await api.ok("DELETE", f"{CONFIG_MAPS}/a", impersonate_user="eve", impersonate_group="break-glass")


ALL_TO_BREAK_GLASS = {
    "metadata": {"name": "glass"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "break-glass"}],
}


@served
async def test_a_guardrail_holds_itself_and_its_definition(api: Api) -> None:  # G5
    await guard(api, rule("secrets"))
    path = f"{GUARDRAILS}/careful"
    definition = f"{PATHS['CustomResourceDefinition']}/guardrails.guardrails.kajitori.dev"
    for refused in (path, definition):
        await api.refused(403, "DELETE", refused, **ANN)
    weaker = {"spec": {"exempt": {"users": ["ann"]}}}
    await api.refused(403, "PATCH", path, weaker, type=MERGE, **ANN)
    await api.ok("PATCH", path, {"metadata": {"labels": {"a": "b"}}}, type=MERGE, **ANN)
    await confirm(api, token_in(await api.ok("DELETE", path + DRY, **ANN)), **ANN)
    await api.ok("DELETE", path, **ANN)
    await api.ok("DELETE", definition, **ANN)


@served
async def test_labels_are_no_way_out(api: Api) -> None:  # G6
    await guard(
        api,
        rule("configmaps"),
        namespaceSelector={"matchLabels": {"guarded": "yes"}},
        objectSelector={"matchExpressions": [{"key": "free", "operator": "DoesNotExist"}]},
    )
    namespace = "/api/v1/namespaces/default"
    await api.ok("PATCH", namespace, {"metadata": {"labels": {"guarded": "yes"}}}, type=MERGE, **ANN)
    await config_map(api)
    for path, labels in ((f"{CONFIG_MAPS}/a", {"free": "yes"}), (namespace, {"guarded": None})):
        change = {"metadata": {"labels": labels}}
        await api.refused(403, "PATCH", path, change, type=MERGE, **ANN)
        await api.ok("PATCH", path, {"metadata": {"labels": {"other": "x"}}}, type=MERGE, **ANN)
        dry = await api.ok("PATCH", path + DRY, change, type=MERGE, **ANN)
        await confirm(api, token_in(dry), **ANN)
        await api.ok("PATCH", path, change, type=MERGE, **ANN)
    await api.ok("DELETE", f"{CONFIG_MAPS}/a", **ANN)


@served
async def test_a_new_owner_is_no_way_out(api: Api) -> None:  # G6
    await guard(api, rule("configmaps"))
    await config_map(api)
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "none", "uid": "nobody-has-it"}
    change = {"metadata": {"ownerReferences": [owner]}}
    await api.refused(403, "PATCH", f"{CONFIG_MAPS}/a", change, type=MERGE, **ANN)
    exempt = {"impersonate_user": "system:kube-controller-manager", "impersonate_group": "system:masters"}
    await api.ok("PATCH", f"{CONFIG_MAPS}/a", change, type=MERGE, **exempt)
    await api.ok("PATCH", f"{CONFIG_MAPS}/a", {"metadata": {"ownerReferences": None}}, type=MERGE, **ANN)


@served
async def test_a_large_collection_is_confirmed_in_parts(api: Api) -> None:
    await guard(api, rule("configmaps"))
    for number in range(45):
        await config_map(api, f"c{number:02}")
    for expected in (40, 5):
        dry = await api.ok("DELETE", CONFIG_MAPS + DRY, **ANN)
        tokens = tokens_in(dry.headers["warning"])
        assert len(tokens) == expected
        assert (await confirm(api, *tokens, **ANN)).status == 201
        await api.ask("DELETE", CONFIG_MAPS, **ANN)
    assert not (await api.ok("GET", CONFIG_MAPS)).body["items"]


@served
async def test_a_condition_without_a_value_refuses_but_no_dry_run(api: Api) -> None:  # G2, G7
    conditions = [{"name": "broken", "expression": "oldObject.data.none == 'x'"}]
    await guard(api, rule("configmaps"), matchConditions=conditions)
    await config_map(api)
    refused = await api.refused(403, "DELETE", f"{CONFIG_MAPS}/a", **ANN)
    assert "guardrail careful: " in refused.message and "no such key" in refused.message
    dry = await api.ok("DELETE", f"{CONFIG_MAPS}/a{DRY}", **ANN)
    assert "no such key" in dry.headers["warning"]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (
            {"matchConstraints": {}},
            "spec.matchConstraints.resourceRules: Required value: say what is to be confirmed",
        ),
        (
            {"matchConditions": [{"name": "a", "expression": "1 +"}]},
            "spec.matchConditions[0].expression: Invalid value",
        ),
        ({"matchConditions": [{"name": "a", "expression": "1"}]}, "must evaluate to bool"),
        ({"tokenLifetimeSeconds": 1}, "spec.tokenLifetimeSeconds"),
        (
            {"matchConstraints": {"resourceRules": [rule("pods/exec", operations=("CONNECT",))]}},
            'resourceRules[0].operations[0]: Invalid value: "CONNECT": only what has a dry run can be confirmed',
        ),
    ],
)
def test_a_mistake_in_a_guardrail_is_told_when_it_is_written(spec: dict[str, Any], told: str) -> None:
    @served
    async def run(api: Api) -> None:
        await guard(api, rule("secrets"))
        whole = {"matchConstraints": {"resourceRules": [rule("pods")]}, **spec}
        refused = await api.refused(422, "POST", GUARDRAILS, {"metadata": {"name": "b"}, "spec": whole})
        assert told in refused.message

    run()
