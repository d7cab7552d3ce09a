"""Flags of `kajitori up` that change what the server is, seen from outside."""

import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.support.https import Access, Api
from tests.support.server import UpProcess, kajitori

pytestmark = pytest.mark.e2e

PRIVILEGED: dict[str, Any] = {
    "metadata": {"name": "p"},
    "spec": {"containers": [{"name": "c", "image": "i", "securityContext": {"privileged": True}}]},
}


@pytest.mark.parametrize(
    ("flags", "status"),
    [((), 422), (("--allow-privileged",), 201), (("--allow-privileged=false",), 422)],
)
def test_an_api_server_alone_takes_privileged_pods_when_told_to(
    tmp_path: Path, flags: tuple[str, ...], status: int
) -> None:
    with UpProcess(tmp_path, "--api-only", "--memory", *flags) as up, Api(Access.of(up.kubeconfig)) as api:
        answer = api.request("POST", "/api/v1/namespaces/default/pods", PRIVILEGED)
        assert answer.status == status, answer


def test_the_certificate_has_further_names_and_ports_of_services_their_range(tmp_path: Path) -> None:
    names = ("--tls-san", "kubernetes.example.com", "--tls-san", "192.0.2.10")
    ports = ("--service-node-port-range", "31000-31000")
    with UpProcess(tmp_path, "--api-only", "--memory", *names, *ports) as up:
        certificate = ssl.get_server_certificate(("127.0.0.1", up.port))
        text = subprocess.run(
            ["openssl", "x509", "-noout", "-ext", "subjectAltName"],
            input=certificate,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert "DNS:kubernetes.example.com" in text and "IP Address:192.0.2.10" in text
        with Api(Access.of(up.kubeconfig)) as api:
            spec = {"type": "NodePort", "ports": [{"port": 80}]}
            first = api.request(
                "POST", "/api/v1/namespaces/default/services", {"metadata": {"name": "a"}, "spec": spec}
            )
            assert first.json()["spec"]["ports"][0]["nodePort"] == 31000, first
            second = api.request(
                "POST", "/api/v1/namespaces/default/services", {"metadata": {"name": "b"}, "spec": spec}
            )
            assert second.status == 500 and "range is full" in second.message, second


@pytest.mark.parametrize("range_", ["5", "2-1", "a-b", "0-5", "1-70000"])
def test_a_range_of_ports_that_is_none_is_refused(range_: str) -> None:
    ended = subprocess.run(
        kajitori("up", "--service-node-port-range", range_), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert f"--service-node-port-range: {range_}: write it as FROM-TO, e.g. 30000-32767" in ended.stderr
