"""kubectl changes things: create, patch, edit, label, scale, replace, delete."""

import base64
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.e2e.manifests import DEPLOYMENT, STATEFULSET, configmap
from tests.support.kubectl import Kubectl
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

CREATED = {
    "deployment.apps/d": ("deployment", "d", "--image=nginx", "--replicas=3"),
    "service/ip": ("service", "clusterip", "ip", "--tcp=80:8080"),
    "service/node": ("service", "nodeport", "node", "--tcp=80"),
    "service/lb": ("service", "loadbalancer", "lb", "--tcp=80"),
    "service/ext": ("service", "externalname", "ext", "--external-name=example.com"),
    "secret/generic": ("secret", "generic", "generic", "--from-literal=a=b"),
    "secret/pull": ("secret", "docker-registry", "pull", "--docker-username=u", "--docker-password=p"),
    "configmap/c": ("configmap", "c", "--from-literal=a=b"),
    "role.rbac.authorization.k8s.io/r": ("role", "r", "--verb=get,list", "--resource=pods,deployments.apps"),
    "rolebinding.rbac.authorization.k8s.io/rb": ("rolebinding", "rb", "--role=r", "--serviceaccount=x:sa"),
    "serviceaccount/sa": ("serviceaccount", "sa"),
    "job.batch/j": ("job", "j", "--image=busybox", "--", "echo", "hi"),
    "cronjob.batch/cj": ("cronjob", "cj", "--image=busybox", "--schedule=*/5 * * * *", "--", "echo"),
    "job.batch/from": ("job", "from", "--from=cronjob/cj"),
    "ingress.networking.k8s.io/i": ("ingress", "i", "--rule=a.example.com/=ip:80"),
    "poddisruptionbudget.policy/p": ("pdb", "p", "--selector=app=web", "--min-available=1"),
    "resourcequota/q": ("quota", "q", "--hard=pods=10,cpu=2"),
}


def test_create_has_a_form_for_every_kind(kubectl: Kubectl) -> None:
    for name, words in CREATED.items():
        assert kubectl("create", *words) == f"{name} created\n"
    # The Deployment, Jobs and StatefulSets may have made further objects by now; Secrets and the rest are ours alone.
    kinds = "deploy,svc,secret,role,rolebinding,cj,job,ing,pdb,quota"
    assert set(kubectl.names(kinds)) == CREATED.keys() - {"configmap/c", "serviceaccount/sa"}
    services = {row["NAME"]: row for row in kubectl.run("get", "svc").table()}
    assert services["node"]["PORT(S)"].startswith("80:3") and services["node"]["TYPE"] == "NodePort"
    assert services["lb"]["EXTERNAL-IP"] == "<pending>"
    assert (services["ext"]["EXTERNAL-IP"], services["ext"]["CLUSTER-IP"]) == ("example.com", "<none>")
    assert services["ip"]["CLUSTER-IP"].startswith("10.96.")
    assert kubectl.field(".spec.suspend", "cj", "cj") == "false"
    assert kubectl.field(".metadata.ownerReferences[0].name", "job", "from") == "cj"
    assert kubectl.field(".subjects[0].name", "rolebinding", "rb") == "sa"
    for name in CREATED:
        assert name.partition("/")[2] in kubectl("describe", name)
    assert "already exists" in kubectl.fails("create", "configmap", "c")


def test_create_of_what_has_no_namespace(root_kubectl: Kubectl) -> None:
    name = "writing-without-a-namespace"
    commands = {
        f"namespace/{name}": ("namespace", name),
        f"priorityclass.scheduling.k8s.io/{name}": ("priorityclass", name, "--value=1000"),
        f"clusterrole.rbac.authorization.k8s.io/{name}": (
            "clusterrole",
            name,
            "--verb=get",
            "--resource=nodes",
        ),
        f"clusterrolebinding.rbac.authorization.k8s.io/{name}": (
            "clusterrolebinding",
            name,
            f"--clusterrole={name}",
            "--user=joe",
        ),
    }
    for created, words in commands.items():
        assert root_kubectl("create", *words) == f"{created} created\n"
    for created in commands:
        root_kubectl("delete", created)
        assert "NotFound" in root_kubectl.fails("get", created)


