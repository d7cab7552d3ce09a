"""The modules of this package, read and not imported: what they say they offer, and what they take from others."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

__all__ = ["ROOT", "Module", "modules"]

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Module:
    """One source file."""

    name: str
    path: Path

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"), str(self.path))

    @cached_property
    def offers(self) -> list[str] | None:
        """What `__all__` says; None where there is none."""
        for node in self.tree.body:
            if isinstance(node, ast.Assign):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
                if "__all__" in names:
                    listed: list[str] = ast.literal_eval(node.value)
                    return listed
        return None

    @cached_property
    def defines(self) -> set[str]:
        """Every name that exists at its top."""
        return {name for node in self.tree.body for name in _bound(node)}

    def imports(self) -> Iterator[tuple[str, str]]:
        """What it takes from elsewhere, wherever that stands: module and name, the name empty for whole modules."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name, ""
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    yield self._resolved(node), alias.name

    def _resolved(self, node: ast.ImportFrom) -> str:
        """The module that an import names, from here if it begins with dots."""
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        here = parts if self.path.name == "__init__.py" else parts[:-1]
        return ".".join([*here[: len(here) - node.level + 1], *([node.module] if node.module else [])])


def _bound(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
        case ast.Assign():
            for target in node.targets:
                yield from (each.id for each in ast.walk(target) if isinstance(each, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case ast.Import() | ast.ImportFrom():
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        case ast.If() | ast.Try():
            for each in ast.iter_child_nodes(node):
                if isinstance(each, ast.stmt):
                    yield from _bound(each)
        case _:
            return


@lru_cache(maxsize=1)
def modules() -> dict[str, Module]:
    """All modules, by name."""
    source = ROOT / "src"
    found: dict[str, Module] = {}
    for path in sorted(source.rglob("*.py")):
        name = ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
        found[name] = Module(name, path)
    return found
