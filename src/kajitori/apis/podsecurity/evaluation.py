"""Which checks belong to which level in which version, and what they say of a Pod.

Promises
    E1  a version newer than all checks is checked as the newest one is
    E2  what is wrong is told in the order of the checks' names, baseline first

Source: pod-security-admission's policy/registry.go; the versions are those of each check_*.go.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.podsecurity import checks
from kajitori.apis.podsecurity.checks import Check, Problem
from kajitori.apis.podsecurity.policies import BASELINE, LATEST, PRIVILEGED, Grade

__all__ = ["WORKLOADS", "Verdict", "evaluate", "failed_checks", "is_significant_update", "pod_of"]

_KEEPALIVE = (
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
)

_Versions = Sequence[tuple[int, Check]]
"""From which minor version on which form of a check counts."""

_BASELINE: dict[str, _Versions] = {
    "appArmorProfile": [(0, checks.app_armor_profile)],
    "capabilities_baseline": [(0, checks.default_capabilities)],
    "hostNamespaces": [(0, checks.host_namespaces)],
    "hostPathVolumes": [(0, checks.host_path_volumes)],
    "hostPorts": [(0, checks.host_ports)],
    "hostProbesAndHostLifecycle": [(34, checks.probed_hosts)],
    "privileged": [(0, checks.privileged)],
    "procMount": [(0, checks.proc_mount), (35, checks.unless_own_users(checks.proc_mount))],
    "seLinuxOptions": [
        (0, checks.se_linux_options(engine=False)),
        (31, checks.se_linux_options(engine=True)),
    ],
    "seccompProfile_baseline": [(0, checks.seccomp_annotations), (19, checks.seccomp_baseline)],
    "sysctls": [
        (0, checks.sysctls()),
        (27, checks.sysctls(*_KEEPALIVE[:1])),
        (29, checks.sysctls(*_KEEPALIVE)),
        (32, checks.sysctls(*_KEEPALIVE, "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem")),
    ],
    "windowsHostProcess": [(0, checks.windows_host_process)],
}

_RESTRICTED: dict[str, _Versions] = {
    "allowPrivilegeEscalation": [
        (8, checks.allow_privilege_escalation),
        (25, checks.unless_windows(checks.allow_privilege_escalation)),
    ],
    "capabilities_restricted": [
        (22, checks.restricted_capabilities),
        (25, checks.unless_windows(checks.restricted_capabilities)),
    ],
    "procMount_restricted": [(35, checks.proc_mount)],
    "restrictedVolumes": [(0, checks.restricted_volumes)],
    "runAsNonRoot": [(0, checks.run_as_non_root), (35, checks.unless_own_users(checks.run_as_non_root))],
    "runAsUser": [(23, checks.run_as_user), (35, checks.unless_own_users(checks.run_as_user))],
    "seccompProfile_restricted": [
        (19, checks.seccomp_restricted),
        (25, checks.unless_windows(checks.seccomp_restricted)),
    ],
}

_OVERRIDES = {
    "capabilities_restricted": "capabilities_baseline",
    "procMount_restricted": "procMount",
    "restrictedVolumes": "hostPathVolumes",
    "seccompProfile_restricted": "seccompProfile_baseline",
}
"""Checks of the restricted level, and which of the baseline they take the place of."""

_NEWEST = max(minor for table in (_BASELINE, _RESTRICTED) for each in table.values() for minor, _ in each)

_TEMPLATES = {
    "/podtemplates": ("template",),
    "/replicationcontrollers": ("spec", "template"),
    "apps/daemonsets": ("spec", "template"),
    "apps/deployments": ("spec", "template"),
    "apps/replicasets": ("spec", "template"),
    "apps/statefulsets": ("spec", "template"),
    "batch/cronjobs": ("spec", "jobTemplate", "spec", "template"),
    "batch/jobs": ("spec", "template"),
}
"""Where the template of Pods is, for the kinds that have one."""


class Verdict(NamedTuple):
    """What is wrong with a Pod; nothing when it is allowed."""

    problems: tuple[Problem, ...]

    @property
    def allowed(self) -> bool:
        return not self.problems

    @property
    def reasons(self) -> str:
        return ", ".join(reason for reason, _ in self.problems)

    @property
    def details(self) -> str:
        """Reasons, each with what exactly is wrong."""
        return ", ".join(f"{reason} ({detail})" if detail else reason for reason, detail in self.problems)


@cache
def _in_version(level: str, minor: int) -> dict[str, Check]:
    """The checks of a level by their names, in order."""

    def chosen(table: dict[str, _Versions]) -> dict[str, Check]:
        found = {name: [check for since, check in table[name] if since <= minor] for name in sorted(table)}
        return {name: each[-1] for name, each in found.items() if each}

    baseline = chosen(_BASELINE)
    if level == BASELINE:
        return baseline
    restricted = chosen(_RESTRICTED)
    overridden = {_OVERRIDES[name] for name in restricted if name in _OVERRIDES}
    return {name: check for name, check in baseline.items() if name not in overridden} | restricted


def evaluate(grade: Grade, metadata: JsonObject, spec: JsonObject) -> Verdict:
    """What is wrong with a Pod, or a template of Pods, by this level in this version (E1, E2)."""
    if grade.level == PRIVILEGED:
        return Verdict(())
    found = [check(metadata, spec) for check in _checks_of(grade).values()]
    return Verdict(tuple(each for each in found if each is not None))


def failed_checks(grade: Grade, metadata: JsonObject, spec: JsonObject) -> dict[str, Problem]:
    """The same, by the names of the checks: `hostNamespaces`, `capabilities_restricted`."""
    if grade.level == PRIVILEGED:
        return {}
    found = ((name, check(metadata, spec)) for name, check in _checks_of(grade).items())
    return {name: each for name, each in found if each is not None}


def _checks_of(grade: Grade) -> dict[str, Check]:
    return _in_version(grade.level, _NEWEST if grade.minor == LATEST else min(grade.minor, _NEWEST))


def pod_of(bucket: str, obj: JsonObject) -> tuple[JsonObject, JsonObject] | None:
    """Metadata and spec of the Pods that a workload makes; None where it says none."""
    template: JsonObject | None = obj
    for member in _TEMPLATES[bucket]:
        template = (template or {}).get(member)
    if template is None:
        return None
    return template.get("metadata") or {}, template.get("spec") or {}


WORKLOADS = frozenset(_TEMPLATES)
"""Buckets of the kinds that make Pods."""


def is_significant_update(pod: JsonObject, old: JsonObject) -> bool:
    """Whether an update changes what the standards look at, of what can be changed: containers and their images."""
    new_spec, old_spec = pod["spec"], old["spec"]
    for member in ("containers", "initContainers"):
        images = [each.get("image", "") for each in new_spec.get(member) or ()]
        if images != [each.get("image", "") for each in old_spec.get(member) or ()]:
            return True
    before: dict[str, str] = {}
    for each in old_spec.get("ephemeralContainers") or ():
        before.setdefault(each["name"], each.get("image", ""))
    return any(
        before.get(each["name"]) != each.get("image", "")
        for each in new_spec.get("ephemeralContainers") or ()
    )
