"""What the audit log holds, as kube-apiserver writes it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.apiserver.operating.support import lines, watched
from tests.apiserver.support import APPLY, CONFIG_MAPS, MERGE, Api, config_map

from kajitori.apiserver.authentication.user import ANONYMOUS
from kajitori.apiserver.authorization.attributes import Attributes
from kajitori.apiserver.http import Request
from kajitori.apiserver.operating.audit.policy import Wanted
from kajitori.apiserver.operating.audit.trail import EventTrail
from kajitori.cluster.cluster import Cluster, ClusterError
from kajitori.cluster.operating import Operating
from kajitori.cluster.options import ClusterOptions
from kajitori.world.clock import SYSTEM_CLOCK

HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\n"
AUTHORIZED = {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""}


def audited(policy: str, tmp_path: Path, work: Callable[[Api], Awaitable[None]]) -> list[dict[str, Any]]:
    """The events of what `work` asked for."""
    (tmp_path / "policy.yaml").write_text(HEAD + policy)

    async def main() -> None:
        async with server(tmp_path) as api:
            await work(api)

    asyncio.run(main())
    return lines(tmp_path / "audit.log")


@asynccontextmanager
async def server(folder: Path) -> AsyncGenerator[Api, None]:
    log = str(folder / "audit.log")
    async with watched(audit_policy_file=folder / "policy.yaml", audit_log=log) as api:
        yield api


def test_a_request_has_two_events(tmp_path: Path) -> None:  # T1
    async def work(api: Api) -> None:
        await api.ok("POST", CONFIG_MAPS, config_map(), audit_id="mine", x_forwarded_for="10.0.0.1, 10.0.0.2")

    first, second = audited("rules: [{level: Metadata}]", tmp_path, work)
    assert list(first) == [
        "kind", "apiVersion", "level", "auditID", "stage", "requestURI", "verb", "user", "sourceIPs",
        "userAgent", "objectRef", "requestReceivedTimestamp", "stageTimestamp",
    ]  # fmt: skip
    assert (first["stage"], second["stage"]) == ("RequestReceived", "ResponseComplete")
    assert first["auditID"] == second["auditID"] == "mine"
    assert first["sourceIPs"] == ["10.0.0.1", "10.0.0.2"]
    assert first["objectRef"] == {"resource": "configmaps", "namespace": "default", "apiVersion": "v1"}
    assert second["objectRef"] == {**first["objectRef"], "name": "a"}
    assert second["responseStatus"] == {"metadata": {}, "code": 201}
    assert second["annotations"] == AUTHORIZED
    assert second["requestReceivedTimestamp"] == first["stageTimestamp"] < second["stageTimestamp"]
    assert "requestObject" not in second and "responseObject" not in second


def test_objects_are_kept_from_their_level_on(tmp_path: Path) -> None:  # T2
    async def work(api: Api) -> None:
        await api.ok("POST", CONFIG_MAPS, config_map(k="v"))
        await api.ok("POST", CONFIG_MAPS, b"metadata: {name: b}\n", type="application/yaml")
        await api.ok("PATCH", f"{CONFIG_MAPS}/a", {"data": {"k": "w"}}, type=MERGE)
        await api.ok(
            "PATCH",
            f"{CONFIG_MAPS}/c?fieldManager=m",
            b"{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}",
            type=APPLY,
        )
        await api.ok("GET", f"{CONFIG_MAPS}/a", accept="application/yaml")
        await api.ok("GET", f"{CONFIG_MAPS}/a", accept="application/vnd.kubernetes.protobuf")
        await api.ok("GET", f"{CONFIG_MAPS}/a?pretty=true")
        await api.ok("DELETE", f"{CONFIG_MAPS}/a", {"kind": "DeleteOptions", "gracePeriodSeconds": 0})

    policy = "omitStages: [RequestReceived]\nomitManagedFields: true\nrules: [{level: RequestResponse}]"
    events = audited(policy, tmp_path, work)
    sent = [each.get("requestObject") for each in events]
    assert sent[0] == {
        "kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a"}, "data": {"k": "v"},
    }  # fmt: skip
    assert sent[1] == {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "b"}}
    assert sent[2] == {"data": {"k": "w"}}
    assert sent[3] == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    assert sent[7] == {
        "kind": "DeleteOptions", "apiVersion": "meta.k8s.io/__internal", "gracePeriodSeconds": 0,
    }  # fmt: skip
    answered = [each["responseObject"] for each in events]
    assert answered[0]["metadata"]["uid"] and "managedFields" not in answered[0]["metadata"]
    assert answered[4] == answered[5] == answered[6]
    assert answered[4]["data"] == {"k": "w"}
    assert events[7]["responseStatus"]["status"] == "Success"


def test_what_went_wrong_is_in_the_status(tmp_path: Path) -> None:  # T1
    async def work(api: Api) -> None:
        await api.refused(404, "GET", f"{CONFIG_MAPS}/nope")
        await api.refused(403, "GET", CONFIG_MAPS, impersonate_user="jane")

    missing, forbidden = audited("rules: [{level: Metadata, omitStages: [RequestReceived]}]", tmp_path, work)
    assert missing["responseStatus"] == {
        "metadata": {},
        "status": "Failure",
        "message": 'configmaps "nope" not found',
        "reason": "NotFound",
        "details": {"name": "nope", "kind": "configmaps"},
        "code": 404,
    }
    assert forbidden["impersonatedUser"] == {"username": "jane", "groups": ["system:authenticated"]}
    assert forbidden["authenticationMetadata"] == {"impersonationConstraint": "impersonate:user-info"}
    assert forbidden["annotations"]["authorization.k8s.io/decision"] == "forbid"


def test_a_watch_has_a_stage_more(tmp_path: Path) -> None:  # T1
    async def work(api: Api) -> None:
        async with api.watch(CONFIG_MAPS):
            pass

    events = audited("rules: [{level: RequestResponse}]", tmp_path, work)
    assert [each["stage"] for each in events] == ["RequestReceived", "ResponseStarted", "ResponseComplete"]
    assert all(each["verb"] == "watch" for each in events)


def test_who_is_nobody_has_one_event(tmp_path: Path) -> None:  # A2
    async def work(api: Api) -> None:
        await api.refused(401, "GET", CONFIG_MAPS, authorization="Bearer wrong")

    (event,) = audited("rules: [{level: Metadata}]", tmp_path, work)
    assert event["stage"] == "ResponseStarted" and event["user"] == {}
    assert event["responseStatus"]["code"] == 401


def test_what_a_role_allows_says_which(tmp_path: Path) -> None:  # T1
    async def work(api: Api) -> None:
        await api.ok("GET", "/version", impersonate_user="jane")

    (event,) = audited("rules: [{level: Metadata, omitStages: [RequestReceived]}]", tmp_path, work)
    assert event["annotations"]["authorization.k8s.io/reason"].startswith(
        "RBAC: allowed by ClusterRoleBinding"
    )
    assert "objectRef" not in event


def test_a_mistake_in_the_server_is_a_panic() -> None:  # T1
    events: list[dict[str, Any]] = []
    trail = EventTrail(
        Request(_Peer(), "GET", "/x", headers={}, body=b""),
        Attributes(user=ANONYMOUS, verb="get", path="/x"),
        Wanted("Metadata"),
        user=ANONYMOUS,
        now=SYSTEM_CLOCK.now,
        emit=events.append,
    )
    trail.begin()
    trail.panicked(RuntimeError("out of order"))
    trail.complete(500, None)
    assert [each["stage"] for each in events] == ["RequestReceived", "Panic"]
    assert events[1]["responseStatus"]["message"] == "APIServer panic'd: out of order"


def test_a_client_that_went_away_is_written_down() -> None:  # T1
    events: list[dict[str, Any]] = []
    trail = EventTrail(
        Request(_Peer(), "GET", "/x", headers={"user-agent": "a" * 2000}, body=b""),
        Attributes(user=ANONYMOUS, verb="get", path="/x"),
        Wanted("Metadata"),
        user=ANONYMOUS,
        now=SYSTEM_CLOCK.now,
        emit=events.append,
    )
    trail.complete(0, None)
    (event,) = events
    assert event["responseStatus"]["message"] == "Connection closed early"
    assert event["sourceIPs"] == ["fd00::1"]
    assert event["userAgent"] == "a" * 1024 + "...TRUNCATED"


def test_what_is_no_json_is_left_out(caplog: pytest.LogCaptureFixture) -> None:  # T3
    events: list[dict[str, Any]] = []
    trail = EventTrail(
        Request(_Peer(), "POST", "/x", headers={}, body=b""),
        Attributes(user=ANONYMOUS, verb="create", resource="pods", version="v1"),
        Wanted("Request"),
        user=ANONYMOUS,
        now=SYSTEM_CLOCK.now,
        emit=events.append,
    )
    deep: dict[str, Any] = {}
    for _ in range(20_000):
        deep = {"a": deep}
    trail.sent(deep)
    trail.patched(b"{", yaml=False)
    trail.patched(b"[" * 100_000, yaml=False)
    trail.patched(b"a: [", yaml=True)
    trail.complete(400, None)
    assert "requestObject" not in events[0]
    assert [each.message for each in caplog.records] == ["an object is not in the audit log"]


class _Peer:
    remote = "[fd00::1]:4711"

    def certificate(self) -> bytes | None:
        return None


def test_a_policy_that_is_wrong_lets_nothing_start(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"{HEAD}rules: [{{level: Some}}]")
    options = ClusterOptions(
        listen=False,
        api_only=True,
        operating=Operating(audit_policy_file=policy, audit_log=str(tmp_path / "a")),
    )

    async def main() -> None:
        async with Cluster(options):
            raise AssertionError("it started")

    with pytest.raises(
        ClusterError, match=r"--audit-policy-file .*policy.yaml: rules\[0\].level: Unsupported"
    ):
        asyncio.run(main())
