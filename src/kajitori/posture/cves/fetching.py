"""Getting a feed: from a file, from its address, from what was kept of it.

Promises
    G1  what was fetched is kept with its address and the moment, and used for FRESH_HOURS; older, it is fetched anew
    G2  where it cannot be fetched what was kept is used, however old, and its age is told
    G3  no answer is read beyond FEED_BYTES_MAX, and none is waited for longer than FETCH_SECONDS
"""

import os
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from kajitori.posture.cves.feed import Feed, FeedError, read_feed

__all__ = ["FEED_BYTES_MAX", "FRESH_HOURS", "OFFICIAL", "Got", "Kept", "fetch", "get_feed", "kept_path"]

OFFICIAL = "https://kubernetes.io/docs/reference/issues-security/official-cve-feed/index.json"
FEED_BYTES_MAX = 64 * 1024 * 1024
"""A hundred times the feed of today."""
FETCH_SECONDS = 15.0
FRESH_HOURS = 24

Fetch = Callable[[str], bytes]


class Kept(msgspec.Struct):
    """What was fetched."""

    url: str
    fetched: datetime
    body: str


class Got(msgspec.Struct):
    """A feed, and where it is from."""

    feed: Feed | None
    notes: list[str] = []
    missing: list[str] = []
    """Why there is none, where it was to be fetched."""


def kept_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Where a fetched feed is kept."""
    folder = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME") or Path.home()) / ".cache"
    return Path(folder) / "kajitori" / "cve-feed.json"


def fetch(url: str) -> bytes:
    """The answer at an address.

    Raises: OSError with what went wrong.
    """
    from http.client import HTTPException
    from urllib.request import Request, urlopen

    request = Request(url, headers={"accept": "application/json, */*", "user-agent": "kajitori-audit"})
    try:
        with urlopen(request, timeout=FETCH_SECONDS) as answer:
            body: bytes = answer.read(FEED_BYTES_MAX + 1)
    except (HTTPException, ValueError) as error:
        raise OSError(str(error) or type(error).__name__) from None
    if len(body) > FEED_BYTES_MAX:
        raise OSError(f"it is longer than {FEED_BYTES_MAX >> 20} MiB")
    return body


def get_feed(where: str, *, now: datetime, path: Path, offline: bool = False, fetched: Fetch = fetch) -> Got:
    """The feed at a path or an address; `path` is where what was fetched is kept.

    Raises: FeedError, OSError when a file is no feed, or an address that was asked for gives none.
    """
    if not where.startswith(("https://", "http://")):
        file = Path(where)
        feed = read_feed(file.read_bytes())
        return Got(feed, [f"the feed is the file {file}{_updated(feed)}"])
    kept = _kept(path, where)
    fresh = kept is not None and now - kept.fetched < timedelta(hours=FRESH_HOURS)
    if not fresh and not offline:
        try:
            body = fetched(where)
            feed = read_feed(body)
        except (OSError, FeedError) as error:
            got = _old(kept, now)
            told = f"the feed {where} cannot be had: {error}"
            (got.missing if kept is None else got.notes).append(told)
            return got
        _keep(path, Kept(where, now, body.decode(errors="replace")))
        return Got(feed, [f"the feed is that of {where}, fetched now{_updated(feed)}"])
    return _old(kept, now)


def _old(kept: Kept | None, now: datetime) -> Got:
    if kept is None:
        return Got(None, ["no feed: judged by the shipped table alone"])
    feed = read_feed(kept.body.encode())
    return Got(
        feed, [f"the feed is that of {kept.url}, fetched {_age(now - kept.fetched)} ago{_updated(feed)}"]
    )


def _updated(feed: Feed) -> str:
    return f" (it was made {feed.updated})" if feed.updated else ""


def _age(past: timedelta) -> str:
    hours = int(past.total_seconds() // 3600)
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} hours" if hours != 1 else "1 hour"


def _kept(path: Path, url: str) -> Kept | None:
    """What was kept of this address; what is damaged counts as nothing."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Kept)
        read_feed(found.body.encode())
    except (OSError, msgspec.DecodeError, FeedError):
        return None
    return found if found.url == url and found.fetched.tzinfo is not None else None


def _keep(path: Path, kept: Kept) -> None:
    """Keeps it, whole or not at all; where nothing can be written nothing is kept."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix="cve-feed-")
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(kept))
        os.replace(name, path)
    except OSError:
        return
