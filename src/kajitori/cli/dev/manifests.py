"""Objects from files, applied when the code runs first, and again when the files are saved.

Promises
    M1  every object of the files is applied by server-side apply, in the order of the files, definitions and namespaces
        first
    M2  a file that cannot be read or applied is told with what is wrong, and tried again when it or the code is saved
    M3  what is taken out of a file stays in the cluster: nothing is deleted that somebody may need
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from kajitori.apimachinery.errors import ApiError, NotFound
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.cli.dev.code import shown
from kajitori.cli.dev.files import SavedFiles
from kajitori.cli.dev.happenings import Applied, Happening, Logged
from kajitori.cli.main import CommandError
from kajitori.client import Client, TransportError
from kajitori.controllers.discovery import served_kinds
from kajitori.posture.manifests import documents, files_below
from kajitori.world.clock import Clock

__all__ = ["Manifests"]

LISTED_EVERY = 10
"""Looks at the known files to one look for new ones in the folders."""

_FIRST = ("Namespace", "CustomResourceDefinition")


class Manifests:
    """Those of one session."""

    def __init__(
        self,
        client: Client,
        paths: Sequence[Path],
        namespace: str,
        tell: Callable[[Happening], None],
        clock: Clock,
    ) -> None:
        """`namespace` is that of objects that name none. Raises: CommandError for a path that is not there."""
        self._client = client
        self._paths = paths
        self._namespace = namespace
        self._tell = tell
        self._clock = clock
        self._saved = SavedFiles()
        self._looks = 0
        self._files = self._found()
        self._pending = set(self._files)
        self._watch()

    @property
    def has_failed(self) -> bool:
        """Whether a file is not applied as it is."""
        return bool(self._pending)

    async def look(self) -> None:
        """Applies what was saved since the last time."""
        self._looks += 1
        changed = self._saved.changed()
        if not self._looks % LISTED_EVERY:
            found = self._found()
            if found != self._files:
                changed += [each for each in found if each not in self._files]
                self._files = found
                self._watch()
        if changed:
            self._pending.update(changed)
            await self.apply()

    async def apply(self) -> None:
        """Applies what has not been."""
        if not self._pending:
            return
        found: list[tuple[Path, JsonObject]] = []
        failed: set[Path] = set()
        for file in [each for each in self._files if each in self._pending]:
            notes: list[str] = []
            found += [(file, each) for each in documents(file, notes)]
            for note in notes:
                self._complain(note)
                failed.add(file)
        # Stable: within the two halves the order of the files counts.
        found.sort(key=lambda each: each[1].get("kind") not in _FIRST)
        try:
            kinds = await self._kinds()
        except (ApiError, TransportError) as error:
            self._complain(str(error))
            return
        for file, value in found:
            try:
                await self._apply(kinds, value)
                if value.get("kind") == "CustomResourceDefinition":
                    kinds = await self._kinds()
            except (ApiError, TransportError, ValueError) as error:
                self._complain(f"{shown(file)}: {error}")
                failed.add(file)
        self._pending = failed

    async def _kinds(self) -> dict[tuple[str, str], Kind]:
        served = await served_kinds(self._client)
        return {(each.kind.group, each.kind.kind): each.kind for each in served.kinds}

    async def _apply(self, kinds: dict[tuple[str, str], Kind], value: JsonObject) -> None:
        """Raises: ApiError, TransportError; ValueError for what is no object of a kind."""
        version, name = str(value.get("apiVersion") or ""), str(value.get("kind") or "")
        found = kinds.get((version.rpartition("/")[0] if "/" in version else "", name))
        if found is None:
            raise ValueError(f"the cluster has no kind {name or '(none)'} of {version or '(none)'}")
        kind = Kind(found.group, version.rpartition("/")[2], found.kind, found.plural, found.namespaced)
        metadata = value.get("metadata")
        if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
            raise ValueError(f"a {name} in it has no metadata.name")
        namespace = (metadata.get("namespace") or self._namespace) if kind.namespaced else ""
        value = {**value, "metadata": {**metadata, **({"namespace": namespace} if namespace else {})}}
        try:
            before = (
                await self._client.get(kind, namespace, metadata["name"], metadata_only=True)
            ).resource_version
        except NotFound:
            before = ""
        after = await self._client.apply(kind, value, force=True)
        what = "unchanged" if after.resource_version == before else "configured" if before else "created"
        where = f"{namespace}/{metadata['name']}" if namespace else metadata["name"]
        self._tell(Applied(time=self._now(), object=f"{name} {where}", what=what))

    def _found(self) -> list[Path]:
        try:
            return [each.absolute() for path in self._paths for each in files_below(path)]
        except OSError as error:
            raise CommandError(f"--apply {error.filename}: {error.strerror}", 2) from None

    def _watch(self) -> None:
        self._saved.begin(Path())
        self._saved.watch(self._files)

    def _complain(self, text: str) -> None:
        self._tell(Logged(time=self._now(), level="error", logger=__name__, text=f"not applied: {text}"))

    def _now(self) -> float:
        return self._clock.now().timestamp()
