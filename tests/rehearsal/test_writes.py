"""Recorded requests as writes."""

import gzip
from pathlib import Path
from typing import Any

import msgspec
from tests.posture.rbac.events import event
from tests.rehearsal.support import ADMIN, config_map, put, staged

from kajitori.rehearsal.recorded import Left, Recorded, events, is_log
from kajitori.rehearsal.stage import Stage
from kajitori.rehearsal.writes import Write, of_events, of_object


def recorded(verb: str, name: str, obj: Any = None, *, answered: Any = None, **more: Any) -> dict[str, Any]:
    level = more.pop("level", "Request" if answered is None else "RequestResponse")
    found = event("jane", verb, f"/configmaps@default:{name}", groups=("g",), **more) | {"level": level}
    if obj is not None:
        found["requestObject"] = obj
    if answered is not None:
        found["responseObject"] = answered
    found["objectRef"].setdefault("apiVersion", "v1")
    return found


def replayed(stage: Stage, *given: dict[str, Any]) -> tuple[list[Write], dict[str, int]]:
    left = Left()
    found = list(
        of_events(
            stage,
            [(f"log:{line}", msgspec.convert(each, Recorded)) for line, each in enumerate(given, 1)],
            left,
        )
    )
    return found, dict(left.reasons)


@staged
async def test_requests_that_changed_something(stage: Stage) -> None:  # W2
    found, left = replayed(
        stage,
        recorded("create", "a", config_map("a", k="1")),
        recorded("update", "a", config_map("a", k="2")),
        recorded("patch", "a", {"data": {"k": "3"}}, answered=config_map("a", k="3")),
        recorded("delete", "a", {"kind": "DeleteOptions", "apiVersion": "v1"}),
        recorded("get", "a"),
    )
    assert left == {}
    seen = [(each.operation, (each.obj or {}).get("data"), (each.old or {}).get("data")) for each in found]
    assert seen == [
        ("CREATE", {"k": "1"}, None),
        ("UPDATE", {"k": "2"}, {"k": "1"}),
        ("UPDATE", {"k": "3"}, {"k": "2"}),
        ("DELETE", None, {"k": "3"}),
    ]
    assert {(each.user.name, each.user.groups) for each in found} == {("jane", ("g",))}
    assert [each.origin for each in found] == ["log:1", "log:2", "log:3", "log:4"]


@staged
async def test_what_cannot_be_replayed_is_counted_by_the_reason(stage: Stage) -> None:  # W2
    found, left = replayed(
        stage,
        recorded("create", "a", level="Metadata"),
        recorded("create", "a", config_map("a"), code=403),
        recorded("patch", "a", {"data": {}}),
        recorded("update", "b", config_map("b")),
        recorded("deletecollection", ""),
        {"kind": "Event", "apiVersion": "v1"},
    )
    assert found == []
    assert left == {
        "it was recorded at level Metadata, without its object": 1,
        "it was refused then": 1,
        "a patch says what it made only at level RequestResponse": 1,
        "what the object was before is not known; give a backup or the cluster too": 1,
        "a deletion of many objects does not say which": 1,
        "no event of audit.k8s.io": 1,
    }


@staged
async def test_what_was_before_may_come_from_elsewhere(stage: Stage) -> None:
    await put(stage, config_map("b", k="0"))
    [write], left = replayed(stage, recorded("update", "b", config_map("b", k="1")))
    assert left == {} and write.old is not None and write.old["data"] == {"k": "0"}


@staged
async def test_scales(stage: Stage) -> None:
    scale = {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {"name": "w"},
        "spec": {"replicas": 9},
    }
    labels = {"app": "w"}
    containers = [{"name": "c", "image": "x"}]
    await put(
        stage,
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "w", "namespace": "default"},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
            },
        },
    )
    scaled = event("jane", "patch", "apps/deployments/scale@default:w") | {
        "level": "RequestResponse",
        "responseObject": scale,
    }
    scaled["objectRef"] |= {"apiVersion": "v1", "subresource": "scale"}
    [write], left = replayed(stage, scaled)
    assert left == {} and write.subresource == "scale"
    assert write.obj is not None and write.obj["spec"]["replicas"] == 9


@staged
async def test_what_needs_no_object(stage: Stage) -> None:
    await put(stage, config_map("b", k="0"))
    shell = event("jane", "create", "/pods/exec@default:p") | {"level": "Metadata"}
    shell["objectRef"] |= {"apiVersion": "v1", "subresource": "exec"}
    found, left = replayed(stage, shell, recorded("delete", "b", level="Metadata"))
    assert left == {}
    assert [(each.operation, each.subresource) for each in found] == [("CONNECT", "exec"), ("DELETE", "")]


@staged
async def test_creations_look_like_creations(stage: Stage) -> None:  # W1
    stored = config_map(k="1")
    stored["metadata"] |= {"resourceVersion": "7", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"}
    write = of_object(stage, stored, "CREATE", ADMIN)
    assert write.obj is not None and "resourceVersion" not in write.obj["metadata"] and write.old is None
    write = of_object(stage, stored, "UPDATE", ADMIN)
    assert write.obj == write.old and write.obj is not None
    assert write.obj["metadata"]["resourceVersion"] == "7"


def test_logs_that_were_laid_aside(tmp_path: Path) -> None:  # L1
    log = tmp_path / "audit.log"
    line = msgspec.json.encode(recorded("create", "a", config_map("a"))) + b"\n"
    odd = b'{"kind":"Event","apiVersion":"audit.k8s.io/v1","responseStatus":7}\n{"kind":"Pod"}\n'
    log.write_bytes(line + b"no json\n[]\n\n" + odd)
    (tmp_path / "audit-2026-01-01T00-00-00.000.log.gz").write_bytes(gzip.compress(line))
    left = Left()
    assert is_log(log) and len(list(events(log, left))) == 2
    assert dict(left.reasons) == {"the line is no event": 4}
    (tmp_path / "policy.yaml").write_text("apiVersion: audit.k8s.io/v1\nkind: Policy\n")
    assert not is_log(tmp_path / "policy.yaml")
