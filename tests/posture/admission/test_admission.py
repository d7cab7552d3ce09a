"""Webhooks and policies: what they see, whom they ask, what happens without them."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.posture.objects import inventory, namespace, obj

from kajitori.posture.admission.judging import Gate, judge_admission
from kajitori.posture.admission.reach import reach_of
from kajitori.posture.findings import Section
from kajitori.posture.inventory import Inventory

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ADMISSION = "admissionregistration.k8s.io/v1"
PODS = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
EVERYTHING = {"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"]}


def authority(days: int, begins: int = -400) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "guard")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(NOW + timedelta(days=begins))
        .not_valid_after(NOW + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    from cryptography.hazmat.primitives.serialization import Encoding

    return base64.b64encode(made.public_bytes(Encoding.PEM)).decode()


GOOD = authority(365)
SERVICE = obj("v1", "Service", "guard", "guard", spec={"ports": [{"port": 443}]})


def slices(**conditions: bool) -> dict[str, Any]:
    made = obj(
        "discovery.k8s.io/v1", "EndpointSlice", "guard-1", "guard", endpoints=[{"conditions": conditions}]
    )
    made["metadata"]["labels"] = {"kubernetes.io/service-name": "guard"}
    return made


def hook(**members: Any) -> dict[str, Any]:
    """One that is well, but for `members`; what is None is left out."""
    made = {
        "name": "pods.guard.example.com",
        "rules": [PODS],
        "clientConfig": {"service": {"namespace": "guard", "name": "guard"}, "caBundle": GOOD},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}},
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "timeoutSeconds": 5,
    } | members
    return {key: value for key, value in made.items() if value is not None}


def validating(*hooks: dict[str, Any]) -> dict[str, Any]:
    return obj(ADMISSION, "ValidatingWebhookConfiguration", "guard", webhooks=list(hooks))


def cluster(*objects: dict[str, Any]) -> Inventory:
    return inventory(namespace("guard"), namespace("shop"), *objects)


def judged(*objects: dict[str, Any]) -> Section:
    return judge_admission(cluster(*objects), NOW)


def found(section: Section) -> list[tuple[str, str]]:
    return [(each.severity, each.check) for each in section.findings]


def well(*hooks: dict[str, Any]) -> Section:
    return judged(validating(*hooks), SERVICE, slices(ready=True))


def test_one_that_is_well() -> None:  # W1
    section = well(hook())
    assert section.findings == ()
    (gate,) = section.judged
    assert gate == Gate(
        name="ValidatingWebhookConfiguration guard, webhook pods.guard.example.com",
        matches="CREATE of pods",
        where="in 1 of 4 namespaces",
        fails="closed",
        timeout_seconds=5,
        asks="service guard/guard:443",
        if_down="CREATE of pods is refused in 1 of 4 namespaces",
        problems=(),
    )


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"failurePolicy": "Ignore"}, [("medium", "fails-open")]),
        ({"failurePolicy": None}, []),
        ({"timeoutSeconds": 30}, [("medium", "slow")]),
        ({"timeoutSeconds": None}, []),
        ({"sideEffects": "Unknown"}, [("low", "side-effects")]),
        ({"matchPolicy": "Exact"}, [("low", "exact")]),
        ({"objectSelector": {"matchLabels": {"a": "b"}}}, [("low", "opt-out")]),
        ({"rules": [EVERYTHING]}, [("high", "everything")]),
        ({"namespaceSelector": None}, [("high", "own-namespace"), ("medium", "kube-system")]),
        ({"namespaceSelector": {}, "rules": [PODS | {"operations": ["DELETE"]}]}, []),
        (
            {
                "namespaceSelector": {
                    "matchExpressions": [
                        {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["guard"]}
                    ]
                }
            },
            [("medium", "kube-system")],
        ),
        ({"clientConfig": {"url": "https://guard.example.com/"}}, []),
    ],
)
def test_findings_of_a_webhook(members: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found(well(hook(**members))) == expected


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ([PODS], "CREATE of pods"),
        ([EVERYTHING], "every write of everything"),
        ([], "nothing"),
        (
            [
                {
                    "operations": ["CREATE", "UPDATE"],
                    "apiGroups": ["", "apps"],
                    "resources": ["a", "b/scale"],
                },
                PODS,
            ],
            "CREATE, UPDATE of a, a.apps, b/scale, b/scale.apps; CREATE of pods",
        ),
        ([{"operations": ["DELETE"], "apiGroups": ["*"], "resources": ["a"]}], "DELETE of a of any group"),
    ],
)
def test_what_is_told_of_rules(rules: list[dict[str, Any]], told: str) -> None:  # R2
    assert reach_of(rules, {}, None).told == told


def test_where_a_selector_reaches() -> None:  # R1
    spaces = {"a": namespace("a", enforce="baseline"), "b": namespace("b")}
    labelled = {"matchLabels": {"pod-security.kubernetes.io/enforce": "baseline"}}
    assert reach_of([PODS], spaces, labelled).namespaces == ("a",)
    assert (
        reach_of([PODS], spaces, {"matchLabels": {"kubernetes.io/metadata.name": "b"}}).where
        == "in 1 of 2 namespaces"
    )
    assert reach_of([PODS], spaces, {"matchExpressions": [{"operator": "odd"}]}).where == "in every namespace"
    assert reach_of([PODS], {}, None).where == "in no namespace that there is"


def test_its_own_pods_could_not_be_made_again() -> None:  # W2
    (first, _) = well(hook(namespaceSelector=None)).findings
    assert first.message == (
        "it judges the Pods of its own namespace guard: once they are gone, they cannot be made again"
    )


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([], "absent-service"),
        ([SERVICE | {"spec": {"ports": [{"port": 8443}]}}], "absent-port"),
        ([SERVICE], "no-endpoints"),
        ([SERVICE, slices(ready=False)], "no-endpoints"),
        ([SERVICE, slices()], None),
        ([SERVICE | {"spec": {"ports": [{"port": 443}], "type": "ExternalName"}}], None),
    ],
)
def test_nobody_is_there(objects: list[dict[str, Any]], expected: str | None) -> None:  # T1
    for policy, severity in (("Fail", "high"), ("Ignore", "medium")):
        told = [
            each
            for each in judged(validating(hook(failurePolicy=policy)), *objects).findings
            if each.check != "fails-open"
        ]
        assert [(each.severity, each.check) for each in told] == ([(severity, expected)] if expected else [])
    if expected == "absent-service":
        assert told[0].message == (
            "there is no service guard/guard: now CREATE of pods passes unjudged in 1 of 4 namespaces"
        )


@pytest.mark.parametrize(
    ("bundle", "expected"),
    [
        (None, ("high", "no-ca-bundle")),
        ("not base64", ("high", "bad-ca-bundle")),
        (base64.b64encode(b"no PEM").decode(), ("high", "bad-ca-bundle")),
        (authority(-1), ("high", "expired-ca-bundle")),
        (authority(400, 1), ("high", "future-ca-bundle")),
        (authority(29), ("medium", "expiring-ca-bundle")),
        (authority(31), None),
    ],
)
def test_certificate_authorities(bundle: str | None, expected: tuple[str, str] | None) -> None:  # T2
    config: dict[str, Any] = {"service": {"namespace": "guard", "name": "guard"}}
    section = well(hook(clientConfig=config | ({"caBundle": bundle} if bundle else {})))
    assert found(section) == ([expected] if expected else [])


def test_one_good_authority_among_expired_ones_is_enough() -> None:
    both = base64.b64encode(base64.b64decode(authority(-1)) + base64.b64decode(GOOD)).decode()
    assert found(well(hook(clientConfig={"url": "https://a.example.com", "caBundle": both}))) == []


def test_what_a_folder_does_not_have_may_be_in_the_cluster() -> None:
    section = judge_admission(inventory(validating(hook()), whole=False), NOW)
    assert section.findings == ()


def test_a_mutating_webhook() -> None:
    configuration = obj(
        ADMISSION,
        "MutatingWebhookConfiguration",
        "m",
        webhooks=[hook(failurePolicy="Ignore", matchPolicy="Exact")],
    )
    section = judged(configuration, SERVICE, slices())
    assert found(section) == [("low", "fails-open")]
    assert "passes unchanged" in section.findings[0].message


def policy(kind: str = "ValidatingAdmissionPolicy") -> dict[str, Any]:
    spec = {"matchConstraints": {"resourceRules": [PODS]}, "failurePolicy": "Fail"}
    return obj(ADMISSION, kind, "p", spec=spec)


def bound(kind: str = "ValidatingAdmissionPolicyBinding", name: str = "p", *actions: str) -> dict[str, Any]:
    return obj(ADMISSION, kind, "b", spec={"policyName": name, "validationActions": list(actions)})


def test_policies() -> None:
    binding = bound("ValidatingAdmissionPolicyBinding", "p", "Deny")
    assert found(judged(policy(), binding)) == []
    assert found(judged(policy())) == [("medium", "unbound")]
    assert found(judged(policy("MutatingAdmissionPolicy"))) == [("medium", "unbound")]
    assert found(judged(binding)) == [("medium", "absent-policy")]
    audits = bound("ValidatingAdmissionPolicyBinding", "p", "Audit", "Warn")
    section = judged(policy(), audits)
    assert found(section) == [("info", "not-denied")]
    assert section.findings[0].message == "no binding of it denies anything, only Audit and Warn"
    (gate,) = section.judged
    assert isinstance(gate, Gate)
    assert gate.if_down == "where an expression fails, CREATE of pods is refused in every namespace"
    opened = policy()
    opened["spec"]["failurePolicy"] = "Ignore"
    warned = {
        "typeChecking": {
            "expressionWarnings": [{"fieldRef": "spec.validations[0].expression", "warning": "a\nb"}]
        }
    }
    section = judged(opened | {"status": warned}, binding)
    assert found(section) == [("medium", "type-warnings"), ("low", "fails-open")]
    assert section.findings[0].evidence == ("spec.validations[0].expression: a b",)
