"""Requests that make no sense, to a server process: each gets the answer that Kubernetes gives, and harms nobody.

That the server stays healthy, and complains of nothing itself, is checked where it ends (conftest.py).
"""

import base64
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from tests.support.https import Api

pytestmark = pytest.mark.e2e

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
DEEP = b"[" * 100_000
BOMB = b'a: &a ["x","x","x","x","x","x","x","x","x"]\n' + b"".join(
    b"%c: &%c [%s]\n" % (letter, letter, b",".join([b"*%c" % (letter - 1)] * 9)) for letter in range(98, 120)
)
"""Nine to the 22nd strings, if every alias were followed."""


def of_size(size: int) -> bytes:
    return b'{"metadata":{"name":"big"},"data":{"a":"%s"}}' % (b"x" * size)


@pytest.mark.parametrize(
    ("media", "body", "status", "message"),
    [
        (
            JSON,
            b'{"metadata"',
            400,
            "the object provided is unrecognized (must be of type ConfigMap): "
            "couldn't get version/kind; json parse error: unexpected end of JSON input (",
        ),
        (JSON, b"", 400, "unexpected end of JSON input (<empty>)"),
        (JSON, b"a: " + b"b" * 40, 400, f"beginning of value (613a20{'62' * 27} ...)"),
        (JSON, b"{" + b" " * 40, 400, f"unexpected end of JSON input ({{{' ' * 29} ...)"),
        (JSON, b"[]", 400, "json: cannot unmarshal array into Go value of type struct"),
        (JSON, b"1", 400, "json: cannot unmarshal number into Go value of type struct"),
        (JSON, b"\0", 400, "invalid character '\\x00' looking for beginning of value"),
        (
            JSON,
            b'{"metadata":{"name":"x"},"data":NaN}',
            400,
            "invalid character 'N' looking for beginning of value",
        ),
        (JSON, b'{"metadata":{"name":"x"}} x', 400, "invalid character 'x' after top-level value"),
        (JSON, DEEP, 400, "exceeded max depth"),
        (JSON, b'{"a":' * 50_000, 400, "exceeded max depth"),
        (JSON, b'{"metadata":{"name":"x","generation":1e400}}', 400, "cannot unmarshal number"),
        (
            JSON,
            b'{"metadata":{"name":5}}',
            400,
            "number into Go struct field ObjectMeta.metadata.name of type string",
        ),
        (
            JSON,
            b'{"metadata":[]}',
            400,
            "array into Go struct field ConfigMap.metadata of type v1.ObjectMeta",
        ),
        (JSON, b'{"metadata":{"name":"x"},"data":{"a":1}}', 400, "ConfigMap.data of type string"),
        (
            JSON,
            b'{"metadata":{"name":"x"},"binaryData":{"a":"!!"}}',
            400,
            "illegal base64 data at input byte 0",
        ),
        (
            JSON,
            b'{"metadata":{"name":"x","creationTimestamp":"now"}}',
            400,
            'parsing time "now" as "2006-01-02T15:04:05Z07:00"',
        ),
        (
            JSON,
            b'{"kind":"Pod","apiVersion":"v1"}',
            400,
            "the kind in the data (Pod) does not match the expected kind (ConfigMap)",
        ),
        (
            JSON,
            b'{"kind":"ConfigMap","apiVersion":"v9"}',
            400,
            "the API version in the data (v9) does not match",
        ),
        (JSON, b'{"kind":1}', 400, "cannot unmarshal number into Go struct field .kind of type string"),
        (
            JSON,
            b'{"metadata":{"name":"x","namespace":"other"}}',
            400,
            "the namespace of the provided object does not match",
        ),
        (JSON, b"{}", 422, "metadata.name: Required value: name or generateName is required"),
        (JSON, b'{"metadata":{"name":"\xff"}}', 422, "metadata.name: Invalid value"),
        (JSON, b'{"metadata":{"name":"\\ud800"}}', 422, "metadata.name: Invalid value"),
        (JSON, b'{"metadata":{"name":"%s"}}' % (b"a" * 254), 422, "must be no more than 253 characters"),
        (
            JSON,
            b'{"metadata":{"name":"x","labels":{"a b":"c"}}}',
            422,
            'metadata.labels: Invalid value: "a b"',
        ),
        (JSON, b'{"metadata":{"name":"x","finalizers":["a b"]}}', 422, "metadata.finalizers: Invalid value"),
        (JSON, b'{"metadata":{"name":"x","ownerReferences":[{}]}}', 422, "version must not be empty"),
        (JSON, of_size(1_200_000), 422, "[]: Too long: may not be more than 1048576 bytes"),
        (JSON, of_size(3_200_000), 413, "Request entity too large: limit is 3145728"),
        (JSON, of_size(9_000_000), 413, "Request entity too large: limit is 3145728"),
        (YAML, b"metadata:\n\tname: x", 400, "yaml: line 2: found character that cannot start any token"),
        (YAML, b"metadata: {", 400, "did not find expected node content"),
        (YAML, BOMB, 400, "document contains excessive aliasing"),
        (YAML, b"&a [*a]", 400, "anchor value contains itself"),
        (YAML, b"\0\1", 400, "control characters are not allowed"),
        (YAML, b"!!python/object/apply:os.system [false]", 400, "json: cannot unmarshal"),
        (YAML, b"metadata: {name: x}\ndata: {a: .nan}", 400, "unsupported value: NaN"),
        (YAML, b"metadata: {name: x}\ndata: {a: yes}", 400, "cannot unmarshal bool"),
        (PROTOBUF, b"k8s\0", 400, "empty body"),
        (PROTOBUF, b"k8s\0\xff\xff\xff", 400, "unexpected EOF"),
        (PROTOBUF, b"k8s\0\x0a\xff\xff\xff\xff\x0f", 400, "unexpected EOF"),
        (PROTOBUF, b"{}", 400, "does not appear to be a protobuf message, expected prefix [107 56 115 0]"),
        ("text/plain", b"{}", 415, "accepted media types include: application/json, application/yaml"),
        ("nonsense", b"{}", 415, "the body of the request was in an unknown format"),
        ("application/apply-patch+yaml", b"{}", 415, "the body of the request was in an unknown format"),
        ("x" * 10_000, b"{}", 415, "the body of the request was in an unknown format"),
    ],
    ids=lambda value: repr(value[:30]) if isinstance(value, str | bytes) else str(value),
)
def test_bodies(api: Api, media: str, body: bytes, status: int, message: str) -> None:
    answer = api.request("POST", CONFIGMAPS, body, {"Content-Type": media})
    assert (answer.status, message in answer.message) == (status, True), answer
    assert answer.json()["code"] == status


