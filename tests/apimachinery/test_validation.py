"""What the metadata of an object may be, when it is created and when it changes."""

from typing import Any

import pytest

from kajitori.apimachinery.validation import (
    name_is_path_segment,
    validate_annotations,
    validate_field_manager,
    validate_label_selector,
    validate_managed_fields,
    validate_object_meta,
    validate_object_meta_update,
)

GOOD: dict[str, Any] = {
    "name": "a",
    "namespace": "n",
    "labels": {"a": "b"},
    "annotations": {"example.com/A": "anything at all"},
    "finalizers": ["example.com/x"],
    "ownerReferences": [{"apiVersion": "apps/v1", "kind": "X", "name": "x", "uid": "u", "controller": True}],
    "managedFields": [{"manager": "m", "operation": "Apply", "fieldsType": "FieldsV1"}],
    "resourceVersion": "1",
    "uid": "u",
    "creationTimestamp": "2025-01-01T00:00:00Z",
}


def created(**changes: Any) -> list[str]:
    return [str(each) for each in validate_object_meta({**GOOD, **changes}, True)]


def updated(new: dict[str, Any], old: dict[str, Any] | None = None) -> list[str]:
    changed = {**GOOD, **new}
    return [str(each) for each in validate_object_meta_update(changed, {**GOOD, **(old or {})})]


def test_good_metadata_is_good() -> None:  # V1
    assert created() == updated({}) == []


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"name": ""}, "metadata.name: Required value: name or generateName is required"),
        ({"name": "A"}, 'metadata.name: Invalid value: "A": a lowercase RFC 1123 subdomain must'),
        (
            {"generateName": "AB-"},
            'metadata.generateName: Invalid value: "AB-": a lowercase RFC 1123 subdomain',
        ),
        ({"namespace": ""}, "metadata.namespace: Required value"),
        ({"namespace": "a.b"}, 'metadata.namespace: Invalid value: "a.b": must not contain dots'),
        ({"generation": -1}, "metadata.generation: Invalid value: -1: must be greater than or equal to 0"),
        ({"labels": {"-": "b"}}, 'metadata.labels: Invalid value: "-": name part must consist of'),
        ({"labels": {"a": "-"}}, 'metadata.labels: Invalid value: "-": a valid label must be'),
        (
            {"annotations": {"a b": ""}},
            'metadata.annotations: Invalid value: "a b": name part must consist of',
        ),
        (
            {"annotations": {"a": "x" * (256 * 1024)}},
            "metadata.annotations: Too long: may not be more than 262144 bytes",
        ),
        ({"finalizers": ["a b"]}, 'metadata.finalizers: Invalid value: "a b": name part must consist of'),
        (
            {"finalizers": ["orphan", "foregroundDeletion"]},
            'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and '
            "foregroundDeletion cannot be both set",
        ),
        (
            {"managedFields": [{"manager": "m", "operation": "Merge"}]},
            'metadata.managedFields[0].operation: Invalid value: "Merge": must be `Apply` or `Update`',
        ),
    ],
)
def test_what_a_create_refuses(changes: dict[str, Any], complaint: str) -> None:  # V1, V2
    (told,) = created(**changes)
    assert told.startswith(complaint)


def test_a_cluster_wide_object_has_no_namespace() -> None:  # V1
    (told,) = validate_object_meta(GOOD, False)
    assert str(told) == "metadata.namespace: Forbidden: not allowed on this type"
    assert validate_object_meta({"name": "system:a"}, False, name=name_is_path_segment) == []
    (told,) = validate_object_meta({"name": "a/b"}, False, name=name_is_path_segment, path="m")
    assert str(told) == "m.name: Invalid value: \"a/b\": may not contain '/'"


OWNER = GOOD["ownerReferences"][0]


@pytest.mark.parametrize(
    ("reference", "complaint"),
    [
        (
            {"apiVersion": ""},
            'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
        ),
        (
            {"apiVersion": "a/b/c"},
            'metadata.ownerReferences.apiVersion: Invalid value: "a/b/c": version must',
        ),
        ({"kind": ""}, 'metadata.ownerReferences.kind: Invalid value: "": must not be empty'),
        ({"name": ""}, 'metadata.ownerReferences.name: Invalid value: "": must not be empty'),
        ({"uid": ""}, 'metadata.ownerReferences.uid: Invalid value: "": must not be empty'),
        ({"apiVersion": "v1", "kind": "Event"}, "metadata.ownerReferences: Invalid value: {"),
    ],
)
def test_owner_references(reference: dict[str, Any], complaint: str) -> None:  # V2
    (told,) = created(ownerReferences=[{**OWNER, **reference}])
    assert told.startswith(complaint)


