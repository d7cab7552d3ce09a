"""Defaults of the core group.

Some members say the same twice (`serviceAccount`, `podIP`, `stringData`); what is written is what Kubernetes' own
version of the object makes of both.

Source: pkg/apis/core/v1/defaults.go and conversion.go.
"""

import binascii
import re
from collections.abc import Iterable

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import Quantity, parse_quantity

__all__ = ["DEFAULTS", "image_tag"]

_CORE = "io.k8s.api.core.v1."
_SERVICE_AFFINITY_SECONDS = 10800
_TOKEN_SECONDS = 3600
_FILE_MODE = 0o644
_VOLUME_MEMBERS = {"name"}


_IMAGE = re.compile(
    r"(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*"
    r"|\[[a-fA-F0-9:]+\])(?::[0-9]+)?/)?"
    r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
    r"(?::(?P<tag>[\w][\w.-]{0,127}))?"
    r"(?P<digest>@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?",
    re.ASCII,
)
_IMAGE_ID = re.compile("[a-f0-9]{64}")


def image_tag(reference: str) -> str:
    """The tag of an image reference: `latest` when it has neither tag nor digest, empty when only a digest.

    Empty also for what is no reference: whoever pulls it will say so.
    """
    found = _IMAGE.fullmatch(reference)
    if found is None or _IMAGE_ID.fullmatch(reference):
        return ""
    return found["tag"] or ("" if found["digest"] else "latest")


def _pull_policy(reference: str) -> str:
    return "Always" if image_tag(reference) == "latest" else "IfNotPresent"


def _replication_controller(obj: JsonObject) -> None:
    labels = (obj["spec"].get("template") or {}).get("metadata", {}).get("labels")
    if not labels:
        return
    if not obj["spec"].get("selector"):
        obj["spec"]["selector"] = dict(labels)
    if not obj["metadata"].get("labels"):
        obj["metadata"]["labels"] = dict(labels)


def _volume(obj: JsonObject) -> None:
    if not obj.keys() - _VOLUME_MEMBERS:
        obj["emptyDir"] = {}
    image = obj.get("image")
    if image is not None and not image.get("pullPolicy"):
        image["pullPolicy"] = _pull_policy(image.get("reference", ""))


def _container(obj: JsonObject) -> None:
    if not obj.get("imagePullPolicy"):
        obj["imagePullPolicy"] = _pull_policy(obj.get("image", ""))
    obj.setdefault("terminationMessagePath", "/dev/termination-log")
    obj.setdefault("terminationMessagePolicy", "File")


def _service(obj: JsonObject) -> None:
    spec = obj["spec"]
    affinity = spec.setdefault("sessionAffinity", "None")
    if affinity == "None":
        spec.pop("sessionAffinityConfig", None)
    elif affinity == "ClientIP":
        client = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        if client.get("timeoutSeconds") is None:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": _SERVICE_AFFINITY_SECONDS}}
    kind = spec.setdefault("type", "ClusterIP")
    for port in spec.get("ports") or ():
        port.setdefault("protocol", "TCP")
        if not port.get("targetPort"):
            port["targetPort"] = port["port"]
    external = kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and spec.get("externalIPs"))
    if external:
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if kind in ("NodePort", "LoadBalancer", "ClusterIP"):
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
        for entry in (obj["status"].get("loadBalancer") or {}).get("ingress") or ():
            if entry.get("ip"):
                entry.setdefault("ipMode", "VIP")


def _pod(obj: JsonObject) -> None:
    spec = obj["spec"]
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    for container in containers:
        resources = container["resources"]
        limits = resources.get("limits")
        if limits:
            resources["requests"] = dict(sorted({**limits, **(resources.get("requests") or {})}.items()))
    if spec.get("resources"):
        _huge_page_limits(spec)
        _pod_requests(spec)
    spec.setdefault("enableServiceLinks", True)
    if spec.get("terminationGracePeriodSeconds", 0) < 0:
        spec["terminationGracePeriodSeconds"] = 1
    _drop_annotations(obj["metadata"])
    if spec.get("hostNetwork"):
        for container in containers:
            for port in container.get("ports") or ():
                if not port.get("hostPort") and port.get("containerPort"):
                    port["hostPort"] = port["containerPort"]


