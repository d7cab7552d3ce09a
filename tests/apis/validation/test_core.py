"""Simple things of the core group, nodes, and bounds for namespaces."""

import base64
from typing import Any

import pytest
from tests.apis.validation.cases import ABSENT, CONFIG_KEY, KEY, Case, Checked, below, invalid

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.validation import name_is_dns_subdomain
from kajitori.apis.validation import changed_metadata, new_metadata
from kajitori.apis.validation.event_records import NEW_EVENTS

MEBIBYTE = 1024 * 1024


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


CONFIG_MAP = Checked("", "configmaps", {"data": {"a": "b"}})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"data": {"a": "x" * (MEBIBYTE - 3)}, "binaryData": {"b": "AAAA"}}, []),
        ({"data": {"a b": ""}}, invalid("data[a b]", "a b", CONFIG_KEY)),
        ({"data": {"..": ""}}, invalid("data[..]", "..", "must not be '..'")),
        ({"binaryData": {"..x": ""}}, invalid("binaryData[..x]", "..x", "must not start with '..'")),
        ({"binaryData": {"a": ""}}, invalid("data[a]", "a", "duplicate of key present in binaryData")),
        (
            {"data": {"a": "ä" * (MEBIBYTE // 2)}, "binaryData": {"b": "AA=="}},
            ["[]: Too long: may not be more than 1048576 bytes"],
        ),
    ],
)
def test_config_maps(changes: dict[str, Any], told: list[str]) -> None:
    assert CONFIG_MAP.new(changes) == told


SECRET = Checked("", "secrets", {"data": {}})
ACCOUNT = "kubernetes.io/service-account.name"
REDACTED = "<secret contents redacted>"


def secret(kind: str, **data: str) -> dict[str, Any]:
    return {"type": f"kubernetes.io/{kind}", "data": {key: encoded(text) for key, text in data.items()}}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"data": {"a b": ""}}, invalid("data[a b]", "a b", CONFIG_KEY)),
        (
            {"data": {"a": encoded("x" * (MEBIBYTE + 1))}},
            ["data: Too long: may not be more than 1048576 bytes"],
        ),
        ({"data": {"a": encoded("x" * MEBIBYTE)}}, []),
        (secret("service-account-token"), [f"metadata.annotations[{ACCOUNT}]: Required value"]),
        (secret("dockercfg"), ["data[.dockercfg]: Required value"]),
        (secret("dockerconfigjson", **{".dockerconfigjson": "{}"}), []),
        (
            secret("dockerconfigjson", **{".dockerconfigjson": "{"}),
            invalid("data[.dockerconfigjson]", REDACTED, "unexpected end of JSON input"),
        ),
        (
            secret("dockerconfigjson", **{".dockerconfigjson": "[1]"}),
            invalid(
                "data[.dockerconfigjson]",
                REDACTED,
                "json: cannot unmarshal array into Go value of type map[string]interface {}",
            ),
        ),
        (secret("basic-auth"), ["data[username]: Required value", "data[password]: Required value"]),
        (secret("basic-auth", password="x"), []),
        (secret("ssh-auth"), ["data[ssh-privatekey]: Required value"]),
        (secret("tls"), ["data[tls.crt]: Required value", "data[tls.key]: Required value"]),
        (secret("tls", **{"tls.crt": "x", "tls.key": "y"}), []),
    ],
)
def test_secrets(changes: dict[str, Any], told: list[str]) -> None:
    assert SECRET.new(changes) == told


STANDARD = "name is neither a standard finalizer name nor is it fully qualified"
NAMESPACE = Checked("", "namespaces", {"spec": {"finalizers": ["kubernetes"]}})


def test_namespaces() -> None:
    assert NAMESPACE.new({}) == []
    assert NAMESPACE.new({"spec.finalizers": ["a.b/c", "x"]}) == invalid("spec.finalizers", "x", STANDARD)
    path = "spec.finalizers[0]"
    assert NAMESPACE.update({"spec.finalizers": ["-"]}, "finalize") == invalid(path, "-", KEY, STANDARD)
    assert NAMESPACE.update({"spec.finalizers": ["-"]}) == []


