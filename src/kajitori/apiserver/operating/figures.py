"""What is counted of requests: how many, how long, how large, by verb and resource.

Names, labels and buckets are kube-apiserver's, so that dashboards and alerts made for it show this server. A
request costs one look-up of its route's counters, which are bound when the route is first used.

Promises
    F1  requests are counted as kube-apiserver counts them: once they have reached a resource; refusals before that
        (401, 403) show in the counters of authentication and authorization alone
    F2  labels are of a bounded number, whatever clients send

Source: https://kubernetes.io/docs/reference/instrumentation/metrics/
"""

from collections.abc import Iterator, Mapping

from kajitori.apimachinery.kind import Kind
from kajitori.apiserver.authentication.user import User
from kajitori.apiserver.authorization.attributes import Decision
from kajitori.apiserver.operating.asked import Asked
from kajitori.apiserver.operating.exposition import Histogram, family, labelled

__all__ = ["Figures", "SizeFigures"]

_SLI_BOUNDS = (
    0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0
)  # fmt: skip
_DURATION_BOUNDS = (0.005, 0.025, *_SLI_BOUNDS)
_ACCESS_BOUNDS = tuple(0.001 * 2**power for power in range(15))
_SIZE_BOUNDS = tuple(10.0**power for power in range(3, 10))
_EVENT_BOUNDS = tuple(1024.0 * 2**power for power in range(8))

_ROUTES_MAX = 5000
"""Routes that are bound at a time: custom kinds come and go, and are other resources each time."""
_NAMES_MAX = 1000
"""User names whose label is remembered."""

_METHODS = {
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "deletecollection": "DELETE",
    "get": "GET",
    "list": "LIST",
    "watch": "WATCH",
}
_CONNECTING = frozenset(("log", "exec", "portforward", "attach", "proxy"))
_COUNTED_PATHS = frozenset(("/healthz", "/livez", "/readyz"))
_KNOWN_USERS = frozenset(
    ("admin", "client", "kube_proxy", "kubelet", "system:serviceaccount:kube-system:default")
)

Labels = Mapping[str, str]


class _Route:
    """The counters of one kind of request."""

    __slots__ = ("codes", "durations", "labels", "open", "sizes", "terminated")

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.codes: dict[int, int] = {}
        self.durations = Histogram(_DURATION_BOUNDS)
        reads = labels["verb"] in ("GET", "LIST")
        self.sizes = Histogram(_SIZE_BOUNDS) if reads else None
        self.open = 0
        """Long-running ones that are under way."""
        self.terminated: dict[int, int] = {}

    def without(self, *names: str) -> Labels:
        return {name: value for name, value in self.labels.items() if name not in names}


class SizeFigures:
    """Sizes of the events that watches of one resource were sent."""

    def __init__(self) -> None:
        self._by_labels: dict[str, Histogram] = {}

    def of(self, kind: Kind) -> Histogram:
        """The sizes of events of one kind."""
        labels = labelled({"group": kind.group, "resource": kind.plural, "version": kind.version})
        return self._by_labels.setdefault(labels, Histogram(_EVENT_BOUNDS))

    def lines(self) -> Iterator[str]:
        """The families of watch events."""
        found = sorted(self._by_labels.items())
        yield from family(
            "apiserver_watch_events_total",
            "counter",
            "Events that watches were sent.",
            ((labels, sum(each.counts)) for labels, each in found),
        )
        yield from family(
            "apiserver_watch_events_sizes", "histogram", "Bytes of events that watches were sent.", found
        )


