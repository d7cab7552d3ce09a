"""Who may do what, as kubectl asks and shows it."""

from pathlib import Path

import pytest
from tests.support.kubectl import Kubectl

pytestmark = pytest.mark.e2e


def test_the_admin_may_do_everything(kubectl: Kubectl) -> None:
    assert kubectl("auth", "can-i", "create", "pods") == "yes\n"
    assert kubectl("auth", "can-i", "*", "*", "--all-namespaces") == "yes\n"
    table = kubectl.run("auth", "whoami").table()
    assert {row["ATTRIBUTE"]: row["VALUE"] for row in table} == {
        "Username": "admin",
        "Groups": "[system:masters system:authenticated]",
    }
    listed = kubectl("auth", "can-i", "--list")
    assert listed.splitlines()[1].split() == ["*.*", "[]", "[]", "[*]"]


def test_somebody_else_may_do_what_a_role_says(kubectl: Kubectl) -> None:
    joe = ("--as=joe", "--as-group=crew")
    assert kubectl.run("auth", "can-i", "get", "pods", *joe).out == "no\n"
    refused = kubectl.fails("get", "pods", *joe)
    assert refused == (
        'Error from server (Forbidden): pods is forbidden: User "joe" cannot list resource "pods" in API group "" '
        f'in the namespace "{kubectl.namespace}"\n'
    )
    kubectl("create", "role", "reader", "--verb=get,list", "--resource=pods")
    kubectl("create", "rolebinding", "crew-reads", "--role=reader", "--group=crew")
    assert kubectl("auth", "can-i", "list", "pods", *joe) == "yes\n"
    assert kubectl.run("get", "pods", *joe).code == 0
    assert kubectl.run("auth", "can-i", "delete", "pods", *joe).out == "no\n"
    assert "[crew system:authenticated]" in kubectl("auth", "whoami", *joe)
    listed = kubectl("auth", "can-i", "--list", *joe)
    assert ["pods", "[]", "[]", "[get", "list]"] in [line.split() for line in listed.splitlines()]


def test_nobody_gives_what_he_has_not(kubectl: Kubectl) -> None:
    kubectl(
        "create",
        "role",
        "manager",
        "--verb=get,create",
        "--resource=roles.rbac.authorization.k8s.io,rolebindings",
    )
    kubectl("create", "rolebinding", "manager", "--role=manager", "--user=mary")
    refused = kubectl.fails("create", "role", "grab", "--verb=get", "--resource=secrets", "--as=mary")
    assert "is attempting to grant RBAC permissions not currently held" in refused


def test_reconcile_adds_what_a_role_lacks(kubectl: Kubectl) -> None:
    role = (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n"
        f"metadata: {{name: r, namespace: {kubectl.namespace}}}\n"
        "rules:\n- {apiGroups: [''], resources: [pods], verbs: [get, watch]}\n"
    )
    kubectl("create", "role", "r", "--verb=get", "--resource=pods")
    assert "reconciled" in kubectl("auth", "reconcile", "-f", "-", given=role)
    assert "watch" in kubectl.field(".rules[*].verbs", "role", "r")


def test_without_credentials_there_is_little_to_see(kubectl: Kubectl, tmp_path: Path) -> None:
    server = kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}")
    # kubectl asks a user without credentials for some; a password is none to the server.
    nobody = tmp_path / "nobody"
    nobody.write_text(
        "apiVersion: v1\nkind: Config\nclusters: []\nusers: [{name: nobody, user: {username: a, password: b}}]\n"
        "contexts: [{name: c, context: {user: nobody}}]\ncurrent-context: c\n"
    )
    stranger = (f"--kubeconfig={nobody}", f"--server={server}", "--insecure-skip-tls-verify")
    assert 'User "system:anonymous" cannot list resource "pods"' in kubectl.fails("get", "pods", *stranger)
    assert kubectl("get", "--raw", "/readyz", *stranger) == "ok"
    assert "v1.36" in kubectl("get", "--raw", "/version", *stranger)
    assert "(Forbidden)" in kubectl.fails("get", "--raw", "/api", *stranger)
    assert "Unauthorized" in kubectl.fails("get", "--raw", "/api", "--token=wrong")
    assert "certificate" in kubectl.fails("get", "ns", f"--kubeconfig={nobody}", f"--server={server}")
