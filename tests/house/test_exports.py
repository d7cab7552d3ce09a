"""What modules offer: `__all__` says it, it is there, and nobody takes anything else."""

import ast
import importlib
import re
import types

import pytest
from tests.house.modules import modules


def is_package(name: str) -> bool:
    return modules()[name].path.name == "__init__.py"


ENTRY_POINTS = [
    "kajitori",
    "kajitori.apis",
    "kajitori.ctrl",
    "kajitori.client",
    "kajitori.testing",
    *sorted(
        name
        for name in modules()
        if re.fullmatch(r"kajitori\.apis\.[a-z]+_v\d\w*", name) and is_package(name)
    ),
]
"""What users import from."""


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_an_entry_point_offers_exactly_what_is_there(name: str) -> None:
    module = importlib.import_module(name)
    for each in module.__all__:
        getattr(module, each)  # Some are loaded when they are asked for.
    public = {
        each
        for each, value in vars(module).items()
        if not isinstance(value, types.ModuleType) and (not each.startswith("_") or each == "__version__")
    }
    assert sorted(module.__all__) == sorted(public & set(module.__all__)), "something offered is not there"
    assert public <= set(module.__all__), f"there and not offered: {sorted(public - set(module.__all__))}"


def test_every_module_says_what_it_is_and_what_it_offers() -> None:
    for module in modules().values():
        assert ast.get_docstring(module.tree), f"{module.name} has no docstring"
        if module.path.name not in ("__init__.py", "__main__.py"):
            assert module.offers is not None, f"{module.name} has no __all__"


def test_what_is_offered_is_there() -> None:
    for module in modules().values():
        if module.path.name == "__init__.py":
            continue  # May hand out names of its parts when they are asked for; entry points are checked above.
        missing = set(module.offers or ()) - module.defines
        assert not missing, f"{module.name}: {missing}"


def test_nobody_takes_what_is_not_offered() -> None:
    known = modules()
    taken = [
        f"{module.name} takes {name} from {source}"
        for module in known.values()
        for source, name in module.imports()
        if source in known and name and f"{source}.{name}" not in known
        if name not in (known[source].offers or ())
    ]
    assert not taken
