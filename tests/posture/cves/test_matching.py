"""Known vulnerabilities matched to what runs."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from tests.posture.cves.test_feed import FEED, OSV
from tests.posture.objects import inventory, obj, pod

from kajitori.posture.cves.components import components_of, known_as
from kajitori.posture.cves.feed import read_feed
from kajitori.posture.cves.judging import judge_cves
from kajitori.posture.cves.matching import Match
from kajitori.posture.cves.vex import vex_document
from kajitori.posture.findings import Section


def node(name: str, version: str, system: str = "linux", **info: str) -> dict[str, Any]:
    said = {"kubeletVersion": version, "operatingSystem": system} | info
    return obj("v1", "Node", name, status={"nodeInfo": said})


def runs(image: str, name: str = "p") -> dict[str, Any]:
    return pod("apps", name, containers=[{"name": "c", "image": image}])


def matches(section: Section, cve: str) -> list[tuple[str, str, str, bool, str]]:
    return [
        (each.component, each.version, each.result, each.certain, each.fixed_in)
        for each in section.judged
        if isinstance(each, Match) and each.cve == cve
    ]


def judged(*objects: dict[str, Any], version: str = "v1.36.2", feed: bytes = FEED) -> Section:
    return judge_cves(inventory(*objects, version=version), read_feed(feed))


@pytest.mark.parametrize(
    ("image", "component", "version"),
    [
        ("registry.k8s.io/ingress-nginx/controller:v1.12.0@sha256:ab", "ingress-nginx", "v1.12.0"),
        ("registry.k8s.io/ingress-nginx/controller-chroot:v1.12.0", "ingress-nginx", "v1.12.0"),
        ("registry.k8s.io/kube-controller-manager:v1.36.2", "kube-controller-manager", "v1.36.2"),
        ("localhost:5000/etcd:3.6.1-0", "etcd", "3.6.1-0"),
        ("localhost:5000/etcd", "etcd", ""),
        ("coredns/coredns:latest", "coredns", ""),
        ("registry.k8s.io/sig-storage/nfsplugin:v4.13.0", "csi-driver-nfs", "v4.13.0"),
        ("registry.k8s.io/sig-storage/smbplugin:v1.20.0", "csi-driver-smb", "v1.20.0"),
        ("registry.k8s.io/csi-secrets-store/driver:v1.4.0", "secrets-store-csi-driver", "v1.4.0"),
        ("my/etcd-backup:1.0.0", None, ""),
    ],
)
def test_components_by_their_images(image: str, component: str | None, version: str) -> None:  # C1, C2
    found = [
        each for each in components_of(inventory(runs(image), version="")) if each.name != "kube-apiserver"
    ]
    assert [(each.name, each.version, each.seen) for each in found] == (
        [(component, version, ("Pod apps/p",))] if component else []
    )


def test_components_of_nodes_and_of_the_server() -> None:
    nodes = [
        node("a", "v1.36.1", containerRuntimeVersion="containerd://2.1.0", kubeProxyVersion="v1.36.1"),
        node("b", "v1.35.0"),
        node("c", "v1.36.1"),
    ]
    assert [(each.name, each.version, each.seen) for each in components_of(inventory(*nodes))] == [
        ("containerd", "2.1.0", ("node a",)),
        ("kube-apiserver", "v1.36.2", ("the server's /version",)),
        ("kube-proxy", "v1.36.1", ("node a",)),
        ("kubelet", "v1.35.0", ("node b",)),
        ("kubelet", "v1.36.1", ("node a", "node c")),
    ]


def test_components_that_an_audit_log_names() -> None:
    """Where the control plane is somebody else's, it is seen nowhere but there."""
    programs = [("kube-scheduler", "v1.36.0"), ("kubelet", "v1.36.1")]
    found = components_of(inventory(node("a", "v1.36.1")), programs)
    assert [(each.name, each.version, each.seen) for each in found if each.name != "kube-apiserver"] == [
        ("kube-scheduler", "v1.36.0", ("user agents in the audit log",)),
        ("kubelet", "v1.36.1", ("node a",)),
    ]


