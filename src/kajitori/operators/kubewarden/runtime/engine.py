"""wasmtime: modules are compiled once, and run as fresh instances within limits.

The only module that imports wasmtime. An instance belongs to the thread that runs it, and its imports find their way by
that: one linker serves all instances of a module, so that making one takes microseconds.

Promises
    E1  nothing a guest did is there for the next one
    E2  a guest is interrupted when its time is over, and memory beyond its limit is refused to it
    E3  whatever a guest does ends in a value or in a GuestError
    E4  nothing ticks while no guest runs

Source: https://docs.wasmtime.dev/api/wasmtime/struct.Config.html#method.epoch_interruption
"""

import ctypes
import struct
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import wasmtime

from kajitori.wire.wasm.guest import GuestError
from kajitori.wire.wasm.module import ModuleError, OddFunctions, odd_functions
from kajitori.wire.wasm.wasi import NOT_SUPPORTED

__all__ = ["CompiledModule", "Engine", "Imports", "Limits", "RunningGuest", "TimeIsOver"]

TICK_SECONDS = 0.01
"""How exactly a guest's time is kept."""
_STACK_BYTES = 512 << 10
_TABLE_ELEMENTS_MAX = 1 << 20

_MISUSE = (TypeError, ValueError, OverflowError, struct.error)
"""What comes of arguments and results of other types than a function has: a module declares them as it likes."""

Imports = Mapping[tuple[str, str], Callable[..., "int | None"]]
"""What a guest imports, by module and name: functions of the memory and of the guest's arguments."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run of a guest may take."""

    seconds: float = 2.0
    """As the policy server has it by default."""
    memory_bytes: int = 256 << 20
    """Go's runtime asks for some tens of megabytes before it does anything."""


class TimeIsOver(GuestError):
    """The guest was interrupted."""

    def __init__(self) -> None:
        super().__init__("guest code interrupted, execution deadline exceeded")


class _Stopped(Exception):
    """Ends a guest; why is kept by its thread. wasmtime hands exceptions over in a variable of all threads, so that
    one may reach a guest that it is not for.
    """


class _Ticker:
    """Advances the engine's epoch, as long as guests run."""

    def __init__(self, engine: wasmtime.Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._running = 0
        self._begun = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> None:
        with self._lock:
            self._running += 1
            self._begun.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._tick, name="wasm epochs", daemon=True)
                self._thread.start()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._running -= 1
            if not self._running:
                self._begun.clear()

    def _tick(self) -> None:
        while True:
            self._begun.wait()
            time.sleep(TICK_SECONDS)
            self._engine.increment_epoch()


class _Thread(threading.local):
    """The guest that a thread runs."""

    guest: "RunningGuest | None" = None


