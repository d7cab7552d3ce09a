"""Roles and bindings, and requests for certificates."""

import base64
import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from tests.apis.validation.cases import LABEL, SUBDOMAIN, VALUE, Case, Checked, below, invalid

from kajitori.apis.validation.pem import pem_blocks

GROUP = "rbac.authorization.k8s.io"
RULE = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
ROLE = Checked(GROUP, "roles", {"rules": [RULE]})
CLUSTER_ROLE = Checked(GROUP, "clusterroles", {"rules": [RULE]})
FIRST = "rules[0]"
SELECTORS = "aggregationRule.clusterRoleSelectors"


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({}, []),
        ({"resourceNames": ["a"], "resources": ["a", "b"]}, []),
        ({"verbs": []}, [".verbs: Required value: verbs must contain at least one value"]),
        (
            {"apiGroups": []},
            [".apiGroups: Required value: resource rules must supply at least one api group"],
        ),
        ({"resources": []}, [".resources: Required value: resource rules must supply at least one resource"]),
    ],
)
def test_rules(rule: dict[str, Any], told: list[str]) -> None:
    for role in (ROLE, CLUSTER_ROLE):
        assert role.new({"rules": [{**RULE, **rule}]}) == [FIRST + each for each in told]


def test_rules_about_paths() -> None:
    path = f"{FIRST}.nonResourceURLs"
    urls = {"verbs": ["get"], "nonResourceURLs": ["/healthz"]}
    shown = f'{path}: Invalid value: ["/healthz"]'
    both = f"{shown}: rules cannot apply to both regular resources and non-resource URLs"
    assert CLUSTER_ROLE.new({"rules": [urls]}) == []
    assert CLUSTER_ROLE.new({"rules": [{**RULE, **urls}]}) == [both]
    assert ROLE.new({"rules": [urls]}) == [f"{shown}: namespaced rules cannot apply to non-resource URLs"]


def test_aggregation() -> None:
    assert CLUSTER_ROLE.new({SELECTORS: [{"matchLabels": {"a": "b"}}]}) == []
    told = "at least one clusterRoleSelector required if aggregationRule is non-nil"
    assert CLUSTER_ROLE.new({SELECTORS: []}) == [f"{SELECTORS}: Required value: {told}"]
    assert CLUSTER_ROLE.new({SELECTORS: [{"matchLabels": {"a": "-"}}]}) == [
        *invalid(f"{SELECTORS}[0].matchLabels", "-", VALUE),
        f"{SELECTORS}[0]: Invalid value: null: invalid label selector.",
    ]


REFERENCE = {"kind": "ClusterRole", "name": "r"}
BINDING = Checked(GROUP, "rolebindings", {"roleRef": REFERENCE, "subjects": []})
CLUSTER_BINDING = Checked(GROUP, "clusterrolebindings", {"roleRef": REFERENCE, "subjects": []})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"roleRef.apiGroup": "x"},
            [f'roleRef.apiGroup: Unsupported value: "x": supported values: "{GROUP}"'],
        ),
        (
            {"roleRef.kind": "X"},
            ['roleRef.kind: Unsupported value: "X": supported values: "Role", "ClusterRole"'],
        ),
        ({"roleRef.kind": "Role"}, []),
        ({"roleRef.name": ""}, ["roleRef.name: Required value"]),
        ({"roleRef.name": "a/b"}, invalid("roleRef.name", "a/b", "may not contain '/'")),
    ],
)
def test_bindings(changes: dict[str, Any], told: list[str]) -> None:
    assert BINDING.new(changes) == told


def test_cluster_bindings_are_of_cluster_roles() -> None:
    told = 'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"'
    assert CLUSTER_BINDING.new({"roleRef.kind": "Role"}) == [told]


@pytest.mark.parametrize(
    ("subject", "told"),
    [
        ({"kind": "User", "name": "a"}, []),
        ({"kind": "ServiceAccount", "name": "a"}, []),
        ({"kind": "ServiceAccount", "name": "A"}, invalid(".name", "A", SUBDOMAIN)),
        (
            {"kind": "ServiceAccount", "name": "a", "apiGroup": "x"},
            ['.apiGroup: Unsupported value: "x": supported values: ""'],
        ),
        ({"kind": "User"}, [".name: Required value"]),
        ({"kind": "Group"}, [".name: Required value"]),
        (
            {"kind": "Group", "name": "a", "apiGroup": "x"},
            [f'.apiGroup: Unsupported value: "x": supported values: "{GROUP}"'],
        ),
        (
            {"kind": "X", "name": "a"},
            ['.kind: Unsupported value: "X": supported values: "ServiceAccount", "User", "Group"'],
        ),
    ],
)
def test_subjects(subject: dict[str, str], told: list[str]) -> None:
    assert BINDING.new({"subjects": [subject]}) == [f"subjects[0]{each}" for each in told]


def test_accounts_of_cluster_bindings_have_namespaces() -> None:
    subject = {"kind": "ServiceAccount", "name": "a"}
    assert CLUSTER_BINDING.new({"subjects": [subject]}) == ["subjects[0].namespace: Required value"]
    assert CLUSTER_BINDING.new({"subjects": [{**subject, "namespace": "n"}]}) == []


# Requests for certificates.

