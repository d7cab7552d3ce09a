"""The Pod Security Standards; what is expected was said by pod-security-admission 0.36."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kajitori.apis.podsecurity import LATEST, Grade, Policy, evaluate, is_significant_update, policy_of

BASELINE, RESTRICTED = Grade("baseline"), Grade("restricted")
SOUND = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def spec(context: Any = None, pod: Any = None, **members: Any) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "c", "image": "i"}
    if context is not None:
        container["securityContext"] = context
    made = {"containers": [container], **members}
    return made if pod is None else {**made, "securityContext": pod}


def details(grade: Grade, spec: dict[str, Any], **annotations: str) -> str:
    return evaluate(grade, {"annotations": annotations}, spec).details


@pytest.mark.parametrize(
    ("given_spec", "told"),
    [
        (spec(hostPID=True, hostIPC=True), "host namespaces (hostPID=true, hostIPC=true)"),
        (
            spec({"privileged": True}),
            'privileged (container "c" must not set securityContext.privileged=true)',
        ),
        (
            spec({"capabilities": {"add": ["SYS_ADMIN", "CHOWN", "NET_RAW"]}}),
            'non-default capabilities (container "c" must not include "NET_RAW", "SYS_ADMIN" in '
            "securityContext.capabilities.add)",
        ),
        (spec(volumes=[{"name": "v", "hostPath": {}}, {"name": "w"}]), 'hostPath volumes (volume "v")'),
        (
            spec(initContainers=[{"name": "i", "ports": [{"hostPort": 8080}, {"hostPort": 80}]}]),
            'hostPort (container "i" uses hostPorts 80, 8080)',
        ),
        (
            spec(pod={"seLinuxOptions": {"type": "spc_t", "user": "u", "role": "r"}}),
            'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set; '
            "role may not be set)",
        ),
        (
            spec({"seccompProfile": {"type": "Unconfined"}}, {"seccompProfile": {"type": "Unconfined"}}),
            'seccompProfile (pod and container "c" must not set securityContext.seccompProfile.type to "Unconfined")',
        ),
        (spec(pod={"sysctls": [{"name": "kernel.msgmax"}]}), "forbidden sysctls (kernel.msgmax)"),
        (
            spec({"procMount": "Unmasked"}),
            'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
        ),
        (spec({"procMount": "Unmasked"}, hostUsers=False), ""),
        (
            spec({"windowsOptions": {"hostProcess": True}}),
            'hostProcess (container "c" must not set securityContext.windowsOptions.hostProcess=true)',
        ),
        (
            {"containers": [{"name": "c", "livenessProbe": {"httpGet": {"host": "h", "port": 1}}}]},
            'probe or lifecycle host (container "c" uses probe or lifecycle host "h")',
        ),
        (
            spec({"appArmorProfile": {"type": "Unconfined"}}),
            'forbidden AppArmor profile (container "c" must not set AppArmor profile type to "Unconfined")',
        ),
    ],
)
def test_what_the_baseline_forbids(given_spec: dict[str, Any], told: str) -> None:
    assert details(BASELINE, given_spec) == told


def test_annotations_are_looked_at_where_they_count() -> None:
    armor = {"container.apparmor.security.beta.kubernetes.io/c": "unconfined"}
    told = (
        'annotation must not set AppArmor profile type to "container.apparmor.security.beta.kubernetes.io/c='
    )
    assert details(BASELINE, spec(), **armor) == f'forbidden AppArmor profile ({told}"unconfined"")'
    seccomp = {"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}
    told = 'forbidden annotation seccomp.security.alpha.kubernetes.io/pod="unconfined"'
    assert details(Grade("baseline", 18), spec(), **seccomp) == f"seccompProfile ({told})"
    assert details(Grade("baseline", 19), spec(), **seccomp) == ""


def test_what_the_restricted_level_asks_for() -> None:  # E2
    assert details(RESTRICTED, spec({"capabilities": {"add": ["CHOWN"]}}, hostNetwork=True)) == (
        'host namespaces (hostNetwork=true), allowPrivilegeEscalation != false (container "c" must set '
        'securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set '
        'securityContext.capabilities.drop=["ALL"]; container "c" must not include "CHOWN" in '
        'securityContext.capabilities.add), runAsNonRoot != true (pod or container "c" must set '
        'securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set '
        'securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'
    )
    assert evaluate(RESTRICTED, {}, spec(SOUND)).allowed
    volumes = [{"name": "v", "nfs": {}}, {"name": "w", "emptyDir": {}}, {"name": "x"}]
    told = 'volumes "v", "x" use restricted volume types "nfs", "unknown"'
    assert details(RESTRICTED, spec(SOUND, volumes=volumes)) == f"restricted volume types ({told})"
    assert details(RESTRICTED, spec({**SOUND, "runAsUser": 0})).startswith(
        'runAsUser=0 (container "c" must not'
    )
    assert details(RESTRICTED, spec({**SOUND, "runAsNonRoot": False})).startswith("runAsNonRoot != true (")


@pytest.mark.parametrize(
    ("given_spec", "level", "refused", "allowed"),
    [
        (spec({**SOUND, "allowPrivilegeEscalation": True}), "restricted", 8, 7),
        (spec({**SOUND, "capabilities": {}}), "restricted", 22, 21),
        (spec({**SOUND, "runAsUser": 0}), "restricted", 23, 22),
        (spec({}, os={"name": "windows"}, pod={"runAsNonRoot": True}), "restricted", 24, 25),
        (spec(pod={"seLinuxOptions": {"type": "container_engine_t"}}), "baseline", 30, 31),
        (spec(pod={"sysctls": [{"name": "net.ipv4.ip_local_reserved_ports"}]}), "baseline", 26, 27),
        (spec(pod={"sysctls": [{"name": "net.ipv4.tcp_fin_timeout"}]}), "baseline", 28, 29),
        (spec(pod={"sysctls": [{"name": "net.ipv4.tcp_rmem"}]}), "baseline", 31, 32),
        (spec({"procMount": "Unmasked"}, hostUsers=False), "baseline", 34, 35),
        (spec({**SOUND, "runAsNonRoot": False}, hostUsers=False), "restricted", 34, 35),
    ],
)
def test_versions_differ(given_spec: dict[str, Any], level: str, refused: int, allowed: int) -> None:
    assert not evaluate(Grade(level, refused), {}, given_spec).allowed
    assert evaluate(Grade(level, allowed), {}, given_spec).allowed


CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "privileged": st.booleans(),
        "allowPrivilegeEscalation": st.booleans(),
        "runAsNonRoot": st.booleans(),
        "runAsUser": st.sampled_from([0, 1]),
        "capabilities": st.fixed_dictionaries(
            {}, optional={each: st.lists(st.sampled_from(["ALL", "CHOWN", "X"])) for each in ("add", "drop")}
        ),
        "seccompProfile": st.fixed_dictionaries({"type": st.sampled_from(["Unconfined", "RuntimeDefault"])}),
        "seLinuxOptions": st.fixed_dictionaries({"type": st.sampled_from(["", "spc_t"])}),
    },
)


@settings(max_examples=100, deadline=None)
@given(CONTEXTS, CONTEXTS, st.integers(0, 40))
def test_levels_and_versions_hang_together(container: Any, pod: Any, minor: int) -> None:  # E1
    made = spec(container, pod, hostUsers=False)
    assert evaluate(Grade("privileged", minor), {}, made).allowed
    restricted, baseline = (evaluate(Grade(each, minor), {}, made) for each in ("restricted", "baseline"))
    assert baseline.allowed or not restricted.allowed
    if minor >= 35:
        assert restricted == evaluate(RESTRICTED, {}, made)


def test_labels_say_what_a_namespace_demands() -> None:  # L1 L2
    prefix = "pod-security.kubernetes.io/"

    def read(**said: str) -> tuple[Policy, list[str]]:
        labels = {prefix + key.replace("_", "-"): value for key, value in said.items()}
        policy, errors = policy_of(labels, Policy())
        return policy, [each.path for each in errors]

    assert read() == (Policy(), [])
    assert read(enforce="baseline", enforce_version="v1.20") == (
        Policy(Grade("baseline", 20), Grade(), Grade("baseline", 20)),
        [],
    )
    assert read(enforce="baseline", warn="privileged")[0].warn == Grade()
    assert read(enforce="baseline", warn_version="v1.3")[0].warn == Grade("baseline", 3)
    policy, paths = read(enforce="x", audit="x", warn="x", enforce_version="1.2")
    assert policy == Policy(Grade("restricted", LATEST), Grade(), Grade())
    members = ("enforce", "enforce-version", "audit", "warn")
    assert paths == [f"metadata.labels[{prefix}{each}]" for each in members]


@pytest.mark.parametrize("text", ["v1.", "v1.01", "1.2", "v2.1", "", "v1.9223372036854775808", "Latest"])
def test_a_version_that_is_none_is_told(text: str) -> None:
    _, errors = policy_of({"pod-security.kubernetes.io/warn-version": text}, Policy())
    assert [each.detail for each in errors] == ['must be "latest" or "v1.x"']


def test_only_containers_and_images_make_an_update_matter() -> None:
    old = {"spec": spec()}
    assert not is_significant_update({"spec": {**spec(), "activeDeadlineSeconds": 1}}, old)
    assert is_significant_update({"spec": {"containers": [{"name": "c", "image": "j"}]}}, old)
    assert is_significant_update({"spec": {"containers": []}}, old)
    with_ephemeral = {"spec": {**spec(), "ephemeralContainers": [{"name": "e", "image": "i"}]}}
    assert is_significant_update(with_ephemeral, old) and not is_significant_update(
        with_ephemeral, with_ephemeral
    )
