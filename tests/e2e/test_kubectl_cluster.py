"""What kubectl finds out about the cluster: kinds, their fields, its state, its nodes."""

from pathlib import Path

import pytest
from tests.e2e.manifests import DEPLOYMENT, STATEFULSET
from tests.support.kubectl import Kubectl

pytestmark = pytest.mark.e2e


def test_kinds_and_versions(root_kubectl: Kubectl) -> None:
    kinds = {row["NAME"]: row for row in root_kubectl.run("api-resources").table()}
    assert kinds["pods"] == {
        "NAME": "pods", "SHORTNAMES": "po", "APIVERSION": "v1", "NAMESPACED": "true", "KIND": "Pod"
    }  # fmt: skip
    assert kinds["deployments"]["APIVERSION"] == "apps/v1"
    assert kinds["horizontalpodautoscalers"]["APIVERSION"] == "autoscaling/v2"
    assert kinds["mysqlclusters"]["APIVERSION"] == "moco.cybozu.com/v1beta2"
    assert len(kinds) > 60
    cluster_wide = root_kubectl("api-resources", "--namespaced=false", "-o", "name").split()
    assert "nodes" in cluster_wide and "pods" not in cluster_wide
    versions = root_kubectl("api-versions").split()
    assert {"v1", "apps/v1", "autoscaling/v1", "autoscaling/v2", "moco.cybozu.com/v1beta2"} <= set(versions)
    everything = root_kubectl("api-resources", "--verbs=list", "-o", "name").split()
    assert root_kubectl.run("get", ",".join(everything), "-A", "--ignore-not-found").code == 0


def test_fields_are_explained(root_kubectl: Kubectl) -> None:
    told = root_kubectl("explain", "deployment.spec.strategy")
    assert "KIND:       Deployment" in told and "rollingUpdate\t<RollingUpdateDeployment>" in told
    assert "finalizers\t<[]string>" in root_kubectl("explain", "pods", "--recursive")
    assert "VERSION:    v1\n" in root_kubectl("explain", "hpa", "--api-version=autoscaling/v1")
    older = root_kubectl("explain", "deployment", "--output=plaintext-openapiv2")
    assert "VERSION:  apps/v1" in older and "spec\t<Object>" in older
    assert "doesn't have a resource type" in root_kubectl.fails("explain", "ship")
    assert "does not exist" in root_kubectl.fails("explain", "pod.spec.nope")


def test_the_cluster_as_a_whole(root_kubectl: Kubectl, tmp_path: Path) -> None:
    assert "Server Version: v1.36." in root_kubectl("version")
    assert "control plane" in root_kubectl("cluster-info")
    root_kubectl("cluster-info", "dump", "--namespaces=default", f"--output-directory={tmp_path}")
    assert (tmp_path / "nodes.json").exists() and (tmp_path / "default" / "services.json").exists()
    namespaces = root_kubectl.names("ns")
    assert {"namespace/default", "namespace/kube-system", "namespace/kube-public"} <= set(namespaces)
    assert root_kubectl.field(".spec.clusterIP", "svc", "kubernetes", "-n", "default") == "10.96.0.1"
    assert "Healthy" in root_kubectl("get", "componentstatuses")


def test_nodes(root_kubectl: Kubectl) -> None:
    node = "cluster-node"
    assert f'nodes "{node}" not found' in root_kubectl.fails("taint", "nodes", node, "a=b:NoSchedule")
    root_kubectl("create", "-f", "-", given=f"apiVersion: v1\nkind: Node\nmetadata: {{name: {node}}}\n")
    root_kubectl("taint", "nodes", node, "a=b:NoSchedule")
    assert '"key":"a","value":"b"' in root_kubectl.field(".spec.taints", "node", node)
    root_kubectl("taint", "nodes", node, "a-")
    assert root_kubectl("cordon", node) == f"node/{node} cordoned\n"
    (row,) = root_kubectl.run("get", "node", node).table()
    assert row["STATUS"].endswith("SchedulingDisabled")
    root_kubectl("uncordon", node)
    assert "drained" in root_kubectl("drain", node)
    assert "Unschedulable:      true" in root_kubectl("describe", "node", node)
    root_kubectl("delete", "node", node)


def test_rollouts(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=STATEFULSET)
    kubectl("wait", "--for=create", "pod/db-0", "pod/db-1")
    assert "REVISION" in kubectl("rollout", "history", "sts", "db")
    kubectl("rollout", "restart", "sts", "db")
    assert "restartedAt" in kubectl.field(".spec.template.metadata.annotations", "sts", "db")
    assert "timed out" in kubectl.fails("rollout", "status", "sts", "db", "--timeout=200ms")
    kubectl("apply", "-f", "-", given=DEPLOYMENT)
    assert kubectl("rollout", "pause", "deploy", "app") == "deployment.apps/app paused\n"
    assert kubectl("rollout", "resume", "deploy", "app") == "deployment.apps/app resumed\n"
    assert kubectl("rollout", "restart", "deploy", "app") == "deployment.apps/app restarted\n"


def test_pods_that_run_nowhere_yet_say_so(kubectl: Kubectl) -> None:
    kubectl("run", "p", "--image=busybox", "--env=A=b", "--port=80", "--expose", "--", "sleep", "1")
    described = kubectl("describe", "pod", "p")
    assert "Node:             <none>" in described and "Status:           Pending" in described
    assert kubectl("logs", "p") == ""
    assert "pod p does not have a host assigned" in kubectl.fails("exec", "p", "--", "ls")
    assert "pod is not running. Current status=Pending" in kubectl.fails("port-forward", "pod/p", ":80")
    assert "Metrics API not available" in kubectl.fails("top", "pods")
    assert kubectl.field(".spec.ports[0].port", "svc", "p") == "80"
