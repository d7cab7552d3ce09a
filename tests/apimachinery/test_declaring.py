"""What a class may say of its kind: unions, groups of members, built-in types; and what is told when it cannot be."""

import datetime
import decimal
import uuid
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given, settings

from kajitori.apimachinery.crdgen import schema_for
from kajitori.apimachinery.rules import SchemaRules
from kajitori.apimachinery.structural import StructuralSchema
from kajitori.apis import (
    AtLeastOneOf,
    AtMostOneOf,
    Column,
    DeclarationError,
    Duration,
    ExactlyOneOf,
    IntOrString,
    JsonObject,
    ListMap,
    ListSet,
    Nullable,
    ObjectMeta,
    Partial,
    Rule,
    Scale,
    Time,
    crd_for,
    kind,
    schema_markers,
)
from kajitori.apis.core_v1 import PodTemplateSpec
from kajitori.apis.declared import check_crd
from kajitori.apis.meta_v1 import Condition, LabelSelector
from kajitori.testing import objects_of


class Http(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, tag="http", tag_field="type"):
    """Asks over HTTP."""

    port: Annotated[int, msgspec.Meta(ge=1)]
    path: str = "/"
    timeout: Duration = "1s"


@schema_markers(Rule("self.command.size() > 0", "command is empty"))
class Exec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, tag="exec", tag_field="type"):
    """Runs something."""

    command: tuple[str, ...]
    timeout: Duration = "1s"


@schema_markers(ExactlyOneOf("one", "two"), AtMostOneOf("two", "three"), AtLeastOneOf("three", "four"))
class Choice(msgspec.Struct, frozen=True, omit_defaults=True):
    one: int | None = None
    two: int | None = None
    three: int | None = None
    four: int | None = None


class Spec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    probe: Http | Exec | None = None
    probes: tuple[Http | Exec, ...] = ()
    choice: Choice | None = None
    names: frozenset[str] = frozenset()
    template: PodTemplateSpec = PodTemplateSpec()
    overlay: Annotated[PodTemplateSpec | None, Partial] = None
    selector: LabelSelector | None = None
    conditions: Annotated[tuple[Condition, ...], ListMap("type")] = ()
    id: uuid.UUID | None = None
    every: Duration = ""
    since: Time | None = None
    told: Annotated[str, msgspec.Meta(title="A title", examples=["x"])] = ""


@kind(group="example.com", version="v1", plural="checks")
class Check(msgspec.Struct, frozen=True, omit_defaults=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: Spec = Spec()


DEFINITION = crd_for(Check)
SCHEMA = DEFINITION["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
SPEC: JsonObject = SCHEMA["properties"]["spec"]["properties"]
COMPILED = StructuralSchema(SCHEMA, rules=SchemaRules(SCHEMA))


def problems(**spec: Any) -> list[str]:
    """What the API server says of an object, and whether the class agrees."""
    value = {"apiVersion": "example.com/v1", "kind": "Check", "metadata": {"name": "a"}, "spec": spec}
    COMPILED.default(value)
    return [str(each) for each in COMPILED.validate(value)]


def test_the_definition_passes_the_api_server() -> None:
    assert check_crd(DEFINITION) == []


@pytest.mark.parametrize(
    ("probe", "told"),
    [
        ({"type": "http", "port": 80}, ""),
        ({"type": "http", "port": 80, "path": "/x", "timeout": "2s"}, ""),
        ({"type": "exec", "command": ["a"], "timeout": "2s"}, ""),
        ({"type": "http"}, "port is required with type http"),
        ({"type": "exec", "command": ["a"], "port": 80}, "port goes with type http only"),
        ({"type": "exec", "command": []}, "command is empty"),
        ({"type": "dns"}, 'Unsupported value: "dns": supported values: "http", "exec"'),
        ({"port": 80}, "spec.probe.type: Required value"),
        ({"type": "http", "port": 0}, "should be greater than or equal to 1"),
    ],
)
def test_a_union_of_tagged_structs(probe: JsonObject, told: str) -> None:  # H4, N1
    said = "".join(problems(probe=probe))
    assert (told in said) if told else not said, said
    if not told:
        assert msgspec.convert(probe, Http | Exec)
    assert SPEC["probes"]["items"]["required"] == ["type"]


def test_defaults_of_one_tag_do_not_disturb_another() -> None:  # N2
    members = SPEC["probe"]["properties"]
    assert "default" not in members["path"] and members["timeout"]["default"] == "1s"


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"one": 1, "three": 1}, ""),
        ({"one": 1, "two": 1, "four": 1}, "give exactly one of one, two"),
        ({"two": 1, "three": 1}, "give at most one of two, three"),
        ({"one": 1}, "give at least one of three, four"),
    ],
)
def test_members_that_exclude_one_another(choice: JsonObject, told: str) -> None:
    said = "".join(problems(choice=choice))
    assert (told in said) if told else not said, said


