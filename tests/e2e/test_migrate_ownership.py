"""`kajitori migrate-ownership` on a cluster where kubectl has applied."""

import subprocess
from pathlib import Path

import msgspec
import pytest
from tests.support.kubectl import Kubectl, Ran
from tests.support.server import UpProcess, kajitori

pytestmark = pytest.mark.e2e

MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  labels: {app: web}
data:
  color: blue
  legacy: unused
"""
NEWER = MANIFEST.replace("  legacy: unused\n", "")
NOTHING = ("nothing to do", "-", "-", "-")


def migrate(server: UpProcess, *words: str, given: str = "") -> Ran:
    ran = subprocess.run(
        kajitori("migrate-ownership", *words, "--kubeconfig", str(server.kubeconfig)),
        input=given,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def rows(ran: Ran) -> dict[str, tuple[str, ...]]:
    return {row["OBJECT"]: tuple(row.values())[1:] for row in ran.table()}


def test_what_is_taken_out_of_a_manifest_goes_away(server: UpProcess, kubectl: Kubectl) -> None:
    here = kubectl.namespace
    kubectl("apply", "-f", "-", given=MANIFEST)
    version = kubectl.field(".metadata.resourceVersion", "cm", "settings")

    looked = migrate(server, "cm/settings", "-n", here, "--dry-run")
    migrated = ("migrated", "kubectl-client-side-apply", "kubectl", "+7")
    assert rows(looked) == {f"configmaps {here}/settings": ("would migrate", *migrated[1:])}
    assert (looked.code, looked.err) == (
        0,
        "Nothing was changed. Without --dry-run it is done, and cannot be undone.\n",
    )
    assert kubectl.field(".metadata.resourceVersion", "cm", "settings") == version

    ran = migrate(server, "configmap", "settings", "-n", here)
    assert (ran.code, ran.err) == (0, "This cannot be undone.\n")
    assert rows(ran) == {f"configmaps {here}/settings": migrated}

    # kubectl finds nothing left to migrate, and takes away what it does not apply any more.
    kubectl("apply", "--server-side", "-f", "-", given=NEWER)
    assert kubectl.field(".data", "cm", "settings") == '{"color":"blue"}'
    assert "last-applied" in kubectl.field(".metadata.annotations", "cm", "settings")
    again = migrate(server, "-f", "-", "-n", here, given=MANIFEST)
    assert (again.code, again.err) == (0, "")
    assert rows(again) == {f"configmaps {here}/settings": NOTHING}


def test_kubectl_migrates_the_same_way(server: UpProcess, kubectl: Kubectl) -> None:
    def owners(name: str) -> object:
        entries = msgspec.json.decode(kubectl("get", "cm", name, "-o", "json", "--show-managed-fields"))
        return [
            {**each, "time": None, "fieldsV1": each["fieldsV1"]}
            for each in entries["metadata"]["managedFields"]
        ]

    for name in ("ours", "theirs"):
        kubectl("apply", "-f", "-", given=MANIFEST.replace("settings", name))
    migrate(server, "cm/ours", "-n", kubectl.namespace)
    for name in ("ours", "theirs"):
        kubectl("apply", "--server-side", "-f", "-", given=NEWER.replace("settings", name))
    assert owners("ours") == owners("theirs")


def test_objects_are_selected(server: UpProcess, kubectl: Kubectl, tmp_path: Path) -> None:
    here = kubectl.namespace
    for name, app in (("one", f"web-{here}"), ("two", "db")):
        text = MANIFEST.replace("settings", name).replace("app: web", f"app: {app}")
        (tmp_path / f"{name}.yaml").write_text(text)
    kubectl("apply", "-f", str(tmp_path))

    everywhere = migrate(server, "configmaps,svc", "-A", "-l", f"app=web-{here}", "--dry-run")
    assert list(rows(everywhere)) == [f"configmaps {here}/one"]
    alike = migrate(server, "cm/one", "configmaps.v1./one", "-n", here, "--dry-run")
    assert list(rows(alike)) == [f"configmaps {here}/one"]
    assert list(rows(migrate(server, "all", "-n", here, "--all", "--dry-run"))) == []
    both = migrate(server, "-f", str(tmp_path), "-n", here, "-o", "json", "--to", "argocd-controller")
    told = msgspec.json.decode(both.out)
    assert [(each["name"], each["result"], each["to"]) for each in told["objects"]] == [
        ("one", "migrated", "argocd-controller"),
        ("two", "migrated", "argocd-controller"),
    ]
    assert ".data.legacy" in told["objects"][0]["fields"]
    assert told["objects"][0]["taken"][0]["manager"] == "kubectl-client-side-apply"


def test_one_that_fails_does_not_keep_the_others(server: UpProcess, kubectl: Kubectl) -> None:
    here = kubectl.namespace
    kubectl("apply", "-f", "-", given=MANIFEST)
    ran = migrate(server, "cm/nope", "cm/settings", "-n", here)
    assert ran.code == 1
    assert [each[0] for each in rows(ran).values()] == ["failed", "migrated"]
    assert ran.err.splitlines()[0] == f'configmaps {here}/nope: configmaps "nope" not found'


def test_who_else_has_applied_is_told(server: UpProcess, kubectl: Kubectl) -> None:
    kubectl("apply", "--field-manager=ci-tool", "-f", "-", given=MANIFEST)
    told = migrate(server, "cm/settings", "-n", kubectl.namespace)
    where = f"configmaps {kubectl.namespace}/settings"
    assert rows(told) == {where: NOTHING}
    assert (
        told.err
        == f"ci-tool has applied {where} from the client too, and keeps its fields: add it to --from\n"
    )


@pytest.mark.parametrize(
    ("words", "given", "told"),
    [
        (("nope/a",), "", "nope: the cluster has no such kind; see: kubectl api-resources"),
        (
            ("-f", "-"),
            "apiVersion: example.com/v1\nkind: Nope\nmetadata: {name: a}\n",
            "standard input: the cluster has no kind Nope of example.com/v1",
        ),
        (
            ("-f", "-"),
            MANIFEST.replace("settings", "5"),
            "standard input: a ConfigMap in it does not say who it is; metadata.name must be a text",
        ),
        (
            ("-f", "-"),
            "apiVersion: v1\nkind: ConfigMap\nmetadata: [a]\n",
            "standard input: a ConfigMap in it does not say who it is; metadata.name must be a text",
        ),
        (
            ("-f", "-", "-n", "there"),
            MANIFEST.replace("name:", "namespace: here\n  name:"),
            "standard input: ConfigMap settings is of namespace here, and -n says there",
        ),
        (("-f", "-"), "", "-: no object is in it"),
        (("-f", "nope.yaml"), "", "nope.yaml: it cannot be read: No such file or directory"),
        (("cm/a", "--context", "nope"), "", ""),
    ],
)
def test_what_is_not_there(server: UpProcess, words: tuple[str, ...], given: str, told: str) -> None:
    ran = migrate(server, *words, given=given)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("kajitori migrate-ownership: " + told) and ran.err.count("\n") == 1


def test_what_was_written_through_a_subresource(server: UpProcess, kubectl: Kubectl) -> None:
    here = kubectl.namespace
    kubectl("create", "deployment", "web", "--image=web:1")
    status = '{"status": {"conditions": [{"type": "Odd", "status": "True"}]}}'
    patched = (
        "patch",
        "deploy",
        "web",
        "--subresource=status",
        "--field-manager=tool",
        "--type=merge",
        "-p",
        status,
    )
    kubectl(*patched)
    told = migrate(
        server, "deploy/web", "-n", here, "--from", "tool", "--subresource", "status", "--to", "robot"
    )
    assert [each[:3] for each in rows(told).values()] == [("migrated", "tool", "robot")]
    found = kubectl.json("get", "deploy", "web", "--show-managed-fields")
    entries = found["metadata"]["managedFields"]  # type: ignore[index]
    assert ("robot", "Apply", "status") in [
        (each["manager"], each["operation"], each.get("subresource")) for each in entries
    ]


def test_fields_older_than_ownership(server: UpProcess, kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "old", "--from-literal=a=1", "--from-literal=b=2")
    kubectl("patch", "cm", "old", "--type=merge", "-p", '{"metadata": {"managedFields": [{}]}}')
    old = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: old}\ndata: {a: '1'}\n"

    def applied() -> str:
        kubectl("apply", "--server-side", "-f", "-", given=old)
        return kubectl.field(".data", "cm", "old")

    assert applied() == '{"a":"1","b":"2"}'
    told = migrate(server, "cm/old", "-n", kubectl.namespace)
    assert [each[1] for each in rows(told).values()] == ["before-first-apply"]
    assert applied() == '{"a":"1"}'
