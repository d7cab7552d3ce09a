"""Values of CEL as JSON."""

import math
import re
from typing import Any

import pytest

from kajitori.apimachinery.cel import environments
from kajitori.apimachinery.cel.as_json import as_json
from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.types import INT, object_type
from kajitori.apimachinery.cel.values import NONE, Duration, MapValue, Optional, Struct, Timestamp, UInt

_QUANTITY = environments().stored.compile("quantity('1')").evaluate({})


@pytest.mark.parametrize(
    ("value", "json"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (UInt(7), 7),
        (1 << 53, "9007199254740992"),
        (2.5, 2.5),
        (3.0, 3),
        (1e21, 1e21),
        (b"abc", "YWJj"),
        (Timestamp(1_500_000_000), "1970-01-01T00:00:01.5Z"),
        (Duration(1_500_000_000), "1.5s"),
        (Optional([1]), [1]),
        ((1, "a"), [1, "a"]),
        ({"a": {"b": b""}}, {"a": {"b": ""}}),
        (Struct(object_type("M", {"a": INT}), [("a", 1)]), {"a": 1}),
    ],
)
def test_values_as_json(value: Any, json: Any) -> None:
    assert as_json(value) == json


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (INT, "type conversion not supported for 'type'"),
        (NONE, "optional.none() dereference"),
        (MapValue([(1, 2)]), "unsupported type conversion from 'int' to string"),
        (MapValue([(True, 2)]), "type conversion error from 'bool' to 'string'"),
        (_QUANTITY, "type conversion error from 'Quantity' to '*structpb.Value'"),
        (math.nan, "invalid NaN value"),
        (-math.inf, "invalid -Inf value"),
    ],
)
def test_what_json_has_nothing_for(value: Any, said: str) -> None:
    with pytest.raises(EvaluationError, match=re.escape(said)):
        as_json(value)
