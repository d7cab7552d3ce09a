"""Policies of all protocols, run by wasmtime: P1 to P3 of `policy`, E1 to E4 of `engine`, D1 of `metadata`."""

import base64
import json
import threading
from typing import Any

import pytest
from tests.operators.kubewarden.guests import METADATA, opa, rego, wapc, wasi, with_section

from kajitori.apimachinery.kind import JsonObject
from kajitori.operators.kubewarden.runtime.capabilities import Capabilities
from kajitori.operators.kubewarden.runtime.engine import Engine, Limits
from kajitori.operators.kubewarden.runtime.metadata import ExecutionMode, read_metadata
from kajitori.operators.kubewarden.runtime.policy import Policy, Run, load_policy
from kajitori.wire.wasm.guest import GuestError

REQUEST: JsonObject = {"uid": "u-1", "name": "web", "object": {"metadata": {"name": "web"}}}
RUN = Run(Capabilities("a-policy"), Limits(seconds=0.1, memory_bytes=8 << 20))


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


def asked(engine: Engine, module: bytes, request: JsonObject = REQUEST, settings: Any = None) -> JsonObject:
    return load_policy(engine, module).validate(request, settings or {}, RUN)


# What policies say.


def test_a_wapc_policy_accepts_and_rejects(engine: Engine) -> None:
    assert asked(engine, wapc()) == {"uid": "u-1", "allowed": True}
    said = {
        "accepted": False,
        "message": "no",
        "code": 418,
        "warnings": ["w"],
        "audit_annotations": {"a": "b"},
    }
    assert asked(engine, wapc(said)) == {
        "uid": "u-1",
        "allowed": False,
        "status": {"message": "no", "code": 418},
        "warnings": ["w"],
        "auditAnnotations": {"a": "b"},
    }


def test_a_wapc_policy_mutates(engine: Engine) -> None:
    changed = {"metadata": {"name": "web", "labels": {"a": "b"}}}
    response = asked(engine, wapc({"accepted": True, "mutated_object": changed}))
    assert response["patchType"] == "JSONPatch"
    operations = json.loads(base64.b64decode(response["patch"]))
    assert operations == [{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}]


def test_a_wasi_policy_reads_its_input_and_is_told_the_operation(engine: Engine) -> None:
    policy = load_policy(
        engine, wasi('{"accepted": false, "message": "no"}', '{"valid": false, "message": "bad"}')
    )
    assert policy.validate(REQUEST, {}, RUN)["status"] == {"message": "no"}
    assert policy.settings_complaint({}, RUN) == "bad"


def test_rego_policies_answer_as_gatekeepers_and_as_opas(engine: Engine) -> None:
    violations = [{"result": [{"msg": "one"}, {"msg": "two"}, {"details": {}}]}]
    assert asked(engine, rego(violations))["status"] == {"message": "one, two"}
    assert asked(engine, rego([{"result": []}])) == {"uid": "u-1", "allowed": True}
    response = {"allowed": False, "status": {"message": "no"}}
    assert asked(engine, opa(response)) == {"uid": "u-1", **response}


def test_settings_are_judged_by_the_policy(engine: Engine) -> None:
    refusing = load_policy(engine, wapc(settings='{"valid": false, "message": "need a label"}'))
    assert refusing.settings_complaint({}, RUN) == "need a label"
    assert load_policy(engine, wapc()).settings_complaint({"a": 1}, RUN) is None
    assert load_policy(engine, rego([])).settings_complaint({"a": 1}, RUN) is None
    garbage = load_policy(engine, wapc(settings="yes")).settings_complaint({}, RUN)
    assert garbage is not None and "cannot be read" in garbage


# Policies that misbehave: the request is rejected, and told why.

_FOREVER = "(loop $again (br $again))"
_EAT = "(if (i32.eq (memory.grow (i32.const 2000)) (i32.const -1)) (then (unreachable)))"


