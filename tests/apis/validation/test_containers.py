"""Containers: what each sort of them must say, may say and may not say."""

from typing import Any

import pytest
from tests.apis.validation.cases import CONFIG_KEY, KEY, LABEL, SUBDOMAIN, Case, Checked, below, invalid

from kajitori.apis.validation.capabilities import CAPABILITIES

POD = Checked(
    "",
    "pods",
    {
        "spec": {
            "containers": [{"name": "c", "image": "img", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}],
            "initContainers": [{"name": "i", "image": "img"}],
            "volumes": [
                {"name": "v", "emptyDir": {}},
                {"name": "p", "persistentVolumeClaim": {"claimName": "p"}},
            ],
        }
    },
)
C = "spec.containers[0]"
I = "spec.initContainers[0]"  # noqa: E741 - the letter of what it is
MOUNT = ".volumeMounts[0]"
PORTS = "must be between 1 and 65535, inclusive"
ENVIRONMENT = (
    "a valid environment variable name must consist only of printable ASCII characters other than '='"
)
BACKSTEPS = "must not contain '..'"
LIMITED = "must be less than or equal to cpu limit of 1"
QUANTITY = "must be greater than or equal to 0"


def probe(**handler: Any) -> dict[str, Any]:
    return handler or {"exec": {"command": ["x"]}}