class Engine:
    """Compiles and runs modules. Safe to use from many threads."""

    def __init__(self) -> None:
        config = wasmtime.Config()
        config.epoch_interruption = True
        config.max_wasm_stack = _STACK_BYTES
        config.parallel_compilation = False
        # No policy needs these, and the library's door to C gives up, with the whole process, on some of their types.
        config.wasm_gc = False
        config.wasm_function_references = False
        config.wasm_exceptions = False
        config.wasm_memory64 = False
        config.wasm_multi_memory = False
        config.wasm_threads = False
        self._engine = wasmtime.Engine(config)
        self._ticker = _Ticker(self._engine)
        self._thread = _Thread()

    def binary(self, module: bytes) -> bytes:
        """The module in its binary form, whichever it has. Raises: GuestError."""
        if not module.lstrip().startswith((b"(", b";;")):
            return module
        try:
            return bytes(wasmtime.wat2wasm(module))
        except wasmtime.WasmtimeError as error:
            raise GuestError(f"the module's text cannot be read: {_one_line(str(error))}") from None

    def compile(self, module: bytes) -> "CompiledModule":
        """Takes from milliseconds to seconds. Raises: GuestError."""
        try:
            compiled = wasmtime.Module(self._engine, module)
            # Not of the library, whose door to C gives up, with the whole process, when it is asked about vectors.
            return CompiledModule(self, compiled, odd_functions(module))
        except ModuleError as error:
            raise GuestError(f"the module cannot be read: {error}") from None
        except wasmtime.WasmtimeError as error:
            raise GuestError(f"the module cannot be compiled: {_one_line(str(error))}") from None

    @contextmanager
    def run(
        self, module: "CompiledModule", imports: Imports, limits: Limits = Limits()
    ) -> "Generator[RunningGuest]":
        """A fresh instance of the module, for this thread. Raises: GuestError."""
        assert self._thread.guest is None, "a guest runs another"
        store = wasmtime.Store(self._engine)
        store.set_limits(memory_size=limits.memory_bytes, table_elements=_TABLE_ELEMENTS_MAX)
        store.set_epoch_deadline(int(limits.seconds / TICK_SECONDS) + 2)
        guest = self._thread.guest = RunningGuest(store, imports, time.monotonic() + limits.seconds)
        try:
            with self._ticker:
                guest.instantiate(module)
                yield guest
        finally:
            self._thread.guest = None

    def called(self, place: tuple[str, str], gives: bool, arguments: tuple[int, ...]) -> int | None:
        """A guest calls what it imports."""
        guest = self._thread.guest
        assert guest is not None, place
        try:
            return guest.called(place, gives, arguments)
        except BaseException as error:
            guest.raised = error
            raise _Stopped from None

    def linker(self) -> wasmtime.Linker:
        return wasmtime.Linker(self._engine)


class CompiledModule:
    """A module, with everything that its instances share."""

    def __init__(self, engine: Engine, module: wasmtime.Module, odd: OddFunctions) -> None:
        self.odd_exports = odd.exported
        """Functions that nobody calls: asking wasmtime for their types is deadly."""
        self.exports = frozenset(str(each.name) for each in module.exports)
        self.module = module
        self._engine = engine
        self._functions: list[tuple[str, str, wasmtime.FuncType]] = []
        self._memories: list[tuple[str, str, wasmtime.MemoryType]] = []
        for each in module.imports:
            where, name, kind = each.module, each.name or "", each.type
            if isinstance(kind, wasmtime.FuncType):
                if (where, name) in odd.imported:
                    raise GuestError(f"the module imports {where}.{name} with types that nothing here has")
                self._functions.append((where, name, kind))
            elif isinstance(kind, wasmtime.MemoryType):
                self._memories.append((where, name, kind))
            else:
                raise GuestError(f"the module imports {where}.{name}, which is neither function nor memory")
        linker = self._linker()
        # A memory belongs to one store, so what imports one is linked for each.
        self._ready = None if self._memories else linker.instantiate_pre(module)

    def _linker(self) -> wasmtime.Linker:
        linker = self._engine.linker()
        defined: set[tuple[str, str]] = set()
        for where, name, kind in self._functions:
            if (where, name) not in defined:
                defined.add((where, name))
                linker.define_func(where, name, kind, _stub(self._engine, (where, name), bool(kind.results)))
        return linker

    def instantiate(self, store: wasmtime.Store) -> tuple[wasmtime.Instance, wasmtime.Memory | None]:
        """An instance, and the memory that it has imported."""
        if self._ready is not None:
            return self._ready.instantiate(store), None
        linker = self._linker()
        memory: wasmtime.Memory | None = None
        for where, name, kind in self._memories:
            memory = wasmtime.Memory(store, wasmtime.MemoryType(wasmtime.Limits(kind.limits.min, None)))
            linker.define(store, where, name, memory)
        return linker.instantiate(store, self.module), memory


def _stub(engine: Engine, place: tuple[str, str], gives: bool) -> Callable[..., int | None]:
    def call(*arguments: int) -> int | None:
        return engine.called(place, gives, arguments)

    return call


