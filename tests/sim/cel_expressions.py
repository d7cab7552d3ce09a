"""Random expressions of CEL that type-check, over a fixed set of variables, and random values for these.

What is made depends on a `random.Random` alone: a seed for long runs, Hypothesis' for short ones that shrink.
Expressions are well typed, yet often fail while they run: division by zero, missing keys, overflow, bad regular
expressions, and errors that `&&`, `||` and `?:` may or may not absorb.

Promises
    X1  every expression type-checks in an environment with these variables and features, unless it is made `wild`
    X2  values are tagged with their type, so that any engine can be given them
"""

import re
from functools import cache, lru_cache
from random import Random

from tests.apimachinery.cel.tagged import parameters
from tests.sim.cel_grammar import CONSTANTS, GRAMMAR, VARIABLES, WORDS, Rule

__all__ = ["Expressions", "Values", "declared"]

SCALARS = ("bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration")
KEYS = ("string", "string", "string", "int", "bool", "uint")
LETTERS = frozenset("TUVEONK")
TERNARY, OR, AND, RELATION, SUM, PRODUCT, UNARY, MEMBER = range(8)
"""How tightly an expression binds, as in CEL's grammar."""
OPERATORS = {
    "||": OR,
    "&&": AND,
    "+": SUM,
    "-": SUM,
    "*": PRODUCT,
    "/": PRODUCT,
    "%": PRODUCT,
} | dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), RELATION)
_CHOICE = re.compile(r"\[(?!«small»\]|‹)([^\[\]‹›]*\|[^\[\]‹›]*)\]")
_MIXED_CHOICE = re.compile(r"\[((?:«\w+»|‹[^›]*›|[^\[\]|‹›])*(?:\|(?:«\w+»|‹[^›]*›|[^\[\]|‹›])*)+)\]")
_BINARY = re.compile(r"‹[^›]*› (\|\||&&|[-+*/%]|[=!<>]=|[<>]|in) (?:‹[^›]*›|-?[\d.]+)")
_PART = re.compile(r"‹(!?)([^›]*)›|«(\w+)»|@(\w+(?:\([^@]*?\))?)(?=,)")

Names = tuple[tuple[str, str], ...]
Text = tuple[str, int]
"""An expression and how tightly it binds."""


def declared(type_: str) -> str:
    """The type as engines write it."""
    full = {
        "timestamp": "google.protobuf.Timestamp",
        "duration": "google.protobuf.Duration",
        "optional": "optional_type",
    }
    full["null"] = "null_type"
    return re.sub(r"\w+", lambda match: full.get(match[0], match[0]), type_)


@cache
def _bound(pattern: str, type_: str) -> dict[str, str] | None:
    """What the letters of a rule's type stand for when it is to make this type; `None` when it cannot."""
    if pattern in LETTERS:
        allowed = {"O": SCALARS, "N": ("int", "uint", "double"), "K": KEYS}.get(pattern)
        if allowed is not None and type_ not in allowed:
            return None
        # Optionals have rules of their own. A macro's variable that is a type is taken for a type's name by cel-go.
        if pattern == "T" and (type_ == "type" or type_.startswith("optional")):
            return None
        return {pattern: type_}
    if pattern.startswith("["):
        return {"T": type_} if type_ in pattern[1:-1].split("|") else None
    if "(" not in pattern:
        return {} if pattern == type_ else None
    if pattern[: pattern.index("(")] != type_.partition("(")[0]:
        return None
    letters: dict[str, str] = {}
    for one, other in zip(parameters(pattern), parameters(type_), strict=True):
        found = _bound(one, other)
        if found is None:
            return None
        letters |= found
    return letters


