"""Which form an answer takes."""

import pytest

from kajitori.apimachinery.errors import NotAcceptable
from kajitori.apiserver.negotiation import JSON, PLAIN, PROTOBUF, YAML, Form, body_type, negotiate

TABLE = "as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "as=PartialObjectMetadata;v=v1;g=meta.k8s.io"


def asked(accept: str, *, custom: bool = False, streaming: bool = False) -> Form:
    return negotiate(accept, custom=custom, streaming=streaming, transforms=True)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", PLAIN),
        ("*/*", PLAIN),
        ("application/*", PLAIN),
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
    "accept", ["text/html", "application/json;q=0", "application/json;q=nan", "application/cbor"]
)
def test_what_is_not_offered_is_refused(accept: str) -> None:
    with pytest.raises(
        NotAcceptable, match="406: Not Acceptable\n\nAvailable representations: application/json"
    ):
        asked(accept, streaming=True)


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
