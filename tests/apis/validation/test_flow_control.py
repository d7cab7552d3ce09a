"""Flow control: which requests belong together, and how many of them may run."""

from typing import Any

import pytest
from tests.apis.validation.cases import ABSENT, LABEL, SUBDOMAIN, Case, Checked, below, invalid

GROUP = "flowcontrol.apiserver.k8s.io"
RESOURCES = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "namespaces": ["n"]}
PATHS = {"verbs": ["get"], "nonResourceURLs": ["/a/*"]}
RULE = {
    "subjects": [{"kind": "User", "user": {"name": "u"}}],
    "resourceRules": [RESOURCES],
    "nonResourceRules": [PATHS],
}
SCHEMA = Checked(
    GROUP, "flowschemas", {"spec": {"priorityLevelConfiguration": {"name": "p"}, "rules": [RULE]}}
)
FIRST = ".rules[0]"
SUBJECT = f"{FIRST}.subjects[0]"
OF = f"{FIRST}.resourceRules[0]"
ABOUT = f"{FIRST}.nonResourceRules[0]"
VERBS = '"create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"'


def alone(path: str, listed: str, what: str) -> list[str]:
    return [f"{path}: Invalid value: {listed}: if '*' is present, must not specify other {what}"]


SCHEMAS: list[Case] = [
    ({}, []),
    ({".matchingPrecedence": -1}, [".matchingPrecedence: Invalid value: -1: must be a positive value"]),
    (
        {".matchingPrecedence": 10001},
        [".matchingPrecedence: Invalid value: 10001: must not be greater than 10000"],
    ),
    (
        {".matchingPrecedence": 1},
        [
            ".matchingPrecedence: Invalid value: 1: "
            "only the schema named 'exempt' may have matchingPrecedence 1"
        ],
    ),
    (
        {".distinguisherMethod.type": "X"},
        [
            '.distinguisherMethod.type: Unsupported value: {"Type":"X"}: supported values: "ByNamespace", "ByUser"'
        ],
    ),
    (
        {".priorityLevelConfiguration.name": ""},
        [".priorityLevelConfiguration.name: Required value: must reference a priority level"],
    ),
    ({".priorityLevelConfiguration.name": "A"}, invalid(".priorityLevelConfiguration.name", "A", SUBDOMAIN)),
    (
        {f"{FIRST}.subjects": []},
        [f"{FIRST}.subjects: Required value: subjects must contain at least one value"],
    ),
    (
        {f"{FIRST}.resourceRules": [], f"{FIRST}.nonResourceRules": []},
        [f"{FIRST}: Required value: at least one of resourceRules and nonResourceRules has to be non-empty"],
    ),
    ({SUBJECT: {"kind": "Group", "group": {"name": "g"}}}, []),
    (
        {f"{SUBJECT}.kind": "X"},
        [f'{SUBJECT}.kind: Unsupported value: "X": supported values: "Group", "ServiceAccount", "User"'],
    ),
    (
        {SUBJECT: {"kind": "Group"}},
        [f"{SUBJECT}.group: Required value: group is required when subject kind is 'Group'"],
    ),
    ({SUBJECT: {"kind": "User", "user": {}}}, [f"{SUBJECT}.user.name: Required value"]),
    (
        {f"{SUBJECT}.group": {"name": "g"}},
        [f"{SUBJECT}.group: Forbidden: group is forbidden when subject kind is not 'Group'"],
    ),
    ({SUBJECT: {"kind": "ServiceAccount", "serviceAccount": {"namespace": "n", "name": "*"}}}, []),
    (
        {SUBJECT: {"kind": "ServiceAccount", "serviceAccount": {"name": "a"}}},
        [f"{SUBJECT}.serviceAccount.namespace: Required value: must specify namespace for service account"],
    ),
    (
        {SUBJECT: {"kind": "ServiceAccount", "serviceAccount": {"namespace": "A", "name": "a"}}},
        invalid(f"{SUBJECT}.serviceAccount.namespace", "A", LABEL),
    ),
    (
        {SUBJECT: {"kind": "ServiceAccount", "serviceAccount": {"namespace": "n", "name": "A"}}},
        invalid(f"{SUBJECT}.serviceAccount.name", "A", SUBDOMAIN),
    ),
    ({f"{OF}.verbs": []}, [f"{OF}.verbs: Required value: verbs must contain at least one value"]),
    ({f"{OF}.verbs": ["*", "get"]}, alone(f"{OF}.verbs", '["*","get"]', "verbs")),
    ({f"{OF}.verbs": ["x"]}, [f'{OF}.verbs: Unsupported value: ["x"]: supported values: {VERBS}']),
    (
        {f"{OF}.apiGroups": []},
        [f"{OF}.apiGroups: Required value: resource rules must supply at least one api group"],
    ),
    ({f"{OF}.apiGroups": ["*", "a"]}, alone(f"{OF}.apiGroups", '["*","a"]', "api groups")),
    (
        {f"{OF}.resources": []},
        [f"{OF}.resources: Required value: resource rules must supply at least one resource"],
    ),
    ({f"{OF}.resources": ["*", "a"]}, alone(f"{OF}.resources", '["*","a"]', "resources")),
    (
        {f"{OF}.namespaces": []},
        [
            f"{OF}.namespaces: Required value: "
            "resource rules that are not cluster scoped must supply at least one namespace"
        ],
    ),
    ({f"{OF}.namespaces": [], f"{OF}.clusterScope": True}, []),
    ({f"{OF}.namespaces": ["*", "a"]}, alone(f"{OF}.namespaces", '["*","a"]', "namespaces")),
    (
        {f"{OF}.namespaces": ["A"]},
        invalid(
            f"{OF}.namespaces[0]", "A", f"each member of this list must be '*' or a DNS-1123 label; {LABEL}"
        ),
    ),
    ({f"{ABOUT}.verbs": ["x"]}, [f'{ABOUT}.verbs: Unsupported value: ["x"]: supported values: {VERBS}']),
    (
        {f"{ABOUT}.nonResourceURLs": []},
        [f"{ABOUT}.nonResourceURLs: Required value: nonResourceURLs must contain at least one value"],
    ),
    (
        {f"{ABOUT}.nonResourceURLs": ["*", "/"]},
        alone(f"{ABOUT}.nonResourceURLs", '["*","/"]', "non-resource URLs"),
    ),
    *(
        ({f"{ABOUT}.nonResourceURLs": [url]}, invalid(f"{ABOUT}.nonResourceURLs[0]", url, told))
        for url, told in (
            ("", "must not be empty"),
            ("a", "must start with slash"),
            ("/a b", "must not contain white-space"),
            ("/a//b", "must not contain double slash"),
            ("/a*", "wildcard can only do suffix matching"),
            ("/*/*", "wildcard can only do suffix matching"),
        )
    ),
]