@pytest.mark.parametrize(
    ("module", "told"),
    [
        pytest.param(wapc(do=_FOREVER), "execution deadline exceeded", id="wapc loops"),
        pytest.param(wasi(do=_FOREVER), "execution deadline exceeded", id="wasi loops"),
        pytest.param(rego([], do=_FOREVER), "execution deadline exceeded", id="rego loops"),
        pytest.param(wapc(do="(unreachable)"), "trapped: unreachable", id="trap"),
        pytest.param(wapc(do=_EAT), "trapped: unreachable", id="memory is refused"),
        pytest.param(
            wapc(do="(call $response (i32.const -8) (i32.const 64)) (return (i32.const 1))"),
            "not in its memory",
            id="an answer beyond the memory",
        ),
        pytest.param(
            wapc(do="(call $response (i32.const 0) (i32.const 100000000)) (return (i32.const 1))"),
            "is the most that is taken",
            id="an answer without end",
        ),
        pytest.param(
            wapc(do="(call $error (i32.const 0) (i32.const 7)) (return (i32.const 0))"),
            "no such",
            id="an error of its own",
        ),
        pytest.param(wapc(do="(return (i32.const 0))"), "did not say why", id="a failure without a word"),
        pytest.param(wapc("[]"), "cannot be read", id="garbage"),
        pytest.param(wapc(b"\xff".decode("latin-1")), "cannot be read", id="no JSON"),
        pytest.param(wapc("{}"), "missing required field `accepted`", id="no answer"),
        pytest.param(wasi(do="(call $exit (i32.const 3))"), "exit status 3", id="exit"),
        pytest.param(wasi("nothing"), "cannot be read", id="wasi says garbage"),
        pytest.param(
            wasi(do="(loop $again (call $say (i32.const 1) (i32.const 0) (i32.const 900000)) (br $again))"),
            "writes more than",
            id="wasi writes without end",
        ),
        pytest.param(rego([], do="(call $abort (i32.const 32768))"), "out of order", id="rego aborts"),
        pytest.param(rego({"a": 1}), "allowed", id="rego without a result"),
    ],
)
def test_a_policy_that_misbehaves(engine: Engine, module: bytes, told: str) -> None:
    response = asked(engine, module)
    if told == "allowed":
        assert response["allowed"] is True  # Nothing was violated.
        return
    assert response["allowed"] is False
    assert told in response["status"]["message"], response
    assert response["status"]["code"] == 500


def test_the_next_request_finds_nothing_of_the_last(engine: Engine) -> None:
    policy = load_policy(engine, wapc())  # It traps when it is called twice.
    for _ in range(3):
        assert policy.validate(REQUEST, {}, RUN)["allowed"] is True


def test_a_looping_policy_does_not_stop_others(engine: Engine) -> None:
    looping, quick = load_policy(engine, wapc(do=_FOREVER)), load_policy(engine, wapc())
    responses: list[JsonObject] = []
    thread = threading.Thread(target=lambda: responses.append(looping.validate(REQUEST, {}, RUN)))
    thread.start()
    assert all(quick.validate(REQUEST, {}, RUN)["allowed"] for _ in range(20))
    thread.join()
    assert "deadline" in responses[0]["status"]["message"]


