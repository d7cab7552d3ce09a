"""`kajitori envtest`: what it writes is what controller-runtime's envtest starts, asks and ends."""

import http.client
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kajitori.apiserver.pki import Pki
from kajitori.cli.envtest_apiserver import options_from
from kajitori.cli.main import main

ENVTEST = (  # as controller-runtime writes them
    "--allow-privileged=true",
    "--authorization-mode=RBAC",
    "--bind-address=127.0.0.1",
    "--disable-admission-plugins=ServiceAccount",
    "--etcd-servers=http://127.0.0.1:2379",
    "--service-cluster-ip-range=10.0.0.0/24",
)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody else's authority, with a serving certificate under the names that envtest gives it."""
    folder = tmp_path_factory.mktemp("certificates")
    Pki.begin(folder).wait()
    return folder


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assets dir")
    assert main(["envtest", "-p", "path", str(folder)]) == 0
    return folder


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@contextmanager
def running(*command: str) -> "Iterator[subprocess.Popen[str]]":
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def answer(connection: http.client.HTTPConnection, path: str) -> tuple[int, bytes]:
    deadline = time.monotonic() + 10
    while True:
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "it did not begin to listen"
            time.sleep(0.005)
        finally:
            connection.close()


def test_etcd_is_healthy_and_ends(assets: Path) -> None:
    port = free_port()
    with running(
        str(assets / "etcd"), f"--listen-client-urls=http://127.0.0.1:{port}", "--data-dir=x"
    ) as etcd:
        assert answer(http.client.HTTPConnection("127.0.0.1", port), "/health")[0] == 200
        status, told = answer(http.client.HTTPConnection("127.0.0.1", port), "/v3/kv/range")
        assert status == 404 and b"there is no etcd" in told
    assert etcd.returncode == 0


@pytest.mark.parametrize(
    ("url", "told"),
    [("https://127.0.0.1:1", "use one such as http://"), ("http://192.0.2.1:1", "cannot listen on")],
)
def test_etcd_says_why_it_does_not_start(assets: Path, url: str, told: str) -> None:
    done = subprocess.run(
        [assets / "etcd", "--listen-client-urls", url], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0 and told in done.stderr


def test_the_api_server_serves_with_the_certificate_it_is_given(  # A1, A2, A3
    assets: Path, certificates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    port = free_port()
    context = ssl.create_default_context(cafile=str(certificates / "ca.crt"))
    flags = [*ENVTEST, f"--cert-dir={certificates}", f"--secure-port={port}", "--feature-gates=Any=true"]
    with running(str(assets / "kube-apiserver"), *flags) as server:
        found = answer(http.client.HTTPSConnection("127.0.0.1", port, context=context), "/healthz")
        assert found == (200, b"ok")
        server.send_signal(signal.SIGTERM)
        assert server.stderr is not None
        assert (
            server.stderr.read() == "kube-apiserver: --feature-gates is not known to kajitori, and left out\n"
        )
    assert server.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_flags_of_kube_apiserver(tmp_path: Path) -> None:  # A2
    options, unknown = options_from(
        [
            *ENVTEST,
            "--secure-port",
            "1234",
            f"--cert-dir={tmp_path}",
            "--v=4",
            "--storage-backend=etcd3",
            "--nope",
            "x",
        ]
    )
    assert (options.port, options.host, options.api_only, options.data_dir) == (1234, "127.0.0.1", True, None)
    assert options.privileged and options.disable_admission_plugins == ("ServiceAccount",)
    assert options.tls_cert_file is None, "there is none in the folder"
    assert unknown == ["--nope"]


def test_what_envtest_asks_before_a_start(assets: Path) -> None:
    for name in ("etcd", "kube-apiserver"):
        told = subprocess.check_output([assets / name, "--help"], text=True)
        assert told.startswith(f"{name} for envtest") and "--insecure-port" not in told
    assert subprocess.check_output([assets / "kube-apiserver", "--version"], text=True).startswith(
        "Kubernetes v1."
    )


def test_a_second_run_gives_the_same(assets: Path, capsys: pytest.CaptureFixture[str]) -> None:  # V1, V2
    def content() -> dict[str, bytes]:
        return {str(each): each.read_bytes() for each in assets.rglob("*") if each.is_file()}

    (assets / "mine").write_text("left alone")
    before = content()
    assert main(["envtest", str(assets)]) == 0
    assert content() == before
    assert "export KUBEBUILDER_ASSETS='" in capsys.readouterr().out
    assert os.access(assets / "etcd", os.X_OK)


def test_a_folder_that_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["envtest", str(tmp_path / "file")]) == 1
    assert capsys.readouterr().err.startswith(f"kajitori envtest: cannot write {tmp_path / 'file'}: ")


@pytest.mark.parametrize(
    ("flags", "code", "told"),
    [
        (["--tls-cert-file=here.pem"], 2, "use both, or neither"),
        (
            ["--tls-cert-file=here.pem", "--tls-private-key-file=key.pem"],
            1,
            "cannot read here.pem: there is no such",
        ),
        (
            [f"--tls-cert-file={__file__}", f"--tls-private-key-file={__file__}"],
            1,
            "a certificate and its key, in PEM",
        ),
    ],
)
def test_certificates_that_cannot_serve(
    flags: list[str], code: int, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kubeconfig = f"--kubeconfig={tmp_path / 'kubeconfig'}"
    assert main(["up", "--memory", "--api-only", "--port=0", kubeconfig, *flags]) == code
    assert told in capsys.readouterr().err
