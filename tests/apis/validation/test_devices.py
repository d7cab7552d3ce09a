"""Devices: what drivers offer, what is claimed, and what became of claims."""

from typing import Any

import pytest
from tests.apis.validation.cases import ABSENT, KEY, LABEL, SUBDOMAIN, VALUE, Case, Checked, below, invalid

GROUP = "resource.k8s.io"
EXACT = {"name": "r", "exactly": {"deviceClassName": "c"}}
DEVICES = {"requests": [EXACT]}
CLAIM = Checked(GROUP, "resourceclaims", {"spec": {"devices": DEVICES}})
TEMPLATE = Checked(GROUP, "resourceclaimtemplates", {"spec": {"spec": {"devices": DEVICES}}})
REQUEST = ".requests[0]"
EXACTLY = f"{REQUEST}.exactly"
FIRST = f"{REQUEST}.firstAvailable"
CONSTRAINT = ".constraints[0]"
CONFIG = ".config[0]"
OPAQUE = {"driver": "d", "parameters": {"a": 1}}
ONE_OF = "exactly one of `exactly` or `firstAvailable` is required"
REFERENCE = (
    "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
)
IDENTIFIER = (
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric "
    "characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is "
    "'[A-Za-z_][A-Za-z0-9_]*')"
)
QUALIFIED = "a fully qualified name must be a domain and a name separated by a slash"
ATTRIBUTE = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'