def test_built_in_types_have_their_own_schemas() -> None:
    template = SPEC["template"]["properties"]["spec"]
    assert template["required"] == ["containers"]
    assert template["properties"]["containers"]["x-kubernetes-list-map-keys"] == ["name"]
    assert "required" not in SPEC["overlay"]["properties"]["spec"]
    assert SPEC["selector"]["x-kubernetes-map-type"] == "atomic"
    assert SPEC["conditions"]["x-kubernetes-list-map-keys"] == ["type"]
    assert "reason" in SPEC["conditions"]["items"]["required"]


def test_other_types() -> None:
    assert SPEC["names"] == {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}
    assert SPEC["id"] == {"type": "string", "format": "uuid"}
    assert SPEC["every"] == {"type": "string", "format": "duration"}
    assert SPEC["since"] == {"type": "string", "format": "date-time"}
    assert SPEC["told"] == {"type": "string", "title": "A title", "example": "x"}


class Plain(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, tag="plain"):
    size: int
    shared: str = "s"


class Fancy(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, tag="fancy"):
    colours: tuple[str, ...] = ("red",)
    shared: str = "s"


class Sized(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=3, pattern="^[a-z]*$")]
    count: Annotated[int, msgspec.Meta(ge=0, lt=10, multiple_of=3)] = 3
    ratio: Annotated[float, msgspec.Meta(gt=0, le=2)] | None = None
    probe: Plain | Fancy | None = None
    names: frozenset[str] = frozenset()
    texts: Annotated[dict[str, str], msgspec.Meta(max_length=3)] = {}
    data: bytes = b""
    port: IntOrString = 80
    one: int | None = None
    two: Annotated[int | None, Nullable] = None


@kind(group="example.com", version="v1", plural="sizes")
class Sizes(msgspec.Struct, frozen=True, omit_defaults=True):
    spec: Sized
    metadata: ObjectMeta = ObjectMeta()


SIZES_SCHEMA = crd_for(Sizes)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
SIZES = StructuralSchema(SIZES_SCHEMA, rules=SchemaRules(SIZES_SCHEMA))


@settings(max_examples=100, deadline=None)
@given(objects_of(Sizes))
def test_what_the_class_reads_the_definition_takes(value: JsonObject) -> None:
    """And what the server makes of it, and the class writes, is taken again."""
    SIZES.default(value)
    assert [str(each) for each in SIZES.validate(value)] == []
    read = msgspec.json.decode(msgspec.json.encode(value), type=Sizes)
    again = {**value, **msgspec.json.decode(msgspec.json.encode(read))}
    SIZES.default(again)
    assert [str(each) for each in SIZES.validate(again)] == []


# What cannot be.


class Tree(msgspec.Struct, frozen=True):
    children: tuple["Tree", ...] = ()


class Inner(msgspec.Struct, frozen=True):
    name: str = ""


class Array(msgspec.Struct, frozen=True, array_like=True):
    x: int = 0


class Bad(msgspec.Struct, frozen=True, tag="bad", tag_field="kind"):
    x: int = 0


class Clash(msgspec.Struct, frozen=True, tag="clash", tag_field="type"):
    port: str = ""


@pytest.mark.parametrize(
    ("annotation", "default", "message"),
    [
        (
            Tree,
            Tree(),
            r"Tree.children: Tree contains itself, .* mark a field on the way `Annotated\[..., Preserve",
        ),
        (
            datetime.timedelta | None,
            None,
            "Broken.x: no schema can be made for timedelta; use kajitori.apis.Duration",
        ),
        (decimal.Decimal | None, None, "no schema can be made for Decimal; use kajitori.apis.Quantity"),
        (Array, Array(), "Broken.x: Array is array_like"),
        (
            Annotated[str, msgspec.Meta(pattern="(?=x)")],
            "",
            "Broken.x: the pattern .* is none that Go can read",
        ),
        (Annotated[int, msgspec.Meta(ge=5)], 3, "Broken.x: its default 3 does not fit: Expected `int` >= 5"),
        (
            Annotated[tuple[Inner, ...], ListMap("nam")],
            (),
            "Broken.x: ListMap: Inner has no nam; it has name",
        ),
        (Annotated[str, ListSet], "", "Broken.x: ListSet is for lists; the field is string"),
        (Annotated[Inner, Partial], Inner(), "Broken.x: Partial is for structs of built-in kinds"),
        (Http | Bad | None, None, "Broken.x: the structs of a union have one tag_field; here kind, type"),
        (Http | Clash | None, None, "Broken.x: port of Clash is not what another struct of the union has"),
        (Http | Inner | None, None, "Broken.x: a field has one type"),
        (tuple[int, str] | None, None, "Broken.x: a list has items of one type; use tuple"),
    ],
)
def test_a_field_that_cannot_be_described_says_what_would_be_right(
    annotation: Any, default: Any, message: str
) -> None:  # H3, H5
    struct = msgspec.defstruct("Broken", [("x", annotation, default)], frozen=True, omit_defaults=True)
    declared = kind(group="e.com", version="v1", plural="things")(struct)
    with pytest.raises(DeclarationError, match=message):
        schema_for(declared)


