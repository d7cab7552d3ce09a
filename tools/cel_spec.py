"""Converts the public conformance cases of cel-spec into what our tests read, and tells which are left out and why.

    python tools/cel_spec.py FOLDER          read FOLDER/*.textproto (cel-spec's tests/simple/testdata), write the cases
    python tools/cel_spec.py                 write docs/reference/cel-spec.md anew from the cases written before

A case becomes one line of JSON under tests/apimachinery/cel/spec, with upstream's names of file, section and test.

Promises
    S1  every case of every file is either converted or listed as left out, with the reason
    S2  the same files give the same bytes
"""

import base64
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "apimachinery" / "cel" / "spec"
PAGE = ROOT / "docs" / "reference" / "cel-spec.md"
LEFT_OUT = "left_out.jsonl"

REASONS = {
    "messages": "builds or reads a protobuf message. Kubernetes' objects are JSON; there are no messages to build.",
    "well-known": "builds or reads one of protobuf's well-known messages (wrappers, `Struct`, `Value`, `Any`, or "
    "`Timestamp` and `Duration` as messages). Kubernetes' objects are JSON; `timestamp()` and `duration()` are "
    "functions.",
    "enums": "is about protobuf enumerations, which no JSON value has.",
    "block": "uses `cel.block`, which optimisers put into trees to share sub-expressions; it is no syntax for users, "
    "and Kubernetes does not have it.",
}
"""Why a case may be left out: the case …"""

_REPEATED = "Kubernetes lets the last of two equal keys of a literal win."
_BEYOND = "Kubernetes says -1 of a place beyond the end, where cel-spec wants an error."
_DEEP = "Kubernetes gives none where something before the field has no fields, where cel-spec wants an error."
_NO_KEY = "Kubernetes refuses a constant key of a type that no map has before anything runs."
KUBERNETES: dict[str, tuple[dict[str, Any], str]] = {
    "fields/qualified_identifier_resolution/map_key_float": (
        {"value": {"int": "5"}},
        "Kubernetes takes doubles as keys of a literal, where cel-spec wants an error.",
    ),
    "fields/qualified_identifier_resolution/map_value_repeat_key": ({"value": {"int": "3"}}, _REPEATED),
    "fields/qualified_identifier_resolution/map_value_repeat_key_heterogeneous": (
        {"value": {"int": "1"}},
        "To Kubernetes `0` and `0u` are two keys of a literal, where cel-spec wants an error.",
    ),
    "fields/map_fields/map_bad_key_type_or_true": ({"error": "invalid qualifier type: types.Bytes"}, _NO_KEY),
    "fields/map_fields/map_bad_key_type_and_false": (
        {"error": "invalid qualifier type: types.Bytes"},
        _NO_KEY,
    ),
    "optionals/optionals/map_null_entry_no_such_key": ({"value": {"bool": False}}, _DEEP),
    "optionals/optionals/map_present_key_invalid_field": ({"value": {"bool": False}}, _DEEP),
    "string_ext/value_errors/indexof_out_of_range": ({"value": {"bool": True}}, _BEYOND),
    "string_ext/value_errors/lastindexof_out_of_range": ({"value": {"bool": True}}, _BEYOND),
    "timestamps/duration_converters/get_milliseconds": (
        {"value": {"int": "123321"}},
        "`getMilliseconds()` of a duration is all of it in milliseconds in Kubernetes, as `getSeconds()` is in "
        "seconds; cel-spec wants the part below a second.",
    ),
    "type_deduction/legacy_nullable_types/null_assignable_to_abstract_parameter_candidate": (
        {"type": "null_type"},
        "Kubernetes refuses lists of different types, optionals and null among them; without that rule its checker "
        "takes the last type here.",
    ),
}
"""Cases that Kubernetes itself answers otherwise: its answer, and in what it differs. Ours is Kubernetes'."""


# Protobuf's text format.