CLAIMS: list[Case] = [
    ({".constraints": [{"requests": ["r"], "matchAttribute": "a.b/c"}], ".config": [{"opaque": OPAQUE}]}, []),
    ({f"{REQUEST}.name": "A"}, invalid(f"{REQUEST}.name", "A", LABEL)),
    ({".requests": [EXACT, EXACT]}, ['.requests[1]: Duplicate value: "r"']),
    (
        {".requests": [{**EXACT, "name": f"r{number}"} for number in range(33)]},
        [".requests: Too many: 33: must have at most 32 items"],
    ),
    ({REQUEST: {"name": "r"}}, [f"{REQUEST}: Required value: {ONE_OF}"]),
    (
        {f"{REQUEST}.firstAvailable": [{"name": "a", "deviceClassName": "c"}]},
        [f"{REQUEST}: Invalid value: null: {ONE_OF}, but multiple fields are set"],
    ),
    ({REQUEST: {"name": "r", "firstAvailable": [{"name": "a", "deviceClassName": "c"}]}}, []),
    (
        {REQUEST: {"name": "r", "firstAvailable": [{"name": "a", "deviceClassName": "c"}] * 2}},
        [f'{FIRST}[1]: Duplicate value: "a"'],
    ),
    (
        {
            REQUEST: {
                "name": "r",
                "firstAvailable": [{"name": f"a{x}", "deviceClassName": "c"} for x in range(9)],
            }
        },
        [f"{FIRST}: Too many: 9: must have at most 8 items"],
    ),
    (
        {REQUEST: {"name": "r", "firstAvailable": [{"name": "A", "deviceClassName": "c"}]}},
        invalid(f"{FIRST}[0].name", "A", LABEL),
    ),
    ({f"{EXACTLY}.deviceClassName": ""}, [f"{EXACTLY}.deviceClassName: Required value"]),
    ({f"{EXACTLY}.deviceClassName": "A"}, invalid(f"{EXACTLY}.deviceClassName", "A", SUBDOMAIN)),
    (
        {f"{EXACTLY}.allocationMode": "X"},
        [f'{EXACTLY}.allocationMode: Unsupported value: "X": supported values: "All", "ExactCount"'],
    ),
    (
        {f"{EXACTLY}.allocationMode": "All", f"{EXACTLY}.count": 1},
        [f"{EXACTLY}.count: Invalid value: 1: must not be specified when allocationMode is 'All'"],
    ),
    ({f"{EXACTLY}.count": -1}, [f"{EXACTLY}.count: Invalid value: -1: must be greater than zero"]),
    ({f"{EXACTLY}.selectors": [{}]}, [f"{EXACTLY}.selectors[0].cel: Required value"]),
    (
        {f"{EXACTLY}.selectors": [{"cel": {"expression": "x" * 10241}}]},
        [f"{EXACTLY}.selectors[0].cel.expression: Too long: may not be more than 10240 bytes"],
    ),
    ({f"{EXACTLY}.tolerations": [{"operator": "Exists"}]}, []),
    (
        {f"{EXACTLY}.tolerations": [{"operator": "X"}]},
        [f'{EXACTLY}.tolerations[0].operator: Unsupported value: "X": supported values: "Equal", "Exists"'],
    ),
    (
        {f"{EXACTLY}.tolerations": [{"operator": "Exists", "value": "a"}]},
        invalid(f"{EXACTLY}.tolerations[0].value", "a", "must be empty for operator `Exists`"),
    ),
    (
        {f"{EXACTLY}.tolerations": [{"operator": "Equal", "value": "-"}]},
        invalid(f"{EXACTLY}.tolerations[0].value", "-", VALUE),
    ),
    (
        {f"{EXACTLY}.tolerations": [{"operator": "Exists", "key": "-"}]},
        invalid(f"{EXACTLY}.tolerations[0].key", "-", KEY),
    ),
    (
        {f"{EXACTLY}.tolerations": [{"operator": "Exists", "effect": "X"}]},
        [
            f'{EXACTLY}.tolerations[0].effect: Unsupported value: "X": '
            'supported values: "NoExecute", "NoSchedule", "None"'
        ],
    ),
    ({".constraints": [{}]}, [f"{CONSTRAINT}: Required value: {ATTRIBUTE}"]),
    ({".constraints": [{"matchAttribute": "a"}]}, invalid(f"{CONSTRAINT}.matchAttribute", "a", QUALIFIED)),
    (
        {".constraints": [{"distinctAttribute": "a.b/-"}]},
        invalid(f"{CONSTRAINT}.distinctAttribute", "-", IDENTIFIER),
    ),
    (
        {".constraints": [{"matchAttribute": "/a"}]},
        invalid(f"{CONSTRAINT}.matchAttribute", "", "the domain must not be empty"),
    ),
    (
        {".constraints": [{"matchAttribute": "a/"}]},
        invalid(f"{CONSTRAINT}.matchAttribute", "", "the name must not be empty"),
    ),
    (
        {".constraints": [{"requests": ["x"], "matchAttribute": "a.b/c"}]},
        invalid(f"{CONSTRAINT}.requests[0]", "x", REFERENCE),
    ),
    (
        {".constraints": [{"requests": ["r/x"], "matchAttribute": "a.b/c"}]},
        invalid(f"{CONSTRAINT}.requests[0]", "r/x", REFERENCE),
    ),
    (
        {".constraints": [{"requests": ["a/b/c"], "matchAttribute": "a.b/c"}]},
        invalid(f"{CONSTRAINT}.requests[0]", "a/b/c", REFERENCE),
    ),
    ({".config": [{}]}, [f"{CONFIG}.opaque: Required value"]),
    (
        {".config": [{"opaque": {**OPAQUE, "driver": "A_"}}]},
        invalid(f"{CONFIG}.opaque.driver", "A_", SUBDOMAIN),
    ),
    ({".config": [{"opaque": {"driver": "d"}}]}, [f"{CONFIG}.opaque.parameters: Required value"]),
    (
        {".config": [{"opaque": {**OPAQUE, "parameters": {"a": "x" * 10240}}}]},
        [f"{CONFIG}.opaque.parameters: Too long: may not be more than 10240 bytes"],
    ),
    (
        {".config": [{"requests": ["x"], "opaque": OPAQUE}]},
        invalid(f"{CONFIG}.requests[0]", "x", REFERENCE),
    ),
]


@pytest.mark.parametrize(("changes", "told"), below("spec.devices", CLAIMS))
def test_claims(changes: dict[str, Any], told: list[str]) -> None:
    assert CLAIM.new(changes) == told


@pytest.mark.parametrize(("changes", "told"), below("spec.spec.devices", CLAIMS[:4]))
def test_templates(changes: dict[str, Any], told: list[str]) -> None:
    assert TEMPLATE.new(changes) == told


def test_metadata_of_templates() -> None:
    path = "spec.metadata.labels"
    assert TEMPLATE.new({path: {"a": "-"}}) == invalid(path, "-", VALUE)
    path = "spec.metadata.annotations"
    assert TEMPLATE.new({path: {"-": ""}}) == invalid(path, "-", KEY)


def test_alternatives_are_named_after_their_request() -> None:
    changes = {
        "spec.devices": {
            "requests": [{"name": "r", "firstAvailable": [{"name": "a", "deviceClassName": "c"}]}],
            "constraints": [{"requests": ["r/a"], "matchAttribute": "a.b/c"}],
        }
    }
    assert CLAIM.new(changes) == []