def test_none_without_leave_to_be_left_out_is_refused() -> None:  # H5
    @kind(group="e.com", version="v1", plural="things")
    class Nulls(msgspec.Struct, frozen=True):
        x: int | None = None

    with pytest.raises(DeclarationError, match=r"Nulls.x: None would be sent as null, .* omit_defaults=True"):
        schema_for(Nulls)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"columns": (Column("Size", ".spec.siz"),)},
            "column Size: .spec.siz: there is no siz; there is name",
        ),
        (
            {"columns": (Column("Size", "spec.size"),)},
            "column Size: 'spec.size' is no path; write it like .spec.size",
        ),
        ({"selectable_fields": (".spec.color",)}, "selectable field: .spec.color: there is no color"),
        ({"scale": Scale(".spec.replicas")}, "scale: .spec.replicas: there is no replicas; there is name"),
        ({"exactly_one_of": ("a",)}, "@kind does not know exactly_one_of; it knows annotations, categories"),
        ({"group": "example"}, "group is 'example'; write it a DNS name with a dot"),
        ({"plural": "Things"}, "plural is 'Things'; write it in lower case, such as things"),
        ({"kind": "thing"}, "kind is 'thing'; write it CamelCase"),
    ],
)
def test_a_kind_that_cannot_be_is_told_at_its_declaration(options: Any, message: str) -> None:  # N3
    class Thing(msgspec.Struct, frozen=True):
        spec: Inner = Inner()

    with pytest.raises(DeclarationError, match=message):
        crd_for(kind(**{"group": "e.com", "version": "v1", "plural": "things", **options})(Thing))


def test_paths_into_what_is_open_are_not_judged() -> None:  # N3
    @kind(
        group="e.com",
        version="v1",
        plural="things",
        columns=(
            Column("Age", ".metadata.creationTimestamp", "date"),
            Column("Any", ".free.whatever"),
            Column("Ready", ".conditions[?(@.type=='Ready')].status"),
            Column("Old", ".gone", may_be_absent=True),
        ),
    )
    class Free(msgspec.Struct, frozen=True):
        free: dict[str, Any] = {}
        conditions: tuple[Inner, ...] = ()

    assert check_crd(crd_for(Free)) == []


def test_a_class_that_can_be_no_kind_is_told() -> None:
    class Plain:
        pass

    declare: Any = kind(group="e.com", version="v1", plural="things")
    with pytest.raises(DeclarationError, match=r"Plain: a kind is a msgspec.Struct"):
        declare(Plain)

    with pytest.raises(DeclarationError, match="nobody may change them; declare it frozen=True"):

        @kind(group="e.com", version="v1", plural="things")
        class Melting(msgspec.Struct):
            pass

    with pytest.raises(DeclarationError, match="forbid_unknown_fields would refuse apiVersion"):

        @kind(group="e.com", version="v1", plural="things")
        class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
            pass


def test_versions_may_be_deprecated_and_share_their_names() -> None:
    @kind(
        group="e.com",
        version="v1",
        plural="things",
        kind="Thing",
        short_names=("th",),
    )
    class Thing(msgspec.Struct, frozen=True):
        spec: Inner = Inner()

    @kind(
        group="e.com",
        version="v1beta1",
        plural="things",
        kind="Thing",
        storage=False,
        deprecation_warning="use v1",
    )
    class Older(msgspec.Struct, frozen=True):
        spec: Inner = Inner()

    definition = crd_for(Older, Thing)
    assert definition["spec"]["names"]["shortNames"] == ["th"]
    older = definition["spec"]["versions"][0]
    assert older["deprecated"] is True and older["deprecationWarning"] == "use v1"
    assert check_crd(definition) == []
