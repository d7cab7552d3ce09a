"""The kubeconfig: ours added, theirs kept."""

import base64
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from kajitori.apiserver.kubeconfig import KubeconfigError, write_kubeconfig


def write(path: Path, server: str = "https://127.0.0.1:6443", token: str = "secret") -> Any:
    write_kubeconfig(path, server=server, ca_data=b"PEM", token=token)
    return yaml.safe_load(path.read_text())


def entry(config: Any, section: str, name: str) -> Any:
    [found] = [each for each in config[section] if each["name"] == name]
    return found[section[:-1]]


def test_a_new_file_is_all_that_kubectl_needs(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config"
    config = write(path)
    assert (config["apiVersion"], config["kind"], config["current-context"]) == ("v1", "Config", "kajitori")
    context = entry(config, "contexts", "kajitori")
    assert context == {"cluster": "kajitori", "user": "admin"}
    assert entry(config, "users", "admin") == {"token": "secret"}
    cluster = entry(config, "clusters", "kajitori")
    assert cluster["server"] == "https://127.0.0.1:6443"
    assert base64.b64decode(cluster["certificate-authority-data"]) == b"PEM"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600  # F2


THEIRS = {
    "apiVersion": "v1",
    "kind": "Config",
    "preferences": {"colors": True},
    "clusters": [{"name": "prod", "cluster": {"server": "https://prod"}}],
    "users": [{"name": "me", "user": {"token": "t"}}],
    "contexts": [{"name": "prod", "context": {"cluster": "prod", "user": "me", "namespace": "x"}}],
    "current-context": "prod",
}


def test_other_clusters_stay(tmp_path: Path) -> None:  # F1
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(THEIRS))
    config = write(path)
    assert config["current-context"] == "kajitori"
    assert config["preferences"] == {"colors": True}
    for section in ("clusters", "users", "contexts"):
        assert THEIRS[section][0] in config[section]  # type: ignore[index]
        assert len(config[section]) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_writing_again_changes_only_what_changed(tmp_path: Path) -> None:
    path = tmp_path / "config"
    write(path)
    config = yaml.safe_load(path.read_text())
    config["contexts"][0]["context"]["namespace"] = "mine"
    path.write_text(yaml.safe_dump(config))
    config = write(path, "https://127.0.0.1:7777", "other")
    assert entry(config, "clusters", "kajitori")["server"] == "https://127.0.0.1:7777"
    assert entry(config, "users", "admin") == {"token": "other"}
    assert entry(config, "contexts", "kajitori")["namespace"] == "mine"
    assert all(len(config[section]) == 1 for section in ("clusters", "users", "contexts"))


def test_an_admin_of_another_cluster_stays_its_admin(tmp_path: Path) -> None:  # F1
    path = tmp_path / "config"
    theirs = {
        "clusters": None,
        "users": [{"name": "admin", "user": {"token": "prod"}}],
        "contexts": [{"name": "prod", "context": {"cluster": "prod", "user": "admin"}}],
    }
    path.write_text(yaml.safe_dump(theirs))
    config = write(path)
    assert entry(config, "users", "admin") == {"token": "prod"}
    assert entry(config, "contexts", "kajitori")["user"] == "kajitori-admin"
    assert entry(config, "users", "kajitori-admin") == {"token": "secret"}


@pytest.mark.parametrize("content", ["- a\n- b\n", "kind: Pod\n", "{", "clusters: {a: b}\nkind: Config\n"])
def test_what_is_no_kubeconfig_is_left_alone(tmp_path: Path, content: str) -> None:  # F3
    path = tmp_path / "config"
    path.write_text(content)
    with pytest.raises(KubeconfigError, match="config"):
        write(path)
    assert path.read_text() == content


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert "kajitori" in (tmp_path / "real").read_text()
