"""Expressions that nobody would write: each is a program's beginning or a CompileError, and both soon."""

from tests.fuzz.inputs import LONG, Inputs, guarded

from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.errors import CompileError
from kajitori.apimachinery.cel.standard import STANDARD
from kajitori.apimachinery.cel.types import DYN, INT, MAP_DYN, STRING, list_of, object_type
from kajitori.apimachinery.cel.unparse import unparse

COUNT = 1_000_000 if LONG else 600

SAMPLES = [
    b"object.spec.containers.all(c, has(c.resources) && c.image.matches(r'^a/') && !(c.name in ['x', \"y\"]))",
    b"a ? b : (c ? -1.5e3 : [0x1F, 2u, ?d][0] % 7) // why\n",
    b"{'k': v, ?true: null}.map(x, x > 0, x * 2).exists_one(y, y == b'\\xff\\101')",
    b'Object.spec{a: 1, ?b: .c.d.e(f)[g].?h.orValue("\\u00e9\\U0001F600")}',
    b"'''it's''' + \"\"\"so\"\"\" == string(now - duration('1h')) || size(names) < 3 && count != 5",
    b"((((a + b) * c) - d) / e) <= f && --a == -b",
]
TOKENS = [
    *(
        b"(",
        b")",
        b"[",
        b"]",
        b"{",
        b"}",
        b".",
        b",",
        b"?",
        b":",
        b"!",
        b"-",
        b"+",
        b"&&",
        b"||",
        b"==",
        b"in",
        b"a",
    ),
    *(
        b"'",
        b'"""',
        b"r'",
        b"b'",
        b"\\",
        b"\\u",
        b"`",
        b"//",
        b"#",
        b"1e",
        b"0x",
        b".all(x, ",
        b"has(",
        b".?",
        b"[?",
    ),
    *(
        b"a.b(",
        b"a ? ",
        b"x.map(y, ",
        b"!(",
        b"-(",
        b"{a: ",
        b"T{a: ",
        b"9223372036854775808",
        b"if",
        b"true",
    ),
]
ENVIRONMENT = Environment([STANDARD]).extend(
    variables={
        **{"a": INT, "b": DYN, "c": list_of(INT), "names": list_of(STRING), "v": MAP_DYN, "count": INT},
        "object": object_type(
            "Object", {"spec": object_type("Object.spec", {"a": INT, "containers": list_of(DYN)})}
        ),
    }
)


def read(text: str) -> bool:
    """Whether it can be evaluated."""
    try:
        tree = ENVIRONMENT.parse(text)
    except CompileError as error:
        return told(error)
    assert unparse(ENVIRONMENT.parse(unparse(tree))) == unparse(tree)
    try:
        ENVIRONMENT.check(tree)
    except CompileError as error:
        return told(error)
    return True


def told(error: CompileError) -> bool:
    assert error.issues and str(error)
    return False


def test_any_text_is_an_expression_or_told_why_not() -> None:
    with guarded() as watched:
        for data in Inputs("expressions", SAMPLES, TOKENS).take(COUNT):
            text = data.decode(errors="replace")
            watched.reads(text)
            read(text)


def test_samples_reach_the_checker() -> None:
    assert read("object.spec.containers.all(c, c.x == 1) && a + 1 > 2 && names[0] in v")
    assert not read("object.spec.other")
