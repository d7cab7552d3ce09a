"""The host's side of waPC, WASI and OPA, over a memory that is a bytearray: what runs need no WebAssembly to show."""

import contextlib
import struct

import pytest

from kajitori.wire.wasm.guest import GuestError
from kajitori.wire.wasm.module import ModuleError, OddFunctions, custom_section, export_names, odd_functions
from kajitori.wire.wasm.wapc import HostCallError, WapcCall
from kajitori.wire.wasm.wasi import WasiExit, WasiProcess


class Memory:
    """A guest's memory."""

    def __init__(self) -> None:
        self.data = bytearray(4096)

    def read(self, start: int, size: int) -> bytes:
        if start + size > len(self.data):
            raise GuestError("outside")
        return bytes(self.data[start : start + size])

    def write(self, start: int, data: bytes) -> None:
        if start + len(data) > len(self.data):
            raise GuestError("outside")
        self.data[start : start + len(data)] = data


def host(binding: str, namespace: str, operation: str, payload: bytes) -> bytes:
    if operation == "bad":
        raise HostCallError("not allowed")
    return f"{binding}/{namespace}/{operation}/{payload.decode()}".encode()


def place(memory: Memory, *texts: str) -> list[int]:
    places, at = [], 2048
    for text in texts:
        memory.write(at, text.encode())
        places += [at, len(text)]
        at += 64
    return places


# waPC: W1 to W3.


def test_what_the_host_says_reaches_the_guest_as_response_or_as_error() -> None:  # W2
    memory, call = Memory(), WapcCall("validate", b"{}", host, lambda line: None)
    assert call.host_call(memory, *place(memory, "b", "n", "o", "p")) == 1
    assert (call.host_response_len(memory), call.host_error_len(memory)) == (7, 0)
    call.host_response(memory, 0)
    assert memory.read(0, 7) == b"b/n/o/p"
    assert call.host_call(memory, *place(memory, "b", "n", "bad", "p")) == 0
    assert (call.host_response_len(memory), call.host_error_len(memory)) == (0, 11)
    call.host_error(memory, 0)
    assert memory.read(0, 11) == b"not allowed"


def test_addresses_are_unsigned() -> None:
    memory, call = Memory(), WapcCall("validate", b"{}", host, lambda line: None)
    with pytest.raises(GuestError):
        call.guest_response(memory, -4, 8)
    with pytest.raises(GuestError, match="most that is taken"):  # W3
        call.guest_response(memory, 0, -1)


def test_the_request_is_written_where_the_guest_wants_it() -> None:
    memory, lines = Memory(), list[str]()
    call = WapcCall("validate", b"{}", host, lines.append)
    call.guest_request(memory, 100, 200)
    assert (memory.read(100, 8), memory.read(200, 2)) == (b"validate", b"{}")
    call.console_log(memory, 100, 8)
    assert lines == ["validate"]


# WASI: P1 to P5.


def process(**started: object) -> WasiProcess:
    return WasiProcess(now_ns=lambda: 7, random_bytes=lambda size: b"r" * size, **started)  # type: ignore[arg-type]


def test_a_process_sees_its_arguments_and_no_environment() -> None:  # P1
    memory, wasi = Memory(), process(arguments=("policy.wasm", "validate"))
    assert wasi.args_sizes_get(memory, 0, 4) == 0
    assert struct.unpack("<II", memory.read(0, 8)) == (2, 21)
    assert wasi.args_get(memory, 0, 64) == 0
    assert memory.read(64, 21) == b"policy.wasm\0validate\0"
    assert struct.unpack("<II", memory.read(0, 8)) == (64, 76)
    assert wasi.environ_sizes_get(memory, 0, 4) == 0
    assert struct.unpack("<II", memory.read(0, 8)) == (0, 0)
    assert wasi.environ_get(memory, 0, 4) == 0


def test_reading_and_writing() -> None:
    memory, wasi = Memory(), process(stdin=b"hello")
    memory.write(0, struct.pack("<IIII", 100, 3, 200, 10))
    assert wasi.fd_read(memory, 0, 0, 2, 32) == 0
    assert (memory.read(100, 3), memory.read(200, 2)) == (b"hel", b"lo")
    assert struct.unpack("<I", memory.read(32, 4)) == (5,)
    memory.write(0, struct.pack("<II", 100, 3))
    assert wasi.fd_write(memory, 1, 0, 1, 32) == 0
    assert wasi.fd_write(memory, 2, 0, 1, 32) == 0
    assert (bytes(wasi.stdout), bytes(wasi.stderr)) == (b"hel", b"hel")
    assert wasi.fd_write(memory, 7, 0, 1, 32) == wasi.fd_read(memory, 1, 0, 1, 32) == 8
    with pytest.raises(GuestError, match="parts"):
        wasi.fd_write(memory, 1, 0, -1, 32)


