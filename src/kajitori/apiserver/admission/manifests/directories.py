"""Directories of admission manifests: what is in them now, and that changes are seen.

Sits between the files and the plugins, which ask `objects` and hear of changes.

Promises
    D1  nothing wrong is ever used: the server does not start with it, and a change that is wrong leaves in use what
        was there before, with an error in the log and in the metrics
    D2  a change is seen within CHECK_SECONDS, and taken as a whole or not at all
    D3  the metrics are Kubernetes', by plugin

Source: apiserver's pkg/admission/plugin/policy/manifest/source and manifest/metrics.
"""

import asyncio
import base64
import hashlib
import logging
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.admission.chain import ConfigurationError
from kajitori.apiserver.admission.manifests.reading import (
    GROUP,
    PLUGIN_KINDS,
    Contents,
    ManifestError,
    read_manifests,
)
from kajitori.apiserver.operating.exposition import family, labelled
from kajitori.apiserver.registry.resource import Resource
from kajitori.world.clock import Clock

__all__ = ["CHECK_SECONDS", "Directories", "ManifestDirectory"]

_log = logging.getLogger(__name__)

CHECK_SECONDS = 1
"""How often the files are looked at; one look costs as much as listing the directory."""

_METRICS = "apiserver_manifest_admission_config_controller_"

FindResource = Callable[[str, str, str], Resource | None]
"""Finds what is served by group, version and plural."""


class ManifestDirectory:
    """What one directory has for some plugins."""

    def __init__(self, path: Path, plugins: Sequence[str], find: FindResource, clock: Clock) -> None:
        """Raises: ConfigurationError for anything wrong in it."""
        self.path = path
        self.plugins = plugins
        self._resources: list[Resource] = []
        for plural in (plural for plugin in plugins for plural in PLUGIN_KINDS[plugin]):
            resource = find(GROUP, "v1", plural)
            assert resource is not None, plural
            self._resources.append(resource)
        self._clock = clock
        self._heard: list[Callable[[], None]] = []
        self._signature = _signature(path)
        self.reloads = {"success": 0, "failure": 0}
        self.last_reload: dict[str, float] = {}
        """When it was last tried, of Unix time, by how it went."""
        try:
            self._contents: Contents = read_manifests(path, self._resources)
        except ManifestError as error:
            raise ConfigurationError(str(error)) from None
        self._loaded()

    @property
    def hash(self) -> str:
        """Of the files in use."""
        return self._contents.hash

    def objects(self, plural: str) -> Sequence[JsonObject]:
        """The objects of a resource that are in use, by name."""
        return self._contents.objects.get(plural, ())

    def subscribe(self, heard: Callable[[], None]) -> None:
        """Calls `heard` after every change."""
        self._heard.append(heard)

    def check(self) -> None:
        """Takes over what has changed, if it is right."""
        signature = _signature(self.path)
        if signature == self._signature:
            return
        self._signature = signature
        try:
            contents = read_manifests(self.path, self._resources)
        except ManifestError as error:
            self._note("failure")
            _log.error(
                "admission manifests are wrong; those from before stay in use",
                extra={"directory": str(self.path), "error": str(error)},
            )
            return
        if contents.hash == self.hash:
            return
        self._contents = contents
        self._loaded()
        for heard in self._heard:
            heard()

    def _loaded(self) -> None:
        self._note("success")
        count = sum(len(each) for each in self._contents.objects.values())
        _log.info("admission manifests are in use", extra={"directory": str(self.path), "objects": count})

    def _note(self, outcome: str) -> None:
        self.reloads[outcome] += 1
        self.last_reload[outcome] = self._clock.now().timestamp()


def _signature(path: Path) -> tuple[object, ...]:
    """What changes when a file does."""
    try:
        with os.scandir(path) as entries:
            return tuple(sorted((entry.name, *_state(entry)) for entry in entries))
    except OSError as error:
        return (error.errno,)


def _state(entry: "os.DirEntry[str]") -> tuple[int, ...]:
    try:
        # Through links: of a mounted ConfigMap the files stay, and what they lead to is another.
        found = entry.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


class Directories:
    """The directories of all plugins, by plugin; two plugins may have the same one."""

    def __init__(self, directories: Mapping[str, ManifestDirectory]) -> None:
        self._of = directories
        self._all = list(dict.fromkeys(directories.values()))

    def __bool__(self) -> bool:
        return bool(self._all)

    def of(self, plugin: str) -> ManifestDirectory | None:
        """Where the manifests of a plugin are; None where it has none."""
        return self._of.get(plugin)

    async def watch(self) -> None:
        """Looks for changes until it is cancelled."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            for each in self._all:
                each.check()

    def lines(self) -> Iterator[str]:
        """The metrics."""
        server = _hashed(_server_id())

        def labels(plugin: str, **more: str) -> str:
            return labelled({"plugin": plugin, "apiserver_id_hash": server, **more})

        plugins = sorted(self._of.items())
        yield from family(
            f"{_METRICS}automatic_reload_last_timestamp_seconds",
            "gauge",
            "Timestamp of the last automatic reload of admission manifest configuration split by status, "
            "plugin, and apiserver identity.",
            (
                (labels(plugin, status=status), seconds)
                for plugin, each in plugins
                for status, seconds in sorted(each.last_reload.items())
            ),
        )
        yield from family(
            f"{_METRICS}automatic_reloads_total",
            "counter",
            "Total number of automatic reloads of admission manifest configuration split by status, plugin, "
            "and apiserver identity.",
            (
                (labels(plugin, status=status), each.reloads[status])
                for plugin, each in plugins
                for status in sorted(each.last_reload)
            ),
        )
        yield from family(
            f"{_METRICS}last_config_info",
            "gauge",
            "Information about the last applied admission manifest configuration with hash as label, split by "
            "plugin and apiserver identity.",
            ((labels(plugin, hash=each.hash), 1) for plugin, each in plugins),
        )


def _server_id() -> str:
    """What kube-apiserver calls itself on this machine."""
    # Each part after its length, in two bytes.
    parts = [part.encode() for part in (platform.node(), "kube-apiserver")]
    said = b"".join(len(part).to_bytes(2, "big") + part for part in parts)
    digest = hashlib.sha256(said).digest()[:16]
    return f"apiserver-{base64.b32encode(digest).decode().rstrip('=').lower()}"


def _hashed(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
