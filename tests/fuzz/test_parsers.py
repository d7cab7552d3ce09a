"""Every parser that faces a client: of any input it makes a value or a complaint, and nothing else."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import pytest
from tests.fuzz.inputs import LONG, Inputs, guarded

from kajitori.apimachinery.decode import DecodeError, decode_json, duplicate_fields, has_duplicates
from kajitori.apimachinery.errors import ApiError
from kajitori.apimachinery.fields import parse_field_selector
from kajitori.apimachinery.json_syntax import syntax_error
from kajitori.apimachinery.labels import parse_label_selector
from kajitori.apimachinery.sharding import parse_shard_selector
from kajitori.apimachinery.yaml import decode_yaml
from kajitori.apis.facts.protobuf import protobuf_codec
from kajitori.apiserver.http.bodies import accepts_gzip
from kajitori.apiserver.negotiation import body_type, negotiate, negotiate_error, only_json
from kajitori.apiserver.options import (
    delete_options,
    list_options,
    parse_query,
    parse_resource_version,
    write_options,
)
from kajitori.apiserver.registry.continuing import read_token, write_token
from kajitori.apiserver.requestinfo import parse_request
from kajitori.wire.http2 import hpack
from kajitori.wire.http2.frames import FrameError, FrameReader, Kind, frame, read_settings, settings
from kajitori.wire.protobuf import ProtobufError

COUNT = 65_000 if LONG else 400
"""Inputs for each parser."""

OBJECT = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "a", "labels": {"x": "y"}, "creationTimestamp": "2026-01-01T00:00:00Z"},
    "spec": {
        "containers": [
            {"name": "c", "image": "i", "resources": {"limits": {"cpu": "1500m", "memory": "1Gi"}}}
        ],
        "tolerations": [{"operator": "Exists", "tolerationSeconds": 300}],
        "volumes": [{"name": "v", "emptyDir": {}}],
    },
}
SHARD = b"shardRange(object.metadata.uid, '0x0000000000000000', '0x8000000000000000')"
FORMS = b"application/json;as=Table;v=v1;g=meta.k8s.io,application/vnd.kubernetes.protobuf;q=0.5,*/*;q=0.1"


def of_path(data: bytes) -> None:
    path, _, query = _text(data).partition("?")
    for method in ("GET", "DELETE", "FOO"):
        info = parse_request(method, path, parse_query(query))
        assert info.is_resource == bool(info.version)


def of_query(data: bytes) -> None:
    query = parse_query(_text(data))
    readings: tuple[Callable[[], Any], ...] = (
        lambda: list_options(query, watch=False),
        lambda: list_options(query, watch=True),
        lambda: write_options(query, "CreateOptions"),
        lambda: write_options(query, "PatchOptions", apply=True),
        lambda: delete_options(query, None),
        lambda: parse_resource_version(query.get("resourceVersion", [""])[0]),
    )
    for read in readings:
        try:
            read()
        except ApiError as error:
            if error.code not in (400, 422):
                raise


def of_label_selector(data: bytes) -> None:
    parse_label_selector(_text(data)).matches({"a": "b"})


def of_field_selector(data: bytes) -> None:
    parse_field_selector(_text(data)).matches({"metadata.name": "b"})


def of_shard_selector(data: bytes) -> None:
    selector = parse_shard_selector(_text(data))
    assert parse_shard_selector(str(selector)) == selector


def of_token(data: bytes) -> None:
    after, revision = read_token(_text(data), "default/")
    assert after.startswith("default/") and revision


def of_json(data: bytes) -> None:
    wrong = syntax_error(data)
    try:
        value = decode_json(data)
    except DecodeError:
        assert wrong is not None or b"e" in data.lower() or b"\\u" in data, data
        return
    assert wrong is None, (data, wrong)
    if has_duplicates(data, value):
        duplicate_fields(data)


def of_yaml(data: bytes) -> None:
    value, problems = decode_yaml(data)
    msgspec.json.encode(value)
    assert all(isinstance(each, str) for each in problems)


def of_protobuf(data: bytes) -> None:
    msgspec.json.encode(protobuf_codec().decode(data))


def of_delete_options(data: bytes) -> None:
    value = decode_json(data)
    if isinstance(value, dict):
        delete_options({}, value)


def of_accept(data: bytes) -> None:
    accept = _text(data)
    negotiate_error(accept)
    accepts_gzip(accept)
    for custom in (True, False):
        negotiate(accept, custom=custom, streaming=True, transforms=True)
    only_json(accept)


def of_content_type(data: bytes) -> None:
    assert isinstance(body_type(_text(data)), str)


def of_header_blocks(data: bytes) -> None:
    decoder = hpack.Decoder(list_bytes_max=65_536)
    for half in (data[: len(data) // 2], data[len(data) // 2 :]):
        decoder.decode(half)


def of_frames(data: bytes) -> None:
    reader = FrameReader()
    for at in range(0, len(data), 100):
        reader.feed(data[at : at + 100])
        while (each := reader.next()) is not None:
            kind, _, _, payload = each
            if kind == Kind.SETTINGS:
                read_settings(payload)


def _text(data: bytes) -> str:
    """As it comes out of a request line: what is no UTF-8 has been replaced."""
    return data.decode(errors="replace")


class Parser(NamedTuple):
    read: Callable[[bytes], None]
    samples: list[bytes]
    tokens: list[bytes]


_POD_JSON = msgspec.json.encode(OBJECT)
_TOKENS_OF_JSON = [b'"', b"\\", b"[", b"{", b"}", b",", b":", b"\\ud800", b"1e999", b"-0", b"null", b'"a":1,']
PARSERS = [
    Parser(
        of_path,
        [
            b"/api/v1/namespaces/a/pods/b/log?follow=1",
            b"/apis/apps/v1/watch/deployments?watch=1",
            b"/healthz/ping",
        ],
        [b"/", b"//", b"%2F", b"%2e", b"..", b"?", b"watch", b"namespaces", b"api", b"apis"],
    ),
    Parser(
        of_query,
        [
            b"resourceVersion=5&resourceVersionMatch=Exact&limit=5&continue=x&timeoutSeconds=1",
            b"watch=1&sendInitialEvents=true&allowWatchBookmarks=1&labelSelector=a%3Db",
            b"dryRun=All&fieldManager=me&fieldValidation=Strict&force=true",
            b"propagationPolicy=Orphan&gracePeriodSeconds=3&orphanDependents=true&uid=x",
        ],
        [b"&", b"=", b"+", b"%zz", b"%00", b"-1", b"18446744073709551616", b"resourceVersion=", b"limit="],
    ),
    Parser(
        of_label_selector,
        [b"a=b,c!=d,e in (f,g),h notin (i),!j,k,l>5,m<6", b"app.kubernetes.io/name in (x)", b"a"],
        [b"(", b")", b",", b"!", b"=", b"==", b"!=", b" in ", b" notin ", b"<", b">", b"/"],
    ),
    Parser(
        of_field_selector,
        [b"metadata.name=a,metadata.namespace!=b", b"spec.nodeName==x\\,y", b"status.phase=Running"],
        [b"\\", b"\\,", b"\\=", b",", b"=", b"!=", b"=="],
    ),
    Parser(
        of_shard_selector,
        [SHARD, SHARD + b" || " + SHARD],
        [b"(", b")", b"||", b"'", b'"', b",", b".", b"//"],
    ),
    Parser(
        of_token,
        [
            write_token(5, "default/", "default/a").encode(),
            write_token(-1, "", "a").encode(),
            b"W10",
            b"bnVsbA",
        ],
        [b"=", b"-", b"_", b"A", b"/", b"+"],
    ),
    Parser(of_json, [_POD_JSON, b"[]", b'"x"', b"-1.5e3", b'{"a":1,"a":2}'], _TOKENS_OF_JSON),
    Parser(
        of_yaml,
        [
            b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: |\n    y\n  z: >-\n    w\n",
            b"a: &x [1, 0x1f, .inf, 2026-01-01, ~, yes]\nb: *x\nc: !!binary aGk=\n? d\n: e\n",
            b"---\n<<: {a: 1}\nb: 'c''d'\ne: \"\\u263a\"\n# f\n...\n",
            _POD_JSON,
        ],
        [
            b"&x ",
            b"*x",
            b"- ",
            b": ",
            b"? ",
            b"|",
            b">",
            b"!!int ",
            b"<<: ",
            b"[",
            b"{",
            b"\t",
            b"---\n",
            b"%YAML 1.1\n",
        ],
    ),
    Parser(
        of_protobuf,
        [protobuf_codec().encode(OBJECT), b"k8s\0"],
        [b"k8s\0", b"\x0a", b"\x12", b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", b"\x7f", b"\x0b", b"\x0c"],
    ),
    Parser(
        of_delete_options,
        [
            b'{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":5,"propagationPolicy":"Orphan"}',
            b'{"preconditions":{"uid":"x","resourceVersion":"1"},"dryRun":["All"],"orphanDependents":true}',
        ],
        _TOKENS_OF_JSON,
    ),
    Parser(
        of_accept,
        [FORMS, b"application/yaml, */*", b"gzip;q=0.5, *"],
        [b";", b",", b"=", b"/", b"*", b"q=", b";q=0"],
    ),
    Parser(
        of_content_type,
        [b"application/json; charset=utf-8", b"application/apply-patch+yaml"],
        [b";", b"/", b","],
    ),
    Parser(
        of_header_blocks,
        [
            hpack.field("x-name", b"value") + b"\x82\x86\x84\x41\x0fwww.example.com",
            b"\x3f\xe1\x1f\x82\xbe\x40\x01x\x01y",
        ],
        [b"\x3f\xff\xff\xff\x7f", b"\x40", b"\x00", b"\x20", b"\xff"],
    ),
    Parser(
        of_frames,
        [settings([(1, 4096), (4, 65_535)]) + frame(1, 5, 1, b"\x82\x86") + frame(0, 1, 1, b"x" * 50)],
        [b"\0\0\0", b"\0\x40\0", b"\xff\xff\xff", frame(6, 0, 0, b"12345678"), frame(9, 4, 1, b"")],
    ),
]


@pytest.mark.parametrize("parser", PARSERS, ids=[each.read.__name__ for each in PARSERS])
def test_any_input_is_a_value_or_a_complaint(parser: Parser) -> None:
    with guarded() as watched:
        for data in Inputs(parser.read.__name__, parser.samples, parser.tokens).take(COUNT):
            watched.reads(data)
            try:
                parser.read(data)
            except ApiError as error:
                if error.code not in (400, 406, 422):
                    raise
            except (DecodeError, ProtobufError, FrameError, hpack.HpackError):
                pass
            except ValueError as error:
                # What selectors that do not parse raise, and no subclass of it, which would be an accident.
                if type(error) is not ValueError:
                    raise


def test_inputs_are_of_many_kinds() -> None:
    """The samples and their changes reach both ends: what is taken and what is refused."""
    inputs = Inputs("kinds", PARSERS[2].samples, PARSERS[2].tokens)
    taken = 0
    for data in inputs.take(500):
        try:
            of_label_selector(data)
            taken += 1
        except ValueError:
            continue
    assert 50 < taken < 450