def test_a_token_of_a_service_account_lets_it_in(kubectl: Kubectl) -> None:
    kubectl("create", "serviceaccount", "robot")
    token = kubectl("create", "token", "robot", "--duration=10m").strip()
    payload = token.split(".")[1]
    claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["sub"] == f"system:serviceaccount:{kubectl.namespace}:robot"
    assert claims["exp"] - claims["iat"] == 600
    # The kubeconfig's own token would win over a flag's.
    robot = (
        "--kubeconfig=/dev/null",
        f"--server={server_of(kubectl)}",
        "--insecure-skip-tls-verify",
        f"--token={token}",
    )
    assert "(Forbidden)" in kubectl.fails("get", "pods", *robot)
    kubectl(
        "create", "rolebinding", "robot", "--clusterrole=view", f"--serviceaccount={kubectl.namespace}:robot"
    )
    assert kubectl.run("get", "pods", *robot).code == 0
    refused = kubectl.fails("get", "secrets", *robot)
    assert f'User "{claims["sub"]}" cannot list resource "secrets"' in refused
    assert claims["sub"] in kubectl("auth", "whoami", *robot)


def server_of(kubectl: Kubectl) -> str:
    return kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}")


def test_the_four_kinds_of_patch(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=DEPLOYMENT)

    def patch(kind: str, text: str, *further: str) -> None:
        assert "patched" in kubectl("patch", "deploy", "app", f"--type={kind}", "-p", text, *further)

    container = '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"side:1"}]}}}}'
    patch("strategic", container)
    images = ".spec.template.spec.containers[*].image"
    assert kubectl.field(images, "deploy", "app") == "side:1 nginx:1"
    patch("merge", container)
    assert kubectl.field(images, "deploy", "app") == "side:1"
    patch("merge", '{"spec":{"paused":true,"minReadySeconds":null}}')
    patch(
        "json",
        '[{"op":"test","path":"/spec/paused","value":true},{"op":"replace","path":"/spec/replicas","value":4}]',
    )
    assert kubectl.field(".spec.replicas", "deploy", "app") == "4"
    assert "patched" in kubectl(
        "patch", "deploy", "app", "--subresource=scale", "--type=merge", "-p", '{"spec":{"replicas":7}}'
    )
    patch("merge", '{"status":{"replicas":7}}', "--subresource=status")
    assert (
        kubectl.field(".spec.replicas", "deploy", "app")
        == kubectl.field(".status.replicas", "deploy", "app")
        == "7"
    )
    assert (
        kubectl("patch", "deploy", "app", "-p", '{"spec":{"replicas":7}}')
        == "deployment.apps/app patched (no change)\n"
    )


