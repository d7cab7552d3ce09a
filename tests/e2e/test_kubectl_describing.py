"""What kubectl tells of kinds and objects in words: explain, describe, subresources, warnings, lists of labels."""

import pytest
from tests.e2e.manifests import DEPLOYMENT, STATEFULSET, configmap
from tests.support.kubectl import Kubectl
from tests.support.waiting import until

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    "kind",
    ["pod", "service", "deployment", "cronjob", "ingress", "networkpolicy", "customresourcedefinition"],
)
def test_kinds_are_explained_in_kubernetes_words(root_kubectl: Kubectl, kind: str) -> None:
    told = root_kubectl("explain", kind)
    assert "DESCRIPTION:\n    " in told and "<empty>" not in told
    assert "APIVersion defines the versioned schema of this representation" in told
    assert "More info:" in told


def test_fields_are_explained_however_deep(root_kubectl: Kubectl) -> None:
    told = root_kubectl("explain", "deployment.spec.template.spec.containers.livenessProbe.httpGet.port")
    assert "Name or number of the port to access on the container." in told
    told = root_kubectl("explain", "pod.spec.restartPolicy")
    assert "ENUM:\n    Always\n    Never\n    OnFailure\n" in told
    older = root_kubectl("explain", "pod.spec", "--output=plaintext-openapiv2")
    assert "Selector which must match a node's labels" in older


def test_descriptions_of_objects(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=DEPLOYMENT)
    told = kubectl("describe", "deployment", "app")
    assert "RollingUpdateStrategy:  25% max unavailable, 25% max surge" in told
    assert "Image:         nginx:1" in told
    kubectl("expose", "deploy", "app", "--port=80", "--type=NodePort")
    told = kubectl("describe", "service", "app")
    assert "IP Family Policy:         SingleStack" in told and "NodePort:" in told
    address = kubectl.field(".spec.clusterIP", "svc", "app")
    assert f"services/{kubectl.namespace}/app" in kubectl("get", "ipaddress", address)
    assert address in kubectl("get", "ipaddress", "-o", "name")
    kubectl("create", "secret", "generic", "s", "--from-literal=a=secret")
    told = kubectl("describe", "secret", "s")
    assert "a:  6 bytes" in told and "secret" not in told.replace("Secret", "").partition("Data")[2]
    assert 'configmaps "nope" not found' in kubectl.fails("describe", "cm", "nope")


def test_subresources_are_shown(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=DEPLOYMENT)
    (row,) = kubectl.run("get", "deploy", "app", "--subresource=scale").table()
    assert (row["NAME"], row["DESIRED"], row["AVAILABLE"]) == ("app", "2", "0")
    assert kubectl("get", "deploy", "app", "--subresource=scale", "-o", "jsonpath={.kind}") == "Scale"
    (row,) = kubectl.run("get", "deploy", "app", "--subresource=status").table()
    assert row["READY"] == "0/2"
    status = '{"status":{"observedGeneration":1,"replicas":2,"readyReplicas":1}}'
    kubectl("patch", "deploy", "app", "--subresource=status", "--type=merge", "-p", status)
    (row,) = kubectl.run("get", "deploy", "app").table()
    assert row["READY"] == "1/2"


def test_warnings_reach_the_user(kubectl: Kubectl) -> None:
    told = kubectl.run("get", "componentstatuses")
    assert told.code == 0 and told.err == "Warning: v1 ComponentStatus is deprecated in v1.19+\n"
    endpoints = f"apiVersion: v1\nkind: Endpoints\nmetadata: {{name: e, namespace: {kubectl.namespace}}}\n"
    told = kubectl.run("create", "-f", "-", given=endpoints)
    assert (
        told.err == "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\n"
    )
    assert kubectl.run("get", "endpoints", "--warnings-as-errors").code == 1


def test_labels_and_annotations_are_listed(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", given=configmap("c", a="b"))
    kubectl("label", "cm", "c", "x=y", "z=")
    assert {*kubectl("label", "cm", "c", "--list").split()} == {"x=y", "z="}
    kubectl("annotate", "cm", "c", "note=one")
    assert kubectl("annotate", "cm", "c", "--list") == "note=one\n"
    stale = kubectl.fails("label", "cm", "c", "--overwrite", "x=q", "--resource-version=1")
    assert "the object has been modified" in stale
    (row,) = kubectl.run("get", "cm", "-L", "x", "-l", "x=y").table()
    assert row["X"] == "y"
    (row,) = kubectl.run("get", "cm", "c", "--show-labels").table()
    assert row["LABELS"] == "x=y,z="


def test_templates_are_set(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=DEPLOYMENT)
    kubectl("create", "serviceaccount", "robot")
    assert kubectl("set", "serviceaccount", "deploy", "app", "robot").endswith("serviceaccount updated\n")
    assert kubectl.field(".spec.template.spec.serviceAccountName", "deploy", "app") == "robot"
    kubectl("create", "rolebinding", "b", "--clusterrole=view", "--user=ann")
    kubectl("set", "subject", "rolebinding", "b", f"--serviceaccount={kubectl.namespace}:robot")
    assert kubectl.field(".subjects[*].name", "rolebinding", "b") == "ann robot"
    told = kubectl("set", "image", "deploy/app", "web=nginx:9", "--dry-run=server", "-o", "yaml")
    assert "image: nginx:9" in told
    assert kubectl.field(".spec.template.spec.containers[0].image", "deploy", "app") == "nginx:1"
    kubectl("create", "configmap", "settings", "--from-literal=COLOUR=red")
    kubectl("set", "env", "deploy/app", "--from=configmap/settings")
    assert "COLOUR from configmap settings, key COLOUR" in kubectl("set", "env", "deploy/app", "--list")


def test_a_rollout_is_undone(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=STATEFULSET)
    kubectl("wait", "--for=create", "pod/db-0")
    kubectl("set", "image", "sts/db", "db=db:2")
    until(lambda: kubectl("rollout", "history", "sts", "db"), lambda text: "\n2 " in text)
    assert "Image:\tdb:1" in kubectl("rollout", "history", "sts", "db", "--revision=1")
    assert kubectl("rollout", "undo", "sts", "db") == "statefulset.apps/db rolled back\n"
    assert kubectl.field(".spec.template.spec.containers[0].image", "sts", "db") == "db:1"


def test_a_debugger_joins_a_pod(kubectl: Kubectl) -> None:
    kubectl("run", "p", "--image=x")
    kubectl("debug", "p", "--image=busybox", "--container=look", "--attach=false", "--profile=general")
    assert kubectl.field(".spec.ephemeralContainers[*].name", "pod", "p") == "look"
    kubectl("debug", "p", "--image=busybox", "--copy-to=q", "--attach=false", "--profile=general")
    assert kubectl.field(".metadata.name", "pod", "q") == "q"
