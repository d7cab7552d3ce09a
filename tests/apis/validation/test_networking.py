"""Services and where they send traffic, Ingresses, policies, and the addresses of it all."""

from typing import Any

import pytest
from tests.apis.validation.cases import ABSENT, KEY, LABEL, SUBDOMAIN, VALUE, Case, Checked, below, invalid

from kajitori.apis.validation.services import VALIDATORS

ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
NETWORK = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
PORTS = "must be between 1 and 65535, inclusive"
ONLY_BALANCER = "may only be used when `type` is 'LoadBalancer'"
SERVICE = Checked(
    "", "services", {"spec": {"ports": [{"port": 80}], "clusterIP": "10.0.0.1", "ipFamilies": ["IPv4"]}}
)
SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
EXTERNAL = {
    ".type": "ExternalName",
    ".externalName": "a.b",
    ".clusterIP": ABSENT,
    ".clusterIPs": ABSENT,
    ".ipFamilyPolicy": ABSENT,
    ".internalTrafficPolicy": ABSENT,
    ".ipFamilies": ABSENT,
    ".ports": [],
}

SERVICES: list[Case] = [
    ({}, []),
    (EXTERNAL, []),
    ({".ports": []}, [".ports: Required value"]),
    (
        {".ports": [{"port": 1}, {"port": 2}]},
        [".ports[0].name: Required value", ".ports[1].name: Required value"],
    ),
    (
        {".ports": [{"name": "a", "port": 1}, {"name": "a", "port": 2}]},
        ['.ports[1].name: Duplicate value: "a"'],
    ),
    ({".ports[0].name": "A"}, invalid(".ports[0].name", "A", LABEL)),
    ({".ports[0]": {"port": 0, "targetPort": 1}}, [f".ports[0].port: Invalid value: 0: {PORTS}"]),
    (
        {".ports[0].protocol": "X"},
        ['.ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"'],
    ),
    ({".ports[0].targetPort": 70000}, [f".ports[0].targetPort: Invalid value: 70000: {PORTS}"]),
    (
        {".ports[0].targetPort": "1"},
        invalid(".ports[0].targetPort", "1", "must contain at least one letter (a-z)"),
    ),
    ({".ports[0].appProtocol": "-"}, invalid(".ports[0].appProtocol", "-", KEY)),
    (
        {".ports": [{"name": "a", "port": 1}, {"name": "b", "port": 1}]},
        [
            '.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":1,'
            '"TargetPort":0,"NodePort":0}'
        ],
    ),
    (
        {".ports[0].nodePort": 30000},
        [".ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ),
    (
        {
            ".type": "NodePort",
            ".ports": [
                {"name": "a", "port": 1, "nodePort": 30000},
                {"name": "b", "port": 2, "nodePort": 30000},
            ],
        },
        [".ports[1].nodePort: Duplicate value: 30000"],
    ),
    ({".selector": {"-": "a"}}, invalid(".selector", "-", KEY)),
    (
        {".type": "X"},
        [
            '.type: Unsupported value: "X": '
            'supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
        ],
    ),
    (
        {".sessionAffinity": "X"},
        ['.sessionAffinity: Unsupported value: "X": supported values: "ClientIP", "None"'],
    ),
    (
        {".sessionAffinity": "ClientIP", ".sessionAffinityConfig.clientIP.timeoutSeconds": 86401},
        [
            ".sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: "
            "must be greater than 0 and less than 86400"
        ],
    ),
    ({".externalIPs": ["x"]}, invalid(".externalIPs[0]", "x", ADDRESS)),
    (
        {".externalIPs": ["127.0.0.1"]},
        invalid(".externalIPs[0]", "127.0.0.1", "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
    ),
    (
        {".externalIPs": ["0.0.0.0"]},
        invalid(".externalIPs[0]", "0.0.0.0", "may not be unspecified (0.0.0.0)"),
    ),
    (
        {".externalIPs": ["169.254.1.1"]},
        invalid(
            ".externalIPs[0]",
            "169.254.1.1",
            "may not be in the link-local range (169.254.0.0/16, fe80::/10)",
        ),
    ),
    (
        {".externalIPs": ["224.0.0.1"]},
        invalid(
            ".externalIPs[0]",
            "224.0.0.1",
            "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",
        ),
    ),
    ({**EXTERNAL, ".externalName": ""}, [".externalName: Required value"]),
    ({**EXTERNAL, ".externalName": "A"}, invalid(".externalName", "A", SUBDOMAIN)),
    (
        {".clusterIP": "None", ".clusterIPs": ["None"], ".type": "NodePort"},
        [".clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"],
    ),
    (
        {".ipFamilies": ["IPv5"]},
        ['.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"'],
    ),
    (
        {".loadBalancerSourceRanges": ["10.0.0.0/8"]},
        [f".LoadBalancerSourceRanges: Forbidden: {ONLY_BALANCER}"],
    ),
    (
        {".type": "LoadBalancer", ".loadBalancerSourceRanges": ["x"]},
        invalid(".LoadBalancerSourceRanges[0]", "x", NETWORK),
    ),
    (
        {".allocateLoadBalancerNodePorts": True},
        [f".allocateLoadBalancerNodePorts: Forbidden: {ONLY_BALANCER}"],
    ),
    ({".type": "LoadBalancer", ".loadBalancerClass": "-"}, invalid(".loadBalancerClass", "-", KEY)),
    (
        {".type": "NodePort", ".externalTrafficPolicy": "X"},
        ['.externalTrafficPolicy: Unsupported value: "X": supported values: "Cluster", "Local"'],
    ),
    (
        {".externalTrafficPolicy": "Local"},
        invalid(".externalTrafficPolicy", "Local", "may only be set for externally-accessible services"),
    ),
    (
        {".healthCheckNodePort": 30000},
        [
            ".healthCheckNodePort: Invalid value: 30000: "
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        ],
    ),
    (
        {".internalTrafficPolicy": "X"},
        ['.internalTrafficPolicy: Unsupported value: "X": supported values: "Cluster", "Local"'],
    ),
    (
        {".trafficDistribution": "X"},
        [
            '.trafficDistribution: Unsupported value: "X": '
            'supported values: "PreferClose", "PreferSameZone", "PreferSameNode"'
        ],
    ),
]


@pytest.mark.parametrize(("changes", "told"), below("spec", SERVICES))
def test_services(changes: dict[str, Any], told: list[str]) -> None:
    assert SERVICE.update(changes) == told


def test_addresses_of_services() -> None:
    def told(**said: Any) -> list[str]:
        service = SERVICE.made()
        service["spec"] = {**service["spec"], **said}
        errors: list[Any] = []
        VALIDATORS["services"].create(service, errors)
        return [str(each) for each in errors]

    both = ["10.0.0.1", "fd00::1"]
    assert told(clusterIPs=both, clusterIP=both[0], ipFamilies=["IPv4", "IPv6"]) == []
    assert told(clusterIPs=[], clusterIP="10.0.0.1") == ["spec.clusterIPs: Required value"]
    assert told(clusterIPs=both, clusterIP="10.0.0.2", ipFamilies=["IPv4", "IPv6"]) == [
        'spec.clusterIPs: Invalid value: ["10.0.0.1","fd00::1"]: first value must match `clusterIP`'
    ]
    assert told(clusterIPs=["10.0.0.1"], clusterIP="") == [
        'spec.clusterIPs: Invalid value: ["10.0.0.1"]: must be empty when `clusterIP` is not specified'
    ]
    assert told(clusterIPs=["x"], clusterIP="x") == invalid("spec.clusterIPs[0]", "x", ADDRESS)
    assert told(clusterIPs=["10.0.0.1", "10.0.0.2"], clusterIP="10.0.0.1") == [
        'spec.clusterIPs: Invalid value: ["10.0.0.1","10.0.0.2"]: '
        "may specify no more than one IP for each IP family"
    ]
    assert told(clusterIPs=["None", "fd00::1"], clusterIP="None")[0] == (
        'spec.clusterIPs: Invalid value: ["None","fd00::1"]: \'None\' must be the first and only value'
    )
    assert told(clusterIPs=["fd00::1"], clusterIP="fd00::1") == invalid(
        "spec.clusterIPs[0]", "fd00::1", "expected an IPv4 value as indicated by `ipFamilies[0]`"
    )
    assert told(ipFamilies=["IPv4", "IPv4"]) == ['spec.ipFamilies[1]: Duplicate value: "IPv4"']
    assert told(ipFamilyPolicy="X") == [
        'spec.ipFamilyPolicy: Unsupported value: "X": '
        'supported values: "PreferDualStack", "RequireDualStack", "SingleStack"'
    ]


def test_source_ranges_in_an_annotation() -> None:
    path = f'metadata.annotations["{SOURCE_RANGES}"]'
    shown = f"metadata.annotations[{SOURCE_RANGES}]"
    assert SERVICE.update({path: "10.0.0.0/8"}) == [f"{shown}: Forbidden: {ONLY_BALANCER}"]
    balanced = {"spec.type": "LoadBalancer"}
    assert SERVICE.update({**balanced, path: "10.0.0.0/8, x"}) == invalid(shown, "x", NETWORK)


@pytest.mark.parametrize(
    ("kind", "entry", "told"),
    [
        ("LoadBalancer", {"ip": "10.0.0.1", "ipMode": "VIP"}, []),
        ("LoadBalancer", {"hostname": "a.b"}, []),
        (
            "ClusterIP",
            {"hostname": "a.b"},
            [": Forbidden: may only be used when `spec.type` is 'LoadBalancer'"],
        ),
        ("LoadBalancer", {"ip": "x", "ipMode": "VIP"}, invalid("[0].ip", "x", ADDRESS)),
        (
            "LoadBalancer",
            {"ip": "10.0.0.1", "ipMode": "X"},
            ['[0].ipMode: Unsupported value: "X": supported values: "Proxy", "VIP"'],
        ),
        (
            "LoadBalancer",
            {"hostname": "a", "ipMode": "VIP"},
            ["[0].ipMode: Forbidden: may not be specified when `ip` is not set"],
        ),
        ("LoadBalancer", {"hostname": "A"}, invalid("[0].hostname", "A", SUBDOMAIN)),
        (
            "LoadBalancer",
            {"hostname": "1.2.3.4"},
            invalid("[0].hostname", "1.2.3.4", "must be a DNS name, not an IP address"),
        ),
    ],
)
def test_balancers(kind: str, entry: dict[str, str], told: list[str]) -> None:
    path = "status.loadBalancer.ingress"
    assert SERVICE.status({path: [entry]}, old={"spec.type": kind}) == [path + each for each in told]


ENDPOINTS = Checked(
    "", "endpoints", {"subsets": [{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80}]}]}
)


@pytest.mark.parametrize(
    ("changes", "told"),
    below(
        "subsets[0]",
        [
            ({".ports[0].name": "a"}, []),
            (
                {".addresses": []},
                [": Required value: must specify `addresses` or `notReadyAddresses`"],
            ),
            (
                {".addresses[0].ip": "x"},
                invalid(".addresses[0].ip", "x", ADDRESS, "must be a valid IP address"),
            ),
            (
                {".addresses[0].ip": "127.0.0.1"},
                invalid(
                    ".addresses[0].ip", "127.0.0.1", "may not be in the loopback range (127.0.0.0/8, ::1/128)"
                ),
            ),
            ({".addresses[0].hostname": "A"}, invalid(".addresses[0].hostname", "A", LABEL)),
            ({".addresses[0].nodeName": "A"}, invalid(".addresses[0].nodeName", "A", SUBDOMAIN)),
            (
                {".ports": [{"port": 1}, {"port": 2, "name": "b"}]},
                [".ports[0].name: Required value"],
            ),
            ({".ports[0].port": 0}, [f".ports[0].port: Invalid value: 0: {PORTS}"]),
            (
                {".ports[0].protocol": "X"},
                ['.ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"'],
            ),
        ],
    ),
)
def test_endpoints(changes: dict[str, Any], told: list[str]) -> None:
    assert ENDPOINTS.new(changes) == told


SLICE = Checked(
    "discovery.k8s.io",
    "endpointslices",
    {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}], "ports": [{"name": "a", "port": 80}]},
)
SLICES: list[Case] = [
    ({"addressType": "X"}, ['addressType: Unsupported value: "X": supported values: "FQDN", "IPv4", "IPv6"']),
    (
        {"endpoints[0].addresses": []},
        ["endpoints[0].addresses: Required value: must contain at least 1 address"],
    ),
    (
        {"endpoints[0].addresses": ["10.0.0.1"] * 101},
        ["endpoints[0].addresses: Too many: 101: must have at most 100 items"],
    ),
    (
        {"endpoints": [{"addresses": ["10.0.0.1"]}] * 1001},
        ["endpoints: Too many: 1001: must have at most 1000 items"],
    ),
    (
        {"endpoints[0].addresses": ["fd00::1"]},
        invalid("endpoints[0].addresses", "fd00::1", "must be an IPv4 address"),
    ),
    (
        {"addressType": "IPv6"},
        invalid("endpoints[0].addresses", "10.0.0.1", "must be an IPv6 address"),
    ),
    (
        {"addressType": "FQDN", "endpoints[0].addresses": ["a"]},
        invalid(
            "endpoints[0].addresses[0]",
            "a",
            "should be a domain with at least two segments separated by dots",
        ),
    ),
    ({"addressType": "FQDN", "endpoints[0].addresses": ["a.b."]}, []),
    ({"endpoints[0].hostname": "A"}, invalid("endpoints[0].hostname", "A", LABEL)),
    ({"endpoints[0].nodeName": "A"}, invalid("endpoints[0].nodeName", "A", SUBDOMAIN)),
    (
        {"endpoints[0].hints.forZones": [{"name": "a"}, {"name": "a"}]},
        ['endpoints[0].hints.forZones[1].name: Duplicate value: "a"'],
    ),
    (
        {"endpoints[0].hints.forZones": [{"name": "-"}]},
        invalid("endpoints[0].hints.forZones[0].name", "-", VALUE),
    ),
    (
        {"endpoints[0].hints.forZones": [{"name": f"a{number}"} for number in range(9)]},
        ["endpoints[0].hints.forZones: Too many: 9: must have at most 8 items"],
    ),
    (
        {"endpoints[0].hints.forNodes": [{"name": "A"}]},
        invalid("endpoints[0].hints.forNodes[0].name", "A", SUBDOMAIN),
    ),
    ({"ports": [{"port": 1}, {"port": 2}]}, ['ports[1].name: Duplicate value: ""']),
    ({"ports[0].name": "A"}, invalid("ports[0].name", "A", LABEL)),
    ({"ports[0].port": 0}, []),
    (
        {"ports[0].protocol": "X"},
        ['ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"'],
    ),
    ({"ports[0].appProtocol": "-"}, invalid("ports[0].appProtocol", "-", KEY)),
]


