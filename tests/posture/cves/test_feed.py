"""Reading feeds, and the texts of announcements."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.posture.cves.advisories import severity_of, severity_of_vector
from kajitori.posture.cves.feed import FeedError, read_feed
from kajitori.posture.cves.prose import read_prose
from kajitori.posture.cves.table import shipped

FEED = Path(__file__).with_name("feed.json").read_bytes()
OSV: dict[str, Any] = {
    "id": "CVE-2099-0003",
    "affected": [
        {
            "package": {"ecosystem": "Kubernetes", "name": "kubelet"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "1.36.0"}, {"last_affected": "1.36.4"}]}],
        }
    ],
}


def ranges(title: str, text: str) -> dict[str, list[str]]:
    affected, problem = read_prose(title, text)
    assert not problem
    return {each.component: [str(one) for one in each.ranges] for each in affected}


def test_the_official_feed() -> None:  # F1
    feed = read_feed(FEED)
    assert feed.updated == "2026-11-20T18:06:11Z" and feed.problems == ()
    by_name = {each.id: each for each in feed.advisories}
    first = by_name["CVE-2026-24512"]
    assert (first.source, first.severity, first.certain) == ("osv", "high", True)
    assert [str(each) for each in first.affected[0].ranges] == ["< 1.13.7", ">= 1.14.0 < 1.14.3"]
    text = by_name["CVE-2099-0001"]
    assert (text.source, text.certain, text.severity) == ("text", False, "")
    assert by_name["CVE-2099-0002"].problem == "its text has no heading Affected Versions"
    assert by_name["CVE-2099-0002"].status == "open"


def test_rss_says_the_same() -> None:
    items = "".join(
        f"<item><title>{each['id']} {each['summary']}</title><link>{each['url']}</link><guid>{each['id']}</guid>"
        f"<description>{_html(each['content_text'])}</description></item>"
        for each in msgspec.json.decode(FEED)["items"]
    )
    body = f'<?xml version="1.0"?><rss version="2.0"><channel><title>CVEs</title>{items}</channel></rss>'
    told, expected = read_feed(body.encode()).advisories, read_feed(FEED).advisories
    assert [(each.id, each.source, each.affected, each.link) for each in told] == [
        (each.id, each.source, each.affected, each.link) for each in expected
    ]


def _html(text: str) -> str:
    lines = "<br>".join(text.replace("<", "&lt;").splitlines())
    return lines.replace("&", "&amp;").replace("<", "&lt;")


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: [one], lambda one: {"vulns": [one]}])
def test_records_of_osv(wrap: Any) -> None:
    (one,) = read_feed(msgspec.json.encode(wrap(OSV))).advisories
    assert (one.id, one.source) == ("CVE-2099-0003", "osv")
    assert [str(each) for each in one.affected[0].ranges] == [">= 1.36.0 <= 1.36.4"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "it is neither JSON nor RSS"),
        (b"{", "it is neither JSON nor RSS"),
        (b"{}", "it has no items"),
        (b"[]", "it has no items"),
        (b"<html>", "it is no XML"),
        (b"<rss><channel/></rss>", "it has no items"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><rss/>', "it declares entities"),
    ],
)
def test_what_is_no_feed(body: bytes, told: str) -> None:
    with pytest.raises(FeedError, match=told):
        read_feed(body)


_names = st.sampled_from(
    ["id", "items", "vulns", "affected", "package", "name", "ranges", "type", "events", "introduced", "severity",
     "content_text", "aliases", "summary", "CVE-2099-0001", "SEMVER", "1.2.3", "kubelet"]
)  # fmt: skip
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | _names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=4),
)


@given(_json)
def test_no_feed_is_too_odd(value: Any) -> None:
    for body in (value, {"items": [value, {"id": "CVE-2099-0001", "summary": value, "content_text": value}]}, [
        {"id": value, "affected": value, "aliases": value, "severity": value, "references": value}
    ]):  # fmt: skip
        with suppress(FeedError):
            read_feed(msgspec.json.encode(body))


def test_items_that_are_not_understood_are_told() -> None:  # F2
    good = msgspec.json.decode(FEED)["items"][0]
    feed = read_feed(msgspec.json.encode({"items": [1, {"id": "GHSA-1"}, good]}))
    assert len(feed.advisories) == 1 and feed.problems == (
        "an item is no CVE: '1'",
        "an item is no CVE: 'GHSA-1'",
    )


NO_VERSION = '{"type": "SEMVER", "events": [{"fixed": "x"}]}'


@pytest.mark.parametrize(
    "block",
    [
        "{",
        "[]",
        "{}",
        '{"affected": []}',
        '{"affected": [{"package": {"name": "kubelet"}}]}',
        f'{{"affected": [{{"package": {{"name": "kubelet"}}, "ranges": [{NO_VERSION}]}}]}}',
    ],
)
def test_a_block_that_is_not_understood_leaves_the_text(block: str) -> None:
    text = f"```json osv\n{block}\n```\n#### Affected Versions\n- kubelet <= v1.30.1\n"
    item = {"id": "CVE-2099-0004", "summary": "s", "content_text": text}
    (one,) = read_feed(msgspec.json.encode({"items": [item]})).advisories
    assert one.source == "text" and one.problem.startswith("its block of OSV is not understood (")
    assert [str(each) for each in one.affected[0].ranges] == ["<= 1.30.1"]


AFFECTED = "#### Affected Versions\n"


@pytest.mark.parametrize(
    ("title", "text", "expected"),
    [
        (
            "kubelet",
            f"{AFFECTED}- kubelet v1.17.0 - v1.17.2\n- kubelet v1.16.0 – v1.16.6\n* kubelet v1.15.0 through 1.15.9",
            {"kubelet": [">= 1.17.0 <= 1.17.2", ">= 1.16.0 <= 1.16.6", ">= 1.15.0 <= 1.15.9"]},
        ),
        (  # P1: the latest does not swallow what the earlier ones have fixed
            "x",
            f"{AFFECTED}- kubelet <= v1.28.0\n- kubelet <= v1.27.4",
            {"kubelet": [">= 1.28.0 <= 1.28.0", "<= 1.27.4"]},
        ),
        ("x", f"{AFFECTED}- kube-apiserver v1.25.0", {"kube-apiserver": [">= 1.25.0 <= 1.25.0"]}),
        (
            "x",
            f"{AFFECTED}- kubelet >= v1.8.0 (including all later minor versions)",
            {"kubelet": [">= 1.8.0"]},
        ),
        (
            "ingress-nginx controller - injection",
            f"{AFFECTED}\n- < v1.11.0\n- v1.11.0 \\- 1.11.4  \n- v1.12.0",
            {"ingress-nginx": ["< 1.11.0", ">= 1.11.0 <= 1.11.4", ">= 1.12.0 <= 1.12.0"]},
        ),
        (
            "Command injection on Windows nodes",
            f"#### Affected Components\nKubelet\n \n{AFFECTED}v1.32.0\nv1.31.0 to v1.31.4\n<=v1.29.12\n### Detection",
            {"kubelet": [">= 1.32.0 <= 1.32.0", ">= 1.31.0 <= 1.31.4", "<= 1.29.12"]},
        ),
        (
            "CSI Driver for SMB path traversal",
            f"{AFFECTED}All versions of the CSI Driver for SMB prior to the v1.20.1 release are affected.",
            {"csi-driver-smb": ["< 1.20.1"]},
        ),
        (
            "kubelet: gitRepo",
            "**Affected Versions**\nAll versions of Kubernetes\n",
            {"kubelet": ["all versions"]},
        ),
        (
            "x",
            f"{AFFECTED}- kube-apiserver v1.0.x - 1.12.x\n- kube-apiserver v1.13.0-1.13.11, resolved in v1.13.12",
            {"kube-apiserver": [">= 1.0.0 < 1.13.0", ">= 1.13.0 <= 1.13.11"]},
        ),
        (
            "x",
            f"{AFFECTED}- kubelet <= 1.12\n- kubelet v1.14",
            {"kubelet": ["< 1.13.0", ">= 1.14.0 < 1.15.0"]},
        ),
        (
            "x",
            "Affected Versions:\nkubelet v1.2.0-beta.0 - v1.2.1",
            {"kubelet": [">= 1.2.0-beta.0 <= 1.2.1"]},
        ),
    ],
)
def test_texts_of_announcements(title: str, text: str, expected: dict[str, list[str]]) -> None:
    assert ranges(title, text) == expected


def test_fixed_versions_of_a_text() -> None:
    fixed = "#### Fixed Versions\n- kubelet master - fixed by #1.2\n- kubelet v1.28.1 - fixed by #120129"
    (one,), _ = read_prose("x", f"{AFFECTED}- kubelet v1.28.0\n{fixed}")
    assert [str(each) for each in one.fixed] == ["1.28.1"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nothing", "no heading Affected Versions"),
        (f"{AFFECTED}- kubelet versions shipped in spring", "a line that is not understood"),
        (f"{AFFECTED}- v1.2.0", "does not say of which component"),
        (f"{AFFECTED}- soon to be told", "says no versions"),
    ],
)
def test_texts_that_are_not_understood(text: str, told: str) -> None:  # P2
    affected, problem = read_prose("A title", text)
    assert affected == () and told in problem


@given(st.text(alphabet="v1.20<>=- \nkubeletAffected Versions#*()", max_size=200))
def test_no_text_is_too_odd(text: str) -> None:
    read_prose("kubelet", f"{AFFECTED}{text}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", "high"),  # 8.8
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "critical"),  # 9.8
        ("CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:L/I:N/A:N", "low"),  # 2.7
        ("CVSS:3.1/AV:N/AC:H/PR:H/UI:R/S:C/C:L/I:L/A:L", "medium"),  # 5.1
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:N", "low"),
        ("see [CVSS:3.0/AV:A/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L](http://x) (Medium)", "medium"),  # 4.3
        ("rated **HIGH**", "high"),
        ("nothing", ""),
        ("CVSS:3.1/AV:N/AC:Q", ""),
    ],
)
def test_severities(text: str, expected: str) -> None:
    assert severity_of(text) == expected
    assert severity_of_vector("CVSS:3.1/AV:N") == ""


def test_the_shipped_table() -> None:  # T1
    assert len(shipped()) > 20
    for each in shipped().values():
        assert each.link.startswith("https://github.com/kubernetes") and each.severity and each.affected, (
            each.id
        )
        assert each.summary and each.requires.keys() <= {"nodeOS", "volume"}