def test_names_in_advisories() -> None:
    assert known_as("k8s.io/kubernetes")[0] == "kube-apiserver" and len(known_as("Kubernetes")) == 5
    assert known_as("k8s.io/ingress-nginx") == ("ingress-nginx",) and known_as("kubelet") == ("kubelet",)
    assert known_as("headlamp") == ("headlamp",)


@pytest.mark.parametrize(
    ("version", "result", "fixed"),
    [
        ("v1.13.6", "affected", "1.13.7"),
        ("v1.13.7", "fixed", ""),
        ("v1.13.9", "fixed", ""),
        ("v1.14.2", "affected", "1.14.3"),
        ("v1.14.3", "fixed", ""),
        ("v1.15.0", "fixed", ""),
        ("v1.9.0", "affected", "1.13.7"),
    ],
)
def test_by_a_block_of_osv(version: str, result: str, fixed: str) -> None:  # M3
    section = judged(runs(f"registry.k8s.io/ingress-nginx/controller:{version}"))
    assert matches(section, "CVE-2026-24512") == [("ingress-nginx", version, result, True, fixed)]


def test_the_table_is_better_than_a_text() -> None:  # M1, J1, J2
    section = judged(node("a", "v1.16.3"))
    assert matches(section, "CVE-2020-8551") == [("kubelet", "v1.16.3", "affected", True, "1.16.7")]
    (one,) = [each for each in section.judged if isinstance(each, Match) and each.cve == "CVE-2020-8551"]
    assert (one.source, one.severity) == ("table", "medium")
    assert matches(section, "CVE-2021-25741") == [("kubelet", "v1.16.3", "affected", True, "1.19.15")]


@pytest.mark.parametrize(
    ("version", "result", "fixed"),
    [
        ("v1.36.1", "affected", "1.36.3"),
        ("v1.36.3", "fixed", ""),
        ("v1.35.9", "fixed", ""),
        ("v1.34.0", "affected", "1.35.5"),
        ("v1.37.0", "unknown", ""),
    ],
)
def test_by_a_text_nothing_is_certain(version: str, result: str, fixed: str) -> None:  # M2
    section = judged(version=version)
    assert matches(section, "CVE-2099-0001") == [("kube-apiserver", version, result, False, fixed)]
    assert not any(
        each.result == "not_affected" and not each.certain
        for each in section.judged
        if isinstance(each, Match)
    )
    told = [each for each in section.findings if each.check == "CVE-2099-0001"]
    if result == "affected":  # J3: the text has no vector, so it is medium, and one step less
        assert [each.severity for each in told] == ["low"] and "(uncertain: read from its text)" in told[
            0
        ].message
    else:
        assert told == []


def test_a_text_that_contradicts_itself() -> None:
    """Announcements have listed the same versions as affected and as fixed."""
    text = "#### Affected Versions\n- ingress-nginx: v1.12.5\n#### Fixed Versions\n- ingress-nginx: v1.12.5"
    feed = {"items": [{"id": "CVE-2099-0005", "summary": "s", "content_text": text}]}
    section = judged(runs("registry.k8s.io/ingress-nginx/controller:v1.12.5"), feed=msgspec.json.encode(feed))
    assert matches(section, "CVE-2099-0005") == [("ingress-nginx", "v1.12.5", "unknown", False, "")]


def test_what_is_not_seen() -> None:  # M4
    section = judged(node("a", "v1.36.2"))
    assert matches(section, "CVE-2026-24512") == [("ingress-nginx", "", "not_affected", True, "")]
    scheduler = OSV["affected"][0] | {"package": {"name": "kube-scheduler"}}
    feed = OSV | {"affected": [scheduler]}
    assert matches(judged(feed=msgspec.json.encode(feed)), "CVE-2099-0003") == [
        ("kube-scheduler", "", "unknown", True, "")
    ]
    assert matches(judged(), "CVE-2020-8551") == [("kubelet", "", "not_affected", True, "")], (
        "there is no node"
    )
    part = judge_cves(inventory(runs("x"), whole=False, version=""), read_feed(FEED))
    assert matches(part, "CVE-2026-24512") == [("ingress-nginx", "", "unknown", True, "")]
    assert matches(part, "CVE-2020-8551") == [("kubelet", "", "unknown", True, "")]


