"""Definitions: what is refused, how names are given away, how one dies, what it serves."""

import copy
from typing import Any

import pytest

from kajitori.apimachinery.errors import FieldError
from kajitori.apis.apiextensions_v1 import (
    CLEANUP_FINALIZER,
    ScalePaths,
    default_crd,
    finish_deletion,
    initial_status,
    mark_deleted,
    prepare_create,
    prepare_update,
    report_deletion,
    served_resources,
    sync_approval,
    sync_established,
    sync_names,
    sync_structure,
    validate_crd,
    validate_crd_status_update,
    validate_crd_update,
    validate_scale,
    warnings_on_create,
    warnings_on_update,
)
from kajitori.apis.apiextensions_v1.serving import preferred_order

NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def definition(schema: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema or {"type": "object"}},
    }
    names = {"plural": "widgets", "kind": "Widget"}
    crd: dict[str, Any] = {
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": names,
            "versions": [version],
            **spec,
        },
    }
    crd = copy.deepcopy(crd)
    default_crd(crd)
    prepare_create(crd)
    return crd


def established(crd: dict[str, Any]) -> dict[str, Any]:
    crd["metadata"]["resourceVersion"] = "1"
    return {**crd, "status": initial_status(crd, [crd], NOW)}


def told(errors: list[FieldError]) -> list[str]:
    return [str(each) for each in errors]


def of_spec(spec: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"spec": spec}}


ROOT = "spec.validation.openAPIV3Schema.properties[spec]"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            {"type": "string", "pattern": "("},
            [
                f'{ROOT}.pattern: Invalid value: "(": must be a valid regular expression, but isn\'t: '
                "error parsing regexp: missing closing ): `(`"
            ],
        ),
        (
            {"type": "integer", "default": "x"},
            [f'{ROOT}.default: Invalid value: "string":  in body must be of type integer: "string"'],
        ),
        (
            {"type": "object", "default": {"z": 1, "a": 2}, "properties": {"a": {"type": "integer"}}},
            [f'{ROOT}.default: Invalid value: {{"a":2,"z":1}}: must not have unknown fields'],
        ),
        (
            {
                "type": "object",
                "default": {"a": None},
                "properties": {"a": {"type": "object"}},
            },
            [f'{ROOT}.default.a: Invalid value: "null": a in body must be of type object: "null"'],
        ),
        ({"type": "object", "$ref": "x"}, [f"{ROOT}.$ref: Forbidden: $ref is not supported"]),
        (
            {"type": "strange"},
            [
                f'{ROOT}.type: Unsupported value: "strange": supported values: '
                '"array", "boolean", "integer", "number", "object", "string"'
            ],
        ),
        (
            {"type": "string", "x-kubernetes-embedded-resource": True},
            [
                f'{ROOT}.type: Invalid value: "string": '
                "must be object if x-kubernetes-embedded-resource is true",
                f"{ROOT}.properties: Required value: must not be empty if x-kubernetes-embedded-resource is "
                "true without x-kubernetes-preserve-unknown-fields",
            ],
        ),
        ({"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}, []),
        (
            {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
            [
                f"{ROOT}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime "
                "complexity becomes quadratic"
            ],
        ),
        (
            {
                "type": "object",
                "x-kubernetes-validations": [{"rule": " "}, {"rule": "true", "reason": "Bad"}],
            },
            [
                f"{ROOT}.x-kubernetes-validations[0].rule: Required value: rule is not specified",
                f'{ROOT}.x-kubernetes-validations[1].reason: Unsupported value: "Bad": supported values: '
                '"FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"',
            ],
        ),
    ],
)
def test_schemas_are_refused_in_kubernetes_words(spec: dict[str, Any], expected: list[str]) -> None:  # K1 T1
    assert sorted(told(validate_crd(definition(of_spec(spec))))) == sorted(expected)


def test_what_a_junctor_judges_must_be_there_without_it() -> None:
    schema = {"type": "object", "oneOf": [{"properties": {"b": {"minLength": 1}}}]}
    root = "spec.validation.openAPIV3Schema"
    assert told(validate_crd(definition(schema))) == [
        f"{root}.properties[b]: Required value: because it is defined in {root}.oneOf[0].properties[b]"
    ]


def test_metadata_of_embedded_resources_may_have_no_bad_defaults() -> None:
    embedded = {
        "type": "object",
        "x-kubernetes-embedded-resource": True,
        "properties": {
            "metadata": {"type": "object", "properties": {"name": {"type": "string", "default": "a/b"}}}
        },
    }
    errors = told(validate_crd(definition(of_spec(embedded))))
    assert errors == [
        f"{ROOT}.properties[metadata].properties[name].default: "
        'Invalid value: "a/b": must result in valid metadata: metadata.name: Invalid value: "a/b": '
        "may not contain '/'"
    ]


def test_versions_with_schemas_of_their_own_are_named() -> None:  # V1
    crd = definition()
    second = copy.deepcopy(crd["spec"]["versions"][0])
    second.update(name="v2", storage=False, schema={"openAPIV3Schema": {"type": "string"}})
    crd["spec"]["versions"].append(second)
    assert told(validate_crd(crd)) == [
        'spec.versions[1].schema.openAPIV3Schema.type: Invalid value: "string": must be object at the root'
    ]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"group": "Bad_"}, "spec.group: Invalid value"),
        (
            {"names": {"plural": "widgets", "kind": "Widget", "listKind": "Widget"}},
            "kind and listKind may not be the same",
        ),
        ({"names": {"plural": "widgets", "kind": "Widget", "shortNames": ["W"]}}, "spec.names.shortNames[0]"),
        (
            {"preserveUnknownFields": True},
            "spec.preserveUnknownFields: Invalid value: true: cannot set to true",
        ),
        ({"conversion": {"strategy": "Magic"}}, 'supported values: "None", "Webhook"'),
        ({"conversion": {"strategy": "Webhook"}}, "spec.conversion.webhookClientConfig: Required value"),
        (
            {
                "conversion": {
                    "strategy": "Webhook",
                    "webhook": {
                        "clientConfig": {"url": "http://u@h/?q#f"},
                        "conversionReviewVersions": ["v9"],
                    },
                }
            },
            "must include at least one of v1, v1beta1",
        ),
    ],
)
def test_the_rest_is_refused_too(spec: dict[str, Any], expected: str) -> None:  # J1
    assert expected in "\n".join(told(validate_crd(definition(**spec))))


