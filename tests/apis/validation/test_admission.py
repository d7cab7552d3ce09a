"""Webhooks and policies of admission."""

from typing import Any

import pytest
from tests.apis.validation.cases import ABSENT, KEY, SUBDOMAIN, VALUE, Case, Checked, below, invalid

GROUP = "admissionregistration.k8s.io"
RULE = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
HOOK = {
    "name": "a.b.c",
    "rules": [RULE],
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
    "clientConfig": {"service": {"namespace": "n", "name": "s"}},
}
VALIDATING = Checked(GROUP, "validatingwebhookconfigurations", {"webhooks": [HOOK]})
MUTATING = Checked(GROUP, "mutatingwebhookconfigurations", {"webhooks": [HOOK]})
URL = ".clientConfig.url"
SERVICE = ".clientConfig.service"
FORM = "; desired format: https://host[/path]"
DNS1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)

RULES: list[Case] = [
    ({".operations": []}, [".operations: Required value"]),
    (
        {".operations": ["*", "CREATE"]},
        [
            '.operations: Invalid value: ["*","CREATE"]: if \'*\' is present, must not specify other operations'
        ],
    ),
    (
        {".operations": ["X"]},
        [
            '.operations[0]: Unsupported value: "X": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"'
        ],
    ),
    ({".apiGroups": []}, [".apiGroups: Required value"]),
    (
        {".apiGroups": ["*", "a"]},
        ['.apiGroups: Invalid value: ["*","a"]: if \'*\' is present, must not specify other API groups'],
    ),
    ({".apiVersions": []}, [".apiVersions: Required value"]),
    ({".apiVersions": [""]}, [".apiVersions[0]: Required value"]),
    (
        {".apiVersions": ["*", "v1"]},
        ['.apiVersions: Invalid value: ["*","v1"]: if \'*\' is present, must not specify other API versions'],
    ),
    ({".resources": []}, [".resources: Required value"]),
    ({".resources": [""]}, [".resources[0]: Required value"]),
    (
        {".resources": ["*", "pods"]},
        [
            '.resources: Invalid value: ["*","pods"]: '
            "if '*' is present, must not specify other resources without subresources"
        ],
    ),
    (
        {".resources": ["*/*", "pods"]},
        [
            '.resources: Invalid value: ["*/*","pods"]: if \'*/*\' is present, must not specify other resources'
        ],
    ),
    (
        {".resources": ["pods/*", "pods/log"]},
        invalid(".resources[1]", "pods/log", "if 'pods/*' is present, must not specify pods/log"),
    ),
    (
        {".resources": ["*/scale", "pods/scale"]},
        invalid(".resources[1]", "pods/scale", "if '*/scale' is present, must not specify pods/scale"),
    ),
    ({".scope": "X"}, ['.scope: Unsupported value: "X": supported values: "*", "Cluster", "Namespaced"']),
]

CONDITIONS: list[Case] = [
    ({"": [{"name": "a", "expression": "true"}]}, []),
    ({"": [{"name": "a", "expression": " "}]}, ["[0].expression: Required value"]),
    ({"": [{"expression": "true"}]}, ["[0].name: Required value"]),
    ({"": [{"name": "-", "expression": "true"}]}, invalid("[0].name", "-", KEY)),
    ({"": [{"name": "a", "expression": "true"}] * 2}, ['[1].name: Duplicate value: "a"']),
    (
        {"": [{"name": f"a{number}", "expression": "true"} for number in range(65)]},
        [": Too many: 65: must have at most 64 items"],
    ),
]

