"""Who may approve and sign certificates, and name owners; what is expected was said by kube-apiserver 1.36."""

import base64
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.apiserver.support import CONFIG_MAPS, CORE, MERGE, Api, config_map, served, served_with

REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
CLIENTS = "kubernetes.io/kube-apiserver-client"
ANN = {"impersonate_user": "ann"}


@cache
def csr(organization: str, name: str) -> str:
    """A signing request, as the API has it."""
    parts = [(NameOID.ORGANIZATION_NAME, organization), (NameOID.COMMON_NAME, name)]
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])
    key = ec.generate_private_key(ec.SECP256R1())
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return base64.b64encode(made.public_bytes(serialization.Encoding.PEM)).decode()


def a_request(name: str, signer: str, organization: str = "group") -> dict[str, Any]:
    spec = {"request": csr(organization, "somebody"), "signerName": signer, "usages": ["client auth"]}
    return {"metadata": {"name": name}, "spec": spec}


async def allow(api: Api, *rules: dict[str, Any]) -> None:
    """Gives ann these rights."""
    await api.ok("POST", f"{RBAC}/clusterroles", {"metadata": {"name": "r"}, "rules": list(rules)})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "ann"}
    binding = {"metadata": {"name": "r"}, "roleRef": role, "subjects": [subject]}
    await api.ok("POST", f"{RBAC}/clusterrolebindings", binding)


def rule(group: str, *resources: str, verbs: tuple[str, ...] = ("*",), **more: Any) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs), **more}


@served
async def test_nobody_asks_for_a_certificate_of_the_masters(api: Api) -> None:
    told = await api.refused(403, "POST", REQUESTS, a_request("a", CLIENTS, "system:masters"))
    assert told.message.endswith(f"use of {CLIENTS} signer with system:masters group is not allowed")
    await api.ok("POST", REQUESTS, a_request("a", CLIENTS))
    await api.ok("POST", REQUESTS, a_request("b", "example.com/s", "system:masters"))


@served
async def test_approving_and_signing_take_rights_to_the_signer(api: Api) -> None:
    every = rule(
        "certificates.k8s.io", *(f"certificatesigningrequests{each}" for each in ("", "/approval", "/status"))
    )
    signers = rule(
        "certificates.k8s.io", "signers", verbs=("approve", "sign"), resourceNames=["example.com/*"]
    )
    await allow(api, every, signers)
    for name, signer in (("own", "example.com/s"), ("other", CLIENTS)):
        await api.ok("POST", REQUESTS, a_request(name, signer))
    condition = {"status": "True", "reason": "r", "message": "m"}
    conditions = [{"type": each, **condition} for each in ("Approved", "Failed")]
    approved, failed = ({"status": {"conditions": [each]}} for each in conditions)
    both = {"status": {"conditions": conditions}}
    for path, own, other, verb in (
        ("approval", approved, approved, "approve"),
        ("status", both, failed, "sign"),
    ):
        await api.ok("PATCH", f"{REQUESTS}/own/{path}", own, type=MERGE, **ANN)
        told = await api.refused(403, "PATCH", f"{REQUESTS}/other/{path}", other, type=MERGE, **ANN)
        assert told.message.endswith(f'user not permitted to {verb} requests with signerName "{CLIENTS}"')
    untouched = {"metadata": {"labels": {"a": "b"}}}
    await api.ok("PATCH", f"{REQUESTS}/other/status", untouched, type=MERGE, **ANN)


def owned(name: str, kind: str = "Secret", *, blocks: bool = False) -> dict[str, Any]:
    owner = {"apiVersion": "v1", "kind": kind, "name": "o", "uid": "u"}
    made = config_map(name)
    made["metadata"]["ownerReferences"] = [{**owner, "blockOwnerDeletion": True} if blocks else owner]
    return made


OWNERS = "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\n"


@served_with(OWNERS, enable_admission_plugins=("OwnerReferencesPermissionEnforcement",))
async def test_naming_an_owner_takes_rights_to_it(api: Api) -> None:
    write = rule("", "configmaps", verbs=("create", "patch", "get"))
    await allow(api, write, rule("", "secrets/finalizers", verbs=("update",)))
    await api.ok("POST", CONFIG_MAPS, owned("a"), **ANN)
    await api.ok("POST", CONFIG_MAPS, owned("b", blocks=True), **ANN)
    told = await api.refused(403, "POST", CONFIG_MAPS, owned("c", "ConfigMap", blocks=True), **ANN)
    why = "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: , <nil>"
    assert told.message == f'configmaps "c" is forbidden: {why}'
    told = await api.refused(403, "POST", CONFIG_MAPS, owned("c", "Nope", blocks=True), **ANN)
    assert told.message.endswith('Kind Nope: no matches for kind "Nope" in version "v1"')
    await api.ok("POST", CONFIG_MAPS, config_map("d"))
    change = {"metadata": {"ownerReferences": owned("d")["metadata"]["ownerReferences"]}}
    told = await api.refused(403, "PATCH", f"{CONFIG_MAPS}/d", change, type=MERGE, **ANN)
    assert "cannot set an ownerRef on a resource you can't delete: " in told.message
    await api.ok("PATCH", f"{CONFIG_MAPS}/d", {"metadata": {"labels": {"a": "b"}}}, type=MERGE, **ANN)


EVENTS = """
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: EventRateLimit
  configuration:
    apiVersion: eventratelimit.admission.k8s.io/v1alpha1
    kind: Configuration
    limits: [{type: Namespace, qps: 1, burst: 2}, {type: Server, qps: 1, burst: 3}, {type: User, qps: 9, burst: 9}]
"""


@served_with(EVENTS, enable_admission_plugins=("EventRateLimit",))
async def test_events_are_limited(api: Api) -> None:
    def event(number: int) -> dict[str, Any]:
        return {"metadata": {"name": f"e{number}"}, "involvedObject": {"namespace": "default"}}

    path = f"{CORE}/events"
    for number in range(2):
        await api.ok("POST", path, event(number))
    told = await api.refused(429, "POST", path, event(2))
    assert told.message == "Too many requests: limit reached on type Namespace for key default"
    told = await api.refused(429, "POST", path, event(2))
    assert told.message.endswith(
        "[limit reached on type Namespace for key default, limit reached on type Server for key ]"
    )
    await api.ok("POST", f"{path}?dryRun=All", event(2))