def test_what_an_announcement_needs_besides() -> None:
    linux, windows = node("a", "v1.27.1"), node("w", "v1.27.1", system="windows")
    assert matches(judged(linux), "CVE-2023-3676")[0][2] == "not_affected"
    assert matches(judged(linux, windows), "CVE-2023-3676")[0][2] == "affected"
    assert matches(judged(node("u", "v1.27.1", system="")), "CVE-2023-3676")[0][2] == "affected"
    clones = pod("apps", "p", volumes=[{"name": "v", "gitRepo": {"repository": "x"}}])
    assert matches(judged(linux), "CVE-2025-1767")[0][2] == "not_affected"
    assert matches(judged(linux, clones), "CVE-2025-1767")[0][2] == "affected"


def test_an_image_without_a_version_is_unknown() -> None:
    section = judged(runs("registry.k8s.io/ingress-nginx/controller:latest"))
    assert matches(section, "CVE-2026-24512") == [("ingress-nginx", "", "unknown", True, "")]


def test_findings_and_notes() -> None:
    section = judge_cves(
        inventory(runs("registry.k8s.io/ingress-nginx/controller:v1.14.0"), version=""),
        None,
        notes=["no feed"],
    )
    told = {each.check: each for each in section.findings}
    assert list(told) == ["CVE-2026-24512"]
    one = told["CVE-2026-24512"]
    assert (one.severity, one.about) == ("high", "ingress-nginx v1.14.0")
    assert one.advice == (
        "upgrade ingress-nginx to 1.14.3 or later; https://github.com/kubernetes/kubernetes/issues/136678"
    )
    assert one.evidence == ("1.14.0 is in < 1.13.7, >= 1.14.0 < 1.14.3", "seen: Pod apps/p")
    assert section.notes[0] == "no feed" and section.notes[1].startswith("23 CVEs: 1 affected, ")
    assert section.notes[2] == "not seen, so nothing is known of it: kube-apiserver (6 CVEs)"


def test_vex() -> None:  # X1, X2
    section = judged(
        runs("registry.k8s.io/ingress-nginx/controller:v1.14.0"),
        runs("registry.k8s.io/ingress-nginx/controller:v1.14.3", "q"),
        node("a", "v1.36.2"),
    )
    found = [each for each in section.judged if isinstance(each, Match)]
    told = vex_document(found, "test", datetime(2026, 1, 1, tzinfo=UTC))
    assert told["@context"] == "https://openvex.dev/ns/v0.2.0" and told["timestamp"] == "2026-01-01T00:00:00Z"
    by_product = {
        (each["vulnerability"]["name"], each["products"][0]["@id"]): each for each in told["statements"]
    }
    affected = by_product["CVE-2026-24512", "pkg:generic/kubernetes/ingress-nginx@1.14.0"]
    assert affected["status"] == "affected" and affected["action_statement"].startswith(
        "upgrade ingress-nginx to 1.14.3"
    )
    assert by_product["CVE-2026-24512", "pkg:generic/kubernetes/ingress-nginx@1.14.3"]["status"] == "fixed"
    absent = by_product["CVE-2026-3864", "pkg:generic/kubernetes/csi-driver-nfs"]
    assert (absent["status"], absent["impact_statement"]) == (
        "not_affected",
        "nothing that runs is csi-driver-nfs",
    )
    unsure = by_product["CVE-2099-0001", "pkg:generic/kubernetes/kube-apiserver@1.36.2"]
    assert unsure["status"] == "under_investigation"
    assert {each["status"] for each in told["statements"]} <= {
        "affected", "fixed", "not_affected", "under_investigation",
    }  # fmt: skip
