"""Field selectors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.fields import EVERY_FIELD, parse_field_selector

POD = {"metadata.name": "a", "spec.nodeName": "n,1"}


@pytest.mark.parametrize(
    ("text", "matches", "canonical"),
    [
        ("", True, ""),
        ("metadata.name=a", True, "metadata.name=a"),
        ("metadata.name==a", True, "metadata.name=a"),
        ("metadata.name!=a", False, "metadata.name!=a"),
        ("spec.nodeName=n\\,1", True, "spec.nodeName=n\\,1"),
        ("spec.nodeName!=,metadata.name=a", True, "metadata.name=a,spec.nodeName!="),
        ("other=", True, "other="),
        (",,metadata.name=b,", False, "metadata.name=b"),
        ("=", True, ""),
    ],
)
def test_texts(text: str, matches: bool, canonical: str) -> None:  # F1, F2
    selector = parse_field_selector(text)
    assert selector.matches(POD) is matches
    assert str(selector) == canonical


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
        ("metadata.name>a", "invalid selector: 'metadata.name>a'; can't understand 'metadata.name>a'"),
        ("a=b=c", "invalid field selector: unescaped character in value: 61"),
        ("a=\\b", "invalid field selector: invalid escape sequence: \\b"),
        ("a=b\\", "invalid field selector: invalid escape sequence: \\"),
    ],
)
def test_texts_that_are_refused(text: str, message: str) -> None:  # F1
    with pytest.raises(ValueError) as caught:
        parse_field_selector(text)
    assert str(caught.value) == message


def test_fields_are_mapped_or_refused_by_the_caller() -> None:
    def transform(field: str, value: str) -> tuple[str, str]:
        if field == "unknown":
            raise LookupError(field)
        return ("", "") if field == "ignored" else (f"new.{field}", value)

    selector = parse_field_selector("a=1,ignored=2,b!=3")
    assert str(selector.transformed(transform)) == "new.a=1,new.b!=3"
    with pytest.raises(LookupError):
        parse_field_selector("unknown=x").transformed(transform)


def test_which_value_is_demanded() -> None:
    selector = parse_field_selector("metadata.name=a,spec.nodeName!=b")
    assert selector.required_value("metadata.name") == "a"
    assert selector.required_value("spec.nodeName") is None
    assert not EVERY_FIELD and selector


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.text(max_size=6)))
def test_any_value_can_be_selected(values: dict[str, str]) -> None:  # F2
    escaped = {
        key: text.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")
        for key, text in values.items()
    }
    selector = parse_field_selector(",".join(f"{key}={text}" for key, text in escaped.items()))
    assert selector.matches(values)
    assert parse_field_selector(str(selector)) == selector