CLASS = Checked(GROUP, "deviceclasses", {"spec": {}})


def test_classes() -> None:
    assert CLASS.new({"spec.extendedResourceName": "a.b/c"}) == []
    assert CLASS.new({"spec.extendedResourceName": "cpu"}) == invalid(
        "spec.extendedResourceName", "cpu", "must be a valid extended resource name"
    )
    assert CLASS.new({"spec.selectors": [{}]}) == ["spec.selectors[0].cel: Required value"]
    assert CLASS.new({"spec.config": [{}]}) == ["spec.config[0].opaque: Required value"]


# What became of claims.

UID = "01234567-89ab-cdef-0123-456789abcdef"
RESULT = {"request": "r", "driver": "d", "pool": "p", "device": "x"}
GIVEN = {"status.allocation.devices.results": [RESULT]}
RESULTS = "status.allocation.devices.results"
USER = {"resource": "pods", "name": "a", "uid": "u"}
STATE = {"driver": "d", "pool": "p", "device": "x"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({**GIVEN, "status.reservedFor": [USER], "status.devices": [STATE]}, []),
        ({RESULTS: [{**RESULT, "request": "x"}]}, invalid(f"{RESULTS}[0].request", "x", REFERENCE)),
        ({RESULTS: [{**RESULT, "driver": "A_"}]}, invalid(f"{RESULTS}[0].driver", "A_", SUBDOMAIN)),
        ({RESULTS: [{**RESULT, "pool": ""}]}, [f"{RESULTS}[0].pool: Required value"]),
        ({RESULTS: [{**RESULT, "pool": "a/B"}]}, invalid(f"{RESULTS}[0].pool", "B", SUBDOMAIN)),
        ({RESULTS: [{**RESULT, "device": "A"}]}, invalid(f"{RESULTS}[0].device", "A", LABEL)),
        ({RESULTS: [{**RESULT, "shareID": UID}]}, []),
        (
            {RESULTS: [{**RESULT, "shareID": "x"}]},
            invalid(f"{RESULTS}[0].shareID", "x", "error validating uid: invalid UUID length: 1"),
        ),
        (
            {RESULTS: [{**RESULT, "shareID": "x" * 36}]},
            invalid(f"{RESULTS}[0].shareID", "x" * 36, "error validating uid: invalid UUID format"),
        ),
        (
            {RESULTS: [{**RESULT, "shareID": UID.upper()}]},
            invalid(
                f"{RESULTS}[0].shareID",
                UID.upper(),
                "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` "
                "with lowercase hexadecimal characters",
            ),
        ),
        ({RESULTS: [RESULT] * 33}, [f"{RESULTS}: Too many: 33: must have at most 32 items"]),
        (
            {"status.allocation.devices.config": [{"source": "X", "opaque": OPAQUE}]},
            [
                'status.allocation.devices.config[0].source: Unsupported value: "X": '
                'supported values: "FromClaim", "FromClass"'
            ],
        ),
        (
            {"status.allocation.devices.config": [{"source": "FromClaim"}]},
            ["status.allocation.devices.config[0].opaque: Required value"],
        ),
        (
            {"status.allocation.nodeSelector": {"nodeSelectorTerms": []}},
            [
                "status.allocation.nodeSelector.nodeSelectorTerms: Required value: "
                "must have at least one node selector term"
            ],
        ),
        (
            {"status.reservedFor": [USER]},
            ["status.reservedFor: Forbidden: may not be specified when `allocated` is not set"],
        ),
        (
            {**GIVEN, "status.reservedFor": [{"name": "a", "uid": "u"}]},
            ["status.reservedFor[0].resource: Required value"],
        ),
        ({**GIVEN, "status.reservedFor": [USER, USER]}, ['status.reservedFor[1]: Duplicate value: "u"']),
        (
            {**GIVEN, "status.devices": [{**STATE, "device": "y"}]},
            invalid("status.devices[0]", "d/p/y", "must be an allocated device in the claim"),
        ),
        (
            {**GIVEN, "status.devices": [{**STATE, "data": {"a": "x" * 10240}}]},
            ["status.devices[0].data: Too long: may not be more than 10240 bytes"],
        ),
        (
            {**GIVEN, "status.devices": [{**STATE, "networkData": {"ips": ["10.0.0.1/8"]}}]},
            [],
        ),
        (
            {**GIVEN, "status.devices": [{**STATE, "networkData": {"ips": ["x"]}}]},
            invalid(
                "status.devices[0].networkData.ips[0]",
                "x",
                "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)",
            ),
        ),
        (
            {**GIVEN, "status.devices": [{**STATE, "networkData": {"ips": ["FD00::1/64"]}}]},
            invalid(
                "status.devices[0].networkData.ips[0]",
                "FD00::1/64",
                'must be in canonical form ("fd00::1/64")',
            ),
        ),
        (
            {**GIVEN, "status.devices": [{**STATE, "networkData": {"interfaceName": "x" * 257}}]},
            ["status.devices[0].networkData.interfaceName: Too long: may not be more than 256 bytes"],
        ),
    ],
)
def test_status_of_claims(changes: dict[str, Any], told: list[str]) -> None:
    assert CLAIM.status(changes) == told