class RunningGuest:
    """An instance, as protocols see it."""

    def __init__(self, store: wasmtime.Store, imports: Imports, deadline: float) -> None:
        self.raised: BaseException | None = None
        """What ended the guest, where its host did."""
        self._store = store
        self._imports = imports
        self._deadline = deadline
        self._instance: wasmtime.Instance | None = None
        self._imported: wasmtime.Memory | None = None
        self._functions: dict[str, wasmtime.Func] = {}
        self._memory: _GuestMemory | None = None
        self._odd: frozenset[str] = frozenset()

    def instantiate(self, module: CompiledModule) -> None:
        self._odd = module.odd_exports
        self._instance, self._imported = self._protected(lambda: module.instantiate(self._store))

    @property
    def seconds_left(self) -> float:
        """Until the guest is interrupted."""
        return max(0.0, self._deadline - time.monotonic())

    @property
    def memory(self) -> "_GuestMemory":
        if self._memory is None:
            found: Any = self._imported
            if found is None and self._instance is not None:
                found = self._instance.exports(self._store).get("memory")
            if not isinstance(found, wasmtime.Memory):
                raise GuestError("the guest has no memory called `memory`")
            self._memory = _GuestMemory(self._store, found)
        return self._memory

    def call(self, name: str, *arguments: int) -> int:
        """Raises: GuestError; whatever an imported function has raised."""
        function = self._functions.get(name)
        if function is None:
            assert self._instance is not None, name
            found = self._instance.exports(self._store).get(name)
            if not isinstance(found, wasmtime.Func):
                raise GuestError(f"the guest has no function {name}")
            if name in self._odd:
                raise GuestError(f"the guest's function {name} has types that nobody calls it with")
            function = self._functions[name] = found
        value = self._protected(lambda: function(self._store, *arguments))
        return value if isinstance(value, int) else 0

    def called(self, place: tuple[str, str], gives: bool, arguments: tuple[int, ...]) -> int | None:
        """What an import does; a function of WASI that is not here says so itself."""
        function = self._imports.get(place)
        if function is not None:
            try:
                value = function(self.memory, *arguments)
            except _MISUSE as error:
                what = f"the guest calls {place[0]}.{place[1]} as it is not meant to be called"
                raise GuestError(f"{what}: {error}") from None
            return (value or 0) if gives else None
        if place[0].startswith("wasi") and gives:
            return NOT_SUPPORTED
        raise GuestError(f"the guest calls {place[0]}.{place[1]}, which is not offered")

    def _protected(self, run: Callable[[], Any]) -> Any:
        try:
            return run()
        except (wasmtime.Trap, wasmtime.WasmtimeError, _Stopped, *_MISUSE) as problem:
            raised = self.raised
            if raised is not None:
                self.raised = None
                raise raised from None
            if time.monotonic() >= self._deadline or _is_interrupt(problem):
                raise TimeIsOver from None
            raise GuestError(f"the guest trapped: {_why(problem)}") from None


class _GuestMemory:
    """A guest's memory, with its end watched: wasmtime's own reads end early in silence."""

    def __init__(self, store: wasmtime.Store, memory: wasmtime.Memory) -> None:
        self._store = store
        self._memory = memory

    def read(self, start: int, size: int) -> bytes:
        return ctypes.string_at(self._address(start, size), size)

    def write(self, start: int, data: bytes) -> None:
        ctypes.memmove(self._address(start, len(data)), data, len(data))

    def _address(self, start: int, size: int) -> int:
        if start + size > self._memory.data_len(self._store):
            raise GuestError(f"the guest names {size} bytes at {start}, which is not in its memory")
        return ctypes.addressof(self._memory.data_ptr(self._store).contents) + start


def _is_interrupt(problem: Exception) -> bool:
    return isinstance(problem, wasmtime.Trap) and problem.trap_code is wasmtime.TrapCode.INTERRUPT


def _why(problem: Exception) -> str:
    if isinstance(problem, _Stopped):
        return "for a reason that was lost"
    if isinstance(problem, wasmtime.Trap) and problem.trap_code is not None:
        return problem.trap_code.name.lower().replace("_", " ")
    return _one_line(str(problem))


def _one_line(text: str) -> str:
    return " ".join(text.split())[:500]
