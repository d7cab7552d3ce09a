"""What can go wrong with an expression: in its text, in its types, or while it runs.

    CelError
    ├── CompileError      the text does not parse or does not type-check; has `issues`
    │   └── ProgramError  a constant in it has no value, such as `int('x')`
    └── EvaluationError   a value could not be computed: `&&`, `||` and `?:` may absorb it
        └── (CostLimitExceeded is none of these: nothing absorbs it)

Source: cel-go's common/error.go for how issues are shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "ISSUES_MAX",
    "CelError",
    "CompileError",
    "CostLimitExceeded",
    "EvaluationError",
    "Issue",
    "ProgramError",
]


class CelError(Exception):
    """Anything that this package raises on account of an expression."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong at one place of the text."""

    offset: int
    """In code points from the beginning; -1 when no place can be named."""
    message: str


ISSUES_MAX = 100
"""So many are shown; the rest is counted. cel-go's limit."""

_SNIPPET_BYTES_MAX = 16384
"""Longer lines are not shown below a message."""


class CompileError(CelError):
    """The expression cannot be used. `str()` is what cel-go prints: every issue with its line and a caret.

    `issues` are in the order of the text, those without a place first.
    """

    def __init__(self, text: str, issues: Sequence[Issue], source: str = "<input>") -> None:
        self.text = text
        self.issues = tuple(sorted(issues[:ISSUES_MAX], key=lambda issue: issue.offset))
        self.source = source
        self.truncated = max(0, len(issues) - ISSUES_MAX)
        """How many more issues there were, too many to be told."""
        shown = [_shown(text, issue, source) for issue in self.issues]
        if self.truncated:
            shown.append(f"{self.truncated} more errors were truncated")
        super().__init__("\n".join(shown))


class ProgramError(CompileError):
    """The types go together, but a constant has no value: known before any run. `str()` is the bare message."""

    def __init__(self, message: str) -> None:
        super().__init__("", (Issue(-1, message),))
        self.args = (message,)


class EvaluationError(CelError):
    """The expression has no value for these variables, for instance `no such key: spec`."""

    def __init__(self, message: str, cost: int = 0) -> None:
        self.cost = cost
        """What had been spent; set by the compiled program at its edge."""
        super().__init__(message)


class CostLimitExceeded(CelError):
    """The evaluation was stopped because it costs more than it may."""

    def __init__(self, cost: int) -> None:
        self.cost = cost
        super().__init__("operation cancelled: actual cost limit exceeded")


def _shown(text: str, issue: Issue, source: str) -> str:
    """An issue as cel-go shows it: source, line and column, message, the line itself and a caret below."""
    if issue.offset < 0:
        return f"ERROR: {source}:-1:0: {issue.message}"
    if not text:
        return f"ERROR: {source}:1:0: {issue.message}"
    before = text[: issue.offset]
    line = before.count("\n")
    column = issue.offset - (before.rfind("\n") + 1)
    head = f"ERROR: {source}:{line + 1}:{column + 1}: {issue.message}"
    snippet = text.split("\n")[line].replace("\t", " ")
    if len(snippet.encode(errors="replace")) > _SNIPPET_BYTES_MAX:
        return head
    dots = "".join("．" if ord(char) > 0x7F else "." for char in snippet[:column])
    # cel-go draws a full-width dot and caret below full-width characters, so that the columns line up.
    wide = column < len(snippet) and ord(snippet[column]) > 0x7F
    caret = "＾" if wide else "^"
    return f"{head}\n | {snippet}\n | {dots}{caret}"
