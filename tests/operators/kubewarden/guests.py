"""Guests for tests, in WebAssembly's text form: small enough to read, and no toolchain is needed."""

import json
from collections.abc import Mapping
from typing import Any

import wasmtime

__all__ = ["METADATA", "module", "opa", "rego", "wapc", "wasi", "with_section"]

METADATA = "io.kubewarden.policy-metadata"
_ANSWER, _HOST, _REQUEST, _RESPONSE = 1024, 16384, 65536, 262144


def module(text: str) -> bytes:
    """The binary form."""
    return bytes(wasmtime.wat2wasm(text))


def _data(place: int, text: str) -> str:
    escaped = "".join(f"\\{byte:02x}" for byte in text.encode())
    return f'(data (i32.const {place}) "{escaped}")'


_WAPC = """
(module
  (import "wapc" "__guest_request" (func $request (param i32 i32)))
  (import "wapc" "__guest_response" (func $response (param i32 i32)))
  (import "wapc" "__guest_error" (func $error (param i32 i32)))
  (import "wapc" "__host_call" (func $host (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wapc" "__host_response_len" (func $host_len (result i32)))
  (import "wapc" "__host_response" (func $host_get (param i32)))
  (import "wapc" "__host_error_len" (func $error_len (result i32)))
  (import "wapc" "__host_error" (func $error_get (param i32)))
  (import "wapc" "__console_log" (func $log (param i32 i32)))
  (memory (export "memory") 16)
  (global $runs (mut i32) (i32.const 0))
  %(data)s
  (func (export "wapc_init"))
  (func (export "__guest_call") (param $op i32) (param $payload i32) (result i32)
    (call $request (i32.const %(request)d) (i32.add (i32.const %(request)d) (i32.const 64)))
    (global.set $runs (i32.add (global.get $runs) (i32.const 1)))
    (if (i32.gt_u (global.get $runs) (i32.const 1)) (then (unreachable)))
    %(dispatch)s
    (call $error (i32.const 0) (i32.const %(unknown)d))
    (i32.const 0)))
"""
_UNKNOWN = "no such operation"


def wapc(
    validate: str | Mapping[str, Any] = '{"accepted": true}',
    settings: str = '{"valid": true}',
    version: str = '"v1"',
    *,
    do: str = "",
    host: tuple[str, str, str] | None = None,
) -> bytes:
    """A waPC policy that always says the same; `do` is code that runs first when it validates.

    `host`: a host call (namespace, operation, payload), whose answer becomes the mutated object and whose complaint
    the message.
    """
    validated = validate if isinstance(validate, str) else json.dumps(validate)
    texts = {"validate": validated, "validate_settings": settings, "protocol_version": version}
    data, dispatch, place = [_data(0, _UNKNOWN)], [], _ANSWER
    for operation, text in texts.items():
        size = len(text.encode())
        data.append(_data(place, text))
        first = do if operation == "validate" else ""
        answer = f"(call $response (i32.const {place}) (i32.const {size})) (return (i32.const 1))"
        if operation == "validate" and host is not None:
            answer = _host_call(host, data)
        dispatch.append(f"(if (i32.eq (local.get $op) (i32.const {len(operation)})) (then {first} {answer}))")
        place += 4096
    return module(
        _WAPC
        % {
            "data": "\n".join(data),
            "dispatch": "\n".join(dispatch),
            "request": _REQUEST,
            "unknown": len(_UNKNOWN),
        }
    )


def _host_call(host: tuple[str, str, str], data: list[str]) -> str:
    arguments, place = [], _HOST
    for text in ("kubewarden", *host):
        data.append(_data(place, text))
        arguments.append(f"(i32.const {place}) (i32.const {len(text.encode())})")
        place += 4096

    def answer(prefix: str, suffix: str, size: str, fetch: str, at: int) -> str:
        data.append(_data(at, prefix))
        data.append(_data(at + 2048, suffix))
        start, length = at + len(prefix), f"(call {size})"
        return f"""
            (call {fetch} (i32.const {start}))
            (memory.copy (i32.add (i32.const {start}) {length}) (i32.const {at + 2048}) (i32.const {len(suffix)}))
            (call $response (i32.const {at}) (i32.add (i32.const {len(prefix) + len(suffix)}) {length}))
            (return (i32.const 1))"""

    # What is fetched may be as long as it likes: nothing stands behind the last of these places but free memory.
    said = '{"accepted": true, "mutated_object": {"host": '
    good = answer(said, "}}", "$host_len", "$host_get", _RESPONSE).replace(
        f"(i32.const {_RESPONSE + 2048})", f"(i32.const {_HOST + 20480})"
    )
    data.append(_data(_HOST + 20480, "}}"))
    bad = answer('{"accepted": false, "message": "', '"}', "$error_len", "$error_get", _HOST + 24576)
    return f"(if (call $host {' '.join(arguments)}) (then {good}) (else {bad}))"