class Figures:
    """All counters of one server's requests."""

    def __init__(self) -> None:
        self._by_labels: dict[str, _Route] = {}
        self._routes: dict[object, _Route] = {}
        """The same, as requests find them."""
        self._users: dict[str, list[int]] = {}
        self._user_counts: dict[str, list[int]] = {}
        self.unauthenticated = 0
        self.recognizing = Histogram(_ACCESS_BOUNDS)
        """How long it took to know who asks."""
        self.refusing = Histogram(_ACCESS_BOUNDS)
        """And to find out that nobody knows."""
        self._allowed = Histogram(_ACCESS_BOUNDS)
        self._refused: dict[str, Histogram] = {}
        self._aborted: dict[str, int] = {}
        self._deprecated: dict[str, int] = {}

    # What is told.

    def authenticated(self, user: User) -> None:
        """Somebody was recognized."""
        count = self._users.get(user.name)
        if count is None:
            count = self._remember(user.name)
        count[0] += 1

    def _remember(self, name: str) -> list[int]:
        label = name if name in _KNOWN_USERS else ("email_id" if "@" in name else "other")
        if len(self._users) >= _NAMES_MAX:
            self._users.clear()
        count = self._users[name] = self._user_counts.setdefault(label, [0])
        return count

    def decided(self, decision: Decision, seconds: float) -> None:
        """Somebody may do what was asked, or may not; how long it took to say so."""
        if decision.allowed:
            self._allowed.add(seconds)
            return
        result = "error" if decision.error else "denied" if decision.denied else "no-opinion"
        self._refused.setdefault(result, Histogram(_ACCESS_BOUNDS)).add(seconds)

    def answered(self, asked: Asked, status: int, seconds: float, *, size: int, apply: bool) -> None:
        """A request was answered."""
        info = asked.info
        dry = _dry_run(asked.query) if asked.query else ""
        key = (asked.resource, info.verb, info.subresource, info.name != "", info.namespace != "", apply, dry)
        route = self._routes.get(key)
        if route is None:
            found = self._route(key, asked, apply=apply)
            if found is None:
                return
            route = found
        codes = route.codes
        codes[status] = codes.get(status, 0) + 1
        route.durations.add(seconds)
        if route.sizes is not None:
            route.sizes.add(size)

    def began(self, asked: Asked) -> None:
        """A long-running request is under way."""
        self._changed(asked, 1)

    def ended(self, asked: Asked) -> None:
        self._changed(asked, -1)

    def _changed(self, asked: Asked, by: int) -> None:
        route = self._open_route(asked)
        if route is not None:
            route.open += by

    def terminated(self, asked: Asked, status: int) -> None:
        """The server ended a request in its own defence: too many, or too long."""
        route = self._open_route(asked)
        if route is not None:
            route.terminated[status] = route.terminated.get(status, 0) + 1

    def aborted(self, asked: Asked) -> None:
        """A client went away before its answer came."""
        route = self._open_route(asked)
        if route is not None:
            key = labelled(route.without("component", "dry_run"))
            self._aborted[key] = self._aborted.get(key, 0) + 1

    def _open_route(self, asked: Asked) -> _Route | None:
        info = asked.info
        dry = _dry_run(asked.query)
        key = (asked.resource, info.verb, info.subresource, info.name != "", info.namespace != "", False, dry)
        return self._routes.get(key) or self._route(key, asked, apply=False)

    def _route(self, key: object, asked: Asked, *, apply: bool) -> _Route | None:
        """The counters of a route, from its first use on; None for what is not counted."""
        info, resource = asked.info, asked.resource
        labels: dict[str, str] = {
            "component": "",
            "dry_run": "",
            "group": "",
            "resource": "",
            "scope": "",
            "subresource": "",
            "verb": _METHODS.get(info.verb, "GET" if info.verb == "head" else "other"),
            "version": "",
        }
        if resource is not None:
            labels |= {
                "component": "apiserver",
                "dry_run": _dry_run(asked.query),
                "group": resource.kind.group,
                "resource": resource.kind.plural,
                "scope": _scope(asked),
                "subresource": info.subresource,
                "version": resource.kind.version,
            }
            if apply:
                labels["verb"] = "APPLY"
            elif info.subresource in _CONNECTING:
                labels["verb"] = "CONNECT"
            elif info.name and info.verb == "list":
                labels["verb"] = "GET"
            if info.subresource and info.subresource not in resource.subresources:
                return None
            if resource.deprecation:
                self._deprecated[_deprecated_labels(labels)] = 1
        elif info.is_resource or info.path not in _COUNTED_PATHS:
            return None
        else:
            labels["subresource"] = info.path
        text = labelled(labels)
        route = self._by_labels.get(text)
        if route is None:
            route = self._by_labels[text] = _Route(labels)
        if resource is not None:
            if len(self._routes) >= _ROUTES_MAX:
                self._routes.clear()
            self._routes[key] = route
        return route

    # What is read.

    def lines(self) -> Iterator[str]:
        """Every family of these figures."""
        routes = [route for _, route in sorted(self._by_labels.items())]
        yield from family(
            "apiserver_request_total",
            "counter",
            "Requests answered, by verb, resource and status.",
            (
                (labelled({**each.labels, "code": str(code)}), count)
                for each in routes
                for code, count in sorted(each.codes.items())
            ),
        )
        answered = [each for each in routes if any(each.durations.counts)]
        yield from family(
            "apiserver_request_duration_seconds",
            "histogram",
            "How long requests took; a watch counts for as long as it was open.",
            ((labelled(each.labels), each.durations) for each in answered),
        )
        yield from family(
            "apiserver_request_sli_duration_seconds",
            "histogram",
            "How long requests took that were no dry run, without the time of webhooks.",
            _sli(answered),
        )
        yield from family(
            "apiserver_response_sizes",
            "histogram",
            "Bytes of answers to reads.",
            ((labelled(each.without("dry_run")), each.sizes) for each in answered if each.sizes is not None),
        )
        yield from family(
            "apiserver_longrunning_requests",
            "gauge",
            "Requests under way that go on until somebody ends them.",
            (
                (labelled(each.without("dry_run")), each.open)
                for each in routes
                if each.labels["verb"] in ("WATCH", "CONNECT")
            ),
        )
        yield from family(
            "apiserver_request_terminations_total",
            "counter",
            "Requests that the server ended in its own defence.",
            (
                (labelled({**each.without("dry_run"), "code": str(code)}), count)
                for each in routes
                for code, count in sorted(each.terminated.items())
            ),
        )
        yield from family(
            "apiserver_request_aborts_total",
            "counter",
            "Requests whose client went away before the answer.",
            sorted(self._aborted.items()),
        )
        yield from family(
            "apiserver_requested_deprecated_apis",
            "gauge",
            "Deprecated APIs that somebody asked for since the start.",
            sorted(self._deprecated.items()),
        )
        yield from self._access_lines()

    def _access_lines(self) -> Iterator[str]:
        recognized = sum(count[0] for count in self._user_counts.values())
        yield from family(
            "authenticated_user_requests",
            "counter",
            "Authenticated requests, by user where that is one of Kubernetes' own.",
            ((f'username="{name}"', count[0]) for name, count in sorted(self._user_counts.items())),
        )
        yield from family(
            "authentication_attempts",
            "counter",
            "Requests by the outcome of authentication.",
            (('result="error"', self.unauthenticated), ('result="success"', recognized)),
        )
        by_result = sorted({"allowed": self._allowed, **self._refused}.items())
        decided = [(f'result="{result}"', each) for result, each in by_result]
        yield from family(
            "authentication_duration_seconds",
            "histogram",
            "How long authentication took, by its outcome.",
            (('result="error"', self.refusing), ('result="success"', self.recognizing)),
        )
        yield from family(
            "authorization_attempts_total",
            "counter",
            "Requests by the outcome of authorization.",
            ((labels, sum(each.counts)) for labels, each in decided),
        )
        yield from family(
            "authorization_duration_seconds", "histogram", "How long authorization took.", decided
        )


def _sli(routes: list[_Route]) -> list[tuple[str, Histogram]]:
    return [
        (labelled(each.without("dry_run")), _coarser(each.durations))
        for each in routes
        if not each.labels["dry_run"]
    ]


def _coarser(durations: Histogram) -> Histogram:
    coarse = Histogram(_SLI_BOUNDS)
    coarse.merge(durations)
    return coarse


def _scope(asked: Asked) -> str:
    info = asked.info
    if info.name or info.verb == "create":
        return "resource"
    return "namespace" if info.namespace else "cluster"


def _dry_run(query: Mapping[str, list[str]]) -> str:
    asked = query.get("dryRun")
    if not asked:
        return ""
    return "All" if set(asked) == {"All"} else "invalid"


def _deprecated_labels(labels: Labels) -> str:
    named = {name: labels[name] for name in ("group", "resource", "subresource", "version")}
    return labelled({**named, "removed_release": ""})