@pytest.mark.parametrize(("changes", "told"), below("spec", SCHEMAS))
def test_schemas(changes: dict[str, Any], told: list[str]) -> None:
    assert SCHEMA.new(changes) == told


EVERYTHING = {
    "resourceRules": [
        {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True, "namespaces": ["*"]}
    ],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
}


def test_the_schemas_that_must_be_there() -> None:
    rule = {**EVERYTHING, "subjects": [{"kind": "Group", "group": {"name": "system:masters"}}]}
    exempt = {
        "metadata.name": "exempt",
        "spec.priorityLevelConfiguration.name": "exempt",
        "spec.matchingPrecedence": 1,
        "spec.rules": [rule],
    }
    assert SCHEMA.new(exempt) == []
    (told,) = SCHEMA.new({**exempt, "spec.matchingPrecedence": 2})
    assert told.startswith('spec: Invalid value: {"PriorityLevelConfiguration":{"Name":"exempt"},')
    assert told.endswith("}: spec of 'exempt' must equal the fixed value")


def test_status_of_schemas() -> None:
    path = "status.conditions"
    assert SCHEMA.status({path: [{"type": "A"}, {"type": "A"}]}) == [f'{path}[1].type: Duplicate value: "A"']
    assert SCHEMA.status({path: [{}]}) == [f"{path}[0].type: Required value: must not be empty"]