_WASI = """
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 16)
  %(data)s
  (func $say (param $file i32) (param $place i32) (param $size i32)
    (i32.store (i32.const 16) (local.get $place))
    (i32.store (i32.const 20) (local.get $size))
    (drop (call $write (local.get $file) (i32.const 16) (i32.const 1) (i32.const 24))))
  (func (export "_start")
    (drop (call $sizes (i32.const 0) (i32.const 4)))
    (i32.store (i32.const 16) (i32.const %(request)d))
    (i32.store (i32.const 20) (i32.const 65536))
    (drop (call $read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 24)))
    (if (i32.gt_u (i32.load (i32.const 4)) (i32.const 24))
      (then (call $say (i32.const 1) (i32.const 8192) (i32.const %(settings)d)) (return)))
    %(do)s
    (call $say (i32.const 1) (i32.const 1024) (i32.const %(validate)d))))
"""


def wasi(validate: str = '{"accepted": true}', settings: str = '{"valid": true}', *, do: str = "") -> bytes:
    """A WASI policy that always says the same; which it is asked for it sees by the size of its arguments."""
    return module(
        _WASI
        % {
            "data": _data(1024, validate) + _data(8192, settings),
            "do": do,
            "request": _REQUEST,
            "settings": len(settings.encode()),
            "validate": len(validate.encode()),
        }
    )


_REGO = """
(module
  (import "env" "memory" (memory 4))
  (import "env" "opa_abort" (func $abort (param i32)))
  (import "env" "opa_builtin1" (func $builtin (param i32 i32 i32) (result i32)))
  (export "memory" (memory 0))
  (global $free (mut i32) (i32.const 65536))
  (global $input (mut i32) (i32.const 0))
  (global $result (mut i32) (i32.const 0))
  %(data)s
  (func (export "opa_malloc") (param $size i32) (result i32)
    (local $place i32)
    (local.set $place (global.get $free))
    (global.set $free (i32.add (i32.add (global.get $free) (local.get $size)) (i32.const 8)))
    (local.get $place))
  (func (export "opa_json_parse") (param $place i32) (param $size i32) (result i32)
    (i32.store8 (i32.add (local.get $place) (local.get $size)) (i32.const 0))
    (local.get $place))
  (func (export "opa_json_dump") (param $value i32) (result i32) (local.get $value))
  (func (export "builtins") (result i32) (i32.const 1024))
  (func (export "entrypoints") (result i32) (i32.const 2048))
  (func (export "opa_eval_ctx_new") (result i32) (i32.const 1))
  (func (export "opa_eval_ctx_set_input") (param i32) (param $value i32) (global.set $input (local.get $value)))
  (func (export "opa_eval_ctx_set_data") (param i32 i32))
  (func (export "opa_eval_ctx_set_entrypoint") (param i32 i32))
  (func (export "opa_eval_ctx_get_result") (param i32) (result i32) (global.get $result))
  (func (export "eval") (param i32) (result i32)
    %(do)s
    (global.set $result (call $builtin (i32.const 7) (i32.const 0) (i32.const 4096)))
    (i32.const 0)))
"""


def rego(
    result: Any, *, entrypoint: str = "policy/violation", builtin: str = "yaml.unmarshal", do: str = ""
) -> bytes:
    """A Rego policy with a result that it has from a built-in function: everything of the ABI is used.

    Its values are texts of JSON; those of OPA's compiler are not, but nobody outside sees that.
    """
    return module(
        _REGO
        % {
            "data": _data(1024, json.dumps({builtin: 7}) + "\0")
            + _data(2048, json.dumps({entrypoint: 0}) + "\0")
            + _data(4096, json.dumps(json.dumps(result)) + "\0")
            + _data(32768, "out of order\0"),
            "do": do,
        }
    )


def opa(response: Any) -> bytes:
    """A Rego policy in the manner of OPA."""
    return rego([{"result": {"response": response}}], entrypoint="policy/main")


def with_section(binary: bytes, name: str, content: bytes) -> bytes:
    """The module with a custom section behind everything."""

    def number(value: int) -> bytes:
        low, rest = value & 0x7F, value >> 7
        return bytes([low | 0x80]) + number(rest) if rest else bytes([low])

    body = number(len(name)) + name.encode() + content
    return binary + b"\0" + number(len(body)) + body
