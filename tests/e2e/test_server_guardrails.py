"""Guardrails on the server, with plain kubectl and with the plugin; controllers go their way."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.kubectl import Kubectl
from tests.support.server import UpProcess, kajitori

pytestmark = pytest.mark.e2e

GUARDRAIL = """
apiVersion: guardrails.kajitori.dev/v1alpha1
kind: Guardrail
metadata: {name: secrets}
spec:
  message: these are the keys of the shop
  matchConstraints:
    resourceRules:
    - {operations: [DELETE], apiGroups: [""], apiVersions: [v1], resources: [secrets]}
    namespaceSelector:
      matchLabels: {guarded: "yes"}
"""


@pytest.fixture
def kubectl(tmp_path: Path, kubectl_path: Path) -> Iterator[Kubectl]:
    """kubectl at a cluster with a Guardrail, and a namespace that it is about."""
    with UpProcess(tmp_path, "--memory") as up:
        kubectl = Kubectl(kubectl_path, up.kubeconfig, tmp_path)
        told = subprocess.run(kajitori("crds", "guardrails"), capture_output=True, text=True, check=True)
        kubectl("apply", "-f", "-", given=told.stdout)
        kubectl("wait", "crd", "--all", "--for=condition=Established")
        kubectl("apply", "-f", "-", given=GUARDRAIL)
        kubectl("create", "namespace", "shop")
        kubectl("label", "namespace", "shop", "guarded=yes")
        kubectl("create", "secret", "generic", "keys", "-n", "shop")
        yield kubectl
        ended = up.end()
    assert (ended.code, ended.err) == (0, "")


def test_plain_kubectl_confirms_with_what_the_dry_run_says(kubectl: Kubectl) -> None:
    told = kubectl.fails("delete", "secret", "keys", "-n", "shop")
    assert "guardrail secrets (these are the keys of the shop): deleting Secret shop/keys needs" in told
    dry = kubectl.run("delete", "secret", "keys", "-n", "shop", "--dry-run=server")
    warnings = [line.removeprefix("Warning: ") for line in dry.err.splitlines()]
    (document,) = [line for line in warnings if line.startswith("{")]
    kubectl("create", "-f", "-", given=document)
    kubectl("delete", "secret", "keys", "-n", "shop")
    again = kubectl.run("create", "-f", "-", given=document)
    assert again.code == 1 and "this token has been used" in again.err


def test_the_plugin_confirms_by_itself_and_controllers_are_not_asked(
    kubectl: Kubectl, tmp_path: Path
) -> None:
    rules = tmp_path / "rules"
    rules.write_text("rules: [{name: careful, match: {verbs: [delete]}, action: confirm}]\n")
    env = kubectl.environment(
        {
            "KUBECTL_GUARDRAILS_CONF": str(rules),
            "KUBECTL_GUARDRAILS_KUBECTL": str(kubectl.path),
            "PYTHONPATH": ":".join(sys.path),
        }
    )
    assert "needs a confirmation" in kubectl.fails("delete", "namespace", "shop")
    words = [sys.executable, "-m", "kajitori.cli.guardrails.main", "delete", "namespace", "shop"]
    ran = subprocess.run([*words, "--yes"], env=env, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr  # kubectl has waited until the namespace and its secret are gone
    assert "with Namespace shop go: " in ran.stderr and "1 Secret" in ran.stderr
    assert kubectl.run("get", "namespace", "shop").code == 1
    assert kubectl("get", "confirmations") == ""