class Expressions:
    """Makes expressions of what the features allow; `wild` is how often a part is of a wrong type."""

    def __init__(self, random: Random, features: frozenset[str], wild: float = 0.0) -> None:
        self._random = random
        self._features = features
        self._wild = wild
        self._fresh = 0

    def any(self, depth: int = 4) -> tuple[str, str]:
        """An expression and its type, never an optional one: some engines cannot give these out."""
        type_ = self._pick(("bool", "bool", "bool", self.type(2), self.type(1), "int", "string", "double"))
        return self.of(type_, depth), type_

    def of(self, type_: str, depth: int = 4) -> str:
        """An expression of this type."""
        return self._make(type_, depth, tuple(VARIABLES.items()))[0]

    def type(self, depth: int) -> str:
        """A random type without optionals."""
        kind = self._random.random()
        if depth <= 0 or kind < 0.6:
            return self._pick((*SCALARS, "bool", "int", "string", "string"))
        if kind < 0.8:
            return f"list({self.type(depth - 1)})"
        return f"map({self._pick(KEYS)}, {self.type(depth - 1)})"

    def _pick(self, among: tuple[str, ...]) -> str:
        return among[self._random.randrange(len(among))]

    def _make(self, type_: str, depth: int, names: Names) -> Text:
        if self._wild and self._random.random() < self._wild:
            type_ = self.type(1)
        if depth > 0 and self._random.random() > 0.1:
            rules, weights = _rules_for(type_, self._features)
            if rules:
                ((rule, letters),) = self._random.choices(rules, weights)
                return self._fill(rule.template, dict(letters), depth, names)
        return self._leaf(type_, names)

    def _leaf(self, type_: str, names: Names) -> Text:
        fitting = tuple(name for name, each in names if each == type_)
        if fitting and self._random.random() < 0.6:
            return self._pick(fitting), MEMBER
        if type_ in CONSTANTS:
            text = self._pick(CONSTANTS[type_])
            return text, UNARY if text.startswith("-") else MEMBER
        if type_ == "dyn":
            return f"dyn({self._leaf(self._pick(SCALARS[:6]), names)[0]})", MEMBER
        inner = [self._leaf(each, names)[0] for each in parameters(type_)]
        match type_[: type_.index("(")]:
            case "list":
                return f"[{inner[0]}]" + self._pick(("", "", ".filter(e, false)")), MEMBER
            case "map":
                return f"{{{inner[0]}: {inner[1]}}}", MEMBER
        return f"optional.of({inner[0]})", MEMBER

    def _fill(self, template: str, letters: dict[str, str], depth: int, names: Names) -> Text:
        """The template with everything chosen, and how tightly it binds."""
        while (match := _CHOICE.search(template) or _MIXED_CHOICE.search(template)) is not None:
            template = (
                template[: match.start()] + self._pick(tuple(_split(match[1]))) + template[match.end() :]
            )
        binary = _BINARY.fullmatch(template)
        binds = OPERATORS[binary[1]] if binary else MEMBER
        if template[0] in "!-":
            binds = UNARY
        elif " ? " in template:
            binds = TERNARY
        outer, at, pieces = names, 0, []
        bound: set[str] = set()
        for part in _PART.finditer(template):
            pieces.append(template[at : part.start()])
            at = part.end()
            outside, hole, word, variable = part.groups()
            if hole is not None:
                after = template[at : at + 2]
                made = self._make(self._type(hole, letters), depth - 1, outer if outside else names)
                must = self._tightness(binary is not None, binds, part.start(), after)
                pieces.append(self._wrapped(made, must, negated=template == "-" + part[0]))
            elif word is not None:
                pieces.append(self._pick(WORDS[word]))
            else:
                name = self._name()
                if name in bound:
                    name += "q"
                bound.add(name)
                names = (*(each for each in names if each[0] != name), (name, self._type(variable, letters)))
                pieces.append(name)
        pieces.append(template[at:])
        return "".join(pieces), binds

    def _tightness(self, binary: bool, binds: int, start: int, after: str) -> int:
        if binary:
            # The grammar is left-recursive, so the right side must bind more tightly than the left.
            return binds if start == 0 else binds + 1
        if after[:1] in (".", "[") or binds == UNARY:
            return MEMBER
        # A conditional may be no key, nor the first two parts of a conditional.
        return OR if after in (" ?", " :") or after[:1] == ":" else TERNARY

    def _wrapped(self, made: Text, must: int, *, negated: bool) -> str:
        text, binding = made
        # `--1` is no expression, and `-1` is one constant.
        if binding < must or (negated and text[0] in "-0123456789.") or self._random.random() < 0.05:
            return f"({text})"
        return text

    def _type(self, written: str, letters: dict[str, str]) -> str:
        """The type of a hole, its letters chosen."""

        def chosen(match: re.Match[str]) -> str:
            letter = match[0]
            if letter not in letters:
                letters[letter] = {
                    "O": lambda: self._pick(SCALARS),
                    "N": lambda: self._pick(("int", "uint", "double")),
                    "K": lambda: self._pick(KEYS),
                    "E": lambda: self._pick((self.type(1), "int", "string", "dyn")),
                }.get(letter, lambda: self.type(1))()
            return letters[letter]

        return re.sub(r"\b[TUVEONK]\b", chosen, written)

    def _name(self) -> str:
        """A name for a macro's variable: mostly a new one, sometimes one that hides another."""
        if self._random.random() < 0.15:
            return self._pick(("i", "s", "x", "e", "li"))
        self._fresh += 1
        return f"v{self._fresh % 7}"


