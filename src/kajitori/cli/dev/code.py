"""A user's operator, imported anew from its files as often as they are saved.

What counts as the user's are the modules below the folder of the target: the folder of its file, or of its topmost
package. They are imported into an empty place each time, so that no old class or constant lives on; libraries stay as
they are.

Promises
    R1  an import reads the sources, never what Python cached of them: two saves in one second are two versions
    R2  when an import fails, the modules of before are in place again, and their code goes on
    R3  an error is told with the user's own lines, of the version that raised it: where, by way of what
    R4  nothing below the folder is touched, and no `__pycache__` is written
"""

import importlib
import importlib.util
import linecache
import sys
import tempfile
import traceback
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import kajitori
from kajitori.apimachinery.kind import JsonObject
from kajitori.cli import modules
from kajitori.cli.main import CommandError
from kajitori.cluster.operators import OPERATORS
from kajitori.ctrl import Manager, WebhooksNotServed

__all__ = ["BrokenCode", "Code", "Loaded", "shown"]

_OURS = Path(kajitori.__file__).parent
_FRAMES_MAX = 12

FIELD_MANAGER_MAX = 128
"""Characters, by Kubernetes' rule."""

_Lines = tuple[int, None, list[str], str]


class BrokenCode(Exception):
    """The code cannot be used. The text has the user's lines, and ends with what is wrong."""

    def __init__(self, text: str, files: frozenset[Path]) -> None:
        super().__init__(text)
        self.files = files
        """Where it may be mended."""


class Loaded:
    """One version of the user's code."""

    def __init__(
        self, code: "Code", operator: modules.OperatorModule, before: Mapping[str, ModuleType]
    ) -> None:
        self._code = code
        self._operator = operator
        self._before = before
        self.files = code.files()
        """The sources of all modules of the user's that were imported."""

    def definitions(self) -> list[JsonObject]:
        """The definitions of the kinds that it declares. Raises: BrokenCode."""
        with self._code.blaming(self.files):
            return list(self._operator.definitions())

    def undo(self) -> None:
        """The modules of before are in place again (R2)."""
        self._code.restore(self._before)

    async def set_up(self, manager: Manager) -> None:
        """Lets it add its controllers. Raises: BrokenCode."""
        with self._code.blaming(self.files):
            await modules.set_up(self._operator, manager)