BASICS: list[Case] = [
    ({".name": ""}, [".name: Required value"]),
    ({".name": "A"}, invalid(".name", "A", LABEL)),
    ({".name": "a" * 64}, invalid(".name", "a" * 64, "must be no more than 63 characters")),
    ({".name": "a.b"}, invalid(".name", "a.b", "must not contain dots")),
    ({".image": ""}, [".image: Required value"]),
    ({".image": " img"}, invalid(".image", " img", "must not have leading or trailing whitespace")),
    (
        {".terminationMessagePolicy": "X"},
        [
            '.terminationMessagePolicy: Unsupported value: "X": supported values: "File", "FallbackToLogsOnError"'
        ],
    ),
    (
        {".imagePullPolicy": "X"},
        ['.imagePullPolicy: Unsupported value: "X": supported values: "Always", "IfNotPresent", "Never"'],
    ),
    (
        {".ports": [{"containerPort": 0}]},
        [".ports[0].containerPort: Required value"],
    ),
    ({".ports": [{"containerPort": 70000}]}, [f".ports[0].containerPort: Invalid value: 70000: {PORTS}"]),
    (
        {".ports": [{"containerPort": 1, "hostPort": 70000}]},
        [f".ports[0].hostPort: Invalid value: 70000: {PORTS}"],
    ),
    (
        {".ports": [{"containerPort": 1, "protocol": "X"}]},
        ['.ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"'],
    ),
    (
        {".ports": [{"containerPort": 1, "name": "a" * 16}]},
        invalid(".ports[0].name", "a" * 16, "must be no more than 15 characters"),
    ),
    (
        {".ports": [{"containerPort": 1, "name": "1"}]},
        invalid(".ports[0].name", "1", "must contain at least one letter (a-z)"),
    ),
    (
        {".ports": [{"containerPort": 1, "name": "a--b"}]},
        invalid(".ports[0].name", "a--b", "must not contain consecutive hyphens"),
    ),
    (
        {".ports": [{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "a"}]},
        ['.ports[1].name: Duplicate value: "a"'],
    ),
    (
        {".ports": [{"containerPort": 1, "hostPort": 5}, {"containerPort": 2, "hostPort": 5}]},
        ['.ports[1].hostPort: Duplicate value: "TCP//5"'],
    ),
    (
        {".resizePolicy": [{"resourceName": "gpu", "restartPolicy": "NotRequired"}]},
        ['.resizePolicy: Unsupported value: "gpu": supported values: "cpu", "memory"'],
    ),
    (
        {".resizePolicy": [{"resourceName": "cpu", "restartPolicy": "X"}]},
        ['.resizePolicy: Unsupported value: "X": supported values: "NotRequired", "RestartContainer"'],
    ),
    (
        {".resizePolicy": [{"resourceName": "cpu", "restartPolicy": "NotRequired"}] * 2},
        ['.resizePolicy[1]: Duplicate value: "cpu"'],
    ),
    (
        {".restartPolicy": "X"},
        ['.restartPolicy: Unsupported value: "X": supported values: "Always", "Never", "OnFailure"'],
    ),
    (
        {".restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}}]},
        [".restartPolicy: Required value: must specify restartPolicy when restart rules are used"],
    ),
]

RULE = {"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}}
RESTARTS: list[Case] = [
    ({}, []),
    (
        {".restartPolicyRules[0].action": "X"},
        [
            '.restartPolicyRules[0].action: Unsupported value: "X": '
            'supported values: "Restart", "RestartAllContainers"'
        ],
    ),
    (
        {".restartPolicyRules[0]": {"action": "Restart"}},
        [".restartPolicyRules[0].exitCodes: Required value: must be specified"],
    ),
    (
        {".restartPolicyRules[0].exitCodes.operator": "X"},
        [
            '.restartPolicyRules[0].exitCodes.operator: Unsupported value: "X": supported values: "In", "NotIn"'
        ],
    ),
    (
        {".restartPolicyRules[0].exitCodes.values": list(range(1, 257))},
        [".restartPolicyRules[0].exitCodes.values: Too many: 256: must have at most 255 items"],
    ),
    ({".restartPolicyRules": [RULE] * 21}, [".restartPolicyRules: Too many: 21: must have at most 20 items"]),
]

ENVIRONMENTS: list[Case] = [
    ({".env": [{"name": "A", "value": "b"}, {"name": "odd name/1", "value": ""}]}, []),
    ({".env": [{"value": "x"}]}, [".env[0].name: Required value"]),
    ({".env": [{"name": "a=b"}]}, invalid(".env[0].name", "a=b", ENVIRONMENT)),
    (
        {".env": [{"name": "A", "valueFrom": {}}]},
        [
            '.env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, '
            "`configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        ],
    ),
    (
        {".env": [{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]},
        ['.env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'],
    ),
    (
        {
            ".env": [
                {
                    "name": "A",
                    "valueFrom": {
                        "fieldRef": {"fieldPath": "status.podIP"},
                        "secretKeyRef": {"name": "s", "key": "k"},
                    },
                }
            ]
        },
        ['.env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time'],
    ),
    (
        {".env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s"}}}]},
        [".env[0].valueFrom.secretKeyRef.key: Required value"],
    ),
    (
        {".env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "s", "key": "a b"}}}]},
        invalid(".env[0].valueFrom.configMapKeyRef.key", "a b", CONFIG_KEY),
    ),
    (
        {".env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "S", "key": "k"}}}]},
        invalid(".env[0].valueFrom.configMapKeyRef.name", "S", SUBDOMAIN),
    ),
    (
        {".envFrom": [{}]},
        ['.envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`'],
    ),
    (
        {".envFrom": [{"secretRef": {"name": "s"}, "configMapRef": {"name": "s"}}]},
        ['.envFrom: Invalid value: "": may not have more than one field specified at a time'],
    ),
    ({".envFrom": [{"secretRef": {}}]}, [".envFrom[0].secretRef.name: Required value"]),
    (
        {".envFrom": [{"configMapRef": {"name": "S"}}]},
        invalid(".envFrom[0].configMapRef.name", "S", SUBDOMAIN),
    ),
    (
        {".envFrom": [{"secretRef": {"name": "s"}, "prefix": "="}]},
        invalid(".envFrom[0].prefix", "=", ENVIRONMENT),
    ),
]


def field_case(reference: dict[str, Any], *told: str) -> Case:
    return {".env": [{"name": "A", "valueFrom": {"fieldRef": reference}}]}, [
        f".env[0].valueFrom.fieldRef{each}" for each in told
    ]


def resource_case(reference: dict[str, Any], *told: str) -> Case:
    return {".env": [{"name": "A", "valueFrom": {"resourceFieldRef": reference}}]}, [
        f".env[0].valueFrom.resourceFieldRef{each}" for each in told
    ]


def file_case(reference: dict[str, Any], *told: str) -> Case:
    fine = {"key": "K", "volumeName": "v", "path": "f"}
    return {".env": [{"name": "A", "valueFrom": {"fileKeyRef": {**fine, **reference}}}]}, [
        f".env[0].valueFrom.fileKeyRef{each}" for each in told
    ]


_FIELDS = (
    '"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", '
    '"status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"'
)
REFERENCES: list[Case] = [
    field_case({"fieldPath": "metadata.labels['a.b/c']"}),
    field_case({"fieldPath": "metadata.annotations['A.b/C']"}),
    field_case({}, ".fieldPath: Required value"),
    field_case(
        {"fieldPath": "metadata.name", "apiVersion": "v2"},
        '.fieldPath: Invalid value: "metadata.name": error converting fieldPath: unsupported pod version: v2',
    ),
    field_case(
        {"fieldPath": "spec.nope"},
        '.fieldPath: Invalid value: "spec.nope": error converting fieldPath: field label not supported: spec.nope',
    ),
    field_case(
        {"fieldPath": "status.phase"},
        f'.fieldPath: Unsupported value: "status.phase": supported values: {_FIELDS}',
    ),
    field_case(
        {"fieldPath": "spec.nodeName['a']"},
        ".fieldPath: Invalid value: \"spec.nodeName['a']\": error converting fieldPath: "
        "field label does not support subscript: spec.nodeName['a']",
    ),
    field_case({"fieldPath": "metadata.labels['-']"}, f': Invalid value: "-": {KEY}'),
    resource_case({"resource": "limits.cpu", "divisor": "1m"}),
    resource_case({}, ".resource: Required value"),
    resource_case(
        {"resource": "limits.gpu"},
        '.resource: Unsupported value: "limits.gpu": supported values: "limits.cpu", "limits.ephemeral-storage", '
        '"limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"',
    ),
    resource_case(
        {"resource": "limits.cpu", "divisor": "2"},
        '.divisor: Invalid value: "limits.cpu": only divisor\'s values 1m and 1 are supported with the cpu resource',
    ),
    resource_case(
        {"resource": "limits.memory", "divisor": "3"},
        '.divisor: Invalid value: "limits.memory": only divisor\'s values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, '
        "1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource",
    ),
    resource_case(
        {"resource": "requests.ephemeral-storage", "divisor": "3"},
        '.divisor: Invalid value: "requests.ephemeral-storage": only divisor\'s values 1, 1k, 1M, 1G, 1T, 1P, 1E, '
        "1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the local ephemeral storage resource",
    ),
    file_case({}),
    file_case({"key": ""}, ".key: Required value"),
    file_case({"key": "="}, f'.key: Invalid value: "=": {ENVIRONMENT}'),
    file_case({"volumeName": ""}, ".volumeName: Required value", '.volumeName: Not found: ""'),
    file_case({"volumeName": "nope"}, '.volumeName: Not found: "nope"'),
    file_case(
        {"volumeName": "p"}, '.volumeName: Invalid value: "p": referenced volume must be of type emptyDir'
    ),
    file_case({"path": ""}, ".path: Required value"),
    file_case({"path": "../x"}, f'.path: Invalid value: "../x": {BACKSTEPS}'),
]

READ_ONLY = "may only be specified when readOnly is true"
MOUNTS: list[Case] = [
    ({f"{MOUNT}.mountPath": ""}, [f"{MOUNT}.mountPath: Required value"]),
    ({f"{MOUNT}.name": "nope"}, [f'{MOUNT}.name: Not found: "nope"']),
    ({f"{MOUNT}.name": ""}, [f"{MOUNT}.name: Required value", f'{MOUNT}.name: Not found: ""']),
    (
        {".volumeMounts": [{"name": "v", "mountPath": "/v"}, {"name": "p", "mountPath": "/v"}]},
        ['.volumeMounts[1].mountPath: Invalid value: "/v": must be unique'],
    ),
    ({f"{MOUNT}.subPath": "/a"}, ['.volumeMounts.subPath: Invalid value: "/a": must be a relative path']),
    ({f"{MOUNT}.subPath": "../a"}, [f'.volumeMounts.subPath: Invalid value: "../a": {BACKSTEPS}']),
    (
        {f"{MOUNT}.subPath": "a", f"{MOUNT}.subPathExpr": "b"},
        [f'{MOUNT}.subPathExpr: Invalid value: "b": subPathExpr and subPath are mutually exclusive'],
    ),
    (
        {f"{MOUNT}.subPathExpr": "/b"},
        ['.volumeMounts.subPathExpr: Invalid value: "/b": must be a relative path'],
    ),
    (
        {f"{MOUNT}.mountPropagation": "X"},
        [
            '.volumeMounts.mountPropagation: Unsupported value: "X": '
            'supported values: "Bidirectional", "HostToContainer", "None"'
        ],
    ),
    (
        {f"{MOUNT}.mountPropagation": "Bidirectional"},
        [
            ".volumeMounts.mountPropagation: Forbidden: "
            "Bidirectional mount propagation is available only to privileged containers"
        ],
    ),
    ({f"{MOUNT}.recursiveReadOnly": "Enabled"}, [f".volumeMounts.recursiveReadOnly: Forbidden: {READ_ONLY}"]),
    (
        {
            f"{MOUNT}.recursiveReadOnly": "IfPossible",
            f"{MOUNT}.readOnly": True,
            f"{MOUNT}.mountPropagation": "HostToContainer",
        },
        [
            ".volumeMounts.recursiveReadOnly: Forbidden: "
            "may only be specified when mountPropagation is None or not specified"
        ],
    ),
    (
        {f"{MOUNT}.recursiveReadOnly": "X"},
        [
            '.volumeMounts.recursiveReadOnly: Unsupported value: "X": '
            'supported values: "Disabled", "Enabled", "IfPossible"'
        ],
    ),
]
DEVICE = ".volumeDevices[0]"
DEVICES: list[Case] = [
    ({".volumeDevices": [{"name": "p", "devicePath": "/d"}]}, []),
    ({".volumeDevices": [{"name": "p"}]}, [f"{DEVICE}.devicePath: Required value"]),
    (
        {".volumeDevices": [{"name": "nope", "devicePath": "/d"}]},
        [f'{DEVICE}.name: Not found: "nope"'],
    ),
    (
        {".volumeDevices": [{"name": "w", "devicePath": "/d"}]},
        [
            f'{DEVICE}.name: Invalid value: "w": can only use volume source type of PersistentVolumeClaim or '
            "Ephemeral for block mode"
        ],
    ),
    (
        {".volumeDevices": [{"name": "p", "devicePath": "/../d"}]},
        [f"{DEVICE}.devicePath: Invalid value: \"/../d\": can not contain backsteps ('..')"],
    ),
    (
        {".volumeDevices": [{"name": "p", "devicePath": "/d"}, {"name": "q", "devicePath": "/d"}]},
        ['.volumeDevices[1].devicePath: Invalid value: "/d": must be unique'],
    ),
    (
        {".volumeDevices": [{"name": "p", "devicePath": "/d"}, {"name": "p", "devicePath": "/e"}]},
        ['.volumeDevices[1].name: Invalid value: "p": must be unique'],
    ),
    (
        {".volumeDevices": [{"name": "p", "devicePath": "/v"}]},
        [
            f'{MOUNT}.mountPath: Invalid value: "/v": must not already exist as a path in volumeDevices',
            f'{DEVICE}.devicePath: Invalid value: "/v": must not already exist as a path in volumeMounts',
        ],
    ),
    (
        {f"{MOUNT}.name": "p", ".volumeDevices": [{"name": "p", "devicePath": "/d"}]},
        [
            f'{MOUNT}.name: Invalid value: "p": must not already exist in volumeDevices',
            f'{DEVICE}.name: Invalid value: "p": must not already exist in volumeMounts',
        ],
    ),
]

LIVENESS = ".livenessProbe"
PROBES: list[Case] = [
    (
        {f"{LIVENESS}": {"httpGet": {"path": "/", "port": "http"}}, ".readinessProbe": {"grpc": {"port": 1}}},
        [],
    ),
    ({LIVENESS: {}}, [f"{LIVENESS}: Required value: must specify a handler type"]),
    (
        {LIVENESS: {"exec": {"command": ["x"]}, "tcpSocket": {"port": 1}}},
        [f"{LIVENESS}.tcpSocket: Forbidden: may not specify more than 1 handler type"],
    ),
    ({LIVENESS: {"exec": {}}}, [f"{LIVENESS}.exec.command: Required value"]),
    ({LIVENESS: {"tcpSocket": {"port": 0}}}, [f"{LIVENESS}.tcpSocket.port: Invalid value: 0: {PORTS}"]),
    (
        {LIVENESS: {"tcpSocket": {"port": "A"}}},
        invalid(
            f"{LIVENESS}.tcpSocket.port",
            "A",
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
            "must contain at least one letter (a-z)",
        ),
    ),
    ({LIVENESS: {"grpc": {"port": 0}}}, [f"{LIVENESS}.grpc.port: Invalid value: 0: {PORTS}"]),
    ({LIVENESS: {"httpGet": {"port": 70000}}}, [f"{LIVENESS}.httpGet.port: Invalid value: 70000: {PORTS}"]),
    (
        {LIVENESS: {"httpGet": {"port": 1, "scheme": "FTP"}}},
        [f'{LIVENESS}.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"'],
    ),
    (
        {LIVENESS: {"httpGet": {"port": 1, "httpHeaders": [{"name": "a b", "value": ""}]}}},
        invalid(
            f"{LIVENESS}.httpGet.httpHeaders",
            "a b",
            "a valid HTTP header must consist of alphanumeric characters or '-' "
            "(e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
        ),
    ),
    *(
        (
            {LIVENESS: {"exec": {"command": ["x"]}, member: -1}},
            [f"{LIVENESS}.{member}: Invalid value: -1: {QUANTITY}"],
        )
        for member in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "failureThreshold")
    ),
    (
        {LIVENESS: {"exec": {"command": ["x"]}, "successThreshold": 2}},
        [f"{LIVENESS}.successThreshold: Invalid value: 2: must be 1"],
    ),
    ({".readinessProbe": {"exec": {"command": ["x"]}, "successThreshold": 2}}, []),
    (
        {LIVENESS: {"exec": {"command": ["x"]}, "terminationGracePeriodSeconds": 0}},
        [f"{LIVENESS}.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0"],
    ),
    (
        {".readinessProbe": {"exec": {"command": ["x"]}, "terminationGracePeriodSeconds": 1}},
        [
            ".readinessProbe.terminationGracePeriodSeconds: Invalid value: 1: "
            "must not be set for readinessProbes"
        ],
    ),
    (
        {".lifecycle.postStart": {}},
        [".lifecycle.postStart: Required value: must specify a handler type"],
    ),
    (
        {".lifecycle.preStop": {"sleep": {"seconds": 31}}},
        [
            ".lifecycle.preStop.sleep: Invalid value: 31: "
            "must be non-negative and less than terminationGracePeriodSeconds (30)"
        ],
    ),
]

HUGE = "hugepages-2Mi"
REQUESTS: list[Case] = [
    (
        {".resources.requests.cpu": "2", ".resources.limits.cpu": "1"},
        [f'.resources.requests: Invalid value: "2": {LIMITED}'],
    ),
    ({".resources.requests.cpu": "-1"}, [f'.resources.requests[cpu]: Invalid value: "-1": {QUANTITY}']),
    ({'.resources.limits["example.com/gpu"]': "1"}, []),
    (
        {'.resources.limits["example.com/gpu"]': "2", '.resources.requests["example.com/gpu"]': "1"},
        ['.resources.requests: Invalid value: "1": must be equal to example.com/gpu limit of 2'],
    ),
    (
        {'.resources.requests["example.com/gpu"]': "1"},
        [".resources.limits: Required value: Limit must be set for non overcommitable resources"],
    ),
    (
        {f".resources.limits.{HUGE}": "4Mi"},
        [".resources: Forbidden: HugePages require cpu or memory"],
    ),
    (
        {".resources.claims": [{"name": "x"}]},
        [
            '.resources.claims[0]: Not found: "x": must be one of the names in pod.spec.resourceClaims '
            "which is empty"
        ],
    ),
    ({".resources.claims": [{}]}, [".resources.claims[0]: Required value"]),
]
LIMITS: list[tuple[str, str, list[str]]] = [
    # What is limited is asked for, too, where nothing else is said; so the same is said of both.
    ("memory", "-1", [f'"-1": {QUANTITY}']),
    ("example.com/gpu", "1500m", ['"1500m": must be an integer']),
    (
        "gpu",
        "1",
        [
            '"gpu": must be a standard resource type or fully qualified',
            '"gpu": must be a standard resource for containers',
        ],
    ),
    (
        "requests.example.com/gpu",
        "1",
        ['"requests.example.com/gpu": doesn\'t follow extended resource name standard'],
    ),
    (HUGE, "3Mi", [f'"3Mi": 3Mi is not positive integer multiple of {HUGE}']),
]

CONTEXTS: list[Case] = [
    ({".runAsUser": 0, ".runAsGroup": 0, ".procMount": "Default"}, []),
    ({".privileged": True}, [".privileged: Forbidden: disallowed by cluster policy"]),
    ({".runAsUser": -1}, [".runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"]),
    (
        {".runAsGroup": 1 << 31},
        [".runAsGroup: Invalid value: 2147483648: must be between 0 and 2147483647, inclusive"],
    ),
    ({".procMount": "X"}, ['.procMount: Unsupported value: "X": supported values: "Default", "Unmasked"']),
    (
        {".procMount": "Unmasked"},
        ['.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`'],
    ),
    (
        {".seccompProfile": {}},
        [".seccompProfile.type: Required value: type is required when seccompProfile is set"],
    ),
    (
        {".seccompProfile": {"type": "X"}},
        [
            '.seccompProfile.type: Unsupported value: "X": '
            'supported values: "Localhost", "RuntimeDefault", "Unconfined"'
        ],
    ),
    (
        {".seccompProfile": {"type": "Localhost"}},
        [".seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost"],
    ),
    (
        {".seccompProfile": {"type": "Localhost", "localhostProfile": "../x"}},
        [f'.seccompProfile.localhostProfile: Invalid value: "../x": {BACKSTEPS}'],
    ),
    (
        {".seccompProfile": {"type": "Unconfined", "localhostProfile": "x"}},
        [
            '.seccompProfile.localhostProfile: Invalid value: {"Type":"Unconfined","LocalhostProfile":"x"}: '
            "can only be set when seccomp type is Localhost"
        ],
    ),
    (
        {".appArmorProfile": {}},
        [".appArmorProfile.type: Required value: type is required when appArmorProfile is set"],
    ),
    (
        {".appArmorProfile": {"type": "X"}},
        [
            '.appArmorProfile.type: Unsupported value: "X": '
            'supported values: "Localhost", "RuntimeDefault", "Unconfined"'
        ],
    ),
    (
        {".appArmorProfile": {"type": "Localhost"}},
        [".appArmorProfile.localhostProfile: Required value: must be set when AppArmor type is Localhost"],
    ),
    (
        {".appArmorProfile": {"type": "Localhost", "localhostProfile": " x"}},
        ['.appArmorProfile.localhostProfile: Invalid value: " x": must not be padded with whitespace'],
    ),
    (
        {".appArmorProfile": {"type": "Localhost", "localhostProfile": "x" * 4096}},
        [".appArmorProfile.localhostProfile: Too long: may not be more than 4095 bytes"],
    ),
    (
        {".appArmorProfile": {"type": "Unconfined", "localhostProfile": "x"}},
        [
            '.appArmorProfile.localhostProfile: Invalid value: "x": '
            "can only be set when AppArmor type is Localhost"
        ],
    ),
    (
        {".windowsOptions.gmsaCredentialSpecName": "A"},
        invalid(".windowsOptions.gmsaCredentialSpecName", "A", SUBDOMAIN),
    ),
    (
        {".windowsOptions.gmsaCredentialSpec": ""},
        invalid(".windowsOptions.gmsaCredentialSpec", "", "gmsaCredentialSpec cannot be an empty string"),
    ),
    *(
        ({".windowsOptions.runAsUserName": user}, invalid(".windowsOptions.runAsUserName", shown, told))
        for user, shown, told in (
            ("", "", "runAsUserName cannot be an empty string"),
            ("a\nb", "a\\nb", "runAsUserName cannot contain control characters"),
            (r"a\b\c", r"a\\b\\c", "runAsUserName cannot contain more than one backslash"),
            ("d\\", r"d\\", "runAsUserName's User cannot be empty"),
            ("..", "..", "runAsUserName's User cannot contain only periods or spaces"),
            (
                "a*b",
                "a*b",
                "runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]",
            ),
            ("u" * 105, "u" * 105, "runAsUserName's User length must not be longer than 104 characters"),
            (r"a:b\u", r"a:b\\u", "runAsUserName's Domain doesn't match the NetBios nor the DNS format"),
        )
    ),
]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        *below(C, BASICS),
        *below(C, ENVIRONMENTS),
        *below(C, REFERENCES),
        *below(C, MOUNTS),
        *below(C, PROBES),
        *below(C, REQUESTS),
        *below(f"{C}.securityContext", CONTEXTS),
    ],
)
def test_containers(changes: dict[str, Any], told: list[str]) -> None:
    assert POD.new(changes) == told


