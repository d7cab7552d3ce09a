"""The first session of a user, from an empty folder to a MySQL cluster that outlives a restart.

Every command is one that a user types, against `kajitori up` in a process of its own.
"""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.https import Access, Api
from tests.support.kubectl import Kubectl
from tests.support.server import UpProcess
from tests.support.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

ROOT = Path(__file__).parent.parent.parent
MANIFEST = ROOT / "docs/howto/mysqlcluster.yaml"


@pytest.fixture
def up(tmp_path: Path) -> Iterator[UpProcess]:
    with UpProcess(tmp_path / "up") as up:
        yield up


@pytest.fixture
def kubectl(kubectl_path: Path, up: UpProcess, tmp_path: Path) -> Kubectl:
    return Kubectl(kubectl_path, up.kubeconfig, tmp_path)


def test_a_cluster_grows_is_deleted_and_outlives_a_restart(
    up: UpProcess, kubectl: Kubectl, tmp_path: Path
) -> None:
    assert stat.S_IMODE(up.kubeconfig.stat().st_mode) == 0o600
    kubectl("create", "ns", "foo")
    foo = kubectl.within("foo")
    foo("create", "configmap", "mycnf", "--from-literal=long_query_time=1")
    foo("wait", "--for=create", "serviceaccount/default", "configmap/kube-root-ca.crt")
    before = everything(foo)

    assert kubectl("apply", "-f", str(MANIFEST)) == "mysqlcluster.moco.cybozu.com/default created\n"
    foo("wait", "--for=condition=ReconcileSuccess", "mysqlcluster/default")
    foo("wait", "--for=create", "pod/moco-default-0")
    columns_are_sensible(foo)
    it_is_explained_and_described(foo)
    assert kubectl("apply", "-f", str(MANIFEST)) == "mysqlcluster.moco.cybozu.com/default unchanged\n"

    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nexec sed -i "s/storage: 1Gi/storage: 2Gi/" "$1"\n')
    editor.chmod(0o755)
    old = identities(foo)
    edited = foo("edit", "mysqlcluster", "default", env={"KUBE_EDITOR": str(editor)})
    assert edited == "mysqlcluster.moco.cybozu.com/default edited\n"
    volumes_grew(foo, old, was="1Gi", now="2Gi")

    old = identities(foo)
    grown = MANIFEST.read_text().replace("storage: 1Gi", "storage: 3Gi")
    assert "storage: 3Gi" in foo.run("diff", "-f", "-", given=grown).out
    assert kubectl("apply", "-f", "-", given=grown) == "mysqlcluster.moco.cybozu.com/default configured\n"
    volumes_grew(foo, old, was="2Gi", now="3Gi")

    it_outlives_a_restart(up, kubectl)

    foo("delete", "mysqlcluster", "default")
    claims = {"persistentvolumeclaim/mysql-data-moco-default-0"}
    until(lambda: everything(foo), lambda names: names == before | claims)


def everything(kubectl: Kubectl) -> set[str]:
    """The names of all objects of the namespace but Events, which tell of objects that are gone."""
    listed = kubectl("api-resources", "--namespaced", "--verbs=list", "-o", "name").split()
    kinds = sorted({kind for kind in listed if not kind.startswith("events")})
    return set(kubectl.names(",".join(kinds)))


def columns_are_sensible(kubectl: Kubectl) -> None:
    def rows(kind: str) -> list[dict[str, str]]:
        return kubectl.run("get", kind).table()

    (cluster,) = rows("mysqlclusters")
    assert cluster["NAME"] == "default" and cluster["RECONCILE ACTIVE"] == "True"
    (statefulset,) = rows("sts")
    assert (statefulset["NAME"], statefulset["READY"]) == ("moco-default", "0/1")
    (claim,) = rows("pvc")
    assert (claim["NAME"], claim["STATUS"]) == ("mysql-data-moco-default-0", "Pending")
    services = {row["NAME"]: row for row in rows("svc")}
    assert services["moco-default"]["CLUSTER-IP"] == "None"
    assert services["moco-default-primary"]["PORT(S)"] == "3306/TCP,33060/TCP"
    assert services["moco-default-replica"]["TYPE"] == "ClusterIP"
    assert {"mycnf", "kube-root-ca.crt"} < {row["NAME"] for row in rows("cm")}
    secrets = {row["NAME"]: row for row in rows("secret")}
    assert secrets["moco-default"]["TYPE"] == "Opaque" and secrets["moco-default"]["DATA"] == "8"
    (pod,) = rows("pods")
    assert (pod["NAME"], pod["STATUS"], pod["RESTARTS"]) == ("moco-default-0", "Pending", "0")
    at_once = kubectl("get", "mysqlclusters,sts,pvc,svc,cm,secret,pods", "-o", "wide")
    assert "statefulset.apps/moco-default" in at_once and "pod/moco-default-0" in at_once