def test_claims_that_go_get_no_new_users() -> None:
    changes = {**GIVEN, "metadata.deletionTimestamp": "2026-01-01T00:00:00Z", "status.reservedFor": [USER]}
    told = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set"
    assert CLAIM.status(changes) == [f"status.reservedFor: Forbidden: {told}"]


# What drivers offer.

SLICE = Checked(
    GROUP,
    "resourceslices",
    {
        "spec": {
            "driver": "d",
            "nodeName": "n",
            "pool": {"name": "p", "resourceSliceCount": 1},
            "devices": [{"name": "x"}],
        }
    },
)
DEVICE = ".devices[0]"
CAPACITY = f"{DEVICE}.capacity[a]"
POLICY = f"{CAPACITY}.requestPolicy"
WHERE = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"
PER_DEVICE = {".nodeName": ABSENT, ".perDeviceNodeSelection": True}
EACH = (
    "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to "
    "true in the ResourceSlice spec"
)


def attribute(**value: Any) -> dict[str, Any]:
    return {DEVICE: {"name": "x", "attributes": {"a": value}}}


def capacity(**policy: Any) -> dict[str, Any]:
    return {
        DEVICE: {
            "name": "x",
            "allowMultipleAllocations": True,
            "capacity": {"a": {"value": "10", "requestPolicy": policy}},
        }
    }


def device(**said: Any) -> dict[str, Any]:
    return {DEVICE: {"name": "x", **said}}


