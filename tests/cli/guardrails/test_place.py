"""Where a command would run. `kubectl config view --minify` is the judge in tests/e2e."""

from pathlib import Path

from kajitori.cli.guardrails.kuberc import parse_with_preferences
from kajitori.cli.guardrails.place import Place, place_of
from kajitori.wire.kubectl import parse

FIRST = """
contexts:
- {name: dev, context: {cluster: dev, user: me, namespace: mine}}
clusters:
- {name: dev, cluster: {server: https://dev:6443}}
"""
SECOND = """
current-context: prod
contexts:
- {name: dev, context: {cluster: other, user: other}}
- {name: prod, context: {cluster: prod, user: boss}}
clusters:
- {name: prod, cluster: {server: https://prod:6443}}
- {name: alias, cluster: {server: https://prod:6443/}}
users: [{name: boss, user: {token: x}}]
"""


def files(folder: Path) -> dict[str, str]:
    (folder / "a").write_text(FIRST)
    (folder / "b").write_text(SECOND)
    return {"KUBECONFIG": f"{folder / 'a'}:{folder / 'none'}:{folder / 'b'}", "HOME": str(folder)}


def test_files_are_merged_and_flags_come_first(tmp_path: Path) -> None:  # P1
    environ = files(tmp_path)

    def at(text: str) -> Place:
        return place_of(parse(text.split()), environ)

    here = at("delete pod x")
    assert (here.context, here.cluster, here.user, here.namespace) == ("prod", "prod", "boss", "default")
    there = at("--context dev delete pod x")
    assert (there.cluster, there.user, there.namespace) == ("dev", "me", "mine")
    assert at("delete pod x -n other --context=dev").namespace == "other"
    assert at("delete pod x --user me --as you").users == ("me", "you")
    assert at(f"delete pod x --kubeconfig {tmp_path / 'a'}").context == ""


def test_a_cluster_goes_by_every_name_of_its_address(tmp_path: Path) -> None:  # P2
    environ = files(tmp_path)
    names = ("alias", "https://prod:6443", "prod")
    assert place_of(parse(["delete", "pod", "x"]), environ).clusters == names
    direct = place_of(parse(["delete", "pod", "x", "--context=dev", "-s", "https://PROD:6443"]), environ)
    assert {"alias", "prod"} <= set(direct.clusters)


def test_aliases_and_defaults_of_kuberc_count(tmp_path: Path) -> None:
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube/kuberc").write_text("""
apiVersion: kubectl.config.k8s.io/v1beta1
kind: Preference
aliases:
- {name: zap, command: delete, prependArgs: [pods], options: [{name: all, default: "true"}]}
defaults:
- {command: delete, options: [{name: namespace, default: shop}]}
""")
    environ = {"HOME": str(tmp_path)}
    line = parse_with_preferences(["zap", "--context", "prod"], environ)
    assert (line.verb, line.arguments, line.is_on("all")) == (("delete",), ("pods",), True)
    assert (line.flag("namespace"), line.flag("context")) == ("shop", "prod")
    assert parse_with_preferences(["delete", "pod", "x", "-n", "a"], environ).flag("namespace") == "a"
    assert not parse_with_preferences(["zap"], environ | {"KUBERC": "off"}).known
