"""JSON patch (RFC 6902) as the API server applies it.

Sits under PATCH with `application/json-patch+json`, and under the policies and webhooks that answer with patches.

Promises
    J1  the document given is never changed; what no operation touched is shared with the result
    J2  either every operation is applied, or none and Invalid is raised; `patched` says why, in Kubernetes' words
    J3  Kubernetes' deviations hold: `replace` may add a member, negative indexes count from the end, `test`
        of a member that is not there succeeds against null, `copy` of one gives null

Source: RFC 6902, RFC 6901; gopkg.in/evanphx/json-patch.v4; apiserver's endpoints/handlers/patch.go.
"""

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import msgspec

from kajitori.apimachinery.decode import (
    DecodeError,
    decode_json,
    duplicate_fields,
    go_quote,
    has_duplicates,
    json_type,
)
from kajitori.apimachinery.errors import BadRequest, Invalid, RequestEntityTooLarge

__all__ = [
    "COPIED_BYTES_MAX",
    "OPERATIONS_MAX",
    "PatchError",
    "TestFailed",
    "apply_json_patch",
    "parse_json_patch",
    "patched",
    "strict_complaints",
]

OPERATIONS_MAX = 10_000
"""Operations of one patch: Kubernetes' limit, which bounds the work that one request can ask for."""

COPIED_BYTES_MAX = 3 * 1024 * 1024
"""What the `copy` operations of one patch may add: Kubernetes' limit. Without it 30 of them fill memory."""

_MEMBERS = {"op", "path", "from", "value"}
_INDEX = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_REJECTED = "the server rejected our request due to an error in our request"


class PatchError(Exception):
    """Why one operation cannot be applied, in the words of Kubernetes' library; not every client is told."""


class TestFailed(PatchError):
    """A `test` found another value."""

    __test__ = False  # for pytest, which looks at names


def parse_json_patch(body: bytes) -> list[Any]:
    """The operations of a request body.

    Raises: BadRequest when it is no list of operations; RequestEntityTooLarge above OPERATIONS_MAX.
    """
    try:
        operations = decode_json(body)
    except DecodeError as error:
        raise BadRequest(f"error decoding patch: {error}") from None
    if operations is None:
        return []
    if not isinstance(operations, list):
        raise _not_of_type(operations, "value of type []handlers.jsonPatchOp")
    for operation in operations:
        _check_operation(operation)
    if len(operations) > OPERATIONS_MAX:
        raise RequestEntityTooLarge(
            f"The allowed maximum operations in a JSON patch is {OPERATIONS_MAX}, got {len(operations)}"
        )
    return operations


def _check_operation(operation: Any) -> None:
    if operation is None:
        return
    if not isinstance(operation, dict):
        raise _not_of_type(operation, "value of type handlers.jsonPatchOp")
    for name in ("op", "path", "from"):
        given = operation.get(name)
        if given is not None and not isinstance(given, str):
            raise _not_of_type(given, f"struct field jsonPatchOp.{name} of type string")


def _not_of_type(given: Any, where: str) -> BadRequest:
    return BadRequest(f"error decoding patch: json: cannot unmarshal {json_type(given)} into Go {where}")


def strict_complaints(body: bytes, operations: list[Any]) -> list[str]:
    """What strict field validation says of a patch: `json patch unknown field "[0].values"`."""
    found = duplicate_fields(body) if has_duplicates(body, operations) else []
    for index, operation in enumerate(operations):
        names = operation if operation is not None else ()
        found += [f'unknown field "[{index}].{name}"' for name in names if name not in _MEMBERS]
    return [f"json patch {each}" for each in found]


def apply_json_patch(document: Any, operations: list[Any]) -> Any:
    """The document after all operations.

    Raises: Invalid when one does not apply, a failed `test` too; as Kubernetes does, it does not say which.
    """
    try:
        return patched(document, operations)
    except (PatchError, RecursionError) as error:
        raise Invalid(_REJECTED, details={}) from error


