"""Where objects come from: a cluster, a backup of one, manifests.

Promises
    F1  a cluster is only read; the one thing that is posted is a SubjectAccessReview, which changes nothing
    F2  only kinds that are asked for are read; what may not be read, or is not there, is told and stops nothing
    F3  how questions about rights are answered is said: by whom, and when nobody can know
"""

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import msgspec

from kajitori.apimachinery.errors import ApiError, Expired, Forbidden, MethodNotAllowed, NotFound
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apiserver.authentication import User
from kajitori.apiserver.authorization import Attributes, Decision, Member, Undecided
from kajitori.apiserver.authorization.rules import Held
from kajitori.apiserver.authorization.undecided import known_answer
from kajitori.apiserver.registry.resource import Resource
from kajitori.client import Client, TransportError
from kajitori.posture.manifests import documents, files_below
from kajitori.rehearsal.stage import NAMESPACES, Stage, Unfit
from kajitori.storage.backup import read_items

__all__ = ["CONTEXT", "ROLES", "Backup", "Live", "Manifests", "Source", "add_all", "furnish", "kept_as"]

_ADMISSION = "admissionregistration.k8s.io"
_RBAC = "rbac.authorization.k8s.io"
ROLES = tuple(f"{_RBAC}/{each}" for each in ("roles", "rolebindings", "clusterroles", "clusterrolebindings"))
CONTEXT = (
    NAMESPACES,
    *ROLES,
    *(
        f"{_ADMISSION}/{each}"
        for each in (
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
            "validatingwebhookconfigurations",
            "mutatingwebhookconfigurations",
        )
    ),
)
"""The buckets that are looked into whatever is judged."""

PAGE_SIZE = 500
_AT_ONCE = 4


class Source(Protocol):
    """Objects, by what they are kept under."""

    title: str
    notes: list[str]
    """What was left out, and why."""

    async def read(self, resources: Collection[Resource]) -> list[JsonObject]:
        """All objects of these."""
        ...

    def authorizer(self) -> Member | None:
        """Who knows what somebody may; None where it is said by the roles among the objects."""
        ...


async def furnish(stage: Stage, source: Source) -> None:
    """Puts what admission looks at on the stage: definitions first, then namespaces, roles, policies, webhooks."""
    found = stage.catalog.find("apiextensions.k8s.io", "v1", "customresourcedefinitions")
    assert found is not None
    await add_all(stage, source, [found])
    member = source.authorizer()
    wanted = [each for each in CONTEXT if member is None or each not in ROLES]
    await add_all(stage, source, kept_as(stage, wanted))
    if member is not None:
        stage.ask(member)


async def add_all(stage: Stage, source: Source, resources: Collection[Resource]) -> None:
    """Puts all objects of these on the stage; what is none of its kind is told in the notes of the source."""
    for each in await source.read(resources):
        try:
            await stage.add(each, check=isinstance(source, Manifests))
        except Unfit as error:
            source.notes.append(f"{_said(each)} is left out: {error}")


def kept_as(stage: Stage, buckets: Collection[str]) -> list[Resource]:
    """The resources of buckets, each in the version that it is kept in."""
    return [
        each
        for each in stage.catalog.all()
        if each.stored and each.bucket in buckets and each.kind == each.storage_kind
    ]


def _said(obj: JsonObject) -> str:
    metadata = obj.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return f"{obj.get('kind') or 'an object without kind'} {name or ''}".rstrip()


class Manifests:
    """The objects of a file, or of all files below a folder."""

    def __init__(self, path: Path) -> None:
        """Raises: OSError."""
        self.title = f"{'folder' if path.is_dir() else 'file'} {path}"
        self.notes: list[str] = []
        self.objects: list[JsonObject] = [
            each for file in files_below(path) for each in documents(file, self.notes) if "kind" in each
        ]

    async def read(self, resources: Collection[Resource]) -> list[JsonObject]:
        kinds = {(each.kind.group, each.kind.kind) for each in resources}
        return [each for each in self.objects if _group_kind(each) in kinds]

    def authorizer(self) -> Member | None:
        return None


def _group_kind(obj: JsonObject) -> tuple[str, str]:
    return str(obj.get("apiVersion") or "").rpartition("/")[0], str(obj.get("kind"))


class Backup:
    """What was in a cluster when `kajitori backup` made a file."""

    def __init__(self, path: Path) -> None:
        self.title = f"backup {path}"
        self.notes: list[str] = []
        self._path = path

    async def read(self, resources: Collection[Resource]) -> list[JsonObject]:
        """Raises: BackupUnfit."""
        found = await asyncio.to_thread(read_items, self._path, {each.bucket for each in resources})
        return [msgspec.json.decode(value) for values in found.values() for value in values]

    def authorizer(self) -> Member | None:
        return None


