"""Who is asked whether somebody may: the modes that the options name, or a file, which may change meanwhile.

A mode is imported when it is one of them: the usual ones need neither a policy file nor webhooks.

Promises
    M1  flags and files that make no sense stop the start, with all that is wrong
    M2  a file that has changed counts within RELOAD_SECONDS; one that makes no sense changes nothing, and is logged
    M3  types that were there at the start, webhooks aside, stay, and no others come
"""

import asyncio
import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kajitori.apiserver.authorization import Authorizer, Member, Mode, Rbac
from kajitori.apiserver.authorization.configured import (
    ConfiguredAuthorizer,
    ConfiguredWebhook,
    WebhookSettings,
)
from kajitori.apiserver.background import Background
from kajitori.apiserver.operating.exposition import Lines, family, labelled
from kajitori.world.clock import Clock

if TYPE_CHECKING:
    from kajitori.apiserver.authorization.webhook_figures import WebhookFigures
    from kajitori.cluster.outgoing import KubeconfigWebhook
    from kajitori.storage import Store

__all__ = ["MODES", "Authorization", "AuthorizationError", "Authorizing"]

_log = logging.getLogger(__name__)

MODES = ("AlwaysAllow", "AlwaysDeny", "ABAC", "Webhook", "RBAC", "Node")
"""Every mode that kube-apiserver knows, in the order in which it names them."""

DEFAULT_MODES = ("Node", "RBAC")

RELOAD_SECONDS = 1.0
"""How often it is looked whether the file has changed."""

DROP_SECONDS = 60.0
"""How long connections to webhooks that are asked no more are kept: longer than any call takes."""

_TIMEOUT_SECONDS = 30.0
"""Of a webhook that a flag names."""

_IDENTITY = {"apiserver_id_hash": f"sha256:{hashlib.sha256(b'kajitori').hexdigest()}"}