@pytest.mark.parametrize(("changes", "told"), below(C, RESTARTS))
def test_restart_rules(changes: dict[str, Any], told: list[str]) -> None:
    rules = {f"{C}.restartPolicy": "Never", f"{C}.restartPolicyRules": [RULE]}
    assert POD.new({**rules, **changes}) == told


@pytest.mark.parametrize(("changes", "told"), below(C, DEVICES))
def test_devices(changes: dict[str, Any], told: list[str]) -> None:
    more = {
        "spec.volumes[2]": {"name": "q", "persistentVolumeClaim": {"claimName": "q"}},
        "spec.volumes[3]": {"name": "w", "emptyDir": {}},
    }
    assert POD.new({**more, **changes}) == told


def test_privileged_containers_are_allowed_where_the_cluster_allows_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(CAPABILITIES, "allow_privileged", True)
    assert not POD.new({f"{C}.securityContext.privileged": True})
    told = POD.new(
        {
            f"{C}.securityContext": {
                "privileged": True,
                "allowPrivilegeEscalation": False,
                "procMount": "Default",
            }
        }
    )
    assert len(told) == 1
    assert told[0].startswith(f'{C}.securityContext: Invalid value: {{"Capabilities":null,"Privileged":true,')
    assert told[0].endswith(": cannot set `allowPrivilegeEscalation` to false and `privileged` to true")