def test_unknown_and_duplicate_fields(api: Api) -> None:
    body = b'{"metadata":{"name":"strict"},"metadata":{"name":"strict","nmae":"y"},"datas":{}}'
    refused = api.request("POST", f"{CONFIGMAPS}?fieldValidation=Strict", body)
    assert (refused.status, refused.reason) == (400, "BadRequest")
    assert refused.message == (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '
        'duplicate field "metadata", unknown field "metadata.nmae", unknown field "datas"'
    )
    warned = api.request("POST", f"{CONFIGMAPS}?fieldValidation=Warn&dryRun=All", body)
    assert warned.status == 201
    for told in ('unknown field "datas"', 'duplicate field "metadata"'):
        assert msgspec.json.encode(told).decode()[1:-1] in warned.headers["warning"], warned.headers
    ignored = api.request("POST", f"{CONFIGMAPS}?fieldValidation=Ignore&dryRun=All", body)
    assert ignored.status == 201 and "warning" not in ignored.headers


@pytest.mark.parametrize(
    ("media", "body", "status", "message"),
    [
        ("json-patch+json", b"x", 400, "error decoding patch: invalid character 'x'"),
        (
            "json-patch+json",
            b"{}",
            400,
            "cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
        ),
        (
            "json-patch+json",
            b"[1]",
            400,
            "cannot unmarshal number into Go value of type handlers.jsonPatchOp",
        ),
        ("json-patch+json", b'[{"op":"remove","path":"/nope"}]', 422, "the server rejected our request"),
        (
            "json-patch+json",
            b'[{"op":"replace","path":"","value":5}]',
            422,
            "the server rejected our request",
        ),
        (
            "json-patch+json",
            b"[%s]" % b",".join([b'{"op":"test","path":""}'] * 10_001),
            413,
            "The allowed maximum operations in a JSON patch is 10000, got 10001",
        ),
        (
            "json-patch+json",
            b'[{"op":"add","path":"/metadata/name","value":"y"}]',
            400,
            "the name of the object (y) does not match the name on the URL (patched)",
        ),
        (
            "merge-patch+json",
            b"[]",
            400,
            "cannot unmarshal array into Go value of type map[string]interface {}",
        ),
        (
            "merge-patch+json",
            b'{"data":5}',
            422,
            "cannot unmarshal number into Go struct field ConfigMap.data",
        ),
        (
            "merge-patch+json",
            b'{"metadata":null}',
            400,
            "the name of the object (patched based on URL) was undeterminable: name must be provided",
        ),
        (
            "strategic-merge-patch+json",
            b"[]",
            400,
            "cannot unmarshal array into Go value of type map[string]interface {}",
        ),
        (
            "strategic-merge-patch+json",
            b'{"metadata":{"$patch":"nope"}}',
            500,
            "unknown patch type: nope in map",
        ),
        ("apply-patch+yaml", b"x: [", 400, "error decoding YAML: yaml: line 1"),
        ("apply-patch+yaml", b"{}", 400, "invalid object type: /, Kind="),
        ("apply-patch+yaml", b"{apiVersion: v1, kind: Pod}", 400, "invalid object type: /v1, Kind=Pod"),
        ("json", b"{}", 415, "415: Unsupported Media Type"),
    ],
    ids=lambda value: repr(value[:30]) if isinstance(value, str | bytes) else str(value),
)
def test_patches(api: Api, media: str, body: bytes, status: int, message: str) -> None:
    api.request("POST", CONFIGMAPS, {"metadata": {"name": "patched"}, "data": {"a": "b"}})
    path = f"{CONFIGMAPS}/patched"
    before = api.get(path)
    answer = api.request("PATCH", f"{path}?fieldManager=m", body, {"Content-Type": f"application/{media}"})
    assert (answer.status, message in answer.message) == (status, True), answer
    assert api.get(path) == before