_TOKEN = re.compile(
    rb"""(?P<space>\s+|\#[^\n]*)
       |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
       |(?P<extension>\[\s*[A-Za-z][\w./\s]*\])
       |(?P<word>[A-Za-z_][\w.]*)
       |(?P<number>-?(?:0[xX][0-9a-fA-F]+|\d*\.?\d+(?:[eE][-+]?\d+)?\.?)|-\s*(?:inf(?:inity)?|nan)\b)
       |(?P<mark>[{}<>:,;\[\]])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(
    rb"""\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))""", re.DOTALL
)
_PLAIN_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}

Message = dict[str, list[Any]]
"""Field name to all its values: messages, bytes for strings, numbers, and words as text."""


def parse(text: bytes) -> Message:
    """A message in text format, without knowing its type."""
    tokens: list[tuple[str, bytes]] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise ValueError(f"no text format at {at}: {text[at : at + 40]!r}")
        if match.lastgroup != "space":
            tokens.append((match.lastgroup, match.group()))
        at = match.end()
    message, end = _message(tokens, 0)
    if end != len(tokens):
        raise ValueError(f"something follows the message: {tokens[end : end + 5]}")
    return message


def _message(tokens: Sequence[tuple[str, bytes]], at: int) -> tuple[Message, int]:
    message: Message = {}
    while at < len(tokens) and tokens[at][1] not in (b"}", b">"):
        kind, name = tokens[at]
        if kind not in ("word", "extension"):
            raise ValueError(f"a field's name is expected: {tokens[at : at + 5]}")
        at += 1
        if tokens[at][1] == b":":
            at += 1
        values, at = _values(tokens, at)
        message.setdefault(name.decode().strip("[] "), []).extend(values)
        if at < len(tokens) and tokens[at][1] in (b",", b";"):
            at += 1
    return message, at


def _values(tokens: Sequence[tuple[str, bytes]], at: int) -> tuple[list[Any], int]:
    kind, text = tokens[at]
    if text in (b"{", b"<"):
        message, at = _message(tokens, at + 1)
        return [message], at + 1
    if text == b"[":
        values: list[Any] = []
        at += 1
        while tokens[at][1] != b"]":
            more, at = _values(tokens, at)
            values += more
            at += tokens[at][1] == b","
        return values, at + 1
    if kind == "string":
        parts = []
        while at < len(tokens) and tokens[at][0] == "string":
            parts.append(_ESCAPE.sub(_unescaped, tokens[at][1][1:-1]))
            at += 1
        return [b"".join(parts)], at
    if kind == "number":
        digits = text.decode().replace(" ", "")
        return [
            int(digits, 0) if re.fullmatch(r"-?(\d+|0[xX][0-9a-fA-F]+)", digits) else float(digits)
        ], at + 1
    if kind == "extension":
        raise ValueError(f"a value is expected: {text!r}")
    return [text.decode()], at + 1


def _unescaped(match: re.Match[bytes]) -> bytes:
    octal, hexadecimal, short, long, plain = match.groups()
    if octal is not None:
        return bytes([int(octal, 8)])
    if hexadecimal is not None:
        return bytes([int(hexadecimal, 16)])
    if short is not None or long is not None:
        return chr(int(short or long, 16)).encode()
    return _PLAIN_ESCAPES.get(plain, plain)


# One case.


class LeftOutError(Exception):
    """The case is none for us; the text is the reason's key."""


_MESSAGES = re.compile(
    r"TestAllTypes|TestAllRequired|TestRequired|NestedTestAllTypes|proto\.(get|has)Ext|cel\.expr\.conformance\.proto"
)
_ENUMS = re.compile(r"GlobalEnum|NestedEnum")
_WELL_KNOWN = re.compile(r"google\.protobuf\.(?!Timestamp\b(?!\s*\{)|Duration\b(?!\s*\{))")
_TIME = {"google.protobuf.Timestamp": "timestamp", "google.protobuf.Duration": "duration"}
_PRIMITIVES = {
    "BOOL": "bool",
    "INT64": "int",
    "UINT64": "uint",
    "DOUBLE": "double",
    "STRING": "string",
    "BYTES": "bytes",
}


def case_of(test: Message) -> dict[str, Any]:
    """The case as our tests read it.

    Raises:
        LeftOutError: when it needs what Kubernetes' CEL does not have.
    """
    text = _text(test, "expr")
    if re.search(r"\bcel\.(block|index|iterVar)\(", text):
        raise LeftOutError("block")
    if _ENUMS.search(text):
        raise LeftOutError("enums")
    if _MESSAGES.search(text):
        raise LeftOutError("messages")
    if _WELL_KNOWN.search(text) or (_text(test, "container") == "google.protobuf" and "Value{" in text):
        raise LeftOutError("well-known")
    case: dict[str, Any] = {"name": _text(test, "name"), "expr": text}
    for flag in ("disable_macros", "disable_check", "check_only"):
        if _one(test, flag) == "true":
            case[flag] = True
    for name in ("container", "locale"):
        if name in test:
            case[name] = _text(test, name)
    for declaration in test.get("type_env", ()):
        _declare(case, declaration)
    for binding in test.get("bindings", ()):
        case.setdefault("variables", {})[_text(binding, "key")] = _value(
            _one(_one(binding, "value"), "value")
        )
    _expect(case, test)
    return case