def test_escalation_is_not_forbidden_to_administrators() -> None:
    context = {"allowPrivilegeEscalation": False, "capabilities": {"add": ["CAP_SYS_ADMIN"]}}
    (told,) = POD.new({f"{C}.securityContext": context})
    assert told.endswith(
        ": cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
    )


def test_resizing_without_a_restart_where_nothing_restarts() -> None:
    changes = {
        "spec.restartPolicy": "Never",
        f"{C}.resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}],
    }
    told = "must be 'NotRequired' when pod `restartPolicy` is 'Never'"
    assert POD.new(changes) == [f'{C}.resizePolicy: Invalid value: "RestartContainer": {told}']


def test_resource_claims_are_named_once() -> None:
    def told(claims: list[dict[str, str]]) -> list[str]:
        named = {"spec.resourceClaims": [{"name": "x", "resourceClaimName": "x"}]}
        return POD.new({**named, f"{C}.resources.claims": claims})

    path = f"{C}.resources.claims[1]"
    assert not told([{"name": "x", "request": "a"}, {"name": "x", "request": "b"}])
    assert told([{"name": "x"}, {"name": "x", "request": "b"}]) == [f'{path}: Duplicate value: "x"']
    assert told([{"name": "x"}, {"name": "x"}]) == [f'{path}: Duplicate value: "x"']
    (last,) = told([{"name": "x"}, {"name": "y"}])
    assert last == f'{path}: Not found: "y": must be one of the names in pod.spec.resourceClaims: x'