def continue_token(**fields: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(fields)).decode().rstrip("=")


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("limit=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("limit=99999999999999999999", 400, "value out of range"),
        ("timeoutSeconds=x&watch=1", 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("continue=x", 400, "continue key is not valid: illegal base64 data at input byte 0"),
        ("continue=%00%ff", 400, "continue key is not valid: illegal base64 data at input byte 0"),
        (
            f"continue={continue_token(v='v9', rv=1, start='a')}",
            400,
            "server does not recognize this encoded version",
        ),
        (
            f"continue={continue_token(v='meta.k8s.io/v1', rv=0, start='a')}",
            400,
            "incorrect encoded start resourceVersion",
        ),
        (f"continue={continue_token(v='meta.k8s.io/v1', rv=1)}", 400, "encoded start key empty"),
        (
            f"continue={continue_token(v='meta.k8s.io/v1', rv=10**12, start='a')}",
            504,
            "Too large resource version",
        ),
        ("resourceVersion=x", 400, 'invalid resource version: resourceVersion: Invalid value: "x"'),
        ("resourceVersion=-1", 400, 'strconv.ParseUint: parsing "-1": invalid syntax'),
        ("resourceVersion=999999999", 504, "Timeout: Too large resource version: 999999999, current: "),
        (
            "resourceVersionMatch=Exact",
            422,
            "resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        ("resourceVersion=0&resourceVersionMatch=Exact", 422, 'forbidden for resourceVersion "0"'),
        ("resourceVersion=1&resourceVersionMatch=Sometimes", 422, 'Unsupported value: "Sometimes"'),
        ("sendInitialEvents=true", 422, "sendInitialEvents is forbidden for list"),
        ("watch=1&sendInitialEvents=true", 422, "requires setting resourceVersionMatch to NotOlderThan"),
        ("watch=1&resourceVersion=x", 500, 'strconv.ParseUint: parsing "x": invalid syntax'),
        ("labelSelector=%3D%3D", 400, "found '==', expected: !, identifier, or 'end of string'"),
        ("labelSelector=a%20in%20(", 400, "unable to parse requirement"),
        (f"labelSelector={'a' * 5000}", 400, "name part must be no more than 63 bytes"),
        ("fieldSelector=x", 400, "invalid selector: 'x'; can't understand 'x'"),
        ("fieldSelector=metadata.name%3D%5C", 400, "invalid field selector: invalid escape sequence"),
        (
            "fieldSelector=data%3Dx",
            400,
            '"data" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
    ],
)
def test_lists(api: Api, query: str, status: int, message: str) -> None:
    answer = api.request("GET", f"{CONFIGMAPS}?{query}")
    assert (answer.status, message in answer.message) == (status, True), answer


def test_a_watch_from_before_what_is_kept_or_without_time_ends(api: Api) -> None:
    ended = api.request("GET", f"{CONFIGMAPS}?watch=1&timeoutSeconds=-1")
    assert ended.status == 200
    told = api.request("GET", f"{CONFIGMAPS}?watch=1&resourceVersion=1&timeoutSeconds=1")
    assert told.status == 200 and b'"type":"ADDED"' in told.body  # history reaches back to the beginning


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("dryRun=Some", 'dryRun: Unsupported value: ["Some"]: supported values: "All"'),
        (f"fieldManager={'a' * 129}", "fieldManager: Too long: may not be more than 128 bytes"),
        ("fieldManager=%00", "invalid character U+0000 (at position 0)"),
        (
            "fieldValidation=Often",
            'Unsupported value: "Often": supported values: "", "Ignore", "Strict", "Warn"',
        ),
    ],
)
def test_options_of_writes(api: Api, query: str, message: str) -> None:
    answer = api.request("POST", f"{CONFIGMAPS}?{query}", {"metadata": {"generateName": "x-"}})
    assert (answer.status, message in answer.message) == (422, True), answer


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nope", 404),
        ("/api/v2", 404),
        ("/apis/nope.example.com/v1/things", 404),
        ("/apis/apps/v9/deployments", 404),
        ("/apis/apps/v1/nopes", 404),
        ("/API/v1/namespaces", 404),
        ("//api//v1//namespaces", 404),
        ("/api/v1/namespaces/default//configmaps", 404),
        ("/api/v1/../../etc/passwd", 404),
        ("/api/v1/pods/x", 404),
        ("/api/v1/pods/x/log", 404),
        (f"{CONFIGMAPS}/c/status", 404),
        (f"{CONFIGMAPS}/c/x/y/z", 404),
        (f"{CONFIGMAPS}/{'a' * 9000}", 404),
        (f"/{'a/' * 5000}", 404),
        (f"{CONFIGMAPS}/a%00b", 404),
        (f"{CONFIGMAPS};x=y", 404),
        ("/openapi/v3/nope", 404),
        ("/readyz/nope", 404),
        (f"{CONFIGMAPS}/%2e%2e", 400),
        (f"{CONFIGMAPS}/a%25b", 400),
        (f"{CONFIGMAPS}/%ZZ", 400),
        ("/%", 400),
        (f"{CONFIGMAPS}/%2F", 200),  # as Go decodes a path before taking it apart, this is the collection
        (f"{CONFIGMAPS}//", 200),
        ("/api/v1/namespaces/%FF/configmaps", 200),
        ("/apis/apps/", 200),
    ],
)
def test_paths(api: Api, path: str, status: int) -> None:
    answer = api.request("GET", path)
    assert answer.status == status, answer