def _declare(case: dict[str, Any], declaration: Message) -> None:
    name = _text(declaration, "name")
    if "ident" in declaration:
        case.setdefault("declare", {})[name] = _type(_one(_one(declaration, "ident"), "type"))
        return
    for overload in _one(declaration, "function")["overloads"]:
        entry: dict[str, Any] = {"name": name, "id": _text(overload, "overload_id")}
        entry["args"] = [_type(each) for each in overload.get("params", ())]
        entry["result"] = _type(_one(overload, "result_type"))
        entry["member"] = _one(overload, "is_instance_function") == "true"
        case.setdefault("functions", []).append(entry)


def _expect(case: dict[str, Any], test: Message) -> None:
    if "typed_result" in test:
        result = _one(test, "typed_result")
        if "deduced_type" in result:
            case["type"] = _type(_one(result, "deduced_type"))
        if "result" in result:
            case["value"] = _value(_one(result, "result"))
    elif "eval_error" in test:
        errors = _one(test, "eval_error")["errors"]
        case["error"] = _text(errors[0], "message")
    elif "any_eval_errors" in test or "unknown" in test or "any_unknowns" in test:
        raise NotImplementedError(
            f"{case['name']}: several errors, or unknowns: no case of cel-spec had them"
        )
    elif "value" in test:
        case["value"] = _value(_one(test, "value"))
    else:
        case["value"] = {"bool": True}  # As simple.proto says of a case without a matcher.


def _value(value: Message) -> dict[str, Any]:
    ((kind, (content, *_)),) = value.items()
    match kind:
        case "null_value":
            return {"null": None}
        case "bool_value":
            return {"bool": content == "true"}
        case "int64_value":
            return {"int": str(int(content))}
        case "uint64_value":
            return {"uint": str(int(content))}
        case "double_value":
            return {"double": repr(float(content))}
        case "string_value":
            return {"string": content.decode()}
        case "bytes_value":
            return {"bytes": base64.b64encode(content).decode()}
        case "type_value":
            return {"type": content.decode()}
        case "list_value":
            return {"list": [_value(each) for each in content.get("values", ())]}
        case "map_value":
            entries = content.get("entries", ())
            return {"map": [[_value(_one(each, "key")), _value(_one(each, "value"))] for each in entries]}
        case "enum_value":
            raise LeftOutError("enums")
        case "object_value":
            return _object(content)
    raise NotImplementedError(f"a value of kind {kind}")