class AuthorizationError(ValueError):
    """What is wrong with how authorization is configured, in one sentence."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """The flags `--authorization-*`, as kube-apiserver has them; None where one is not given."""

    modes: tuple[str, ...] | None = None
    """Who is asked, in that order. None: nodes about themselves, then roles."""
    policy_file: Path | None = None
    """The lines of mode ABAC."""
    webhook_config_file: Path | None = None
    """A kubeconfig file: who is asked by mode Webhook."""
    webhook_version: str | None = None
    webhook_cache_authorized_seconds: float | None = None
    webhook_cache_unauthorized_seconds: float | None = None
    config_file: Path | None = None
    """An AuthorizationConfiguration, instead of all others but `policy_file`."""


@dataclass(slots=True)
class _Reloads:
    """What is counted of a file that changes."""

    counts: dict[str, int] = field(default_factory=dict[str, int])
    last: dict[str, float] = field(default_factory=dict[str, float])
    data: bytes = b""


class Authorizing:
    """The authorizer of a cluster, from its start to its end."""

    def __init__(self, options: Authorization, store: "Store", clock: Clock) -> None:
        """Raises: AuthorizationError."""
        self._options = options
        self._store = store
        self._clock = clock
        self._rbac = Rbac.of_store(store)
        self._modes: dict[str, Mode] = {}
        """Those that stay as they are whatever file comes."""
        self._figures: WebhookFigures | None = None
        self._outgoing: list[KubeconfigWebhook] = []
        self._reloads = _Reloads()
        configured = self._read_file() if options.config_file is not None else self._by_flags()
        self._required = {each.type for each in configured if each.type != "Webhook"}
        for each in self._required:
            self._modes[each] = self._mode(each)
        members, self._outgoing = self._members(configured)
        self.authorizer = Authorizer(self._rbac, members)

    @property
    def lines(self) -> list[Lines]:
        """What is counted."""
        return [self.authorizer.lines, self._webhook_lines, self._reload_lines]

    def start(self, background: Background) -> None:
        """Follows the file, if there is one."""
        if self._options.config_file is not None:
            background.spawn(self._follow(self._options.config_file, background), "authorization config")

    async def close(self) -> None:
        """Hangs up."""
        for each in self._outgoing:
            await each.close()

    # Who is asked.

    def _by_flags(self) -> list[ConfiguredAuthorizer]:
        options = self._options
        modes = DEFAULT_MODES if options.modes is None else options.modes
        _check(options, modes)
        return [
            ConfiguredAuthorizer(type="Webhook", name="default", webhook=_flagged(options))
            if mode == "Webhook"
            else ConfiguredAuthorizer(type=mode, name=mode.lower())
            for mode in modes
        ]

    def _read_file(self) -> list[ConfiguredAuthorizer]:
        from kajitori.apiserver.authorization.configuration import read_configuration

        options = self._options
        path = options.config_file
        assert path is not None
        if any(each is not None for each in (options.modes, *_webhook_flags(options))):
            raise AuthorizationError(
                "--authorization-config can not be specified when --authorization-mode or "
                "--authorization-webhook-* flags are defined"
            )
        try:
            self._reloads.data = path.read_bytes()
            return read_configuration(self._reloads.data)
        except OSError as error:
            raise AuthorizationError(f"open {path}: {(error.strerror or str(error)).lower()}") from None
        except ValueError as error:
            raise AuthorizationError(str(error)) from None

    def _mode(self, name: str) -> Mode:
        """Raises: AuthorizationError."""
        if name == "RBAC":
            return self._rbac
        if name == "Node":
            from kajitori.apiserver.authorization.node import NodeAuthorizer

            return NodeAuthorizer(self._store)
        from kajitori.apiserver.authorization import abac

        if name != "ABAC":
            return abac.AlwaysAllow() if name == "AlwaysAllow" else abac.AlwaysDeny()
        if self._options.policy_file is None:
            raise AuthorizationError("authorization-mode ABAC's authorization policy file not passed")
        try:
            return abac.Abac(abac.read_policies(self._options.policy_file))
        except abac.PolicyFileError as error:
            raise AuthorizationError(f"invalid authorization config: {error}") from None

    def _members(
        self, configured: Sequence[ConfiguredAuthorizer]
    ) -> "tuple[list[Member], list[KubeconfigWebhook]]":
        """Who is asked, and whom they ask. Raises: AuthorizationError."""
        members: list[Member] = []
        outgoing: list[KubeconfigWebhook] = []
        for each in configured:
            if each.webhook is not None:
                mode, asked = self._webhook(each.webhook)
                outgoing.append(asked)
            elif each.type in self._modes:
                mode = self._modes[each.type]
            else:
                raise AuthorizationError(
                    f"authorizer type {each.type} is not allowed if it was not enabled at initial server startup"
                )
            members.append(Member(each.type, mode, each.name))
        return members, outgoing

    def _webhook(self, configured: ConfiguredWebhook) -> "tuple[Mode, KubeconfigWebhook]":
        from kajitori.apiserver.authorization.webhook import Webhook
        from kajitori.apiserver.authorization.webhook_figures import WebhookFigures
        from kajitori.client.config import ConfigError
        from kajitori.cluster.outgoing import KubeconfigWebhook

        if self._figures is None:
            self._figures = WebhookFigures()
        try:
            asked = KubeconfigWebhook(configured.kubeconfig, configured.timeout_seconds, clock=self._clock)
        except ConfigError as error:
            raise AuthorizationError(f"invalid authorization config: {error}") from None
        webhook = Webhook(
            configured.settings, asked.post, configured.conditions, figures=self._figures, clock=self._clock
        )
        return webhook, asked

    # The file, as it changes.

    async def _follow(self, path: Path, background: Background) -> None:
        seen: object = None
        while True:
            await asyncio.sleep(RELOAD_SECONDS)
            seen = self._look(path, seen, background)

    def _look(self, path: Path, seen: object, background: Background) -> object:
        """Reads the file where it is not as it was `seen`; gives what is seen now."""
        try:
            found = path.stat()
            now: object = (found.st_mtime_ns, found.st_size, found.st_ino)
            if now == seen:
                return now
            data = path.read_bytes()
        except OSError as error:
            if seen != error.errno:
                self._not_reloaded(str(error))
            return error.errno
        if data != self._reloads.data:
            self._reloads.data = data
            self._reload(data, background)
        return now

    def _reload(self, data: bytes, background: Background) -> None:
        from kajitori.apiserver.authorization.configuration import read_configuration

        try:
            configured = read_configuration(data, self._required)
            members, outgoing = self._members(configured)
        except ValueError as error:
            self._not_reloaded(str(error))
            return
        self.authorizer.replace(members)
        before, self._outgoing = self._outgoing, outgoing
        background.spawn(_drop(before), "webhooks that are asked no more")
        self._count("success")
        _log.info("reloaded the authorization config")

    def _not_reloaded(self, why: str) -> None:
        self._count("failure")
        _log.error("the authorization config was not reloaded", extra={"why": why})

    def _count(self, status: str) -> None:
        self._reloads.counts[status] = self._reloads.counts.get(status, 0) + 1
        self._reloads.last[status] = self._clock.now().timestamp()

    # What is counted.

    def _webhook_lines(self) -> Iterator[str]:
        if self._figures is not None:
            yield from self._figures.lines()

    def _reload_lines(self) -> Iterator[str]:
        if self._options.config_file is None:
            return
        prefix = "apiserver_authorization_config_controller"
        reloads = self._reloads

        def labels(status: str) -> str:
            return labelled({**_IDENTITY, "status": status})

        yield from family(
            f"{prefix}_automatic_reload_last_timestamp_seconds",
            "gauge",
            "When the authorization config was last reloaded, or failed to be.",
            ((labels(status), when) for status, when in sorted(reloads.last.items())),
        )
        yield from family(
            f"{prefix}_automatic_reloads_total",
            "counter",
            "Reloads of the authorization config.",
            ((labels(status), count) for status, count in sorted(reloads.counts.items())),
        )
        digest = f"sha256:{hashlib.sha256(reloads.data).hexdigest()}"
        yield from family(
            f"{prefix}_last_config_info",
            "gauge",
            "Which authorization config was read last.",
            [(labelled({**_IDENTITY, "hash": digest}), 1)],
        )


async def _drop(outgoing: "Sequence[KubeconfigWebhook]") -> None:
    try:
        await asyncio.sleep(DROP_SECONDS)
    finally:
        for each in outgoing:
            await each.close()


def _webhook_flags(options: Authorization) -> tuple[object, ...]:
    return (
        options.webhook_config_file,
        options.webhook_version,
        options.webhook_cache_authorized_seconds,
        options.webhook_cache_unauthorized_seconds,
    )


def _flagged(options: Authorization) -> ConfiguredWebhook:
    """The webhook that the flags describe."""
    authorized, unauthorized = (
        options.webhook_cache_authorized_seconds,
        options.webhook_cache_unauthorized_seconds,
    )
    settings = WebhookSettings(
        name="default",
        authorized_seconds=300.0 if authorized is None else authorized,
        unauthorized_seconds=30.0 if unauthorized is None else unauthorized,
        version=options.webhook_version or "v1beta1",
        fails_closed=False,
    )
    return ConfiguredWebhook(
        settings=settings,
        timeout_seconds=_TIMEOUT_SECONDS,
        kubeconfig=str(options.webhook_config_file),
    )


def _check(options: Authorization, modes: Sequence[str]) -> None:
    errors: list[str] = []
    if not modes:
        errors.append("at least one authorization-mode must be passed")
    for mode in modes:
        if mode not in MODES:
            errors.append(f'authorization-mode "{mode}" is not a valid mode; use {", ".join(MODES)}')
        if mode == "ABAC" and options.policy_file is None:
            errors.append("authorization-mode ABAC's authorization policy file not passed")
        if mode == "Webhook" and options.webhook_config_file is None:
            errors.append("authorization-mode Webhook's authorization config file not passed")
    if options.policy_file is not None and "ABAC" not in modes:
        errors.append("cannot specify --authorization-policy-file without mode ABAC")
    if options.webhook_config_file is not None and "Webhook" not in modes:
        errors.append("cannot specify --authorization-webhook-config-file without mode Webhook")
    if len(set(modes)) != len(modes):
        quoted = " ".join(f'"{each}"' for each in modes)
        errors.append(f"authorization-mode [{quoted}] has mode specified more than once")
    if options.webhook_version not in (None, "v1", "v1beta1"):
        errors.append(
            f'unsupported webhook authorizer version "{options.webhook_version}", supported versions are v1, v1beta1'
        )
    if errors:
        raise AuthorizationError(errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]")