@pytest.mark.parametrize(("changes", "told"), SLICES)
def test_slices(changes: dict[str, Any], told: list[str]) -> None:
    assert SLICE.new(changes) == told


# Ingresses.

BACKEND = {"service": {"name": "s", "port": {"number": 80}}}
PATH = {"path": "/a", "pathType": "Prefix", "backend": BACKEND}
INGRESS = Checked(
    "networking.k8s.io", "ingresses", {"spec": {"rules": [{"host": "a.b", "http": {"paths": [PATH]}}]}}
)
RULE = ".rules[0]"
ROUTE = f"{RULE}.http.paths[0]"
WILDCARD = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', "
    r"regex used for validation is '\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
INGRESSES: list[Case] = [
    ({".rules": []}, [": Invalid value: null: either `defaultBackend` or `rules` must be specified"]),
    ({".rules": [], ".defaultBackend": BACKEND}, []),
    ({f"{RULE}.host": "A"}, invalid(f"{RULE}.host", "A", SUBDOMAIN)),
    ({f"{RULE}.host": "*.A"}, invalid(f"{RULE}.host", "*.A", WILDCARD)),
    (
        {f"{RULE}.host": "1.2.3.4"},
        invalid(f"{RULE}.host", "1.2.3.4", "must be a DNS name, not an IP address"),
    ),
    ({f"{RULE}.http.paths": []}, [f"{RULE}.http.paths: Required value"]),
    ({f"{ROUTE}.pathType": ABSENT}, [f"{ROUTE}.pathType: Required value: pathType must be specified"]),
    (
        {f"{ROUTE}.pathType": "X"},
        [
            f'{ROUTE}.pathType: Unsupported value: "X": '
            'supported values: "Exact", "ImplementationSpecific", "Prefix"'
        ],
    ),
    ({f"{ROUTE}.path": "a"}, invalid(f"{ROUTE}.path", "a", "must be an absolute path")),
    ({f"{ROUTE}.path": ""}, invalid(f"{ROUTE}.path", "", "must be an absolute path")),
    ({f"{ROUTE}.path": "/a//b"}, invalid(f"{ROUTE}.path", "/a//b", "must not contain '//'")),
    ({f"{ROUTE}.path": "/%2f"}, invalid(f"{ROUTE}.path", "/%2f", "must not contain '%2f'")),
    ({f"{ROUTE}.path": "/a/.."}, invalid(f"{ROUTE}.path", "/a/..", "cannot end with '/..'")),
    ({f"{ROUTE}.path": "", f"{ROUTE}.pathType": "ImplementationSpecific"}, []),
    (
        {f"{ROUTE}.path": "a", f"{ROUTE}.pathType": "ImplementationSpecific"},
        invalid(f"{ROUTE}.path", "a", "must be an absolute path"),
    ),
    ({f"{ROUTE}.backend": {}}, invalid(f"{ROUTE}.backend", "", "resource or service backend is required")),
    (
        {f"{ROUTE}.backend.resource": {"kind": "K", "name": "n"}},
        invalid(f"{ROUTE}.backend", "", "cannot set both resource and service backends"),
    ),
    (
        {f"{ROUTE}.backend": {"resource": {"kind": "", "name": "n"}}},
        [f"{ROUTE}.backend.resource.kind: Required value"],
    ),
    (
        {f"{ROUTE}.backend": {"resource": {"kind": "K", "name": "a/b"}}},
        invalid(f"{ROUTE}.backend.resource.name", "a/b", "may not contain '/'"),
    ),
    (
        {f"{ROUTE}.backend": {"resource": {"kind": "K", "name": "n", "apiGroup": "A"}}},
        invalid(f"{ROUTE}.backend.resource.apiGroup", "A", SUBDOMAIN),
    ),
    ({f"{ROUTE}.backend.service.name": ""}, [f"{ROUTE}.backend.service.name: Required value"]),
    ({f"{ROUTE}.backend.service.name": "A"}, invalid(f"{ROUTE}.backend.service.name", "A", LABEL)),
    (
        {f"{ROUTE}.backend.service.port": {}},
        [f"{ROUTE}.backend: Required value: port name or number is required"],
    ),
    (
        {f"{ROUTE}.backend.service.port.name": "a"},
        invalid(f"{ROUTE}.backend", "", "cannot set both port name & port number"),
    ),
    (
        {f"{ROUTE}.backend.service.port.number": 70000},
        [f"{ROUTE}.backend.service.port.number: Invalid value: 70000: {PORTS}"],
    ),
    (
        {f"{ROUTE}.backend.service.port": {"name": "1"}},
        invalid(f"{ROUTE}.backend.service.port.name", "1", "must contain at least one letter (a-z)"),
    ),
    ({".tls": [{"hosts": ["A"]}]}, invalid(".tls[0].hosts[0]", "A", SUBDOMAIN)),
    ({".tls": [{"hosts": ["*"]}]}, invalid(".tls[0].hosts[0]", "*", WILDCARD)),
    ({".tls": [{"secretName": "A"}]}, invalid(".tls[0].secretName", "A", SUBDOMAIN)),
    ({".ingressClassName": "A"}, invalid(".ingressClassName", "A", SUBDOMAIN)),
]