def with_version(**fields: Any) -> dict[str, Any]:
    crd = definition(
        of_spec({"type": "object", "properties": {"color": {"type": "string"}, "o": {"type": "object"}}})
    )
    crd["spec"]["versions"][0].update(fields)
    return crd


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"additionalPrinterColumns": [{"name": "A", "type": "text", "jsonPath": "spec.a"}]},
            [
                'spec.additionalPrinterColumns[0].type: Invalid value: "text": '
                "must be one of boolean,date,integer,number,string",
                'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "spec.a": '
                "must be a simple json path starting with .",
            ],
        ),
        (
            {"subresources": {"scale": {"specReplicasPath": ".status.x", "statusReplicasPath": ""}}},
            [
                'spec.subresources.scale.specReplicasPath: Invalid value: ".status.x": '
                "should be a json path under .spec",
                "spec.subresources.scale.statusReplicasPath: Required value",
            ],
        ),
        (
            {
                "selectableFields": [
                    {"jsonPath": ".spec.color"},
                    {"jsonPath": ".spec.o"},
                    {"jsonPath": ".spec.z"},
                ]
            },
            [
                'spec.selectableFields[1].jsonPath: Invalid value: ".spec.o": must point to a field of type '
                "string, boolean or integer. Enum string fields and strings with formats are allowed.",
                'spec.selectableFields[2].jsonPath: Invalid value: ".spec.z": is an invalid path: '
                "does not refer to a valid field",
            ],
        ),
        (
            {"deprecationWarning": "x"},
            [
                'spec.versions[0].deprecationWarning: Invalid value: "x": can only be set for deprecated versions'
            ],
        ),
    ],
)
def test_parts_of_versions_are_refused(fields: dict[str, Any], expected: list[str]) -> None:  # J1
    assert told(validate_crd(with_version(**fields))) == expected


def test_with_a_status_subresource_the_root_may_say_less() -> None:
    crd = definition({"type": "object", "maxProperties": 3})
    crd["spec"]["versions"][0]["subresources"] = {"status": {}}
    assert "fields are allowed at the root of the schema if the status subresource is enabled" in str(
        validate_crd(crd)[0]
    )


