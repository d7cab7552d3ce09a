"""A cluster in one process: the store, the API server, and whatever runs on it.

    async with Cluster(ClusterOptions(port=0)) as cluster:
        client = cluster.client()

Promises
    C1  inside the block the API answers; when it ends, requests in flight are finished and the state is on disk
    C2  what cannot start says why in one sentence, and leaves what was there as it was
    C3  controllers and operators reach the API only through a client, as they would any cluster's
"""

import asyncio
import contextlib
import errno
import logging
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis import facts
from kajitori.apis.validation.capabilities import CAPABILITIES
from kajitori.apiserver.admission.chain import ConfigurationError, UnknownPlugin
from kajitori.apiserver.advertising import advertise, advertised
from kajitori.apiserver.allocation import RangeError
from kajitori.apiserver.authentication import Authentication, AuthenticationError, User
from kajitori.apiserver.authentication.serviceaccount import ISSUER
from kajitori.apiserver.authentication.user import MASTERS
from kajitori.apiserver.authorization import bootstrap_rbac
from kajitori.apiserver.background import Background
from kajitori.apiserver.bootstrap import bootstrap_objects, ensure
from kajitori.apiserver.expiry import expire_events
from kajitori.apiserver.http import STREAMS_MAX, Limits, Server, serve
from kajitori.apiserver.kubeconfig import KubeconfigError, write_kubeconfig
from kajitori.apiserver.operating.observer import Observer
from kajitori.apiserver.pki import PendingPki, Pki, PkiError, serving_names
from kajitori.apiserver.trust import publish_trust
from kajitori.cluster.assembly import Assembled, Operators, Reports, assemble
from kajitori.cluster.authorization import AuthorizationError, Authorizing
from kajitori.cluster.definitions import ensure_definitions
from kajitori.cluster.localwebhooks import LocalWebhooks
from kajitori.cluster.metrics import Metrics
from kajitori.cluster.operating import OperatingError, Watchers, watch_over
from kajitori.cluster.operators import UnknownProgram, admission, check_names, chosen
from kajitori.cluster.options import STATE_FILE, ClusterOptions
from kajitori.cluster.unserved import UnservedSecrets
from kajitori.storage import Event, OpenError, Store, StoreError, open_store
from kajitori.world.clock import SYSTEM_CLOCK, Clock
from kajitori.world.random import SYSTEM_RANDOM, Random

if TYPE_CHECKING:
    from kajitori.client import Client
    from kajitori.client.transport import Transport
    from kajitori.cluster.inprocess import InProcessTransport
    from kajitori.cluster.programs import Programs
    from kajitori.controllers import Means
    from kajitori.storage.memory import MemoryStore

__all__ = ["Cluster", "ClusterError"]

_CONTROLLERS = User("system:kube-controller-manager", groups=(MASTERS,))
"""Who the controllers and operators of this process are."""

GRACE_SECONDS = 10.0
"""What requests in flight get when the server stops."""

_log = logging.getLogger(__name__)


class ClusterError(Exception):
    """Why a cluster cannot start or go on, in one sentence."""