@pytest.mark.parametrize(("changes", "told"), below("spec", INGRESSES))
def test_ingresses(changes: dict[str, Any], told: list[str]) -> None:
    assert INGRESS.new(changes) == told
    assert INGRESS.update(changes) == told


def test_the_class_of_a_new_ingress_is_told_once() -> None:
    changes = {'metadata.annotations["kubernetes.io/ingress.class"]': "a", "spec.ingressClassName": "b"}
    told = "must match `ingressClassName` when both are specified"
    assert INGRESS.new(changes) == invalid("annotations.kubernetes.io/ingress.class", "a", told)
    assert INGRESS.update(changes) == []


def test_where_an_ingress_is_reached() -> None:
    path = "status.loadBalancer.ingress"
    assert INGRESS.status({path: [{"ip": "10.0.0.1"}, {"hostname": "a.b"}]}) == []
    assert INGRESS.status({path: [{"ip": "x"}]}) == invalid(f"{path}[0].ip", "x", ADDRESS)
    assert INGRESS.status({path: [{"hostname": "A"}]}) == invalid(f"{path}[0].hostname", "A", SUBDOMAIN)
    assert INGRESS.status({path: [{"hostname": "1.2.3.4"}]}) == invalid(
        f"{path}[0].hostname", "1.2.3.4", "must be a DNS name, not an IP address"
    )