def _huge_page_limits(spec: JsonObject) -> None:
    """Limits of a Pod on huge pages are those of its containers together, unless it says so itself."""
    resources = spec["resources"]
    if not resources.get("limits") and not resources.get("requests"):
        return
    limits = dict(resources.get("limits") or {})
    for name, amount in _aggregated(spec, "limits").items():
        if name.startswith("hugepages-") and name not in (resources.get("requests") or {}):
            limits.setdefault(name, amount)
    if limits:
        resources["limits"] = dict(sorted(limits.items()))


def _pod_requests(spec: JsonObject) -> None:
    """Requests of a Pod are those of its containers together, or else its limits."""
    resources = spec["resources"]
    if not resources.get("limits"):
        return
    requests = dict(resources.get("requests") or {})
    for name, amount in _aggregated(spec, "requests").items():
        if name in ("cpu", "memory"):
            requests.setdefault(name, amount)
    for name, amount in resources["limits"].items():
        if name in ("cpu", "memory") or name.startswith("hugepages-"):
            requests.setdefault(name, amount)
    if requests:
        resources["requests"] = dict(sorted(requests.items()))


def _aggregated(spec: JsonObject, member: str) -> dict[str, str]:
    """What the containers of a Pod need at once: all that run together, or the largest that runs alone."""

    def amounts(container: JsonObject) -> dict[str, Quantity]:
        listed = container["resources"].get(member) or {}
        return {name: parse_quantity(text) for name, text in listed.items()}

    running = _sum(amounts(each) for each in spec.get("containers") or ())
    sidecars: dict[str, Quantity] = {}
    starting: dict[str, Quantity] = {}
    for container in spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            sidecars = _sum([sidecars, amounts(container)])
            now = sidecars
        else:
            now = _sum([sidecars, amounts(container)])
        starting = _largest(starting, now)
    total = _largest(_sum([running, sidecars]), starting)
    return {name: str(amount) for name, amount in total.items()}


def _sum(parts: Iterable[dict[str, Quantity]]) -> dict[str, Quantity]:
    total: dict[str, Quantity] = {}
    for part in parts:
        for name, amount in part.items():
            total[name] = total[name] + amount if name in total else amount
    return total


def _largest(one: dict[str, Quantity], two: dict[str, Quantity]) -> dict[str, Quantity]:
    return {name: max(each[name] for each in (one, two) if name in each) for name in {**one, **two}}


_INIT_CONTAINERS = frozenset(
    f"pod.{stage}.kubernetes.io/init-container{what}"
    for stage in ("alpha", "beta")
    for what in ("s", "-statuses")
)


def _drop_annotations(metadata: JsonObject) -> None:
    """Init containers were annotations once, and must not come in that way any more."""
    annotations = metadata.get("annotations")
    if annotations and not _INIT_CONTAINERS.isdisjoint(annotations):
        metadata["annotations"] = {k: v for k, v in annotations.items() if k not in _INIT_CONTAINERS}
        if not metadata["annotations"]:
            del metadata["annotations"]


def _pod_template_spec(obj: JsonObject) -> None:
    _drop_annotations(obj["metadata"])


def _pod_status(obj: JsonObject) -> None:
    address, listed = obj.get("podIP"), obj.get("podIPs")
    if address and (not listed or listed[0].get("ip") != address):
        obj["podIPs"] = [{"ip": address}]
    elif listed and listed[0].get("ip"):
        obj["podIP"] = listed[0]["ip"]


def _node_spec(obj: JsonObject) -> None:
    cidr, listed = obj.get("podCIDR"), obj.get("podCIDRs")
    if cidr and (not listed or listed[0] != cidr):
        obj["podCIDRs"] = [cidr]
    elif listed and listed[0]:
        obj["podCIDR"] = listed[0]


def _pod_spec(obj: JsonObject) -> None:
    account = obj.get("serviceAccountName") or obj.get("serviceAccount")
    if account:
        obj["serviceAccountName"] = obj["serviceAccount"] = account
    obj.setdefault("dnsPolicy", "ClusterFirst")
    obj.setdefault("restartPolicy", "Always")
    obj.setdefault("securityContext", {})
    obj.setdefault("terminationGracePeriodSeconds", 30)
    obj.setdefault("schedulerName", "default-scheduler")