def _split(choices: str) -> list[str]:
    """The alternatives, without looking into holes."""
    return re.findall(r"(?:‹[^›]*›|[^|])+|(?<=\|)(?=\|)", choices)


@lru_cache(maxsize=4096)
def _rules_for(type_: str, features: frozenset[str]) -> tuple[list[tuple[Rule, dict[str, str]]], list[int]]:
    found = [
        (rule, letters)
        for rule in GRAMMAR
        if rule.needs <= features and (letters := _bound(rule.type, type_)) is not None
    ]
    return found, [rule.weight for rule, _ in found]


class Values:
    """Makes values for the variables, tagged as the tests of CEL tag them.

    `plain` ones have nothing that some engines cannot be given: unsigned integers where the type is dynamic, bytes
    of zero, year 1; and no infinity, which leads to NaN,
    which has no place in an order.
    """

    INTS = (
        0,
        1,
        -1,
        2,
        3,
        5,
        7,
        10,
        42,
        64,
        100,
        255,
        2**31,
        2**53,
        2**53 + 1,
        2**63 - 1,
        -(2**63),
        -(2**63) + 1,
    )
    UINTS = (0, 1, 2, 3, 7, 42, 255, 2**32, 2**53 + 1, 2**63, 2**64 - 1)
    DOUBLES: tuple[str, ...] = (
        "0.0",
        "1.0",
        "-1.0",
        "0.5",
        "-2.5",
        "3.14",
        "1e+100",
        "-0.0",
        "9007199254740992.0",
        "9.3e+18",
        "inf",
        "nan",
    )
    STRINGS = (
        "",
        "a",
        "abc",
        "foo",
        "Hello World",
        "日本語",
        "a,b,c",
        "1",
        "-17",
        "true",
        "1h",
        "😀é",
        " x ",
        "'\"",
        "\n\t",
    )
    BYTES = ("", "YQ==", "YWJj", "5pel", "/w==", "/wA=")
    MOMENTS: tuple[str, ...] = (
        "1970-01-01T00:00:00Z",
        "2009-02-13T23:31:30Z",
        "2020-02-29T12:34:56.789Z",
        "9999-12-31T23:59:59Z",
    )
    MOMENTS += (
        "1969-12-31T23:59:59.5Z",
        "2024-03-10T07:30:00Z",
        "2023-12-31T23:59:59.999999Z",
        "0001-01-01T00:00:00Z",
    )
    STRETCHES = ("0s", "1s", "-1s", "1.5s", "3600s", "90061s", "-0.25s", "0.000001s", "9000000000s")

    def __init__(self, random: Random, *, plain: bool = False) -> None:
        self._random = random
        self._plain = plain

    def all(self) -> dict[str, dict[str, object]]:
        """One value for every variable."""
        return {name: self.of(type_) for name, type_ in VARIABLES.items()}

    def of(self, type_: str, depth: int = 2) -> dict[str, object]:
        """A value of this type."""
        random, last = self._random, -1 if self._plain else None
        if type_.startswith("list("):
            (element,) = parameters(type_)
            return {"list": [self.of(element, depth - 1) for _ in range(random.randrange(4))]}
        if type_.startswith("map("):
            key, value = parameters(type_)
            keys = [self._key(key) for _ in range(random.randrange(4))]
            return {
                "map": [[one, self.of(value, depth - 1)] for one in {str(one): one for one in keys}.values()]
            }
        match type_:
            case "bool":
                return {"bool": random.random() < 0.5}
            case "int":
                return {
                    "int": str(
                        random.choice(self.INTS) if random.random() < 0.5 else random.randrange(-10, 100)
                    )
                }
            case "uint":
                return {
                    "uint": str(random.choice(self.UINTS) if random.random() < 0.5 else random.randrange(100))
                }
            case "double":
                return {"double": random.choice(self.DOUBLES[:-2] if self._plain else self.DOUBLES)}
            case "string":
                return {"string": random.choice((*self.STRINGS, *WORDS["field"]))}
            case "bytes":
                return {"bytes": random.choice(self.BYTES[:last])}
            case "timestamp":
                return {"timestamp": random.choice(self.MOMENTS[:last])}
            case "duration":
                return {"duration": random.choice(self.STRETCHES)}
            case "null":
                return {"null": None}
        kinds = ["bool", "int", "int", "double", "string", "string", "null"] + ["uint", "bytes"] * (
            not self._plain
        )
        if depth > 0:
            kinds += ["list(dyn)", "map(string, dyn)", "map(string, dyn)", "list(int)"]
        return self.of(random.choice(kinds), depth - 1)

    def _key(self, type_: str) -> dict[str, object]:
        return {"string": self._random.choice(WORDS["field"])} if type_ == "string" else self.of(type_)
