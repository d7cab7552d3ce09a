"""What text becomes what tree. Each case cites the promise of `cel.lexer`, `cel.parser` or `cel.macros` it proves."""

import pytest

from kajitori.apimachinery.cel.errors import CompileError
from kajitori.apimachinery.cel.macros import OPTIONAL_MACROS, STANDARD_MACROS, macro_table
from kajitori.apimachinery.cel.parser import parse
from kajitori.apimachinery.cel.tree import (
    Call,
    Comprehension,
    Expression,
    Ident,
    ListLiteral,
    Literal,
    MapLiteral,
    Select,
    StructLiteral,
    Tree,
)
from kajitori.apimachinery.cel.values import UInt

MACROS = macro_table(STANDARD_MACROS + OPTIONAL_MACROS)


def parsed(text: str) -> Tree:
    return parse(text, MACROS, quoted_fields=True)


def shape(node: Expression) -> str:
    """A tree with brackets around everything."""
    match node:
        case Literal():
            return f"{int(node.value)}u" if isinstance(node.value, UInt) else repr(node.value)
        case Ident():
            return node.name
        case Select():
            return f"{shape(node.operand)}{'~' if node.test_only else '.'}{node.field}"
        case Call():
            args = ", ".join(shape(arg) for arg in node.args)
            return f"{shape(node.target) + '.' if node.target else ''}{node.function}({args})"
        case ListLiteral():
            marks = ["?" if index in node.optional else "" for index in range(len(node.elements))]
            return f"[{', '.join(mark + shape(one) for mark, one in zip(marks, node.elements, strict=True))}]"
        case MapLiteral():
            entries = ", ".join(
                f"{'?' * one.optional}{shape(one.key)}: {shape(one.value)}" for one in node.entries
            )
            return f"{{{entries}}}"
        case StructLiteral():
            fields = ", ".join(f"{'?' * one.optional}{one.name}: {shape(one.value)}" for one in node.fields)
            return f"{node.type_name}{{{fields}}}"
        case Comprehension():
            parts = (node.accu_init, node.condition, node.step, node.result)
            return (
                f"fold({shape(node.iter_range)}, {node.iter_var}, {', '.join(shape(one) for one in parts)})"
            )


def complaint(text: str, **options: bool) -> str:
    with pytest.raises(CompileError) as caught:
        parse(text, MACROS, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1 + 2 * 3 - 4", "_-_(_+_(1, _*_(2, 3)), 4)"),
        ("a < b == c in d", "@in(_==_(_<_(a, b), c), d)"),
        ("a ? b : c ? d : e", "_?_:_(a, b, _?_:_(c, d, e))"),
        ("!!a || !b && -c", "_||_(a, _&&_(!_(b), -_(c)))"),
        ("a.b.c(d)[0].e", "_[_](a.b.c(d), 0).e"),
        (".a.b", ".a.b"),
        ("a.b.C{x: 1, ?y: 2,}", "a.b.C{x: 1, ?y: 2}"),
        (".C{`a-b`: 1}", ".C{a-b: 1}"),
        ("a.`b-c`", "a.b-c"),
        ("a.?b[?c]", "_[?_](_?._(a, 'b'), c)"),
        ("[1, ?a,]", "[1, ?a]"),
        ("[,]", "[]"),
        ("{'a': 1, ?b: c,}", "{'a': 1, ?b: c}"),
        ("{,}", "{}"),
        ("{a ? b : c : d}", "{_?_:_(a, b, c): d}"),
        ("f(g(), (1))", "f(g(), 1)"),
        ("1 // one\n+ 2", "_+_(1, 2)"),
    ],
)
def test_the_grammar(text: str, tree: str) -> None:
    assert shape(parsed(text).root) == tree


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x1F", 31),
        ("-9223372036854775808", -(2**63)),
        ("18446744073709551615u", UInt(2**64 - 1)),
        ("0xFFu", UInt(255)),
        (".5e1", 5.0),
        ("1e3", 1000.0),
        (r'"a\n\x41\u00e9\U0001F600\101\?\`"', "a\nAé😀A?`"),
        ('"""a"b\r\nc"""', 'a"b\nc'),
        (r"r'\n'", "\\n"),
        (r"b'\xff\101é'", b"\xffA\xc3\xa9"),
        ('rb"x"'[1:], b"x"),
        ("true", True),
        ("null", None),
    ],
)
def test_literals(text: str, value: object) -> None:  # L1
    root = parsed(text).root
    assert isinstance(root, Literal)
    assert root.value == value and type(root.value) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("9223372036854775808", "invalid int literal"),
        ("18446744073709551616u", "invalid uint literal"),
        ("1e400", "invalid double literal"),
        (r"'\ud800'", "invalid unicode code point"),
        (r"b'\u0041'", "unable to unescape string"),
        ("1" * 5000, "invalid int literal"),
    ],
)
def test_literals_without_a_value(text: str, message: str) -> None:  # L3
    assert complaint(text).splitlines()[0] == f"ERROR: <input>:1:1: {message}"


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("-1", "-1"),
        ("- 1", "-1"),
        ("--1", "1"),
        ("---1", "-_(1)"),
        ("-1.5", "-1.5"),
        ("-1u", "-_(1u)"),
        ("1 -1", "_-_(1, 1)"),
    ],
)
def test_minus_belongs_to_the_number(text: str, tree: str) -> None:  # P4
    assert shape(parsed(text).root) == tree


