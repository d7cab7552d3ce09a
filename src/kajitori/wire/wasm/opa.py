"""The ABI of Rego policies that OPA has compiled: JSON in and out of the guest's memory, and its built-in functions.

Promises
    O1  an evaluation gives the result set of an entrypoint for an input and data, all of it JSON
    O2  a built-in function that has no value makes the expression undefined; one that nobody has is named

Source: https://www.openpolicyagent.org/docs/latest/wasm/
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec

from kajitori.wire.wasm.guest import Guest, GuestError, Memory, unsigned

__all__ = ["RESULT_BYTES_MAX", "Builtins", "OpaPolicy", "Undefined"]

RESULT_BYTES_MAX = 8 << 20
_CHUNK = 4096

Builtins = Mapping[str, Callable[..., Any]]
"""Functions on JSON values, by their names in Rego."""

_decode = msgspec.json.Decoder().decode


class Undefined(Exception):
    """A built-in function has no value for these arguments."""


class OpaPolicy:
    """A guest that is a Rego policy."""

    def __init__(self, builtins: Builtins) -> None:
        self._builtins = builtins
        self._by_number: dict[int, str] = {}
        self._guest: Guest | None = None

    def start(self, guest: Guest) -> None:
        """Takes the guest on. Raises: GuestError for one that needs functions that there are not."""
        self._guest = guest
        wanted: dict[str, int] = self._pull(guest.call("builtins")) or {}
        missing = sorted(wanted.keys() - self._builtins.keys())
        if missing:
            raise GuestError(
                f"the policy needs Rego built-in functions that are not here: {', '.join(missing)}"
            )
        self._by_number = {number: name for name, number in wanted.items()}

    def entrypoints(self) -> dict[str, int]:
        """The names of what can be evaluated, with their numbers."""
        return self._pull(self._running.call("entrypoints")) or {}

    def evaluate(self, entrypoint: int, input_json: bytes, data_json: bytes) -> Any:
        """The result set. Raises: GuestError."""
        guest = self._running
        data = self._push(data_json)
        given = self._push(input_json)
        context = guest.call("opa_eval_ctx_new")
        guest.call("opa_eval_ctx_set_input", context, given)
        guest.call("opa_eval_ctx_set_data", context, data)
        guest.call("opa_eval_ctx_set_entrypoint", context, entrypoint)
        if guest.call("eval", context):
            raise GuestError("the policy could not be evaluated")
        return self._pull(guest.call("opa_eval_ctx_get_result", context))

    # What the guest imports, from the module `env`.

    def opa_abort(self, memory: Memory, text_at: int) -> None:
        raise GuestError(f"the policy aborted: {_text(memory, text_at)}")

    def opa_println(self, memory: Memory, text_at: int) -> None:
        """What a policy prints concerns nobody here."""

    def opa_builtin(self, memory: Memory, number: int, context: int, *arguments: int) -> int:
        name = self._by_number.get(number)
        if name is None:
            raise GuestError(f"the policy calls a built-in function without a name, number {number}")
        try:
            value = self._builtins[name](*(self._pull(each) for each in arguments))
        except Undefined:
            return 0
        return self._push(msgspec.json.encode(value))

    IMPORTS: ClassVar[Mapping[str, "Callable[..., int | None]"]] = {
        "opa_abort": opa_abort,
        "opa_println": opa_println,
        "opa_builtin0": opa_builtin,
        "opa_builtin1": opa_builtin,
        "opa_builtin2": opa_builtin,
        "opa_builtin3": opa_builtin,
        "opa_builtin4": opa_builtin,
    }

    # JSON in the guest's memory.

    @property
    def _running(self) -> Guest:
        assert self._guest is not None, "not started"
        return self._guest

    def _push(self, json: bytes) -> int:
        guest = self._running
        start = guest.call("opa_malloc", len(json))
        guest.memory.write(unsigned(start), json)
        address = guest.call("opa_json_parse", start, len(json))
        if not address:
            raise GuestError("the policy cannot read JSON that it was given")
        return address

    def _pull(self, address: int) -> Any:
        guest = self._running
        text = _bytes(guest.memory, guest.call("opa_json_dump", address))
        try:
            return _decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise GuestError("the policy gives something else than JSON") from None


def _text(memory: Memory, start: int) -> str:
    return _bytes(memory, start).decode("utf-8", "replace")


def _bytes(memory: Memory, start: int) -> bytes:
    """What stands there until a zero."""
    found = bytearray()
    position = unsigned(start)
    size = _CHUNK
    while len(found) <= RESULT_BYTES_MAX:
        try:
            part = memory.read(position, size)
        except GuestError:
            # The end of the memory may be nearer than a whole chunk.
            if size == 1:
                raise
            size //= 2
            continue
        end = part.find(b"\0")
        if end >= 0:
            return bytes(found + part[:end])
        found += part
        position += len(part)
    raise GuestError(f"the policy gives more than {RESULT_BYTES_MAX} bytes")
