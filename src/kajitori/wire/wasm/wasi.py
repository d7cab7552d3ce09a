"""WASI preview 1 for a guest that reads standard input and writes standard output: no files, no sockets, no clock but
the one it is given.

Promises
    P1  the guest sees its arguments, its input, and nothing else of the machine
    P2  output of more than OUTPUT_BYTES_MAX is refused
    P3  a function of WASI that is not here answers that it is not supported
    P4  whoever asks to sleep is woken at once: time that passes is what the guest's limit is measured in
    P5  `host.call` puts its answer into the input, behind what is there

Source: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md; P5 is Kubewarden's.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from kajitori.wire.wasm.guest import GuestError, Memory, unsigned
from kajitori.wire.wasm.wapc import HostCall, HostCallError

__all__ = ["NOT_SUPPORTED", "OUTPUT_BYTES_MAX", "WasiExit", "WasiProcess"]

OUTPUT_BYTES_MAX = 8 << 20
"""An answer that holds a mutated object, as for waPC."""

_SUCCESS, _BAD_FILE, _INVALID, _SEEK_ON_PIPE = 0, 8, 28, 70
NOT_SUPPORTED = 52
_STDIN, _STDOUT, _STDERR = 0, 1, 2
_CHARACTER_DEVICE = 2
_MAY_READ, _MAY_WRITE = 1 << 1, 1 << 6
_SUBSCRIPTION_BYTES, _EVENT_BYTES = 48, 32
_POLLED_MAX = 64
_VECTORS_MAX = 1024
_RANDOM_BYTES_MAX = 1 << 16


class WasiExit(Exception):
    """The guest has ended itself, with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exit status {code}")
        self.code = code