PRIVATE = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a")])
REQUEST = (
    x509.CertificateSigningRequestBuilder()
    .subject_name(NAME)
    .sign(PRIVATE, hashes.SHA256())
    .public_bytes(serialization.Encoding.PEM)
)
DAY = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
CERTIFICATE = (
    x509.CertificateBuilder()
    .subject_name(NAME)
    .issuer_name(NAME)
    .public_key(PRIVATE.public_key())
    .serial_number(1)
    .not_valid_before(DAY)
    .not_valid_after(DAY + datetime.timedelta(days=1))
    .sign(PRIVATE, hashes.SHA256())
    .public_bytes(serialization.Encoding.PEM)
)


def encoded(text: bytes) -> str:
    return base64.b64encode(text).decode()


SIGNING = Checked(
    "certificates.k8s.io",
    "certificatesigningrequests",
    {
        "spec": {
            "request": encoded(REQUEST),
            "signerName": "example.com/a",
            "usages": ["client auth"],
        }
    },
)
USAGES = (
    '"any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", '
    '"decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", '
    '"ipsec tunnel", "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", '
    '"ocsp signing", "s/mime", "server auth", "signing", "timestamping"'
)
REQUESTS: list[Case] = [
    ({".expirationSeconds": 600}, []),
    (
        {".request": encoded(b"x")},
        invalid(".request", encoded(b"x"), "PEM block type must be CERTIFICATE REQUEST"),
    ),
    (
        {".request": encoded(CERTIFICATE)},
        invalid(".request", encoded(CERTIFICATE), "PEM block type must be CERTIFICATE REQUEST"),
    ),
    ({".usages": []}, [".usages: Required value"]),
    ({".usages": ["x"]}, [f'.usages[0]: Unsupported value: "x": supported values: {USAGES}']),
    ({".usages": ["any", "any"]}, ['.usages[1]: Duplicate value: "any"']),
    ({".signerName": ""}, [".signerName: Required value"]),
    (
        {".signerName": "kubernetes.io/legacy-unknown"},
        invalid(
            ".signerName",
            "kubernetes.io/legacy-unknown",
            "the legacy signerName is not allowed via this API version",
        ),
    ),
    (
        {".signerName": "a.b/C"},
        invalid(".signerName", "C", f'validating label "C": {SUBDOMAIN}'),
    ),
    ({".signerName": "A.b/c"}, invalid(".signerName", "A.b", f'validating label "A": {LABEL}')),
    (
        {".expirationSeconds": 599},
        [
            ".expirationSeconds: Invalid value: 599: "
            "may not specify a duration less than 600 seconds (10 minutes)"
        ],
    ),
]


@pytest.mark.parametrize(("changes", "told"), below("spec", REQUESTS))
def test_requests(changes: dict[str, Any], told: list[str]) -> None:
    assert SIGNING.new(changes) == told


def test_requests_that_cannot_be_read() -> None:
    broken = b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"
    (told,) = SIGNING.new({"spec.request": encoded(broken)})
    assert told.startswith("spec.request: Invalid value: ")


def condition(kind: str, status: str = "True") -> dict[str, str]:
    return {"type": kind, "status": status}


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        ([condition("Approved"), condition("x", "Unknown")], []),
        ([condition("")], ["[0].type: Required value"]),
        ([condition("a", "")], ["[0].status: Required value"]),
        (
            [condition("a", "X")],
            ['[0].status: Unsupported value: "X": supported values: "False", "True", "Unknown"'],
        ),
        (
            [condition("Failed", "False")],
            ['[0].status: Unsupported value: "False": supported values: "True"'],
        ),
        ([condition("a"), condition("a")], ['[1].type: Duplicate value: "a"']),
        (
            [condition("Denied"), condition("Approved")],
            invalid("[1].type", "Approved", "Approved and Denied conditions are mutually exclusive"),
        ),
    ],
)
def test_decisions(conditions: list[dict[str, str]], told: list[str]) -> None:
    changes = {"status.conditions": conditions}
    assert SIGNING.update(changes, "approval") == [f"status.conditions{each}" for each in told]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (CERTIFICATE, ""),
        (b"x", "must contain at least one CERTIFICATE PEM block"),
        (REQUEST, 'only CERTIFICATE PEM blocks are allowed, found "CERTIFICATE REQUEST"'),
        (
            CERTIFICATE.replace(b"-----\n", b"-----\na: b\n\n", 1),
            "no PEM block headers are permitted",
        ),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "x509: malformed certificate",
        ),
    ],
)
def test_certificates(text: bytes, told: str) -> None:
    expected = invalid("status.certificate", "<certificate data>", told.replace('"', '"')) if told else []
    assert SIGNING.status({"status.certificate": encoded(text)}) == expected


@given(st.binary(max_size=100), st.binary(max_size=20))
def test_blocks_are_found_whatever_stands_around_them(content: bytes, around: bytes) -> None:
    # Unless it looks like a block itself, or joins the line.
    block = b"-----BEGIN A-----\n" + base64.b64encode(content) + b"\n-----END A-----\n"
    found = [each for each in pem_blocks(around.replace(b"-", b"") + b"\n" + block) if each.kind == "A"]
    assert [each.content for each in found] == [content]
