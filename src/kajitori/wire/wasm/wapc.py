"""waPC: a guest that is called with the name of an operation and a payload, and may call its host back.

One `WapcCall` is one call. The host writes the request where the guest wants it, keeps what the guest answers, and
hands its own answers over in two steps, length first.

Promises
    W1  a call gives what the guest answered, or raises GuestError with what it complained of
    W2  what the host says to a guest's call reaches it as a response or as an error, never as both
    W3  an answer, an error or a line of log of more than its limit is refused

Source: https://wapc.io/docs/spec/ and the host library of the project.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar

from kajitori.wire.wasm.guest import Guest, GuestError, Memory, unsigned

__all__ = ["ANSWER_BYTES_MAX", "HostCall", "HostCallError", "WapcCall", "start_functions"]

ANSWER_BYTES_MAX = 8 << 20
"""A mutated object is at most as large as what an API server takes: three megabytes and its escapes."""
_LOG_BYTES_MAX = 64 << 10

HostCall = Callable[[str, str, str, bytes], bytes]
"""`(binding, namespace, operation, payload)`: the answer. Raises: HostCallError."""

_STARTS = ("_initialize", "_start", "wapc_init")


class HostCallError(Exception):
    """Why a host does not do what its guest asked for; the guest is told."""


def start_functions(exported: frozenset[str]) -> list[str]:
    """What is called once, before the first call: where the guest's language sets itself up."""
    return [name for name in _STARTS if name in exported]


class WapcCall:
    """One call, and the state that belongs to it."""

    def __init__(self, operation: str, payload: bytes, host: HostCall, log: Callable[[str], None]) -> None:
        self._operation = operation.encode()
        self._payload = payload
        self._host = host
        self._log = log
        self._answer: bytes | None = None
        self._complaint: bytes | None = None
        self._response = b""
        self._error = b""

    def run(self, guest: Guest) -> bytes:
        """Calls the guest. Raises: GuestError."""
        succeeded = guest.call("__guest_call", len(self._operation), len(self._payload))
        if succeeded == 1 and self._answer is not None:
            return self._answer
        if self._complaint is not None:
            raise GuestError(self._complaint.decode("utf-8", "replace"))
        if succeeded == 1:
            return b""
        raise GuestError("the guest failed and did not say why")

    # What the guest imports.

    def guest_request(self, memory: Memory, operation_at: int, payload_at: int) -> None:
        memory.write(unsigned(operation_at), self._operation)
        memory.write(unsigned(payload_at), self._payload)

    def guest_response(self, memory: Memory, start: int, size: int) -> None:
        self._answer = _read(memory, start, size, ANSWER_BYTES_MAX)

    def guest_error(self, memory: Memory, start: int, size: int) -> None:
        self._complaint = _read(memory, start, size, _LOG_BYTES_MAX)

    def host_call(self, memory: Memory, *places: int) -> int:
        binding, namespace, operation, payload = (
            _read(memory, places[index], places[index + 1], ANSWER_BYTES_MAX) for index in range(0, 8, 2)
        )
        self._response = self._error = b""
        try:
            self._response = self._host(_text(binding), _text(namespace), _text(operation), payload)
        except HostCallError as error:
            self._error = str(error).encode()
            return 0
        return 1

    def host_response_len(self, memory: Memory) -> int:
        return len(self._response)

    def host_response(self, memory: Memory, start: int) -> None:
        memory.write(unsigned(start), self._response)

    def host_error_len(self, memory: Memory) -> int:
        return len(self._error)

    def host_error(self, memory: Memory, start: int) -> None:
        memory.write(unsigned(start), self._error)

    def console_log(self, memory: Memory, start: int, size: int) -> None:
        self._log(_text(_read(memory, start, size, _LOG_BYTES_MAX)))

    IMPORTS: ClassVar[Mapping[str, "Callable[..., int | None]"]] = {
        "__guest_request": guest_request,
        "__guest_response": guest_response,
        "__guest_error": guest_error,
        "__host_call": host_call,
        "__host_response_len": host_response_len,
        "__host_response": host_response,
        "__host_error_len": host_error_len,
        "__host_error": host_error,
        "__console_log": console_log,
    }
    """The functions of the module `wapc`: each takes the call, the guest's memory, and the guest's arguments."""


def _read(memory: Memory, start: int, size: int, bytes_max: int) -> bytes:
    if unsigned(size) > bytes_max:
        raise GuestError(
            f"the guest hands over {unsigned(size)} bytes; {bytes_max} is the most that is taken"
        )
    return memory.read(unsigned(start), unsigned(size))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
