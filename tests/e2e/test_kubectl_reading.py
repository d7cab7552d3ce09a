"""kubectl looks: every form of output, selection, watching, waiting."""

import subprocess
from typing import Any

import msgspec
import pytest
import yaml
from tests.e2e.manifests import DEPLOYMENT, configmap
from tests.support.kubectl import Kubectl
from tests.support.waiting import until

pytestmark = pytest.mark.e2e


def test_every_form_of_output(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=DEPLOYMENT)
    as_json: Any = msgspec.json.decode(kubectl("get", "deploy", "app", "-o", "json"))
    assert yaml.safe_load(kubectl("get", "deploy", "app", "-o", "yaml")) == as_json
    assert as_json["spec"]["strategy"]["rollingUpdate"]["maxSurge"] == "25%"
    assert "managedFields" not in as_json["metadata"]
    shown: Any = kubectl.json("get", "deploy", "app", "--show-managed-fields")
    assert [each["manager"] for each in shown["metadata"]["managedFields"]] == ["kubectl-client-side-apply"]
    assert kubectl("get", "deploy", "-o", "name") == "deployment.apps/app\n"
    assert kubectl("get", "deploy/app", "-o", "jsonpath={.spec.replicas}") == "2"
    assert kubectl("get", "deploy", "-o", "jsonpath={.items[*].metadata.name}") == "app"
    columns = "NAME:.metadata.name,IMAGE:.spec.template.spec.containers[*].image"
    assert kubectl("get", "deploy", "-o", f"custom-columns={columns}") == "NAME   IMAGE\napp    nginx:1\n"
    assert kubectl("get", "deploy", "-o", "go-template={{range .items}}{{.kind}}{{end}}") == "Deployment"
    (row,) = kubectl.run("get", "deploy", "-o", "wide").table()
    assert (row["NAME"], row["READY"], row["UP-TO-DATE"], row["AVAILABLE"]) == ("app", "0/2", "0", "0")
    assert (row["CONTAINERS"], row["IMAGES"], row["SELECTOR"]) == ("web", "nginx:1", "app=app")
    (row,) = kubectl.run("get", "deploy", "--show-labels", "-L", "app").table()
    assert row["APP"] == "app" and row["LABELS"] == "app=app"
    assert kubectl("get", "deploy", "--no-headers").startswith("app ")
    assert "NAME" in kubectl("get", "deploy", "--server-print=false")


def test_what_is_not_there(kubectl: Kubectl) -> None:
    assert kubectl.fails("get", "cm", "nope") == 'Error from server (NotFound): configmaps "nope" not found\n'
    assert kubectl.run("get", "pods").err == f"No resources found in {kubectl.namespace} namespace.\n"
    assert kubectl("get", "cm", "nope", "--ignore-not-found") == ""
    assert kubectl.fails("get", "boats") == 'error: the server doesn\'t have a resource type "boats"\n'


def test_selectors(kubectl: Kubectl) -> None:
    for name, tier in (("a", "front"), ("b", "back"), ("c", "")):
        kubectl("create", "configmap", name)
        if tier:
            kubectl("label", "configmap", name, f"tier={tier}")

    def selected(*flags: str) -> str:
        return kubectl("get", "cm", *flags, "-o", "jsonpath={.items[*].metadata.name}")

    assert selected("-l", "tier=front") == "a"
    assert selected("-l", "tier in (front, back)") == "a b"
    assert selected("-l", "tier,tier!=front") == "b"
    assert selected("-l", "!tier") == "c kube-root-ca.crt"
    assert selected("--field-selector", "metadata.name=b") == "b"
    assert selected("--field-selector", "metadata.name!=b", "-l", "tier") == "a"
    refused = kubectl.fails("get", "cm", "--field-selector", "data=x")
    assert "(BadRequest)" in refused and '"data" is not a known field selector' in refused
    refused = kubectl.fails("get", "cm", "-l", "a b")
    assert "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt" in refused


def test_pods_by_the_fields_that_they_can_be_selected_by(kubectl: Kubectl) -> None:
    kubectl("run", "p", "--image=x", "--restart=Never")
    assert kubectl("get", "pods", "--field-selector=status.phase=Pending", "-o", "name") == "pod/p\n"
    assert (
        kubectl("get", "pods", "--field-selector=spec.nodeName=,spec.restartPolicy=Never", "-o", "name")
        == "pod/p\n"
    )
    assert kubectl("get", "pods", "--field-selector=status.phase=Running", "-o", "name") == ""


