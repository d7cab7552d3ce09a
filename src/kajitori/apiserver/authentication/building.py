"""An authenticator, put together as the options say; and what of it runs beside the server.

Promises
    B1  what cannot be used is told before anything is served, in one sentence that names the file
    B2  a configuration file that has changed takes over once its issuers answer; one that is wrong changes nothing, and
        is logged

Source: pkg/kubeapiserver/options/authentication.go and pkg/kubeapiserver/authenticator/config.go.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import FieldError
from kajitori.apiserver.authentication.authenticator import Authenticator
from kajitori.apiserver.authentication.bootstrap import BootstrapTokens
from kajitori.apiserver.authentication.jose import ALGORITHMS
from kajitori.apiserver.authentication.jwt import KeyFile, KeySet
from kajitori.apiserver.authentication.lookup import StoreLookup
from kajitori.apiserver.authentication.options import AuthenticationOptions, problems, token_rules
from kajitori.apiserver.authentication.serviceaccount import ServiceAccountTokens
from kajitori.apiserver.authentication.tokenfile import AuthenticationError, read_token_file
from kajitori.apiserver.authentication.tokens import RemoteTokens
from kajitori.apiserver.authentication.user import MASTERS, User
from kajitori.world.clock import SYSTEM_CLOCK, Clock
from kajitori.world.random import SYSTEM_RANDOM, Random

if TYPE_CHECKING:
    from kajitori.apiserver.authentication.oidc import AuthenticationConfiguration, Issuers
    from kajitori.apiserver.background import Background
    from kajitori.storage import Store

__all__ = ["Authentication"]

ADMIN = "admin"
"""The user of the admin token."""

LOOK_SECONDS = 1.0
"""How often the configuration file is looked at."""
RELOAD_SECONDS_MAX = 60.0
"""What the issuers of a new configuration get to answer."""

_log = logging.getLogger(__name__)


class Secrets(Protocol):
    """What a server keeps to itself: `pki.Pki`, or its stand-in where nothing is served."""

    def admin_token(self) -> str: ...

    @property
    def service_account_key_file(self) -> KeyFile: ...


class Authentication:
    """The authenticator of a server: its admin token, the token file, the service accounts in its store, and whoever
    else the options let in.
    """

    def __init__(
        self,
        secrets: Secrets,
        store: "Store",
        options: AuthenticationOptions | None = None,
        *,
        clock: Clock = SYSTEM_CLOCK,
        random: Random = SYSTEM_RANDOM,
        used: Callable[[str, str, str], None] | None = None,
    ) -> None:
        """`used` is told of tokens that are kept in Secrets, see `ServiceAccountTokens`.

        Raises: AuthenticationError.
        """
        self._options = options = options or AuthenticationOptions()
        wrong = next(problems(options), None)
        if wrong is not None:
            raise AuthenticationError(wrong)
        self._clock = clock
        self._content = b""
        """Of the configuration file, as it was read last."""
        self._configuration: AuthenticationConfiguration | None = None
        self._issuers: Issuers | None = None
        lookup = StoreLookup(store)
        self.service_accounts = ServiceAccountTokens(
            _keys(secrets, options),
            lookup,
            wall_clock=self._now,
            uuid4=random.uuid4,
            rules=token_rules(options),
            used=used,
        )
        self._configure()
        anonymous, paths = self._anonymous()
        self.authenticator = Authenticator(
            tokens=_static(secrets, options.token_auth_file),
            service_accounts=self.service_accounts,
            anonymous=anonymous,
            anonymous_paths=paths,
        )
        self.authenticator.wall_clock = self._now
        audiences = self.authenticator.audiences
        if options.bootstrap_tokens:
            self.authenticator.bootstrap = BootstrapTokens(lookup, wall_clock=self._now, audiences=audiences)
        if options.request_header.client_ca_file is not None:
            from kajitori.apiserver.authentication.frontproxy import FrontProxy

            self.authenticator.front_proxy = FrontProxy(options.request_header)
        self.authenticator.remotes = self._remotes(audiences)

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _configure(self) -> None:
        """Raises: AuthenticationError."""
        options = self._options
        if options.oidc is not None:
            from kajitori.apiserver.authentication.oidc import configuration_of_flags

            for algorithm in options.oidc.signing_algs:
                if algorithm not in ALGORITHMS:
                    raise AuthenticationError(f"oidc: unsupported signing alg: {go_quote(algorithm)}")
            self._configuration = configuration_of_flags(options.oidc)
            self._judge(self._configuration)
        if options.config_file is not None:
            self._content = _content(options.config_file)
            self._configuration = self._read(self._content, options.config_file)

    def _read(self, content: bytes, path: Path) -> "AuthenticationConfiguration":
        from kajitori.apiserver.authentication.oidc import read_configuration

        try:
            configuration = read_configuration(content)
        except AuthenticationError as error:
            raise AuthenticationError(
                f'failed to load authentication configuration from file "{path}": {error}'
            ) from None
        self._judge(configuration)
        return configuration

    def _judge(
        self, configuration: "AuthenticationConfiguration", further: Sequence[FieldError] = ()
    ) -> None:
        from kajitori.apiserver.authentication.oidc import validate

        errors = [str(each) for each in (*validate(configuration, self._own_issuers), *further)]
        if errors:
            told = errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"
            raise AuthenticationError(f"invalid authentication configuration: {told}")

    @property
    def _own_issuers(self) -> Sequence[str]:
        return self._options.service_account_issuers or self.service_accounts.rules.issuers

    def _anonymous(self) -> tuple[bool, Sequence[str]]:
        """Whether requests without credentials are let in, and for which paths only."""
        said = None if self._configuration is None else self._configuration.anonymous
        if said is None:
            return self._options.anonymous is not False, ()
        if self._options.anonymous is not None:
            raise AuthenticationError(
                "anonymous: Forbidden: --anonymous-auth flag cannot be set when anonymous field is configured in "
                "authentication configuration file"
            )
        return said.enabled, [each.path for each in said.conditions]

    def _remotes(self, audiences: Sequence[str]) -> Sequence[RemoteTokens]:
        options = self._options
        remotes: list[RemoteTokens] = []
        if self._configuration is not None:
            from kajitori.apiserver.authentication.oidc import Issuers

            algorithms = ALGORITHMS if options.oidc is None else options.oidc.signing_algs
            self._issuers = Issuers(
                self._configuration, algorithms=algorithms, audiences=audiences, wall_clock=self._now
            )
            if self._content:
                self._issuers.figures.configured(self._content)
            remotes.append(self._issuers)
        if options.webhook_config_file is not None:
            from kajitori.apiserver.authentication.webhook import WebhookTokens
            from kajitori.apiserver.webhooks.kubeconfig import ConfiguredWebhook, WebhookConfigError

            try:
                webhook = ConfiguredWebhook(options.webhook_config_file)
            except WebhookConfigError as error:
                raise AuthenticationError(str(error)) from None
            remotes.append(
                WebhookTokens(
                    webhook,
                    version=options.webhook_version,
                    audiences=audiences,
                    seconds=options.webhook_cache_seconds,
                    monotonic=self._clock.monotonic,
                )
            )
        return remotes

    def trust(self, client_authorities: Sequence[Path]) -> None:
        """Whose certificates name users: matters where a proxy in front has an authority of its own.

        Raises: AuthenticationError.
        """
        if self.authenticator.front_proxy is not None:
            from kajitori.apiserver.authentication.frontproxy import certificates_in

            found = frozenset[bytes]().union(*map(certificates_in, client_authorities))
            if not self._options.request_header.allowed_names and (
                found & self.authenticator.front_proxy.authorities
            ):
                raise AuthenticationError(
                    "--requestheader-client-ca-file and --client-ca-file contain overlapping certificates; "
                    "--requestheader-allowed-names must be specified to ensure regular client certificates cannot set "
                    "authenticating proxy headers for arbitrary users"
                )
            self.authenticator.client_authorities = found

    # Beside the server.

    def start(self, background: "Background") -> None:
        """Asks the issuers for their keys, and looks after the configuration file."""
        if self._issuers is not None:
            background.spawn(self._issuers.run(), "discovery of token issuers")
            if self._options.config_file is not None:
                background.spawn(self._follow(self._options.config_file), "authentication configuration")

    async def _follow(self, path: Path) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                content = _read_again(path)
            except OSError:
                continue  # between two versions of the file
            if content != self._content:
                await self._reload(path, content)

    async def _reload(self, path: Path, content: bytes) -> None:
        from kajitori.apiserver.authentication.oidc.provider import ProviderError

        issuers, before = self._issuers, self._configuration
        assert issuers is not None and before is not None, "configured"
        try:
            configuration = self._read(content, path)
            if configuration.anonymous != before.anonymous:
                changed = FieldError.forbidden("anonymous", "changed from initial configuration file")
                self._judge(configuration, [changed])
        except AuthenticationError as error:
            self._content = content  # it never will be right
            issuers.figures.reloaded("failure")
            _log.error("the authentication configuration was not reloaded", extra={"why": str(error)})
            return
        try:
            await issuers.replace(configuration, RELOAD_SECONDS_MAX)
        except ProviderError as error:
            issuers.figures.reloaded("failure")
            _log.error("the authentication configuration was not reloaded", extra={"why": str(error)})
            return
        self._content, self._configuration = content, configuration
        self.authenticator.forget()
        issuers.figures.configured(content)
        issuers.figures.reloaded("success")
        _log.info("reloaded authentication config", extra={"file": str(path)})

    def lines(self) -> Iterator[str]:
        """What is measured of it."""
        if self._issuers is not None:
            yield from self._issuers.figures.lines()


def _read_again(path: Path) -> bytes:
    # A few KiB that the system remembers; a thread for them would take longer.
    return path.read_bytes()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AuthenticationError(
            f'failed to load authentication configuration from file "{path}": {error.strerror}'
        ) from None


def _static(secrets: Secrets, file: Path | None) -> dict[str, User]:
    """Users by their tokens. Raises: AuthenticationError."""
    try:
        tokens = {} if file is None else read_token_file(file)
    except OSError as error:
        raise AuthenticationError(f"cannot read the token file {file}: {error.strerror}") from None
    tokens[secrets.admin_token()] = User(ADMIN, "", (MASTERS,))
    return tokens


def _keys(secrets: Secrets, options: AuthenticationOptions) -> KeySet:
    """The keys of service account tokens. Those that somebody names are read now, to be complained about now.

    Raises: AuthenticationError.
    """
    signing = options.service_account_signing_key_file
    further = options.service_account_key_files
    keys = KeySet(signing or secrets.service_account_key_file, further)
    for each in (signing, *further):
        if each is not None and not each.is_file():
            raise AuthenticationError(f"cannot read the service account key {each}: there is no such file")
    try:
        if signing is not None:
            keys.load()
        else:
            keys.check_others()
    except (OSError, ValueError) as error:
        raise AuthenticationError(f"failed to read the service account keys: {error}") from None
    return keys