CLASS = Checked("networking.k8s.io", "ingressclasses", {"spec": {"controller": "a.b/c"}})
PARAMETERS = {"kind": "K", "name": "n", "scope": "Cluster"}


@pytest.mark.parametrize(
    ("changes", "told"),
    below(
        "spec",
        [
            ({".parameters": PARAMETERS}, []),
            ({".controller": ""}, [".controller: Required value"]),
            (
                {".controller": "a"},
                invalid(".controller", "a", 'must be a domain-prefixed path (such as "acme.io/foo")'),
            ),
            ({".controller": "A/b"}, invalid(".controller", "A", SUBDOMAIN)),
            ({".controller": f"a.b/{'c' * 250}"}, [".controller: Too long: may not be more than 250 bytes"]),
            ({".parameters": {**PARAMETERS, "kind": ""}}, [".parameters.kind: Required value"]),
            (
                {".parameters": {**PARAMETERS, "name": "a%"}},
                invalid(".parameters.name", "a%", "may not contain '%'"),
            ),
            (
                {".parameters": {**PARAMETERS, "scope": "X"}},
                ['.parameters.scope: Unsupported value: "X": supported values: "Cluster", "Namespace"'],
            ),
            (
                {".parameters": {**PARAMETERS, "namespace": "n"}},
                [".parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"],
            ),
            (
                {".parameters": {**PARAMETERS, "scope": "Namespace"}},
                [".parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"],
            ),
            (
                {".parameters": {**PARAMETERS, "scope": "Namespace", "namespace": "A"}},
                invalid(".parameters.namespace", "A", LABEL),
            ),
            (
                {".parameters": {**PARAMETERS, "apiGroup": "A"}},
                invalid(".parameters.apiGroup", "A", SUBDOMAIN),
            ),
        ],
    ),
)
def test_ingress_classes(changes: dict[str, Any], told: list[str]) -> None:
    assert CLASS.new(changes) == told