HOOKS: list[Case] = [
    ({}, []),
    ({".name": ""}, [".name: Required value"]),
    ({".name": "A.b.c"}, invalid(".name", "A.b.c", SUBDOMAIN)),
    (
        {".name": "a.b"},
        invalid(".name", "a.b", "should be a domain with at least three segments separated by dots"),
    ),
    ({".failurePolicy": "X"}, ['.failurePolicy: Unsupported value: "X": supported values: "Fail", "Ignore"']),
    (
        {".matchPolicy": "X"},
        ['.matchPolicy: Unsupported value: "X": supported values: "Equivalent", "Exact"'],
    ),
    ({".sideEffects": ABSENT}, [".sideEffects: Required value: must specify one of None, NoneOnDryRun"]),
    (
        {".sideEffects": "Some"},
        ['.sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"'],
    ),
    (
        {".timeoutSeconds": 31},
        [".timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds"],
    ),
    ({".namespaceSelector.matchLabels": {"a": "-"}}, invalid(".namespaceSelector.matchLabels", "-", VALUE)),
    ({".objectSelector.matchLabels": {"-": "a"}}, invalid(".objectSelector.matchLabels", "-", KEY)),
    ({".clientConfig": {}}, [".clientConfig: Required value: exactly one of url or service is required"]),
    (
        {URL: "https://a"},
        [".clientConfig: Required value: exactly one of url or service is required"],
    ),
    ({".clientConfig": {"url": "https://a/b"}}, []),
    *(
        ({".clientConfig": {"url": url}}, invalid(URL, shown, told))
        for url, shown, told in (
            ("http://a", "http", f"'https' is the only allowed URL scheme{FORM}"),
            ("https:///a", "", f"host must be specified{FORM}"),
            ("https://u:p@a", "u:p", "user information is not permitted in the URL"),
            ("https://a#b", "b", "fragments are not permitted in the URL"),
            ("https://a?b=c", "b=c", "query parameters are not permitted in the URL"),
        )
    ),
    # Kubernetes takes one for the other.
    ({f"{SERVICE}.name": ""}, [f"{SERVICE}.namespace: Required value"]),
    ({f"{SERVICE}.namespace": ""}, [f"{SERVICE}.name: Required value"]),
    (
        {f"{SERVICE}.port": 70000},
        [f"{SERVICE}.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive"],
    ),
    ({f"{SERVICE}.path": "/a/b/"}, []),
    ({f"{SERVICE}.path": "//"}, invalid(f"{SERVICE}.path", "//", "segment[0] may not be empty")),
    ({f"{SERVICE}.path": "/a//b"}, invalid(f"{SERVICE}.path", "/a//b", "segment[1] may not be empty")),
    ({f"{SERVICE}.path": "/A"}, invalid(f"{SERVICE}.path", "/A", f"segment[0]: {SUBDOMAIN}")),
    (
        {f"{SERVICE}.path": "a/b"},
        [
            f"{SERVICE}.path: Invalid value: \"a/b\": must start with a '/'",
            f'{SERVICE}.path: Invalid value: "a/b": segment[0] may not be empty',
        ],
    ),
    (
        {".admissionReviewVersions": []},
        [".admissionReviewVersions: Required value: must specify one of v1, v1beta1"],
    ),
    (
        {".admissionReviewVersions": ["v1", "v1"]},
        invalid(".admissionReviewVersions[1]", "v1", "duplicate version"),
    ),
    (
        {".admissionReviewVersions": ["1", "v1"]},
        invalid(".admissionReviewVersions[0]", "1", DNS1035),
    ),
    (
        {".admissionReviewVersions": ["v2"]},
        ['.admissionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1'],
    ),
    *below(".rules[0]", RULES),
    *below(".matchConditions", CONDITIONS),
]


@pytest.mark.parametrize(("changes", "told"), below("webhooks[0]", HOOKS))
def test_webhooks(changes: dict[str, Any], told: list[str]) -> None:
    assert VALIDATING.new(changes) == told
    assert MUTATING.new(changes) == told


def test_webhooks_have_different_names() -> None:
    told = 'webhooks[1].name: Duplicate value: "a.b.c"'
    assert VALIDATING.new({"webhooks": [HOOK, HOOK]}) == [told]


def test_webhooks_are_asked_again() -> None:
    path = "webhooks[0].reinvocationPolicy"
    assert MUTATING.new({path: "X"}) == [
        f'{path}: Unsupported value: "X": supported values: "IfNeeded", "Never"'
    ]


