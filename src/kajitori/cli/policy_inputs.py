"""What `kajitori policy` is given: files of policies and tests, and what these are judged against."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.authentication import User
from kajitori.apiserver.authentication.user import (
    AUTHENTICATED,
    MASTERS,
    service_account_groups,
    service_account_of,
)
from kajitori.cli.main import CommandError
from kajitori.client import Client
from kajitori.client.config import load_config
from kajitori.client.network import NetworkTransport
from kajitori.posture.manifests import documents, files_below, objects_in
from kajitori.rehearsal.expectations import KIND, PolicyTest, read_test
from kajitori.rehearsal.proposals import Proposals, shown
from kajitori.rehearsal.recorded import Left, Recorded, events, is_log
from kajitori.rehearsal.sources import ROLES, Backup, Live, Manifests, Source, kept_as
from kajitori.rehearsal.stage import Stage, Unfit

__all__ = ["Against", "Given", "user_of"]

_SQLITE = b"SQLite format 3\0"
_WRONG = 2


def user_of(chosen: argparse.Namespace) -> User:
    """Who writes."""
    if chosen.user is None and not chosen.groups:
        return User("kubernetes-admin", groups=(MASTERS, AUTHENTICATED))
    name: str = chosen.user or "kubernetes-admin"
    account = service_account_of(name)
    groups = list(chosen.groups)
    if account is not None and not groups:
        groups += service_account_groups(account[0])
    if AUTHENTICATED not in groups:
        groups.append(AUTHENTICATED)
    return User(name, groups=tuple(groups))


class Given:
    """The objects of files, and the tests among them."""

    def __init__(self, paths: Sequence[str]) -> None:
        """Raises: CommandError."""
        self.objects: list[tuple[str, JsonObject]] = []
        self.tests: list[tuple[str, PolicyTest]] = []
        for path in paths:
            for where, obj in _read(path):
                if obj.get("kind") != KIND:
                    self.objects.append((where, obj))
                    continue
                try:
                    self.tests.append((where, read_test(obj)))
                except Unfit as error:
                    raise CommandError(f"{where}: {shown(obj)}: {error}", _WRONG) from None

    def one(self) -> JsonObject:
        """The only object. Raises: CommandError."""
        if len(self.objects) != 1:
            raise CommandError(f"one object is meant, and {len(self.objects)} are there", _WRONG)
        return self.objects[0][1]

    def beside(self, where: str, names: Sequence[str]) -> list[str]:
        """Paths that a file names, which lie beside it."""
        return [str(Path(where).parent / name) for name in names]

    def one_beside(self, where: str, name: str) -> JsonObject:
        """The object of a file that another one names. Raises: CommandError."""
        [path] = self.beside(where, [name])
        return Given([path]).one()


def _read(path: str) -> Iterator[tuple[str, JsonObject]]:
    """Raises: CommandError, for all that is no YAML too."""
    notes: list[str] = []
    if path == "-":
        found = [("standard input", each) for each in objects_in(sys.stdin.read(), "standard input", notes)]
    else:
        try:
            files = files_below(Path(path))
        except OSError as error:
            raise CommandError(f"{path}: it cannot be read: {error.strerror}", _WRONG) from None
        found = [(str(file), each) for file in files for each in documents(file, notes)]
    if notes:
        raise CommandError(notes[0], _WRONG)
    for where, obj in found:
        # A folder of a repository holds other files as well: values, patches, kustomizations.
        if path == "-" or Path(path).is_file() or ("kind" in obj and "apiVersion" in obj):
            yield where, obj


class Against:
    """What is judged, or judged in."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        """Raises: CommandError, ConfigError."""
        self._chosen = chosen
        self._client: Client | None = None
        self.sources: list[Source] = []
        self.logs: list[Path] = []
        self.live: Live | None = None
        self._namespace = ""
        for each in chosen.against:
            self._add(each)

    def _add(self, name: str) -> None:
        if name == "cluster":
            config = load_config(self._chosen.kubeconfig, self._chosen.context)
            transport = NetworkTransport(config)
            self._client = Client(transport, user_agent="kajitori-policy").without_warnings()
            self.live = Live(self._client, f"cluster {config.cluster.server}")
            self.sources.append(self.live)
            self._namespace = config.namespace
            return
        path = Path(name)
        try:
            if path.is_dir():
                source: Source = Manifests(path)
            elif _starts(path) == _SQLITE:
                source = Backup(path)
            elif is_log(path):
                self.logs.append(path)
                return
            else:
                source = file = Manifests(path)
                if file.notes and not file.objects:
                    raise CommandError(f"--against {name}: there is no object in it: {file.notes[0]}", _WRONG)
        except OSError as error:
            told = f"--against {name}: cluster, or the path of a backup, an audit log or manifests is meant"
            raise CommandError(f"{told}: {error.strerror}", _WRONG) from None
        self.sources.append(source)

    @property
    def title(self) -> str:
        return ", ".join(
            [*(f"audit log {each}" for each in self.logs), *(each.title for each in self.sources)]
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.close()

    def events(self, left: Left) -> Iterator[tuple[str, Recorded]]:
        """Of all logs. Raises: OSError."""
        for path in self.logs:
            yield from events(path, left)

    def notes(self, stage: Stage, proposals: Proposals, user: User) -> list[str]:
        """What was left out, and who says what somebody may, where somebody asks."""
        found = [note for source in self.sources for note in source.notes]
        asks = any("authorizer" in str(each.get("spec")) for each in proposals.policies)
        if asks and self.live is None and (self.logs or MASTERS not in user.groups):
            count = sum(stage.store.count(bucket) for bucket in ROLES)
            told = f"what somebody may is judged by the {count} roles and bindings that are given"
            found.append(
                told if count else "no roles are given: nobody knows what somebody may, so nobody may"
            )
        if self.live is not None and any(
            "rbac." in str(each.get("apiVersion")) for _, each in proposals.objects
        ):
            found.append(
                "what somebody may is asked of the cluster, which does not know the roles that are proposed"
            )
        return found

    async def objects(self, stage: Stage, chosen: argparse.Namespace) -> list[JsonObject]:
        """What is to be explained: of files, or of the sources. Raises: CommandError."""
        if chosen.file:
            found = [obj for _, obj in Given(chosen.file).objects]
            for obj in found:
                if chosen.namespace and isinstance(obj.get("metadata"), dict):
                    obj["metadata"].setdefault("namespace", chosen.namespace)
            return found
        words: list[str] = chosen.object
        kind, slash, name = words[0].partition("/")
        if not slash and len(words) == 2:
            name = words[1]
        if not name or len(words) > (1 if slash else 2):
            raise CommandError(
                f"{' '.join(words)}: name the object as KIND/NAME, e.g. deployment/web", _WRONG
            )
        resources = stage.named(kind)
        if not resources:
            raise CommandError(f"{kind}: the source has no such kind", _WRONG)
        resource = resources[0]
        namespace = chosen.namespace or (self._namespace if self.live else "") or "default"
        if self.live is not None:
            stored = kept_as(stage, [resource.bucket])[0].kind
            live = await self.live.get(stored, namespace if stored.namespaced else "", name)
            if live is not None:
                return [live]
        else:
            for source in self.sources:
                for obj in await source.read(kept_as(stage, [resource.bucket])):
                    metadata = obj.get("metadata") or {}
                    there = (
                        metadata.get("namespace") or "default"
                    ) == namespace or not resource.kind.namespaced
                    if metadata.get("name") == name and there:
                        return [obj]
        where = f" in namespace {namespace}" if resource.kind.namespaced else ""
        raise CommandError(f"{resource.kind.group_resource} {name} not found{where}", _WRONG)


def _starts(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(_SQLITE))