POLICY = Checked("networking.k8s.io", "networkpolicies", {"spec": {"podSelector": {}}})
PEER = ".ingress[0].from[0]"
PORT = ".egress[0].ports[0]"


def peer(**said: Any) -> dict[str, Any]:
    return {".ingress": [{"from": [said]}]}


def port(**said: Any) -> dict[str, Any]:
    return {".egress": [{"ports": [said]}]}


@pytest.mark.parametrize(
    ("changes", "told"),
    below(
        "spec",
        [
            (peer(ipBlock={"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}), []),
            ({".podSelector.matchLabels": {"a": "-"}}, invalid(".podSelector.matchLabels", "-", VALUE)),
            (peer(), [f"{PEER}: Required value: must specify a peer"]),
            (
                peer(ipBlock={"cidr": "10.0.0.0/8"}, podSelector={}),
                [f"{PEER}: Forbidden: may not specify both ipBlock and another peer"],
            ),
            (
                peer(namespaceSelector={"matchLabels": {"a": "-"}}),
                invalid(f"{PEER}.namespaceSelector.matchLabels", "-", VALUE),
            ),
            (peer(ipBlock={"cidr": ""}), [f"{PEER}.ipBlock.cidr: Required value"]),
            (peer(ipBlock={"cidr": "x"}), invalid(f"{PEER}.ipBlock.cidr", "x", NETWORK)),
            (
                peer(ipBlock={"cidr": "10.0.0.1/8"}),
                invalid(
                    f"{PEER}.ipBlock.cidr", "10.0.0.1/8", "must not have bits set beyond the prefix length"
                ),
            ),
            (
                peer(ipBlock={"cidr": "10.0.0.0/8", "except": ["x"]}),
                invalid(f"{PEER}.ipBlock.except[0]", "x", NETWORK),
            ),
            *(
                (
                    peer(ipBlock={"cidr": "10.0.0.0/8", "except": [hole]}),
                    invalid(f"{PEER}.ipBlock.except[0]", hole, "must be a strict subset of `cidr`"),
                )
                for hole in ("10.0.0.0/8", "11.0.0.0/16", "fd00::/64")
            ),
            (
                port(protocol="X"),
                [f'{PORT}.protocol: Unsupported value: "X": supported values: "TCP", "UDP", "SCTP"'],
            ),
            (port(port=70000), [f"{PORT}.port: Invalid value: 70000: {PORTS}"]),
            (port(port="1"), invalid(f"{PORT}.port", "1", "must contain at least one letter (a-z)")),
            (
                port(port=5, endPort=4),
                [f"{PORT}.endPort: Invalid value: 5: must be greater than or equal to `port`"],
            ),
            (port(port=5, endPort=70000), [f"{PORT}.endPort: Invalid value: 70000: {PORTS}"]),
            (
                port(port="a", endPort=4),
                [f"{PORT}.endPort: Invalid value: 4: may not be specified when `port` is non-numeric"],
            ),
            (
                port(endPort=4),
                [f"{PORT}.endPort: Invalid value: 4: may not be specified when `port` is not specified"],
            ),
            (
                {".policyTypes": ["X"]},
                ['.policyTypes[0]: Unsupported value: "X": supported values: "Ingress", "Egress"'],
            ),
            (
                {".policyTypes": ["Ingress", "Egress", "Ingress"]},
                [
                    '.policyTypes: Invalid value: ["Ingress","Egress","Ingress"]: '
                    "may not specify more than two policyTypes"
                ],
            ),
        ],
    ),
)
def test_network_policies(changes: dict[str, Any], told: list[str]) -> None:
    assert POLICY.new(changes) == told


IP_ADDRESS = Checked(
    "networking.k8s.io", "ipaddresses", {"spec": {"parentRef": {"resource": "services", "name": "a"}}}
)
PARENT = "spec.parentRef"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, []),
        ({PARENT: ABSENT}, [f"{PARENT}: Required value"]),
        ({f"{PARENT}.resource": ""}, [f"{PARENT}.resource: Required value"]),
        ({f"{PARENT}.name": "a/b"}, invalid(f"{PARENT}.name", "a/b", "may not contain '/'")),
        ({f"{PARENT}.group": "A"}, invalid(f"{PARENT}.group", "A", SUBDOMAIN)),
        ({f"{PARENT}.namespace": ".."}, invalid(f"{PARENT}.namespace", "..", "may not be '..'")),
    ],
)
def test_ip_addresses(changes: dict[str, Any], told: list[str]) -> None:
    assert IP_ADDRESS.new(changes) == told