def test_stop_signals_are_those_of_the_system() -> None:
    # New Pods lose them, as long as the feature is off; so a stored one is changed.
    signal = f"{C}.lifecycle"
    assert POD.update({signal: {"stopSignal": "SIGTERM"}}) == [
        f"{signal}.stopSignal: Forbidden: may not be set for containers with empty `spec.os.name`"
    ]
    assert not POD.update({"spec.os": {"name": "linux"}, signal: {"stopSignal": "SIGUSR1"}})
    assert POD.update({"spec.os": {"name": "windows"}, signal: {"stopSignal": "SIGUSR1"}}) == [
        f'{signal}.stopSignal: Unsupported value: "SIGUSR1": supported values: "SIGKILL", "SIGTERM"'
    ]


@pytest.mark.parametrize(("name", "amount", "told"), LIMITS)
def test_limits(name: str, amount: str, told: list[str]) -> None:
    changes = {f'{C}.resources.limits["{name}"]': amount, f"{C}.resources.limits.cpu": "1"}
    assert POD.new(changes) == [
        f"{C}.resources.{member}[{name}]: Invalid value: {each}"
        for member in ("limits", "requests")
        for each in told
    ]


NOT_INIT = "may not be set for init containers without restartPolicy=Always"


@pytest.mark.parametrize(
    ("changes", "told"),
    below(
        I,
        [
            ({".name": "c"}, ['.name: Duplicate value: "c"']),
            ({".name": ""}, [".name: Required value"]),
            ({".livenessProbe": probe()}, [f".livenessProbe: Forbidden: {NOT_INIT}"]),
            ({".readinessProbe": probe()}, [f".readinessProbe: Forbidden: {NOT_INIT}"]),
            ({".startupProbe": probe()}, [f".startupProbe: Forbidden: {NOT_INIT}"]),
            ({".lifecycle.preStop": probe()}, [f".lifecycle: Forbidden: {NOT_INIT}"]),
            ({".lifecycle.preStop": probe(), ".restartPolicy": "Always", ".startupProbe": probe()}, []),
            (
                {".resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]},
                [
                    '.resizePolicy[0].restartPolicy: Invalid value: "RestartContainer": '
                    "must not be set to 'RestartContainer' for non-sidecar initContainers"
                ],
            ),
            (
                {".restartPolicy": "X"},
                ['.restartPolicy: Unsupported value: "X": supported values: "Always", "Never", "OnFailure"'],
            ),
        ],
    ),
)
def test_init_containers(changes: dict[str, Any], told: list[str]) -> None:
    assert POD.new(changes) == told


EPHEMERAL = "spec.ephemeralContainers[0]"
NOT_EPHEMERAL = "cannot be set for an Ephemeral Container"


@pytest.mark.parametrize(
    ("changes", "told"),
    below(
        EPHEMERAL,
        [
            ({}, []),
            ({".name": "c"}, ['.name: Duplicate value: "c"']),
            ({".image": ""}, [".image: Required value"]),
            ({".targetContainerName": "nope"}, ['.targetContainerName: Not found: "nope"']),
            ({".ports": [{"containerPort": 1}]}, [f".ports: Forbidden: {NOT_EPHEMERAL}"]),
            ({".resources.limits.cpu": "1"}, [f".resources: Forbidden: {NOT_EPHEMERAL}"]),
            ({".livenessProbe": probe()}, [f".livenessProbe: Forbidden: {NOT_EPHEMERAL}"]),
            ({".lifecycle.preStop": probe()}, [f".lifecycle: Forbidden: {NOT_EPHEMERAL}"]),
            (
                {".volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": "a"}]},
                [f".volumeMounts[0].subPath: Forbidden: {NOT_EPHEMERAL}"],
            ),
        ],
    ),
)
def test_ephemeral_containers(changes: dict[str, Any], told: list[str]) -> None:
    added = {EPHEMERAL: {}, f"{EPHEMERAL}.name": "e", f"{EPHEMERAL}.image": "img"}
    assert POD.update({"spec.ephemeralContainers": [], **added, **changes}, "ephemeralcontainers") == told


def test_a_pod_needs_containers_with_different_names() -> None:
    assert POD.new({"spec.containers": []}) == ["spec.containers: Required value"]
    twice = {"spec.containers[1]": {"name": "c", "image": "img"}}
    assert POD.new(twice) == ['spec.containers[1].name: Duplicate value: "c"']
    ephemeral = [{"name": "e", "image": "x"}]
    told = POD.new({"spec.ephemeralContainers": ephemeral})
    assert told == ["spec.ephemeralContainers: Forbidden: cannot be set on create"]