@pytest.mark.parametrize(
    ("kind", "patch", "complaint"),
    [
        ("json", '[{"op":"test","path":"/spec/replicas","value":9}]', "The request is invalid: "),
        ("json", '[{"op":"fly"}]', "The request is invalid: "),
        (
            "strategic",
            '{"spec":{"replicas":"x"}}',
            'patch: Invalid value: "map[spec:map[replicas:x]]": unrecognized type: int32',
        ),
        ("strategic", '{"metadata":{"labels":"x"}}', "cannot restore map from string"),
        (
            "merge",
            '{"spec":{"replicas":"x"}}',
            "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        ("merge", '{"spec":{"selector":{"matchLabels":{"app":"other"}}}}', "field is immutable"),
        (
            "merge",
            '{"spec":{"replicas":-1}}',
            "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
        ),
    ],
)
def test_a_wrong_patch_is_refused(kubectl: Kubectl, kind: str, patch: str, complaint: str) -> None:
    kubectl("apply", "-f", "-", given=DEPLOYMENT)
    assert complaint in kubectl.fails("patch", "deploy", "app", f"--type={kind}", "-p", patch)
    assert kubectl.field(".metadata.generation", "deploy", "app") == "1"


def test_labels_and_annotations(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "c")
    assert kubectl("label", "cm", "c", "x=y") == "configmap/c labeled\n"
    assert "already has a value (y)" in kubectl.fails("label", "cm", "c", "x=z")
    kubectl("label", "cm", "c", "x=z", "--overwrite")
    kubectl("annotate", "cm", "c", "note=one thing")
    assert kubectl("label", "cm", "c", "x=z", "--overwrite") == "configmap/c not labeled\n"
    assert kubectl.field(".metadata.labels", "cm", "c") == '{"x":"z"}'
    assert kubectl.field(".metadata.annotations.note", "cm", "c") == "one thing"
    assert kubectl("label", "cm", "c", "x-") == "configmap/c unlabeled\n"
    kubectl("annotate", "cm", "c", "note-")
    assert kubectl.field(".metadata.annotations", "cm", "c") == ""
    assert "a valid label key must consist of" in kubectl.fails("label", "cm", "c", "a..b/c/d=x")


def test_scale_set_expose_autoscale(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=DEPLOYMENT)
    assert kubectl("scale", "deploy/app", "--replicas=5") == "deployment.apps/app scaled\n"
    assert "Expected replicas to be 2, was 5" in kubectl.fails(
        "scale", "deploy/app", "--current-replicas=2", "--replicas=3"
    )
    kubectl("set", "image", "deploy/app", "web=nginx:3")
    kubectl("set", "env", "deploy/app", "A=b")
    kubectl("set", "resources", "deploy/app", "--limits=cpu=1,memory=1Gi")
    container: Any = msgspec.json.decode(kubectl.field(".spec.template.spec.containers[0]", "deploy", "app"))
    assert container["image"] == "nginx:3" and container["env"] == [{"name": "A", "value": "b"}]
    assert container["resources"] == {"limits": {"cpu": "1", "memory": "1Gi"}}
    assert kubectl("expose", "deploy", "app", "--port=80") == "service/app exposed\n"
    assert kubectl.field(".spec.selector", "svc", "app") == '{"app":"app"}'
    kubectl("set", "selector", "svc", "app", "a=b")
    assert kubectl.field(".spec.selector", "svc", "app") == '{"a":"b"}'
    kubectl("autoscale", "deploy", "app", "--min=1", "--max=5")
    (row,) = kubectl.run("get", "hpa").table()
    assert (row["REFERENCE"], row["MAXPODS"]) == ("Deployment/app", "5")


def test_edit(kubectl: Kubectl, tmp_path: Path) -> None:
    kubectl("create", "configmap", "c", "--from-literal=key=old")
    editor = tmp_path / "editor"

    def edit_with(command: str) -> dict[str, str]:
        editor.write_text(f'#!/bin/sh\nexec sed -i "{command}" "$1"\n')
        editor.chmod(0o755)
        return {"EDITOR": str(editor)}

    assert kubectl("edit", "cm", "c", env=edit_with("s/old/new/")) == "configmap/c edited\n"
    assert kubectl.field(".data.key", "cm", "c") == "new"
    assert "Edit cancelled" in kubectl.run("edit", "cm", "c", env=edit_with("s/nothing/at all/")).err


def test_replace_and_dry_runs(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", given=configmap("c", a="1"))
    uid = kubectl.field(".metadata.uid", "cm", "c")
    assert kubectl("replace", "-f", "-", given=configmap("c", a="2")) == "configmap/c replaced\n"
    assert kubectl.field(".data.a", "cm", "c") == "2" and kubectl.field(".metadata.uid", "cm", "c") == uid
    stale = configmap("c", a="3").replace("name: c", "name: c\n  resourceVersion: '1'")
    refused = kubectl.fails("replace", "-f", "-", given=stale)
    assert "(Conflict)" in refused and "the object has been modified; please apply your changes" in refused
    kubectl("replace", "--force", "-f", "-", given=configmap("c", a="4"))
    assert kubectl.field(".metadata.uid", "cm", "c") != uid
    version = kubectl.field(".metadata.resourceVersion", "cm", "c")
    assert "server dry run" in kubectl("apply", "--dry-run=server", "-f", "-", given=configmap("c", a="5"))
    assert "server dry run" in kubectl("delete", "cm", "c", "--dry-run=server")
    kubectl("create", "cm", "d", "--dry-run=server")
    assert kubectl.field(".metadata.resourceVersion", "cm", "c") == version
    assert "NotFound" in kubectl.fails("get", "cm", "d")


def test_the_ways_to_delete(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=STATEFULSET)
    kubectl("wait", "--for=create", "pod/db-0", "pod/db-1")
    pods = kubectl("get", "pods", "-o", "jsonpath={.items[*].metadata.uid}")
    kubectl("delete", "sts", "db", "--cascade=orphan")
    assert kubectl("get", "pods", "-o", "jsonpath={.items[*].metadata.ownerReferences}") == ""
    kubectl("apply", "-f", "-", given=STATEFULSET)
    owners = "jsonpath={.items[*].metadata.ownerReferences[*].name}"
    until(lambda: kubectl("get", "pods", "-o", owners), "db db".__eq__)
    assert kubectl("get", "pods", "-o", "jsonpath={.items[*].metadata.uid}") == pods
    kubectl("delete", "sts", "db", "--cascade=foreground")
    assert kubectl("get", "pods", "-o", "name") == ""
    kubectl("apply", "-f", "-", given=STATEFULSET)
    kubectl("wait", "--for=create", "pod/db-0")
    kubectl("delete", "-f", "-", given=STATEFULSET)
    until(lambda: kubectl("get", "pods", "-o", "name"), "".__eq__)
    kubectl("create", "-f", "-", given=f"{configmap('a')}\n---\n{configmap('b')}")
    kubectl("label", "cm", "a", "b", "going=yes")
    kubectl("delete", "cm", "-l", "going")
    assert kubectl.names("cm") == ["configmap/kube-root-ca.crt"]
    assert '"nope" not found' in kubectl.fails("delete", "cm", "nope")
    assert kubectl("delete", "cm", "nope", "--ignore-not-found") == ""


def test_a_namespace_takes_its_content_with_it(root_kubectl: Kubectl) -> None:
    name = "writing-a-full-namespace"
    root_kubectl("create", "ns", name)
    inside = root_kubectl.within(name)
    inside("apply", "-f", "-", given=STATEFULSET)
    inside("wait", "--for=create", "pod/db-0")
    root_kubectl("delete", "ns", name)
    assert "NotFound" in root_kubectl.fails("get", "ns", name)
    root_kubectl("create", "ns", name)
    assert inside.names("sts,pods,svc") == []
    root_kubectl("delete", "ns", name)


def test_what_is_wrong_is_told_where_it_is(kubectl: Kubectl) -> None:
    refused = kubectl.fails("create", "-f", "-", given=configmap("Bad_Name"))
    assert 'The ConfigMap "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name"' in refused
    misspelt = configmap("c").replace("\ndata:", "\ndatas:")
    assert 'strict decoding error: unknown field "datas"' in kubectl.fails(
        "create", "-f", "-", given=misspelt
    )
    warned = kubectl.run("create", "--validate=warn", "-f", "-", given=misspelt)
    assert (warned.code, warned.err) == (0, 'Warning: unknown field "datas"\n')
    assert (
        kubectl.run(
            "create", "--validate=ignore", "-f", "-", given=misspelt.replace("name: c", "name: d")
        ).err
        == ""
    )
    unknown = configmap("c").replace("apiVersion: v1", "apiVersion: nope/v1")
    assert 'no matches for kind "ConfigMap" in version "nope/v1"' in kubectl.fails(
        "create", "-f", "-", given=unknown
    )
