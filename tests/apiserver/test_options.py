"""Options of requests: what is understood, and what is refused in which words."""

from typing import Any

import pytest

from kajitori.apimachinery.errors import ApiError
from kajitori.apiserver.options import (
    delete_options,
    list_options,
    parse_query,
    parse_resource_version,
    write_options,
)


def test_a_query_keeps_order_and_blanks() -> None:
    assert parse_query("a=1&b&a=%202&&c=x+y&%61=3") == {"a": ["1", " 2", "3"], "b": [""], "c": ["x y"]}
    assert parse_query("") == {}


@pytest.mark.parametrize(
    ("query", "watch", "code", "message"),
    [
        ("limit=x", False, 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("limit=", False, 400, 'strconv.ParseInt: parsing "": invalid syntax'),
        ("limit=9223372036854775808", False, 400, 'parsing "9223372036854775808": value out of range'),
        ("limit=" + "9" * 5000, False, 400, "value out of range"),
        ("timeoutSeconds=1.5", False, 400, 'strconv.ParseInt: parsing "1.5": invalid syntax'),
        (
            "resourceVersionMatch=Exact",
            False,
            422,
            "resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        (
            "resourceVersionMatch=Exact&resourceVersion=0",
            False,
            422,
            'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        ),
        (
            "resourceVersionMatch=Newest&resourceVersion=1",
            False,
            422,
            'Unsupported value: "Newest": supported values: "Exact", "NotOlderThan", ""',
        ),
        (
            "resourceVersionMatch=NotOlderThan&resourceVersion=1&continue=x",
            False,
            422,
            "resourceVersionMatch is forbidden when continue is provided",
        ),
        ("sendInitialEvents=true", False, 422, "sendInitialEvents is forbidden for list"),
        (
            "sendInitialEvents=false",
            True,
            422,
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ),
        (
            "resourceVersionMatch=Exact",
            True,
            422,
            "[resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is "
            'provided, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]',
        ),
        (
            "resourceVersionMatch=NotOlderThan&sendInitialEvents=true&continue=x",
            True,
            422,
            "resourceVersionMatch is forbidden when continue is provided",
        ),
    ],
)
def test_a_list_or_watch_is_refused(query: str, watch: bool, code: int, message: str) -> None:
    with pytest.raises(ApiError) as refused:
        list_options(parse_query(query), watch=watch)
    assert refused.value.code == code
    assert message in refused.value.message


def test_a_list_is_understood() -> None:
    options = list_options(
        parse_query("limit=%2B5&labelSelector=a%3Db&allowWatchBookmarks&timeoutSeconds=-1"), watch=False
    )
    assert (options.limit, options.label_selector, options.timeout_seconds) == (5, "a=b", -1)
    assert options.allow_watch_bookmarks
    assert list_options(parse_query("limit=-3"), watch=False).limit == 0


@pytest.mark.parametrize(
    ("text", "truth"), [("", True), ("1", True), ("maybe", True), ("0", False), ("FALSE", False)]
)
def test_a_boolean_is_true_unless_it_says_otherwise(text: str, truth: bool) -> None:
    assert list_options({"allowWatchBookmarks": [text]}, watch=True).allow_watch_bookmarks is truth


@pytest.mark.parametrize(
    ("query", "kind", "message"),
    [
        ("dryRun=all", "CreateOptions", 'dryRun: Unsupported value: ["all"]: supported values: "All"'),
        ("dryRun=", "CreateOptions", 'dryRun: Unsupported value: [""]'),
        ("dryRun=All&dryRun=x", "UpdateOptions", 'dryRun: Unsupported value: ["All","x"]'),
        (
            "fieldManager=" + "x" * 129,
            "CreateOptions",
            "fieldManager: Too long: may not be more than 128 bytes",
        ),
        ("fieldManager=%C3%BC%07", "CreateOptions", "invalid character U+0007 (at position 2)"),
        ("fieldValidation=strict", "PatchOptions", 'fieldValidation: Unsupported value: "strict"'),
        ("force=false", "PatchOptions", "force: Forbidden: may not be specified for non-apply patch"),
    ],
)
def test_a_write_is_refused(query: str, kind: str, message: str) -> None:
    with pytest.raises(ApiError) as refused:
        write_options(parse_query(query), kind)
    assert refused.value.code == 422
    assert refused.value.message.startswith(f'{kind}.meta.k8s.io "" is invalid')
    assert message in refused.value.message


def test_an_apply_needs_a_field_manager() -> None:
    for query in ("", "force=true"):
        with pytest.raises(ApiError, match="is required for apply patch"):
            write_options(parse_query(query), "PatchOptions", apply=True)
    options = write_options(parse_query("fieldManager=m&force=true&dryRun=All"), "PatchOptions", apply=True)
    assert (options.field_manager, options.force, options.dry_run) == ("m", True, True)


@pytest.mark.parametrize(
    ("query", "body", "message"),
    [
        ("gracePeriodSeconds=x", None, 'strconv.ParseInt: parsing "x"'),
        ("propagationPolicy=Sideways", None, 'propagationPolicy: Unsupported value: "Sideways"'),
        ("propagationPolicy=Orphan&orphanDependents=true", None, "cannot be both set"),
        ("", {"gracePeriodSeconds": "5"}, "cannot unmarshal string into Go"),
        ("", {"gracePeriodSeconds": 1 << 63}, "gracePeriodSeconds"),
        ("", {"preconditions": []}, "preconditions"),
        ("", {"dryRun": ["x"]}, 'dryRun: Unsupported value: ["x"]'),
    ],
)
def test_a_deletion_is_refused(query: str, body: Any, message: str) -> None:
    with pytest.raises(ApiError) as refused:
        delete_options(parse_query(query), body)
    assert refused.value.code in (400, 422)
    assert message in refused.value.message


def test_a_deletion_says_its_options_in_the_query_or_in_the_body() -> None:
    told = delete_options(parse_query("gracePeriodSeconds=5&uid=u&resourceVersion=7&dryRun=All"), None)
    assert (told.grace_period_seconds, told.uid, told.resource_version, told.dry_run) == (5, "u", "7", True)
    body = {"gracePeriodSeconds": 0, "preconditions": {"uid": "u"}, "propagationPolicy": "Orphan"}
    told = delete_options(parse_query("gracePeriodSeconds=5&uid=other"), body)
    assert (told.grace_period_seconds, told.uid, told.propagation, told.dry_run) == (0, "u", "Orphan", False)


def test_a_dry_run_asked_for_in_the_query_of_a_deletion_is_one() -> None:
    assert delete_options(parse_query("dryRun=All"), {"gracePeriodSeconds": 0}).dry_run


@pytest.mark.parametrize(
    ("text", "why"), [("x", "invalid syntax"), ("-1", "invalid syntax"), ("9" * 21, "out of range")]
)
def test_a_resource_version_is_a_number(text: str, why: str) -> None:
    with pytest.raises(ApiError, match=why) as refused:
        parse_resource_version(text)
    assert refused.value.code == 400
    with pytest.raises(ApiError, match=why):
        parse_resource_version(text, watch=True)
    assert parse_resource_version("") == 0
    assert parse_resource_version("18446744073709551615") == 2**64 - 1


def test_the_complaint_about_a_field_manager_is_not_longer_than_the_request_many_times_over() -> None:
    with pytest.raises(ApiError) as refused:
        write_options({"fieldManager": ["\0" * 10_000]}, "CreateOptions")
    assert str(refused.value).endswith("fieldManager: Too long: may not be more than 128 bytes")
