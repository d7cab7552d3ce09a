"""`kajitori audit`: what it prints, what it refuses, and its exit codes."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from tests.posture.admission.test_admission import hook, validating
from tests.posture.objects import RESTRICTED, binding, namespace, obj, pod, role, rule
from tests.posture.rbac.events import event, lines
from tests.posture.test_sources import backup

from kajitori.cli.audit_output import print_sections
from kajitori.cli.main import main
from kajitori.posture.cves.judging import judge_cves
from kajitori.posture.inventory import Inventory
from kajitori.posture.pods import judge_pods

FEED_FILE = Path(__file__).parent.parent / "posture/cves/feed.json"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    written(
        "shop.yaml",
        namespace("shop"),
        pod("shop", "p", **RESTRICTED),
        role("r", rule("get,list", "pods,secrets"), space="shop"),
        binding("b", "r", "User jane", space="shop"),
    )
    return tmp_path


def written(name: str, *objects: dict[str, Any]) -> None:
    Path(name).write_text(yaml.safe_dump_all(objects))


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["audit", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_one_section(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "pods", "-f", "shop.yaml")
    assert code == 0
    assert out == (
        "file shop.yaml\n"
        "note: judged by the standards of the newest version\n"
        "\n"
        "NAMESPACE   ENFORCES   COULD        PODS   TEMPLATES   IN THE WAY OF MORE\n"
        "shop        -          restricted   1      0           -\n"
        "\n"
        "medium  Namespace shop: it enforces no level, and could restricted: 1 Pod keeps to it [level-unset]\n"
        "        > kubectl label --overwrite namespace shop pod-security.kubernetes.io/enforce=restricted\n"
    )


def test_all_sections_on_one_screen(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "-f", "shop.yaml", "--offline")
    assert code == 0
    assert "SECTION    CRITICAL   HIGH   MEDIUM   LOW   INFO\n" in out
    assert "medium     pods      Namespace shop: it enforces no level" in out
    assert "details: kajitori audit rbac, kajitori audit pods" in out
    assert len(out.splitlines()) < 30


@pytest.mark.parametrize(("fail_on", "code"), [("high", 0), ("medium", 1), ("low", 1), ("never", 0)])
def test_exit_codes_for_ci(capsys: pytest.CaptureFixture[str], fail_on: str, code: int) -> None:
    assert run(capsys, "pods", "-f", "shop.yaml", "--fail-on", fail_on)[0] == code


def test_json_and_yaml_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    told = msgspec.json.decode(run(capsys, "pods", "-f", "shop.yaml", "-o", "json")[1])
    assert told == yaml.safe_load(run(capsys, "pods", "-f", "shop.yaml", "-o", "yaml")[1])
    (section,) = told["sections"]
    assert section["name"] == "pods" and section["missing"] == []
    assert section["findings"] == [
        {
            "check": "level-unset",
            "severity": "medium",
            "about": "Namespace shop",
            "message": "it enforces no level, and could restricted: 1 Pod keeps to it",
            "advice": "kubectl label --overwrite namespace shop pod-security.kubernetes.io/enforce=restricted",
        }
    ]
    assert section["judged"][0]["could"] == "restricted"


def test_proposals_alone(capsys: pytest.CaptureFixture[str]) -> None:
    Path("audit.log").write_bytes(lines(event("jane", "list", "/pods@shop")))
    code, out, _ = run(capsys, "rbac", "-f", "shop.yaml", "--audit-log", "audit.log", "--propose")
    assert code == 0
    assert list(yaml.safe_load_all(out)) == [
        role("r", {"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]}, space="shop")
    ]


def test_proposals_tell_what_to_delete(capsys: pytest.CaptureFixture[str]) -> None:
    written(
        "more.yaml",
        binding("e", "edit", "User jane", space="shop", cluster_role=True),
        binding("m", "r", "User joe", space="shop"),
    )
    Path("audit.log").write_bytes(lines(event("jane", "create", "/pods@shop")))
    code, out, _ = run(
        capsys, "rbac", "-f", ".", "--audit-log", "audit.log", "--propose", "--fail-on", "info"
    )
    assert code == 0, "what is proposed is no verdict"
    assert [each["metadata"]["name"] for each in yaml.safe_load_all(out)] == ["e-used", "e-used"]
    assert [line for line in out.splitlines() if line.startswith("#")] == [
        "# To be deleted, once what is above is applied:",
        "# kubectl delete rolebinding e -n shop   # RoleBinding shop/e: instead of it",
        "# kubectl delete rolebinding m -n shop   # RoleBinding shop/m: nobody used it",
        "# kubectl delete rolebinding b -n shop   # RoleBinding shop/b: nobody used it",
    ]


def test_the_table_of_bindings(capsys: pytest.CaptureFixture[str]) -> None:
    Path("audit.log").write_bytes(lines(event("jane", "list", "/pods@shop")))
    _, out, _ = run(capsys, "rbac", "-f", "shop.yaml", "--audit-log", "audit.log")
    assert "RoleBinding shop/b   Role r   1          1 of 1       less\n" in out
    assert "     - rules[0] verbs never used: get; resources never used: secrets\n" in out


def test_the_table_of_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    written("more.yaml", role("all", rule("get", "secrets")), binding("all", "all", "Group ops"))
    _, out, _ = run(capsys, "secrets", "-f", ".", "--fail-on", "never")
    rows = [" ".join(line.split()) for line in out.splitlines() if "Binding" in line and "(" in line]
    assert rows == [
        "(every one) 0 Group ops all get (ClusterRoleBinding all to ClusterRole all)",
        "shop 0 User jane all get,list (RoleBinding shop/b to Role r)",
    ]


def test_a_backup(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    path = backup(folder, [namespace("shop"), pod("shop", "p", hostPID=True)])
    code, out, _ = run(capsys, "pods", "-f", str(path), "--fail-on", "medium")
    assert code == 1 and out.startswith(f"backup {path}\n")
    assert "Pod p: hostPID=true" in out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["pods", "-f", "gone"], 3, "gone: it cannot be read: No such file or directory"),
        (["pods", "-f", "empty.yaml"], 3, "empty.yaml: no object that could be judged is in it"),
        (["pods", "-f", "broken.db"], 3, "broken.db: "),
        (["pods"], 3, "no kubeconfig at "),
        (["pods", "--kubeconfig", "gone"], 3, "gone: No such file or directory"),
        (["pods", "--kubeconfig", "x", "-f", "y"], 2, "it is either files or a cluster"),
        (["rbac", "-f", "shop.yaml", "--audit-log", "gone"], 3, "--audit-log: "),
        (
            ["rbac", "-f", "shop.yaml", "--audit-policy", "gone"],
            3,
            "--audit-policy: cannot read the audit policy",
        ),
        (["rbac", "-f", "shop.yaml", "--audit-policy", "shop.yaml"], 3, "--audit-policy: shop.yaml: "),
        (["rbac", "-f", "shop.yaml", "--propose"], 2, "--propose goes with: kajitori audit rbac --audit-log"),
        (
            ["pods", "-f", "shop.yaml", "--pod-security-version", "1"],
            2,
            "--pod-security-version 1: latest or",
        ),
    ],
)
def test_what_cannot_be_done(
    capsys: pytest.CaptureFixture[str], words: list[str], code: int, told: str
) -> None:
    Path("empty.yaml").write_text("kind: Widget\n")
    Path("broken.db").write_bytes(b"SQLite format 3\0" + bytes(200))
    found, out, err = run(capsys, *words)
    assert (found, out) == (code, "") and err.startswith("kajitori audit: ") and told in err
    assert err.count("\n") == 1


def test_what_could_not_all_be_read_ends_with_three(capsys: pytest.CaptureFixture[str]) -> None:
    Path("audit.log").write_bytes(b"{}\n" + lines(event("jane", "list", "/pods@shop")))
    code, out, _ = run(capsys, "rbac", "-f", "shop.yaml", "--audit-log", "audit.log")
    assert code == 3 and "not whole: 1 lines are no events: audit.log:1: " in out


def test_a_section_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["audit", "everything"])
    assert ended.value.code == 2
    assert "invalid choice: 'everything'" in capsys.readouterr().err


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["audit", "--help"])
    told = capsys.readouterr().out
    assert ended.value.code == 0
    for word in (
        "rbac",
        "pods",
        "secrets",
        "exit codes:",
        "examples:",
        "--audit-log",
    ):
        assert word in told


def test_nothing_is_open(capsys: pytest.CaptureFixture[str]) -> None:
    written("fine.yaml", namespace("shop", enforce="restricted"), pod("shop", "p", **RESTRICTED))
    code, out, _ = run(capsys, "pods", "-f", "fine.yaml", "--fail-on", "info")
    assert code == 0 and out.endswith("\nnothing is open that was looked for\n")


def test_a_manifest_that_cannot_be_read_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.yaml").write_text("a: [")
    written("cm.yaml", obj("v1", "ServiceAccount", "web", "shop"))
    _, out, _ = run(capsys, "pods", "-f", ".", "--fail-on", "never")
    assert "note: bad.yaml, document 1: " in out


INGRESS = pod(
    "shop", "ingress", containers=[{"name": "c", "image": "registry.k8s.io/ingress-nginx/controller:v1.14.0"}]
)


def test_vulnerabilities(capsys: pytest.CaptureFixture[str]) -> None:
    written("ingress.yaml", INGRESS)
    code, out, _ = run(capsys, "cves", "-f", "ingress.yaml", "--offline")
    assert code == 1
    assert "note: no feed: judged by the shipped table alone\n" in out
    rows = [" ".join(line.split()) for line in out.splitlines()]
    assert (
        "CVE-2026-24512 ingress-nginx v1.14.0 affected 1.14.3 1.14.0 is in < 1.13.7, >= 1.14.0 < 1.14.3"
        in rows
    )
    assert (
        "high  ingress-nginx v1.14.0: CVE-2026-24512: Paths of Ingresses may inject configuration [CVE-2026-24512]\n"
    ) in out


def test_vulnerabilities_as_vex(capsys: pytest.CaptureFixture[str]) -> None:
    written("ingress.yaml", INGRESS)
    code, out, _ = run(
        capsys, "cves", "-f", "ingress.yaml", "--feed", str(FEED_FILE), "-o", "vex", "--fail-on", "never"
    )
    told = msgspec.json.decode(out)
    assert code == 0 and told["@context"] == "https://openvex.dev/ns/v0.2.0"
    assert "affected" in {each["status"] for each in told["statements"]}


def test_a_feed_that_cannot_be_had(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "cves", "-f", "shop.yaml", "--feed", "http://127.0.0.1:1/feed.json")
    assert code == 3 and "not whole: the feed http://127.0.0.1:1/feed.json cannot be had: " in out


def test_the_table_of_webhooks(capsys: pytest.CaptureFixture[str]) -> None:
    written("guard.yaml", validating(hook(failurePolicy="Ignore")), namespace("shop"))
    _, out, _ = run(capsys, "webhooks", "-f", "guard.yaml")
    rows = [" ".join(line.split()) for line in out.splitlines()]
    assert (
        "ValidatingWebhookConfiguration guard, webhook pods.guard.example.com open 5 service guard/guard:443 "
        "CREATE of pods passes unjudged in namespace shop"
    ) in rows


def test_what_may_not_be_read_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    told = {"/pods": "pods is forbidden", "/nodes": "nodes is forbidden"}
    found = Inventory("cluster here", {}, unread=told)
    sections = [judge_pods(found), judge_cves(found, None, missing=["the feed cannot be had"])]
    print_sections(found, sections, "table", summary=True)
    lines_of = [line for line in capsys.readouterr().out.splitlines() if line.startswith("not whole")]
    assert lines_of == [
        "not whole: pods, nodes could not be read: pods is forbidden",
        "not whole: cves: the feed cannot be had",
    ]


def test_one_namespace(capsys: pytest.CaptureFixture[str]) -> None:
    written("more.yaml", namespace("other"), pod("other", "o", hostPID=True))
    _, out, _ = run(capsys, "pods", "-f", ".", "-n", "other")
    assert "Pod o: hostPID=true" in out and "shop" not in out


def test_no_name_commands_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "eve\x1b]0;mine\x07\x1b[2J\nhigh"
    written("evil.yaml", role("r", rule("*", "*", groups="*")), binding("b", "r", f"User {evil}"))
    for section in ((), ("rbac",)):
        _, out, _ = run(capsys, *section, "-f", "evil.yaml", "--offline")
        assert "\x1b" not in out and "\x07" not in out
        assert "eve\\x1b]0;mine\\x07\\x1b[2J\\nhigh" in out


def test_no_name_of_a_binding_adds_to_what_is_proposed(capsys: pytest.CaptureFixture[str]) -> None:
    name = "b\n---\nkind: Secret\n#"
    written(
        "evil.yaml", role("r", rule("get", "pods"), space="shop"), binding(name, "r", "User j", space="shop")
    )
    Path("audit.log").write_bytes(lines(event("eve", "list", "/nodes@")))
    _, out, _ = run(capsys, "rbac", "-f", "evil.yaml", "--audit-log", "audit.log", "--propose")
    assert "b\\n---\\nkind: Secret" in out
    assert not [each for each in yaml.safe_load_all(out) if each is not None]
