"""The status of a manager as a page for people, and as JSON.

One document: no script, no file besides, light or dark as the reader's browser. `?refresh=5` lets it load again every
five seconds. `?format=json`, or a request that accepts `application/json`, gives the same as JSON.

Promises
    A1  whatever names and errors hold is shown as text: nothing of them becomes markup
    A2  the page says what it shows without colour, without a mouse and to who cannot see it: tables have captions and
        headed rows, states are words
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import urlencode

import msgspec

from kajitori.apiserver.http import Response
from kajitori.ctrl import Manager, Request
from kajitori.ctrl.status import (
    CacheStatus,
    CauseStatus,
    ControllerStatus,
    ExplanationStatus,
    QueuedStatus,
    ReconcileStatus,
    Status,
    explain_status,
    snapshot,
)

__all__ = ["status_response"]

REFRESH_SECONDS_MAX = 3600

_STYLE = """
:root{color-scheme:light dark;--line:#8886;--soft:#8882;--bad:#b3261e;--good:#1b6e3a}
@media(prefers-color-scheme:dark){:root{--bad:#ffb4ab;--good:#8fd6a8}}
body{font:15px/1.45 system-ui,sans-serif;margin:1.5rem auto;max-width:76rem;padding:0 1rem}
h1{margin:0}h2{margin:2rem 0 .25rem}p{margin:.25rem 0}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:.25rem 0}
th,td{border-bottom:1px solid var(--line);padding:.2rem .6rem .2rem 0;text-align:left;vertical-align:top}
th{font-weight:600}td.n,th.n{text-align:right;white-space:nowrap}code,.error{font-family:ui-monospace,monospace;font-size:.92em}
.error{color:var(--bad);white-space:pre-wrap;overflow-wrap:anywhere}.bad{color:var(--bad);font-weight:600}.good{color:var(--good)}
form{display:flex;flex-wrap:wrap;gap:.5rem;align-items:end;margin:.5rem 0}label{display:grid}
""".strip()

_HEADERS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
     "base-uri 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
)  # fmt: skip


async def status_response(manager: Manager, path: str, query: Mapping[str, str], accept: str) -> Response:
    """What `/`, `/status` and `/explain` answer."""
    wants_json = query.get("format") == "json" or ("json" in accept and "text/html" not in accept)
    if path == "/explain":
        return _explained(manager, query, wants_json)
    status, failing = snapshot(manager), await manager.readyz.failing()
    if wants_json:
        return _json(200, {**msgspec.to_builtins(status), "failingChecks": failing})
    return _page(200, status.name, _overview(status, failing, query), refresh=query.get("refresh", ""))


def _explained(manager: Manager, query: Mapping[str, str], wants_json: bool) -> Response:
    controller, name = query.get("controller", ""), query.get("name", "")
    namespace, cluster = query.get("namespace", ""), query.get("cluster", "")
    if not cluster:
        name, _, cluster = name.partition(" in ")
    if not namespace and "/" in name:
        namespace, _, name = name.partition("/")
    known = [each.name for each in manager.controllers]
    if controller not in known or not name:
        problem = (
            "say which object: name=" if controller in known else f"there is no controller {controller!r}"
        ) + f"; controllers are {', '.join(known) or 'none'}"
        return _json(404, {"error": problem}) if wants_json else _page(404, "not found", [_p(problem)])
    told = explain_status(manager, controller, Request(namespace, name, cluster))
    if wants_json:
        return _json(200, msgspec.to_builtins(told))
    return _page(200, f"{told.name} in {controller}", _explanation(told))


# Pages.


def _overview(status: Status, failing: Sequence[str], query: Mapping[str, str]) -> Iterator[str]:
    yield f"<h1>{escape(status.name)}</h1>"
    ready = '<span class="good">ready</span>' if not failing else (
        f'<span class="bad">not ready</span> (failing: {escape(", ".join(failing))})'
    )  # fmt: skip
    yield f"<p>{escape(status.state)} for {_seconds(status.running_seconds)}, {ready}</p>"
    leader = status.leader
    if leader is not None and leader.ring:
        works = "at work" if leader.is_leader else "waiting for its Lease"
        yield _p(f"shard {leader.identity} of ring {leader.ring}: {works} (Lease {leader.lease})")
    elif leader is not None:
        holder = "this process leads" if leader.is_leader else f"led by {leader.leader or 'nobody'}"
        yield _p(f"leader election {leader.lease}: {holder} (we are {leader.identity})")
    again = '<a href="/status">stop refreshing</a>' if "refresh" in query else (
        '<a href="/status?refresh=5">refresh every 5 seconds</a>'
    )  # fmt: skip
    yield f'<p>{again} · <a href="/status?format=json">as JSON</a> · <a href="/metrics">figures</a></p>'
    yield _table(
        "Controllers",
        ["Controller", "Kind", "State", "#Workers", "#Ready", "#Waiting", "#Held", "#Parked", "#Failing",
         "#Done", "#Errors", "#Mean"],
        (_controller_row(each) for each in status.controllers),
    )  # fmt: skip
    yield _table(
        "Caches",
        ["Kind", "Only", "State", "#Objects", "#Memory", "#Last event", "#Version"],
        (_cache_row(each) for each in status.caches),
    )
    yield _form(status)
    for each in status.controllers:
        yield f"<h2>{escape(each.name)}</h2>"
        watched = ", ".join(dict.fromkeys(each.watches))
        yield _p(f"watches {watched}" if watched else "watches nothing")
        yield _table(
            f"Queue of {each.name}",
            ["Object", "State", "#For, or due in", "#Priority", "#Failures", "Why"],
            (_queued_row(each.name, queued) for queued in each.queue.names),
            empty="nothing is queued",
        )
        yield _reconciles(f"Last reconciles of {each.name}", each.name, each.last)


def _explanation(told: ExplanationStatus) -> Iterator[str]:
    yield f"<h1>{escape(told.name)}</h1>"
    failures = f", failed {told.failures} times in a row" if told.failures else ""
    where = escape(f"in controller {told.controller}: {told.state}{failures}")
    yield f'<p>{where} · <a href="/status">status</a></p>'
    if told.causes:
        yield f"<p>queued because: {_whys(told.causes)}</p>"
    yield _reconciles("Last reconciles", told.controller, told.last)


def _form(status: Status) -> str:
    options = "".join(f"<option>{escape(each.name)}</option>" for each in status.controllers)
    return (
        '<form action="/explain" method="get">'
        f'<label>Controller <select name="controller">{options}</select></label>'
        '<label>Namespace <input name="namespace"></label>'
        '<label>Name <input name="name" required></label>'
        "<button>Explain</button></form>"
    )


# Rows. Cells are markup already.


def _controller_row(status: ControllerStatus) -> list[str]:
    queue, done = status.queue, status.reconciles
    ended = done.success + done.requeue_after + done.error
    return [
        escape(status.name),
        escape(status.kind),
        escape(status.state),
        f"{status.active_workers} of {status.workers}",
        *(str(each) for each in (queue.ready, queue.waiting, queue.held, queue.parked)),
        _unless_zero(queue.failing),
        str(done.success + done.requeue_after),
        _unless_zero(done.error),
        _seconds(done.seconds / ended) if ended else "",
    ]


def _cache_row(status: CacheStatus) -> list[str]:
    only = [
        f"cluster {status.cluster}" if status.cluster else "",
        status.namespace,
        status.labels,
        status.fields,
        "metadata" if status.metadata_only else "",
    ]
    since = status.seconds_since_event
    return [
        escape(status.kind),
        escape(", ".join(each for each in only if each)),
        "synced" if status.synced else '<span class="bad">not listed yet</span>',
        str(status.objects),
        _bytes(status.memory_bytes),
        "" if since is None else f"{_seconds(since)} ago",
        escape(status.resource_version),
    ]


def _queued_row(controller: str, queued: QueuedStatus) -> list[str]:
    return [
        _linked(controller, queued.name),
        escape(queued.state),
        _seconds(queued.seconds),
        str(queued.priority),
        _unless_zero(queued.failures),
        _whys(queued.causes),
    ]


def _reconciles(caption: str, controller: str, last: Sequence[ReconcileStatus]) -> str:
    return _table(
        caption,
        ["Object", "Outcome", "#Ended", "#Waited", "#Took", "#Writes", "Why", "Then", "Id"],
        (_reconcile_row(controller, each) for each in last),
        empty="none has ended yet",
    )


def _reconcile_row(controller: str, reconcile: ReconcileStatus) -> list[str]:
    outcome = escape(reconcile.outcome)
    if reconcile.error:
        outcome = f'<span class="bad">{outcome}</span><div class="error">{escape(reconcile.error)}</div>'
    return [
        _linked(controller, reconcile.name),
        outcome,
        f"{_seconds(reconcile.ended_seconds_ago)} ago",
        _seconds(reconcile.waited_seconds),
        _seconds(reconcile.took_seconds),
        str(reconcile.writes),
        _whys(reconcile.causes),
        f"again after {_seconds(reconcile.requeue_seconds)}" if reconcile.requeue_seconds else "",
        f"<code>{escape(reconcile.reconcile_id[:8])}</code>",
    ]


def _linked(controller: str, name: str) -> str:
    query = escape(urlencode({"controller": controller, "name": name}))
    return f'<a href="/explain?{query}">{escape(name)}</a>'


def _whys(causes: Iterable[CauseStatus]) -> str:
    return "; ".join(escape(str(each)) for each in causes)


def _unless_zero(number: int) -> str:
    return f'<span class="bad">{number}</span>' if number else "0"


# HTML.


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str = "") -> str:
    """Heads that begin with `#` are of numbers; the first cell of a row is its head."""
    body = [_row(heads, row) for row in rows]
    if not body:
        return _p(f"{caption}: {empty or 'none'}")
    head = "".join(f'<th scope="col"{_numeric(each)}>{escape(each.lstrip("#"))}</th>' for each in heads)
    return (
        f'<div class="scroll" tabindex="0"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def _row(heads: Sequence[str], cells: Sequence[str]) -> str:
    first, *rest = cells
    further = "".join(f"<td{_numeric(head)}>{cell}</td>" for head, cell in zip(heads[1:], rest, strict=True))
    return f'<tr><th scope="row">{first}</th>{further}</tr>'


def _numeric(head: str) -> str:
    return ' class="n"' if head.startswith("#") else ""


def _p(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _page(code: int, title: str, parts: Iterable[str], *, refresh: str = "") -> Response:
    again = ""
    if refresh.isdecimal() and refresh.isascii() and 0 < int(refresh) <= REFRESH_SECONDS_MAX:
        again = f'<meta http-equiv="refresh" content="{int(refresh)}">'
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}: status</title>{again}<style>{_STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )
    return Response(code, text.encode(errors="replace"), "text/html; charset=utf-8", _HEADERS)


def _json(code: int, value: Any) -> Response:
    return Response(code, msgspec.json.encode(value) + b"\n", headers=_HEADERS)


def _seconds(value: float) -> str:
    """`1.2 ms`, `3.4 s`, `5 min`, `6.7 h`, `8 d`."""
    value = max(0.0, value)
    for limit, unit, size in ((1, "ms", 0.001), (120, "s", 1), (7200, "min", 60), (172_800, "h", 3600)):
        if value < limit:
            return f"{value / size:.3g} {unit}"
    return f"{value / 86_400:.3g} d"


def _bytes(value: int) -> str:
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value} B"
