"""Who is asked whether somebody may, as flags or a file say."""

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from kajitori.apimachinery.cel.expression import Expression

__all__ = ["ConfiguredAuthorizer", "ConfiguredWebhook", "WebhookSettings"]


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is configured of one webhook."""

    name: str
    authorized_seconds: float
    """How long it is believed that somebody may; 0: asked each time."""
    unauthorized_seconds: float
    version: str
    """Of SubjectAccessReview: `v1` or `v1beta1`."""
    fails_closed: bool
    """Whether what it does not answer is denied; else others are asked."""


class ConfiguredWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook."""

    settings: WebhookSettings
    timeout_seconds: float
    kubeconfig: str
    """Empty: this very server, as a Pod reaches it."""
    conditions: "tuple[Expression, ...]" = ()


class ConfiguredAuthorizer(msgspec.Struct, frozen=True, kw_only=True):
    """One that is asked."""

    type: str
    name: str
    webhook: ConfiguredWebhook | None = None