def patched(document: Any, operations: list[Any]) -> Any:
    """The document after all operations.

    Raises: PatchError when one does not apply, TestFailed where that is a `test`.
    """
    state = _State(document)
    for operation in operations:
        state.apply(operation if operation is not None else {})
    return state.root


class _State:
    """The document so far. Containers are copied before they are first changed, then belong to us."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self._ours: dict[int, Any] = {}
        """Our containers by id; held here, so that no id is used twice."""
        self._copied_bytes = 0

    def apply(self, operation: dict[str, Any]) -> None:
        kind = operation.get("op")
        match kind:
            case "add" | "remove":
                self._add_or_remove(kind, operation)
            case "replace":
                self._replace(operation)
            case "move":
                self._move(operation)
            case "copy":
                self._copy(operation)
            case "test":
                self._test(operation)
            case other:
                raise PatchError(f"Unexpected kind: {'unknown' if other is None else other}")

    def _add_or_remove(self, kind: str, operation: dict[str, Any]) -> None:
        pointer = operation.get("path")
        if pointer is None:
            raise PatchError(f"{kind} operation failed to decode path: {_MISSING}")
        container, key = self._parent(
            pointer, f'{kind} operation does not apply: doc is missing path: "{pointer}"'
        )
        with _told(f"error in {kind} for path: '{pointer}'"):
            if kind == "add":
                _add(container, key, operation.get("value"))
            else:
                _remove(container, key)

    def _replace(self, operation: dict[str, Any]) -> None:
        pointer, value = _pointer("replace", operation, "path"), operation.get("value")
        if pointer == "":
            if not isinstance(value, dict | list):
                raise PatchError("replace operation value must be object or array: %!w(<nil>)")
            self.root = value
            return
        told = "replace operation does not apply: doc is missing"
        container, key = self._parent(pointer, f"{told} path: {pointer}")
        if isinstance(container, list):
            try:
                container[_position(container, key)] = value
            except PatchError:
                raise PatchError(f"{told} key: {pointer}: {_MISSING}") from None
        else:
            container[key] = value

    def _move(self, operation: dict[str, Any]) -> None:
        source = _pointer("move", operation, "from")
        told = "move operation does not apply: doc is missing"
        container, key = self._parent(source, f"{told} from path: {source}")
        with _told(f"error in move for path: '{key}'"):
            moved = _get(container, key)
            _remove(container, key)
        pointer = _pointer("move", operation, "path")
        container, key = self._parent(pointer, f"{told} destination path: {pointer}")
        with _told(f"error in move for path: '{pointer}'"):
            _add(container, key, moved)

    def _copy(self, operation: dict[str, Any]) -> None:
        source = _pointer("copy", operation, "from")
        told = "copy operation does not apply: doc is missing"
        copied = self._value(source, f"{told} from path: {source}", f"error in copy for from: '{source}'")
        pointer = operation.get("path")
        if pointer is None:
            raise PatchError(f"copy operation failed to decode path: {_MISSING}")
        # It will stand in two places, maybe within itself: whichever is changed next must be copied first.
        self._disown(copied)
        container, key = self._parent(pointer, f"{told} destination path: {pointer}")
        if isinstance(copied, dict | list):
            self._copied_bytes += len(msgspec.json.encode(copied))
            if self._copied_bytes > COPIED_BYTES_MAX:
                raise PatchError(
                    f"Unable to complete the copy, the accumulated size increase of copy is {self._copied_bytes}, "
                    f"exceeding the limit {COPIED_BYTES_MAX}"
                )
        with _told("error while adding value during copy"):
            _add(container, key, copied)

    def _test(self, operation: dict[str, Any]) -> None:
        pointer = _pointer("test", operation, "path")
        found = self.root
        if pointer != "":
            missing = f"test operation does not apply: is missing path: {pointer}"
            found = self._value(pointer, missing, f"error in test for path: '{pointer}'")
        if not _same(found, operation.get("value")):
            raise TestFailed(f"testing value {pointer} failed: test failed")

    def _value(self, pointer: str, missing: str, wrong: str) -> Any:
        """What the pointer points at. Raises: PatchError, with `missing` or `wrong` before it."""
        *steps, key = _steps(pointer, missing)
        at = self.root
        for step in steps:
            at = _stepped(at, step, missing)
        if not isinstance(at, dict | list):
            raise PatchError(f"{missing}: {_MISSING}")
        with _told(wrong):
            return _get(at, key)

    def _parent(self, pointer: str, missing: str) -> tuple[Any, str]:
        """The container the pointer's last step is in, ours to change, and that step.

        Raises: PatchError, which begins with `missing`.
        """
        *steps, key = _steps(pointer, missing)
        at = self.root = self._own(self.root, missing)
        for step in steps:
            inner = self._own(_stepped(at, step, missing), missing)
            if isinstance(at, list):
                at[_position(at, step)] = inner
            else:
                at[step] = inner
            at = inner
        return at, key

    def _own(self, container: Any, missing: str) -> Any:
        if id(container) in self._ours:
            return container
        if not isinstance(container, dict | list):
            raise PatchError(f"{missing}: {_MISSING}")
        ours = container.copy()
        self._ours[id(ours)] = ours
        return ours

    def _disown(self, value: Any) -> None:
        if isinstance(value, dict | list):
            self._ours.pop(id(value), None)
            for each in value.values() if isinstance(value, dict) else value:
                self._disown(each)


_MISSING = "missing value"


@contextmanager
def _told(where: str) -> Generator[None]:
    """Puts before a PatchError where it happened."""
    try:
        yield
    except PatchError as error:
        raise PatchError(f"{where}: {error}") from None


def _pointer(kind: str, operation: dict[str, Any], name: str) -> str:
    pointer = operation.get(name)
    if not isinstance(pointer, str):
        what = "operation missing path field" if name == "path" else "operation, missing from field"
        raise PatchError(f"{kind} operation failed to decode {name}: {what}: {_MISSING}")
    return pointer


def _steps(pointer: str, missing: str) -> list[str]:
    """The decoded steps; what stands before the first slash is ignored."""
    steps = pointer.split("/")[1:]
    if not steps:
        raise PatchError(f"{missing}: {_MISSING}")
    return [_unescaped(step) for step in steps] if "~" in pointer else steps


def _stepped(container: Any, step: str, missing: str) -> Any:
    try:
        return _get(container, step)
    except PatchError:
        raise PatchError(f"{missing}: {_MISSING}") from None


def _unescaped(step: str) -> str:
    # In one pass, so that `~01` is `~1` and not `/`.
    return re.sub("~[01]", lambda found: "/" if found[0] == "~1" else "~", step)


def _index(key: str) -> int:
    if _INDEX.fullmatch(key) is None:
        raise PatchError(f"strconv.Atoi: parsing {go_quote(key)}: invalid syntax")
    return int(key)


def _position(array: list[Any], key: str) -> int:
    """Where an existing element is."""
    index = _index(key)
    if not -len(array) <= index < len(array):
        raise PatchError(f"Unable to access invalid index: {index}: invalid index referenced")
    return index % len(array)


def _get(container: Any, key: str) -> Any:
    if isinstance(container, dict):
        return container.get(key)
    if isinstance(container, list):
        return container[_position(container, key)]
    raise PatchError(_MISSING)


def _add(container: Any, key: str, value: Any) -> None:
    if isinstance(container, dict):
        container[key] = value
        return
    if key == "-":
        container.append(value)
        return
    places = len(container) + 1
    with _told(f"value was not a proper array index: '{key}'"):
        index = _index(key)
    if not -places <= index < places:
        raise PatchError(f"Unable to access invalid index: {index}: invalid index referenced")
    container.insert(index % places, value)


def _remove(container: Any, key: str) -> None:
    if isinstance(container, list):
        del container[_position(container, key)]
    elif key in container:
        del container[key]
    else:
        raise PatchError(f"Unable to remove nonexistent key: {key}: {_MISSING}")


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON texts are: true is not 1, and 1 is not 1.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(each, other[key]) for key, each in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
