"""Users with certificates, through the API of any cluster: CertificateSigningRequests and bindings.

Promises
    U1  the private key never leaves this process, but for the kubeconfig that is given back
    U2  a request that cannot be approved or signed is taken away again, and what was wrong is told
    U3  `remove` changes bindings only where the name stands in them, and no other subject

Source: https://kubernetes.io/docs/tasks/tls/certificate-issue-client-csr/
"""

import asyncio
import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kajitori.apimachinery.errors import ApiError, Forbidden, NotFound
from kajitori.apimachinery.frozen import Unstructured, thaw
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import Client
from kajitori.client.config import ConnectionConfig

__all__ = ["Known", "UserError", "Wanted", "add", "known", "remove"]

REQUESTS = Kind(
    "certificates.k8s.io",
    "v1",
    "CertificateSigningRequest",
    "certificatesigningrequests",
    namespaced=False,
)
_RBAC = "rbac.authorization.k8s.io"
ROLE_BINDINGS = Kind(_RBAC, "v1", "RoleBinding", "rolebindings")
CLUSTER_ROLE_BINDINGS = Kind(_RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False)

SIGNER = "kubernetes.io/kube-apiserver-client"
WAIT_SECONDS = 30.0
"""What a signer gets; kube-controller-manager takes a moment."""
_NAME_PART_MAX = 40


class UserError(Exception):
    """Why somebody could not be added, in one sentence."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is to have a certificate."""

    name: str
    groups: tuple[str, ...] = ()
    seconds: int | None = None
    """None: as long as the cluster likes."""


@dataclass(slots=True)
class Known:
    """What a cluster says about a user name."""

    name: str
    rights: list[str] = field(default_factory=list[str])
    """Each a role and where it holds."""
    certificate: str = ""
    """What became of the last signing request that is still there."""


async def add(client: Client, config: ConnectionConfig, wanted: Wanted) -> tuple[bytes, str]:
    """A kubeconfig for a new user of the cluster that `config` reaches, and until when it counts.

    Raises: UserError, ApiError, TransportError.
    """
    _check(wanted)
    from kajitori.cli.certificates import not_after, request

    key, csr = request(wanted.name, wanted.groups)
    spec: JsonObject = {
        "request": base64.b64encode(csr).decode("ascii"),
        "signerName": SIGNER,
        "usages": ["digital signature", "client auth"],
    }
    if wanted.seconds is not None:
        spec["expirationSeconds"] = wanted.seconds
    part = re.sub(r"[^a-z0-9]+", "-", wanted.name.lower()).strip("-")[:_NAME_PART_MAX].strip("-")
    made = await client.create(REQUESTS, {"metadata": {"generateName": f"{part or 'user'}-"}, "spec": spec})
    try:
        await _approve(client, made)
        certificate = await _signed(client, made)
    except BaseException:
        await _forget(client, made.name)
        raise
    return _kubeconfig(config, wanted.name, key=key, certificate=certificate), not_after(certificate)


def _check(wanted: Wanted) -> None:
    for what, value in (("the name", wanted.name), *(("the group", each) for each in wanted.groups)):
        if not value or len(value.encode()) > 64 or not value.isprintable():
            raise UserError(f"{what} {value!r} cannot be in a certificate; use 1 to 64 printable characters")
    if "system:masters" in wanted.groups:
        raise UserError(
            "no cluster signs certificates for the group system:masters; bind cluster-admin to the name instead"
        )


async def _approve(client: Client, made: Unstructured) -> None:
    approved = {
        "type": "Approved",
        "status": "True",
        "reason": "KajitoriUserAdd",
        "message": "approved by kajitori user add",
    }
    body = thaw(made)
    body["apiVersion"], body["kind"] = REQUESTS.api_version, REQUESTS.kind
    body["status"] = {"conditions": [approved]}
    try:
        await client.subresource(REQUESTS, "", made.name, "approval").update(body)
    except Forbidden as error:
        raise UserError(f"you may ask for certificates, but not approve them: {error}") from None


async def _signed(client: Client, made: Unstructured) -> bytes:
    """The certificate, once it is there."""
    selector = f"metadata.name={made.name}"
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            watching = client.watch(REQUESTS, fields=selector, resource_version=made.resource_version)
            async with watching as events:
                async for event in events:
                    certificate = _certificate(event.object)
                    if certificate:
                        return certificate
    except TimeoutError:
        raise UserError(
            f"nobody signed the request within {WAIT_SECONDS:.0f} s; is there a controller that signs for {SIGNER}? "
            "(kajitori up --api-only has none)"
        ) from None
    raise UserError("the watch for the certificate ended early; try again")