def test_files_clocks_randomness_sleep() -> None:  # P1, P4
    memory, wasi = Memory(), process()
    assert [wasi.fd_fdstat_get(memory, file, 0) for file in (0, 1, 2, 3)] == [0, 0, 0, 8]
    assert memory.data[0] == 2
    assert (wasi.fd_seek(memory, 1, 0, 0, 0), wasi.fd_seek(memory, 9, 0, 0, 0)) == (70, 8)
    assert wasi.fd_prestat_get(memory, 3, 0) == wasi.fd_prestat_dir_name(memory, 3, 0, 0) == 8
    assert [wasi.fd_close(memory, 1), wasi.fd_close(memory, 5)] == [0, 8]
    assert wasi.fd_fdstat_set_flags(memory, 1, 0) == wasi.sched_yield(memory) == 0
    assert wasi.clock_time_get(memory, 0, 1, 0) == wasi.clock_res_get(memory, 0, 8) == 0
    assert struct.unpack("<QQ", memory.read(0, 16)) == (7, 1)
    assert (wasi.random_get(memory, 0, 4), memory.read(0, 4)) == (0, b"rrrr")
    assert wasi.random_get(memory, 0, 1 << 20) == 28
    memory.write(0, struct.pack("<QB", 42, 0))
    assert wasi.poll_oneoff(memory, 0, 512, 1, 1024) == 0
    assert struct.unpack("<Q", memory.read(512, 8)) == (42,)
    assert memory.read(1024, 4) == b"\1\0\0\0"
    assert wasi.poll_oneoff(memory, 0, 512, 0, 1024) == 28
    with pytest.raises(WasiExit, match="exit status 3"):
        wasi.proc_exit(memory, 3)


def test_a_host_call_answers_in_the_input() -> None:  # P5
    memory, wasi = Memory(), process(host=host)
    assert wasi.host_call(memory, *place(memory, "b", "n", "o", "p")) == 0
    assert wasi.host_call(memory, *place(memory, "b", "n", "bad", "p")) == 1
    memory.write(0, struct.pack("<II", 100, 64))
    wasi.fd_read(memory, 0, 0, 1, 32)
    assert memory.read(100, 18) == b"b/n/o/pnot allowed"
    with pytest.raises(GuestError, match="offers nothing"):
        process().host_call(memory, *place(memory, "b", "n", "o", "p"))


# Modules: M1.


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"\0asm",
        b"\0asm\1\0\0\0\0\x05\x09",
        b"\0asm\1\0\0\0\0\xff\xff\xff\xff\xff\x01",
        b"\0asm\1\0\0\0\0",
    ],
)
def test_a_damaged_module(damaged: bytes) -> None:
    with pytest.raises(ModuleError):
        custom_section(damaged, "x")


def test_sections_and_exports() -> None:
    module = b"\0asm\1\0\0\0" + b"\0\x05\x03abcX" + b"\0\x04\x01aYZ" + b"\x07\x0b\x02\x01f\0\0\x03mem\x02\0"
    assert (custom_section(module, "abc"), custom_section(module, "a")) == (b"X", b"YZ")
    assert custom_section(module, "b") is None
    assert export_names(module) == {"f", "mem"}
    assert export_names(b"\0asm\1\0\0\0") == frozenset()


EDGE = bytes.fromhex(
    "0061736d 01000000"
    "01 0e 03 60017f00 60017b00 6000027f7f"  # Types: (i32), (v128), and one that gives two numbers.
    "02 1c 04 0161 016d 02 01 01 02  0161 0167 03 7b 00  0161 0166 00 00  0161 0176 00 01"
    "03 03 02 00 02"
    "07 0d 03 016b 00 02  0174 00 03  016d 02 00"
)


def test_functions_at_the_edge_that_take_or_give_something_else_than_a_number() -> None:
    # Function 0 is a.f and 1 is a.v, imported; 2 is k and 3 is t.
    assert odd_functions(EDGE) == OddFunctions(frozenset({("a", "v")}), frozenset({"t"}))
    for place in range(9, len(EDGE)):
        for byte in (0, 1, 0x60, 0x7F, 0xFF):
            with contextlib.suppress(ModuleError):
                odd_functions(EDGE[:place] + bytes((byte,)) + EDGE[place + 1 :])
