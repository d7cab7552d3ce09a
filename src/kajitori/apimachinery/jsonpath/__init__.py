"""JSONPath as Kubernetes speaks it: `{.items[*].metadata.name}`, `.status.conditions[?(@.type=="Ready")].status`.

Sits under the tables of custom resources, scale subresources, and `-o jsonpath`. A template is text with
expressions in braces; `{range …}…{end}` repeats what is between for every result.

    fields      .name  ['name']  .a\\.b (escaped dot)  .* (every member)  ..name (at any depth)
    arrays      [3]  [-1]  [1:3]  [::2]  [*]  [0,2]
    filters     [?(@.type=="Ready")]  [?(@.ports)]  with == != < <= > >=
    values      "text"  'text'  12  1.5  true

Promises
    J1  a template is parsed once, into closures; evaluating interprets no text
    J2  a path that Kubernetes accepts gives the values, and the error, that Kubernetes gives for it

Source: client-go's util/jsonpath and https://kubernetes.io/docs/reference/kubectl/jsonpath/
"""

from typing import Any

from .parser import Parser
from .steps import JsonPathError, Part, block, value_text

__all__ = ["JsonPath", "JsonPathError", "parse_jsonpath", "value_text"]


class JsonPath:
    """A parsed template."""

    __slots__ = ("_part",)

    def __init__(self, part: Part) -> None:
        self._part = part

    def results(self, data: Any) -> list[list[Any]]:
        """The values that each expression found.

        Raises: JsonPathError.
        """
        try:
            return self._part([data])
        except RecursionError:
            raise JsonPathError("the data is nested too deeply") from None

    def first(self, data: Any) -> tuple[bool, Any]:
        """Whether the first expression found anything, and its first value.

        Raises: JsonPathError.
        """
        found = self.results(data)
        return (True, found[0][0]) if found and found[0] else (False, None)

    def render(self, data: Any) -> str:
        """The template's text, values of one expression apart by a space.

        Raises: JsonPathError.
        """
        return "".join(" ".join(map(value_text, each)) for each in self.results(data))


def parse_jsonpath(template: str, *, allow_missing: bool = False) -> JsonPath:
    """A template's closures; with `allow_missing` a field that is not there is no value instead of an error.

    Raises: JsonPathError.
    """
    try:
        nodes = Parser(template, allow_missing).parse()
    except RecursionError:
        raise JsonPathError("the template is nested too deeply") from None
    part, rest = block(nodes, inside=False)
    assert not rest
    return JsonPath(part)
