"""What is asked of a Pod's streams, as an object: for admission, which judges and changes it like any other.

Source: PodExecOptions and its relatives in core/v1; apimachinery's conversion of url.Values.
"""

from collections.abc import Mapping, Sequence

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import BadRequest
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis import typed
from kajitori.apis.resources import SubresourceInfo

__all__ = ["connect_options"]

_BOOLEANS = ("stdin", "stdout", "stderr", "tty")
_FALSE = ("0", "false")


def connect_options(
    part: SubresourceInfo, query: Mapping[str, Sequence[str]], path: Sequence[str]
) -> JsonObject:
    """The options of exec, attach, port-forward or proxy; `path` is what follows the subresource.

    Raises: BadRequest.
    """
    asked: JsonObject = {
        name: given[0].lower() not in _FALSE for name in _BOOLEANS if (given := query.get(name))
    }
    if container := query.get("container"):
        asked["container"] = container[0]
    if command := query.get("command"):
        asked["command"] = list(command)
    if ports := query.get("ports"):
        asked["ports"] = [_port(text) for each in ports for text in each.split(",")]
    if path:
        asked["path"] = "/" + "/".join(path)
    options, _ = typed.decode(part.definition, asked)
    return options


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) < 1 << 31:
        return int(text)
    told = f"cannot convert to []int32: strconv.ParseUint: parsing {go_quote(text)}: invalid syntax"
    raise BadRequest(told)
