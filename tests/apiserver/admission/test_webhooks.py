"""Admission webhooks, with real ones that listen."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.apiserver.support import (
    CONFIG_MAPS,
    CORE,
    MERGE,
    PODS,
    Api,
    config_map,
    define,
    definition,
    pod,
    served,
)
from tests.apiserver.webhooks.support import Hook, ca_bundle, listening

GROUP = "/apis/admissionregistration.k8s.io/v1"
MUTATING, VALIDATING = f"{GROUP}/mutatingwebhookconfigurations", f"{GROUP}/validatingwebhookconfigurations"
EVERYTHING = {"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "operations": ["*"]}
MAPS = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["*"]}

Review = dict[str, Any]
Answering = Callable[[Review], Any]


def answer(review: Review, *, allowed: bool = True, patch: Any = None, **more: Any) -> Review:
    response: dict[str, Any] = {"uid": review["request"]["uid"], "allowed": allowed, **more}
    if patch is not None:
        response |= {
            "patchType": "JSONPatch",
            "patch": base64.b64encode(json.dumps(patch).encode()).decode(),
        }
    return {"apiVersion": review["apiVersion"], "kind": "AdmissionReview", "response": response}


def setting(key: str, value: str) -> list[dict[str, Any]]:
    return [{"op": "add", "path": f"/data/{key}", "value": value}]


def webhook(hook: Hook, name: str = "one.example.com", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "clientConfig": hook.config("/" + name),
        "rules": [MAPS],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}},
        **more,
    }


async def configure(api: Api, path: str, *webhooks: dict[str, Any], name: str = "c") -> None:
    kind = "MutatingWebhookConfiguration" if path == MUTATING else "ValidatingWebhookConfiguration"
    body = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "webhooks": list(webhooks)}
    await api.ok("POST", path, {**body, "metadata": {"name": name}})


@served
async def test_a_webhook_is_told_what_is_written_by_whom(api: Api) -> None:  # W1
    async with listening(answer) as hook:
        await configure(api, VALIDATING, webhook(hook))
        await api.ok("POST", f"{CONFIG_MAPS}?fieldManager=me", config_map("a", k="1"))
        await api.ok("PATCH", f"{CONFIG_MAPS}/a?dryRun=All", {"data": {"k": "2"}}, type=MERGE)
        await api.ok("DELETE", f"{CONFIG_MAPS}/a?gracePeriodSeconds=0")
        created, patched, deleted = (review["request"] for review in hook.reviews)
        assert "/one.example.com?timeout=10s" in hook.heads[0]
        assert created["kind"] == {"group": "", "version": "v1", "kind": "ConfigMap"}
        assert created["resource"] == {"group": "", "version": "v1", "resource": "configmaps"}
        assert (created["requestKind"], created["requestResource"]) == (created["kind"], created["resource"])
        assert (created["operation"], created["name"], created["namespace"]) == ("CREATE", "a", "default")
        assert created["userInfo"]["username"] == "admin"
        assert "system:masters" in created["userInfo"]["groups"]
        assert (created["object"]["data"], created["oldObject"]) == ({"k": "1"}, None)
        assert created["object"]["metadata"]["managedFields"][0]["manager"] == "me"
        assert created["options"] == {
            "kind": "CreateOptions",
            "apiVersion": "meta.k8s.io/v1",
            "fieldManager": "me",
        }
        assert (patched["operation"], patched["dryRun"]) == ("UPDATE", True)
        assert patched["options"]["kind"] == "UpdateOptions" and patched["options"]["dryRun"] == ["All"]
        assert (patched["object"]["data"], patched["oldObject"]["data"]) == ({"k": "2"}, {"k": "1"})
        assert (deleted["operation"], deleted["object"]) == ("DELETE", None)
        assert deleted["oldObject"]["data"] == {"k": "1"}
        assert deleted["options"]["gracePeriodSeconds"] == 0


@served
async def test_mutating_webhooks_see_what_those_before_made(api: Api) -> None:  # H1
    def answering(review: Review) -> Any:
        data = review["request"]["object"]["data"]
        return answer(
            review, patch=setting("seen", data.get("seen", "") + f"{len(data)}"), warnings=["hello"]
        )

    async with listening(answering) as hook:
        await configure(
            api, MUTATING, webhook(hook, "z.example.com"), webhook(hook, "a.example.com"), name="b"
        )
        await configure(api, MUTATING, webhook(hook, "y.example.com"), name="a")
        made = await api.ok("POST", CONFIG_MAPS, config_map("a", k="1"))
        assert made.body["data"] == {"k": "1", "seen": "122"}
        assert made.headers["warning"] == '299 - "hello"'
        assert [head.split("?")[0] for head in hook.heads] == [
            f"POST /{name}.example.com" for name in ("y", "z", "a")
        ]


@served
async def test_a_webhook_is_asked_again_once_when_others_have_changed_the_object(api: Api) -> None:  # H2, A4
    def answering(review: Review) -> Any:
        return answer(review, patch=setting("n", str(int(review["request"]["object"]["data"]["n"]) + 1)))

    async with listening(answering) as hook:
        again = webhook(hook, "again.example.com", reinvocationPolicy="IfNeeded")
        await configure(api, MUTATING, again, webhook(hook, "once.example.com"))
        made = await api.ok("POST", CONFIG_MAPS, config_map("a", n="0"))
        assert made.body["data"] == {"n": "3"}
        assert [head.split(".")[0] for head in hook.heads] == ["POST /again", "POST /once", "POST /again"]


@served
async def test_webhooks_that_all_change_the_object_for_ever_come_to_an_end(api: Api) -> None:  # H2
    def answering(review: Review) -> Any:
        return answer(review, patch=setting("n", review["request"]["object"]["data"]["n"] + "x"))

    async with listening(answering) as hook:
        hooks = [webhook(hook, f"h{n}.example.com", reinvocationPolicy="IfNeeded") for n in range(4)]
        await configure(api, MUTATING, *hooks)
        made = await api.ok("POST", CONFIG_MAPS, config_map("a", n=""))
        assert len(made.body["data"]["n"]) == len(hook.reviews) == 8


@served
async def test_a_refusal_is_the_webhooks_own(api: Api) -> None:  # W3
    status: dict[str, Any] = {"code": 418, "reason": "Teapot", "message": "short and stout"}

    def answering(review: Review) -> Any:
        return answer(review, allowed=False, status=status)

    async with listening(answering) as hook:
        await configure(api, VALIDATING, webhook(hook))
        told = await api.refused(418, "POST", CONFIG_MAPS, config_map("a"))
        assert told.message == 'admission webhook "one.example.com" denied the request: short and stout'
        assert told.body["reason"] == "Teapot"
        status = {"code": 200, "reason": "Why"}
        told = await api.refused(400, "POST", CONFIG_MAPS, config_map("a"))
        assert told.message == 'admission webhook "one.example.com" denied the request: Why'
        status = {}
        told = await api.refused(400, "POST", CONFIG_MAPS, config_map("a"))
        assert told.message == 'admission webhook "one.example.com" denied the request without explanation'
        await api.refused(404, "GET", f"{CONFIG_MAPS}/a")


def _with(**response: Any) -> Answering:
    def answering(review: Review) -> Any:
        answered = answer(review)
        answered["response"] |= response
        return answered

    return answering


@pytest.mark.parametrize(
    ("path", "answering", "told"),
    [
        (VALIDATING, lambda _: {}, "webhook response was absent"),
        (VALIDATING, _with(uid="x"), 'got "x"'),
        (VALIDATING, _with(patch="e30="), "validating webhook may not return response.patch"),
        (VALIDATING, _with(patchType="JSONPatch"), "validating webhook may not return response.patchType"),
        (MUTATING, _with(patch="e30="), "webhook returned response.patch but not response.patchType"),
        (
            MUTATING,
            _with(patchType="JSONPatch"),
            "webhook returned response.patchType but not response.patch",
        ),
        (
            VALIDATING,
            lambda review: {**answer(review), "apiVersion": "admission.k8s.io/v2"},
            "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, "
            "got admission.k8s.io/v2, Kind=AdmissionReview",
        ),
        (VALIDATING, lambda _: b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n", "an error on the server"),
        (VALIDATING, lambda _: b"nonsense", "malformed HTTP response"),
    ],
)
def test_an_answer_that_does_not_count_fails_the_write_or_not(  # H3, W2
    path: str, answering: Answering, told: str
) -> None:
    @served
    async def run(api: Api) -> None:
        async with listening(answering) as hook:
            await configure(api, path, webhook(hook))
            failed = await api.refused(500, "POST", CONFIG_MAPS, config_map("a"))
            assert failed.message.startswith(
                'Internal error occurred: failed calling webhook "one.example.com": '
            )
            assert told in failed.message and failed.body["reason"] == "InternalError"
            await api.ok("DELETE", f"{path}/c")
            await configure(api, path, webhook(hook, failurePolicy="Ignore"))
            await api.ok("POST", CONFIG_MAPS, config_map("a"))

    run()


@served
async def test_nobody_listens(api: Api) -> None:  # H3
    async with listening(answer) as hook:
        closed = webhook(hook)
        closed["clientConfig"] = {"url": "https://127.0.0.1:1/x", "caBundle": ca_bundle()}
        await configure(api, VALIDATING, closed)
        told = await api.refused(500, "POST", CONFIG_MAPS, config_map("a"))
        assert told.message == (
            'Internal error occurred: failed calling webhook "one.example.com": failed to call webhook: '
            'Post "https://127.0.0.1:1/x?timeout=10s": dial tcp 127.0.0.1:1: connect: connection refused'
        )


@served
async def test_a_bad_patch_fails_the_write_whatever_the_policy(api: Api) -> None:
    async with listening(lambda review: answer(review, patch=[{"op": "remove", "path": "/x/y"}])) as hook:
        await configure(api, MUTATING, webhook(hook, failurePolicy="Ignore"))
        told = await api.refused(500, "POST", CONFIG_MAPS, config_map("a"))
        assert told.message.startswith("Internal error occurred: ")
        hook.answer = lambda review: answer(review, patch=[{"op": "add", "path": "/data", "value": 1}])
        await api.refused(500, "POST", CONFIG_MAPS, config_map("a"))


@served
async def test_what_a_webhook_adds_has_defaults_and_is_validated(api: Api) -> None:  # V2
    added = [{"op": "add", "path": "/spec/containers/-", "value": {"name": "side", "image": "i"}}]
    async with listening(lambda review: answer(review, patch=added)) as hook:
        rule = {**MAPS, "resources": ["pods"], "operations": ["CREATE"]}
        await configure(api, MUTATING, webhook(hook, rules=[rule]))
        made = await api.ok("POST", "/api/v1/namespaces/default/pods", pod("p"))
        assert made.body["spec"]["containers"][1]["terminationMessagePath"] == "/dev/termination-log"
        added[0]["value"] = {"name": "Not_A_Name", "image": "i"}
        told = await api.refused(422, "POST", "/api/v1/namespaces/default/pods", pod("q"))
        assert 'spec.containers[1].name: Invalid value: "Not_A_Name"' in told.message


@served
async def test_a_dry_run_calls_nobody_with_side_effects(api: Api) -> None:  # H4
    async with listening(answer) as hook:
        await configure(api, VALIDATING, webhook(hook, sideEffects="NoneOnDryRun"))
        await api.ok("POST", f"{CONFIG_MAPS}?dryRun=All", config_map("a"))
        old = webhook(hook, "two.example.com", sideEffects="Some")
        # The API takes no new ones with side effects; v1beta1 did, and they are still stored.
        item = api.store.get("admissionregistration.k8s.io/validatingwebhookconfigurations", "c")
        assert item is not None
        stored = json.loads(item.value)
        stored["webhooks"] = [old]
        await api.store.put(
            "admissionregistration.k8s.io/validatingwebhookconfigurations",
            "c",
            lambda revision: json.dumps(stored).encode(),
            expect=None,
        )
        told = await api.refused(400, "POST", f"{CONFIG_MAPS}?dryRun=All", config_map("a"))
        assert told.message == 'admission webhook "two.example.com" does not support dry run'
        assert len(hook.reviews) == 1


@served
async def test_selectors_choose_what_a_webhook_is_told(api: Api) -> None:  # M2, M3
    async with listening(answer) as hook:
        await configure(
            api, VALIDATING, webhook(hook, objectSelector={"matchLabels": {"x": "1"}}, rules=[EVERYTHING])
        )
        await api.ok("POST", CONFIG_MAPS, config_map("a"))
        await api.ok("POST", CONFIG_MAPS, config_map("b", labels={"x": "1"}))
        await api.ok("POST", "/api/v1/namespaces/kube-system/configmaps", config_map("b", labels={"x": "1"}))
        unlabelled = {"metadata": {"labels": {"x": None}}}
        await api.ok("PATCH", f"{CONFIG_MAPS}/b", unlabelled, type=MERGE)
        await api.ok("PATCH", f"{CONFIG_MAPS}/b", {"data": {"k": "1"}}, type=MERGE)
        labels = {"x": "1", "kubernetes.io/metadata.name": "n"}
        await api.ok("POST", "/api/v1/namespaces", {"metadata": {"name": "n", "labels": labels}})
        role = {"metadata": {"name": "r", "labels": {"x": "1"}}}
        await api.ok("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", role)
        asked = [(each["request"]["operation"], each["request"]["name"]) for each in hook.reviews]
        assert asked == [("CREATE", "b"), ("UPDATE", "b"), ("CREATE", "r")]


@served
async def test_nobody_is_told_of_webhooks(api: Api) -> None:  # D2
    async with listening(lambda review: answer(review, allowed=False)) as hook:
        everywhere = webhook(hook, rules=[EVERYTHING], namespaceSelector={})
        await configure(api, VALIDATING, everywhere)
        await api.refused(400, "POST", "/api/v1/namespaces", {"metadata": {"name": "n"}})
        await api.ok("DELETE", f"{VALIDATING}/c")
        await api.ok("POST", "/api/v1/namespaces", {"metadata": {"name": "n"}})


@served
async def test_another_version_matches_unless_only_the_exact_one_does(api: Api) -> None:  # M1, V1
    async with listening(answer) as hook:
        crd = definition()
        [version] = crd["spec"]["versions"]
        crd["spec"]["versions"].append({**version, "name": "v2", "storage": False})
        await define(api, crd)
        rule = {**MAPS, "apiGroups": ["example.com"], "apiVersions": ["v2"], "resources": ["widgets"]}
        await configure(
            api,
            VALIDATING,
            webhook(hook, "exact.example.com", rules=[rule], matchPolicy="Exact"),
            webhook(hook, "equivalent.example.com", rules=[rule]),
        )
        widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}
        await api.ok("POST", "/apis/example.com/v1/namespaces/default/widgets", widget)
        [review] = hook.reviews
        request = review["request"]
        assert (request["kind"]["version"], request["requestKind"]["version"]) == ("v2", "v1")
        assert request["object"]["apiVersion"] == "example.com/v2"
        await api.ok("PATCH", "/apis/example.com/v2/namespaces/default/widgets/w", {"x": 1}, type=MERGE)
        assert sorted(head.split(" ")[1].split(".")[0] for head in hook.heads[1:]) == [
            "/equivalent",
            "/exact",
        ]


@served
async def test_a_scale_is_shown_and_changed_as_a_scale(api: Api) -> None:  # V1, V2
    def answering(review: Review) -> Any:
        return answer(review, patch=[{"op": "replace", "path": "/spec/replicas", "value": 7}])

    async with listening(answering) as hook:
        rule = {**MAPS, "apiGroups": ["apps"], "resources": ["deployments/scale"]}
        await configure(api, MUTATING, webhook(hook, rules=[rule]))
        labels = {"app": "a"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        path = "/apis/apps/v1/namespaces/default/deployments"
        spec = {"selector": {"matchLabels": labels}, "template": template}
        await api.ok("POST", path, {"metadata": {"name": "d"}, "spec": spec})
        scaled = await api.ok("PATCH", f"{path}/d/scale", {"spec": {"replicas": 3}}, type=MERGE)
        assert scaled.body["spec"]["replicas"] == 7
        [review] = hook.reviews
        assert review["request"]["kind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}
        assert review["request"]["subResource"] == "scale"
        assert review["request"]["object"]["spec"] == {"replicas": 3}


@served
async def test_what_is_sent_to_subresources_is_asked_about_too(api: Api) -> None:  # V1 V2
    def label(review: Review) -> Review:
        if review["request"]["subResource"] != "binding":
            return answer(review)
        return answer(review, patch=[{"op": "add", "path": "/metadata/labels", "value": {"bound": "yes"}}])

    async with listening(label) as hook:
        below = {**EVERYTHING, "resources": ["pods/binding", "pods/eviction", "serviceaccounts/token"]}
        await configure(api, MUTATING, webhook(hook, rules=[below]))
        await api.ok("POST", PODS, pod())
        await api.ok("POST", f"{CORE}/serviceaccounts", {"metadata": {"name": "sa"}})
        binding = {"metadata": {"name": "a"}, "target": {"kind": "Node", "name": "n"}}
        await api.ok("POST", f"{PODS}/a/binding", binding)
        await api.ok("POST", f"{PODS}/a/eviction", {"metadata": {"name": "a"}})
        await api.ok("POST", f"{CORE}/serviceaccounts/sa/token", {"spec": {}})
        told = [(each["request"]["kind"], each["request"]["object"]["kind"]) for each in hook.reviews]
        assert told == [
            ({"group": "", "version": "v1", "kind": "Binding"}, "Binding"),
            ({"group": "policy", "version": "v1", "kind": "Eviction"}, "Eviction"),
            ({"group": "authentication.k8s.io", "version": "v1", "kind": "TokenRequest"}, "TokenRequest"),
        ]
        assert [each["request"]["subResource"] for each in hook.reviews] == ["binding", "eviction", "token"]
    labels = (await api.ok("GET", f"{PODS}/a")).body["metadata"]["labels"]
    assert labels == {"bound": "yes"}