MATCH = {"resourceRules": [RULE]}
POLICY = Checked(
    GROUP,
    "validatingadmissionpolicies",
    {"spec": {"matchConstraints": MATCH, "validations": [{"expression": "true"}]}},
)
ITEM = "validations or auditAnnotations must contain at least one item"
COMMON: list[Case] = [
    ({}, []),
    ({".failurePolicy": "X"}, ['.failurePolicy: Unsupported value: "X": supported values: "Fail", "Ignore"']),
    ({".paramKind": {"apiVersion": "a.b/v1", "kind": "K"}}, []),
    ({".paramKind": {"kind": "K"}}, [".paramKind.apiVersion: Required value"]),
    (
        {".paramKind": {"apiVersion": "a/b/c", "kind": "K"}},
        invalid(".paramKind.apiVersion", "a/b/c", "unexpected GroupVersion string: a/b/c"),
    ),
    ({".paramKind": {"apiVersion": "A/v1", "kind": "K"}}, invalid(".paramKind.apiVersion", "A", SUBDOMAIN)),
    (
        {".paramKind": {"apiVersion": "a/", "kind": "K"}},
        invalid(".paramKind.apiVersion", "a/", "version must be specified"),
    ),
    ({".paramKind": {"apiVersion": "1", "kind": "K"}}, invalid(".paramKind.apiVersion", "1", DNS1035)),
    ({".paramKind": {"apiVersion": "v1"}}, [".paramKind.kind: Required value"]),
    (
        {".paramKind": {"apiVersion": "v1", "kind": "1"}},
        invalid(".paramKind.kind", "1", f"may have mixed case, but should otherwise match: {DNS1035}"),
    ),
    ({".matchConstraints": ABSENT}, [".matchConstraints: Required value"]),
    ({".matchConstraints.resourceRules": []}, [".matchConstraints.resourceRules: Required value"]),
    (
        {".matchConstraints.matchPolicy": "X"},
        ['.matchConstraints.matchPolicy: Unsupported value: "X": supported values: "Equivalent", "Exact"'],
    ),
    (
        {".matchConstraints.objectSelector.matchLabels": {"a": "-"}},
        invalid(".matchConstraints.objectSelector.matchLabels", "-", VALUE),
    ),
    (
        {".matchConstraints.resourceRules[0].resourceNames": ["a", "a"]},
        ['.matchConstraints.resourceRules[0].resourceNames[1]: Duplicate value: "a"'],
    ),
    (
        {".matchConstraints.excludeResourceRules": [{**RULE, "resourceNames": ["a/b"]}]},
        invalid(".matchConstraints.excludeResourceRules[0].resourceNames[0]", "a/b", "may not contain '/'"),
    ),
    ({".variables": [{"name": "a", "expression": "1"}]}, []),
    ({".variables": [{"expression": "1"}]}, [".variables[0].name: Required value: name is not specified"]),
    (
        {".variables": [{"name": "a b", "expression": "1"}]},
        invalid(".variables[0].name", "a b", "must be a valid CEL identifier"),
    ),
    (
        {".variables": [{"name": "true", "expression": "1"}]},
        invalid(".variables[0].name", "true", "must be a valid CEL identifier"),
    ),
    (
        {".variables": [{"name": "a", "expression": ""}]},
        [".variables[0].expression: Required value: expression is not specified"],
    ),
    *below(".matchConstraints.resourceRules[0]", RULES),
    *below(".matchConditions", CONDITIONS),
]
POLICIES: list[Case] = [
    *COMMON,
    (
        {".validations": []},
        [f".validations: Required value: {ITEM}", f".auditAnnotations: Required value: {ITEM}"],
    ),
    (
        {".validations[0].expression": " "},
        [".validations[0].expression: Required value: expression is not specified"],
    ),
    (
        {".validations[0].message": " "},
        invalid(".validations[0].message", " ", "must be non-empty if specified"),
    ),
    (
        {".validations[0].message": "a\nb"},
        invalid(".validations[0].message", "a\\nb", "must not contain line breaks"),
    ),
    (
        {".validations[0].messageExpression": " "},
        invalid(".validations[0].messageExpression", " ", "must be non-empty if specified"),
    ),
    (
        {".validations[0].reason": "X"},
        [
            '.validations[0].reason: Unsupported value: "X": '
            'supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"'
        ],
    ),
    ({".auditAnnotations": [{"key": "k", "valueExpression": "'1'"}]}, []),
    (
        {".auditAnnotations": [{"key": "-", "valueExpression": "'1'"}]},
        invalid(".auditAnnotations[0].key", "a/-", KEY),
    ),
    (
        {".auditAnnotations": [{"key": "k", "valueExpression": ""}]},
        [".auditAnnotations[0].valueExpression: Required value: valueExpression is not specified"],
    ),
    (
        {".auditAnnotations": [{"key": "k", "valueExpression": "'1'" * 5121}]},
        [".auditAnnotations[0].valueExpression: Required value: must not exceed 5120 bytes in length"],
    ),
    (
        {".auditAnnotations": [{"key": "k", "valueExpression": "'1'"}] * 2},
        ['.auditAnnotations[1].key: Duplicate value: "k"'],
    ),
]