COUNTERS = {"c": {"value": "1"}}
SLICES: list[Case] = [
    ({}, []),
    ({".driver": "A_"}, invalid(".driver", "A_", SUBDOMAIN)),
    ({".pool.name": ""}, [".pool.name: Required value"]),
    (
        {".pool.resourceSliceCount": 0},
        [".pool.resourceSliceCount: Invalid value: 0: must be greater than zero"],
    ),
    (
        {".pool.generation": -1},
        [".pool.generation: Invalid value: -1: must be greater than or equal to zero"],
    ),
    ({".nodeName": ABSENT}, [f": Required value: {WHERE}"]),
    ({".nodeName": "A"}, invalid(".nodeName", "A", SUBDOMAIN)),
    (
        {".nodeName": "", ".allNodes": True},
        invalid(".nodeName", "", "must be either unset or set to a non-empty string"),
    ),
    (
        {".allNodes": True},
        [f': Invalid value: "{{`nodeName`, `allNodes`}}": {WHERE}, but multiple fields are set'],
    ),
    ({".allNodes": False}, [".allNodes: Invalid value: false: must be either unset or set to true"]),
    (
        {".nodeName": ABSENT, ".nodeSelector": {"nodeSelectorTerms": [{}, {}]}},
        [
            '.nodeSelector.nodeSelectorTerms: Invalid value: [{"MatchExpressions":null,"MatchFields":null},'
            '{"MatchExpressions":null,"MatchFields":null}]: must have exactly one node selector term'
        ],
    ),
    (
        {".sharedCounters": [{"name": "s", "counters": COUNTERS}]},
        [': Invalid value: "": only one of `sharedCounters` or `devices` is allowed'],
    ),
    (
        {".devices": ABSENT, ".sharedCounters": [{"name": "s", "counters": {}}]},
        [".sharedCounters[0].counters: Required value"],
    ),
    (
        {".devices": ABSENT, ".sharedCounters": [{"name": "S", "counters": COUNTERS}]},
        invalid(".sharedCounters[0].name", "S", LABEL),
    ),
    (
        {".devices": [{"name": f"x{number}"} for number in range(129)]},
        [".devices: Too many: 129: must have at most 128 items"],
    ),
    (
        {
            ".devices": [
                {"name": f"x{number}", "taints": [{"key": "a", "effect": "None"}]} for number in range(65)
            ]
        },
        [".devices: Too many: 65: must have at most 64 items"],
    ),
    ({".devices[1]": {"name": "x"}}, ['.devices[1]: Duplicate value: "x"']),
    ({f"{DEVICE}.name": "A"}, invalid(f"{DEVICE}.name", "A", LABEL)),
    (
        device(attributes={f"a{number}": {"int": 1} for number in range(33)}),
        [f"{DEVICE}: Invalid value: 33: the total number of attributes and capacities must not exceed 32"],
    ),
    (attribute(string="s"), []),
    (attribute(version="1.2.3-rc.1+b"), []),
    (attribute(), invalid(f"{DEVICE}.attributes[a]", "", "exactly one value must be specified")),
    (
        attribute(int=1, bool=True),
        [
            f'{DEVICE}.attributes[a]: Invalid value: {{"IntValue":1,"BoolValue":true,"StringValue":null,'
            '"VersionValue":null,"IntValues":null,"BoolValues":null,"StringValues":null,"VersionValues":null}: '
            "exactly one value must be specified"
        ],
    ),
    (
        attribute(string="s" * 65),
        [f"{DEVICE}.attributes[a].string: Too long: may not be more than 64 bytes"],
    ),
    (
        attribute(version="1.2"),
        invalid(
            f"{DEVICE}.attributes[a].version", "1.2", "must be a string compatible with semver.org spec 2.0.0"
        ),
    ),
    (device(attributes={"-": {"int": 1}}), invalid(f"{DEVICE}.attributes", "-", IDENTIFIER)),
    (
        device(attributes={"a" * 33: {"int": 1}}),
        [f"{DEVICE}.attributes: Too long: may not be more than 32 bytes"],
    ),
    (
        device(capacity={"a": {"value": "1", "requestPolicy": {}}}),
        [f"{POLICY}: Forbidden: allowMultipleAllocations must be true"],
    ),
    (capacity(default="1", validValues=["1", "2"]), []),
    (capacity(default="4", validRange={"min": "2", "max": "8", "step": "2"}), []),
    (
        capacity(default="1", validValues=["1"], validRange={"min": "1"}),
        [
            f"{POLICY}: Forbidden: exactly one policy can be specified, "
            'cannot specify "validValues" and "validRange" at the same time'
        ],
    ),
    (
        capacity(validValues=["1"]),
        [f"{POLICY}.default: Required value: required when validValues is defined"],
    ),
    (
        capacity(validRange={"min": "1"}),
        [f"{POLICY}.default: Required value: required when validRange is defined"],
    ),
    (
        capacity(default="2", validValues=["2", "1"]),
        invalid(f"{POLICY}.validValues[1]", "1", "values must be sorted in ascending order"),
    ),
    (
        capacity(default="1", validValues=["1", "11"]),
        invalid(f"{POLICY}.validValues[1]", "11", "option is larger than capacity value: 10"),
    ),
    (
        capacity(default="3", validValues=["1"]),
        invalid(f"{POLICY}.validValues", "3", "default value is not valid according to the requestPolicy"),
    ),
    (capacity(default="1", validValues=["1", "1"]), [f'{POLICY}.validValues[1]: Duplicate value: "1"']),
    (
        capacity(default="1", validRange={}),
        [f"{POLICY}.validRange.min: Required value: required when validRange is defined"],
    ),
    (
        capacity(default="1", validRange={"min": "2"}),
        invalid(f"{POLICY}.validRange.min", "1", "default is less than min: 2"),
    ),
    (
        capacity(default="11", validRange={"min": "11"}),
        invalid(f"{POLICY}.validRange.min", "11", "min is larger than capacity value: 10"),
    ),
    (
        capacity(default="5", validRange={"min": "1", "max": "4"}),
        invalid(f"{POLICY}.validRange.max", "5", "default is more than max: 4"),
    ),
    (
        capacity(default="5", validRange={"min": "1", "max": "11"}),
        invalid(f"{POLICY}.validRange.max", "11", "max is larger than capacity value: 10"),
    ),
    (
        capacity(default="2", validRange={"min": "1", "step": "2"}),
        invalid(f"{POLICY}.validRange.step", "2", "value is not a multiple of a given step (2) from (1)"),
    ),
    (
        capacity(default="1", validRange={"min": "1", "step": "0"}),
        invalid(f"{POLICY}.validRange.step", "0", "must be greater than zero"),
    ),
    (
        capacity(default="1", validRange={"min": "1", "step": "10"}),
        invalid(f"{POLICY}.validRange.step", "10", "one step 11 is larger than capacity value: 10"),
    ),
    (device(taints=[{"key": "-", "effect": "None"}]), invalid(f"{DEVICE}.taints[0].key", "-", KEY)),
    (
        device(taints=[{"key": "a", "value": "-", "effect": "None"}]),
        invalid(f"{DEVICE}.taints[0].value", "-", VALUE),
    ),
    (device(taints=[{"key": "a"}]), [f"{DEVICE}.taints[0].effect: Required value"]),
    (
        device(taints=[{"key": "a", "effect": "X"}]),
        [
            f'{DEVICE}.taints[0].effect: Unsupported value: "X": supported values: "NoExecute", "NoSchedule", "None"'
        ],
    ),
    (
        device(taints=[{"key": "a", "effect": "None"}] * 17),
        [f"{DEVICE}.taints: Too many: 17: must have at most 16 items"],
    ),
    (
        device(consumesCounters=[{"counterSet": "", "counters": COUNTERS}]),
        [f"{DEVICE}.consumesCounters[0].counterSet: Required value"],
    ),
    (
        device(consumesCounters=[{"counterSet": "a", "counters": COUNTERS}] * 2),
        [f'{DEVICE}.consumesCounters[1]: Duplicate value: "a"'],
    ),
    (
        device(consumesCounters=[{"counterSet": "a", "counters": {"A": {"value": "1"}}}]),
        invalid(f"{DEVICE}.consumesCounters[0].counters", "A", LABEL),
    ),
    (
        device(nodeName="n"),
        [
            f"{DEVICE}: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if "
            "`perDeviceNodeSelection` is set to true in the ResourceSlice spec"
        ],
    ),
    ({**PER_DEVICE, **device(nodeName="n")}, []),
    (PER_DEVICE, [f"{DEVICE}: Required value: {EACH}"]),
    (
        {**PER_DEVICE, **device(nodeName="n", allNodes=True)},
        [f'{DEVICE}: Invalid value: "{{`nodeName`, `allNodes`}}": {EACH}'],
    ),
    (
        device(bindingConditions=["a"]),
        [
            f"{DEVICE}.bindingFailureConditions: Invalid value: null: "
            "bindingFailureConditions are required to use bindingConditions"
        ],
    ),
    (
        device(bindingFailureConditions=["a"]),
        [
            f"{DEVICE}.bindingConditions: Invalid value: null: "
            "bindingConditions are required to use bindingFailureConditions"
        ],
    ),
    (
        device(bindingConditions=["a"], bindingFailureConditions=["a"]),
        invalid(
            f"{DEVICE}.bindingFailureConditions[0]",
            "a",
            "bindingFailureConditions must not overlap with bindingConditions",
        ),
    ),
    (
        device(bindingConditions=["a", "a"], bindingFailureConditions=["b"]),
        [f'{DEVICE}.bindingConditions[1]: Duplicate value: "a"'],
    ),
]