class Live:
    """What is in a cluster now."""

    def __init__(self, client: Client, title: str) -> None:
        self.title = title
        self.notes: list[str] = []
        self._client = client

    async def read(self, resources: Collection[Resource]) -> list[JsonObject]:
        """Raises: TransportError."""
        limit = asyncio.Semaphore(_AT_ONCE)

        async def of(kind: Kind) -> list[JsonObject]:
            async with limit:
                try:
                    return await self._listed(kind)
                except (NotFound, MethodNotAllowed):
                    return []  # an older server, or a kind that cannot be listed
                except ApiError as error:
                    self.notes.append(f"{kind.group_resource} could not be read: {error}")
                    return []

        listable = [each.kind for each in resources if "list" in each.verbs]
        return [obj for found in await asyncio.gather(*map(of, listable)) for obj in found]

    async def get(self, kind: Kind, namespace: str, name: str) -> JsonObject | None:
        """One object; None where it is not there. Raises: ApiError, TransportError."""
        try:
            answer = await self._client.send("GET", kind.path(namespace, name))
        except NotFound:
            return None
        found: JsonObject = msgspec.json.decode(answer.body)
        return found

    async def _listed(self, kind: Kind) -> list[JsonObject]:
        try:
            return await self._pages(kind, f"?limit={PAGE_SIZE}")
        except Expired:
            return await self._pages(kind, "")

    async def _pages(self, kind: Kind, query: str) -> list[JsonObject]:
        found: list[JsonObject] = []
        further = ""
        while True:
            answer = await self._client.send("GET", kind.path() + query + further)
            page: Any = msgspec.json.decode(answer.body)
            named = {"apiVersion": kind.api_version, "kind": kind.kind}
            found += ({**named, **each} for each in page.get("items") or ())
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return found
            further = f"&continue={quote(token)}"

    def authorizer(self) -> Member | None:
        return Member("Webhook", _Reviews(self._client, self.notes), "cluster")


class _Reviews:
    """Asks the cluster itself whether somebody may."""

    def __init__(self, client: Client, notes: list[str]) -> None:
        self._client, self._notes = client, notes
        self._known: dict[bytes, Decision] = {}

    def authorize(self, attributes: Attributes) -> Decision:
        """Raises: Undecided."""
        spec = _review(attributes)
        key = msgspec.json.encode(spec)
        answered = self._known.get(key) or known_answer((self, key))
        if answered is None:
            raise Undecided((self, key), lambda: self._ask(key, spec))
        return answered

    async def _ask(self, key: bytes, spec: JsonObject) -> Decision:
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        try:
            answer = await self._client.send("POST", path, msgspec.json.encode(review))
            status = msgspec.json.decode(answer.body).get("status") or {}
            decision = Decision(
                bool(status.get("allowed")),
                str(status.get("reason") or ""),
                error=str(status.get("evaluationError") or ""),
            )
        except (ApiError, TransportError) as error:
            told = (
                "not allowed to ask the cluster"
                if isinstance(error, Forbidden)
                else "the cluster was asked in vain"
            )
            decision = Decision(False, error=f"{told} what {spec['user']} may: {error}")
            if decision.error not in self._notes:
                self._notes.append(decision.error)
        self._known[key] = decision
        return decision

    def held(self, user: User, namespace: str) -> Held:
        return Held()  # nobody asks here what somebody may altogether


def _review(attributes: Attributes) -> JsonObject:
    user = attributes.user
    spec: JsonObject = {"user": user.name, "groups": list(user.groups), "uid": user.uid}
    if user.extra:
        spec["extra"] = {key: list(values) for key, values in user.extra.items()}
    if not attributes.resource:
        spec["nonResourceAttributes"] = {"path": attributes.path, "verb": attributes.verb}
        return spec
    asked: JsonObject = {
        "verb": attributes.verb,
        "group": attributes.group,
        "version": attributes.version,
        "resource": attributes.resource,
        "subresource": attributes.subresource,
        "namespace": attributes.namespace,
        "name": attributes.name,
    }
    for member, requirements in (
        ("fieldSelector", attributes.field_requirements),
        ("labelSelector", attributes.label_requirements),
    ):
        if requirements:
            asked[member] = {"rawSelector": ",".join(map(str, requirements))}
    spec["resourceAttributes"] = {key: value for key, value in asked.items() if value}
    return spec