def test_errors_of_one_thread_do_not_reach_another(engine: Engine) -> None:
    # wasmtime keeps the exceptions of callbacks in a variable of all threads.
    patient = Run(Capabilities("a-policy"), Limits(seconds=60))  # A busy machine may take a while.
    failing = load_policy(engine, wapc(do="(call $response (i32.const -8) (i32.const 64))"))
    trapping = load_policy(engine, wapc(do="(unreachable)"))
    told: dict[str, set[str]] = {"failing": set(), "trapping": set()}

    def ask(name: str, policy: Policy) -> None:
        for _ in range(40):
            told[name].add(policy.validate(REQUEST, {}, patient)["status"]["message"])

    threads = [
        threading.Thread(target=ask, args=each) for each in (("failing", failing), ("trapping", trapping))
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert all("not in its memory" in each for each in told["failing"]), told
    assert all("trapped" in each for each in told["trapping"]), told


# What is no policy.


def metadata(**members: Any) -> bytes:
    return json.dumps({"protocolVersion": "v1", "rules": [], "mutating": False, **members}).encode()


@pytest.mark.parametrize(
    ("module", "told"),
    [
        (b"#!/bin/sh", "does not begin as a WebAssembly module does"),
        (b"\0asm\1\0\0\0\1", "ends in the middle"),
        (b"\0asm\x0d\0\1\0", "component"),
        (b"(module (func) (memory)", "text cannot be read"),
        (b"(module)", "no policy"),
        (wapc(version='"v2"'), "speaks protocol version v2"),
        (with_section(wapc(), METADATA, metadata(protocolVersion="v9")), "speaks protocol version v9"),
        (with_section(wapc(), METADATA, b"{"), "metadata cannot be read"),
        (rego([], builtin="http.send"), "http.send"),
        (b'(module (global (import "a" "b") i32) (func (export "_start")))', "neither function nor memory"),
        (
            b'(module (import "a" "b" (func (param v128))) (func (export "_start")))',
            "with types that nothing",
        ),
        (b'(module (func (param (ref func))) (func (export "_start")))', "cannot be compiled"),
    ],
)
def test_what_is_no_policy(engine: Engine, module: bytes, told: str) -> None:
    with pytest.raises(GuestError, match=told):
        load_policy(engine, module)


def test_the_protocol_is_the_stated_one_or_the_one_that_shows() -> None:
    assert read_metadata(wapc()).mode is ExecutionMode.WAPC
    assert read_metadata(wasi()).mode is ExecutionMode.WASI
    stated = with_section(
        rego([]),
        METADATA,
        metadata(
            executionMode="opa",
            mutating=True,
            contextAwareResources=[{"apiVersion": "v1", "kind": "Namespace"}],
        ),
    )
    found = read_metadata(stated)
    assert (found.mode, found.mutating, found.stated) == (ExecutionMode.OPA, True, True)
    assert [each.kind for each in found.context_aware_resources] == ["Namespace"]


def test_a_policy_in_text_form(engine: Engine) -> None:
    text = b'\n;; a comment\n(module (memory (export "memory") 1) (func (export "_start")))'
    response = load_policy(engine, text).validate(REQUEST, {}, RUN)
    assert "cannot be read" in response["status"]["message"]


def test_an_import_that_nobody_offers_is_named_when_it_is_called(engine: Engine) -> None:
    text = b"""(module (import "env" "secret" (func $f)) (memory (export "memory") 1)
        (func (export "_start") (call $f)))"""
    assert "env.secret" in asked(engine, text)["status"]["message"]


def test_functions_are_called_with_the_types_that_they_have(engine: Engine) -> None:
    calling = b"""(module
        (import "wasi_snapshot_preview1" "fd_write" (func $f (param i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "_start") (drop (call $f (i32.const 1)))))"""
    assert "as it is not meant to be called" in asked(engine, calling)["status"]["message"]
    called = b'(module (memory (export "memory") 1) (func (export "_start") (param v128)))'
    assert "has types that nobody calls it with" in asked(engine, called)["status"]["message"]
    called = b'(module (memory (export "memory") 1) (func (export "_start") (param i32)))'
    assert "too few parameters" in asked(engine, called)["status"]["message"]


def test_functions_of_wasi_that_are_not_here_say_so_themselves(engine: Engine) -> None:
    text = b"""(module
        (import "wasi_snapshot_preview1" "sock_accept" (func $f (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start") (call $exit (call $f (i32.const 0) (i32.const 0) (i32.const 0)))))"""
    assert "exit status 52" in asked(engine, text)["status"]["message"]
