"""Which clusters there are: the contexts of a kubeconfig file, or kubeconfigs in Secrets.

    manager.discover(KubeconfigSecrets("operators"))

Promises
    D1  what the file or the Secrets say is so within seconds: clusters are engaged, disengaged, and engaged anew when
        their connection changes; each has the name of its context or Secret
    D2  what cannot be read is logged and leaves in use what was there before; only a file that is wrong at the
        beginning stops the manager
    D3  a kubeconfig in a Secret runs no program and reads no file of ours

Source: multicluster-runtime's kubeconfig and file providers; the label is the former's.
"""

import asyncio
import base64
import binascii
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kajitori.apimachinery.kind import Kind
from kajitori.client.client import Client
from kajitori.client.config import ConfigError, ConnectionConfig, load_contexts, parse_config
from kajitori.client.network import NetworkTransport
from kajitori.ctrl.cache import Cache
from kajitori.ctrl.cache_options import CacheOptions

if TYPE_CHECKING:
    from kajitori.ctrl.manager import Manager

__all__ = ["KUBECONFIG_LABEL", "KubeconfigContexts", "KubeconfigSecrets"]

KUBECONFIG_LABEL = "sigs.k8s.io/multicluster-runtime-kubeconfig"

READ_SECONDS = 5.0
"""How often a file is looked at."""

SECRETS = Kind("", "v1", "Secret", "secrets")

Connect = Callable[[ConnectionConfig], Client]

_log = logging.getLogger(__name__)


class KubeconfigContexts:
    """A cluster for each context of a file."""

    def __init__(
        self, path: str | Path, contexts: Collection[str] | None = None, *, connect: Connect | None = None
    ) -> None:
        """`contexts` by their names (default: all but the current one, which is the manager's own); `connect` makes the
        clients.
        """
        self._path = Path(path)
        self._contexts = contexts
        self._connect = connect

    async def run(self, manager: "Manager", /) -> None:
        """Raises: ConfigError when the file is wrong at the beginning."""
        keeper = _Keeper(manager, self._connect)
        try:
            await keeper.keep(load_contexts(self._path, self._contexts))
            while True:
                await asyncio.sleep(READ_SECONDS)
                try:
                    configs = load_contexts(self._path, self._contexts)
                except ConfigError as error:
                    keeper.complain(str(self._path), error)
                else:
                    keeper.is_well(str(self._path))
                    await keeper.keep(configs)
        finally:
            await keeper.keep({})


class KubeconfigSecrets:
    """A cluster for each Secret with a label, whose `kubeconfig` is one."""

    def __init__(
        self,
        namespace: str,
        *,
        labels: str = f"{KUBECONFIG_LABEL}=true",
        key: str = "kubeconfig",
        connect: Connect | None = None,
    ) -> None:
        self._namespace = namespace
        self._labels = labels
        self._key = key
        self._connect = connect

    async def run(self, manager: "Manager", /) -> None:
        """Until cancelled."""
        # A cache of our own: the manager's may hold other Secrets, or none.
        cache = Cache(manager.client, random=manager.random)
        cache.configure(SECRETS, CacheOptions(namespaces=(self._namespace,), labels=self._labels))
        keeper, changed = _Keeper(manager, self._connect), asyncio.Event()
        changed.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(cache.run(), name="Secrets of clusters")
            try:
                use = await cache.synced(SECRETS)
                use.informer.add_handler(lambda _: changed.set())
                while True:
                    await changed.wait()
                    changed.clear()
                    await keeper.keep(self._read(cache, keeper))
            finally:
                await keeper.keep({})

    def _read(self, cache: Cache, keeper: "_Keeper") -> dict[str, ConnectionConfig]:
        configs: dict[str, ConnectionConfig] = {}
        for secret in cache.list(SECRETS):
            where = f"Secret {secret.namespace}/{secret.name}"
            try:
                configs[secret.name] = parse_config(self._text(secret, where), where)
                keeper.is_well(where)
            except ConfigError as error:
                keeper.complain(where, error)
                before = keeper.config(secret.name)
                if before is not None:
                    configs[secret.name] = before
        return configs

    def _text(self, secret: Any, where: str) -> str:
        data = (secret.get("data") or {}).get(self._key)
        if data is None:
            raise ConfigError(f"{where}: has no {self._key!r}")
        try:
            return base64.b64decode(data, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ConfigError(f"{where}: {self._key!r} is not text") from error


class _Keeper:
    """Those that are engaged, by one provider."""

    def __init__(self, manager: "Manager", connect: Connect | None) -> None:
        self._manager = manager
        self._connect: Connect = connect or self._over_the_network
        self._engaged: dict[str, tuple[ConnectionConfig, Callable[[], Awaitable[None]]]] = {}
        self._complaints: dict[str, str] = {}

    def config(self, name: str) -> ConnectionConfig | None:
        known = self._engaged.get(name)
        return None if known is None else known[0]

    async def keep(self, configs: Mapping[str, ConnectionConfig]) -> None:
        """Engages these, and no others."""
        for name, (config, close) in list(self._engaged.items()):
            if configs.get(name) != config:
                del self._engaged[name]
                self._manager.disengage(name)
                await close()
        for name, config in configs.items():
            if name not in self._engaged:
                client = self._connect(config)
                try:
                    self._manager.engage(name, client)
                except ValueError as error:
                    self.complain(f"cluster {name}", error)
                    await client.close()
                    continue
                self._engaged[name] = config, client.close

    def complain(self, where: str, error: Exception) -> None:
        """Once for each text."""
        if self._complaints.get(where) != str(error):
            self._complaints[where] = str(error)
            _log.error("a cluster cannot be engaged", extra={"where": where, "error": str(error)})

    def is_well(self, where: str) -> None:
        self._complaints.pop(where, None)

    def _over_the_network(self, config: ConnectionConfig) -> Client:
        return Client(NetworkTransport(config), field_manager=self._manager.client.field_manager)