def test_ids_and_offsets_are_those_of_cel_go() -> None:  # P1
    root = parsed('"😀" + a.b(c) && d').root
    assert isinstance(root, Call) and (root.id, root.offset) == (7, 13)
    add = root.args[0]
    assert isinstance(add, Call) and (add.id, add.offset) == (2, 4)
    call = add.args[1]
    assert isinstance(call, Call) and (call.id, call.offset) == (4, 9)


def test_chains_are_balanced() -> None:  # P2
    assert shape(parsed("a && b && c && d").root) == "_&&_(_&&_(a, b), _&&_(c, d))"
    assert shape(parsed("a || b || c").root) == "_||_(_||_(a, b), c)"


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("has(a.b)", "a~b"),
        (
            "a.all(x, x > 0)",
            "fold(a, x, True, @not_strictly_false(@result), _&&_(@result, _>_(x, 0)), @result)",
        ),
        ("a.exists(x, x)", "fold(a, x, False, @not_strictly_false(!_(@result)), _||_(@result, x), @result)"),
        ("a.exists_one(x, x)", "fold(a, x, 0, True, _?_:_(x, _+_(@result, 1), @result), _==_(@result, 1))"),
        ("a.map(x, y)", "fold(a, x, [], True, _+_(@result, [y]), @result)"),
        ("a.map(x, y, z)", "fold(a, x, [], True, _?_:_(y, _+_(@result, [z]), @result), @result)"),
        ("a.filter(x, y)", "fold(a, x, [], True, _?_:_(y, _+_(@result, [x]), @result), @result)"),
        (
            "a.optMap(x, y)",
            "_?_:_(a.hasValue(), optional.of(fold([], #unused, a.value(), False, x, y)), optional.none())",
        ),
        (
            "a.optFlatMap(x, y)",
            "_?_:_(a.hasValue(), fold([], #unused, a.value(), False, x, y), optional.none())",
        ),
        ("a.all(x)", "a.all(x)"),
        ("all(x, y)", "all(x, y)"),
    ],
)
def test_macros(text: str, tree: str) -> None:
    assert shape(parsed(text).root) == tree