@pytest.mark.parametrize(("changes", "told"), below("spec", POLICIES))
def test_validating_policies(changes: dict[str, Any], told: list[str]) -> None:
    assert POLICY.new(changes) == told


def test_policies_annotate_little() -> None:
    annotations = [{"key": f"k{number}", "valueExpression": "'1'"} for number in range(21)]
    (told,) = POLICY.new({"spec.auditAnnotations": annotations})
    assert told.startswith('spec.auditAnnotations: Invalid value: [{"Key":"k0","ValueExpression":"\'1\'"},')
    assert told.endswith("]: must not have more than 20 auditAnnotations")


def test_status_of_policies() -> None:
    path = "status.typeChecking.expressionWarnings"
    assert POLICY.status({path: [{"fieldRef": "spec.a", "warning": "w"}]}) == []
    assert POLICY.status({path: [{"fieldRef": " ", "warning": ""}]}) == [
        f"{path}[0].warning: Required value",
        f"{path}[0].fieldRef: Required value",
    ]
    assert POLICY.status({"status.conditions": [{"type": "A", "status": "True", "reason": "R"}]}) == [
        "status.conditions[0].lastTransitionTime: Required value"
    ]


PATCH = {
    "patchType": "JSONPatch",
    "jsonPatch": {"expression": "[JSONPatch{op: 'remove', path: '/data'}]"},
}
CHANGING = Checked(
    GROUP,
    "mutatingadmissionpolicies",
    {"spec": {"matchConstraints": MATCH, "mutations": [PATCH], "reinvocationPolicy": "Never"}},
)
MUTATION = ".mutations[0]"


