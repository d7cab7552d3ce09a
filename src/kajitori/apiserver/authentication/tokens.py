"""What the authenticators of bearer tokens have in common."""

from collections.abc import Sequence
from typing import Protocol

from kajitori.apiserver.authentication.user import User

__all__ = ["Found", "RemoteTokens", "common_audiences"]

Found = tuple[User, tuple[str, ...]]
"""Who holds a token, and for which of the audiences that were asked for."""


class RemoteTokens(Protocol):
    """Tokens that somebody elsewhere issues, or knows."""

    def concerns(self, token: str) -> bool:
        """Whether it is worth asking; cheap."""
        ...

    async def identify(self, token: str, audiences: Sequence[str]) -> Found | None:
        """Who holds it; None: not known here.

        Raises: TokenError when it is known why it does not count.
        """
        ...


def common_audiences(own: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...] | None:
    """For which audiences a token counts that says nothing about them: the API server's `own`, of those wanted.

    None: for none of them.
    """
    if not wanted:
        return ()
    return tuple(each for each in own if each in wanted) or None
