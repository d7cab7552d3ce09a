"""healthz, livez and readyz: whether the process lives, and whether it is ready to serve.

Source: https://kubernetes.io/docs/reference/using-api/health-checks/
"""

from collections.abc import Callable, Mapping

from kajitori.apiserver.endpoints.answers import NOT_FOUND_PAGE, plain
from kajitori.apiserver.http import Request, Response
from kajitori.apiserver.options import parse_query

__all__ = ["Health"]

Check = Callable[[], str | None]
"""None when all is well, otherwise why it is not."""


class Health:
    """Named checks behind the three endpoints."""

    def __init__(self, checks: Mapping[str, Check], *, only_ready: Mapping[str, Check]) -> None:
        self._always = {"ping": _ping, **checks}
        self._ready = {**self._always, **only_ready}

    def paths(self) -> list[str]:
        """Every path that is answered."""
        every = {"healthz": self._always, "livez": self._always, "readyz": self._ready}
        return [
            path
            for endpoint, checks in every.items()
            for path in (f"/{endpoint}", *(f"/{endpoint}/{name}" for name in checks))
        ]

    def answer(self, request: Request, parts: list[str]) -> Response:
        """The answer at `/readyz`, or at the path of one check below it."""
        endpoint = parts[0]
        checks = self._ready if endpoint == "readyz" else self._always
        if len(parts) > 1:
            check = checks.get("/".join(parts[1:]))
            if check is None:
                return plain(404, NOT_FOUND_PAGE)
            wrong = check()
            return plain(200, "ok") if wrong is None else plain(500, f"internal server error: {wrong}\n")
        query = parse_query(request.query)
        left_out = set(query.get("exclude", ()))
        lines: list[str] = []
        failed = False
        for name, check in checks.items():
            if name in left_out:
                lines.append(f"[+]{name} excluded: ok")
                continue
            wrong = check()
            failed = failed or wrong is not None
            lines.append(f"[+]{name} ok" if wrong is None else f"[-]{name} failed: {wrong}")
        text = "\n".join(lines)
        if failed:
            return plain(500, f"{text}\n{endpoint} check failed\n")
        if "verbose" in query:
            return plain(200, f"{text}\n{endpoint} check passed\n")
        return plain(200, "ok")


def _ping() -> None:
    return None