def test_groups_of_the_community_need_approval() -> None:
    crd = definition(group="x.k8s.io")
    crd["metadata"]["name"] = "widgets.x.k8s.io"
    path = "metadata.annotations[api-approved.kubernetes.io]"
    assert [each.path for each in validate_crd(crd)] == [path]
    crd["metadata"]["annotations"] = {"api-approved.kubernetes.io": "yes"}
    assert [each.type.value for each in validate_crd(crd)] == ["FieldValueInvalid"]
    crd["metadata"]["annotations"] = {"api-approved.kubernetes.io": "https://example.com/pull/1"}
    assert validate_crd(crd) == []
    changed = sync_approval(crd, NOW)
    assert changed is not None and sync_approval(changed, LATER) is None
    assert changed["status"]["conditions"][0]["reason"] == "ApprovedAnnotation"


def test_an_update_keeps_names_and_old_sins() -> None:  # V2 V3
    old = established(definition())
    new = copy.deepcopy(old)
    new["spec"].update(scope="Cluster")
    new["spec"]["names"].update(kind="Other", plural="others")
    assert [each.path for each in validate_crd_update(new, old)] == [
        "spec.scope",
        "spec.names.kind",
        "spec.names.plural",
    ]
    old = established(definition(of_spec({"type": "array", "items": {"type": "string", "nullable": True}})))
    old["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"][
        "x-kubernetes-list-type"
    ] = "set"
    assert validate_crd_update(copy.deepcopy(old), old) == []
    assert [each.path for each in validate_crd(old)] == [f"{ROOT}.items.nullable"]


def test_a_stored_version_cannot_go() -> None:
    old = established(definition())
    new = copy.deepcopy(old)
    new["spec"]["versions"][0]["name"] = "v2"
    prepare_update(new, old)
    assert new["status"]["storedVersions"] == ["v1", "v2"] and new["metadata"]["generation"] == 2
    assert old["status"]["storedVersions"] == ["v1"]
    assert [each.path for each in validate_crd_update(new, old)] == ["status.storedVersions[0]"]
    new["status"]["acceptedNames"]["plural"] = "Bad"
    assert [each.path for each in validate_crd_status_update(new, old)] == ["status.acceptedNames.plural"]


def test_names_belong_to_who_came_first() -> None:  # N1
    first = established(definition())
    second = definition(
        names={"plural": "gadgets", "kind": "Widget", "listKind": "Gadgets", "shortNames": ["widget"]}
    )
    second["metadata"]["name"] = "gadgets.example.com"
    waiting = sync_names(second, [first, second], NOW)
    assert waiting is not None
    naming, established_condition = waiting["status"]["conditions"]
    assert (naming["reason"], naming["message"]) == ("KindConflict", '"Widget" is already in use')
    assert established_condition["reason"] == "NotAccepted"
    assert waiting["status"]["acceptedNames"] == {"plural": "gadgets", "kind": "", "listKind": "Gadgets"}
    assert sync_names(waiting, [first, waiting], LATER) is None
    assert sync_established(waiting, LATER) is None and served_resources(waiting) == []
    free = sync_names(waiting, [waiting], LATER)
    assert free is not None and free["status"]["conditions"][0]["lastTransitionTime"] == LATER
    done = sync_established(free, LATER)
    assert done is not None and served_resources(done)[0].short_names == ("widget",)
    other_group = definition(group="other.com")
    assert sync_names(other_group, [first, other_group], NOW) is not None


def test_an_established_definition_stays_established() -> None:  # N2 N3
    crd = established(definition())
    assert [each["type"] for each in crd["status"]["conditions"]] == ["NamesAccepted", "Established"]
    assert sync_names(crd, [crd], LATER) is None and sync_established(crd, LATER) is None
    rival = established(definition())
    rival["metadata"]["name"] = "rival.example.com"
    rival["status"]["acceptedNames"] = {"plural": "rivals", "kind": "Rival", "shortNames": ["w"]}
    crd["spec"]["names"]["shortNames"] = ["w"]
    changed = sync_names(crd, [crd, rival], LATER)
    assert changed is not None
    states = {
        each["type"]: (each["status"], each["lastTransitionTime"]) for each in changed["status"]["conditions"]
    }
    assert states == {"NamesAccepted": ("False", LATER), "Established": ("True", NOW)}


