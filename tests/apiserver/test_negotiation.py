"""Which form an answer takes."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.errors import NotAcceptable
from kajitori.apiserver.negotiation import (
    JSON,
    PLAIN,
    PROTOBUF,
    YAML,
    Form,
    body_type,
    negotiate,
    negotiate_error,
    only_json,
)

TABLE = "as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "as=PartialObjectMetadata;v=v1;g=meta.k8s.io"


def asked(accept: str, *, custom: bool = False, streaming: bool = False) -> Form:
    return negotiate(accept, custom=custom, streaming=streaming, transforms=True)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", PLAIN),
        ("*/*", PLAIN),
        ("application/*, */*;q=0", PLAIN),
        # Quality 0 refuses nothing: it only comes last.
        ("application/json;q=0", PLAIN),
        ("application/json;q=nan, application/yaml;q=0.1", Form(YAML)),
        ("application/json;as=Table;v=v1;g=meta.k8s.io;sv=v2,application/yaml;sv=v1", Form(YAML)),
        # What is definite goes before what is not, even where it is worse.
        ("application/*;q=0.2, application/yaml;q=0.1", Form(YAML)),
        ("application/json;v=v1, application/yaml", Form(YAML)),
        ("application/json, */*", PLAIN),
        ("application/json;stream=watch", PLAIN),
        ("application/yaml", Form(YAML)),
        (PROTOBUF, Form(PROTOBUF)),
        (f"{PROTOBUF},application/json", Form(PROTOBUF)),
        (f"application/json;q=0.2,{PROTOBUF};q=0.9", Form(PROTOBUF)),
        ("text/html, application/json", PLAIN),
        (f"application/json;{TABLE},application/json", Form(JSON, "Table")),
        ("application/json;as=Table;v=v1beta1;g=meta.k8s.io", Form(JSON, "Table", "v1beta1")),
        (f"application/yaml;{TABLE}", Form(YAML, "Table")),
        # kubectl asks for older versions after the newest.
        (f"application/json;as=Table;v=v9;g=meta.k8s.io,application/json;{TABLE}", Form(JSON, "Table")),
        (f"{PROTOBUF};{TABLE},application/json;{TABLE},application/json", Form(JSON, "Table")),
        (f"{PROTOBUF};{PARTIAL}", Form(PROTOBUF, "PartialObjectMetadata")),
        ("application/json;as=Table,application/json", PLAIN),
        ("application/json;as=Nonsense;v=v1;g=meta.k8s.io,application/yaml", Form(YAML)),
    ],
)
def test_the_first_acceptable_form_is_taken(accept: str, form: Form) -> None:
    assert asked(accept) == form


@pytest.mark.parametrize(
    "accept", ["text/html", "application/*", "Application/JSON", "application/cbor", "application", ";"]
)
def test_what_is_not_offered_is_refused(accept: str) -> None:
    with pytest.raises(
        NotAcceptable, match="406: Not Acceptable\n\nAvailable representations: application/json"
    ):
        asked(accept, streaming=True)


@pytest.mark.parametrize(
    "accept", ["application/cbor", "application/json;stream=x", "application/yaml;stream=watch"]
)
def test_what_no_serializer_takes_is_refused_with_all_there_are(accept: str) -> None:
    """Of custom objects too, though protobuf is not for them."""
    told = f"only the following media types are accepted: {JSON}, {YAML}, {PROTOBUF}"
    with pytest.raises(NotAcceptable, match=f"^{re.escape(told)}$"):
        asked(accept, custom=True)
    assert asked("application/*", custom=True) == PLAIN


def test_errors_are_told_in_any_case() -> None:
    assert negotiate_error("text/html") == PLAIN == negotiate_error("")
    assert negotiate_error("application/yaml") == Form(YAML)
    assert negotiate_error(f"application/yaml;{TABLE}") == PLAIN


def test_the_version_is_json_or_nothing() -> None:
    only_json("")
    only_json("text/html, */*")
    with pytest.raises(NotAcceptable, match=r"Available representations: application/json$"):
        only_json("application/yaml")


@given(st.text(alphabet="application/json*,;q=0.5 as=Tblv1gmekx", max_size=60))
def test_any_header_has_an_answer(accept: str) -> None:
    for custom in (True, False):
        with suppress(NotAcceptable):
            assert asked(accept, custom=custom).media in (JSON, YAML, PROTOBUF)


def test_a_header_of_very_many_entries_is_read_soon() -> None:
    accept = ",".join(f"a/b;q=0.{number % 9}" for number in range(20_000)) + ",application/yaml"
    assert asked(accept) == Form(YAML)


def test_a_transformation_that_is_not_offered_is_refused_differently() -> None:
    with pytest.raises(NotAcceptable, match="only the following media types are accepted"):
        asked("application/json;as=Nonsense;v=v1;g=meta.k8s.io")


def test_of_custom_objects_protobuf_knows_the_metadata_only() -> None:
    with pytest.raises(NotAcceptable):
        asked(PROTOBUF, custom=True)
    assert asked(f"{PROTOBUF};{PARTIAL}", custom=True) == Form(PROTOBUF, "PartialObjectMetadata")


def test_the_media_type_of_a_body() -> None:
    assert body_type("") == JSON
    assert body_type("Application/YAML; charset=utf-8") == YAML