@pytest.mark.parametrize(("changes", "told"), below("spec", SLICES))
def test_slices(changes: dict[str, Any], told: list[str]) -> None:
    # Changed, because new ones lose what belongs to features that are off.
    assert SLICE.update(changes) == told


@pytest.mark.parametrize(
    ("mapping", "name", "told"),
    [
        ({"capacityKey": "a"}, "memory", []),
        ({"capacityKey": "b"}, "memory", ['.capacityKey: Not found: "b"']),
        (
            {"capacityKey": ""},
            "memory",
            invalid(".capacityKey", "", "capacityKey must not be an empty string"),
        ),
        ({"allocationMultiplier": "0"}, "cpu", invalid(".allocationMultiplier", "0", "must be positive")),
        ({}, "a.b/c", invalid("", "a.b/c", "must be a node allocatable resource name")),
    ],
)
def test_devices_that_take_from_their_node(mapping: dict[str, str], name: str, told: list[str]) -> None:
    path = "spec.devices[0]"
    changes = {
        path: {
            "name": "x",
            "capacity": {"a": {"value": "1"}},
            "nodeAllocatableResourceMappings": {name: mapping},
        }
    }
    here = f"{path}.nodeAllocatableResourceMappings[{name}]"
    assert SLICE.update(changes) == [here + each for each in told]
