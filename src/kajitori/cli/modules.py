"""What an operator's name on a command line means: one of ours, or a module of yours.

    kajitori run mysql                 an operator of ours
    kajitori run widgets.py            a file, whose function `setup` is given the Manager
    kajitori run my_company.widgets    a module, found as `python -m` finds it: first in the working folder
    kajitori run widgets:install       the same with another function

A module of an operator has `setup(manager)`, an ordinary function or a coroutine, which adds controllers to a
Manager. Its kinds are `KINDS`, a sequence of classes, where it says so; otherwise all classes declared with `@kind`
that it defines or imports, but for kajitori's own.

Promises
    L1  nothing of the module is called before `setup`, nothing imported twice
    L2  what is wrong with a module is told in one sentence with the place in its own source (CommandError, code 2)
    L3  a file may be called as a module of the standard library is (`operator.py`); siblings are found
"""

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from kajitori.apimachinery.declare import KindDeclaration, declaration_of
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.versions import Versions
from kajitori.cli.main import CommandError
from kajitori.cluster.operators import OPERATORS
from kajitori.ctrl import Manager
from kajitori.world.random import SYSTEM_RANDOM

__all__ = [
    "SETUP",
    "OperatorModule",
    "Setup",
    "declared_kinds",
    "definitions_of",
    "import_module",
    "load",
    "name_of",
    "set_up",
]

SETUP = "setup"
"""The function of a module that adds its controllers, unless another is named."""

_OURS = "kajitori"

FIELD_MANAGER_MAX = 128
"""Characters, by Kubernetes' rule."""

KINDS = "KINDS"
"""The classes that a module declares as its kinds, where it says so itself."""

Setup = Callable[[Manager], Any]
"""Adds controllers to a Manager; what a coroutine function does is awaited."""


@dataclass(frozen=True, slots=True)
class OperatorModule:
    """What a target means."""

    target: str
    """As given."""
    setup: Setup
    definitions: Callable[[], Sequence[JsonObject]]
    """The CustomResourceDefinitions of its kinds. Raises: CommandError."""
    module: ModuleType | None = field(default=None, repr=False)
    """None: an operator of ours."""


def load(target: str) -> OperatorModule:
    """What is meant by a target. Raises: CommandError."""
    if target in OPERATORS:
        ours = OPERATORS[target].load(SYSTEM_RANDOM)
        return OperatorModule(target, ours.setup, ours.crds)
    module = import_module(target)
    name = _split(target)[1] or SETUP
    function = getattr(module, name, None)
    if function is None:
        raise CommandError(
            f"{target}: {module.__name__} has no function {name}; define `def {name}(manager: Manager) -> None`, "
            "which adds its controllers",
            2,
        )
    if not callable(function) or not _takes_one(function):
        raise CommandError(
            f"{target}: {name} must be a function of one argument, the Manager that it adds controllers to", 2
        )
    return OperatorModule(target, function, lambda: definitions_of(target, declared_kinds(module)), module)


async def set_up(operator: OperatorModule, manager: Manager) -> None:
    """Lets an operator add its controllers. Raises: whatever it raises."""
    made = operator.setup(manager)
    if isinstance(made, Awaitable):
        await made


def name_of(operators: Sequence[OperatorModule]) -> str:
    """Whom the API server sees at work, as field manager and in Events: a module by its name, so that no two operators
    share what they own; ours, and several together, as `kajitori`.
    """
    names = {_OURS if each.module is None else Path(_split(each.target)[0]).name for each in operators}
    name = names.pop().removesuffix(".py") if len(names) == 1 else _OURS
    return name[:FIELD_MANAGER_MAX]


# Finding the module.


