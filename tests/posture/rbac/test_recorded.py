"""What an event of an audit log says was asked."""

from typing import Any

import msgspec
import pytest
from tests.posture.rbac.events import event, lines

from kajitori.posture.rbac.recorded import Asked, Recorded, questions_of, read_events


def asked(made: dict[str, Any]) -> list[tuple[str, str, str, str, str, str, str]]:
    (each,) = read_events(msgspec.json.encode(made))
    found = []
    for one in questions_of(each):
        thing = "/".join(filter(None, (one.resource, one.subresource)))
        found.append((one.user, one.verb, one.group, thing, one.namespace, one.name, one.path))
    return found


def test_a_request_for_a_resource_and_one_for_a_path() -> None:
    assert asked(event("jane", "get", "apps/deployments/scale@shop:web")) == [
        ("jane", "get", "apps", "deployments/scale", "shop", "web", "")
    ]
    assert asked(event("jane", "get", "//healthz")) == [("jane", "get", "", "", "", "", "/healthz")]


def test_what_is_created_had_no_name_when_it_was_asked_for() -> None:
    assert asked(event("jane", "create", "/pods@shop:web"))[0][5] == ""
    assert asked(event("jane", "create", "/pods/eviction@shop:web"))[0][5] == "web"
    assert asked(event("jane", "deletecollection", "/pods@shop:web"))[0][5] == ""


@pytest.mark.parametrize(
    ("made", "besides"),
    [
        (event("j", "patch", "/configmaps@a:x", code=201), [("create", "", "configmaps", "x")]),
        (event("j", "update", "/configmaps@a:x", code=200), []),
        (event("j", "get", "/pods/exec@a:p", code=101), [("create", "", "pods/exec", "p")]),
        (
            event("j", "create", "rbac.authorization.k8s.io/roles@a:r", code=201),
            [("escalate", "rbac.authorization.k8s.io", "roles", "*")],
        ),
        (
            event("j", "patch", "rbac.authorization.k8s.io/rolebindings@a:r"),
            [
                ("bind", "rbac.authorization.k8s.io", "roles", "*"),
                ("bind", "rbac.authorization.k8s.io", "clusterroles", "*"),
            ],
        ),
        (
            event("j", "update", "certificates.k8s.io/certificatesigningrequests/approval:c"),
            [("approve", "certificates.k8s.io", "signers", "*")],
        ),
        (
            event("j", "update", "certificates.k8s.io/certificatesigningrequests/status:c"),
            [("sign", "certificates.k8s.io", "signers", "*")],
        ),
    ],
)
def test_what_the_server_asks_besides(made: dict[str, Any], besides: list[tuple[str, ...]]) -> None:  # U1
    assert [
        (verb, group, resource, name) for _, verb, group, resource, _, name, _ in asked(made)[1:]
    ] == besides


def test_impersonation() -> None:  # U1
    made = event("jane", "list", "/pods@shop", impersonatedUser={
        "username": "system:serviceaccount:shop:web", "groups": ["g"], "uid": "u", "extra": {"k": ["v"]},
    })  # fmt: skip
    assert asked(made) == [
        ("jane", "impersonate", "", "serviceaccounts", "shop", "web", ""),
        ("jane", "impersonate", "", "groups", "", "g", ""),
        ("jane", "impersonate", "authentication.k8s.io", "uids", "", "u", ""),
        ("jane", "impersonate", "authentication.k8s.io", "userextras/k", "", "v", ""),
        ("system:serviceaccount:shop:web", "list", "", "pods", "shop", "", ""),
    ]


def test_impersonation_by_a_constrained_mode() -> None:
    made = event(
        "jane", "list", "/pods@shop", impersonatedUser={"username": "joe"},
        authenticationMetadata={"impersonationConstraint": "impersonate:user-info"},
    )  # fmt: skip
    assert asked(made) == [
        ("jane", "impersonate:user-info", "authentication.k8s.io", "users", "", "joe", ""),
        ("joe", "list", "", "pods", "shop", "", ""),
        ("jane", "impersonate-on:user-info:list", "", "pods", "shop", "", ""),
    ]


def test_what_other_servers_asked_is_in_a_log_that_has_requests() -> None:
    review = event("metrics", "create", "authorization.k8s.io/subjectaccessreviews")
    assert len(asked(review)) == 1, "a log of metadata does not have it"
    review["requestObject"] = {
        "spec": {
            "user": "jane",
            "resourceAttributes": {"verb": "get", "resource": "nodes", "subresource": "metrics"},
        }
    }
    assert asked(review)[1] == ("jane", "get", "", "nodes/metrics", "", "", "")
    review["requestObject"] = {
        "spec": {"user": "jane", "nonResourceAttributes": {"verb": "get", "path": "/metrics"}}
    }
    assert asked(review)[1] == ("jane", "get", "", "", "", "", "/metrics")


def recorded(*events: dict[str, Any], named: bool = True) -> Recorded:
    found = Recorded()
    for line in lines(*events).splitlines():
        found.add(line, lambda group, resource: named)
    return found


def test_what_was_refused_asks_nothing() -> None:  # U2
    refused = event("jane", "get", "/secrets@shop:s", code=403)
    refused["annotations"]["authorization.k8s.io/decision"] = "forbid"
    found = recorded(refused, event("", "get", "/pods@shop:p", code=401, annotations=None))
    assert (found.events, found.refused, found.asked) == (2, 2, {})
    by_admission = recorded(event("jane", "create", "/pods@shop", code=403))
    assert len(by_admission.asked) == 1, "authorization allowed it"


def test_stages_of_one_request_count_once() -> None:
    made = event("jane", "watch", "/pods@shop")
    early = made | {"stage": "RequestReceived", "annotations": None, "responseStatus": None}
    found = recorded(early, made | {"stage": "ResponseStarted"}, made)
    assert found.asked == {Asked("jane", (), "watch", "", "pods", "", "shop"): 1}
    assert (found.events, found.undecided) == (3, 1)
    going_on = recorded(made | {"stage": "ResponseStarted"})
    assert going_on.asked == {Asked("jane", (), "watch", "", "pods", "", "shop"): 0}, "known, and not over"


def test_names_are_kept_where_roles_name_some() -> None:  # U3
    events = [event("jane", "get", f"/pods@shop:p{number}") for number in range(3)]
    assert len(recorded(*events).asked) == 3
    assert recorded(*events, named=False).asked == {Asked("jane", (), "get", "", "pods", "", "shop"): 3}


def test_lists_of_events_and_the_time_between() -> None:
    first = event("jane", "get", "//a", stageTimestamp="2026-01-02T00:00:00.000000Z")
    last = event("jane", "get", "//a", stageTimestamp="2026-01-05T00:00:00.000000Z")
    found = recorded({"kind": "EventList", "items": [last, first]})
    assert (found.events, found.first[:10], found.last[:10]) == (2, "2026-01-02", "2026-01-05")


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"{}", b'{"kind":"Pod"}', b'{"kind":"Event","user":"jane"}', b"\xff"]
)
def test_what_is_no_event_is_refused(line: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        Recorded().add(line, lambda group, resource: True)


def test_programs_and_their_versions() -> None:
    agents = [
        "kubectl/v1.36.4 (linux/amd64) kubernetes/bb826b1",
        "kubelet/v1.35.0 (linux/amd64)",
        "curl/8.0",
        "",
    ]
    found = recorded(*(event("jane", "get", "//x", userAgent=each) for each in (*agents, *agents)))
    assert list(found.programs) == [("kubectl", "v1.36.4"), ("kubelet", "v1.35.0")]
