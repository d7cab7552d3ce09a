"""A fresh API server for a test, in this process: nothing to install, nothing listening, gone at the end.

    async with TestEnv() as env:
        client = env.client()

It is the very server of `kajitori up`, without its socket: the same admission, validation, watches. Controllers and
operators run when asked for; nobody runs Pods, but `Kubelet` can play that part.

Promises
    E1  nothing of one environment is seen in another, and nothing is left when it ends
    E2  without `serve` no socket is opened, no file written and no process started
    E3  it runs under virtual time as well: `run_virtual`, with `clock=VirtualClock()`
    E4  what goes wrong by `faults` does so for every client but the test's own, controllers and operators included
"""

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Collection,
    Generator,
    Iterable,
    Sequence,
)
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypedDict, TypeVar, Unpack, overload

from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import Client, Model
from kajitori.cluster.cluster import Cluster
from kajitori.cluster.operators import OPERATORS
from kajitori.cluster.options import ClusterOptions
from kajitori.ctrl import is_condition_true
from kajitori.testing.faults import Faults
from kajitori.testing.faultytransport import NOT_STARTED, FaultyTransport
from kajitori.testing.waiting import NotInTime, wait_for, wait_for_list, wait_for_object, wait_quiet
from kajitori.world.clock import SYSTEM_CLOCK, Clock
from kajitori.world.random import SYSTEM_RANDOM, Random

if TYPE_CHECKING:
    from kajitori.apis import Versions
    from kajitori.ctrl import Manager, WebhookHost
    from kajitori.testing.cloud import Cloud
    from kajitori.testing.podlife import Stages

__all__ = ["EnvOptions", "TestEnv"]

WAIT_SECONDS = 10.0
"""How long a wait takes at most, unless it says otherwise."""

QUIET_SECONDS = 0.05

NAMESPACES = Kind("", "v1", "Namespace", "namespaces", namespaced=False)
CRDS = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)

T = TypeVar("T")
Definition: TypeAlias = "JsonObject | type[Any] | Versions | Path"


class EnvOptions(TypedDict, total=False):
    """What there is besides the API server."""

    controllers: bool | Collection[str]
    """Those of Kubernetes that run: all, none, or those named, such as `statefulset-controller` (none). Without the
    controller of service accounts Pods need no service account.
    """
    operators: bool | Collection[str]
    """Those of `kajitori up` that run: all, none, or those named, such as `mysql` (none)."""
    crds: Iterable[Definition]
    """Installed before the block begins, see `install` (none)."""
    serve: bool
    """Listen on a free loopback port too (no)."""
    admission: Collection[str]
    """Plugins that are enabled beside the usual ones (none)."""
    without_admission: Collection[str]
    """Plugins that are disabled (none)."""
    faults: Faults | None
    """What goes wrong from the beginning on (nothing but what `env.faults` is told later)."""
    clock: Clock
    random: Random