def it_is_explained_and_described(kubectl: Kubectl) -> None:
    explained = kubectl("explain", "mysqlcluster.spec")
    assert "KIND:       MySQLCluster" in explained and "VERSION:    v1beta2" in explained
    assert "volumeClaimTemplates" in explained and "replicas\t<integer>" in explained
    described = kubectl("describe", "mysqlcluster", "default")
    assert "Mysql Config Map Name:  mycnf" in described and "Storage:  1Gi" in described
    assert "ReconcileSuccess" in described
    for kind in ("sts", "pvc", "svc", "cm", "secret", "pods"):
        assert "moco-default" in kubectl("describe", kind)


def identities(kubectl: Kubectl) -> dict[str, str]:
    """uid by `Kind/name` of the StatefulSet and the Pods."""
    listed: Any = kubectl.json("get", "sts,pods")
    return {f"{each['kind']}/{each['metadata']['name']}": each["metadata"]["uid"] for each in listed["items"]}


def volumes_grew(kubectl: Kubectl, old: dict[str, str], *, was: str, now: str) -> None:
    """The claims ask for more, the StatefulSet is another one, the Pods are the same, and an Event tells why."""
    request = "jsonpath={.spec.resources.requests.storage}"
    until(lambda: kubectl.run("get", "pvc", "mysql-data-moco-default-0", "-o", request).out, now.__eq__)
    template = "{.spec.volumeClaimTemplates[0].spec.resources.requests.storage}"
    until(lambda: kubectl.run("get", "sts", "moco-default", "-o", f"jsonpath={template}").out, now.__eq__)
    new = identities(kubectl)
    assert new.keys() == old.keys()
    assert new["StatefulSet/moco-default"] != old["StatefulSet/moco-default"]
    assert new["Pod/moco-default-0"] == old["Pod/moco-default-0"]
    until(
        lambda: kubectl.field(".metadata.ownerReferences[0].uid", "pod", "moco-default-0"),
        new["StatefulSet/moco-default"].__eq__,
    )
    told = until(
        lambda: kubectl("events", "--for", "mysqlcluster/default"),
        lambda text: (
            f"Claim mysql-data-moco-default-0 grows from {was} to {now}" in text
            and f"mysql-data {was} → {now}" in text
        ),
    )
    assert "StatefulSetRecreated" in told


def it_outlives_a_restart(up: UpProcess, kubectl: Kubectl) -> None:
    """Ctrl-C, then the same command again: the same objects, at the same versions, for the same kubeconfig."""
    before = objects(up)
    port = up.port
    ended = up.end()
    assert ended.code == 0 and ended.err == ""
    assert ended.out.endswith(f"\nStopping ...\nStopped. Everything is kept in {up.data_dir}.\n")
    kubeconfig = up.kubeconfig.read_bytes()
    up.start_on(port)
    assert up.kubeconfig.read_bytes() == kubeconfig
    assert objects(up) == before
    assert "moco-default-0" in kubectl("get", "pods", "-n", "foo")


def objects(up: UpProcess) -> dict[str, tuple[str, str]]:
    """uid and resourceVersion of every object, by its path."""
    found: dict[str, tuple[str, str]] = {}
    with Api(Access.of(up.kubeconfig)) as api:
        groups = [each["preferredVersion"]["groupVersion"] for each in api.get("/apis")["groups"]]
        for prefix in ("/api/v1", *(f"/apis/{version}" for version in groups)):
            for resource in api.get(prefix)["resources"]:
                # Component statuses are made when asked for; events.k8s.io and core serve the same Events.
                if "list" not in resource["verbs"] or resource["name"] in ("componentstatuses", "events"):
                    continue
                for each in api.get(f"{prefix}/{resource['name']}")["items"]:
                    metadata = each["metadata"]
                    path = f"{prefix}/{resource['name']}/{metadata.get('namespace', '')}/{metadata['name']}"
                    found[path] = metadata["uid"], metadata["resourceVersion"]
    assert any(path.endswith("/foo/moco-default-0") for path in found)
    return found


def test_the_manifest_of_the_docs_is_the_one_that_users_have() -> None:
    given = ROOT.parent / "shared/manifests/mysqlcluster.yaml"
    if not given.exists():
        pytest.skip("the manifest is not beside this checkout")
    assert MANIFEST.read_bytes() == given.read_bytes()
