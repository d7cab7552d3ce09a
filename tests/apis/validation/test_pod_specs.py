"""Pods as wholes: what their specs, their annotations and their status may say."""

from typing import Any

import pytest
from tests.apis.validation.cases import KEY, LABEL, SUBDOMAIN, VALUE, Case, Checked, below, invalid

from kajitori.apis import validation

POD = Checked("", "pods", {"spec": {"containers": [{"name": "c", "image": "img"}]}})
RANGE = "must be between 0 and 2147483647, inclusive"
ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
ACCESS = ".containers[0].securityContext"
WINDOWS = "cannot be set for a windows pod"

SPECS: list[Case] = [
    ({".hostNetwork": True, ".hostPID": True, ".hostIPC": True}, []),
    (
        {".restartPolicy": "X"},
        ['.restartPolicy: Unsupported value: "X": supported values: "Always", "OnFailure", "Never"'],
    ),
    (
        {".dnsPolicy": "X"},
        [
            '.dnsPolicy: Unsupported value: "X": '
            'supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"'
        ],
    ),
    ({'.nodeSelector["-"]': "x"}, invalid(".nodeSelector", "-", KEY)),
    ({'.nodeSelector["a"]': "-"}, invalid(".nodeSelector", "-", VALUE)),
    ({".serviceAccountName": "A"}, invalid(".serviceAccountName", "A", SUBDOMAIN)),
    ({".nodeName": "A"}, invalid(".nodeName", "A", SUBDOMAIN)),
    ({".hostname": "A"}, invalid(".hostname", "A", LABEL)),
    ({".subdomain": "A"}, invalid(".subdomain", "A", LABEL)),
    ({".priorityClassName": "A"}, invalid(".priorityClassName", "A", SUBDOMAIN)),
    ({".runtimeClassName": "A"}, invalid(".runtimeClassName", "A", SUBDOMAIN)),
    (
        {".preemptionPolicy": "X"},
        ['.preemptionPolicy: Unsupported value: "X": supported values: "PreemptLowerPriority", "Never"'],
    ),
    (
        {".activeDeadlineSeconds": 0},
        [".activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"],
    ),
    (
        {".shareProcessNamespace": True, ".hostPID": True},
        [
            ".securityContext.shareProcessNamespace: Invalid value: true: "
            "ShareProcessNamespace and HostPID cannot both be enabled"
        ],
    ),
    ({".hostAliases": [{"ip": "x"}]}, invalid(".hostAliases[0].ip", "x", ADDRESS)),
    (
        {".hostAliases": [{"ip": "010.0.0.1"}]},
        invalid(".hostAliases[0].ip", "010.0.0.1", "must not have leading 0s"),
    ),
    (
        {".hostAliases": [{"ip": "1.2.3.4", "hostnames": ["A"]}]},
        invalid(".hostAliases[0].hostnames[0]", "A", SUBDOMAIN),
    ),
    ({".readinessGates": [{"conditionType": "-"}]}, invalid(".readinessGates[0].conditionType", "-", KEY)),
    ({".schedulingGates": [{"name": "-"}]}, invalid(".schedulingGates[0]", "-", KEY)),
    (
        {".schedulingGates": [{"name": "a"}, {"name": "a"}]},
        ['.schedulingGates[1]: Duplicate value: "a"'],
    ),
    (
        {".schedulingGates": [{"name": "a"}], ".nodeName": "n"},
        [".nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"],
    ),
    (
        {".overhead.cpu": "-1"},
        ['.overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0'],
    ),
    ({".os": {"name": ""}}, [".os.name: Required value"]),
    ({".os": {"name": "plan9"}}, ['.os: Unsupported value: "plan9": supported values: "linux", "windows"']),
    (
        {".os": {"name": "linux"}, f"{ACCESS}.windowsOptions": {"runAsUserName": "u"}},
        [f"{ACCESS}.windowsOptions: Forbidden: windows options cannot be set for a linux pod"],
    ),
    (
        {".os": {"name": "linux"}, ".securityContext.windowsOptions": {"runAsUserName": "u"}},
        [".securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod"],
    ),
    (
        {".os": {"name": "windows"}, ".securityContext.runAsUser": 1},
        [f".securityContext.runAsUser: Forbidden: {WINDOWS}"],
    ),
    (
        {".os": {"name": "windows"}, f"{ACCESS}.capabilities": {}},
        [f"{ACCESS}.capabilities: Forbidden: {WINDOWS}"],
    ),
    (
        {".os": {"name": "windows"}, ".shareProcessNamespace": True},
        [f".shareProcessNamespace: Forbidden: {WINDOWS}"],
    ),
    ({".hostUsers": False, ".hostPID": True}, [".HostPID: Forbidden: when `hostUsers` is false"]),
    ({".hostUsers": False, ".hostIPC": True}, [".HostIPC: Forbidden: when `hostUsers` is false"]),
    ({".hostUsers": False, ".hostNetwork": True}, [".hostNetwork: Forbidden: when `hostUsers` is false"]),
    ({".hostUsers": False, f"{ACCESS}.procMount": "Unmasked"}, []),
    (
        {".hostnameOverride": "h", ".setHostnameAsFQDN": True},
        [".hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true"],
    ),
    (
        {".hostnameOverride": "h", ".hostNetwork": True},
        [".hostnameOverride: Forbidden: may not be specified when hostNetwork is true"],
    ),
    (
        {".hostnameOverride": "h" * 65},
        [".hostnameOverride: Too long: may not be more than 64 bytes"],
    ),
    ({".hostnameOverride": "H"}, invalid(".hostnameOverride", "H", SUBDOMAIN)),
    (
        {".resourceClaims": [{"resourceClaimName": "x"}]},
        [".resourceClaims[0].name: Required value"],
    ),
    (
        {".resourceClaims": [{"name": "x", "resourceClaimName": "x"}] * 2},
        ['.resourceClaims[1].name: Duplicate value: "x"'],
    ),
    (
        {".resourceClaims": [{"name": "x"}]},
        [
            '.resourceClaims[0]: Invalid value: {"Name":"x","ResourceClaimName":null,'
            '"ResourceClaimTemplateName":null}: '
            "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
        ],
    ),
    (
        {".resourceClaims": [{"name": "x", "resourceClaimName": "A"}]},
        invalid(".resourceClaims[0].resourceClaimName", "A", SUBDOMAIN),
    ),
]

