"""The storage group: classes, drivers, what they offer and what is attached."""

from typing import Any

import pytest
from tests.apis.validation.cases import ABSENT, KEY, SUBDOMAIN, VALUE, Checked, invalid

from kajitori.apis.validation.storage import VALIDATORS

NEGATIVE = "must be greater than or equal to 0"
CLASS = Checked("storage.k8s.io", "storageclasses", {"provisioner": "a.b/c"})
TOPOLOGY = {"matchLabelExpressions": [{"key": "zone", "values": ["a"]}]}
EXPRESSION = "allowedTopologies[0].matchLabelExpressions[0]"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"provisioner": "A.b/C"}, []),
        ({"provisioner": ""}, ["provisioner: Required value"]),
        ({"provisioner": "A/-"}, invalid("provisioner", "a/-", KEY)),
        ({"parameters": {"": "x"}}, invalid("parameters", "", "field can not be empty.")),
        (
            {"parameters": {str(number): "x" for number in range(513)}},
            ["parameters: Too long: may not be more than 512 bytes"],
        ),
        (
            {"parameters": {"a": "x" * (256 * 1024)}},
            ["parameters: Too long: may not be more than 262144 bytes"],
        ),
        (
            {"reclaimPolicy": "X"},
            ['reclaimPolicy: Unsupported value: "X": supported values: "Delete", "Retain"'],
        ),
        (
            {"volumeBindingMode": "X"},
            [
                'volumeBindingMode: Unsupported value: "X": supported values: "Immediate", "WaitForFirstConsumer"'
            ],
        ),
        ({"allowedTopologies": [TOPOLOGY]}, []),
        (
            {"allowedTopologies": [{"matchLabelExpressions": [{"key": "-", "values": ["a"]}]}]},
            invalid(f"{EXPRESSION}.key", "-", KEY),
        ),
        (
            {"allowedTopologies": [{"matchLabelExpressions": [{"key": "zone", "values": []}]}]},
            [f"{EXPRESSION}.values: Required value"],
        ),
        (
            {"allowedTopologies": [{"matchLabelExpressions": [{"key": "zone", "values": ["a", "a"]}]}]},
            [f'{EXPRESSION}.values[1]: Duplicate value: "a"'],
        ),
        (
            {"allowedTopologies": [{"matchLabelExpressions": [*TOPOLOGY["matchLabelExpressions"]] * 2}]},
            ['allowedTopologies[0].matchLabelExpressions[1].key: Duplicate value: "zone"'],
        ),
        (
            {"allowedTopologies": [TOPOLOGY, TOPOLOGY]},
            ['allowedTopologies[1].matchLabelExpressions: Duplicate value: ""'],
        ),
    ],
)
def test_classes(changes: dict[str, Any], told: list[str]) -> None:
    assert CLASS.new(changes) == told


ATTRIBUTES = Checked(
    "storage.k8s.io", "volumeattributesclasses", {"driverName": "d", "parameters": {"a": "b"}}
)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, []),
        ({"driverName": ""}, ["driverName: Required value"]),
        ({"driverName": "-"}, invalid("driverName", "-", KEY)),
        ({"parameters": ABSENT}, ["parameters: Required value: must contain at least one key/value pair"]),
    ],
)
def test_attributes_classes(changes: dict[str, Any], told: list[str]) -> None:
    assert ATTRIBUTES.new(changes) == told


DRIVER = Checked("storage.k8s.io", "csidrivers", {"spec": {}})
TOKENS = "spec.tokenRequests"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, []),
        (
            {"spec.fsGroupPolicy": "X"},
            [
                'spec.fsGroupPolicy: Unsupported value: "X": '
                'supported values: "File", "None", "ReadWriteOnceWithFSType"'
            ],
        ),
        (
            {"spec.volumeLifecycleModes": ["X"]},
            [
                'spec.volumeLifecycleModes: Unsupported value: "X": supported values: "Persistent", "Ephemeral"'
            ],
        ),
        (
            {"spec.nodeAllocatableUpdatePeriodSeconds": 9},
            [
                "spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: "
                "must be greater than or equal to 10 seconds"
            ],
        ),
        ({TOKENS: [{"audience": "a"}, {"audience": "a"}]}, [f'{TOKENS}[1].audience: Duplicate value: "a"']),
        (
            {TOKENS: [{"audience": "a", "expirationSeconds": 599}]},
            [
                f"{TOKENS}[0].expirationSeconds: Invalid value: 599: "
                "may not specify a duration less than 10 minutes"
            ],
        ),
        (
            {TOKENS: [{"audience": "a", "expirationSeconds": (1 << 32) + 1}]},
            [
                f"{TOKENS}[0].expirationSeconds: Invalid value: 4294967297: "
                "may not specify a duration larger than 2^32 seconds"
            ],
        ),
    ],
)
def test_drivers(changes: dict[str, Any], told: list[str]) -> None:
    assert DRIVER.new(changes) == told


def test_drivers_say_what_they_need() -> None:
    # Defaults always do; a driver without them cannot come in.
    driver = DRIVER.made()
    driver["spec"] = {}
    errors: list[Any] = []
    VALIDATORS["csidrivers"].create(driver, errors)
    members = ("attachedRequired", "podInfoOnMount", "storageCapacity", "seLinuxMount")
    assert [str(each) for each in errors] == [f"spec.{member}: Required value" for member in members]