def test_methods_that_a_path_has_not(api: Api) -> None:
    for method, path in (
        ("POST", f"{CONFIGMAPS}/c"),
        ("PUT", CONFIGMAPS),
        ("PATCH", CONFIGMAPS),
        ("DELETE", "/api/v1/namespaces"),
        ("DELETE", "/api/v1/configmaps"),
        ("OPTIONS", CONFIGMAPS),
        ("TRACE", CONFIGMAPS),
        ("DELETE", "/version"),
        ("GET", "/apis/authentication.k8s.io/v1/tokenreviews"),
    ):
        answer = api.request(method, path)
        assert (answer.status, answer.reason) == (405, "MethodNotAllowed"), (method, path, answer)


def test_nothing_is_deleted_across_namespaces(api: Api) -> None:
    api.request("POST", CONFIGMAPS, {"metadata": {"name": "stays"}})
    assert api.request("DELETE", "/api/v1/configmaps").status == 405
    assert api.request("GET", f"{CONFIGMAPS}/stays").status == 200


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"[]", 400, "json: cannot unmarshal array"),
        (b'{"kind":"Pod","apiVersion":"v1"}', 400, 'no kind "Pod" is registered for version "v1" in scheme'),
        (b"{", 400, "couldn't get version/kind; json parse error: unexpected end of JSON input"),
        (b'{"gracePeriodSeconds":"x"}', 400, "struct field DeleteOptions.gracePeriodSeconds of type int64"),
        (b'{"propagationPolicy":"Sideways"}', 422, 'propagationPolicy: Unsupported value: "Sideways"'),
        (b'{"orphanDependents":true,"propagationPolicy":"Orphan"}', 422, "cannot be both set"),
        (b'{"dryRun":["Some"]}', 422, "dryRun: Unsupported value"),
        (b'{"preconditions":{"uid":"nope"}}', 409, "the UID in the precondition (nope) does not match"),
        (b'{"preconditions":{"resourceVersion":"1"}}', 409, "ResourceVersion in the precondition (1) does not match"),
    ],
)  # fmt: skip
def test_deletions(api: Api, body: bytes, status: int, message: str) -> None:
    api.request("POST", CONFIGMAPS, {"metadata": {"name": "stays"}})
    answer = api.request("DELETE", f"{CONFIGMAPS}/stays", body)
    assert (answer.status, message in answer.message) == (status, True), answer
    assert api.request("GET", f"{CONFIGMAPS}/stays").status == 200