class Code:
    """What a target on the command line names."""

    def __init__(self, target: str) -> None:
        """Raises: CommandError when it names nothing of the user's."""
        if target in OPERATORS:
            raise CommandError(f"{target} is an operator of kajitori's own: kajitori run {target}", 2)
        self.target = target
        self.folder = _folder_of(target)
        self._again = False
        self._shown_lines: dict[str, _Lines] = {}
        """The sources of what runs, as `linecache` keeps them: those on the disk may be newer."""

    @property
    def name(self) -> str:
        """By which it is known to API servers: that of the module, as under `kajitori run`."""
        return Path(self.target.partition(":")[0]).name.removesuffix(".py")[:FIELD_MANAGER_MAX]

    def load(self) -> Loaded:
        """Imports it anew. Raises: BrokenCode; CommandError when there is no such thing."""
        old = self._forget()
        try:
            with self.blaming(), _from_sources(again=self._again):
                operator = modules.load(self.target)
        except BaseException:
            self.restore(old)
            raise
        self._again = True
        return Loaded(self, operator, old)

    def remember_sources(self) -> None:
        """What is imported now is what runs: its errors are shown with the lines that it has now."""
        for file in self.files():
            lines = linecache.updatecache(str(file))
            # Without a time linecache never looks at the file again.
            self._shown_lines[str(file)] = (sum(map(len, lines)), None, lines, str(file))
        linecache.cache.update(self._shown_lines)

    def restore(self, modules: Mapping[str, ModuleType]) -> None:
        """Puts modules in the place of those that are imported now."""
        self._forget()
        sys.modules.update(modules)

    def files(self) -> frozenset[Path]:
        """The sources of the user's modules that are imported now."""
        return frozenset(Path(each.__file__) for each in self._modules().values() if each.__file__)

    def is_users(self, file: str | None) -> bool:
        """Whether a file is the user's, and no library's."""
        if not file:
            return False
        path = Path(file)
        if "site-packages" in path.parts or path.is_relative_to(_OURS):
            return False
        return path.is_relative_to(self.folder)

    @contextmanager
    def blaming(self, files: frozenset[Path] = frozenset()) -> Generator[None]:
        """What is raised in the block becomes BrokenCode, with the user's lines of it; not a wrong command line."""
        try:
            yield
        except WebhooksNotServed:
            raise  # Not for the code to mend.
        except CommandError as error:
            cause = error.__context__
            if cause is None or not self._blamed(cause):
                raise
            raise self._broken(cause, files) from None
        except (Exception, SystemExit) as error:
            raise self._broken(error, files) from None

    def _broken(self, error: BaseException, files: frozenset[Path]) -> BrokenCode:
        """By code that is newer than what runs."""
        for name in [name for name in linecache.cache if self.is_users(name)]:
            del linecache.cache[name]
        try:
            return BrokenCode(self.told(error), files | self._blamed(error))
        finally:
            linecache.cache.update(self._shown_lines)

    def told(self, error: BaseException) -> str:
        """A traceback of the user's own lines, and the error."""
        frames = [each for each in traceback.extract_tb(error.__traceback__) if self.is_users(each.filename)]
        for each in frames:
            each.filename = shown(each.filename)
        if isinstance(error, SyntaxError) and self.is_users(error.filename):
            frames = []  # It says itself where it is; how it came to be imported helps nobody.
        lines = traceback.format_list(frames[-_FRAMES_MAX:]) + traceback.format_exception_only(error)
        return "".join(lines).rstrip("\n")

    def _blamed(self, error: BaseException) -> frozenset[Path]:
        names = [each.filename for each in traceback.extract_tb(error.__traceback__)]
        if isinstance(error, SyntaxError) and error.filename:
            names.append(error.filename)
        return frozenset(Path(each) for each in names if self.is_users(each))

    def _modules(self) -> dict[str, ModuleType]:
        return {
            name: each
            # A copy: another thread, that of the cluster, imports too.
            for name, each in sys.modules.copy().items()
            if name != "__main__" and self.is_users(getattr(each, "__file__", None))
        }

    def _forget(self) -> dict[str, ModuleType]:
        """Takes the user's modules out of the interpreter's table; gives them."""
        found = self._modules()
        for name in found:
            del sys.modules[name]
        importlib.invalidate_caches()
        return found


def _folder_of(target: str) -> Path:
    """The folder below which everything is the user's."""
    where = target.partition(":")[0]
    if where.endswith(".py"):
        return Path(where).absolute().parent
    try:
        # As `modules` will look for it; of a topmost name this imports nothing.
        sys.path.insert(0, str(Path.cwd()))
        found = importlib.util.find_spec(where.partition(".")[0])
    except (ImportError, ValueError):
        found = None
    finally:
        sys.path.pop(0)
    if found is not None and found.submodule_search_locations:
        return Path(next(iter(found.submodule_search_locations))).absolute()
    if found is not None and found.has_location and found.origin:
        return Path(found.origin).parent
    return Path.cwd()


@contextmanager
def _from_sources(*, again: bool) -> Generator[None]:
    """Imports read no cached bytecode, which is told apart by whole seconds, and write none.

    The first time libraries are imported too, and theirs is read.
    """
    writes, prefix = sys.dont_write_bytecode, sys.pycache_prefix
    sys.dont_write_bytecode = True
    if again:
        # A folder in which nothing is.
        sys.pycache_prefix = str(Path(tempfile.gettempdir()) / "kajitori-dev-nothing-is-kept-here")
    try:
        yield
    finally:
        sys.dont_write_bytecode, sys.pycache_prefix = writes, prefix


def shown(file: str | Path) -> str:
    """Relative to the working folder, where it is below it."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
