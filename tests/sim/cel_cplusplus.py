"""The CEL of C++ as judge: `cel-expr-python`, which wraps google/cel-cpp. It is a tool of development only.

judge = Judge()
judge.evaluate("x + 1", [{"x": {"int": "1"}}, …])   what it gives for each: a value as `comparable` has it, or an Error
"""

import base64
import datetime
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from cel_expr_python import cel
from tests.apimachinery.cel.tagged import parameters, stretch
from tests.sim.cel_grammar import VARIABLES

__all__ = ["FEATURES", "RULES", "Error", "Judge", "Rule", "explained"]

EXTENSIONS = (
    "strings",
    "math",
    "lists",
    "sets",
    "optional",
    "two-var-comprehensions",
    "bindings",
    "encoders",
)
FEATURES = frozenset(
    (
        "strings",
        "format",
        "reverse",
        "lists",
        "sets",
        "optionals",
        "two_variables",
        "math",
        "encoders",
        "bindings",
    )
)
"""What expressions for this judge may have. Of what is not here, and why:

numeric         `1 < 2.0` without `dyn` is refused by its checker; with `dyn` it is compared
transform       `transformMap` and `transformMapEntry` need a function that it does not bring along
map_order       what a list made of a map begins with: maps have no order
none_over       a none written for a key that is there already removes it in cel-go, and does nothing in C++
has_of_dyn      `has(x.f)` where x is no map is false in cel-go and an error in C++
fractions       doubles, durations and times as texts: each writes `1.5s`, `1.500s`, `+Inf` or `inf` in its way
bytes           `%s` of bytes that are no text makes a text that is none, over which C++ falls
bad_base64      C++ decodes what is not quite base 64
milliseconds    `getMilliseconds` of a duration: all of it in cel-go, the part below a second in C++
zero_timestamps the timestamp that is zero to `optional.ofNonZeroValue`: year 1 in cel-go, 1970 in C++
substrings      `substring` up to the very end of the text is an error in C++
nan             doubles that are none have no order in cel-go, and are less than nothing in C++
offsets         `indexOf` from a place outside of the text: -1 in cel-go, an error in C++; the other way round before it
empty_splits    '' split at '' is nothing in cel-go, and '' in C++
ranges          `lists.range` of less than nothing: empty in cel-go, a failed allocation in C++
kubernetes      Kubernetes' own functions, which only Kubernetes has
"""


class Error(NamedTuple):
    """It failed, at compile time or later."""

    text: str


class Rule(NamedTuple):
    """A difference that there may be: where one fails with the text, the other may do otherwise."""

    name: str
    theirs: str = ""
    ours: str = ""
    reason: str = ""


RULES = (
    Rule(
        "constants without a value",
        ours="no program: ",
        reason="cel-go converts constants before it runs anything, even where they are not reached",
    ),
    Rule(
        "repeated keys",
        theirs="ALREADY_EXISTS: duplicate key",
        reason="cel-go lets the last of two equal keys win",
    ),
    Rule(
        "NaN has no order",
        ours="NaN values cannot be ordered",
        reason="cel-go's error; C++ calls it less than nothing",
    ),
    Rule("numbers with blanks", ours="type conversion error from 'string' to", reason="C++ reads ' 1' as 1"),
    Rule(
        "copies of comprehensions",
        theirs="undeclared reference to 'v",
        reason="C++ forgets the second variable of a comprehension in what optMap and optFlatMap copy",
    ),
    Rule(
        "bindings and comprehensions",
        theirs="UNKNOWN: No matching overloads found : <",
        reason="C++ takes the value of a binding that it has not evaluated for that of a comprehension's part",
    ),
)


def explained(ours: object, theirs: object) -> Rule | None:
    """The rule that explains why these differ. Errors are absorbed, never made up: so one error's text is enough."""
    for rule in RULES:
        if rule.theirs and isinstance(theirs, Error) and rule.theirs in theirs.text:
            return rule
        if rule.ours and isinstance(ours, Error) and rule.ours in ours.text:
            return rule
    return None


class Judge:
    """One environment with all the extensions and variables."""

    def __init__(self) -> None:
        extensions = "".join(f"- name: {name}\n  version: latest\n" for name in EXTENSIONS)
        self._environment = cel.NewEnv(
            config=cel.NewEnvConfigFromYaml(f"name: judge\nextensions:\n{extensions}"),
            variables={name: _type(type_) for name, type_ in VARIABLES.items()},
        )

    def activation(self, values: Mapping[str, Mapping[str, Any]]) -> object:
        """Values of the variables, in the form in which `evaluate` takes them."""
        return self._environment.Activation({name: _given(value) for name, value in values.items()})

    def evaluate(self, text: str, type_: str, activations: Iterable[object]) -> Iterator[object]:
        """What the expression, which is of this type, gives for each."""
        try:
            expression = self._environment.compile(text)
        except RuntimeError as error:
            for _ in activations:
                yield Error(str(error))
            return
        for activation in activations:
            try:
                value = expression.eval(activation)
            except (RuntimeError, ValueError) as error:
                yield Error(str(error))
                continue
            yield Error(value.value()) if value.type().name() == "ERROR" else _comparable(value, type_)


def _type(type_: str) -> cel.Type:
    if type_.startswith("list("):
        return cel.Type.List(_type(*parameters(type_)))
    if type_.startswith("map("):
        return cel.Type.Map(*map(_type, parameters(type_)))
    return getattr(cel.Type, type_.upper())


def _given(tagged: Mapping[str, Any]) -> Any:
    ((tag, content),) = tagged.items()
    match tag:
        case "int" | "uint":
            return int(content)
        case "double":
            return float(content)
        case "bytes":
            return base64.b64decode(content)
        case "list":
            return [_given(each) for each in content]
        case "map":
            return {_given(key): _given(value) for key, value in content}
        case "timestamp":
            return datetime.datetime.fromisoformat(content)
        case "duration":
            return datetime.timedelta(microseconds=stretch(content) // 1000)
    return content


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)
_TYPE_NAMES = {
    "NULL": "null_type",
    "TIMESTAMP": "google.protobuf.Timestamp",
    "DURATION": "google.protobuf.Duration",
}


def _comparable(value: cel.Value, type_: str = "dyn") -> Any:
    """As `tagged.comparable`; keys of maps are told apart by the type that the expression has."""
    kind, content = value.type().name().partition("<")[0], value.value()
    match kind:
        case "BOOL" | "INT" | "UINT" | "STRING" | "NULL":
            return (kind.lower(), content)
        case "DOUBLE":
            return ("double", repr(content))
        case "BYTES":
            return ("bytes", bytes(content))
        case "TIMESTAMP":
            return ("timestamp", (content - _EPOCH) // _MICROSECOND * 1000)
        case "DURATION":
            return ("duration", content // _MICROSECOND * 1000)
        case "TYPE":
            name = content.name().partition("<")[0]
            return ("type", _TYPE_NAMES.get(name, name.lower()))
        case "LIST":
            element = parameters(type_)[0] if type_.startswith("list(") else "dyn"
            return ("list", tuple(_comparable(each, element) for each in content))
        case "MAP":
            key, element = parameters(type_) if type_.startswith("map(") else ("dyn", "dyn")
            return (
                "map",
                frozenset((_key(one, key), _comparable(each, element)) for one, each in content.items()),
            )
    raise NotImplementedError(kind)


def _key(key: Any, type_: str) -> Any:
    if type_ == "dyn":
        type_ = {bool: "bool", int: "int", str: "string"}[type(key)]
    return (type_, key)
