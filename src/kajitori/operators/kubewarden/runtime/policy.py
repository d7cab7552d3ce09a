"""A policy: a module that says whether a request is accepted.

    policy = load_policy(engine, module)
    policy.settings_complaint({}, run)            # None: they will do
    policy.validate(request, {}, run)             # the `response` of an AdmissionReview

Promises
    P1  whatever a policy does, validating gives a response; what went wrong rejects, with code 500
    P2  each call is an instance of its own, within its limits
    P3  settings are judged by the policy, where its protocol has a way; Rego has none
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from kajitori.apis import JsonObject
from kajitori.ctrl import SYSTEM_CLOCK, SYSTEM_RANDOM, Clock, Random
from kajitori.operators.kubewarden.runtime.builtins import builtins_at
from kajitori.operators.kubewarden.runtime.capabilities import Capabilities
from kajitori.operators.kubewarden.runtime.engine import CompiledModule, Engine, Limits, TimeIsOver
from kajitori.operators.kubewarden.runtime.metadata import (
    PROTOCOL_VERSIONS,
    ExecutionMode,
    Metadata,
    read_metadata,
)
from kajitori.operators.kubewarden.runtime.rego import of_result, what_is_given
from kajitori.operators.kubewarden.runtime.responses import of_policy, rejection, settings_complaint
from kajitori.wire.wasm.guest import GuestError
from kajitori.wire.wasm.opa import OpaPolicy
from kajitori.wire.wasm.wapc import HostCallError, WapcCall, start_functions
from kajitori.wire.wasm.wasi import WasiExit, WasiProcess

__all__ = ["Policy", "Run", "load_policy"]

_PROGRAM = "policy.wasm"
_WASI_MODULES = ("wasi_snapshot_preview1", "wasi_unstable")


@dataclass(frozen=True, slots=True)
class Run:
    """What a call is run with."""

    capabilities: Capabilities
    limits: Limits = field(default_factory=Limits)
    clock: Clock = SYSTEM_CLOCK
    random: Random = field(default=SYSTEM_RANDOM)

    def now_ns(self) -> int:
        return int(self.clock.now().timestamp() * 1e9)

    def random_bytes(self, size: int) -> bytes:
        """Not for keys: policies make no secrets."""
        return self.random.token(size).encode()[:size]


def load_policy(engine: Engine, module: bytes) -> "Policy":
    """Compiles a module, in its binary form or in its text form. Takes up to seconds.

    Raises: GuestError for what is no policy.
    """
    module = engine.binary(module)
    metadata = read_metadata(module)
    compiled = engine.compile(module)
    policy = Policy(engine, compiled, metadata)
    if metadata.mode is ExecutionMode.WAPC and not metadata.stated:
        policy.check_protocol_version(Run(Capabilities("")))
    elif metadata.mode is ExecutionMode.GATEKEEPER and not metadata.stated:
        policy.tell_rego_apart()
    return policy


class Policy:
    """A compiled policy. Safe to use from many threads."""

    def __init__(self, engine: Engine, compiled: CompiledModule, metadata: Metadata) -> None:
        self.metadata = metadata
        self._engine = engine
        self._compiled = compiled
        self._starts = start_functions(compiled.exports)

    def check_protocol_version(self, run: Run) -> None:
        """Raises: GuestError where the policy says that it speaks another one."""
        try:
            said = self._wapc("protocol_version", b"", run).decode("utf-8", "replace").strip('" \n')
        except GuestError:
            return  # It does not say; its answers will show.
        if said.lower() not in PROTOCOL_VERSIONS:
            raise GuestError(f"the policy speaks protocol version {said or '(none)'}; v1 is understood")

    def settings_complaint(self, settings: JsonObject, run: Run) -> str | None:
        """What is wrong with the settings; None where they will do."""
        mode, payload = self.metadata.mode, msgspec.json.encode(settings)
        try:
            if mode is ExecutionMode.WAPC:
                return settings_complaint(self._wapc("validate_settings", payload, run))
            if mode is ExecutionMode.WASI:
                return settings_complaint(self._wasi("validate-settings", payload, run))
            self._rego(None, run)
        except GuestError as error:
            return str(error)
        return None

    def validate(self, request: JsonObject, settings: JsonObject, run: Run) -> JsonObject:
        """The response to a request."""
        uid, mode = str(request.get("uid") or ""), self.metadata.mode
        try:
            if mode in (ExecutionMode.WAPC, ExecutionMode.WASI):
                payload = msgspec.json.encode({"request": request, "settings": settings})
                speak = self._wapc if mode is ExecutionMode.WAPC else self._wasi
                return of_policy(request, speak("validate", payload, run))
            inventory = run.capabilities.inventory()
            result = self._rego(what_is_given(mode, request, settings, inventory), run)
            return of_result(mode, uid, result)
        except (GuestError, HostCallError) as error:
            return rejection(uid, f"internal server error: {error}", 500)

    def _wapc(self, operation: str, payload: bytes, run: Run) -> bytes:
        call = WapcCall(operation, payload, run.capabilities, _ignore)
        process = self._process(run)
        imports = {("wapc", name): partial(function, call) for name, function in WapcCall.IMPORTS.items()}
        with self._engine.run(self._compiled, {**imports, **_wasi_imports(process)}, run.limits) as guest:
            for name in self._starts:
                try:
                    guest.call(name)
                except WasiExit as end:
                    if end.code:
                        raise GuestError(f"the policy ended itself with {end}") from None
            try:
                return call.run(guest)
            except WasiExit as end:
                raise GuestError(_with_stderr(f"the policy ended itself with {end}", process)) from None

    def _wasi(self, operation: str, payload: bytes, run: Run) -> bytes:
        process = self._process(run, arguments=(_PROGRAM, operation), stdin=payload)
        imports = {**_wasi_imports(process), ("host", "call"): process.host_call}
        try:
            with self._engine.run(self._compiled, imports, run.limits) as guest:
                guest.call("_start")
        except WasiExit as end:
            if end.code:
                raise GuestError(_with_stderr(f"the policy ended with {end}", process)) from None
        except TimeIsOver:
            raise
        except GuestError as error:
            raise GuestError(_with_stderr(str(error), process)) from None
        return bytes(process.stdout)

    def _rego(self, given: tuple[JsonObject, JsonObject] | None, run: Run) -> Any:
        """The result set; nothing is evaluated when nothing is given."""
        policy = OpaPolicy(builtins_at(run.now_ns()))
        imports = {("env", name): partial(function, policy) for name, function in OpaPolicy.IMPORTS.items()}
        with self._engine.run(self._compiled, imports, run.limits) as guest:
            policy.start(guest)
            if given is None:
                return None
            input_json, data_json = (msgspec.json.encode(each) for each in given)
            return policy.evaluate(0, input_json, data_json)

    def tell_rego_apart(self) -> None:
        """Both manners of Rego look alike from outside; Gatekeeper evaluates `violation`, OPA nothing of that name.

        Raises: GuestError.
        """
        policy, run = OpaPolicy(builtins_at(0)), Run(Capabilities(""))
        imports = {("env", name): partial(function, policy) for name, function in OpaPolicy.IMPORTS.items()}
        with self._engine.run(self._compiled, imports, run.limits) as guest:
            policy.start(guest)
            names = policy.entrypoints()
        if not any(name.endswith("violation") for name in names):
            self.metadata = msgspec.structs.replace(self.metadata, mode=ExecutionMode.OPA)

    def _process(self, run: Run, **started: Any) -> WasiProcess:
        return WasiProcess(**started, now_ns=run.now_ns, random_bytes=run.random_bytes, host=run.capabilities)


def _wasi_imports(process: WasiProcess) -> dict[tuple[str, str], Any]:
    return {
        (module, name): partial(function, process)
        for module in _WASI_MODULES
        for name, function in WasiProcess.IMPORTS.items()
    }


def _with_stderr(text: str, process: WasiProcess) -> str:
    said = process.stderr.decode("utf-8", "replace").strip()
    return f"{text}: {said[:1000]}" if said else text


def _ignore(line: str) -> None:
    """What a guest writes on its console is for whoever debugs it."""