RANGE = Checked("networking.k8s.io", "servicecidrs", {"spec": {"cidrs": ["10.0.0.0/16"]}})


@pytest.mark.parametrize(
    ("networks", "told"),
    [
        (["10.0.0.0/16", "fd00::/64"], []),
        ([], ["spec.cidrs: Required value: at least one CIDR required"]),
        (["x"], invalid("spec.cidrs[0]", "x", NETWORK)),
        (
            ["fd00:0::/64"],
            invalid("spec.cidrs[0]", "fd00:0::/64", r'must be in canonical form ("fd00::/64")'),
        ),
        (
            ["10.0.0.0/16", "10.1.0.0/16"],
            [
                'spec.cidrs: Invalid value: ["10.0.0.0/16","10.1.0.0/16"]: may specify no more than one IP for '
                "each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
            ],
        ),
        (
            ["10.0.0.0/16"] * 3,
            [
                'spec.cidrs: Invalid value: {"CIDRs":["10.0.0.0/16","10.0.0.0/16","10.0.0.0/16"]}: '
                "may only hold up to 2 values"
            ],
        ),
    ],
)
def test_service_ranges(networks: list[str], told: list[str]) -> None:
    assert RANGE.new({"spec.cidrs": networks}) == told


def test_a_second_range_may_join() -> None:
    assert RANGE.update({"spec.cidrs": ["10.0.0.0/16", "fd00::/64"]}) == []
    assert RANGE.update({"spec.cidrs": ["10.0.0.0/16", "x"]}) == invalid("spec.cidrs[1]", "x", NETWORK)
    assert RANGE.update({"spec.cidrs": ["x"]}) == []
