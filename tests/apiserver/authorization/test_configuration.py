"""The file that says who is asked."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from kajitori.apiserver.authorization.configuration import read_configuration


@pytest.fixture
def kubeconfig(tmp_path: Path) -> str:
    path = tmp_path / "kc"
    path.write_text("")
    return str(path)


def file(*authorizers: dict[str, Any], version: str = "v1") -> bytes:
    return yaml.safe_dump(
        {
            "apiVersion": f"apiserver.config.k8s.io/{version}",
            "kind": "AuthorizationConfiguration",
            "authorizers": list(authorizers),
        }
    ).encode()


def webhook(kubeconfig: str, **more: Any) -> dict[str, Any]:
    said = {
        "timeout": "3s",
        "failurePolicy": "Deny",
        "subjectAccessReviewVersion": "v1",
        "connectionInfo": {"type": "KubeConfigFile", "kubeConfigFile": kubeconfig},
        **more,
    }
    return {
        "type": "Webhook",
        "name": "w.x",
        "webhook": {key: value for key, value in said.items() if value is not None},
    }


RBAC = {"type": "RBAC", "name": "rbac"}


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha1"])
def test_what_is_left_out_has_defaults(kubeconfig: str, version: str) -> None:  # F2
    found = read_configuration(file(webhook(kubeconfig), RBAC, version=version))
    assert [(each.type, each.name) for each in found] == [("Webhook", "w.x"), ("RBAC", "rbac")]
    configured = found[0].webhook
    assert configured is not None
    assert (configured.timeout_seconds, configured.kubeconfig, configured.conditions) == (3.0, kubeconfig, ())
    settings = configured.settings
    assert (settings.authorized_seconds, settings.unauthorized_seconds) == (300.0, 30.0)
    assert (settings.version, settings.fails_closed) == ("v1", True)


def test_what_is_said_counts(kubeconfig: str) -> None:
    said = webhook(
        kubeconfig,
        authorizedTTL="1m",
        unauthorizedTTL="1h30m",
        cacheUnauthorizedRequests=False,
        failurePolicy="NoOpinion",
        matchConditionSubjectAccessReviewVersion="v1",
        matchConditions=[{"expression": "request.user != 'a'"}],
    )
    [found] = read_configuration(file(said))
    assert found.webhook is not None
    settings = found.webhook.settings
    assert (settings.authorized_seconds, settings.unauthorized_seconds) == (60.0, 0.0)
    assert not settings.fails_closed and len(found.webhook.conditions) == 1


@pytest.mark.parametrize(
    ("authorizers", "told"),
    [
        ([], "authorizers: Required value: at least one authorization mode must be defined"),
        ([{"name": "a"}], "authorizers[0].type: Required value"),
        (
            [{"type": "Foo", "name": "foo"}],
            'authorizers[0].type: Unsupported value: "Foo": supported values: "ABAC", "AlwaysAllow", '
            '"AlwaysDeny", "Node", "RBAC", "Webhook"',
        ),
        ([RBAC, RBAC], 'authorizers[1].type: Duplicate value: "RBAC"'),
        ([{"type": "RBAC"}], "authorizers[0].name: Required value"),
        ([{"type": "RBAC", "name": "x"}], "expected name rbac for authorizer RBAC instead of x"),
        (
            [{**RBAC, "webhook": {}}],
            'authorizers[0].webhook: Invalid value: "non-null": may only be specified when type=Webhook',
        ),
        (
            [{"type": "Webhook", "name": "w"}],
            "authorizers[0].webhook: Required value: required when type=Webhook",
        ),
        (
            [{**RBAC, "foo": 1}],
            "failed to load AuthorizationConfiguration from file: strict decoding error: unknown field "
            '"authorizers[0].foo"',
        ),
        (
            [{"type": 1, "name": "a"}],
            "failed to load AuthorizationConfiguration from file: strict decoding error: authorizers[0].type: "
            "Expected `str`, got `int`",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(authorizers: list[dict[str, Any]], told: str) -> None:  # F1
    with pytest.raises(ValueError) as refused:
        read_configuration(file(*authorizers))
    assert str(refused.value) == told


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"timeout": None}, "timeout: Required value"),
        ({"timeout": "31s"}, 'timeout: Invalid value: "31s": must be > 0s and <= 30s'),
        ({"timeout": "soon"}, 'timeout: Invalid value: "soon": time: invalid duration "soon"'),
        ({"authorizedTTL": "-1s"}, 'authorizedTTL: Invalid value: "-1s": must be > 0s'),
        ({"subjectAccessReviewVersion": None}, "subjectAccessReviewVersion: Required value"),
        (
            {"failurePolicy": "Maybe"},
            'failurePolicy: Unsupported value: "Maybe": supported values: "NoOpinion", "Deny"',
        ),
        ({"connectionInfo": None}, "connectionInfo.type: Required value"),
        ({"connectionInfo": {"type": "KubeConfigFile"}}, "connectionInfo.kubeConfigFile: Required value"),
        (
            {"connectionInfo": {"type": "KubeConfigFile", "kubeConfigFile": "x"}},
            'connectionInfo.kubeConfigFile: Invalid value: "x": must be an absolute path',
        ),
        (
            {"connectionInfo": {"type": "KubeConfigFile", "kubeConfigFile": "/no/file"}},
            'connectionInfo.kubeConfigFile: Invalid value: "/no/file": error loading file: stat /no/file: no such file '
            "or directory",
        ),
        (
            {"connectionInfo": {"type": "InClusterConfig", "kubeConfigFile": "/x"}},
            'connectionInfo.kubeConfigFile: Invalid value: "/x": can only be set when type=KubeConfigFile',
        ),
        (
            {"matchConditions": [{"expression": "true"}]},
            "matchConditionSubjectAccessReviewVersion: Required value: required if match conditions are specified",
        ),
        (
            {
                "matchConditionSubjectAccessReviewVersion": "v1",
                "matchConditions": [{"expression": "request.usr == 'a'"}],
            },
            "matchConditions[0].expression: Invalid value: \"request.usr == 'a'\": compilation failed: "
            "ERROR: <input>:1:8: undefined field 'usr'\n | request.usr == 'a'\n | .......^",
        ),
        (
            {"matchConditionSubjectAccessReviewVersion": "v1", "matchConditions": [{"expression": "1"}]},
            'matchConditions[0].expression: Invalid value: "1": must evaluate to bool but got int',
        ),
        (
            {
                "matchConditionSubjectAccessReviewVersion": "v1",
                "matchConditions": [{"expression": "true"}] * 65,
            },
            "matchConditions: Too many: 65: must have at most 64 items",
        ),
    ],
)
def test_what_is_wrong_with_a_webhook_is_told(kubeconfig: str, more: dict[str, Any], told: str) -> None:  # F1
    with pytest.raises(ValueError) as refused:
        read_configuration(file(webhook(kubeconfig, **more)))
    assert str(refused.value) == f"authorizers[0].{told}"


def test_everything_that_is_wrong_is_told_at_once(kubeconfig: str) -> None:  # F1
    with pytest.raises(ValueError) as refused:
        read_configuration(file(webhook(kubeconfig, timeout=None, failurePolicy=None)))
    told = "[authorizers[0].timeout: Required value, authorizers[0].failurePolicy: Required value]"
    assert str(refused.value) == told


def test_types_that_have_to_stay(kubeconfig: str) -> None:
    with pytest.raises(ValueError, match=r"missing required types: \[Node RBAC\]"):
        read_configuration(file(webhook(kubeconfig)), {"RBAC", "Node"})


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "authorizers: Required value: at least one authorization mode must be defined"),
        (b"a: b", "failed to load AuthorizationConfiguration from file: Object 'Kind' is missing in 'a: b'"),
        (
            b"kind: Foo\napiVersion: v1",
            'failed to load AuthorizationConfiguration from file: no kind "Foo" is registered for version "v1"; '
            "write apiVersion: apiserver.config.k8s.io/v1, kind: AuthorizationConfiguration",
        ),
    ],
)
def test_files_that_are_something_else(data: bytes, told: str) -> None:  # F1
    with pytest.raises(ValueError) as refused:
        read_configuration(data)
    assert str(refused.value) == told