def _object(packed: Message) -> dict[str, Any]:
    (name,) = packed
    short = name.rpartition("/")[2]
    if short not in _TIME:
        raise LeftOutError("well-known" if short.startswith("google.protobuf.") else "messages")
    seconds = _one(packed[name][0], "seconds") or 0
    nanos = _one(packed[name][0], "nanos") or 0
    if short == "google.protobuf.Timestamp":
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
        return {"timestamp": moment.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"}
    total = seconds * 10**9 + nanos
    whole, rest = divmod(abs(total), 10**9)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return {"duration": f"{'-' if total < 0 else ''}{whole}{fraction}s"}


def _type(type_: Message) -> str:
    ((kind, (content, *_)),) = type_.items()
    match kind:
        case "dyn":
            return "dyn"
        case "null":
            return "null_type"
        case "primitive":
            return _PRIMITIVES[content]
        case "list_type":
            return f"list({_type(_one(content, 'elem_type'))})"
        case "map_type":
            return f"map({_type(_one(content, 'key_type'))}, {_type(_one(content, 'value_type'))})"
        case "type":
            return f"type({_type(content)})" if content else "type"
        case "type_param":
            return str(content.decode())
        case "well_known":
            if content in ("TIMESTAMP", "DURATION"):
                return f"google.protobuf.{content.capitalize()}"
            raise LeftOutError("well-known")
        case "wrapper":
            raise LeftOutError("well-known")
        case "message_type":
            name = content.decode()
            if name not in _TIME:
                raise LeftOutError("messages")
            return str(name)
        case "abstract_type":
            parameters = ", ".join(_type(each) for each in content.get("parameter_types", ()))
            name = _text(content, "name")
            return f"{name}({parameters})" if parameters else name
    raise NotImplementedError(f"a type of kind {kind}")


def _one(message: Message, name: str) -> Any:
    return message[name][0] if name in message else None


def _text(message: Message, name: str) -> str:
    return b"".join(message.get(name, [b""])[:1]).decode()


# The files.


@dataclass
class Converted:
    """What became of one file of cel-spec."""

    cases: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[dict[str, Any]] = field(default_factory=list)


def convert(file: str, text: bytes) -> Converted:
    """Every case of one file, converted or left out."""
    result = Converted()
    for section in parse(text).get("section", ()):
        for test in section.get("test", ()):
            place = {"section": _text(section, "name")}
            try:
                case = place | case_of(test)
                other = KUBERNETES.get(f"{file}/{case['section']}/{case['name']}")
                if other is not None:
                    case["kubernetes"], case["why"] = other
                result.cases.append(case)
            except LeftOutError as error:
                name = _text(test, "name")
                result.left_out.append({"file": file} | place | {"name": name, "reason": str(error)})
    return result


def _lines(cases: Sequence[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases)


def write(folder: Path) -> None:
    """Converts all files of the folder."""
    left_out: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*.textproto")):
        converted = convert(path.stem, path.read_bytes())
        left_out += converted.left_out
        target = CASES / f"{path.stem}.jsonl"
        if converted.cases:
            target.write_text(_lines(converted.cases), encoding="utf-8")
        else:
            target.unlink(missing_ok=True)
    (CASES / LEFT_OUT).write_text(_lines(left_out), encoding="utf-8")


# The page.


def read(name: str) -> list[dict[str, Any]]:
    """The lines of one of our files."""
    return [json.loads(line) for line in (CASES / name).read_text(encoding="utf-8").splitlines()]


def page() -> str:
    """docs/reference/cel-spec.md."""
    return "\n".join(_page()).rstrip() + "\n"


def _page() -> Iterator[str]:
    left_out = read(LEFT_OUT)
    tested = {path.stem: len(read(path.name)) for path in CASES.glob("*.jsonl") if path.name != LEFT_OUT}
    missing = Counter(case["file"] for case in left_out)
    different = [(name, case) for name in sorted(tested) for case in read(f"{name}.jsonl") if "why" in case]
    yield "# CEL's conformance cases"
    yield ""
    yield "Generated by `tools/cel_spec.py`; change the tool, not this page."
    yield ""
    yield (
        "[cel-spec](https://github.com/google/cel-spec) publishes cases that every implementation of CEL should pass. "
        f"{sum(tested.values())} of them are tests of ours (`tests/apimachinery/cel/test_spec.py`). "
        f"In {len(different)} of these Kubernetes answers otherwise than cel-spec, and ours is Kubernetes' answer. "
        f"{len(left_out)} cases are left out, because Kubernetes' CEL does not have what they are about:"
    )
    yield ""
    yield "| file | tested | left out |"
    yield "|---|---|---|"
    for name in sorted({*tested, *missing}):
        yield f"| {name} | {tested.get(name, 0)} | {missing.get(name, 0)} |"
    yield f"| **all** | {sum(tested.values())} | {len(left_out)} |"
    yield ""
    yield "## Answered as Kubernetes does"
    yield ""
    for name, case in different:
        yield f"- {name}/{case['section']}/{case['name']}: `{case['expr']}`. {case['why']}"
    for reason, sentence in REASONS.items():
        cases = [case for case in left_out if case["reason"] == reason]
        yield ""
        yield f"## Left out: {reason} ({len(cases)})"
        yield ""
        yield f"The case {sentence}"
        places: dict[tuple[str, str], list[str]] = {}
        for case in cases:
            places.setdefault((case["file"], case["section"]), []).append(case["name"])
        yield ""
        for (file, section), tests in places.items():
            yield f"- {file}/{section}: {', '.join(tests)}"


def main(arguments: Sequence[str]) -> int:
    """Converts when a folder is given; writes the page."""
    if arguments:
        write(Path(arguments[0]))
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