CONTEXTS: list[Case] = [
    ({".fsGroup": -1}, [f".fsGroup: Invalid value: -1: {RANGE}"]),
    ({".runAsUser": -1}, [f".runAsUser: Invalid value: -1: {RANGE}"]),
    ({".runAsGroup": -1}, [f".runAsGroup: Invalid value: -1: {RANGE}"]),
    ({".supplementalGroups": [1, -1]}, [f".supplementalGroups[1]: Invalid value: -1: {RANGE}"]),
    (
        {".fsGroupChangePolicy": "X"},
        ['.fsGroupChangePolicy: Unsupported value: "X": supported values: "Always", "OnRootMismatch"'],
    ),
    (
        {".supplementalGroupsPolicy": "X"},
        ['.supplementalGroupsPolicy: Unsupported value: "X": supported values: "Merge", "Strict"'],
    ),
    (
        {".seLinuxChangePolicy": "X"},
        ['.seLinuxChangePolicy: Unsupported value: "X": supported values: "Recursive"'],
    ),
    ({".sysctls": [{"name": "net.a/b", "value": "1"}]}, []),
    ({".sysctls": [{"name": "", "value": "1"}]}, [".sysctls[0].name: Required value"]),
    (
        {".sysctls": [{"name": "A", "value": "1"}]},
        invalid(
            ".sysctls[0].name",
            "A",
            "must have at most 253 characters and match regex "
            r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$",
        ),
    ),
    (
        {".sysctls": [{"name": "a", "value": "1"}] * 2},
        ['.sysctls[1].name: Duplicate value: "a"'],
    ),
    (
        {".seccompProfile": {"type": "X"}},
        [
            '.seccompProfile.type: Unsupported value: "X": '
            'supported values: "Localhost", "RuntimeDefault", "Unconfined"'
        ],
    ),
    (
        {".appArmorProfile": {"type": "Localhost"}},
        [".appArmorProfile.localhostProfile: Required value: must be set when AppArmor type is Localhost"],
    ),
]

