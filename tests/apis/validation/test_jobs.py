"""Jobs and CronJobs: what they say, when they run, and what becomes of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apis.validation.cases import ABSENT, KEY, Case, Checked, below, invalid

from kajitori.apis.validation.job_indexes import index_problem, overlap_problem
from kajitori.apis.validation.jobs import VALIDATORS
from kajitori.apis.validation.schedules import schedule_problem, time_zone_problems

TEMPLATE = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "img"}]}}
JOB = Checked("batch", "jobs", {"spec": {"template": TEMPLATE}})
CRON = Checked(
    "batch", "cronjobs", {"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": TEMPLATE}}}}
)
NEGATIVE = "must be greater than or equal to 0"
INDEXED = {".completionMode": "Indexed", ".completions": 5}
PER_INDEX = {**INDEXED, ".backoffLimitPerIndex": 1}
MANY = 100_001
RULES = ".podFailurePolicy.rules"
RULE = f"{RULES}[0]"
CODES = {"operator": "In", "values": [1, 2]}
SUCCESS = ".successPolicy.rules"


def failing(rule: dict[str, Any]) -> dict[str, Any]:
    return {RULES: [{"action": "FailJob", "onExitCodes": CODES, **rule}]}


def conditions(**said: Any) -> dict[str, Any]:
    condition = {"type": "Ready", "status": "True", **said}
    return {RULES: [{"action": "FailJob", "onPodConditions": [condition]}]}


def succeeding(**said: Any) -> dict[str, Any]:
    return {**INDEXED, SUCCESS: [said]}


JOBS: list[Case] = [
    *(
        ({f".{member}": -1}, [f".{member}: Invalid value: -1: {NEGATIVE}"])
        for member in (
            "parallelism",
            "completions",
            "activeDeadlineSeconds",
            "backoffLimit",
            "ttlSecondsAfterFinished",
        )
    ),
    (INDEXED, []),
    (
        {".completionMode": "X"},
        ['.completionMode: Unsupported value: "X": supported values: "NonIndexed", "Indexed"'],
    ),
    (
        {".completionMode": "Indexed", ".parallelism": 2},
        [".completions: Required value: when completion mode is Indexed"],
    ),
    (
        {**INDEXED, ".parallelism": MANY},
        [
            ".parallelism: Invalid value: 100001: "
            "must be less than or equal to 100000 when completion mode is Indexed"
        ],
    ),
    (
        {".backoffLimitPerIndex": 1},
        [".backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"],
    ),
    (
        {**INDEXED, ".maxFailedIndexes": 1},
        [".backoffLimitPerIndex: Required value: when maxFailedIndexes is specified"],
    ),
    (
        {**PER_INDEX, ".maxFailedIndexes": 6},
        [".maxFailedIndexes: Invalid value: 6: must be less than or equal to completions"],
    ),
    (
        {**PER_INDEX, ".completions": MANY},
        [".maxFailedIndexes: Required value: must be specified when completions is above 100000"],
    ),
    (
        {**PER_INDEX, ".completions": MANY, ".maxFailedIndexes": 10_001},
        [
            ".maxFailedIndexes: Invalid value: 10001: must be less than or equal to 10000 when completions are "
            "above 100000 and used with backoff limit per index"
        ],
    ),
    (
        {**PER_INDEX, ".completions": MANY, ".maxFailedIndexes": 1, ".parallelism": 10_001},
        [
            ".parallelism: Invalid value: 10001: must be less than or equal to 10000 when completions are "
            "above 100000 and used with backoff limit per index"
        ],
    ),
    ({".managedBy": "a.b/c"}, []),
    (
        {".managedBy": "a"},
        invalid(".managedBy", "a", 'must be a domain-prefixed path (such as "acme.io/foo")'),
    ),
    ({".managedBy": f"a.b/{'c' * 60}"}, [".managedBy: Too long: may not be more than 63 bytes"]),
    (
        {".template.spec.restartPolicy": "Always"},
        ['.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ),
    (
        {".podReplacementPolicy": "X"},
        ['.podReplacementPolicy: Unsupported value: "X": supported values: "Failed", "TerminatingOrFailed"'],
    ),
    (
        {**failing({}), ".podReplacementPolicy": "TerminatingOrFailed"},
        ['.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"'],
    ),
    (failing({}), []),
    (
        {**failing({}), ".template.spec.restartPolicy": "OnFailure"},
        invalid(
            ".template.spec.restartPolicy",
            "OnFailure",
            'only "Never" is supported when podFailurePolicy is specified',
        ),
    ),
    (
        {RULES: [{"action": "Ignore"}]},
        [f"{RULE}: Invalid value: specifying one of OnExitCodes and OnPodConditions is required"],
    ),
    (
        {
            RULES: [
                {
                    "action": "Ignore",
                    "onExitCodes": CODES,
                    "onPodConditions": [{"type": "A", "status": "True"}],
                }
            ]
        },
        [f"{RULE}: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported"],
    ),
    (
        {RULES: [{"action": "Count", "onExitCodes": CODES}] * 21},
        [f"{RULES}: Too many: 21: must have at most 20 items"],
    ),
    (
        failing({"action": ""}),
        [f'{RULE}.action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]'],
    ),
    (
        failing({"action": "X"}),
        [
            f'{RULE}.action: Unsupported value: "X": supported values: "Count", "FailIndex", "FailJob", "Ignore"'
        ],
    ),
    (
        failing({"action": "FailIndex"}),
        invalid(f"{RULE}.action", "FailIndex", "requires the backoffLimitPerIndex to be set"),
    ),
    (
        failing({"onExitCodes": {**CODES, "operator": "X"}}),
        [f'{RULE}.onExitCodes.operator: Unsupported value: "X": supported values: "In", "NotIn"'],
    ),
    (
        failing({"onExitCodes": {**CODES, "containerName": "x"}}),
        invalid(
            f"{RULE}.onExitCodes.containerName",
            "x",
            "must be one of the container or initContainer names in the pod template",
        ),
    ),
    (
        failing({"onExitCodes": {"operator": "In", "values": []}}),
        [f"{RULE}.onExitCodes.values: Invalid value: []: at least one value is required"],
    ),
    (
        failing({"onExitCodes": {"operator": "In", "values": [0]}}),
        [f"{RULE}.onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator"],
    ),
    (
        failing({"onExitCodes": {"operator": "In", "values": [1, 1]}}),
        [f"{RULE}.onExitCodes.values[1]: Duplicate value: 1"],
    ),
    (
        failing({"onExitCodes": {"operator": "In", "values": [2, 1]}}),
        [f"{RULE}.onExitCodes.values: Invalid value: [2,1]: must be ordered"],
    ),
    (
        failing({"onExitCodes": {"operator": "NotIn", "values": list(range(256))}}),
        [f"{RULE}.onExitCodes.values: Too many: 256: must have at most 255 items"],
    ),
    (conditions(type="-"), invalid(f"{RULE}.onPodConditions[0].type", "-", KEY)),
    (
        conditions(status="X"),
        [
            f'{RULE}.onPodConditions[0].status: Unsupported value: "X": supported values: "False", "True", "Unknown"'
        ],
    ),
    (succeeding(succeededCount=5), []),
    (
        {SUCCESS: [{"succeededCount": 1}]},
        [
            '.successPolicy: Invalid value: {"Rules":[{"SucceededIndexes":null,"SucceededCount":1}]}: '
            "requires indexed completion mode"
        ],
    ),
    (
        {**INDEXED, SUCCESS: []},
        [
            f"{SUCCESS}: Required value: at least one rules must be specified when the successPolicy is specified"
        ],
    ),
    (
        {**INDEXED, SUCCESS: [{"succeededCount": 1}] * 21},
        [f"{SUCCESS}: Too many: 21: must have at most 20 items"],
    ),
    (
        succeeding(),
        [
            f"{SUCCESS}[0]: Required value: at least one of succeededCount or succeededIndexes must be specified"
        ],
    ),
    (
        succeeding(succeededCount=6),
        [
            f"{SUCCESS}[0].succeededCount: Invalid value: 6: "
            "must be less than or equal to 5 (the number of specified completions)"
        ],
    ),
    (
        succeeding(succeededCount=3, succeededIndexes="0,1"),
        [
            f"{SUCCESS}[0].succeededCount: Invalid value: 3: "
            "must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)"
        ],
    ),
    (
        succeeding(succeededIndexes="9"),
        invalid(
            f"{SUCCESS}[0].succeededIndexes", "9", r'error parsing succeededIndexes: too large index: "9"'
        ),
    ),
]


@pytest.mark.parametrize(("changes", "told"), below("spec", JOBS))
def test_jobs(changes: dict[str, Any], told: list[str]) -> None:
    assert JOB.new(changes) == told


def test_pods_of_indexed_jobs_have_hostnames() -> None:
    name = "a" * 62
    told = f"will not able to create pod with invalid DNS label: {name}-4"
    changes = {"spec.completionMode": "Indexed", "spec.completions": 5, "metadata.name": name}
    assert JOB.new(changes) == invalid("metadata.name", name, told)


def test_selectors_that_are_not_brought_are_made() -> None:
    selector = {"spec.selector": {"matchLabels": {"x": "y"}}, "spec.manualSelector": True}
    labels = "spec.template.metadata.labels"
    assert JOB.new({**selector, labels: {"x": "y"}}) == []
    assert JOB.new(selector) == [
        f"{labels}: Invalid value: null: `selector` does not match template `labels`"
    ]
    assert JOB.new({"spec.manualSelector": True}) == [
        "spec.selector: Required value",
        f"{labels}: Invalid value: null: `selector` does not match template `labels`",
    ]


CRONS: list[Case] = [
    ({".schedule": ""}, [".schedule: Required value"]),
    ({".schedule": "x"}, invalid(".schedule", "x", "expected exactly 5 fields, found 1: [x]")),
    (
        {".schedule": "TZ=UTC * * * * *"},
        invalid(
            ".schedule",
            "TZ=UTC * * * * *",
            "cannot use TZ or CRON_TZ in schedule, use timeZone field instead",
        ),
    ),
    ({".timeZone": "Nowhere/Land"}, invalid(".timeZone", "Nowhere/Land", "unknown time zone Nowhere/Land")),
    ({".timeZone": ""}, invalid(".timeZone", "", "timeZone must be nil or non-empty string")),
    ({".startingDeadlineSeconds": -1}, [f".startingDeadlineSeconds: Invalid value: -1: {NEGATIVE}"]),
    ({".successfulJobsHistoryLimit": -1}, [f".successfulJobsHistoryLimit: Invalid value: -1: {NEGATIVE}"]),
    ({".failedJobsHistoryLimit": -1}, [f".failedJobsHistoryLimit: Invalid value: -1: {NEGATIVE}"]),
    (
        {".concurrencyPolicy": "X"},
        ['.concurrencyPolicy: Unsupported value: "X": supported values: "Allow", "Forbid", "Replace"'],
    ),
    (
        {".jobTemplate.spec.template.spec.restartPolicy": "Always"},
        ['.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ),
    (
        {".jobTemplate.spec.selector": {}},
        [".jobTemplate.spec.selector: Invalid value: {}: `selector` will be auto-generated"],
    ),
    (
        {".jobTemplate.spec.manualSelector": True},
        ['.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"'],
    ),
]


@pytest.mark.parametrize(("changes", "told"), below("spec", CRONS))
def test_cron_jobs(changes: dict[str, Any], told: list[str]) -> None:
    assert CRON.new(changes) == told


def test_names_of_cron_jobs_leave_room() -> None:
    name = "a" * 53
    assert CRON.new({"metadata.name": name}) == invalid(
        "metadata.name", name, "must be no more than 52 characters"
    )


def test_zones_in_stored_schedules() -> None:
    old = {"spec.schedule": "TZ=UTC * * * * *"}
    assert CRON.update({}, old=old) == []
    assert CRON.update({"spec.timeZone": "UTC"}, old=old) == invalid(
        "spec.schedule",
        "TZ=UTC * * * * *",
        "cannot use both timeZone field and TZ or CRON_TZ in schedule",
    )
    assert CRON.update({}, old={"spec.timeZone": "Nowhere/Land"}) == []


# Schedules.


@pytest.mark.parametrize(
    "schedule",
    [
        "*/5 0-6/2 1,15 jan-mar mon",
        "@daily",
        "@every 1h30m",
        "CRON_TZ=UTC 0 0 * * ?",
        "0 0 1 1 *",
        "5/15 * * * *",
    ],
)
def test_schedules_that_are_understood(schedule: str) -> None:
    assert schedule_problem(schedule) == ""


@pytest.mark.parametrize(
    ("schedule", "problem"),
    [
        ("", "empty spec string"),
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("-1 * * * *", 'failed to parse int from : strconv.Atoi: parsing "": invalid syntax'),
        ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
        ("@never", "unrecognized descriptor: @never"),
        ("@every x", 'failed to parse duration @every x: time: invalid duration "x"'),
        ("TZ=Nowhere * * * * *", "provided bad location Nowhere: unknown time zone Nowhere"),
        (
            f"{'9' * 30} * * * *",
            f'failed to parse int from {"9" * 30}: strconv.Atoi: parsing "{"9" * 30}": value out of range',
        ),
    ],
)
def test_schedules_that_are_not(schedule: str, problem: str) -> None:
    assert schedule_problem(schedule) == problem


@given(st.text(alphabet="*/-,?0123456789 monjaTZ=@every", max_size=40))
def test_no_schedule_is_too_odd(schedule: str) -> None:
    assert isinstance(schedule_problem(schedule), str)


@pytest.mark.parametrize(
    ("zone", "problems"),
    [
        ("Europe/Berlin", []),
        ("UTC", []),
        ("Local", ["timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"]),
        ("../etc/passwd", ["unknown time zone ../etc/passwd"]),
        ("-x", ["unknown time zone -x"]),
    ],
)
def test_time_zones(zone: str, problems: list[str]) -> None:
    assert time_zone_problems(zone) == problems


# Indexes.


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", (0, "")),
        ("0,2-4", (4, "")),
        ("1-", (0, 'cannot convert string to integer for index: ""')),
        ("5", (0, 'too large index: "5"')),
        ("3-2", (0, "non-increasing order, previous: 3, current: 2")),
        ("2,1", (0, "non-increasing order, previous: 2, current: 1")),
        (
            "1-2-3",
            (
                0,
                'the fragment "1-2-3" violates the requirement that an index interval can have '
                "at most two parts separated by '-'",
            ),
        ),
    ],
)
def test_indexes(text: str, found: tuple[int, str]) -> None:
    assert index_problem(text, 5) == found


def written(indexes: set[int]) -> str:
    """Indexes as Jobs write them."""
    spans: list[list[int]] = []
    for index in sorted(indexes):
        if spans and spans[-1][1] == index - 1:
            spans[-1][1] = index
        else:
            spans.append([index, index])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)


INDEXES = st.sets(st.integers(0, 30))


@given(INDEXES)
def test_what_jobs_write_is_understood(indexes: set[int]) -> None:
    assert index_problem(written(indexes), 31) == (len(indexes), "")


@given(INDEXES, INDEXES)
def test_overlaps_are_found(one: set[int], two: set[int]) -> None:
    problem = overlap_problem(written(one), written(two), 31)
    common = sorted(one & two)
    assert problem == (f"failedIndexes and completedIndexes overlap at index: {common[0]}" if common else "")


# The status.

START = "2026-01-01T00:00:00Z"
END = "2026-01-01T01:00:00Z"
CONDITIONS = "status.conditions: Invalid value"


def true(*kinds: str) -> list[dict[str, str]]:
    return [{"type": kind, "status": "True"} for kind in kinds]


DONE = {".startTime": START, ".completionTime": END, ".conditions": true("SuccessCriteriaMet", "Complete")}
STATUSES: list[Case] = [
    (DONE, []),
    ({".ready": -1}, [f".ready: Invalid value: -1: {NEGATIVE}"]),
    ({".ready": 1}, [".ready: Invalid value: 1: cannot set more ready pods than active"]),
    (
        {".uncountedTerminatedPods.succeeded": ["u", "u"]},
        ['.uncountedTerminatedPods.succeeded[1]: Duplicate value: "u"'],
    ),
    (
        {".uncountedTerminatedPods.failed": [""]},
        invalid(".uncountedTerminatedPods.failed[0]", "", "must not be empty"),
    ),
    (
        {**DONE, ".conditions": true("Complete")},
        [
            ".conditions: Invalid value: "
            "cannot set Complete=True condition without the SuccessCriteriaMet=true condition"
        ],
    ),
    (
        {".startTime": START, ".conditions": true("Failed")},
        [
            ".conditions: Invalid value: "
            "cannot set Failed=True condition without the FailureTarget=true condition"
        ],
    ),
    (
        {**DONE, ".conditions": true("SuccessCriteriaMet", "Complete", "FailureTarget")},
        [
            ".conditions: Invalid value: cannot set Complete=True and FailureTarget=true conditions",
            ".conditions: Invalid value: cannot set SuccessCriteriaMet=True and FailureTarget=true conditions",
        ],
    ),
    (
        {".startTime": START, ".completionTime": END},
        [
            f'.completionTime: Invalid value: "{END}": '
            "cannot set completionTime when there is no Complete=True condition"
        ],
    ),
    (
        {**DONE, ".completionTime": ABSENT},
        [".completionTime: Required value: completionTime is required for Complete jobs"],
    ),
    (
        {**DONE, ".startTime": END, ".completionTime": START},
        [f'.completionTime: Invalid value: "{START}": must be equal to or after `startTime`'],
    ),
    ({**DONE, ".active": 1}, [".active: Invalid value: 1: active>0 is invalid for finished job"]),
    (
        {**DONE, ".terminating": 1},
        [".terminating: Invalid value: 1: terminating>0 is invalid for finished job"],
    ),
    (
        {**DONE, ".uncountedTerminatedPods.failed": ["u"]},
        [
            '.uncountedTerminatedPods: Invalid value: {"Succeeded":null,"Failed":["u"]}: '
            "must be empty for finished job"
        ],
    ),
    (
        {".completedIndexes": "0"},
        invalid(
            ".completedIndexes", "0", "cannot set non-empty completedIndexes when non-indexed completion mode"
        ),
    ),
    (
        {".failedIndexes": "0"},
        invalid(".failedIndexes", "0", "cannot set non-null failedIndexes when backoffLimitPerIndex is null"),
    ),
    (
        {".conditions": true("FailureTarget", "Failed")},
        [".startTime: Required value: startTime is required for finished job"],
    ),
]


@pytest.mark.parametrize(("changes", "told"), below("status", STATUSES))
def test_status(changes: dict[str, Any], told: list[str]) -> None:
    given = {key: value for key, value in changes.items() if value is not ABSENT}
    assert JOB.status(given) == told


@pytest.mark.parametrize(
    ("completed", "failed", "told"),
    [
        ("0,1", "2", []),
        (
            "9",
            None,
            ['completedIndexes: Invalid value: "9": error parsing completedIndexes: too large index: "9"'],
        ),
        ("", "9", ['failedIndexes: Invalid value: "9": error parsing failedIndexes: too large index: "9"']),
        (
            "0-2",
            "2",
            ['failedIndexes: Invalid value: "2": failedIndexes and completedIndexes overlap at index: 2'],
        ),
    ],
)
def test_indexes_in_the_status(completed: str, failed: str | None, told: list[str]) -> None:
    old = {"spec.completionMode": "Indexed", "spec.completions": 5, "spec.backoffLimitPerIndex": 1}
    changes: dict[str, Any] = {"status.completedIndexes": completed}
    if failed is not None:
        changes["status.failedIndexes"] = failed
    assert JOB.status(changes, old=old) == [f"status.{each}" for each in told]


def test_ends_are_final() -> None:
    def told(before: dict[str, Any], changes: dict[str, Any]) -> list[str]:
        stored = JOB.made()
        stored["status"] = before
        obj = {**stored, "status": {**before, **changes}}
        errors: list[Any] = []
        VALIDATORS["jobs"].update(obj, stored, "status", errors)
        return [str(each) for each in errors]

    done = {"startTime": START, "completionTime": END, "conditions": true("SuccessCriteriaMet", "Complete")}
    assert told(done, {"completionTime": "2026-01-01T02:00:00Z"}) == [
        'status.completionTime: Invalid value: "2026-01-01T02:00:00Z": field is immutable'
    ]
    assert f"{CONDITIONS}: cannot disable the terminal Complete=True condition" in told(
        done, {"conditions": []}
    )
    assert f"{CONDITIONS}: cannot disable the SuccessCriteriaMet=True condition" in told(
        done, {"conditions": []}
    )
    assert told({"failed": 2}, {"failed": 1}) == [
        "status.failed: Invalid value: 1: cannot decrease the failed counter"
    ]
    assert told({"succeeded": 2}, {"succeeded": 1}) == [
        "status.succeeded: Invalid value: 1: cannot decrease the succeeded counter"
    ]
    assert told({"startTime": START}, {"startTime": None}) == [
        "status.startTime: Invalid value: null: field is immutable for unsuspended job once set"
    ]
