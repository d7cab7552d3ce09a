"""The texts that stand under the attributes of a class, which Python itself forgets.

    class WidgetSpec(msgspec.Struct):
        size: int
        \"\"\"How large the widget is.\"\"\"

Sits under the generation of CustomResourceDefinitions, where they become descriptions. They are read from the
source; where there is no source, there are no texts.

Source: PEP 257 (attribute docstrings).
"""

import ast
import inspect
import textwrap

__all__ = ["attribute_docs", "class_doc", "one_paragraph"]


def attribute_docs(owner: type) -> dict[str, str]:
    """Text by attribute name, for a class and the classes it inherits from; the nearest wins."""
    docs: dict[str, str] = {}
    for each in reversed(owner.__mro__):
        if each.__module__ not in ("builtins", "msgspec", "msgspec._core"):
            docs.update(_own_docs(each))
    return docs


def _own_docs(owner: type) -> dict[str, str]:
    try:
        source = textwrap.dedent(inspect.getsource(owner))
    except (OSError, TypeError):
        return {}
    tree = ast.parse(source).body[0]
    assert isinstance(tree, ast.ClassDef), f"the source of {owner!r} is no class"
    docs: dict[str, str] = {}
    for statement, following in zip(tree.body, tree.body[1:], strict=False):
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            text = following.value.value
            if isinstance(text, str):
                docs[statement.target.id] = one_paragraph(text)
    return docs


def class_doc(owner: type) -> str:
    """The docstring of exactly this class, without what a parent says; empty when it has none."""
    text = vars(owner).get("__doc__")
    return one_paragraph(text) if isinstance(text, str) else ""


def one_paragraph(text: str) -> str:
    """The text with its lines joined; empty lines still part paragraphs."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(each.split()) for each in paragraphs if each.strip())