LEVEL = Checked(
    GROUP,
    "prioritylevelconfigurations",
    {"spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Queue", "queuing": {}}}}},
)
RESPONSE = ".limited.limitResponse"
QUEUING = f"{RESPONSE}.queuing"
LEVELS: list[Case] = [
    ({}, []),
    ({".type": "X"}, ['.type: Unsupported value: "X": supported values: "Exempt", "Limited"']),
    (
        {".type": "Exempt", ".limited": ABSENT},
        invalid(".type", "Exempt", "must be 'Exempt' if and only if `name` is 'exempt'"),
    ),
    ({".limited": ABSENT}, [".limited: Required value: must not be empty when type is Limited"]),
    ({".exempt": {}}, [".exempt: Forbidden: must be nil if the type is Limited"]),
    (
        {".limited.nominalConcurrencyShares": -1},
        [".limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer"],
    ),
    (
        {".limited.lendablePercent": 101},
        [".limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive"],
    ),
    (
        {".limited.borrowingLimitPercent": -1},
        [".limited.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer"],
    ),
    (
        {f"{RESPONSE}.type": "X"},
        [f'{RESPONSE}.type: Unsupported value: "X": supported values: "Queue", "Reject"'],
    ),
    (
        {f"{RESPONSE}.type": "Reject"},
        [f"{QUEUING}: Forbidden: must be nil if limited.limitResponse.type is not Limited"],
    ),
    (
        {RESPONSE: {"type": "Queue"}},
        [f"{QUEUING}: Required value: must not be empty if limited.limitResponse.type is Limited"],
    ),
    (
        {f"{QUEUING}.queueLengthLimit": -1},
        [f"{QUEUING}.queueLengthLimit: Invalid value: -1: must be positive"],
    ),
    (
        {f"{QUEUING}.queues": -1, f"{QUEUING}.handSize": -1},
        [
            f"{QUEUING}.queues: Invalid value: -1: must be positive",
            f"{QUEUING}.handSize: Invalid value: -1: must be positive",
        ],
    ),
    (
        {f"{QUEUING}.queues": 10_000_001, f"{QUEUING}.handSize": 1},
        [f"{QUEUING}.queues: Invalid value: 10000001: must not be greater than 10000000"],
    ),
    (
        {f"{QUEUING}.queues": 4},
        [f"{QUEUING}.handSize: Invalid value: 8: should not be greater than queues (4)"],
    ),
    (
        {f"{QUEUING}.queues": 1024},
        [
            f"{QUEUING}.handSize: Invalid value: 8: "
            "required entropy bits of deckSize 1024 and handSize 8 should not be greater than 60"
        ],
    ),
]


@pytest.mark.parametrize(("changes", "told"), below("spec", LEVELS))
def test_levels(changes: dict[str, Any], told: list[str]) -> None:
    assert LEVEL.new(changes) == told


def test_the_levels_that_must_be_there() -> None:
    exempt = {"metadata.name": "exempt", "spec": {"type": "Exempt", "exempt": {"lendablePercent": 5}}}
    assert LEVEL.new(exempt) == []
    assert LEVEL.new({**exempt, "spec.exempt.lendablePercent": 101}) == [
        "spec.exempt.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive"
    ]
    told = LEVEL.new({**exempt, "spec.limited": {"limitResponse": {"type": "Reject"}}})
    assert told[0] == "spec.limited: Forbidden: must be nil if the type is not Limited"
    assert told[1].endswith(": spec of 'exempt' except the 'spec.exempt' field must equal the fixed value")
    fixed = {"nominalConcurrencyShares": 5, "limitResponse": {"type": "Reject"}}
    caught = {"metadata.name": "catch-all", "spec": {"type": "Limited", "limited": fixed}}
    assert LEVEL.new(caught) == []
    (last,) = LEVEL.new({**caught, "spec.limited.nominalConcurrencyShares": 6})
    assert last.endswith(": spec of 'catch-all' must equal the fixed value")
