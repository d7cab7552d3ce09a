"""When certificates are made, and in which order, so that no API server ever meets one that it does not believe. Pure.

Held are authorities, the newest first, of which the newest has its key, and one certificate to serve with, which one of
them signed. API servers believe the authorities of the bundle that was registered.

States
    nothing     there are no certificates: an authority is made, and a certificate by it
    steady      the certificate is of the newest authority, and both last
    announced   a newer authority is in the bundle; the certificate is of the one before, until API servers know
    replaced    the certificate is of the newest authority; those before stay in the bundle until all replicas serve it

Promises
    N1  a certificate is served only when its authority has been in what is registered for SETTLE_SECONDS, but for the
        very first
    N2  an authority leaves the bundle only when no replica serves by it any more, or when it has ended
    N3  an authority and a certificate are renewed when a third of their time is left
    N4  only who leads renews; anybody makes the first
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

__all__ = [
    "AUTHORITY_DAYS",
    "CHECK_SECONDS",
    "REPLACED_SECONDS",
    "SERVING_DAYS",
    "SETTLE_SECONDS",
    "Held",
    "Step",
    "Validity",
    "decide",
]

AUTHORITY_DAYS = 365
SERVING_DAYS = 90
SETTLE_SECONDS = 600.0
"""Between an authority's being registered and its first use: API servers learn of registrations within seconds."""
REPLACED_SECONDS = 24 * 3600.0
"""Between a certificate's first use and the end of the authorities before: replicas look every CHECK_SECONDS."""
CHECK_SECONDS = 300.0
"""How often a process looks at what others have done, and at the time."""
_RENEWED_AT = 1 / 3
"""The part of its time that is left of what is renewed."""


@dataclass(frozen=True, slots=True)
class Validity:
    """From when to when something is believed."""

    begin: datetime
    end: datetime

    def is_due(self, now: datetime) -> bool:
        """Whether it is to be renewed."""
        return self.end - now <= (self.end - self.begin) * _RENEWED_AT

    def is_over(self, now: datetime) -> bool:
        return now >= self.end


@dataclass(frozen=True, slots=True)
class Held:
    """What is to be known of the certificates that are held."""

    authorities: tuple[Validity, ...]
    """The newest first."""
    serving: Validity
    signer: int | None
    """Which of the authorities signed; None: none of them."""
    names: AbstractSet[str]


class Step(Enum):
    """What to do next."""

    NOTHING = "nothing"
    BEGIN = "begin"
    """Make an authority and a certificate."""
    ANNOUNCE = "announce"
    """Add an authority to the bundle."""
    ISSUE = "issue"
    """Make a certificate by the newest authority."""
    DROP = "drop"
    """Leave out the authorities that are no longer needed."""


def decide(
    held: Held | None, names: AbstractSet[str], now: datetime, *, leads: bool, is_settled: bool
) -> Step:
    """The next step. `names` are those to serve by; `is_settled`: what is held has been registered for
    SETTLE_SECONDS; `held` is None where there is nothing, or nothing that can be used.
    """
    if held is None:
        return Step.BEGIN
    if not leads:
        return Step.NOTHING
    if held.signer is None or held.serving.is_over(now) or held.authorities[held.signer].is_over(now):
        return Step.BEGIN  # nobody believes it; there is nothing to be lost
    if held.authorities[0].is_due(now):
        return Step.ANNOUNCE
    if held.signer > 0 or held.serving.is_due(now) or not names <= held.names:
        return Step.ISSUE if held.signer == 0 or is_settled else Step.NOTHING
    if len(held.authorities) > 1 and now - held.serving.begin >= timedelta(seconds=REPLACED_SECONDS):
        return Step.DROP
    if any(each.is_over(now) for each in held.authorities):
        return Step.DROP
    return Step.NOTHING