DNS: list[Case] = [
    ({".dnsPolicy": "None", ".dnsConfig": {"nameservers": ["1.2.3.4"], "searches": [".", "_a.b."]}}, []),
    (
        {".dnsPolicy": "None"},
        [".dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"],
    ),
    (
        {".dnsPolicy": "None", ".dnsConfig": {}},
        [
            ".dnsConfig.nameservers: Required value: "
            "must provide at least one DNS nameserver when `dnsPolicy` is None"
        ],
    ),
    (
        {".dnsConfig.nameservers": ["1.1.1.1"] * 4},
        [
            '.dnsConfig.nameservers: Invalid value: ["1.1.1.1","1.1.1.1","1.1.1.1","1.1.1.1"]: '
            "must not have more than 3 nameservers"
        ],
    ),
    ({".dnsConfig.nameservers": ["x"]}, invalid(".dnsConfig.nameservers[0]", "x", ADDRESS)),
    (
        {".dnsConfig.searches": ["A"]},
        invalid(
            ".dnsConfig.searches[0]",
            "A",
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', "
            "and must start and end with an alphanumeric character (e.g. 'example.com', "
            r"regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')",
        ),
    ),
    ({".dnsConfig.options": [{"value": "x"}]}, [".dnsConfig.options[0]: Required value: must not be empty"]),
]

ASKED = ".containers[0].resources.requests.cpu"
WHOLE: list[Case] = [
    ({".resources.requests.cpu": "1", ASKED: "1"}, []),
    (
        {".resources.requests.cpu": "1", ASKED: "2"},
        [
            '.resources.requests[cpu]: Invalid value: "1": '
            "must be greater than or equal to aggregate container requests of 2"
        ],
    ),
    (
        {".resources.limits.cpu": "1", ".containers[0].resources.limits.cpu": "2"},
        [
            '.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
            '.resources.containers[0][cpu].limits: Invalid value: "2": '
            "must be less than or equal to pod limits of 1",
        ],
    ),
    (
        {".resources.requests.example": "1"},
        [
            '.resources.requests[example]: Invalid value: "example": '
            "must be a standard resource type or fully qualified"
        ],
    ),
    (
        {'.resources.requests["example.com/gpu"]': "1"},
        [
            '.resources.requests[example.com/gpu]: Unsupported value: "example.com/gpu": '
            'supported values: "cpu", "hugepages-", "memory"',
            ".resources.limits: Required value: Limit must be set for non overcommitable resources",
        ],
    ),
    (
        {".os": {"name": "windows"}, ".resources.requests.cpu": "1"},
        [".resources: Forbidden: may not be set for a windows pod"],
    ),
]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        *below("spec", SPECS),
        *below("spec.securityContext", CONTEXTS),
        *below("spec", DNS),
        *below("spec", WHOLE),
    ],
)
def test_specs(changes: dict[str, Any], told: list[str]) -> None:
    assert POD.new(changes) == told


@pytest.mark.parametrize(("member", "name"), [("hostNetwork", "net.core.a"), ("hostIPC", "kernel.shmall")])
def test_kernel_parameters_of_the_machine(member: str, name: str) -> None:
    changes = {"spec.securityContext.sysctls": [{"name": name, "value": "1"}], f"spec.{member}": True}
    path, told = "spec.securityContext.sysctls[0].name", f"may not be specified when '{member}' is true"
    assert POD.new(changes) == [f'{path}: Invalid value: "{name}": {told}']


def test_too_many_searches() -> None:
    searches = [f"a{number}" for number in range(33)]
    (told,) = POD.new({"spec.dnsConfig.searches": searches})
    assert told.endswith("]: must not have more than 32 search paths")
    (told,) = POD.new({"spec.dnsConfig.searches": [".".join(["a" * 63] * 3)] * 11})
    assert told.endswith("]: must not have more than 2048 characters (including spaces) in the search list")


def test_nobody_stops_before_it_was_asked_to() -> None:
    # Decoding never leaves a negative time.
    pod = POD.made()
    pod["spec"]["terminationGracePeriodSeconds"] = -1
    told = [str(each) for each in validation.validate(POD.road.strategy.kind, pod)]
    path = "spec.terminationGracePeriodSeconds"
    assert told == [f"{path}: Invalid value: -1: must be greater than or equal to 0"]


def test_ports_of_the_machine() -> None:
    # A new Pod is given the ports of its containers; a changed one says something else.
    port = "spec.containers[0].ports[0]"
    told = POD.update(
        {"spec.hostNetwork": True, f"{port}.containerPort": 80, f"{port}.hostPort": 81},
        old={"spec.containers[0].ports": [{"containerPort": 80}]},
    )
    assert told == [
        f"{port}.hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true"
    ]


