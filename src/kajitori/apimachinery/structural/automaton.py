"""Matching in time proportional to the text, whatever the pattern.

Python's `re` backtracks: a pattern as innocent as `^(a+)+$` lets one manifest occupy the server for hours.
Kubernetes matches with RE2, which cannot do that. `Automaton` cannot either: it follows all ways through the
pattern at once and remembers each step it has taken, so a character usually costs one dictionary lookup.

Promises
    A1  the time is proportional to the length of the text, for a given pattern
    A2  no more than STEPS_MAX steps are remembered, so memory is bounded

Source: https://swtch.com/~rsc/regexp/regexp1.html (Thompson's construction, steps cached lazily).
"""

from kajitori.apimachinery.structural.syntax import (
    Alternatives,
    Assertion,
    Chars,
    Node,
    PatternError,
    Ranges,
    Repeat,
    Sequence,
)

__all__ = ["STEPS_MAX", "Automaton"]

STEPS_MAX = 4_000
"""Steps remembered before starting afresh: about a megabyte for the widest patterns."""
PROGRAM_MAX = 20_000
"""Instructions of one pattern. Go's own limit on counted repeats is of the same order."""

_CHARS, _SPLIT, _ASSERT, _MATCH = range(4)
_START, _NEWLINE, _WORD, _OTHER = range(4)


class _State(dict[str, "_State"]):
    """Places in the program reached so far; as a dictionary, the states that follow by character."""

    __slots__ = ("before", "places")

    def __init__(self, places: frozenset[int], before: int) -> None:
        super().__init__()
        self.places = places
        self.before = before


_MATCHED = _State(frozenset(), _OTHER)
_DEAD = _State(frozenset(), _OTHER)


class Automaton:
    """A pattern ready to be searched for in texts.

    Raises: PatternError when counted repeats make it larger than PROGRAM_MAX.
    """

    def __init__(self, tree: Node, *, anchored: bool) -> None:
        self._kinds: list[int] = []
        self._tests: list[Ranges | str] = []
        self._nexts: list[tuple[int, ...]] = []
        self._entry = self._build(tree, self._add(_MATCH, "", ()))
        self._anchored = anchored
        self._forget()

    @property
    def remembered(self) -> int:
        """How many steps are remembered now."""
        return self._steps

    def search(self, text: str) -> bool:
        """Whether the pattern matches somewhere in `text`."""
        state = self._first
        for char in text:
            following = state.get(char)
            if following is None:
                following = self._step(state, char)
            if following is _MATCHED:
                return True
            if following is _DEAD:
                return False
            state = following
        return self._resolve(state, None)[1]

    def _forget(self) -> None:
        self._known: dict[tuple[frozenset[int], int], _State] = {}
        self._steps = 0
        self._first = self._state(frozenset((self._entry,)), _START)

    def _state(self, places: frozenset[int], before: int) -> _State:
        state = self._known.get((places, before))
        if state is None:
            state = self._known[places, before] = _State(places, before)
        return state

    def _step(self, state: _State, char: str) -> _State:
        open_places, matched = self._resolve(state, char)
        if matched:
            following = _MATCHED
        else:
            point = ord(char)
            reached = {self._nexts[place][0] for place in open_places if _contains(self._tests[place], point)}
            if not self._anchored:
                reached.add(self._entry)
            before = _kind_of(char)
            following = self._state(frozenset(reached), before) if reached else _DEAD
        self._steps += 1
        if self._steps > STEPS_MAX:
            self._forget()
        else:
            state[char] = following
        return following

    def _resolve(self, state: _State, char: str | None) -> tuple[list[int], bool]:
        """The places waiting for a character between what was read and `char`; whether the end is reached."""
        waiting: list[int] = []
        seen: set[int] = set()
        stack = list(state.places)
        while stack:
            place = stack.pop()
            if place in seen:
                continue
            seen.add(place)
            kind = self._kinds[place]
            if kind == _MATCH:
                return waiting, True
            if kind == _CHARS:
                waiting.append(place)
            elif kind == _SPLIT or _holds(str(self._tests[place]), state.before, char):
                stack.extend(self._nexts[place])
        return waiting, False

    def _add(self, kind: int, test: Ranges | str, nexts: tuple[int, ...]) -> int:
        if len(self._kinds) >= PROGRAM_MAX:
            raise PatternError("expression too large")
        self._kinds.append(kind)
        self._tests.append(test)
        self._nexts.append(nexts)
        return len(self._kinds) - 1

    def _build(self, node: Node, after: int) -> int:
        """Instructions for `node` that go on at `after`; gives where they begin."""
        match node:
            case Chars(ranges):
                return self._add(_CHARS, ranges, (after,))
            case Assertion(kind):
                return self._add(_ASSERT, kind, (after,))
            case Sequence(parts):
                for part in reversed(parts):
                    after = self._build(part, after)
                return after
            case Alternatives(choices):
                return self._add(_SPLIT, "", tuple(self._build(choice, after) for choice in choices))
            case Repeat(body, least, most):
                return self._build_repeat(body, least, most, after)

    def _build_repeat(self, body: Node, least: int, most: int | None, after: int) -> int:
        if most is None:
            loop = self._add(_SPLIT, "", ())
            self._nexts[loop] = (self._build(body, loop), after)
            after = loop
        else:
            end = after
            for _ in range(most - least):
                after = self._add(_SPLIT, "", (self._build(body, after), end))
        for _ in range(least):
            after = self._build(body, after)
        return after


def _contains(ranges: Ranges | str, point: int) -> bool:
    assert not isinstance(ranges, str)
    return any(low <= point <= high for low, high in ranges)


def _kind_of(char: str) -> int:
    if char == "\n":
        return _NEWLINE
    return _WORD if char.isascii() and (char.isalnum() or char == "_") else _OTHER


def _holds(kind: str, before: int, char: str | None) -> bool:
    if kind == "begin":
        return before == _START
    if kind == "end":
        return char is None
    if kind == "line_begin":
        return before in (_START, _NEWLINE)
    if kind == "line_end":
        return char is None or char == "\n"
    at_boundary = (before == _WORD) != (char is not None and _kind_of(char) == _WORD)
    return at_boundary == (kind == "word")