def _certificate(found: Unstructured) -> bytes:
    """Raises: UserError when there will be none."""
    status = found.get("status") or {}
    for each in status.get("conditions") or ():
        if each["type"] in ("Denied", "Failed"):
            said = each.get("message") or each.get("reason") or "no reason was given"
            raise UserError(f"the request was {each['type'].lower()}: {said}")
    return base64.b64decode(status.get("certificate") or "")


async def _forget(client: Client, name: str) -> None:
    try:
        await client.delete(REQUESTS, "", name)
    except ApiError:
        return  # the cluster's own cleaner takes it in a while


def _kubeconfig(config: ConnectionConfig, name: str, *, key: bytes, certificate: bytes) -> bytes:
    import yaml

    def encoded(content: bytes) -> str:
        return base64.b64encode(content).decode("ascii")

    cluster: JsonObject = {"server": config.cluster.server}
    authority = config.cluster.ca_data
    if not authority and config.cluster.ca_file:
        with open(config.cluster.ca_file, "rb") as file:
            authority = file.read()
    if authority:
        cluster["certificate-authority-data"] = encoded(authority)
    if config.cluster.insecure:
        cluster["insecure-skip-tls-verify"] = True
    if config.cluster.tls_server_name:
        cluster["tls-server-name"] = config.cluster.tls_server_name
    if config.cluster.proxy_url:
        cluster["proxy-url"] = config.cluster.proxy_url
    user = {"client-certificate-data": encoded(certificate), "client-key-data": encoded(key)}
    context: JsonObject = {"cluster": "cluster", "user": name}
    if config.namespace != "default":
        context["namespace"] = config.namespace
    whole = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "cluster", "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": context}],
        "current-context": name,
    }
    return yaml.safe_dump(whole, sort_keys=False, allow_unicode=True).encode()


async def known(client: Client) -> list[Known]:
    """Every user that a binding or a signing request names, by name. Kubernetes has no list of users."""
    found: dict[str, Known] = {}
    for kind in (CLUSTER_ROLE_BINDINGS, ROLE_BINDINGS):
        for binding in (await client.list(kind)).items:
            where = f" in {binding.namespace}" if kind.namespaced else ""
            for name in _users(binding):
                if not name.startswith("system:"):
                    right = f"{binding['roleRef']['name']}{where}"
                    found.setdefault(name, Known(name)).rights.append(right)
    requests = (await client.list(REQUESTS)).items
    for each in sorted(requests, key=lambda each: str(each.metadata["creationTimestamp"])):
        name = _asked_name(each)
        if name:
            found.setdefault(name, Known(name)).certificate = _told(each)
    return [found[name] for name in sorted(found)]


def _users(binding: Mapping[str, Any]) -> list[str]:
    return [each["name"] for each in binding.get("subjects") or () if each["kind"] == "User"]


def _asked_name(request: Unstructured) -> str:
    """Whom a request for a client certificate is for; empty for others."""
    from kajitori.cli.certificates import name_of

    if request["spec"]["signerName"] != SIGNER:
        return ""
    return name_of(base64.b64decode(request["spec"].get("request") or ""))


def _told(request: Unstructured) -> str:
    from kajitori.cli.certificates import not_after

    status = request.get("status") or {}
    if status.get("certificate"):
        return f"until {not_after(base64.b64decode(status['certificate']))}"
    types = [each["type"].lower() for each in status.get("conditions") or ()]
    return types[-1] if types else "pending"


async def remove(client: Client, name: str) -> list[str]:
    """Takes a name out of every binding, and its signing requests away; gives what was done, a line each.

    Raises: ApiError, TransportError.
    """
    done: list[str] = []
    for kind in (CLUSTER_ROLE_BINDINGS, ROLE_BINDINGS):
        for binding in (await client.list(kind)).items:
            if name in _users(binding):
                done.append(await _unbound(client, kind, binding, name))
    for each in (await client.list(REQUESTS)).items:
        if _asked_name(each) == name:
            await _forget(client, each.name)
            done.append(f"signing request {each.name} deleted")
    return done


async def _unbound(client: Client, kind: Kind, binding: Unstructured, name: str) -> str:
    shown = f"{binding.namespace}/{binding.name}" if kind.namespaced else binding.name
    rest = [
        each for each in thaw(binding)["subjects"] if not (each["kind"] == "User" and each["name"] == name)
    ]
    try:
        if not rest:
            await client.delete(kind, binding.namespace, binding.name)
            return f"{kind.kind} {shown} deleted: it named nobody else"
        patch = {"metadata": {"resourceVersion": binding.resource_version}, "subjects": rest}
        await client.patch(kind, binding.namespace, binding.name, patch)
    except NotFound:
        return f"{kind.kind} {shown} is gone"
    return f"{kind.kind} {shown} no longer names {name}"