def test_init_containers_count_while_they_start() -> None:
    def told(policy: str | None) -> list[str]:
        first = {"name": "i", "image": "img", "resources": {"requests": {"cpu": "2"}}}
        if policy:
            first["restartPolicy"] = policy
        return POD.new(
            {
                "spec.initContainers": [first],
                "spec.containers[0].resources.requests.cpu": "1",
                "spec.resources.requests.cpu": "2",
            }
        )

    assert told(None) == []
    assert told("Always") == [
        'spec.resources.requests[cpu]: Invalid value: "2": '
        "must be greater than or equal to aggregate container requests of 3"
    ]


def test_host_processes_are_all_or_nothing() -> None:
    on = {"windowsOptions": {"hostProcess": True}}
    assert POD.new({"spec.containers[0].securityContext": on}) == [
        "spec.hostNetwork: Invalid value: false: "
        "hostNetwork must be true if pod contains any hostProcess containers",
        "spec: Forbidden: hostProcess containers are disallowed by cluster policy",
    ]
    some = {
        "spec.hostNetwork": True,
        "spec.containers[0].securityContext": on,
        "spec.containers[1]": {"name": "d", "image": "img"},
    }
    told = "If pod contains any hostProcess containers then all containers must be HostProcess containers"
    assert POD.new(some)[0] == f'spec: Invalid value: "": {told}'
    other = {
        "spec.securityContext": on,
        "spec.containers[0].securityContext": {"windowsOptions": {"hostProcess": False}},
    }
    assert POD.new(other)[0] == (
        "spec.containers[0].securityContext.windowsOptions.hostProcess: Invalid value: false: "
        "pod hostProcess value must be identical if both are specified, was true"
    )


COST = "controller.kubernetes.io/pod-deletion-cost"
SECCOMP = "seccomp.security.alpha.kubernetes.io/pod"
CONTAINER_SECCOMP = "container.seccomp.security.alpha.kubernetes.io/c"
APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        (COST, "5", []),
        (COST, "-5", []),
        *(
            (COST, text, [f'metadata.annotations[{COST}]: Invalid value: "{text}": must be a 32bit integer'])
            for text in ("x", "+5", "05", "2147483648")
        ),
        (SECCOMP, "unconfined", []),
        (SECCOMP, "localhost/a", []),
        (
            SECCOMP,
            "x",
            [f'metadata.annotations.{SECCOMP}: Invalid value: "x": must be a valid seccomp profile'],
        ),
        (
            CONTAINER_SECCOMP,
            "localhost/../a",
            [f"metadata.annotations.{CONTAINER_SECCOMP}: Invalid value: \"../a\": must not contain '..'"],
        ),
        (
            f"{APP_ARMOR}d",
            "unconfined",
            [f'metadata.annotations[{APP_ARMOR}d]: Invalid value: "d": container not found'],
        ),
        (
            f"{APP_ARMOR}c",
            "x",
            [f'metadata.annotations[{APP_ARMOR}c]: Invalid value: "x": invalid AppArmor profile name: "x"'],
        ),
        (
            "kubernetes.io/config.mirror",
            "x",
            [
                'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": '
                "must set spec.nodeName if mirror pod annotation is set"
            ],
        ),
        (
            "scheduler.alpha.kubernetes.io/tolerations",
            '[{"operator":"Exists","value":"x"}]',
            [
                'metadata.annotations.scheduler.alpha.kubernetes.io/tolerations[0].operator: Invalid value: "x": '
                "value must be empty when `operator` is 'Exists'"
            ],
        ),
    ],
)
def test_annotations(key: str, value: str, told: list[str]) -> None:
    assert POD.new({f'metadata.annotations["{key}"]': value}) == told


def test_profiles_that_are_told_twice_are_the_same() -> None:
    def told(annotation: str, profile: dict[str, str]) -> list[str]:
        annotated = {f'metadata.annotations["{SECCOMP}"]': annotation}
        return POD.new({**annotated, "spec.securityContext.seccompProfile": profile})

    path = "spec.securityContext.seccompProfile"
    assert told("docker/default", {"type": "RuntimeDefault"}) == []
    assert told("unconfined", {"type": "RuntimeDefault"}) == [
        f"{path}.type: Forbidden: seccomp type in annotation and field must match"
    ]
    assert told("localhost/a", {"type": "Localhost", "localhostProfile": "b"}) == [
        f"{path}.localhostProfile: Forbidden: seccomp profile in annotation and field must match"
    ]


