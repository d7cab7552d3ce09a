"""Tokens on the server: the key that signs them, and which of them have been given back.

The key is made when the server starts and never leaves it: tokens do not outlive it. What is spent is remembered as
long as a token could still count.
"""

import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import msgspec

from kajitori.apimachinery.errors import FieldError, invalid
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.guardrails_v1alpha1.tokens import GROUP, Action, TokenError, issue, read
from kajitori.apiserver.authentication import User
from kajitori.storage import Item, Store, StoreError
from kajitori.world.clock import Clock

__all__ = ["CONFIRMATIONS", "Confirmations"]

CONFIRMATIONS = f"{GROUP}/confirmations"

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Confirmations:
    """What has been confirmed, and not been done yet."""

    def __init__(self, store: Store, clock: Clock, secret: Callable[[], str]) -> None:
        self._store, self._clock = store, clock
        self._key = hashlib.sha256(secret().encode()).digest()
        self._spent: dict[str, int] = {}

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

    def token_for(self, action: Action, lifetime_seconds: int) -> str:
        return issue(self._key, action, self._now() + lifetime_seconds * 1000)

    def check(self, confirmation: JsonObject, user: User) -> None:
        """Raises: Invalid where a token is not this user's, no longer counts, or is confirmed already."""
        name = confirmation["metadata"].get("name", "")
        others = {token for item, each in self._all() if item.name != name for token in _tokens(each)}
        errors: list[FieldError] = []
        for position, token in enumerate(_tokens(confirmation)):
            try:
                read(self._key, token, user.name, self._now())
                if token in self._spent:
                    raise TokenError("this token has been used; do the dry run again")
                if token in others:
                    raise TokenError("this token is confirmed already; go on")
            except TokenError as error:
                errors.append(FieldError.invalid(f"spec.tokens[{position}]", token, str(error)))
        if errors:
            raise invalid("Confirmation", GROUP, name, errors)

    def spend(self, action: Action) -> tuple[str, Awaitable[None]] | None:
        """Uses up the confirmation of an action; None where there is none.

        An eviction may be put off by a disruption budget, and is tried again: its token counts as long as the Pod is
        the same, which one that takes place changes. Gives why it was confirmed, and what is left to do: what is used
        up is put away.
        """
        digest, now = action.digest(), self._now()
        self._spent = {token: expires for token, expires in self._spent.items() if expires > now}
        for item, confirmation in self._all():
            for token in _tokens(confirmation):
                expires = self._counts(token, action.user, digest, now)
                if expires:
                    if not action.resource.endswith("/eviction"):
                        self._spent[token] = expires  # before anybody else gets a turn: it counts once
                    reason = str((confirmation.get("spec") or {}).get("reason") or item.name)
                    return reason, self._put_away(now)
        return None

    def _counts(self, token: str, user: str, digest: bytes, now: int) -> int:
        """When a token ends that is for this; 0 where it is for something else, or spent."""
        if token in self._spent:
            return 0
        try:
            found, expires = read(self._key, token, user, now)
        except TokenError:
            return 0
        return expires if found == digest else 0

    def _all(self) -> Iterator[tuple[Item, JsonObject]]:
        for item in self._store.range(CONFIRMATIONS):
            yield item, _decode(item.value)

    async def _put_away(self, now: int) -> None:
        """Deletes the Confirmations of which nothing can count any longer."""
        for item, confirmation in list(self._all()):
            if all(token in self._spent or self._is_over(token, now) for token in _tokens(confirmation)):
                try:
                    await self._store.delete(CONFIRMATIONS, item.name, None, expect=item.revision)
                except StoreError:
                    continue  # somebody else has put it away

    def put_away(self) -> Awaitable[None]:
        """Deletes the Confirmations whose time is over."""
        return self._put_away(self._now())

    @staticmethod
    def _is_over(token: str, now: int) -> bool:
        return _ends(token) <= now


def _ends(token: str) -> int:
    import base64
    import binascii

    try:
        return int.from_bytes(base64.b32decode(token[4:].upper())[:6], "big")
    except binascii.Error:
        return 0


def _tokens(confirmation: Mapping[str, Any]) -> list[str]:
    found = (confirmation.get("spec") or {}).get("tokens")
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []
