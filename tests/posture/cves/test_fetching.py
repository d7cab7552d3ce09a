"""Getting a feed."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.posture.cves.test_feed import FEED

from kajitori.posture.cves import fetching
from kajitori.posture.cves.feed import FeedError
from kajitori.posture.cves.fetching import OFFICIAL, fetch, get_feed, kept_path

NOW = datetime(2026, 11, 21, tzinfo=UTC)


class Site:
    """Answers, or fails, and counts."""

    def __init__(self, body: bytes = FEED, error: OSError | None = None) -> None:
        self.body = body
        self.error = error
        self.asked = 0

    def __call__(self, url: str) -> bytes:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.body


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "feed.json"
    path.write_bytes(FEED)
    got = get_feed(str(path), now=NOW, path=tmp_path / "kept")
    assert got.feed is not None and len(got.feed.advisories) == 4 and not got.missing
    assert got.notes == [f"the feed is the file {path} (it was made 2026-11-20T18:06:11Z)"]
    with pytest.raises(FileNotFoundError):
        get_feed(str(tmp_path / "gone"), now=NOW, path=tmp_path / "kept")
    path.write_bytes(b"{}")
    with pytest.raises(FeedError):
        get_feed(str(path), now=NOW, path=tmp_path / "kept")


def test_what_was_fetched_is_kept_for_a_day(tmp_path: Path) -> None:  # G1
    site, path = Site(), tmp_path / "deep/kept.json"
    first = get_feed(OFFICIAL, now=NOW, path=path, fetched=site)
    assert first.notes[0].startswith(f"the feed is that of {OFFICIAL}, fetched now (it was made ")
    for hours, asked in ((23, 1), (25, 2)):
        got = get_feed(OFFICIAL, now=NOW + timedelta(hours=hours), path=path, fetched=site)
        assert site.asked == asked and got.feed is not None
    assert len(list(path.parent.iterdir())) == 1
    get_feed("https://example.com/other.json", now=NOW, path=path, fetched=site)
    assert site.asked == 3, "what was kept is of another address"


def test_how_old_it_is_is_told(tmp_path: Path) -> None:  # G2
    path = tmp_path / "kept.json"
    get_feed(OFFICIAL, now=NOW, path=path, fetched=Site())
    for hours, age in ((1, "1 hour"), (20, "20 hours"), (24 * 40, "40 days")):
        got = get_feed(OFFICIAL, now=NOW + timedelta(hours=hours), path=path, offline=True, fetched=Site())
        assert f"fetched {age} ago" in got.notes[0]


def test_where_it_cannot_be_fetched(tmp_path: Path) -> None:  # G2
    path, broken = tmp_path / "kept.json", Site(error=OSError("no route"))
    got = get_feed(OFFICIAL, now=NOW, path=path, fetched=broken)
    assert got.feed is None and got.missing == [f"the feed {OFFICIAL} cannot be had: no route"]
    assert got.notes == ["no feed: judged by the shipped table alone"]
    get_feed(OFFICIAL, now=NOW, path=path, fetched=Site())
    got = get_feed(OFFICIAL, now=NOW + timedelta(days=3), path=path, fetched=broken)
    assert got.feed is not None and not got.missing and "fetched 3 days ago" in got.notes[0]
    got = get_feed(OFFICIAL, now=NOW + timedelta(days=3), path=path, fetched=Site(b"<html>no"))
    assert got.feed is not None and "it is no XML" in got.notes[1]


def test_offline_without_anything(tmp_path: Path) -> None:
    site = Site()
    got = get_feed(OFFICIAL, now=NOW, path=tmp_path / "kept.json", offline=True, fetched=site)
    assert (got.feed, got.missing, site.asked) == (None, [], 0)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"url":"u","fetched":"2026-01-01T00:00:00","body":"{}"}'])
def test_what_is_kept_and_damaged_counts_as_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kept.json"
    path.write_bytes(content)
    assert get_feed(OFFICIAL, now=NOW, path=path, fetched=Site()).feed is not None


def test_where_nothing_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert get_feed(OFFICIAL, now=NOW, path=tmp_path / "file/kept.json", fetched=Site()).feed is not None


def test_where_it_is_kept() -> None:
    assert kept_path({"XDG_CACHE_HOME": "/c"}) == Path("/c/kajitori/cve-feed.json")
    assert kept_path({"HOME": "/h"}) == Path("/h/.cache/kajitori/cve-feed.json")


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(404 if self.path == "/gone" else 200)
        self.end_headers()
        self.wfile.write(FEED)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def site() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_over_http(site: str, monkeypatch: pytest.MonkeyPatch) -> None:  # G3
    assert fetch(f"{site}/feed.json") == FEED
    with pytest.raises(OSError, match="404"):
        fetch(f"{site}/gone")
    monkeypatch.setattr(fetching, "FEED_BYTES_MAX", 10)
    with pytest.raises(OSError, match="longer than"):
        fetch(f"{site}/feed.json")
    with pytest.raises(OSError):
        fetch("http://127.0.0.1:1/")
