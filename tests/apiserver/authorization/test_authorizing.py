"""A whole API server whose authorization is configured."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.apiserver.operating.support import lines
from tests.apiserver.support import CONFIG_MAPS, OPTIONS, Api, config_map, serving
from tests.apiserver.webhooks.support import Hook, certificate, listening

from kajitori.cluster import authorization
from kajitori.cluster.authorization import Authorization
from kajitori.cluster.cluster import ClusterError
from kajitori.cluster.operating import Operating

CAN_I = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


def answer(review: dict[str, Any]) -> Any:
    """Alice may, bob is denied, of carol it does not know, and dave breaks it."""
    user = review["spec"].get("user")
    if user == "dave":
        return b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"
    status = {"allowed": user == "alice", "denied": user == "bob", "reason": f"the webhook knows {user}"}
    return {**review, "status": {} if user == "carol" else status}


def kubeconfig(folder: Path, hook: Hook) -> Path:
    (folder / "ca.pem").write_bytes(certificate()[0])
    path = folder / "kubeconfig"
    cluster = {"server": f"https://127.0.0.1:{hook.port}/authorize", "certificate-authority": "ca.pem"}
    path.write_text(
        yaml.safe_dump(
            {
                "clusters": [{"name": "c", "cluster": cluster}],
                "users": [{"name": "u", "user": {"token": "secret"}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "x",
            }
        )
    )
    return path


def written(folder: Path, hook: Hook, *others: dict[str, Any], **more: Any) -> Path:
    """A configuration with one webhook, and others after it."""
    webhook = {
        "timeout": "3s",
        "failurePolicy": "NoOpinion",
        "subjectAccessReviewVersion": "v1",
        "connectionInfo": {"type": "KubeConfigFile", "kubeConfigFile": str(kubeconfig(folder, hook))},
        **more,
    }
    path = folder / "authorization.yaml"
    head = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthorizationConfiguration"}
    path.write_text(
        yaml.safe_dump(
            {**head, "authorizers": [{"type": "Webhook", "name": "w", "webhook": webhook}, *others]}
        )
    )
    return path


RBAC = {"type": "RBAC", "name": "rbac"}


@asynccontextmanager
async def asking(folder: Path, *others: dict[str, Any], **more: Any) -> AsyncIterator[tuple[Api, Hook]]:
    async with listening(answer) as hook:
        chosen = Authorization(config_file=written(folder, hook, *others, **more))
        async with serving(replace(OPTIONS, authorization=chosen)) as api:
            yield api, hook


def test_a_webhook_decides(tmp_path: Path) -> None:
    async def test() -> None:
        async with asking(tmp_path, RBAC) as (api, hook):
            await api.ok("GET", CONFIG_MAPS, impersonate_user="alice")
            await api.ok("GET", CONFIG_MAPS, impersonate_user="alice")
            assert len(hook.reviews) == 1  # remembered
            assert "authorization: bearer secret" in hook.heads[0].lower()
            assert "POST /authorize?timeout=3s HTTP/1.1" in hook.heads[0]
            refused = await api.refused(403, "GET", CONFIG_MAPS, impersonate_user="bob")
            assert refused.message.endswith('in the namespace "default": the webhook knows bob')
            await api.refused(403, "GET", CONFIG_MAPS, impersonate_user="carol")
            broken = await api.ask("GET", CONFIG_MAPS, impersonate_user="dave")
            assert (broken.status, broken.raw) == (
                500,
                f'Internal Server Error: "{CONFIG_MAPS}": unknown\n'.encode(),
            )
            root = len(hook.reviews)
            await api.ok("GET", CONFIG_MAPS)
            assert len(hook.reviews) == root  # of masters nobody is asked
            figures = (await api.ok("GET", "/metrics")).raw.decode()
            for line in (
                'apiserver_authorization_decisions_total{decision="allowed",name="w",type="Webhook"} 2',
                'apiserver_authorization_decisions_total{decision="denied",name="w",type="Webhook"} 1',
                'apiserver_authorization_webhook_evaluations_total{name="w",result="success"} 3',
                'apiserver_authorization_webhook_evaluations_total{name="w",result="error"} 1',
                'apiserver_authorization_webhook_evaluations_fail_open_total{name="w",result="error"} 1',
                'authorization_attempts_total{result="error"} 1',
            ):
                assert line in figures, line

    asyncio.run(test())


def test_the_audit_log_has_who_decided_and_why(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(
        "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n"
    )
    log = tmp_path / "audit.log"
    operating = Operating(audit_policy_file=tmp_path / "policy.yaml", audit_log=str(log))

    async def test() -> None:
        async with listening(answer) as hook:
            chosen = Authorization(config_file=written(tmp_path, hook, RBAC))
            async with serving(replace(OPTIONS, authorization=chosen, operating=operating)) as api:
                for user in ("alice", "bob", "dave"):
                    await api.ask("GET", CONFIG_MAPS, impersonate_user=user)

    asyncio.run(test())
    decision, reason = "authorization.k8s.io/decision", "authorization.k8s.io/reason"
    assert [each["annotations"] for each in lines(log)] == [
        {decision: "allow", reason: "the webhook knows alice"},
        {decision: "forbid", reason: "the webhook knows bob"},
        {reason: "internal error"},
    ]


def test_reviews_tell_what_a_webhook_says(tmp_path: Path) -> None:
    async def test() -> None:
        async with asking(tmp_path) as (api, _):

            async def status(user: str) -> Any:
                attributes = {"verb": "get", "resource": "pods"}
                review = {"spec": {"user": user, "resourceAttributes": attributes}}
                head = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview"}
                return (await api.ok("POST", CAN_I, {**head, **review})).body["status"]

            assert await status("alice") == {"allowed": True, "reason": "the webhook knows alice"}
            assert await status("bob") == {
                "allowed": False,
                "denied": True,
                "reason": "the webhook knows bob",
            }
            assert await status("dave") == {"allowed": False, "evaluationError": "unknown"}
            head = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview"}
            rules = await api.ok(
                "POST",
                "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
                {**head, "spec": {"namespace": "default"}},
                impersonate_user="alice",
            )
            assert rules.body["status"]["incomplete"] is True
            assert (
                rules.body["status"]["evaluationError"]
                == "webhook authorizer does not support user rule resolution"
            )

    asyncio.run(test())


def test_whoever_asks_waits_for_the_answer(tmp_path: Path) -> None:
    """Impersonation, escalation checks, policies: all ask in the middle of something else."""

    async def test() -> None:
        async with asking(tmp_path, RBAC) as (api, hook):
            await api.ok("GET", CONFIG_MAPS, impersonate_user="alice")
            rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles"
            role = {
                "metadata": {"name": "r"},
                "rules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
            }
            head = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"}
            await api.ok("POST", rbac, {**head, **role}, impersonate_user="alice")  # may `escalate`
            assert hook.reviews[-1]["spec"]["resourceAttributes"]["verb"] == "escalate"
            policies = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic"
            matched = {
                "resourceRules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["*"],
                        "operations": ["*"],
                        "resources": ["configmaps"],
                    }
                ]
            }
            check = (
                "authorizer.group('').resource('configmaps').namespace('default').check('label').allowed()"
            )
            policy = {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": "ValidatingAdmissionPolicy",
                "metadata": {"name": "p"},
                "spec": {"matchConstraints": matched, "validations": [{"expression": check}]},
            }
            binding = {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": "ValidatingAdmissionPolicyBinding",
                "metadata": {"name": "p"},
                "spec": {"policyName": "p", "validationActions": ["Deny"]},
            }
            await api.ok("POST", f"{policies}ies", policy)
            await api.ok("POST", f"{policies}ybindings", binding)
            await api.ok("POST", CONFIG_MAPS, config_map("a"), impersonate_user="alice")
            assert hook.reviews[-1]["spec"]["resourceAttributes"]["verb"] == "label"
            hook.answer = lambda review: {
                **review,
                "status": {"allowed": review["spec"]["resourceAttributes"]["verb"] == "create"},
            }
            refused = await api.refused(422, "POST", CONFIG_MAPS, config_map("b"), impersonate_user="eve")
            assert "ValidatingAdmissionPolicy 'p' with binding 'p' denied request" in refused.message

    asyncio.run(test())


async def eventually(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not await condition():  # noqa: ASYNC110 - a file is looked at now and then
            await asyncio.sleep(0.005)


def test_a_file_that_changes_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # M2, M3
    monkeypatch.setattr(authorization, "RELOAD_SECONDS", 0.005)
    monkeypatch.setattr(authorization, "DROP_SECONDS", 0.0)

    async def test() -> None:
        async with asking(tmp_path, RBAC) as (api, hook):
            path = tmp_path / "authorization.yaml"

            async def reloads(status: str) -> int:
                figures = (await api.ok("GET", "/metrics")).raw.decode().splitlines()
                name = "apiserver_authorization_config_controller_automatic_reloads_total"
                found = [line for line in figures if line.startswith(name) and f'status="{status}"' in line]
                return int(found[0].rpartition(" ")[2]) if found else 0

            before = path.read_text()
            for wrong in (
                "kind: [",
                before.replace("name: rbac", "name: x"),
                written(tmp_path, hook).read_text(),
            ):
                failures = await reloads("failure")
                path.write_text(wrong)
                await eventually(lambda seen=failures: _more(reloads("failure"), seen))
                await api.ok("GET", CONFIG_MAPS, impersonate_user="alice")
            written(
                tmp_path,
                hook,
                RBAC,
                matchConditionSubjectAccessReviewVersion="v1",
                matchConditions=[{"expression": "false"}],
            )
            await eventually(lambda: _more(reloads("success"), 0))
            await api.refused(403, "GET", CONFIG_MAPS, impersonate_user="alice")
            path.unlink()
            failures = await reloads("failure")
            await eventually(lambda: _more(reloads("failure"), failures - 1))

    asyncio.run(test())


async def _more(number: Any, seen: int) -> bool:
    return bool(await number > seen)


def started_with(chosen: Authorization) -> str:
    """Why a server does not start."""

    async def start() -> None:
        async with serving(replace(OPTIONS, authorization=chosen)):
            pass

    with pytest.raises(ClusterError) as refused:
        asyncio.run(start())
    return str(refused.value)


def test_what_makes_no_sense_stops_the_start(tmp_path: Path) -> None:  # M1
    file = tmp_path / "config.yaml"
    file.write_text("")
    both = "--authorization-config can not be specified when --authorization-mode or --authorization-webhook-"
    assert started_with(Authorization(config_file=file, modes=("RBAC",))).startswith(both)
    assert started_with(Authorization(config_file=file, webhook_version="v1")).startswith(both)
    assert started_with(Authorization(config_file=file)).startswith("authorizers: Required value")
    gone = tmp_path / "gone"
    assert started_with(Authorization(config_file=gone)) == f"open {gone}: no such file or directory"
    assert started_with(Authorization(modes=("Webhook",))) == (
        "authorization-mode Webhook's authorization config file not passed"
    )
    assert started_with(Authorization(webhook_config_file=file)) == (
        "cannot specify --authorization-webhook-config-file without mode Webhook"
    )
    assert started_with(Authorization(modes=("Webhook",), webhook_config_file=gone)).startswith(
        f"invalid authorization config: {gone}: "
    )
    assert started_with(
        Authorization(modes=("Webhook",), webhook_config_file=file, webhook_version="v2")
    ).startswith('unsupported webhook authorizer version "v2", supported versions are v1, v1beta1')


def test_flags_name_a_webhook_too(tmp_path: Path) -> None:
    async def test() -> None:
        async with listening(answer) as hook:
            chosen = Authorization(
                modes=("Webhook", "AlwaysDeny"), webhook_config_file=kubeconfig(tmp_path, hook)
            )
            async with serving(replace(OPTIONS, authorization=chosen)) as api:
                await api.ok("GET", CONFIG_MAPS, impersonate_user="alice")
                assert hook.reviews[0]["apiVersion"] == "authorization.k8s.io/v1beta1"
                refused = await api.refused(403, "GET", CONFIG_MAPS, impersonate_user="carol")
                assert refused.message.endswith('in the namespace "default": Everything is forbidden.')

    asyncio.run(test())


def test_everything_may_be_allowed(tmp_path: Path) -> None:
    async def test() -> None:
        chosen = Authorization(modes=("AlwaysAllow",))
        async with serving(replace(OPTIONS, authorization=chosen)) as api:
            await api.ok("GET", CONFIG_MAPS, impersonate_user="anybody")

    asyncio.run(test())
