"""What controllers are given beside the API: what kube-controller-manager reads from files."""

from collections.abc import Callable
from dataclasses import dataclass

from kajitori.apimachinery.kind import JsonObject

__all__ = ["Means"]


@dataclass(frozen=True, slots=True)
class Means:
    """Certificates and keys."""

    ca: str = ""
    """The certificate of the API's authority, in PEM."""
    authority: Callable[[], tuple[bytes, bytes]] | None = None
    """The certificate and the key, in PEM, that certificates are signed with; None: none are signed."""
    sign_token: Callable[[JsonObject], str] | None = None
    """Makes a token of claims, signed as those of service accounts are; None: none are made."""