def test_one_owner_controls() -> None:  # V2
    (told,) = created(ownerReferences=[OWNER, {**OWNER, "name": "y"}])
    assert told.endswith(
        'Only one reference can have Controller set to true. Found "true" in references for X/x and X/y'
    )


@pytest.mark.parametrize(
    ("new", "complaint"),
    [
        ({"name": "b"}, 'metadata.name: Invalid value: "b": field is immutable'),
        ({"namespace": ""}, 'metadata.namespace: Invalid value: "": field is immutable'),
        ({"uid": "v"}, 'metadata.uid: Invalid value: "v": field is immutable'),
        ({"creationTimestamp": None}, "metadata.creationTimestamp: Invalid value: null: field is immutable"),
        (
            {"deletionTimestamp": "2025-01-01T00:00:00Z"},
            'metadata.deletionTimestamp: Invalid value: "2025-01-01T00:00:00Z": field is immutable',
        ),
        (
            {"deletionGracePeriodSeconds": 3},
            "metadata.deletionGracePeriodSeconds: Invalid value: 3: field is",
        ),
        (
            {"resourceVersion": ""},
            'metadata.resourceVersion: Invalid value: "": must be specified for an update',
        ),
        ({"labels": {"-": ""}}, 'metadata.labels: Invalid value: "-": name part must'),
    ],
)
def test_what_an_update_refuses(new: dict[str, Any], complaint: str) -> None:  # V1, V2
    (told,) = updated(new)
    assert told.startswith(complaint)


def test_a_generation_never_shrinks() -> None:
    assert updated({"generation": 3}, {"generation": 2}) == []
    (told,) = updated({"generation": 1}, {"generation": 2})
    assert told == "metadata.generation: Invalid value: 1: must not be decremented"


def test_no_finalizer_is_added_to_what_is_being_deleted() -> None:
    dying = {"deletionTimestamp": "2025-01-01T00:00:00Z"}
    assert updated({**dying, "finalizers": []}, dying) == []
    (told,) = updated({**dying, "finalizers": ["b", "example.com/x", "a"]}, dying)
    assert told == (
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, "
        'found new finalizers []string{"a", "b"}'
    )


def test_selectors_inside_specs() -> None:
    assert validate_label_selector(None, "spec.selector") == []
    selector = {
        "matchLabels": {"a": "-"},
        "matchExpressions": [
            {"key": "a", "operator": "In"},
            {"key": "a", "operator": "Exists", "values": ["x"]},
            {"key": "-", "operator": "Near", "values": ["-"]},
        ],
    }
    told = [str(each).split(": a valid")[0] for each in validate_label_selector(selector, "spec.selector")]
    assert told[:4] == [
        'spec.selector.matchLabels: Invalid value: "-"',
        "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or "
        "'NotIn'",
        "spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' "
        "or 'DoesNotExist'",
        'spec.selector.matchExpressions[2].operator: Invalid value: "Near": not a valid selector operator',
    ]
    assert told[4].startswith('spec.selector.matchExpressions[2].key: Invalid value: "-": name part')
    assert told[5] == 'spec.selector.matchExpressions[2].values[0]: Invalid value: "-"'


def test_field_managers() -> None:
    assert validate_field_manager("kubectl create", "fieldManager") == []
    (told,) = validate_field_manager("é\t", "fieldManager")
    assert str(told) == 'fieldManager: Invalid value: "é\\t": invalid character U+0009 (at position 2)'
    (told,) = validate_field_manager("m" * 129, "fieldManager")
    assert str(told) == "fieldManager: Too long: may not be more than 128 bytes"
    entry = {"operation": "Update", "fieldsType": "V2", "subresource": "s" * 257}
    assert [each.path for each in validate_managed_fields([entry], "m")] == [
        "m[0].fieldsType",
        "m[0].subresource",
    ]


def test_keys_of_annotations_may_have_upper_case_prefixes() -> None:
    assert validate_annotations({"Example.COM/A": ""}, "metadata.annotations") == []
