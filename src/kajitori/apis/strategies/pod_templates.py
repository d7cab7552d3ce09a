"""Warnings about Pods and about what Pods are made from: accepted, but not what it seems.

Source: pkg/api/pod/warnings.go.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.strategies.address_warnings import ip_warnings
from kajitori.apis.strategies.node_labels import DEPRECATED, term_warnings
from kajitori.apis.strategies.volume_warnings import fraction_warnings, volume_warnings

__all__ = [
    "APP_ARMOR_CONTAINER",
    "USE_APP_ARMOR",
    "app_armor_profile",
    "containers_of",
    "pod_warnings",
    "template_warnings",
]

_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": (
        'non-functional in v1.16+; use the "priorityClassName" field instead'
    ),
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
_SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
APP_ARMOR_CONTAINER = "container.apparmor.security.beta.kubernetes.io/"
_USE_SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead'
USE_APP_ARMOR = 'deprecated since v1.30; use the "appArmorProfile" field instead'
_NO_SELECTOR = "a null labelSelector results in matching no pod"
_BYTES = ("memory", "ephemeral-storage")


def pod_warnings(pod: JsonObject) -> list[str]:
    """Warnings about a new Pod."""
    return _warnings("", pod["metadata"], pod["spec"])


def template_warnings(path: str, template: JsonObject | None, old: JsonObject | None) -> list[str]:
    """Warnings about the template at `path`; what was there before is not told apart."""
    if template is None:
        return []
    return _warnings(f"{path}.", template["metadata"], template["spec"])


def containers_of(spec: Mapping[str, Any]) -> Iterator[tuple[str, JsonObject]]:
    """Every container of a Pod's spec, with its place below `spec`, init containers first."""
    for member in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(member) or ()):
            yield f"{member}[{index}]", container


def app_armor_profile(annotation: str) -> JsonObject | None:
    """The profile that an annotation of old names; None when it names none."""
    if annotation == "unconfined":
        return {"type": "Unconfined"}
    if annotation == "runtime/default":
        return {"type": "RuntimeDefault"}
    local = annotation.removeprefix("localhost/")
    if local != annotation and local:
        return {"type": "Localhost", "localhostProfile": local}
    return None


def _warnings(prefix: str, metadata: JsonObject, spec: JsonObject) -> list[str]:
    path = f"{prefix}spec"
    annotations: dict[str, str] = metadata.get("annotations") or {}
    keyed = f"{prefix}metadata.annotations"
    told = _node_warnings(path, spec)
    told += [f"{keyed}[{key}]: {text}" for key, text in _ANNOTATIONS.items() if key in annotations]
    told += volume_warnings(f"{path}.volumes", spec.get("volumes") or ())
    told += _repeated(f"{path}.hostAliases", "ip", spec.get("hostAliases") or ())
    told += _repeated(f"{path}.imagePullSecrets", "name", spec.get("imagePullSecrets") or ())
    for index, secret in enumerate(spec.get("imagePullSecrets") or ()):
        if not secret.get("name"):
            told.append(f'{path}.imagePullSecrets[{index}].name: invalid empty name ""')
    told += fraction_warnings(f"{path}.overhead", spec.get("overhead"), _BYTES)
    security = spec.get("securityContext") or {}
    if "seccompProfile" not in security and _SECCOMP_POD in annotations:
        told.append(f"{keyed}[{_SECCOMP_POD}]: {_USE_SECCOMP}")
    for place, container in containers_of(spec):
        told += _container_annotations(keyed, container, annotations, security, is_template=bool(prefix))
        told += _container_warnings(f"{path}.{place}", container)
    told += _port_warnings(path, spec)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        told.append(
            f"{path}.terminationGracePeriodSeconds: "
            "must be >= 0; negative values are invalid and will be treated as 1"
        )
    told += _affinity_warnings(f"{path}.affinity", spec.get("affinity") or {})
    for index, server in enumerate((spec.get("dnsConfig") or {}).get("nameservers") or ()):
        told += ip_warnings(f"{path}.dnsConfig.nameservers[{index}]", server)
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        told += ip_warnings(f"{path}.hostAliases[{index}].ip", alias.get("ip", ""))
    return told


def _node_warnings(path: str, spec: JsonObject) -> list[str]:
    told = [
        f"{path}.nodeSelector[{k}]: {DEPRECATED[k]}"
        for k in spec.get("nodeSelector") or ()
        if k in DEPRECATED
    ]
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    here = f"{path}.affinity.nodeAffinity"
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    terms = f"{here}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
    for index, term in enumerate(required.get("nodeSelectorTerms") or ()):
        told += term_warnings(f"{terms}[{index}]", term)
    preferred = f"{here}.preferredDuringSchedulingIgnoredDuringExecution"
    for index, term in enumerate(affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()):
        told += term_warnings(f"{preferred}[{index}].preference", term["preference"], check_values=True)
    for index, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        here, key = f"{path}.topologySpreadConstraints[{index}]", constraint.get("topologyKey", "")
        if key in DEPRECATED:
            told.append(f"{here}.topologyKey: {key} is {DEPRECATED[key]}")
        if "labelSelector" not in constraint:
            told.append(f"{here}.labelSelector: {_NO_SELECTOR}")
    return told


