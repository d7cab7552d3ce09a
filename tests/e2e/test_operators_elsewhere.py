"""The operators beside a server, as on any cluster: `kajitori crds`, `kajitori run`, `kajitori explain`."""

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.kubectl import Kubectl
from tests.support.server import UpProcess, kajitori
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

MANIFEST = Path(__file__).parent.parent.parent / "docs/howto/mysqlcluster.yaml"
SECONDS_MAX = 20.0


@pytest.fixture
def up(tmp_path: Path) -> Iterator[UpProcess]:
    with UpProcess(tmp_path / "up", "--api-only", "--memory") as up:
        yield up


@pytest.fixture
def kubectl(kubectl_path: Path, up: UpProcess, tmp_path: Path) -> Kubectl:
    return Kubectl(kubectl_path, up.kubeconfig, tmp_path)


def printed(*arguments: str) -> str:
    ran = subprocess.run(kajitori(*arguments), capture_output=True, text=True, timeout=SECONDS_MAX)
    assert (ran.returncode, ran.stderr) == (0, ""), ran
    return ran.stdout


def test_the_mysql_operator_runs_on_another_cluster(up: UpProcess, kubectl: Kubectl) -> None:
    assert kubectl.run("api-resources", "--api-group=moco.cybozu.com", "--no-headers").out == ""
    kubectl("apply", "--server-side", "-f", "-", given=printed("crds"))
    kubectl("wait", "--for=condition=Established", "crd/mysqlclusters.moco.cybozu.com")
    kubectl("create", "ns", "foo")
    foo = kubectl.within("foo")
    foo("create", "configmap", "mycnf", "--from-literal=long_query_time=1")
    kubectl("apply", "-f", str(MANIFEST))

    where = ("--kubeconfig", str(up.kubeconfig))
    plan = printed("explain", "mysqlcluster/default", "-n", "foo", *where)
    assert plan.startswith("MySQLCluster foo/default\nstate: Adopting (")
    assert "\nplan:\n  Patch MySQLCluster foo/default: no admission of ours added the finalizer" in plan
    assert foo.names("sts") == []

    running = subprocess.Popen(
        kajitori("run", "mysql", *where), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        foo("wait", "--for=condition=ReconcileSuccess", "mysqlcluster/default", "--timeout=20s")
        until(lambda: foo.names("sts,svc,pdb"), lambda names: "statefulset.apps/moco-default" in names)
        explained = printed("explain", "mysqlcluster/default", "-n", "foo", *where, "-o", "yaml")
        assert "plan: []" in explained
    finally:
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=SECONDS_MAX)
    assert running.returncode == 0, (out, err)
    assert not re.search("WARNING|ERROR|Traceback", err), err
    assert out.startswith("Running ") and out.endswith("\nStopping ...\n")