def test_an_expansion_has_ids_of_its_own_and_points_at_the_call() -> None:  # M1
    tree = parsed("a.b.optMap(x, x + 1)")
    ids: list[int] = []

    def walk(node: object) -> None:
        match node:
            case Call():
                ids.append(node.id)
                for one in (*node.args, *([node.target] if node.target else [])):
                    walk(one)
            case Comprehension():
                ids.append(node.id)
                assert node.offset == 10
                for one in (node.iter_range, node.accu_init, node.condition, node.step, node.result):
                    walk(one)
            case Select():
                ids.append(node.id)
                walk(node.operand)
            case Ident() | Literal() | ListLiteral():
                ids.append(node.id)
            case _:
                raise AssertionError(node)

    walk(tree.root)
    assert len(ids) == len(set(ids))
    assert shape(tree.macro_calls[tree.root.id]) == "a.b.optMap(x, _+_(x, 1))"


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("x.all(1, true)", 7, "argument must be a simple name"),
        ("x.map(y.z, true)", 8, "argument is not an identifier"),
        ("x.all(__result__, true)", 7, "iteration variable overwrites accumulator variable"),
        ("has(a)", 5, "invalid argument to has() macro"),
        ("a.optMap(1, b)", 10, "optMap() variable name must be a simple identifier"),
        ("if", 1, "reserved identifier: if"),
        ("f() + for(1)", 7, "reserved identifier: for"),
    ],
)
def test_what_cannot_be_expanded_or_named(text: str, column: int, message: str) -> None:  # M2
    assert complaint(text).splitlines()[0] == f"ERROR: <input>:1:{column}: {message}"


def test_reserved_words_may_be_fields_and_types() -> None:
    assert shape(parsed("a.if.for{while: 1}").root) == "a.if.for{while: 1}"
    assert shape(parsed("if.for{}").root) == "if.for{}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.?b", "unsupported syntax '.?'"),
        ("a[?b]", "unsupported syntax '[?'"),
        ("[?a]", "unsupported syntax '?'"),
    ],
)
def test_optional_syntax_can_be_off(text: str, message: str) -> None:
    assert message in complaint(text, optional_syntax=False)
    assert "unsupported syntax: '`'" in complaint("a.`b`")


@pytest.mark.parametrize(("text", "column"), [("{?if: for}", 2), ("T{?a: if}", 3), ("T{`a`: if, `b`: 1}", 3)])
def test_what_is_in_an_entry_that_is_refused_does_not_matter(text: str, column: int) -> None:
    lines = complaint(text, optional_syntax=False).splitlines()
    heads = {line for line in lines if line.startswith("ERROR")}
    assert len(heads) == 1 and heads.pop().startswith(f"ERROR: <input>:1:{column}: unsupported syntax")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "a b",
            "a.",
            "a..b",
            "f(1,)",
            "f(,)",
            "(",
            ")",
            "[1 2]",
            "{a}",
            "{a:}",
            "a ? b",
            "a ? b ? c : d : e",
        ),
        *(
            "a &&",
            "!-a",
            "-!a",
            "in",
            "a.in",
            "(a).b{}",
            "f().b{}",
            "a[]",
            "a.?b(c)",
            "{?}",
            "T{1: 2}",
            "[,1]",
            "()",
        ),
        *(
            "a # b",
            '"a',
            "'a\\q'",
            "`",
            "a & b",
            "1a",
            "0xg",
            "T{a}",
            "T{?",
            "a[?]",
            "a.?",
            "a ? b : c : d",
            "[??a]",
        ),
    ],
)
def test_what_is_no_expression(text: str) -> None:
    assert "Syntax error: " in complaint(text)


def test_text_and_nesting_have_limits() -> None:  # P3
    assert complaint("1" * 100_001) == (
        "ERROR: <input>:-1:0: expression code point size exceeds limit: size: 100001, limit 100000"
    )
    parsed("(" * 249 + "1" + ")" * 249)
    assert (
        complaint("(" * 250 + "1" + ")" * 250)
        == "ERROR: <input>:-1:0: expression recursion limit exceeded: 250"
    )
    parsed("a" + ".a" * 250)
    assert complaint("a" + ".a" * 251) == "ERROR: <input>:-1:0: max recursion depth exceeded"
    assert "recursion limit" in complaint("[" * 99_999)
    # Each copies its target, which holds two copies of the one before.
    assert (
        complaint("a" + ".optMap(x, x)" * 30)
        == "ERROR: <input>:-1:0: expression node count exceeds limit: 100000"
    )