def import_module(target: str) -> ModuleType:
    """The module of a target, `MODULE` or `FILE` with or without `:FUNCTION`. Raises: CommandError."""
    where, _ = _split(target)
    is_file = where.endswith(".py")
    if not is_file and not all(part.isidentifier() for part in where.split(".")):
        raise CommandError(f"{target}: {where!r} is no module; write my.module or path/to/file.py", 2)
    try:
        return _from_file(Path(where)) if is_file else _from_name(where)
    except CommandError:
        raise
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if not is_file and (where == missing or where.startswith(f"{missing}.")):
            raise CommandError(_not_found(target, where), 2) from None
        raise CommandError(f"{target} cannot be imported: {_told(error)}", 2) from None
    except (Exception, SystemExit) as error:
        raise CommandError(f"{target} cannot be imported: {_told(error)}", 2) from None


def _split(target: str) -> tuple[str, str]:
    where, colon, function = target.rpartition(":")
    return (where, function) if colon and function.isidentifier() else (target, "")


def _from_name(name: str) -> ModuleType:
    _find_in(Path.cwd())
    return importlib.import_module(name)


def _from_file(path: Path) -> ModuleType:
    path = path.absolute()
    if not path.is_file():
        raise CommandError(f"{path}: there is no such file", 2)
    name = path.stem
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) == str(path):
        return known
    if known is not None or name in sys.stdlib_module_names or not name.isidentifier():
        # Under its own name it would be taken for the other one.
        name = f"__kajitori_module__{name}"
    _find_in(path.parent)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None, path
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _find_in(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _not_found(target: str, where: str) -> str:
    if target == where and "." not in where:
        return f"{target} is neither an operator ({', '.join(OPERATORS)}) nor a module that is found from {Path.cwd()}"
    return f"{target}: there is no module {where}; looked in {Path.cwd()} and where Python looks"


def _told(error: BaseException) -> str:
    """The error, and the innermost place that is not the import machinery's."""
    said = f"{type(error).__name__}: {error}".removesuffix(": ")
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}: {type(error).__name__}: {error.msg}"
    places = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen") and frame.filename not in (__file__, importlib.__file__)
    ]
    return f"{places[-1].filename}, line {places[-1].lineno}: {said}" if places else said


def _takes_one(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(object())
    except TypeError:
        return False
    except ValueError:  # Of some functions in C no signature is known.
        return True
    return True


# Its kinds.


def declared_kinds(module: ModuleType) -> list[type[Any]]:
    """The classes that are a module's kinds, in the order in which it names them. Raises: CommandError."""
    named: Any = vars(module).get(KINDS)
    if named is None:
        found = (kind for each in vars(module).values() for kind in _kinds_in(each))
        return list(dict.fromkeys(each for each in found if _declared(each) and not _is_ours(each)))
    if not isinstance(named, Iterable):
        raise CommandError(f"{module.__name__}: {KINDS} must be a list of classes declared with @kind", 2)
    for each in named:
        if not isinstance(each, type) or _declared(each) is None:
            raise CommandError(f"{module.__name__}: {KINDS}: {each!r} is not a class declared with @kind", 2)
    return list(named)


def _kinds_in(value: Any) -> Sequence[type[Any]]:
    if isinstance(value, Versions):
        return value.classes
    return [value] if isinstance(value, type) else ()


def _declared(struct: type) -> KindDeclaration | None:
    try:
        return declaration_of(struct)
    except TypeError:
        return None


def _is_ours(struct: type) -> bool:
    return struct.__module__.partition(".")[0] == "kajitori"


def definitions_of(what: str, kinds: Sequence[type[Any]]) -> list[JsonObject]:
    """The definitions of classes, those of one kind together: they are its versions. Raises: CommandError."""
    versions: dict[tuple[str, str], list[type[Any]]] = {}
    for each in kinds:
        declared = declaration_of(each)
        versions.setdefault((declared.group, declared.kind), []).append(each)
    return list(_definitions(what, versions.values()))


def _definitions(what: str, kinds: Iterable[Sequence[type[Any]]]) -> Iterator[JsonObject]:
    # Not needed where kinds are installed already.
    from kajitori.apis import crd_for

    for classes in kinds:
        try:
            yield crd_for(*classes)
        except (TypeError, ValueError) as error:
            raise CommandError(f"{what}: {classes[0].__qualname__} is not a kind: {error}", 2) from None
