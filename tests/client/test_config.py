"""Kubeconfig files: merged as kubectl does, wrong in one clear sentence."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from kajitori.client import config as config_module
from kajitori.client.config import ConfigError, load_config
from kajitori.client.network import NetworkTransport, connect


def write(path: Path, **changes: Any) -> Path:
    content: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "c", "cluster": {"server": "https://one:6443/"}}],
        "users": [{"name": "u", "user": {"token": "secret"}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
    }
    content.update({name.replace("_", "-"): value for name, value in changes.items()})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content))
    return path


def with_user(path: Path, **user: Any) -> Path:
    return write(
        path, users=[{"name": "u", "user": {name.replace("_", "-"): value for name, value in user.items()}}]
    )


def with_cluster(path: Path, **cluster: Any) -> Path:
    members = {"server": "https://one", **{name.replace("_", "-"): value for name, value in cluster.items()}}
    return write(path, clusters=[{"name": "c", "cluster": members}])


def test_reads_the_current_context(tmp_path: Path) -> None:
    got = load_config(write(tmp_path / "config"))
    assert (got.cluster.server, got.user.token, got.namespace) == ("https://one:6443", "secret", "default")


def test_a_named_context_counts_over_the_current_one(tmp_path: Path) -> None:
    contexts = [{"name": "there", "context": {"cluster": "c", "namespace": "db"}}]
    got = load_config(write(tmp_path / "config", contexts=contexts), "there")
    assert got.namespace == "db" and not got.user.token


def test_of_several_files_the_first_counts(tmp_path: Path) -> None:  # G1
    first = write(tmp_path / "1", current_context="", clusters=[], contexts=[])
    second = with_user(tmp_path / "2", token="other")
    missing = tmp_path / "0"
    got = load_config(environ={"KUBECONFIG": f"{missing}:{first}:{second}"})
    assert (got.user.token, got.cluster.server) == ("secret", "https://one:6443")


def test_home_is_looked_at_without_a_variable(tmp_path: Path) -> None:
    write(tmp_path / ".kube" / "config")
    assert load_config(environ={"HOME": str(tmp_path)}).user.token == "secret"


def test_paths_are_relative_to_their_file(tmp_path: Path) -> None:  # G2
    path = with_cluster(tmp_path / "deep" / "config", certificate_authority="ca.crt")
    assert load_config(path).cluster.ca_file == str(tmp_path / "deep" / "ca.crt")
    path = with_user(
        tmp_path / "deep" / "config", tokenFile="token", client_certificate="/abs/c", client_key="k"
    )
    user = load_config(path).user
    folder = tmp_path / "deep"
    assert (user.token_file, user.certificate_file, user.key_file) == (
        str(folder / "token"),
        "/abs/c",
        str(folder / "k"),
    )


def test_all_members_are_read(tmp_path: Path) -> None:
    data = base64.b64encode(b"pem").decode()
    cluster = load_config(
        with_cluster(
            tmp_path / "config",
            certificate_authority_data=data,
            tls_server_name="name",
            proxy_url="http://proxy:3128",
            disable_compression=True,
        )
    ).cluster
    assert (cluster.ca_data, cluster.tls_server_name, cluster.proxy_url) == (
        b"pem",
        "name",
        "http://proxy:3128",
    )
    assert cluster.disable_compression
    run = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "./login",
        "args": ["a"],
        "env": [{"name": "X", "value": "y"}],
        "interactiveMode": "Never",
        "provideClusterInfo": True,
    }
    people: dict[str, Any] = {"as": "jane", "as-groups": ["g"], "as-uid": "7", "as-user-extra": {"k": ["v"]}}
    user = load_config(with_user(tmp_path / "config", exec=run, **people)).user
    assert user.exec is not None and user.exec.command == str(tmp_path / "login")
    assert (user.exec.args, user.exec.env, user.exec.interactive_mode) == (("a",), {"X": "y"}, "Never")
    assert (user.impersonate, user.impersonate_groups, user.impersonate_uid) == ("jane", ("g",), "7")
    assert user.impersonate_extra == {"k": ("v",)}


def test_in_a_pod_the_service_account_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("token", "t"), ("ca.crt", "pem"), ("namespace", "db\n")):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(config_module, "SERVICE_ACCOUNT_FOLDER", tmp_path)
    environ = {"HOME": "/nowhere", "KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    got = load_config(environ=environ)
    assert (got.cluster.server, got.namespace) == ("https://[fd00::1]:443", "db")
    assert (got.user.token_file, got.cluster.ca_file) == (str(tmp_path / "token"), str(tmp_path / "ca.crt"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"current_context": ""}, "no current-context is set"),
        ({"current_context": "x"}, "there is no context 'x'; there are 'here'"),
        ({"clusters": []}, "context 'here' names cluster 'c', which does not exist"),
        ({"users": []}, "context 'here' names user 'u', which does not exist"),
        ({"clusters": [{}]}, "an entry of clusters has no name"),
        ({"clusters": [{"name": "c", "cluster": {"server": "one"}}]}, "server is 'one'; it must be"),
        ({"clusters": [{"name": "c"}]}, "server is ''"),
        (
            {
                "clusters": [
                    {"name": "c", "cluster": {"server": "https://a", "certificate-authority-data": "%"}}
                ]
            },
            "certificate-authority-data is not base64",
        ),
        (
            {"clusters": [{"name": "c", "cluster": {"server": "https://a", "proxy-url": "socks5://p"}}]},
            "only http and https proxies",
        ),
        ({"users": [{"name": "u", "user": {"username": "x"}}]}, "use a token or certificate"),
        ({"users": [{"name": "u", "user": {"auth-provider": {"name": "x"}}}]}, "exec credential plugin"),
        ({"users": [{"name": "u", "user": {"client-key-data": "aaaa"}}]}, "go together"),
        ({"users": [{"name": "u", "user": {"exec": {"apiVersion": "v0"}}}]}, "are supported"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, changes: dict[str, Any], told: str) -> None:  # G3
    with pytest.raises(ConfigError, match=told) as caught:
        load_config(write(tmp_path / "config", **changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"), [("a: [", "not YAML"), ("[]", "not a kubeconfig"), ("", "not a kubeconfig")]
)
def test_files_that_are_none_are_told(tmp_path: Path, text: str, told: str) -> None:  # G3
    (tmp_path / "config").write_text(text)
    with pytest.raises(ConfigError, match=told) as caught:
        load_config(tmp_path / "config")
    assert "\n" not in str(caught.value)


def test_having_nothing_is_told_with_the_remedy() -> None:  # G3
    with pytest.raises(ConfigError, match="name a file with KUBECONFIG"):
        load_config(environ={"HOME": "/nowhere"})
    with pytest.raises(ConfigError, match="No such file"):
        load_config("/nowhere/config")


def test_who_to_act_as_may_be_said_when_connecting(tmp_path: Path) -> None:
    client = connect(write(tmp_path / "config"), as_user="jane", as_groups=["g"])
    transport = client.transport
    assert isinstance(transport, NetworkTransport)
    user = transport.config.user
    assert (user.impersonate, user.impersonate_groups, user.token) == ("jane", ("g",), "secret")
