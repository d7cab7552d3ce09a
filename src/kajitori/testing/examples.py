"""Objects of declared kinds, made up by Hypothesis: for the property tests of operators.

    @given(objects_of(Widget))
    def test_decide(value: JsonObject) -> None: ...

Promises
    X1  whatever comes out is JSON that the class reads, with its `apiVersion`, `kind` and a name
    X2  bounds, lengths, patterns, enumerations and tags are heeded; an API server takes it too

Imported only where Hypothesis is installed.
"""

from functools import reduce
from operator import or_
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from kajitori.apimachinery.declare import declaration_of
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.regex import compile_regex

__all__ = ["objects_of"]

ITEMS_MAX = 3
"""Items of a list or map: what goes wrong with many mostly goes wrong with few."""

_HEAD = ("apiVersion", "kind", "metadata")


def objects_of(struct: type[msgspec.Struct]) -> st.SearchStrategy[JsonObject]:
    """JSON objects of a declared kind."""
    declared = declaration_of(struct)
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    head = {"apiVersion": f"{declared.group}/{declared.version}", "kind": declared.kind}
    texts = st.dictionaries(st.sampled_from("ab"), st.sampled_from(["", "x"]), max_size=2)
    metadata = st.fixed_dictionaries(
        {"name": st.just("example")}, optional={"labels": texts, "annotations": texts}
    )
    return st.builds(
        lambda metadata, body: {**head, "metadata": metadata, **body}, metadata, _struct(info, skipped=_HEAD)
    )


def _struct(info: inspect.StructType, skipped: tuple[str, ...] = ()) -> st.SearchStrategy[JsonObject]:
    fields = [each for each in info.fields if each.encode_name not in skipped]
    required = {each.encode_name: st.deferred(_later(each.type)) for each in fields if each.required}
    optional = {each.encode_name: st.deferred(_later(each.type)) for each in fields if not each.required}
    if info.tag_field is not None:
        required[info.tag_field] = st.just(info.tag)
    return st.fixed_dictionaries(required, optional=optional)


def _later(info: inspect.Type) -> Any:
    return lambda: _value(info)


def _value(info: inspect.Type) -> st.SearchStrategy[Any]:
    match info:
        case inspect.Metadata():
            return _value(info.type)
        case inspect.UnionType():
            return reduce(or_, (_value(each) for each in info.types))
        case inspect.StructType():
            return _struct(info)
        case inspect.NoneType():
            return st.none()
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType():
            return _integers(info)
        case inspect.FloatType():
            return st.floats(
                _first(info.ge, info.gt), _first(info.le, info.lt), allow_nan=False, width=32
            ).filter(lambda number: _fits(number, info))
        case inspect.StrType():
            return _texts(info)
        case inspect.BytesType():
            return st.sampled_from(["YQ==", "AAE="])  # none is no base64 for Kubernetes
        case inspect.LiteralType():
            return st.sampled_from(info.values)
        case inspect.EnumType():
            return st.sampled_from([each.value for each in info.cls])
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType() | inspect.FrozenSetType():
            is_set = isinstance(info, inspect.SetType | inspect.FrozenSetType)
            least = info.min_length or 0
            most = min(info.max_length or least + ITEMS_MAX, least + ITEMS_MAX)
            unique: Any = msgspec.json.encode if is_set else None
            return st.lists(_value(info.item_type), min_size=least, max_size=most, unique_by=unique)
        case inspect.DictType():
            return st.dictionaries(_value(info.key_type), _value(info.value_type), max_size=ITEMS_MAX)
        case _:
            return _other(info)


def _other(info: inspect.Type) -> st.SearchStrategy[Any]:
    simple: dict[type, Any] = {
        inspect.DateTimeType: st.just("2026-01-02T03:04:05Z"),
        inspect.DateType: st.just("2026-01-02"),
        inspect.UUIDType: st.just("6fa459ea-ee8a-3ca4-894e-db77e160355e"),
        inspect.AnyType: st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["", "x"]),
        inspect.RawType: st.just({}),
    }
    found: st.SearchStrategy[Any] | None = simple.get(type(info))
    if found is None:
        raise TypeError(f"nothing can be made up for {info}; give objects of your own")
    return found


def _integers(info: inspect.IntType) -> st.SearchStrategy[int]:
    least = _first(info.ge, None if info.gt is None else info.gt + 1)
    most = _first(info.le, None if info.lt is None else info.lt - 1)
    step = info.multiple_of or 1
    low = -(1 << 31) if least is None else least
    high = (1 << 31) - 1 if most is None else most
    return st.integers(-(-low // step), high // step).map(lambda number: number * step)


def _texts(info: inspect.StrType) -> st.SearchStrategy[str]:
    least, most = info.min_length or 0, info.max_length
    if info.pattern is not None:
        # For Python `$` comes before a last newline too, for Go only at the end.
        in_go = compile_regex(info.pattern)
        return st.from_regex(info.pattern).filter(
            lambda text: len(text) >= least and (most is None or len(text) <= most) and in_go.matches(text)
        )
    return st.text(
        st.characters(codec="utf-8"), min_size=least, max_size=least + ITEMS_MAX if most is None else most
    )


def _first(*numbers: Any) -> Any:
    return next((each for each in numbers if each is not None), None)


def _fits(number: float, info: inspect.FloatType) -> bool:
    return (info.gt is None or number > info.gt) and (info.lt is None or number < info.lt)