def _repeated(path: str, member: str, items: Sequence[Mapping[str, Any]]) -> list[str]:
    told: list[str] = []
    seen: set[str] = set()
    for index, item in enumerate(items):
        value = item.get(member, "")
        if value in seen:
            told.append(f"{path}[{index}].{member}: duplicate {member} {go_quote(value)}")
        seen.add(value)
    return told


def _container_annotations(
    keyed: str,
    container: JsonObject,
    annotations: Mapping[str, str],
    security: JsonObject,
    *,
    is_template: bool,
) -> list[str]:
    told: list[str] = []
    own = container.get("securityContext") or {}
    seccomp = _SECCOMP_CONTAINER + container.get("name", "")
    if "seccompProfile" not in own and seccomp in annotations:
        told.append(f"{keyed}[{seccomp}]: {_USE_SECCOMP}")
    armor = APP_ARMOR_CONTAINER + container.get("name", "")
    # A Pod's own annotations become fields when it is created, and are told there.
    if is_template and "appArmorProfile" not in own and armor in annotations:
        profile = security.get("appArmorProfile")
        if profile is None or profile != app_armor_profile(annotations[armor]):
            told.append(f"{keyed}[{armor}]: {USE_APP_ARMOR}")
    return told


def _container_warnings(path: str, container: JsonObject) -> list[str]:
    told: list[str] = []
    resources = container.get("resources") or {}
    for name in _BYTES:
        for member in ("limits", "requests"):
            told += fraction_warnings(f"{path}.resources.{member}", resources.get(member), [name])
    seen: set[str] = set()
    for index, variable in enumerate(container.get("env") or ()):
        name, value = variable.get("name", ""), variable.get("value", "")
        if name not in seen:
            seen.add(name)
            continue
        reference = f"$({name})"
        if "valueFrom" in variable or value == reference or reference not in value:
            told.append(
                f"{path}.env[{index}]: hides previous definition of {go_quote(name)}, "
                "which may be dropped when using apply"
            )
    return told


def _port_warnings(path: str, spec: JsonObject) -> list[str]:
    told: list[str] = []
    places: dict[str, list[tuple[str, JsonObject]]] = {}
    names: dict[str, str] = {}
    named: list[str] = []
    for place, container in containers_of(spec):
        for index, port in enumerate(container.get("ports") or ()):
            here = f"{path}.{place}.ports[{index}]"
            if port.get("hostIP") and not port.get("hostPort"):
                told.append(f"{here}: hostIP set without hostPort: {_go_struct(port)}")
            others = places.setdefault(f"{port.get('containerPort', 0)}/{port.get('protocol', '')}", [])
            told += [text for other in others if (text := _port_conflict(here, port, *other))]
            others.append((here, port))
            name = port.get("name")
            if name and name in names:
                named.append(
                    f"{here}: duplicate port name {go_quote(name)} with {names[name]}, "
                    f"services and probes that select ports by name will use {names[name]}"
                )
            elif name:
                names[name] = here
    return told + named


def _port_conflict(here: str, port: JsonObject, place: str, other: JsonObject) -> str:
    address, host = port.get("hostIP", ""), port.get("hostPort", 0)
    other_address, other_host = other.get("hostIP", ""), other.get("hostPort", 0)
    if address == other_address and host == other_host:
        return f"{here}: duplicate port definition with {place}"
    if not host or not other_host:
        return f"{here}: overlapping port definition with {place}"
    if host == other_host and bool(address) != bool(other_address):
        return f"{here}: dangerously ambiguous port definition with {place}"
    return ""


def _go_struct(port: JsonObject) -> str:
    """A container's port as Go's %+v shows it."""
    members = (
        ("Name", port.get("name", "")),
        ("HostPort", port.get("hostPort", 0)),
        ("ContainerPort", port.get("containerPort", 0)),
        ("Protocol", port.get("protocol", "")),
        ("HostIP", port.get("hostIP", "")),
    )
    return "{" + " ".join(f"{name}:{value}" for name, value in members) + "}"


def _affinity_warnings(path: str, affinity: JsonObject) -> list[str]:
    told: list[str] = []
    for member in ("podAffinity", "podAntiAffinity"):
        terms = affinity.get(member) or {}
        here = f"{path}.{member}.requiredDuringSchedulingIgnoredDuringExecution"
        for index, term in enumerate(terms.get("requiredDuringSchedulingIgnoredDuringExecution") or ()):
            if "labelSelector" not in term:
                told.append(f"{here}[{index}].labelSelector: {_NO_SELECTOR}")
        here = f"{path}.{member}.preferredDuringSchedulingIgnoredDuringExecution"
        for index, term in enumerate(terms.get("preferredDuringSchedulingIgnoredDuringExecution") or ()):
            if "labelSelector" not in term["podAffinityTerm"]:
                told.append(f"{here}[{index}].podAffinityTerm.labelSelector: {_NO_SELECTOR}")
    return told
