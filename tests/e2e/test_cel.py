"""`kajitori cel` at the end of a pipe: what an expression says of objects that the real kubectl read from a cluster."""

import subprocess

import msgspec
import pytest
from tests.e2e.manifests import DEPLOYMENT
from tests.support.kubectl import Kubectl
from tests.support.server import kajitori

pytestmark = pytest.mark.e2e


def cel(given: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(kajitori("cel", *words), input=given, capture_output=True, text=True, timeout=20)


def test_objects_of_a_cluster_are_judged(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=DEPLOYMENT)
    objects = kubectl("get", "deployments", "-o", "yaml")
    rule = "object.spec.template.spec.containers.all(c, c.image.startsWith('nginx:'))"
    good = cel(objects, rule, "-f", "-", "--kind", "apps/v1/Deployment", "-o", "json")
    assert (good.returncode, good.stderr) == (0, "")
    told = msgspec.json.decode(good.stdout)
    assert (told["value"], told["type"]) == (True, "bool")
    assert told["estimatedCost"]["min"] <= told["cost"] <= told["estimatedCost"]["max"]
    bad = cel(objects, "object.spec.replicas > 5", "-f", "-", "--explain")
    assert bad.returncode == 1 and "   3  2        object.spec.replicas\n" in bad.stdout
    wrong = cel(objects, "object.spec.replica > 5", "-f", "-", "--kind", "apps/v1/Deployment")
    assert wrong.returncode == 2
    assert wrong.stderr.endswith(
        "ERROR: <input>:1:12: undefined field 'replica'\n | object.spec.replica > 5\n | ...........^\n"
    )
