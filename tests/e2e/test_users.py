"""`kajitori user`, and what kubectl makes of the people it brings."""

import base64
import subprocess
from pathlib import Path

import pytest
from tests.support.kubectl import Kubectl
from tests.support.server import UpProcess, kajitori

pytestmark = pytest.mark.e2e


def user(server: UpProcess, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    where = ("--kubeconfig", str(server.kubeconfig))
    return subprocess.run(
        kajitori("user", *words, *where), capture_output=True, text=True, timeout=30, cwd=folder
    )


def test_somebody_new_comes_with_a_certificate(
    server: UpProcess, kubectl: Kubectl, tmp_path: Path
) -> None:  # U1, U3
    added = user(server, tmp_path, "add", "dora", "--group", "crew", "--group", "night", "--expires", "8h")
    assert (added.returncode, added.stderr) == (0, "")
    assert added.stdout.startswith("dora in crew, night has a certificate until 20")
    written = tmp_path / "dora.kubeconfig"
    assert written.stat().st_mode & 0o777 == 0o600
    as_dora = f"--kubeconfig={written}"
    shown = kubectl("auth", "whoami", as_dora)
    assert "Username" in shown and "dora" in shown and "[crew night system:authenticated]" in shown
    assert "cannot list resource" in kubectl.fails("get", "pods", as_dora)
    kubectl("create", "rolebinding", "dora-and-joe", "--clusterrole=view", "--user=dora", "--user=joe")
    kubectl("create", "rolebinding", "dora", "--clusterrole=edit", "--user=dora")
    assert kubectl.run("get", "pods", as_dora).code == 0
    listed = user(server, tmp_path, "list").stdout
    row = next(line for line in listed.splitlines() if line.startswith("dora "))
    assert f"edit in {kubectl.namespace}, view in {kubectl.namespace}" in row and "until 20" in row
    removed = user(server, tmp_path, "remove", "dora").stdout
    assert f"RoleBinding {kubectl.namespace}/dora deleted: it named nobody else\n" in removed
    assert f"RoleBinding {kubectl.namespace}/dora-and-joe no longer names dora\n" in removed
    assert "A certificate of dora counts until it ends" in removed
    again = user(server, tmp_path, "remove", "dora")
    assert again.returncode == 1
    assert again.stderr.startswith("kajitori user: dora is named in no binding and no signing request")
    assert kubectl.field(".subjects[*].name", "rolebinding", "dora-and-joe") == "joe"
    assert "cannot list resource" in kubectl.fails("get", "pods", as_dora)


def test_a_file_that_is_there_is_left_alone(server: UpProcess, tmp_path: Path) -> None:
    (tmp_path / "ed.kubeconfig").write_text("mine")
    refused = user(server, tmp_path, "add", "ed")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        "kajitori user: ed.kubeconfig is there already; remove it, or name another with --output\n"
    )
    assert (tmp_path / "ed.kubeconfig").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("add", ""), 1, "the name '' cannot be in a certificate"),
        (("add", "x" * 65), 1, "use 1 to 64 printable characters"),
        (("add", "x", "--group", "system:masters"), 1, "bind cluster-admin to the name instead"),
        (("add", "x", "--expires", "5m"), 2, "use at least 10m"),
        (("add", "x", "--expires", "soon"), 2, "write a number and a unit"),
    ],
)
def test_what_cannot_be(
    server: UpProcess, tmp_path: Path, words: tuple[str, ...], code: int, told: str
) -> None:
    refused = user(server, tmp_path, *words)
    assert refused.returncode == code and told in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_certificates_are_approved_with_kubectl(kubectl: Kubectl, tmp_path: Path) -> None:
    key, csr = tmp_path / "eve.key", tmp_path / "eve.csr"
    words = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/O=crew/CN=eve")
    made = ["openssl", "req", *words, "-keyout", str(key), "-out", str(csr)]
    subprocess.run(made, check=True, capture_output=True)
    manifest = (
        "apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\nmetadata: {name: eve}\n"
        f"spec:\n  request: {base64.b64encode(csr.read_bytes()).decode()}\n"
        "  signerName: kubernetes.io/kube-apiserver-client\n  usages: [client auth]\n  expirationSeconds: 3600\n"
    )
    kubectl("apply", "-f", "-", given=manifest)
    assert "Pending" in kubectl("get", "csr", "eve")
    assert kubectl("certificate", "approve", "eve") == (
        "certificatesigningrequest.certificates.k8s.io/eve approved\n"
    )
    kubectl("wait", "csr/eve", "--for=jsonpath={.status.certificate}", "--timeout=10s")
    assert "Approved,Issued" in kubectl("get", "csr", "eve")
    certificate = tmp_path / "eve.crt"
    certificate.write_bytes(base64.b64decode(kubectl.field(".status.certificate", "csr", "eve")))
    who = kubectl("auth", "whoami", f"--client-certificate={certificate}", f"--client-key={key}", "--token=")
    assert "eve" in who and "[crew system:authenticated]" in who
    kubectl("delete", "csr", "eve")
