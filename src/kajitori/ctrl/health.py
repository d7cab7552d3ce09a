"""Whether a process is alive, and whether it is ready: named checks, asked over HTTP by whoever probes.

    manager.add_readyz_check("database", database_answers)  # raises when it does not

Answers are controller-runtime's: `ok`, or a line for each check with `?verbose` or when one fails, whose reason is
withheld; `/readyz/database` asks that check alone and says its reason; `?exclude=database` leaves it out.

Promises
    H1  an endpoint fails while any check of it raises, gives False, or takes longer than CHECK_SECONDS_MAX
    H2  all checks of an endpoint are asked at the same time, and one that fails keeps no other from being asked
    H3  the reason of a failure is in the log, and in the answer only when that check is asked by its name

Source: controller-runtime's pkg/healthz.
"""

import asyncio
import inspect
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

__all__ = ["CHECK_SECONDS_MAX", "Check", "Checks", "HealthAnswer", "NotReady"]

CHECK_SECONDS_MAX = 10.0
"""Kubelets give up after one second, unless they are told otherwise."""

Check = Callable[[], Any]
"""Raises, or gives False, when something is wrong; may be a coroutine function."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HealthAnswer:
    """What to answer a probe."""

    status: int
    text: str


class NotReady(Exception):
    """Why a check fails."""


class Checks:
    """Those of one endpoint."""

    def __init__(self, name: str, checks: Mapping[str, Check]) -> None:
        """`name` is the endpoint's, such as `readyz`."""
        self.name = name
        self._checks = dict(checks)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._checks))

    def add(self, name: str, check: Check) -> None:
        """Raises: ValueError when the name is taken or cannot stand in a path."""
        if not name or "/" in name or not name.isprintable():
            raise ValueError(f"{self.name}: a check cannot be called {name!r}; use a word, e.g. database")
        if name in self._checks:
            raise ValueError(f"{self.name}: there is a check called {name!r} already")
        self._checks[name] = check

    async def answer(self, path: str, query: str) -> HealthAnswer:
        """`path` is what follows the endpoint's own: empty, `/`, or `/` and the name of a check."""
        name = unquote(path.strip("/"))
        if not name:
            return await self._all(parse_qs(query, keep_blank_values=True))
        check = self._checks.get(name)
        if check is None:
            return HealthAnswer(404, "404 page not found\n")
        reason = await self._reason(name, check)
        return (
            HealthAnswer(200, "ok")
            if reason is None
            else HealthAnswer(500, f"internal server error: {reason}\n")
        )

    async def failing(self) -> list[str]:
        """The names of the checks that fail."""
        return [name for name, reason in (await self._reasons(list(self))).items() if reason is not None]

    async def _all(self, query: Mapping[str, list[str]]) -> HealthAnswer:
        excluded = set(query.get("exclude", ()))
        reasons = await self._reasons([name for name in self if name not in excluded])
        failed = [name for name, reason in reasons.items() if reason is not None]
        if not failed and "verbose" not in query:
            return HealthAnswer(200, "ok")
        lines: list[str] = []
        for name in self:
            if name in excluded:
                lines.append(f"[+]{name} excluded: ok")
            else:
                lines.append(f"[-]{name} failed: reason withheld" if name in failed else f"[+]{name} ok")
        unknown = sorted(excluded - self._checks.keys())
        if unknown:
            quoted = ",".join(f'"{_shown(each)}"' for each in unknown)
            lines.append(f"warn: some health checks cannot be excluded: no matches for {quoted}")
        lines.append(f"healthz check {'failed' if failed else 'passed'}")
        return HealthAnswer(500 if failed else 200, "\n".join(lines) + "\n")

    async def _reasons(self, names: Sequence[str]) -> dict[str, str | None]:
        reasons = await asyncio.gather(*(self._reason(name, self._checks[name]) for name in names))
        return dict(zip(names, reasons, strict=True))

    async def _reason(self, name: str, check: Check) -> str | None:
        """Why a check fails; None: it does not."""
        try:
            async with asyncio.timeout(CHECK_SECONDS_MAX):
                said = check()
                if inspect.isawaitable(said):
                    said = await said
            if said is False:
                raise NotReady("it says no")
        except TimeoutError as error:
            return self._told(name, str(error) or f"not answered within {CHECK_SECONDS_MAX:g} s")
        except Exception as error:
            return self._told(name, str(error) or type(error).__name__)
        return None

    def _told(self, name: str, reason: str) -> str:
        _log.info("%s check failed", self.name, extra={"checker": name, "error": reason})
        return reason


def _shown(text: str) -> str:
    return text.encode("unicode_escape").decode().replace('"', '\\"')