def test_tokens_are_for_somebody() -> None:
    volume = {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
    path = "spec.volumes[0].projected.sources[0].serviceAccountToken"
    assert POD.new({"spec.volumes": [volume], "spec.serviceAccountName": "a"}) == []
    told = "must not be specified when serviceAccountName is not set"
    assert POD.new({"spec.volumes": [volume]}) == [f"{path}: Forbidden: {told}"]


STATUS: list[Case] = [
    ({".podIP": "10.0.0.1", ".podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]}, []),
    (
        {".podIP": "10.0.0.1", ".podIPs": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}]},
        [
            '.podIPs: Invalid value: [{"IP":"10.0.0.1"},{"IP":"10.0.0.2"}]: '
            "may specify no more than one IP for each IP family"
        ],
    ),
    (
        {".podIP": "x", ".podIPs": [{"ip": "x"}]},
        invalid(".podIPs[0]", "x", ADDRESS),
    ),
    (
        {".hostIP": "10.0.0.2", ".hostIPs": [{"ip": "10.0.0.1"}]},
        ['.hostIPs[0].ip: Invalid value: "10.0.0.1": must be equal to `hostIP`'],
    ),
    ({".conditions": [{"type": "-", "status": "True"}]}, invalid(".conditions[0].Type", "-", KEY)),
    (
        {".conditions": [{"type": "Ready", "status": "True", "observedGeneration": -1}]},
        [".conditions[0].observedGeneration: Invalid value: -1: must be a non-negative integer"],
    ),
    (
        {".observedGeneration": -1},
        [".observedGeneration: Invalid value: -1: must be a non-negative integer"],
    ),
    ({".nominatedNodeName": "A"}, invalid(".nominatedNodeName", "A", SUBDOMAIN)),
    (
        {".resourceClaimStatuses": [{"name": "x"}]},
        invalid(
            ".resourceClaimStatuses[0].name", "x", "must match the name of an entry in `spec.resourceClaims`"
        ),
    ),
    (
        {".containerStatuses": [{"name": "c", "user": {"linux": {"uid": -1, "gid": 0}}}]},
        [f".containerStatuses[0].user.linux.uid: Invalid value: -1: {RANGE}"],
    ),
    (
        {".containerStatuses": [{"name": "c", "allocatedResourcesStatus": [{"name": "gpu"}]}]},
        invalid(
            ".containerStatuses[0].allocatedResourcesStatus[0].name",
            "gpu",
            "must match one of the container's resource requests",
        ),
    ),
    (
        {".ephemeralContainerStatuses": [{"name": "c", "allocatedResourcesStatus": [{"name": "gpu"}]}]},
        [
            ".ephemeralContainerStatuses[0].allocatedResourcesStatus: Forbidden: "
            "must not be specified in container status"
        ],
    ),
    (
        {".extendedResourceClaimStatus": {"resourceClaimName": "x", "requestMappings": []}},
        [
            ".extendedResourceClaimStatus.requestMappings: Required value: "
            "at least one request mapping is required"
        ],
    ),
]


@pytest.mark.parametrize(("changes", "told"), below("status", STATUS))
def test_status(changes: dict[str, Any], told: list[str]) -> None:
    assert POD.status(changes) == told


def test_the_status_says_nothing_of_the_node() -> None:
    told = POD.status({"spec.nodeName": "n"})
    assert told == ["status.nodeName: Forbidden: may not be changed directly"]


def test_allocated_devices() -> None:
    asked = {'spec.containers[0].resources.limits["a.b/gpu"]': "1"}
    path = "status.containerStatuses"

    def told(resources: list[dict[str, str]]) -> list[str]:
        allocated = {"name": "a.b/gpu", "resources": resources}
        return POD.status({path: [{"name": "c", "allocatedResourcesStatus": [allocated]}]}, old=asked)

    here = f"{path}[0].allocatedResourcesStatus[0].resources"
    assert told([{"resourceID": "a", "health": "Healthy"}]) == []
    assert told([{"resourceID": "a", "health": "Healthy"}] * 2) == [
        f'{here}[1].resourceID: Duplicate value: "a"'
    ]
    assert told([{"resourceID": "a", "health": "X"}]) == [
        f'{here}[0].health: Unsupported value: "X": supported values: "Healthy", "Unhealthy", "Unknown"'
    ]