def test_finalizers_have_a_domain() -> None:
    told = invalid("metadata.finalizers[1]", "x", STANDARD)
    kind = CONFIG_MAP.road.strategy.kind
    bad = {"name": "a", "namespace": "b", "resourceVersion": "1", "finalizers": ["orphan", "x", "a.b/c"]}
    assert [str(each) for each in new_metadata(kind, bad, name_is_dns_subdomain)] == told
    errors = changed_metadata(kind, bad, bad, "", name=name_is_dns_subdomain, is_sound=True)
    assert [str(each) for each in errors] == told * 2, "once as a change, once as if it were new"


NODE = Checked("", "nodes", {"spec": {}})
NETWORK = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
FEATURE = (
    "must start with an UpperCamelCase segment, with subsequent segments separated by '/' "
    "(e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes"
)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"spec.podCIDRs": ["10.0.0.0/24", "fd00::/64"], "spec.podCIDR": "10.0.0.0/24"}, []),
        ({"spec.podCIDRs": ["x"]}, invalid("spec.podCIDRs[0]", "x", NETWORK)),
        (
            {"spec.podCIDRs": ["10.0.0.0/24", "10.1.0.0/24"]},
            [
                'spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.1.0.0/24"]: '
                "may specify no more than one CIDR for each IP family"
            ],
        ),
    ],
)
def test_nodes(changes: dict[str, Any], told: list[str]) -> None:
    assert NODE.new(changes) == told


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"allocatable.cpu": "-1"},
            ['allocatable.cpu: Invalid value: "-1": must be greater than or equal to 0'],
        ),
        (
            {'allocatable["a.b/c"]': "1m"},
            ['allocatable.a.b/c: Invalid value: "1m": must be an integer'],
        ),
        (
            {"addresses": [{"type": "InternalIP", "address": "10.0.0.1"}] * 2},
            ['addresses[1]: Duplicate value: {"Type":"InternalIP","Address":"10.0.0.1"}'],
        ),
        ({"declaredFeatures": ["A", "B/c"]}, []),
        (
            {"declaredFeatures": ["B", "A"]},
            invalid("declaredFeatures[1]", "A", "list must be sorted alphabetically"),
        ),
        ({"declaredFeatures": ["A", "A"]}, ['declaredFeatures[1]: Duplicate value: "A"']),
        (
            {"declaredFeatures": ["a"]},
            invalid("declaredFeatures[0]", "a", f'invalid feature name "a": {FEATURE}'),
        ),
    ],
)
def test_status_of_nodes(changes: dict[str, Any], told: list[str]) -> None:
    changed = {f"status.{path}": value for path, value in changes.items()}
    assert NODE.status(changed) == [f"status.{each}" for each in told]


# Bounds.

LIMITS = Checked("", "limitranges", {"spec": {"limits": [{"type": "Container", "max": {"cpu": "2"}}]}})
LIMIT = "spec.limits[0]"