def test_old_schemas_that_are_not_structural_are_told() -> None:
    crd = definition({"properties": {"a": {}}})
    changed = sync_structure(crd, NOW)
    assert changed is not None
    condition = changed["status"]["conditions"][0]
    assert (condition["type"], condition["status"], condition["reason"]) == (
        "NonStructuralSchema",
        "True",
        "Violations",
    )
    assert condition["message"].startswith("[spec.versions[0].schema.openAPIV3Schema.properties[a].type: ")
    changed["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = {"type": "object"}
    mended = sync_structure(changed, LATER)
    assert mended is not None and mended["status"]["conditions"] == []


def test_a_definition_dies_in_steps() -> None:
    crd = mark_deleted(established(definition()), NOW)
    assert (
        crd["metadata"]["finalizers"] == [CLEANUP_FINALIZER] and crd["metadata"]["deletionTimestamp"] == NOW
    )
    assert served_resources(crd)[0].terminating
    busy = report_deletion(crd, LATER)
    assert busy["status"]["conditions"][-1]["reason"] == "InstanceDeletionInProgress"
    assert report_deletion(crd, LATER, "could not list instances: x")["status"]["conditions"][-1][
        "message"
    ] == ("could not list instances: x")
    gone = finish_deletion(busy, LATER)
    assert "finalizers" not in gone["metadata"]
    assert gone["status"]["conditions"][-1] == {
        "type": "Terminating",
        "status": "False",
        "lastTransitionTime": LATER,
        "reason": "InstanceDeletionCompleted",
        "message": "removed all instances",
    }
    never = finish_deletion(mark_deleted(definition(), NOW), LATER)
    assert never["status"]["conditions"][-1]["reason"] == "NeverEstablished"


def test_versions_are_served_as_described() -> None:  # R1 R2
    crd = definition(of_spec({"type": "object", "properties": {"n": {"type": "integer"}}}))
    old = copy.deepcopy(crd["spec"]["versions"][0])
    old.update(name="v1beta1", storage=False, deprecated=True)
    crd["spec"]["versions"].insert(0, old)
    crd["spec"]["versions"][1].update(
        subresources={
            "status": {},
            "scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"},
        },
        additionalPrinterColumns=[{"name": "N", "type": "integer", "jsonPath": ".spec.n"}],
        selectableFields=[{"jsonPath": ".spec.n"}],
    )
    current, beta = served_resources(established(crd))
    assert (current.version, current.storage, current.storage_version) == ("v1", True, "v1")
    assert current.scale == ScalePaths(".spec.n", ".status.n") and current.has_status
    assert current.columns[0].json_path == ".spec.n" and current.selectable_fields == ("spec.n",)
    assert str(current.as_kind()) == "Widget.v1.example.com"
    assert beta.deprecation_warning == "example.com/v1beta1 Widget is deprecated; use example.com/v1 Widget"
    assert current.structural is current.structural
    assert [each.path for each in current.structural.validate({"spec": {"n": "x"}})] == ["spec.n"]


def test_preferred_versions_come_first() -> None:  # R2
    names = ["foo", "v1alpha1", "v1", "v2beta1", "v10", "v1beta2", "v2"]
    assert sorted(names, key=preferred_order) == ["v10", "v2", "v1", "v2beta1", "v1beta2", "v1alpha1", "foo"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"spec": {"n": 1}}, []),
        ({"spec": {}}, []),
        ({"spec": {"n": -1}}, [".spec.n: Invalid value: -1: should be a non-negative integer"]),
        (
            {"spec": {"n": 2**31}},
            [".spec.n: Invalid value: 2147483648: should be less than or equal to 2147483647"],
        ),
        (
            {"spec": 2.5},
            [
                ".spec.n: Invalid value: 0: .spec.n accessor error: 2.5 is of the type float64, "
                "expected map[string]interface{}"
            ],
        ),
        (
            {"status": {"n": "x"}},
            [
                ".status.n: Invalid value: 0: .status.n accessor error: x is of the type string, expected int64"
            ],
        ),
    ],
)
def test_numbers_of_replicas_are_sensible(value: dict[str, Any], expected: list[str]) -> None:
    assert told(validate_scale(value, ScalePaths(".spec.n", ".status.n"))) == expected


def test_formats_that_nothing_checks_are_warned_of() -> None:
    old = definition(of_spec({"type": "string", "format": "colour"}))
    new = definition(of_spec({"type": "string", "format": "shade"}))
    assert warnings_on_create(old) == ['unrecognized format "colour"']
    assert warnings_on_update(new, old) == ['unrecognized format "shade"']
    assert warnings_on_update(old, old) == []