class WasiProcess:
    """What a guest of WASI has around it, for one run."""

    def __init__(
        self,
        *,
        arguments: Sequence[str] = (),
        stdin: bytes = b"",
        now_ns: Callable[[], int],
        random_bytes: Callable[[int], bytes],
        host: HostCall | None = None,
    ) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self._arguments = [each.encode() + b"\0" for each in arguments]
        self._stdin = bytearray(stdin)
        self._now_ns = now_ns
        self._random_bytes = random_bytes
        self._host = host

    def args_sizes_get(self, memory: Memory, count_at: int, size_at: int) -> int:
        memory.write(unsigned(count_at), _u32(len(self._arguments)))
        memory.write(unsigned(size_at), _u32(sum(map(len, self._arguments))))
        return _SUCCESS

    def args_get(self, memory: Memory, pointers_at: int, texts_at: int) -> int:
        position = unsigned(texts_at)
        for index, each in enumerate(self._arguments):
            memory.write(unsigned(pointers_at) + 4 * index, _u32(position))
            memory.write(position, each)
            position += len(each)
        return _SUCCESS

    def environ_sizes_get(self, memory: Memory, count_at: int, size_at: int) -> int:
        memory.write(unsigned(count_at), _u32(0))
        memory.write(unsigned(size_at), _u32(0))
        return _SUCCESS

    def environ_get(self, memory: Memory, pointers_at: int, texts_at: int) -> int:
        return _SUCCESS

    def clock_time_get(self, memory: Memory, clock: int, precision: int, time_at: int) -> int:
        memory.write(unsigned(time_at), struct.pack("<Q", self._now_ns()))
        return _SUCCESS

    def clock_res_get(self, memory: Memory, clock: int, resolution_at: int) -> int:
        memory.write(unsigned(resolution_at), struct.pack("<Q", 1))
        return _SUCCESS

    def random_get(self, memory: Memory, start: int, size: int) -> int:
        if unsigned(size) > _RANDOM_BYTES_MAX:
            return _INVALID
        memory.write(unsigned(start), self._random_bytes(unsigned(size)))
        return _SUCCESS

    def fd_write(self, memory: Memory, file: int, vectors_at: int, count: int, written_at: int) -> int:
        if file not in (_STDOUT, _STDERR):
            return _BAD_FILE
        output = self.stdout if file == _STDOUT else self.stderr
        before = len(output)
        for start, size in _vectors(memory, vectors_at, count):
            if len(output) + size > OUTPUT_BYTES_MAX:
                raise GuestError(f"the guest writes more than {OUTPUT_BYTES_MAX} bytes")
            output += memory.read(start, size)
        memory.write(unsigned(written_at), _u32(len(output) - before))
        return _SUCCESS

    def fd_read(self, memory: Memory, file: int, vectors_at: int, count: int, read_at: int) -> int:
        if file != _STDIN:
            return _BAD_FILE
        done = 0
        for start, size in _vectors(memory, vectors_at, count):
            part = bytes(self._stdin[:size])
            memory.write(start, part)
            del self._stdin[: len(part)]
            done += len(part)
        memory.write(unsigned(read_at), _u32(done))
        return _SUCCESS

    def fd_fdstat_get(self, memory: Memory, file: int, stat_at: int) -> int:
        if file not in (_STDIN, _STDOUT, _STDERR):
            return _BAD_FILE
        rights = _MAY_READ if file == _STDIN else _MAY_WRITE
        memory.write(unsigned(stat_at), struct.pack("<BxHxxxxQQ", _CHARACTER_DEVICE, 0, rights, 0))
        return _SUCCESS

    def fd_fdstat_set_flags(self, memory: Memory, file: int, flags: int) -> int:
        return _SUCCESS if file in (_STDIN, _STDOUT, _STDERR) else _BAD_FILE

    def fd_close(self, memory: Memory, file: int) -> int:
        return _SUCCESS if file in (_STDIN, _STDOUT, _STDERR) else _BAD_FILE

    def fd_seek(self, memory: Memory, file: int, offset: int, whence: int, position_at: int) -> int:
        return _SEEK_ON_PIPE if file in (_STDIN, _STDOUT, _STDERR) else _BAD_FILE

    def fd_prestat_get(self, memory: Memory, file: int, stat_at: int) -> int:
        return _BAD_FILE

    def fd_prestat_dir_name(self, memory: Memory, file: int, path_at: int, size: int) -> int:
        return _BAD_FILE

    def sched_yield(self, memory: Memory) -> int:
        return _SUCCESS

    def poll_oneoff(self, memory: Memory, asked_at: int, events_at: int, count: int, done_at: int) -> int:
        if not 0 < count <= _POLLED_MAX:
            return _INVALID
        for index in range(count):
            asked = memory.read(unsigned(asked_at) + index * _SUBSCRIPTION_BYTES, _SUBSCRIPTION_BYTES)
            event = struct.pack("<8sHB5xQH6x", asked[:8], _SUCCESS, asked[8], 0, 0)
            memory.write(unsigned(events_at) + index * _EVENT_BYTES, event)
        memory.write(unsigned(done_at), _u32(count))
        return _SUCCESS

    def proc_exit(self, memory: Memory, code: int) -> None:
        raise WasiExit(code)

    def host_call(self, memory: Memory, *places: int) -> int:
        """`host.call`: 0 where the host has answered, 1 where what is in the input is its complaint."""
        binding, namespace, operation, payload = (
            memory.read(unsigned(places[index]), unsigned(places[index + 1])) for index in range(0, 8, 2)
        )
        if self._host is None:
            raise GuestError("the guest calls a host that offers nothing")
        try:
            answer = self._host(_text(binding), _text(namespace), _text(operation), payload)
        except HostCallError as error:
            self._stdin += str(error).encode()
            return 1
        self._stdin += answer
        return 0

    IMPORTS: ClassVar[Mapping[str, "Callable[..., int | None]"]] = {
        "args_get": args_get,
        "args_sizes_get": args_sizes_get,
        "clock_res_get": clock_res_get,
        "clock_time_get": clock_time_get,
        "environ_get": environ_get,
        "environ_sizes_get": environ_sizes_get,
        "fd_close": fd_close,
        "fd_fdstat_get": fd_fdstat_get,
        "fd_fdstat_set_flags": fd_fdstat_set_flags,
        "fd_prestat_dir_name": fd_prestat_dir_name,
        "fd_prestat_get": fd_prestat_get,
        "fd_read": fd_read,
        "fd_seek": fd_seek,
        "fd_write": fd_write,
        "poll_oneoff": poll_oneoff,
        "proc_exit": proc_exit,
        "random_get": random_get,
        "sched_yield": sched_yield,
    }
    """The functions of the module `wasi_snapshot_preview1`: each takes the process, the memory, the arguments."""


def _vectors(memory: Memory, start: int, count: int) -> list[tuple[int, int]]:
    """Where the parts of a read or a write are, and how long they are."""
    if not 0 <= count <= _VECTORS_MAX:
        raise GuestError(f"the guest reads or writes in {count} parts; {_VECTORS_MAX} is the most")
    return list(struct.iter_unpack("<II", memory.read(unsigned(start), 8 * count)))


def _u32(number: int) -> bytes:
    return struct.pack("<I", number)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