def test_chunks_and_order(kubectl: Kubectl) -> None:
    names = [f"m{number}" for number in range(7)]
    kubectl(
        "create", "-f", "-", given="---\n".join(configmap(name, key=str(9 - int(name[1]))) for name in names)
    )
    told = kubectl.run("get", "cm", "--chunk-size=2", "-o", "name", "-v=6")
    assert told.out.split() == ["configmap/kube-root-ca.crt", *(f"configmap/{name}" for name in names)]
    assert told.err.count("limit=2") == 4, told.err
    ordered = kubectl("get", "cm", "--sort-by={.data.key}", "-o", "jsonpath={.items[*].metadata.name}")
    assert ordered.split()[-7:] == names[::-1]


def test_a_watch_tells_what_happens(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "first")
    command = kubectl.command(
        "get", "cm", "-w", "--output-watch-events", "--field-selector=metadata.name!=kube-root-ca.crt"
    )
    watching = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=kubectl.environment())
    try:
        assert watching.stdout is not None
        lines = iter(watching.stdout.readline, "")
        assert next(lines).split() == ["EVENT", "NAME", "DATA", "AGE"]
        assert next(lines).split()[:3] == ["ADDED", "first", "0"]
        kubectl("create", "configmap", "second", "--from-literal=a=b")
        assert next(lines).split()[:3] == ["ADDED", "second", "1"]
        kubectl("label", "configmap", "second", "a=b")
        assert next(lines).split()[:2] == ["MODIFIED", "second"]
        kubectl("delete", "configmap", "first")
        assert next(lines).split()[:2] == ["DELETED", "first"]
    finally:
        watching.kill()
        watching.communicate()


def test_waiting(kubectl: Kubectl) -> None:
    kubectl("run", "p", "--image=x")
    assert kubectl("wait", "--for=jsonpath={.status.phase}=Pending", "pod/p") == "pod/p condition met\n"
    assert "timed out waiting" in kubectl.fails("wait", "--for=condition=Ready", "pod/p", "--timeout=100ms")
    command = kubectl.command("wait", "--for=delete", "pod/p", "--timeout=20s")
    waiting = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=kubectl.environment())
    kubectl("delete", "pod", "p", "--wait=false")
    waiting.communicate(timeout=20)
    assert waiting.returncode == 0
    waiting = subprocess.Popen(
        kubectl.command("wait", "--for=create", "configmap/late", "--timeout=20s"),
        stdout=subprocess.PIPE,
        text=True,
        env=kubectl.environment(),
    )
    kubectl("create", "configmap", "late")
    assert waiting.communicate(timeout=20)[0] == "configmap/late condition met\n"


def test_events(kubectl: Kubectl) -> None:
    from tests.e2e.manifests import STATEFULSET

    kubectl("apply", "-f", "-", given=STATEFULSET)
    told = until(
        lambda: kubectl("events", "--for", "statefulset/db"), lambda text: text.count("Pod db-") == 2
    )
    assert "create Pod db-1 in StatefulSet db successful" in told
    assert "SuccessfulCreate" in kubectl("get", "events.events.k8s.io")
    assert "SuccessfulCreate" in kubectl("describe", "statefulset", "db")
    named = kubectl(
        "get", "events", "--field-selector=involvedObject.name=db,reason=SuccessfulCreate", "-o", "name"
    )
    assert len(named.split()) == 2


def test_raw_paths(kubectl: Kubectl) -> None:
    assert kubectl("get", "--raw", "/livez") == "ok"
    assert "readyz check passed" in kubectl("get", "--raw", "/readyz?verbose")
    assert msgspec.json.decode(kubectl("get", "--raw", "/version"))["gitVersion"].startswith("v1.36.")
    listed = msgspec.json.decode(
        kubectl("get", "--raw", f"/api/v1/namespaces/{kubectl.namespace}/configmaps?limit=1")
    )
    assert listed["kind"] == "ConfigMapList" and len(listed["items"]) == 1
    created = kubectl(
        "create",
        "--raw",
        f"/api/v1/namespaces/{kubectl.namespace}/configmaps",
        "-f",
        "-",
        given='{"metadata":{"name":"r"}}',
    )
    assert msgspec.json.decode(created)["metadata"]["name"] == "r"
    deleted = kubectl("delete", "--raw", f"/api/v1/namespaces/{kubectl.namespace}/configmaps/r")
    assert msgspec.json.decode(deleted)["status"] == "Success"
    assert "(NotFound)" in kubectl.fails("get", "--raw", "/api/v1/nope")