def limit(**said: Any) -> dict[str, Any]:
    return {"spec.limits": [{"type": "Container", **said}]}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, []),
        (limit(type="X"), invalid(f"{LIMIT}.type", "X", "must be a standard limit type or fully qualified")),
        (limit(type="-"), invalid(f"{LIMIT}.type", "-", KEY)),
        (
            {"spec.limits": [{"type": "Pod", "max": {"cpu": "1"}}] * 2},
            ['spec.limits[1].type: Duplicate value: "Pod"'],
        ),
        (
            limit(type="Pod", default={"cpu": "1"}),
            [f"{LIMIT}.default: Forbidden: may not be specified when `type` is 'Pod'"],
        ),
        (
            limit(type="PersistentVolumeClaim"),
            [
                f"{LIMIT}.limits: Required value: "
                "either minimum or maximum storage value is required, but neither was provided"
            ],
        ),
        (
            limit(max={"gpu": "1"}),
            [
                f'{LIMIT}.{member}[gpu]: Invalid value: "gpu": {told}'
                for member in ("max", "default", "defaultRequest")
                for told in (
                    "must be a standard resource type or fully qualified",
                    "must be a standard resource for containers",
                )
            ],
        ),
        (
            limit(type="Pod", min={"cpu": "2"}, max={"cpu": "1"}),
            [f'{LIMIT}.min[cpu]: Invalid value: "2": min value 2 is greater than max value 1'],
        ),
        (
            limit(min={"cpu": "2"}, defaultRequest={"cpu": "1"}),
            [
                f'{LIMIT}.defaultRequest[cpu]: Invalid value: "1": '
                "min value 2 is greater than default request value 1"
            ],
        ),
        (
            limit(defaultRequest={"cpu": "2"}, default={"cpu": "1"}),
            [
                f'{LIMIT}.defaultRequest[cpu]: Invalid value: "2": '
                "default request value 2 is greater than default limit value 1"
            ],
        ),
        (
            limit(default={"cpu": "2"}, max={"cpu": "1"}, defaultRequest={"cpu": "1"}),
            [f'{LIMIT}.default[cpu]: Invalid value: "1": default value 2 is greater than max value 1'],
        ),
        (
            limit(default={"cpu": "1"}, min={"cpu": "2"}, defaultRequest={"cpu": "2"}),
            [
                f'{LIMIT}.defaultRequest[cpu]: Invalid value: "2": '
                "default request value 2 is greater than default limit value 1",
                f'{LIMIT}.default[cpu]: Invalid value: "2": min value 2 is greater than default value 1',
            ],
        ),
        (
            limit(type="Pod", maxLimitRequestRatio={"cpu": "500m"}),
            [f'{LIMIT}.maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1'],
        ),
        (
            limit(type="Pod", maxLimitRequestRatio={"cpu": "3"}, min={"cpu": "1"}, max={"cpu": "2"}),
            [
                f'{LIMIT}.maxLimitRequestRatio[cpu]: Invalid value: "3": '
                "ratio 3 is greater than max/min = 2.000000"
            ],
        ),
        (
            limit(default={"a.b/c": "2"}, defaultRequest={"a.b/c": "1"}),
            [
                f'{LIMIT}.defaultRequest[a.b/c]: Invalid value: "1": '
                "default value 2 must equal to defaultRequest value 1 in a.b/c"
            ],
        ),
    ],
)
def test_limit_ranges(changes: dict[str, Any], told: list[str]) -> None:
    assert LIMITS.new(changes) == told


QUOTA = Checked("", "resourcequotas", {"spec": {"hard": {"pods": "1"}}})
SELECTED = ".scopeSelector.matchExpressions"
EXISTS = (
    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
    "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)


def selected(**said: Any) -> dict[str, Any]:
    return {SELECTED: [{"scopeName": "PriorityClass", "operator": "Exists", **said}]}


QUOTAS: list[Case] = [
    ({'.hard["count/jobs.batch"]': "1", ".hard.configmaps": "2"}, []),
    (
        {".hard": {"gpu": "1"}},
        [
            '.hard[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified',
            '.hard[gpu]: Invalid value: "gpu": must be a standard resource for quota',
        ],
    ),
    ({".hard": {"cpu": "-1"}}, ['.hard[cpu]: Invalid value: "-1": must be greater than or equal to 0']),
    ({".hard": {"pods": "1500m"}}, ['.hard[pods]: Invalid value: "1500m": must be an integer']),
    ({".scopes": ["X"]}, ['.scopes: Invalid value: ["X"]: unsupported scope']),
    (
        {".scopes": ["Terminating"], ".hard": {"secrets": "1"}},
        ['.scopes: Invalid value: ["Terminating"]: unsupported scope applied to resource'],
    ),
    (
        {".scopes": ["BestEffort", "NotBestEffort"]},
        ['.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes'],
    ),
    (
        {".scopes": ["Terminating", "NotTerminating"]},
        ['.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes'],
    ),
    (selected(), []),
    (selected(scopeName="X"), invalid(f"{SELECTED}.scopeName", "X", "unsupported scope")),
    (selected(operator="X"), invalid(f"{SELECTED}.operator", "X", "not a valid selector operator")),
    (
        selected(operator="In"),
        [
            f"{SELECTED}.values: Required value: "
            "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
        ],
    ),
    (
        selected(values=["a"]),
        [
            f'{SELECTED}.values: Invalid value: ["a"]: '
            "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
        ],
    ),
    (
        selected(scopeName="BestEffort", operator="In", values=["a"]),
        invalid(f"{SELECTED}.operator", "In", EXISTS),
    ),
]


@pytest.mark.parametrize(("changes", "told"), below("spec", QUOTAS))
def test_quotas(changes: dict[str, Any], told: list[str]) -> None:
    assert QUOTA.new(changes) == told


def test_what_quotas_use() -> None:
    assert QUOTA.status({"status.used.pods": "1"}) == []
    told = "must be greater than or equal to 0"
    assert QUOTA.status({"status.used.pods": "-1"}) == [f'status.used[pods]: Invalid value: "-1": {told}']


# Events.

EVENT = Checked(
    "",
    "events",
    {"metadata": {"name": "a", "namespace": "n"}, "involvedObject": {"namespace": "n"}, "reason": "R"},
)
NEW = {
    "eventTime": "2026-01-01T00:00:00.000000Z",
    "reportingComponent": "a.b/c",
    "reportingInstance": "i",
    "action": "A",
}
MATCH = "does not match event.namespace"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, []),
        ({"involvedObject.namespace": "m"}, invalid("involvedObject.namespace", "m", MATCH)),
        ({"involvedObject.namespace": ABSENT}, invalid("involvedObject.namespace", "", MATCH)),
        (NEW, []),
        (
            {**NEW, "reportingComponent": ""},
            [
                "reportingComponent: Required value",
                *invalid("reportingComponent", "", "name part must be non-empty", KEY),
            ],
        ),
        ({**NEW, "action": ""}, ["action: Required value"]),
        ({**NEW, "reason": "R" * 129}, invalid("reason", "", "can have at most 128 characters")),
        ({**NEW, "message": "m" * 1025}, invalid("message", "", "can have at most 1024 characters")),
    ],
)
def test_events(changes: dict[str, Any], told: list[str]) -> None:
    assert EVENT.new(changes) == told


