"""The status page: what it shows, to whom, and that nothing of what it shows becomes markup."""

import asyncio
import re
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from tests.ctrl.scripted import PODS, Asked, Script, pod, pod_list

from kajitori.apimachinery.errors import Invalid
from kajitori.apiserver.http import Request as HttpRequest
from kajitori.apiserver.http import Response
from kajitori.cli.probing import Address, Endpoints, is_of_this_machine, parse_address
from kajitori.cli.status_page import status_response
from kajitori.client import Client
from kajitori.ctrl import DONE, Manager, Request, Result
from kajitori.testing import VirtualClock, run_virtual
from kajitori.world.random import SeededRandom

EVIL = '<img src=x onerror="alert(1)">'


def respond(asked: Asked) -> Any:
    if "sendInitialEvents" in asked.query:
        return Invalid("no")
    return [] if asked.is_watch else pod_list(5, pod("good", 1), pod("bad", 1), pod("slow", 1))


class Mixed:
    async def reconcile(self, request: Request) -> Result:
        if request.name == "bad":
            raise OSError(EVIL)
        if request.name == "slow":
            await asyncio.sleep(1000)
        return DONE


def answered(
    path: str = "/", accept: str = "text/html", /, called: str = "pods", **query: str
) -> tuple[Response, str]:
    async def run() -> Response:
        manager = Manager(
            Client(Script(respond)), clock=VirtualClock(), random=SeededRandom(1), graceful_seconds=0
        )
        manager.controller(called, Mixed(), for_=PODS, workers=2)
        task = asyncio.create_task(manager.run())
        await asyncio.sleep(5)
        said = await status_response(manager, path, query, accept)
        manager.stop()
        await task
        return said

    said = run_virtual(run())
    body = said.body
    assert isinstance(body, bytes)
    return said, body.decode()


class Checker(HTMLParser):
    """Holds a page to what everybody can read: everything that is opened is closed, tables are headed."""

    VOID = frozenset({"meta", "input", "link", "br"})
    ALLOWED = frozenset(
        {
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "main",
            "h1",
            "h2",
            "p",
            "a",
            "span",
            "div",
            "code",
        }
        | {"table", "caption", "thead", "tbody", "tr", "th", "td"}
        | {"form", "label", "select", "option", "input", "button"}
    )

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.ALLOWED, tag
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for each, attributes in self.seen if each == tag]


def test_the_page_is_whole_and_can_be_read_without_eyes() -> None:  # A2
    said, text = answered()
    page = Checker(text)
    assert said.status == 200 and said.content_type.startswith("text/html")
    assert page.all("html")[0]["lang"] == "en" and len(page.all("h1")) == len(page.all("main")) == 1
    assert len(page.all("table")) == len(page.all("caption")) == 4
    assert all(each.get("scope") in ("col", "row") for each in page.all("th"))
    for expected in ("default/slow", "running", "Pod.v1", "synced", "1 of 2", "create Pod default/bad"):
        assert expected in text


def test_nothing_that_is_shown_becomes_markup() -> None:  # A1
    for path, query in (("/", {}), ("/explain", {"controller": EVIL, "name": "default/bad"})):
        said, text = answered(path, called=EVIL, **query)
        page = Checker(text)
        assert not page.all("img") and "<script" not in text and "&lt;img src=x" in text
    headers = dict(said.headers)
    assert (
        "default-src 'none'" in headers["Content-Security-Policy"] and headers["Cache-Control"] == "no-store"
    )


def test_what_is_asked_for_and_is_not_there_is_said_as_text() -> None:  # A1
    for query in ({"controller": EVIL, "name": "a"}, {"controller": "pods"}, {}):
        said, text = answered("/explain", **query)
        Checker(text)
        assert said.status == 404 and "controllers are pods" in text
    said, text = answered("/explain", "application/json", controller="none", name="a")
    assert said.status == 404 and "there is no controller 'none'" in msgspec.json.decode(text)["error"]


def test_names_lead_to_their_explanations() -> None:
    _, text = answered()
    links = [each["href"] or "" for each in Checker(text).all("a")]
    assert "/explain?controller=pods&name=default%2Fbad" in links
    said, text = answered("/explain", controller="pods", name="default/bad")
    assert said.status == 200 and re.search(r"failed \d+ times in a row", text) and "again after" in text
    _, same = answered("/explain", controller="pods", name="bad", namespace="default")
    assert same == text


@pytest.mark.parametrize(
    ("accept", "query"),
    [("application/json", {}), ("text/html", {"format": "json"}), ("", {"format": "json"})],
)
def test_the_same_is_json(accept: str, query: dict[str, str]) -> None:
    said, text = answered("/status", accept, **query)
    told = msgspec.json.decode(text)
    assert said.content_type == "application/json"
    assert told["controllers"][0]["reconciles"]["success"] == 1 and told["failingChecks"] == []


@pytest.mark.parametrize(
    ("refresh", "seconds"), [("5", "5"), ("0", None), ("-1", None), ("5;url=x", None), ("9999999", None)]
)
def test_the_page_loads_itself_again_when_asked(refresh: str, seconds: str | None) -> None:
    _, text = answered(refresh=refresh)
    again = [each for each in Checker(text).all("meta") if each.get("http-equiv") == "refresh"]
    assert [each["content"] for each in again] == ([seconds] if seconds else [])


class Peer:
    def __init__(self, remote: str) -> None:
        self.remote = remote

    def certificate(self) -> bytes | None:
        return None


@pytest.mark.parametrize(
    ("remote", "host", "is_told"),
    [
        ("127.0.0.1:5", "127.0.0.1:8080", True),
        ("127.0.0.1:5", "localhost:8080", True),
        ("127.0.0.1:5", "LocalHost", True),
        ("[::1]:5", "[::1]:8080", True),
        ("[::ffff:127.0.0.1]:5", "127.0.0.1", True),
        ("127.0.0.1:5", "evil.example.com", False),
        ("127.0.0.1:5", "localhost.example.com:8080", False),
        ("127.0.0.1:5", "", False),
        ("192.0.2.7:5", "127.0.0.1:8080", False),
        ("[2001:db8::1]:5", "localhost", False),
        ("", "localhost", False),
    ],
)
def test_it_is_told_to_this_machine_only(remote: str, host: str, is_told: bool) -> None:  # E2
    request = HttpRequest(Peer(remote), "GET", "/", headers={"host": host} if host else {}, body=b"")
    assert is_of_this_machine(request) is is_told


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0", None),
        ("", None),
        (":8080", Address("", 8080)),
        ("127.0.0.1:0", Address("127.0.0.1", 0)),
        ("[::1]:80", Address("::1", 80)),
    ],
)
def test_addresses_are_written_as_in_go(text: str, address: Address | None) -> None:
    assert parse_address("--x", text) == address
    if address is not None and address.host:
        assert str(address) == text


def test_an_address_that_is_taken_ends_what_listened_already() -> None:  # E1
    async def run() -> None:
        manager = Manager(Client(Script(respond)))
        free = Endpoints(manager, metrics=Address("127.0.0.1", 0), health=None)
        served = dict(await free.listen())
        port = int(served["metrics"].split(":")[2].split("/")[0])
        taken = Endpoints(manager, metrics=Address("127.0.0.1", port), health=Address("127.0.0.1", 0))
        with pytest.raises(Exception, match="cannot listen there"):
            await taken.listen()
        await free.close()
        await free.close()

    asyncio.run(run())