NODE = Checked("storage.k8s.io", "csinodes", {"spec": {"drivers": [{"name": "d", "nodeID": "n"}]}})
FIRST = "spec.drivers[0]"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({f"{FIRST}.topologyKeys": ["a.b/c"]}, []),
        ({f"{FIRST}.name": "A_"}, invalid(f"{FIRST}.name", "A_", SUBDOMAIN)),
        ({f"{FIRST}.nodeID": ""}, [f"{FIRST}.nodeID: Required value"]),
        (
            {f"{FIRST}.nodeID": "n" * 257},
            invalid(f"{FIRST}.nodeID", "n" * 257, "must be 256 characters or less"),
        ),
        ({f"{FIRST}.allocatable.count": -1}, [f"{FIRST}.allocatable.count: Invalid value: -1: {NEGATIVE}"]),
        ({"spec.drivers[1]": {"name": "d", "nodeID": "m"}}, ['spec.drivers[1].name: Duplicate value: "d"']),
        ({f"{FIRST}.topologyKeys": ["a", "a"]}, [f'{FIRST}: Duplicate value: "a"']),
        (
            {f"{FIRST}.topologyKeys": [""]},
            [f"{FIRST}: Required value", *invalid(FIRST, "", "name part must be non-empty", KEY)],
        ),
    ],
)
def test_nodes(changes: dict[str, Any], told: list[str]) -> None:
    assert NODE.new(changes) == told


CAPACITY = Checked("storage.k8s.io", "csistoragecapacities", {"storageClassName": "c"})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"capacity": "1Gi"}, []),
        ({"storageClassName": "A"}, invalid("storageClassName", "A", SUBDOMAIN)),
        ({"capacity": "-1"}, [f'capacity: Invalid value: "-1": {NEGATIVE}']),
        ({"nodeTopology.matchLabels": {"a": "-"}}, invalid("nodeTopology.matchLabels", "-", VALUE)),
    ],
)
def test_capacities(changes: dict[str, Any], told: list[str]) -> None:
    assert CAPACITY.new(changes) == told


ATTACHMENT = Checked(
    "storage.k8s.io",
    "volumeattachments",
    {"spec": {"attacher": "d", "nodeName": "n", "source": {"persistentVolumeName": "v"}}},
)
SOURCE = "spec.source"
INLINE = f"{SOURCE}.inlineVolumeSpec"
INLINE_SPEC = {"accessModes": ["ReadWriteOnce"], "csi": {"driver": "d", "volumeHandle": "h"}}
ONE_OF = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({SOURCE: {"inlineVolumeSpec": INLINE_SPEC}}, []),
        ({"spec.attacher": ""}, ["spec.attacher: Required value"]),
        ({"spec.attacher": "A_"}, invalid("spec.attacher", "A_", SUBDOMAIN)),
        ({"spec.nodeName": "A"}, invalid("spec.nodeName", "A", SUBDOMAIN)),
        ({SOURCE: {}}, [f"{SOURCE}: Required value: {ONE_OF}"]),
        ({INLINE: INLINE_SPEC}, [f"{SOURCE}: Forbidden: {ONE_OF}"]),
        (
            {f"{SOURCE}.persistentVolumeName": "A"},
            invalid(f"{SOURCE}.persistentVolumeName", "A", SUBDOMAIN),
        ),
        (
            {SOURCE: {"inlineVolumeSpec": {**INLINE_SPEC, "capacity": {"storage": "1"}}}},
            [f"{INLINE}.capacity: Forbidden: may not be specified in the context of inline volumes"],
        ),
        (
            {SOURCE: {"inlineVolumeSpec": {"accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/a"}}}},
            [f"{INLINE}.csi: Required value: has to be specified in the context of inline volumes"],
        ),
        (
            {SOURCE: {"inlineVolumeSpec": {**INLINE_SPEC, "volumeMode": "Block"}}},
            [
                f"{INLINE}.volumeMode: Forbidden: "
                "may not specify volumeMode other than Filesystem in the context of inline volumes"
            ],
        ),
        (
            {SOURCE: {"inlineVolumeSpec": {**INLINE_SPEC, "persistentVolumeReclaimPolicy": "Delete"}}},
            [
                f"{INLINE}.persistentVolumeReclaimPolicy: Forbidden: "
                "may only be Retain in the context of inline volumes"
            ],
        ),
    ],
)
def test_attachments(changes: dict[str, Any], told: list[str]) -> None:
    assert ATTACHMENT.new(changes) == told


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"attachError.message": "m"}, []),
        (
            {"attachError.message": "m" * 1025},
            ["attachError.message: Too long: may not be more than 262144 bytes"],
        ),
        (
            {"detachError.errorCode": -1},
            ["detachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, inclusive"],
        ),
        (
            {"attachmentMetadata": {"a": "x" * (256 * 1024)}},
            ["attachmentMetadata: Too long: may not be more than 262144 bytes"],
        ),
    ],
)
def test_what_became_of_attachments(changes: dict[str, Any], told: list[str]) -> None:
    changed = {f"status.{path}": value for path, value in changes.items()}
    assert ATTACHMENT.status(changed) == [f"status.{each}" for each in told]
