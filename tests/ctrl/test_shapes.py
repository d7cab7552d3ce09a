"""Classes that read the same, as a reload of unchanged code makes them, and classes that do not."""

from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.ctrl.shapes import same_shape

SOURCE = """
from enum import Enum
from typing import Annotated, Literal
import msgspec
from kajitori.apimachinery.objectmeta import ObjectMeta

class Mode(Enum):
    FAST = "fast"
    SLOW = "slow"

class Port(msgspec.Struct, frozen=True, rename="camel"):
    container_port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    name: str = ""

class Spec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    size: int = 3
    mode: Mode = Mode.FAST
    ports: list[Port] = []
    first: Port = Port(80)
    parts: "list[Spec]" = msgspec.field(default_factory=list)
    colour: Literal["red", "green"] | None = None

class Widget(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: Spec = msgspec.field(default_factory=Spec)
"""


def widget(source: str = SOURCE) -> Any:
    names: dict[str, Any] = {"__name__": "made"}
    exec(source, names)
    # What a module gives to its classes: names in annotations are looked up there.
    for each in names.values():
        if isinstance(each, type) and each.__module__ == "made":
            for name, value in each.__annotations__.items():
                if isinstance(value, str):
                    each.__annotations__[name] = eval(value, names)
    return names["Widget"]


def test_the_same_code_read_twice_has_the_same_shape() -> None:  # H1
    one, other = widget(), widget()
    assert one is not other and same_shape(one, other) and same_shape(one, one)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("size: int = 3", "size: int = 4"),
        ("size: int = 3", "size: float = 3"),
        ("size: int = 3", "size: int = 3\n    height: int = 0"),
        ("size: int = 3", "size: int = msgspec.field(default=3, name='width')"),
        ("le=65535", "le=1024"),
        ('SLOW = "slow"', 'SLOW = "sluggish"'),
        ('Literal["red", "green"]', 'Literal["red", "blue"]'),
        ("Port(80)", "Port(8080)"),
        ("default_factory=list", "default_factory=lambda: []"),
        ("container_port:", "host_port:"),
        ("ports: list[Port] = []", "ports: tuple[Port, ...] = ()"),
        ("omit_defaults=True):\n    size", "forbid_unknown_fields=True):\n    size"),
        ("colour:", "def __post_init__(self) -> None: ...\n    colour:"),
    ],
)
def test_what_reads_otherwise_differs(old: str, new: str) -> None:  # H1, H2
    assert old in SOURCE
    assert not same_shape(widget(), widget(SOURCE.replace(old, new)))


def test_what_cannot_be_compared_differs() -> None:  # H2
    assert not same_shape(ObjectMeta, int) and not same_shape(widget(), type("Plain", (), {}))


_LEAVES = st.sampled_from(
    ["int", "str", "bool", "float", "None", "dict[str, int]", "Annotated[int, msgspec.Meta(ge=1)]"]
)
_TYPES = st.recursive(
    _LEAVES, lambda inner: inner.map("list[{}]".format) | inner.map("dict[str, {}]".format), max_leaves=3
)


@given(st.lists(_TYPES, min_size=1, max_size=3), st.lists(_TYPES, min_size=1, max_size=3))
def test_shapes_are_equal_exactly_when_the_members_are(one: list[str], other: list[str]) -> None:  # H1
    def made(types: list[str]) -> Any:
        members = [(f"m{number}", eval(each)) for number, each in enumerate(types)]
        return msgspec.defstruct("Made", members)

    assert Annotated is not None
    assert same_shape(made(one), made(other)) is (one == other)