def test_updates(api: Api) -> None:
    created = api.request("POST", CONFIGMAPS, {"metadata": {"name": "updated"}})
    path = f"{CONFIGMAPS}/updated"

    def update(metadata: Mapping[str, str], at: str = path) -> tuple[int, str]:
        answer = api.request("PUT", at, {"metadata": metadata})
        return answer.status, answer.message

    assert update({}) == (
        400,
        "the name of the object (updated based on URL) was undeterminable: name must be provided",
    )
    assert update({"name": "y"}) == (
        400,
        "the name of the object (y) does not match the name on the URL (updated)",
    )
    assert update({"name": "nope"}, f"{CONFIGMAPS}/nope")[0] == 404
    status, message = update({"name": "updated", "resourceVersion": "1"})
    assert (status, "the object has been modified; please apply your changes" in message) == (409, True)
    assert update({"name": "updated", "uid": "x"})[0] == 409
    status, message = update({"name": "updated", "resourceVersion": "x"})
    assert status in (400, 422) and "Invalid value" in message
    assert created.status in (201, 409)


def test_who_asks_and_what_he_takes(api: Api) -> None:
    for value in ("Bearer wrong", "Bearer a.b.c", "Bearer eyJhbGciOiJub25lIn0.e30."):
        answer = api.request("GET", CONFIGMAPS, headers={"Authorization": value})
        assert (answer.status, answer.reason) == (401, "Unauthorized"), value
    for value in ("Bearer ", "Basic YTpi", "Nonsense", "\xff"):
        answer = api.request("GET", CONFIGMAPS, headers={"Authorization": value})
        assert (answer.status, answer.reason) == (403, "Forbidden"), value
    for accept in ("application/xml", "a", ";;,,", "application/json;as=Nope;v=v1;g=meta.k8s.io"):
        assert api.request("GET", CONFIGMAPS, headers={"Accept": accept}).status == 406, accept
    for accept in ("application/json;q=x", "text/html,*/*", "*/*;q=0", ""):
        assert api.request("GET", CONFIGMAPS, headers={"Accept": accept}).status == 200, accept
    assert api.request("GET", CONFIGMAPS, headers={"Impersonate-Group": "x"}).status == 400