class Cluster:
    """One cluster, from `async with` to its end."""

    def __init__(
        self,
        options: ClusterOptions,
        *,
        clock: Clock = SYSTEM_CLOCK,
        random: Random = SYSTEM_RANDOM,
        through: "Callable[[Transport], Transport] | None" = None,
    ) -> None:
        """`through` puts something between the API and what runs on it: faults, in tests."""
        self.options = options
        self._through = through
        self._begin_with: MemoryStore | None = None
        self._clock = clock
        self._random = random
        self._secrets: Pki | UnservedSecrets | None = None
        self._store: Store | None = None
        self._server: Server | None = None
        self._assembled: Assembled | None = None
        self._transport: InProcessTransport | None = None
        self._insiders: InProcessTransport | None = None
        self._programs: Programs | None = None
        self._observer: Observer | None = None
        self._authentication: Authentication | None = None
        self._background: Background | None = None
        self.webhooks = LocalWebhooks()
        """What answers in this process for webhooks."""
        self._why_not_ready: str | None = "starting"
        self._stopping: str | None = None
        self._failure: str | None = None
        self._stack = contextlib.AsyncExitStack()

    # What it is.

    @property
    def url(self) -> str:
        """Where the API is served."""
        assert self._server is not None, "not started, or not served"
        return self._server.url

    @property
    def token(self) -> str:
        """The admin's bearer token."""
        assert self._secrets is not None, "not started"
        return self._secrets.admin_token()

    @property
    def ca_data(self) -> bytes:
        """The certificate, in PEM, of the authority that signed the server's; empty when nothing is served."""
        assert self._secrets is not None, "not started"
        return self._secrets.ca_data()

    @property
    def kubernetes_version(self) -> str:
        return facts.VERSION["gitVersion"]

    @property
    def running(self) -> list[str]:
        """The controllers and operators that run, by name."""
        return self._programs.names if self._programs is not None else []

    def client(self, field_manager: str = "kajitori", user_agent: str = "") -> "Client":
        """A client in this process, with the admin's rights."""
        from kajitori.client import Client  # a server that only serves needs none

        return Client(self._in_process(), field_manager=field_manager, user_agent=user_agent or field_manager)

    def _programs_client(self, field_manager: str) -> "Client":
        """A client for what runs in this process: not the admin, of whom more may be asked than of a controller."""
        from kajitori.client import Client

        assert self._assembled is not None, "not started"
        if self._insiders is None:
            from kajitori.cluster.inprocess import InProcessTransport

            token, server = self._random.token(), self._assembled.server
            server.authenticator.know(token, _CONTROLLERS)
            self._insiders = InProcessTransport(server.handle, token)
            self._stack.push_async_callback(self._insiders.close)
        transport = self._insiders if self._through is None else self._through(self._insiders)
        return Client(transport, field_manager=field_manager, user_agent=field_manager)

    def on_write(self, call: Callable[[], None]) -> Callable[[], None]:
        """Calls `call` after every write that was committed; gives the way to end that. It must be quick."""
        return self.on_event(lambda event: call())

    def on_event(self, call: Callable[[Event], None]) -> Callable[[], None]:
        """The same, with what was written."""
        assert self._store is not None, "not started"
        return self._store.subscribe("", call)

    def _in_process(self) -> "InProcessTransport":
        if self._transport is None:
            from kajitori.cluster.inprocess import InProcessTransport

            assert self._assembled is not None, "not started"
            self._transport = InProcessTransport(self._assembled.server.handle, self.token)
            self._stack.push_async_callback(self._transport.close)
        return self._transport

    def write_kubeconfig(self, path: Path) -> None:
        """Puts this cluster into a kubeconfig, and makes it current. Raises: ClusterError."""
        try:
            serving = self.options.tls_cert_file
            believed = self.ca_data if serving is None else serving.read_bytes()
            write_kubeconfig(path, server=self.url, ca_data=believed, token=self.token)
        except KubeconfigError as error:
            raise ClusterError(f"{error}") from None
        except OSError as error:
            raise ClusterError(f"cannot write the kubeconfig {path}: {error.strerror}") from None

    def _program_metrics(self) -> bytes:
        return b"" if self._programs is None else self._programs.metrics()

    def again(self, *, with_state: bool = True) -> "Cluster":
        """A cluster like this one, to be started once this has ended: what a restart gives. It has the same address,
        and the same state: in memory too, `with_state`, but for history, so that whoever watches is to begin again.
        """
        options = self.options if self._server is None else replace(self.options, port=self._server.port)
        other = Cluster(options, clock=self._clock, random=self._random, through=self._through)
        if with_state and options.data_dir is None:
            from kajitori.storage.memory import MemoryStore

            assert isinstance(self._store, MemoryStore), "started, without a file"
            other._begin_with = self._store
        return other

    # Its life.

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = "process is shutting down"
        if kind is None:
            await self._drain()
        await self._stack.aclose()

    async def _drain(self) -> None:
        """Lets clients see that the end is near, then finishes what is under way.

        readyz fails first, and everything goes on for the delay. Then new requests are turned away or no longer
        accepted, those under way are finished, and watches are ended one by one. Programs of this process stop
        between the two: to the last they can write.
        """
        operating = self.options.operating
        observer, assembled = self._observer, self._assembled
        if observer is None or assembled is None:
            return
        await asyncio.sleep(operating.shutdown_delay_seconds)
        if operating.shutdown_send_retry_after:
            observer.in_flight.refuse()
            await observer.in_flight.empty()
        await assembled.resources.end_watches(operating.shutdown_watch_grace_seconds)

    async def _start(self) -> None:
        options = self.options
        if options.controllers or options.without:
            try:
                check_names(options)
            except UnknownProgram as error:
                raise ClusterError(str(error)) from None
        CAPABILITIES.allow_privileged = options.privileged
        pending = self._begin_pki() if options.listen else None
        if pending is not None:
            self._stack.callback(pending.abandon)
        store = self._store = await self._open_store()
        self._stack.push_async_callback(store.close)
        # Certificates may still be in the making; until they are needed there is enough else to do.
        secrets = self._secrets = UnservedSecrets(self._random) if pending is None else pending.unfinished
        self._stack.callback(secrets.close)
        authorizing = self._authorizing(store)
        authentication = self._authentication = self._authenticates(secrets, store)
        watchers = self._watch_over()
        kept = None if options.data_dir is None else options.data_dir / STATE_FILE
        metrics = Metrics(store, lambda: self._server, self._program_metrics, file=kept)
        try:
            assembled = self._assembled = assemble(
                store,
                options,
                authenticator=authentication.authenticator,
                authorizer=authorizing.authorizer,
                operators=Operators(admission(options, store, self._random), self.webhooks),
                reports=Reports(
                    lambda: self._why_not_ready,
                    lambda: self._stopping,
                    metrics.text,
                    lambda: self.url if self._server is not None else ISSUER,
                    watchers.observer,
                ),
                clock=self._clock,
                random=self._random,
            )
        except (UnknownPlugin, ConfigurationError, RangeError) as error:
            raise ClusterError(str(error)) from None
        CAPABILITIES.reserves_static_names = assembled.directories is not None
        self._stack.push_async_callback(assembled.close)
        metrics.further += [*watchers.lines, authentication.lines, *authorizing.lines, *assembled.figures]
        await self._ensure(store)
        background = self._background = Background()
        self._stack.push_async_callback(background.close)
        assembled.custom.start(background)
        authorizing.start(background)
        assembled.addresses.start(background)
        authentication.start(background)
        background.spawn(expire_events(store), "expiry of events")
        if assembled.directories is not None:
            metrics.further.append(assembled.directories.lines)
            background.spawn(assembled.directories.watch(), "watch over admission manifests")
        if pending is not None:
            pki = self._finish_pki(pending)
            await self._listen(assembled, pki)
            await self._advertise(store, pki)
        self._stack.callback(assembled.resources.close_watches)
        self._why_not_ready = None  # the API is; what runs on it comes next, and needs it
        if not options.api_only:
            await self._start_programs(authentication.service_accounts.sign)

    async def _ensure(self, store: Store) -> None:
        """Makes what every cluster has."""
        options = self.options
        objects = bootstrap_objects(
            port=options.port or 443, service_range=options.service_cluster_ip_range, rbac=bootstrap_rbac()
        )
        try:
            await ensure(store, objects, clock=self._clock, random=self._random)
            self._unapplied = await ensure_definitions(
                store, chosen(options), clock=self._clock, random=self._random
            )
        except* StoreError as group:
            raise ClusterError(str(group.exceptions[0])) from None

    async def _start_programs(self, sign_token: Callable[[JsonObject], str]) -> None:
        programs, means = await asyncio.to_thread(_programs)
        assert self._secrets is not None, "not started"
        given = means(self.ca_data.decode(), self._secrets.authority, sign_token)
        self._programs = programs(
            self.options,
            self._programs_client,
            unapplied=self._unapplied,
            means=given,
            webhooks=self.webhooks,
            clock=self._clock,
            random=self._random,
        )
        await self._stack.enter_async_context(self._programs)

    def _watch_over(self) -> Watchers:
        try:
            watchers = watch_over(self.options.operating, self._clock)
        except OperatingError as error:
            raise ClusterError(str(error)) from None
        self._stack.push_async_callback(watchers.close)
        self._observer = watchers.observer
        return watchers

    def _begin_pki(self) -> PendingPki:
        folder = self.options.data_dir
        try:
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
            names = serving_names(self.options.host, self.options.further_names)
            default = None if folder is None else folder / "pki"
            return Pki.begin(self.options.cert_dir or default, names)
        except FileExistsError:
            raise ClusterError(f"cannot use the data directory {folder}: it is a file") from None
        except OSError as error:
            raise ClusterError(f"cannot use the data directory {folder}: {error.strerror}") from None
        except PkiError as error:
            raise ClusterError(str(error)) from None

    def _finish_pki(self, pending: PendingPki) -> Pki:
        try:
            return pending.wait()
        except (PkiError, OSError) as error:
            raise ClusterError(str(error)) from None

    async def _open_store(self) -> Store:
        folder = self.options.data_dir
        if self._begin_with is not None:
            return self._begin_with.reopened()
        try:
            return await open_store(
                None if folder is None else folder / STATE_FILE,
                compact_every_seconds=self.options.operating.compaction_interval_seconds,
            )
        except OpenError as error:
            raise ClusterError(str(error)) from None

    def _authenticates(self, secrets: Pki | UnservedSecrets, store: Store) -> Authentication:
        try:
            return Authentication(
                secrets,
                store,
                self.options.authentication,
                clock=self._clock,
                random=self._random,
                used=self._token_used,
            )
        except AuthenticationError as error:
            raise ClusterError(str(error)) from None

    def _token_used(self, namespace: str, secret: str, day: str) -> None:
        """A token that is kept in a Secret was used, the first time on a day."""
        from kajitori.cluster.tokenuse import mark_used

        assert self._background is not None, "started"
        self._background.spawn(mark_used(self.client(), namespace, secret, day), "use of a kept token")

    def _authorizing(self, store: Store) -> Authorizing:
        try:
            authorizing = Authorizing(self.options.authorization, store, self._clock)
        except AuthorizationError as error:
            raise ClusterError(str(error)) from None
        self._stack.push_async_callback(authorizing.close)
        return authorizing

    async def _listen(self, assembled: Assembled, pki: Pki) -> None:
        options = self.options
        try:
            context = pki.ssl_context(http2=not options.disable_http2_serving)
        except OSError:
            raise ClusterError(
                f"{pki.folder}: the certificates in it cannot be read; restore a backup, or remove the folder "
                "to have new ones made"
            ) from None
        if options.tls_cert_file is not None and options.tls_private_key_file is not None:
            _serve_with(context, options.tls_cert_file, options.tls_private_key_file)
        assert self._authentication is not None, "started"
        for file in (options.client_ca_file, options.authentication.request_header.client_ca_file):
            if file is not None:
                _trust(context, file)
        trusted = [file for file in (pki.ca_file, options.client_ca_file) if file is not None]
        try:
            self._authentication.trust(trusted)
        except AuthenticationError as error:
            raise ClusterError(str(error)) from None
        try:
            self._server = await serve(
                assembled.server.handle,
                host=options.host,
                port=options.port,
                ssl_context=context,
                limits=Limits(streams_max=options.http2_max_streams_per_connection or STREAMS_MAX),
            )
        except OSError as error:
            raise ClusterError(_why_not_listening(options, error)) from None
        server = self._server
        self._stack.push_async_callback(server.close, GRACE_SECONDS)

    async def _advertise(self, store: Store, pki: Pki) -> None:
        server = self._server
        assert server is not None, "not listening"
        try:
            address = advertised(self.options.host, self.options.advertise_address)
            if address is not None:
                await advertise(store, address, server.port, clock=self._clock, random=self._random)
            options = self.options
            believed = [file for file in (pki.ca_file, options.client_ca_file) if file is not None]
            proxy = options.authentication.request_header
            await publish_trust(store, believed, proxy, clock=self._clock, random=self._random)
        except (OSError, ValueError, StoreError) as error:
            raise ClusterError(str(error)) from None

    async def run_until(self, ended: asyncio.Event) -> str | None:
        """Waits until `ended` is set, or until something fails; gives the failure's sentence."""
        programs = self._programs
        if programs is None:
            await ended.wait()
            return None
        return await programs.run_until(ended)