@pytest.mark.parametrize(
    ("changes", "told"),
    below(
        "spec",
        [
            *COMMON[: -len(RULES) - len(CONDITIONS)],
            ({".reinvocationPolicy": ""}, [".reinvocationPolicy: Required value"]),
            (
                {".reinvocationPolicy": "X"},
                ['.reinvocationPolicy: Unsupported value: "X": supported values: "IfNeeded", "Never"'],
            ),
            ({".mutations": []}, [".mutations: Required value: mutations must contain at least one item"]),
            ({MUTATION: {"patchType": ""}}, [f"{MUTATION}.patchType: Required value"]),
            (
                {f"{MUTATION}.patchType": "X"},
                [
                    f'{MUTATION}.patchType: Unsupported value: "X": supported values: "ApplyConfiguration", "JSONPatch"'
                ],
            ),
            (
                {MUTATION: {"patchType": "JSONPatch"}},
                [f"{MUTATION}.jsonPatch: Required value: must be specified when patchType is JSONPatch"],
            ),
            (
                {MUTATION: {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": ""}}},
                [f"{MUTATION}.applyConfiguration.expression: Required value"],
            ),
            (
                {f"{MUTATION}.applyConfiguration": {"expression": "x"}},
                invalid(
                    f"{MUTATION}.applyConfiguration",
                    "{applyConfiguration}",
                    "must not be specified when patchType is JSONPatch",
                ),
            ),
            (
                {".matchConstraints.resourceRules[0].operations": ["DELETE"]},
                [
                    '.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": '
                    'supported values: "*", "CONNECT", "CREATE", "UPDATE"'
                ],
            ),
        ],
    ),
)
def test_mutating_policies(changes: dict[str, Any], told: list[str]) -> None:
    assert CHANGING.new(changes) == told


BINDING = Checked(
    GROUP,
    "validatingadmissionpolicybindings",
    {"spec": {"policyName": "p", "validationActions": ["Deny"]}},
)
CHANGING_BINDING = Checked(GROUP, "mutatingadmissionpolicybindings", {"spec": {"policyName": "p"}})
PARAMETER = {"name": "a", "parameterNotFoundAction": "Deny"}
EXCLUSIVE = "name and selector are mutually exclusive"
BINDINGS: list[Case] = [
    ({".paramRef": PARAMETER}, []),
    ({".policyName": ""}, [".policyName: Required value"]),
    ({".policyName": "A"}, invalid(".policyName", "A", SUBDOMAIN)),
    (
        {".paramRef": {"parameterNotFoundAction": "Deny"}},
        [".paramRef: Required value: one of name or selector must be specified"],
    ),
    (
        {".paramRef": {**PARAMETER, "selector": {}}},
        [f".paramRef.name: Forbidden: {EXCLUSIVE}", f".paramRef.selector: Forbidden: {EXCLUSIVE}"],
    ),
    ({".paramRef": {**PARAMETER, "name": "a/b"}}, invalid(".paramRef.name", "a/b", "may not contain '/'")),
    ({".paramRef": {"name": "a"}}, [".paramRef.parameterNotFoundAction: Required value"]),
    (
        {".paramRef": {"name": "a", "parameterNotFoundAction": "X"}},
        ['.paramRef.parameterNotFoundAction: Unsupported value: "X": supported values: "Deny", "Allow"'],
    ),
    (
        {".matchResources": {"resourceRules": [{**RULE, "resources": []}]}},
        [".matchResources.resourceRules[0].resources: Required value"],
    ),
]


@pytest.mark.parametrize(("changes", "told"), below("spec", BINDINGS))
def test_bindings(changes: dict[str, Any], told: list[str]) -> None:
    assert BINDING.new(changes) == told
    assert CHANGING_BINDING.new(changes) == told


@pytest.mark.parametrize(
    ("actions", "told"),
    [
        (["Audit", "Warn"], []),
        ([], [": Required value: at least one validation action is required"]),
        (["X"], ['[0]: Unsupported value: "X": supported values: "Audit", "Deny", "Warn"']),
        (["Deny", "Deny"], ['[1]: Duplicate value: "Deny"']),
        (
            ["Deny", "Warn"],
            [
                ': Invalid value: ["Deny","Warn"]: must not contain both Deny and Warn (repeating the same '
                "validation failure information in the API response and headers serves no purpose)"
            ],
        ),
    ],
)
def test_actions(actions: list[str], told: list[str]) -> None:
    path = "spec.validationActions"
    assert BINDING.new({path: actions}) == [path + each for each in told]


def test_nothing_changes_what_is_deleted() -> None:
    changes = {"spec.matchResources": {"resourceRules": [{**RULE, "operations": ["DELETE"]}]}}
    assert BINDING.new(changes) == []
    assert CHANGING_BINDING.new(changes) == [
        'spec.matchResources.resourceRules.operations: Unsupported value: "DELETE": '
        'supported values: "*", "CONNECT", "CREATE", "UPDATE"'
    ]
