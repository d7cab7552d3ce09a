"""Reading a feed of CVEs: the official one as JSON or RSS, or records of OSV.

Promises
    F1  one CVE is told once, by the best that is said of it: its block of OSV, else its text
    F2  an item that is not understood is told, and the others are read all the same

Source: https://kubernetes.io/docs/reference/issues-security/official-cve-feed/ and https://www.jsonfeed.org/version/1.1/
"""

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from kajitori.posture.cves.advisories import Advisory, osv_affected, osv_blocks, severity_of
from kajitori.posture.cves.prose import read_prose

__all__ = ["Feed", "FeedError", "read_feed"]

_ID = re.compile(r"CVE-\d{4}-\d{4,}")
_TAG = re.compile(r"<[^>]+>")
_BREAK = re.compile(r"<(?:br|/p|/li|/h\d|/div|/pre)[^>]*>", re.IGNORECASE)


class FeedError(Exception):
    """Why a text is no feed, in one sentence."""


class Feed(msgspec.Struct, frozen=True):
    """All that a feed says."""

    advisories: tuple[Advisory, ...]
    updated: str = ""
    """When it was made, as it says itself."""
    problems: tuple[str, ...] = ()


def read_feed(body: bytes) -> Feed:
    """The advisories of a feed.

    Raises: FeedError.
    """
    start = body.lstrip()[:1]
    if start == b"<":
        return _gathered(_rss(body))
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FeedError(f"it is neither JSON nor RSS: {error}") from None
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        ours = value.get("_kubernetes_io")
        updated = str(ours.get("updated_at") or "") if isinstance(ours, dict) else ""
        return _gathered(map(_item, value["items"]), updated)
    records = value.get("vulns", [value]) if isinstance(value, dict) else value
    if (
        isinstance(records, list)
        and records
        and all(isinstance(each, dict) and "affected" in each for each in records)
    ):
        return _gathered(map(_osv_record, records))
    raise FeedError("it has no items, as the official feed has, and is no record of OSV")


def _gathered(found: Iterable["Advisory | str"], updated: str = "") -> Feed:
    best: dict[str, Advisory] = {}
    problems: list[str] = []
    for each in found:
        if isinstance(each, str):
            problems.append(each)
        elif each.id not in best or (each.certain and not best[each.id].certain):
            best[each.id] = each
    return Feed(tuple(best.values()), updated, tuple(problems))


def _item(item: Any) -> "Advisory | str":
    if not isinstance(item, dict) or not isinstance(item.get("id"), str) or not _ID.fullmatch(item["id"]):
        shown = str(item.get("id") if isinstance(item, dict) else item)[:60]
        return f"an item is no CVE: {shown!r}"
    link = str(item.get("url") or item.get("external_url") or "")
    text = str(item.get("content_text") or "")
    return _announced(item["id"], str(item.get("summary") or ""), text, link, str(item.get("status") or ""))


def _announced(name: str, summary: str, text: str, link: str, status: str) -> Advisory:
    """From an announcement: by its block of OSV, or by its text."""
    problem = ""
    for block in osv_blocks(text):
        try:
            record = msgspec.json.decode(block.encode())
            named = str(record.get("id") or name)
            if _ID.fullmatch(named) and named != name and name not in (record.get("aliases") or ()):
                continue
            return Advisory(
                id=name,
                summary=summary or str(record.get("summary") or ""),
                severity=_osv_severity(record) or severity_of(text),
                source="osv",
                affected=osv_affected(record),
                link=link,
                status=status,
            )
        except (msgspec.DecodeError, ValueError, TypeError, AttributeError, KeyError) as error:
            problem = f"its block of OSV is not understood ({error}); "
    affected, wrong = read_prose(summary, text)
    return Advisory(
        id=name,
        summary=summary,
        severity=severity_of(text),
        source="text",
        affected=affected,
        link=link,
        problem=problem + wrong,
        status=status,
    )


def _osv_severity(record: Mapping[str, Any]) -> str:
    return next(
        filter(None, (severity_of(str(each.get("score"))) for each in record.get("severity") or ())), ""
    )


def _osv_record(record: Mapping[str, Any]) -> "Advisory | str":
    name = str(record.get("id"))
    try:
        names = (name, *map(str, record.get("aliases") or ()))
        name = next((each for each in names if _ID.fullmatch(each)), name)
        return Advisory(
            id=name,
            summary=str(record.get("summary") or ""),
            severity=_osv_severity(record),
            source="osv",
            affected=osv_affected(record),
            link=next((str(each.get("url")) for each in record.get("references") or ()), ""),
        )
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        return f"{name}: its record of OSV is not understood: {error}"


def _rss(body: bytes) -> Iterator["Advisory | str"]:
    """The items of an RSS feed. What declares entities is refused: they may grow without end."""
    from xml.etree import ElementTree

    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise FeedError("it declares entities, which no feed needs")
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise FeedError(f"it is no XML: {error}") from None
    items = root.findall("./channel/item")
    if not items:
        raise FeedError("it has no items")
    for each in items:
        title = each.findtext("title") or ""
        name = _ID.search(title) or _ID.search(each.findtext("guid") or "")
        if name is None:
            yield f"an item names no CVE: {title[:60]!r}"
            continue
        summary = title.replace(name[0], "").strip(" :-") or title
        text = html.unescape(_TAG.sub("", _BREAK.sub("\n", each.findtext("description") or "")))
        yield _announced(name[0], summary, text, each.findtext("link") or "", "")