NEW_EVENT = {**NEW, "type": "Normal"}
SHOWN_REFERENCE = (
    '{"Kind":"","Namespace":"n","Name":"x","UID":"","APIVersion":"","ResourceVersion":"","FieldPath":""}'
)


def event_told(changes: dict[str, Any], old: dict[str, Any] | None = None) -> list[str]:
    """What is said of an Event that came by way of events.k8s.io; `old` makes it a change."""
    obj = EVENT.made({**NEW_EVENT, **changes})
    errors: list[FieldError] = []
    if old is None:
        NEW_EVENTS.create(obj, errors)
    else:
        NEW_EVENTS.update(obj, EVENT.made({**NEW_EVENT, **old}), "", errors)
    return [str(each) for each in errors]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, []),
        ({"reportingComponent": "-"}, invalid("reportingController", "-", KEY)),
        ({"type": "Bogus"}, invalid("type", "", "has invalid value: Bogus")),
        ({"count": 1}, invalid("count", "", "needs to be unset")),
        ({"firstTimestamp": "2026-01-01T00:00:00Z"}, invalid("firstTimestamp", "", "needs to be unset")),
        ({"source": {"component": "c"}}, invalid("source", "", "needs to be unset")),
        (
            {"series": {"count": 1}},
            [
                *invalid("series.count", "", "should be at least 2"),
                "series.lastObservedTime: Required value",
            ],
        ),
        ({"eventTime": None}, ["eventTime: Required value"]),
    ],
)
def test_events_by_the_new_group(changes: dict[str, Any], told: list[str]) -> None:
    assert event_told(changes) == told


def test_events_of_the_new_group_do_not_change() -> None:
    assert event_told({}, {}) == []
    assert event_told({"action": "B"}, {}) == invalid("action", "B", "field is immutable")
    assert event_told({"reason": "S"}, {}) == invalid("reason", "S", "field is immutable") * 2
    assert event_told({"involvedObject.name": "x"}, {}) == [
        f"involvedObject: Invalid value: {SHOWN_REFERENCE}: field is immutable"
    ]
    again = {"series": {"count": 1, "lastObservedTime": "2026-01-01T00:00:00.000000Z"}}
    assert event_told(again, again) == [], "a series is judged where it changes"


def test_taints_of_a_changed_node_are_told_twice() -> None:
    told = ["metadata.taints[0].effect: Required value"]
    taints = {"spec.taints": [{"key": "a"}]}
    assert NODE.new(taints) == told
    assert NODE.update(taints) == told * 2
    assert NODE.update(taints, "status") == told