def _probe(obj: JsonObject) -> None:
    obj.setdefault("timeoutSeconds", 1)
    obj.setdefault("periodSeconds", 10)
    obj.setdefault("successThreshold", 1)
    obj.setdefault("failureThreshold", 3)


def _file_mode(obj: JsonObject) -> None:
    obj.setdefault("defaultMode", _FILE_MODE)


def _secret(obj: JsonObject) -> None:
    obj.setdefault("type", "Opaque")
    texts = obj.pop("stringData", None)
    if texts:
        data = dict(obj.get("data") or {})
        for name, text in texts.items():
            data[name] = binascii.b2a_base64(text.encode(), newline=False).decode()
        obj["data"] = dict(sorted(data.items()))


def _service_account_token(obj: JsonObject) -> None:
    obj.setdefault("expirationSeconds", _TOKEN_SECONDS)


def _persistent_volume(obj: JsonObject) -> None:
    obj["status"].setdefault("phase", "Pending")
    obj["spec"].setdefault("persistentVolumeReclaimPolicy", "Retain")
    obj["spec"].setdefault("volumeMode", "Filesystem")


def _persistent_volume_claim(obj: JsonObject) -> None:
    obj["status"].setdefault("phase", "Pending")


def _persistent_volume_claim_spec(obj: JsonObject) -> None:
    obj.setdefault("volumeMode", "Filesystem")


def _endpoint_port(obj: JsonObject) -> None:
    obj.setdefault("protocol", "TCP")


def _http_get(obj: JsonObject) -> None:
    obj.setdefault("path", "/")
    obj.setdefault("scheme", "HTTP")


def _namespace(obj: JsonObject) -> None:
    name = obj["metadata"].get("name")
    if name:
        # Whoever wants to select a namespace by its name must be able to rely on this label.
        labels = {**(obj["metadata"].get("labels") or {}), "kubernetes.io/metadata.name": name}
        obj["metadata"]["labels"] = dict(sorted(labels.items()))


def _namespace_status(obj: JsonObject) -> None:
    obj.setdefault("phase", "Active")


def _node_status(obj: JsonObject) -> None:
    if obj.get("capacity") and not obj.get("allocatable"):
        obj["allocatable"] = dict(obj["capacity"])


def _object_field(obj: JsonObject) -> None:
    obj.setdefault("apiVersion", "v1")


def _limit_range_item(obj: JsonObject) -> None:
    if obj.get("type") != "Container":
        return
    limits = {**(obj.get("max") or {}), **(obj.get("default") or {})}
    requests = {**(obj.get("min") or {}), **limits, **(obj.get("defaultRequest") or {})}
    for member, amounts in (("default", limits), ("defaultRequest", requests)):
        if amounts:
            obj[member] = dict(sorted(amounts.items()))


def _host_path(obj: JsonObject) -> None:
    obj.setdefault("type", "")


DEFAULTS = {
    f"{_CORE}{name}": rule
    for name, rule in {
        "ConfigMapVolumeSource": _file_mode,
        "Container": _container,
        "DownwardAPIVolumeSource": _file_mode,
        "EndpointPort": _endpoint_port,
        "EphemeralContainer": _container,
        "HTTPGetAction": _http_get,
        "HostPathVolumeSource": _host_path,
        "LimitRangeItem": _limit_range_item,
        "Namespace": _namespace,
        "NamespaceStatus": _namespace_status,
        "NodeSpec": _node_spec,
        "NodeStatus": _node_status,
        "ObjectFieldSelector": _object_field,
        "PersistentVolume": _persistent_volume,
        "PersistentVolumeClaim": _persistent_volume_claim,
        "PersistentVolumeClaimSpec": _persistent_volume_claim_spec,
        "Pod": _pod,
        "PodSpec": _pod_spec,
        "PodStatus": _pod_status,
        "PodTemplateSpec": _pod_template_spec,
        "Probe": _probe,
        "ProjectedVolumeSource": _file_mode,
        "ReplicationController": _replication_controller,
        "Secret": _secret,
        "SecretVolumeSource": _file_mode,
        "Service": _service,
        "ServiceAccountTokenProjection": _service_account_token,
        "Volume": _volume,
    }.items()
}
