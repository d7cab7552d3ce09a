"""The pages of documentation, and the snippets in them.

Knows Markdown only as far as our pages use it: fenced blocks, headings, links. What the fences mean is said in
docs/README.md, section "Snippets"; `session` does it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = frozenset({"console", "python", "yaml", "text"})
"""What may stand behind a fence; `text` is the only one that is not run."""


@dataclass(frozen=True)
class Snippet:
    """One fenced block."""

    page: Path
    line: int
    """Of the fence, counted from 1."""
    language: str
    lines: tuple[str, ...]

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)

    @property
    def file_name(self) -> str | None:
        """The name in the first line's comment, if that is one: `# widgets.yaml`."""
        match = re.fullmatch(r"# (\S+\.\w+)", self.lines[0]) if self.lines else None
        return match[1] if match else None


@dataclass
class Command:
    """A line that is typed, and what it prints: None when the page does not say."""

    line: int
    text: str
    expected: list[str] = field(default_factory=list[str])


def pages() -> list[Path]:
    """All pages: the READMEs, and everything below docs/."""
    return [ROOT / "README.md", ROOT / "README.ja.md", *sorted((ROOT / "docs").rglob("*.md"))]


def snippets(page: Path) -> list[Snippet]:
    """The fenced blocks of a page, in order. Those inside a list item lose its indentation."""
    found: list[Snippet] = []
    opened: tuple[int, str, int] | None = None
    content: list[str] = []
    for number, line in enumerate(page.read_text().splitlines(), start=1):
        fence = re.fullmatch(r"( *)```(\w*)", line.rstrip())
        if opened is None and fence:
            opened, content = (number, fence[2], len(fence[1])), []
        elif opened is not None and fence and not fence[2]:
            found.append(Snippet(page, opened[0], opened[1], tuple(content)))
            opened = None
        elif opened is not None:
            content.append(line[opened[2] :])
    assert opened is None, f"{page}:{opened}: a fence that is not closed"
    return found


def commands(snippet: Snippet) -> list[Command]:
    """What a console block types: `$ ` begins a command, `> ` goes on with it, the rest is what it prints."""
    found: list[Command] = []
    for number, line in enumerate(snippet.lines, start=snippet.line + 1):
        if line.startswith("$ "):
            found.append(Command(number, line[2:]))
        elif line.startswith("> ") or line == ">":
            assert found and not found[-1].expected, f"{snippet.where}: `>` without a command before it"
            found[-1].text += f"\n{line[2:]}"
        else:
            assert found, f"{snippet.where}: a console block begins with a command, `$ ...`"
            found[-1].expected.append(line)
    for command in found:
        while command.expected and not command.expected[-1].strip():
            command.expected.pop()
    return found


def links(page: Path) -> Iterator[str]:
    """Where a page's links lead, fenced blocks and code left out."""
    text = re.sub(r"(?ms)^ *```.*?^ *```$", "", page.read_text())
    text = re.sub(r"`[^`\n]*`", "``", text)
    yield from re.findall(r"\]\(([^)\s]+)\)", text)


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub makes them."""
    text = re.sub(r"(?ms)^ *```.*?^ *```$", "", page.read_text())
    titles = re.findall(r"(?m)^#+ +(.*?) *$", text)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def matches(expected: list[str], printed: str) -> bool:
    """Whether the output is what the page shows. `...` alone stands for any lines, within a line for any text;
    how much white space parts two words does not matter."""
    shown = [" ".join(line.split()) for line in printed.splitlines()]
    while shown and not shown[-1]:
        shown.pop()
    return _match([" ".join(line.split()) for line in expected], shown)


def _match(expected: list[str], shown: list[str]) -> bool:
    if not expected:
        return not shown
    if expected[0] == "...":
        return any(_match(expected[1:], shown[skipped:]) for skipped in range(len(shown) + 1))
    if not shown:
        return False
    pattern = ".*".join(re.escape(part) for part in expected[0].split("..."))
    return re.fullmatch(pattern, shown[0]) is not None and _match(expected[1:], shown[1:])