def _serve_with(context: ssl.SSLContext, cert_file: Path, key_file: Path) -> None:
    """Serves with somebody's own certificate."""
    for file in (cert_file, key_file):
        if not file.is_file():
            raise ClusterError(f"cannot read {file}: there is no such file")
    try:
        context.load_cert_chain(cert_file, key_file)
    except OSError as error:
        what = getattr(error, "reason", None) or error.strerror
        raise ClusterError(
            f"cannot serve with {cert_file} and {key_file}: {what}; they must be a certificate and its key, in PEM"
        ) from None


def _trust(context: ssl.SSLContext, client_ca_file: Path) -> None:
    """Lets in who has a certificate of an authority in the file."""
    try:
        context.load_verify_locations(client_ca_file)
    except ssl.SSLError:
        raise ClusterError(
            f"cannot use the client CA file {client_ca_file}: no certificate is in it"
        ) from None
    except OSError as error:
        raise ClusterError(f"cannot read the client CA file {client_ca_file}: {error.strerror}") from None


def _why_not_listening(options: ClusterOptions, error: OSError) -> str:
    where = f"cannot listen on {options.host}:{options.port}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"{where}: the port is in use; stop what uses it, or choose another with --port"
        case errno.EACCES | errno.EPERM:
            return f"{where}: only root may use this port; choose one above 1023 with --port"
        case errno.EADDRNOTAVAIL:
            return f"{where}: this machine has no such address; choose another with --host"
        case _:
            return f"{where}: {error.strerror or error}; choose another address with --host"


def _programs() -> "tuple[type[Programs], type[Means]]":
    """Imported beside the running loop: it takes a while, and the API is to answer meanwhile."""
    from kajitori.cluster.programs import Programs
    from kajitori.controllers import Means

    return Programs, Means