class TestEnv:
    """One API server, from `async with` to its end."""

    __test__ = False  # pytest takes every class called Test… for a class of tests

    def __init__(self, **options: Unpack[EnvOptions]) -> None:
        """Raises: TypeError for an option that is none, ValueError for an operator that is none."""
        unknown = options.keys() - EnvOptions.__annotations__.keys()
        if unknown:
            raise TypeError(
                f"{type(self).__name__}: unknown: {', '.join(sorted(unknown))}; "
                f"known are {', '.join(EnvOptions.__annotations__)}"
            )
        controllers, operators = options.get("controllers", False), options.get("operators", False)
        faults, serve = options.get("faults"), options.get("serve", False)
        self.faults = Faults() if faults is None else faults
        """What goes wrong for every client but the test's own."""
        chosen = set(OPERATORS) if operators is True else set(operators or ())
        unknown = chosen - OPERATORS.keys()
        if unknown:
            raise ValueError(
                f"unknown operator {', '.join(sorted(unknown))}; known are {', '.join(OPERATORS)}"
            )
        self._beside = AsyncExitStack()
        self._clock = options.get("clock", SYSTEM_CLOCK)
        self._random = options.get("random", SYSTEM_RANDOM)
        self._transport = FaultyTransport(NOT_STARTED, self.faults)
        self._crds = tuple(options.get("crds", ()))
        self.cluster = Cluster(
            ClusterOptions(
                port=0,
                listen=serve,
                cert_dir=_shared_certificates() if serve else None,
                api_only=not controllers and not chosen,
                controllers=None if controllers is True else frozenset(controllers or ()),
                without=frozenset(OPERATORS.keys() - chosen),
                enable_admission_plugins=tuple(options.get("admission", ())),
                disable_admission_plugins=tuple(options.get("without_admission", ())),
            ),
            clock=self._clock,
            random=self._random,
            through=self.faults.around,
        )
        """The cluster itself, for what is not offered here."""

    async def __aenter__(self) -> Self:
        await self._start()
        return self

    async def _start(self) -> None:
        with self.faults.paused():  # what goes wrong goes wrong with what has begun
            await self.cluster.__aenter__()
        try:
            self._transport.inner = self.cluster.client().transport
            await self.install(*self._crds)
        except BaseException:
            await self.cluster.__aexit__(None, None, None)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._beside.aclose()
        await self.cluster.__aexit__(kind, error, trace)

    async def restart(self, *, lose_state: bool = False) -> None:
        """Ends the API server and what runs beside it in the cluster, at once, and starts them again: clients see
        their watches break, then a server that has forgotten all history, and go on with it.

        `lose_state`: it has no objects either, but for `crds`, and its versions begin anew.
        """
        ended = self.cluster
        self.cluster = ended.again(with_state=not lose_state)
        await ended.__aexit__(ConnectionAbortedError, None, None)  # in no peace: nothing is finished before
        await self._start()

    # Reaching it.

    def client(self, field_manager: str = "test") -> Client:
        """A client in this process, with all rights."""
        return Client(self._transport, field_manager=field_manager, user_agent=field_manager)

    @property
    def webhooks(self) -> "WebhookHost":
        """Where managers of this test have their webhooks answered: `Manager(client, webhooks=env.webhooks)`."""
        return self.cluster.webhooks

    @property
    def url(self) -> str:
        """Where the API is served; only with `serve`."""
        return self.cluster.url

    def kubeconfig(self, path: Path, *, server: str = "") -> Path:
        """Writes a kubeconfig for kubectl and other processes, and gives its path; only with `serve`. `server` is
        where they are to go instead: a `Link`.
        """
        self.cluster.write_kubeconfig(path)
        if server:
            path.write_text(path.read_text().replace(self.url, server))
        return path

    # Preparing it.

    async def install(self, *definitions: Definition) -> None:
        """Installs kinds and waits until they are served.

        Each is a CustomResourceDefinition, a class that declares a kind, the `Versions` of one, or a file with
        definitions in YAML or JSON, or a folder of such files.
        """
        client = self.client("test-env")
        for each in definitions:
            for crd in _definitions(each):
                await client.apply(CRDS, crd, force=True)
                await self.wait_for_object(CRDS, "", crd["metadata"]["name"], _is_established)

    async def namespace(self, prefix: str = "test-") -> str:
        """The name of a new namespace."""
        return (await self.client().create(NAMESPACES, {"metadata": {"generateName": prefix}})).name

    async def nodes(
        self,
        nodes: int | Iterable[str] = 1,
        *,
        stages: "Stages | None" = None,
        capacity: JsonObject | None = None,
    ) -> "Cloud":
        """Nodes that Pods come to and are ready on, without being run, until the environment ends. See `Cloud`."""
        from kajitori.testing.cloud import Cloud

        doors: Any = {"asked": self.client(), "clock": self._clock, "random": self._random}
        cloud = Cloud(self.client("cloud"), nodes, stages=stages, capacity=capacity, **doors)
        return await self._beside.enter_async_context(cloud)

    @contextmanager
    def webhooks_down(self, *, silent: bool = False) -> Generator[None, None, None]:
        """Nobody answers for the webhooks of this process until the end of the block: what follows is what their
        failure policies say. `silent`: connections are not refused, but no answer comes, until their time is over.
        """
        from kajitori.apiserver.webhooks.exchange import ExchangeError

        async def nobody(path: str, body: bytes) -> bytes | None:
            if silent:
                await asyncio.Event().wait()
            raise ExchangeError("dial tcp: connect: connection refused")

        here = self.cluster.webhooks
        before = dict(here)
        here.update(dict.fromkeys(before, nobody))
        try:
            yield
        finally:
            here.update({key: answer for key, answer in before.items() if here.get(key) is nobody})

    @asynccontextmanager
    async def running(self, *managers: "Manager") -> AsyncGenerator[None, None]:
        """Runs managers for the length of a block, which begins when their webhooks are registered; what they fail
        with comes out of it, in a group.
        """
        failed: Exception | None = None
        async with asyncio.TaskGroup() as tasks:
            for each in managers:
                tasks.create_task(each.run(), name=f"manager {each.name}")
            try:
                for each in managers:
                    await _webhooks_registered(each)
                yield
            except Exception as error:
                failed = error  # the test's own, and in no group
            finally:
                for each in managers:
                    each.stop()
        if failed is not None:
            raise failed

    # Waiting for it.

    @overload
    async def wait_for(
        self, condition: Callable[[], Awaitable[T]], *, what: str = "", seconds: float = WAIT_SECONDS
    ) -> T: ...
    @overload
    async def wait_for(
        self, condition: Callable[[], T], *, what: str = "", seconds: float = WAIT_SECONDS
    ) -> T: ...
    async def wait_for(
        self, condition: Callable[[], Any], *, what: str = "", seconds: float = WAIT_SECONDS
    ) -> Any:
        """What `condition` gives, a value or something to await, once that is true; NotFound means: not yet.

        It is asked again after every write to the API, and now and then besides. `what` says in the failure what
        was waited for.

        Raises: NotInTime.
        """
        return await wait_for(condition, what=what, seconds=seconds, on_write=self.cluster.on_write)

    @overload
    async def wait_for_object(
        self,
        model: Kind,
        namespace: str,
        name: str,
        holds: Callable[[Unstructured], object] | None = None,
        *,
        seconds: float = WAIT_SECONDS,
    ) -> Unstructured: ...
    @overload
    async def wait_for_object(
        self,
        model: type[T],
        namespace: str,
        name: str,
        holds: Callable[[T], object] | None = None,
        *,
        seconds: float = WAIT_SECONDS,
    ) -> T: ...
    async def wait_for_object(
        self,
        model: Model,
        namespace: str,
        name: str,
        holds: Callable[[Any], object] | None = None,
        *,
        seconds: float = WAIT_SECONDS,
    ) -> Any:
        """The object, once it is there and `holds`, if given, says so. Raises: NotInTime, showing the object."""
        return await wait_for_object(self.client(), model, namespace, name, holds=holds, seconds=seconds)

    async def wait_until_gone(
        self, model: Model, namespace: str, name: str, *, seconds: float = WAIT_SECONDS
    ) -> None:
        """Returns when there is no such object. Raises: NotInTime, showing the object."""
        await wait_for_object(self.client(), model, namespace, name, holds=None, seconds=seconds, gone=True)

    @overload
    async def wait_for_list(
        self,
        model: Kind,
        namespace: str,
        holds: Callable[[Sequence[Unstructured]], object],
        *,
        labels: str = "",
        seconds: float = WAIT_SECONDS,
    ) -> Sequence[Unstructured]: ...
    @overload
    async def wait_for_list(
        self,
        model: type[T],
        namespace: str,
        holds: Callable[[Sequence[T]], object],
        *,
        labels: str = "",
        seconds: float = WAIT_SECONDS,
    ) -> Sequence[T]: ...
    async def wait_for_list(
        self,
        model: Model,
        namespace: str,
        holds: Callable[[Sequence[Any]], object],
        *,
        labels: str = "",
        seconds: float = WAIT_SECONDS,
    ) -> Sequence[Any]:
        """The objects of a namespace, or of all when it is "", that a label selector chooses, once `holds` says so
        of the list. Raises: NotInTime.
        """
        client = self.client()
        return await wait_for_list(
            client, model, namespace, labels, holds=holds, seconds=seconds, on_write=self.cluster.on_write
        )

    async def wait_quiet(
        self, quiet_seconds: float = QUIET_SECONDS, *, seconds: float = WAIT_SECONDS
    ) -> None:
        """Returns when nobody has written anything for `quiet_seconds`: to say that something does not happen.

        Raises: NotInTime.
        """
        await wait_quiet(quiet_seconds, seconds=seconds, on_write=self.cluster.on_write)


async def _webhooks_registered(manager: "Manager") -> None:
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await manager.webhooks_registered()
    except TimeoutError:
        why = f"the webhooks of the manager {manager.name} were not registered within {WAIT_SECONDS:g} s"
        raise NotInTime(f"{why}; the log says what kept it") from None


def _definitions(source: Definition) -> list[JsonObject]:
    if isinstance(source, Path):
        import yaml

        if source.is_dir():
            files = sorted(each for each in source.iterdir() if each.suffix in (".yaml", ".yml", ".json"))
            return [crd for each in files for crd in _definitions(each)]
        documents = yaml.safe_load_all(source.read_bytes())
        return [each for each in documents if each and each.get("kind") == "CustomResourceDefinition"]
    if isinstance(source, dict):
        return [source]
    from kajitori.apis import crd_for

    return [crd_for(source)]


def _is_established(crd: Unstructured) -> bool:
    return is_condition_true((crd.get("status") or {}).get("conditions"), "Established")


_certificates: list[Path] = []


def _shared_certificates() -> Path:
    """One authority for all environments of this process: making one takes longer than everything else."""
    if not _certificates:
        folder = Path(tempfile.mkdtemp(prefix="kajitori-test-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _certificates.append(folder)
    return _certificates[0]
