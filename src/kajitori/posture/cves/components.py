"""What runs, in which version: from the API server's own word, from nodes, from images.

Promises
    C1  each version of a component is told with where it was seen
    C2  an image whose tag is no version is told without one: nothing is guessed
"""

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.podsecurity import WORKLOADS, pod_of
from kajitori.posture.inventory import Inventory, name_of, shown

__all__ = ["CORE", "Component", "component_in", "components_in", "components_of", "known_as", "uses_volume"]

CORE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
"""What every cluster runs, seen or not."""

_NAMES: Mapping[str, str] = {
    "kube-apiserver": r"kube-?apiserver|kubernetes api server",
    "kube-controller-manager": r"kube-?controller-manager",
    "kube-scheduler": r"kube-?scheduler",
    "kube-proxy": r"kube-?proxy",
    "kubelet": r"kubelets?",
    "kubectl": r"kubectl",
    "ingress-nginx": r"ingress-nginx|nginx ingress controller",
    "csi-driver-nfs": r"csi-driver-nfs|csi driver for nfs|nfs\.csi\.k8s\.io",
    "csi-driver-smb": r"csi-driver-smb|csi driver for smb|smb\.csi\.k8s\.io",
    "csi-proxy": r"(?:kubernetes-)?csi-proxy",
    "secrets-store-csi-driver": r"secrets-store-csi-driver",
    "azure-file-csi-driver": r"azure-?file-csi-driver",
    "aws-iam-authenticator": r"aws-iam-authenticator",
    "image-builder": r"image[- ]builder",
    "etcd": r"etcd",
    "coredns": r"coredns",
    "metrics-server": r"metrics-server",
    "cluster-autoscaler": r"cluster-autoscaler",
    "external-dns": r"external-?dns",
    "containerd": r"containerd",
    "cri-o": r"cri-o",
}
_MATCHES = {
    name: re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.IGNORECASE) for name, pattern in _NAMES.items()
}
_IMAGES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"ingress-nginx/controller(?:-chroot)?|(?:^|/)nginx-ingress-controller"), "ingress-nginx"),
    (re.compile(r"(?:^|/)nfsplugin$"), "csi-driver-nfs"),
    (re.compile(r"(?:^|/)smbplugin$"), "csi-driver-smb"),
    (
        re.compile(r"(?:csi-secrets-store|secrets-store-csi|secrets-store-csi-driver)/driver$"),
        "secrets-store-csi-driver",
    ),
    (re.compile(r"azurefile-csi$"), "azure-file-csi-driver"),
    (
        re.compile(
            r"(?:^|/)(kube-apiserver|kube-controller-manager|kube-scheduler|kube-proxy|etcd|coredns|metrics-server|"
            r"cluster-autoscaler|external-dns|aws-iam-authenticator)$"
        ),
        "",
    ),
)
_RUNTIMES = {"containerd": "containerd", "cri-o": "cri-o", "docker": "docker"}


class Component(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One component in one version."""

    name: str
    version: str
    """As it was read; empty when nothing says it."""
    seen: tuple[str, ...]
    """`node a`, `Pod kube-system/etcd-a`."""


def known_as(name: str) -> tuple[str, ...]:
    """The components that a name in an advisory means: `k8s.io/kubernetes` is all of the core."""
    short = name.removeprefix("https://").lower()
    if short in ("kubernetes", "k8s.io/kubernetes", "github.com/kubernetes/kubernetes"):
        return CORE
    return (component_in(short.rpartition("/")[2]) or component_in(short) or name,)


def component_in(text: str) -> str | None:
    """The first component that a text names."""
    found = components_in(text)
    return found[0] if found else None


def components_in(text: str) -> list[str]:
    """All that it names, in order."""
    places = [
        (match.start(), name) for name, one in _MATCHES.items() if (match := one.search(text)) is not None
    ]
    return [name for _, name in sorted(places)]


def components_of(inventory: Inventory, programs: Iterable[tuple[str, str]] = ()) -> list[Component]:
    """Everything that is known to run (C1); `programs` are names and versions that an audit log has."""
    seen: dict[tuple[str, str], dict[str, None]] = {}

    def note(name: str, version: str, where: str) -> None:
        seen.setdefault((name, version), {})[where] = None

    if inventory.version:
        note("kube-apiserver", inventory.version, "the server's /version")
    for node in inventory["/nodes"]:
        info: JsonObject = (node.get("status") or {}).get("nodeInfo") or {}
        where = f"node {name_of(node)}"
        for member, name in (("kubeletVersion", "kubelet"), ("kubeProxyVersion", "kube-proxy")):
            if info.get(member):
                note(name, str(info[member]), where)
        runtime, _, version = str(info.get("containerRuntimeVersion") or "").partition("://")
        if runtime in _RUNTIMES:
            note(_RUNTIMES[runtime], version, where)
    for where, spec in _pod_specs(inventory):
        for image in _images(spec):
            component = _component_of(image)
            if component is not None:
                note(component, _tag(image), where)
    for name, version in programs:
        if (name, version) not in seen:
            note(name, version, "user agents in the audit log")
    return [
        Component(name=name, version=version, seen=tuple(places))
        for (name, version), places in sorted(seen.items())
    ]


def _pod_specs(inventory: Inventory) -> Iterator[tuple[str, JsonObject]]:
    """What Pods run; where Pods are not known, what templates would make run."""
    for pod in inventory["/pods"]:
        if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed"):
            yield f"Pod {shown(pod)}", pod.get("spec") or {}
    if inventory.whole:
        return
    for bucket in sorted(WORKLOADS):
        for each in inventory[bucket]:
            found = pod_of(bucket, each)
            if found is not None:
                yield f"{bucket.rpartition('/')[2]} {shown(each)}", found[1]


def _images(spec: JsonObject) -> Iterable[str]:
    for member in ("initContainers", "containers", "ephemeralContainers"):
        for each in spec.get(member) or ():
            if each.get("image"):
                yield str(each["image"])


def _component_of(image: str) -> str | None:
    name = _without_tag(image)
    for pattern, component in _IMAGES:
        match = pattern.search(name)
        if match is not None:
            return component or match[1]
    return None


def _without_tag(image: str) -> str:
    name = image.partition("@")[0]
    head, colon, tag = name.rpartition(":")
    return head if colon and "/" not in tag else name


def _tag(image: str) -> str:
    name = image.partition("@")[0]
    _, colon, tag = name.rpartition(":")
    tag = tag if colon and "/" not in tag else ""
    return tag.removeprefix("controller-") if re.search(r"\d+\.\d+", tag) else ""


def uses_volume(inventory: Inventory, member: str) -> list[str]:
    """Who has a volume of a type: `gitRepo`."""
    return [
        where
        for where, spec in _pod_specs(inventory)
        if any(each.get(member) is not None for each in spec.get("volumes") or ())
    ]
