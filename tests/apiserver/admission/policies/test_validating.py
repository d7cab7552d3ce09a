"""ValidatingAdmissionPolicies and match conditions, on a server in this process."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.apiserver.admission.policies.support import binding, policy, put
from tests.apiserver.admission.test_webhooks import VALIDATING, answer, configure, webhook
from tests.apiserver.operating.audit.test_log import audited
from tests.apiserver.support import (
    CONFIG_MAPS,
    MERGE,
    Api,
    config_map,
    define,
    definition,
    served,
)
from tests.apiserver.webhooks.support import listening

from kajitori.apiserver.admission.matching import Matching


def rule(expression: str, **more: Any) -> dict[str, Any]:
    return {"expression": expression, **more}


@served
async def test_what_is_false_is_denied_with_reason_and_code(api: Api) -> None:  # V2, V3
    validations = [
        rule("object.data.k == '1'", messageExpression="'k is ' + object.data.k", reason="Forbidden"),
        rule("object.data.k != '3'", message="not three"),
        rule("object.data.k != '4'", messageExpression="'a\\nb'"),
    ]
    await put(api, policy(validations=validations), binding())
    await api.ok("POST", CONFIG_MAPS, config_map("a", k="1"))
    told = await api.refused(403, "POST", CONFIG_MAPS, config_map("b", k="3"))
    said = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: k is 3"
    assert told.message == f'configmaps "b" is forbidden: {said}'
    assert told.body["reason"] == "Forbidden"
    assert told.body["details"] == {"name": "b", "kind": "configmaps", "causes": [{"message": said}]}
    await put(api, policy(name="q", validations=validations[1:]), binding(name="c", of="q"))
    await api.ok("DELETE", "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/b")
    told = await api.refused(422, "POST", CONFIG_MAPS, config_map("b", k="3"))
    assert told.message.endswith("binding 'c' denied request: not three")
    assert told.body["reason"] == "Invalid"
    told = await api.refused(422, "POST", CONFIG_MAPS, config_map("b", k="4"))
    assert told.message.endswith("denied request: failed expression: object.data.k != '4'")


@served
async def test_errors_count_by_the_failure_policy(api: Api) -> None:  # V2
    for name, failure in (("p", "Fail"), ("q", "Ignore")):
        await put(api, policy(name=name, failurePolicy=failure, validations=[rule("object.data.x == '1'")]))
    await put(api, binding(name="c", of="q"))
    await api.ok("POST", CONFIG_MAPS, config_map("a"))
    await put(api, binding())
    told = await api.refused(422, "POST", CONFIG_MAPS, config_map("b"))
    assert told.message.endswith(
        "denied request: expression 'object.data.x == '1'' resulted in error: no such key: data"
    )


@served
async def test_no_policy_costs_more_than_its_budget(api: Api) -> None:  # E1
    slow = "[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, " * 2
    await put(api, policy(validations=[rule(f"{slow}a + b + c > 0{')' * 6}")]), binding())
    told = await api.refused(422, "POST", CONFIG_MAPS, config_map("a"))
    assert "actual cost limit exceeded" in told.message
    ninety = f"[{', '.join('1' * 90)}]"
    many = [
        rule(f"{ninety}.all(a, {ninety}.all(b, [1, 2, 3].all(c, a + b + c > {n})))") for n in range(-99, 0)
    ]
    await put(api, policy(name="q", validations=many), binding(name="c", of="q"))
    await api.ok("DELETE", "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/b")
    told = await api.refused(422, "POST", CONFIG_MAPS, config_map("a"))
    assert told.message.endswith(
        "validation failed due to running out of cost budget, no further validation rules will be run"
    )


@served
async def test_variables_are_computed_when_asked_for(api: Api) -> None:  # E2
    variables = [
        {"name": "bad", "expression": "object.data.nothing"},
        {"name": "k", "expression": "object.data.k"},
        {"name": "twice", "expression": "variables.k + variables.k"},
    ]
    validations = [rule("variables.twice == '11'"), rule("object.data.k == '1' || variables.bad == ''")]
    await put(api, policy(variables=variables, validations=validations), binding())
    await api.ok("POST", CONFIG_MAPS, config_map("a", k="1"))
    told = await api.refused(422, "POST", CONFIG_MAPS, config_map("b", k="2"))
    assert told.message.endswith("denied request: failed expression: variables.twice == '11'")
    await put(
        api, policy(name="q", variables=variables, validations=validations[1:]), binding(name="a", of="q")
    )
    await api.ok("DELETE", "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/b")
    told = await api.refused(422, "POST", CONFIG_MAPS, config_map("b", k="2"))
    assert 'composited variable "bad" fails to evaluate: no such key: nothing' in told.message


@served
async def test_a_binding_narrows_and_gives_parameters(api: Api) -> None:  # V1, P1, P2
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    validation = rule(
        "params == null || object.data.k != params.data.k", messageExpression="string(params.data.k)"
    )
    await api.ok("POST", "/api/v1/namespaces/kube-system/configmaps", config_map("one", k="1"))
    await api.ok(
        "POST", "/api/v1/namespaces/kube-system/configmaps", config_map("two", labels={"x": "1"}, k="2")
    )
    await put(api, policy(paramKind=kind, validations=[validation]))
    narrow = {"objectSelector": {"matchLabels": {"checked": "1"}}}
    ref = {"namespace": "kube-system", "name": "one", "parameterNotFoundAction": "Deny"}
    await put(api, binding(name="a", paramRef=ref, matchResources=narrow))
    await api.ok("POST", CONFIG_MAPS, config_map("a", k="1"))
    told = await api.refused(422, "POST", CONFIG_MAPS, config_map("b", labels={"checked": "1"}, k="1"))
    assert told.message.endswith("binding 'a' denied request: 1")
    chosen = {**ref, "selector": {"matchLabels": {"x": "1"}}}
    del chosen["name"]
    await put(api, binding(name="b", paramRef=chosen), binding(name="c"))
    await api.ok("POST", CONFIG_MAPS, config_map("c", k="1"))
    told = await api.refused(422, "POST", CONFIG_MAPS, config_map("d", k="2"))
    assert told.message.endswith("binding 'b' denied request: 2")
    await api.ok("DELETE", "/api/v1/namespaces/kube-system/configmaps/two")
    told = await api.refused(422, "POST", CONFIG_MAPS, config_map("d", k="7"))
    assert told.message.endswith(
        "denied request: failed to configure binding: "
        "no params found for policy binding with `Deny` parameterNotFoundAction"
    )


@served
async def test_what_is_known_of_a_namespace_is_forgotten_when_that_changes(api: Api) -> None:  # B1, B4
    narrowed = {"namespaceSelector": {"matchLabels": {"strict": "yes"}}}
    await put(api, policy(validations=[rule("false")]), binding(matchResources=narrowed))
    labels = "/api/v1/namespaces/default"
    await api.ok("POST", CONFIG_MAPS, config_map("a"))
    await api.ok("PATCH", labels, {"metadata": {"labels": {"strict": "yes"}}}, type=MERGE)
    await api.refused(422, "POST", CONFIG_MAPS, config_map("b"))
    await api.ok("PATCH", labels, {"metadata": {"labels": {"strict": "no"}}}, type=MERGE)
    await api.ok("POST", CONFIG_MAPS, config_map("b"))
    await put(api, binding(name="everywhere"))
    told = await api.refused(422, "POST", CONFIG_MAPS, config_map("c"))
    assert "with binding 'everywhere'" in told.message


@served
async def test_a_version_that_is_served_later_is_what_a_policy_may_be_about(api: Api) -> None:  # B2, B4
    """The object is written in the version that was there before, which is the same object."""
    crd = definition("gizmos", kind="Gizmo")
    path = await define(api, crd)
    rules = [
        {"apiGroups": ["example.com"], "apiVersions": ["v2"], "resources": ["gizmos"], "operations": ["*"]}
    ]
    about = {"resourceRules": rules}
    await put(api, policy(matchConstraints=about, validations=[rule("false")]), binding())
    gizmo = {"apiVersion": "example.com/v1", "kind": "Gizmo", "metadata": {"generateName": "g"}}
    await api.ok("POST", path, gizmo)
    [first] = crd["spec"]["versions"]
    versions = [first, {**first, "name": "v2", "storage": False}]
    where = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gizmos.example.com"
    await api.ok("PATCH", where, {"spec": {"versions": versions}}, type=MERGE)
    await api.refused(422, "POST", path, gizmo)


@served
async def test_what_a_write_asks_does_not_grow_with_policies_about_others(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:  # B4
    for number in range(20):
        name = f"p{number}"
        await put(api, policy(name=name, validations=[rule("true")]), binding(name=name, of=name))
    secrets = CONFIG_MAPS.replace("configmaps", "secrets")
    await api.ok("POST", secrets, {"metadata": {"name": "first"}})
    asked: list[Matching] = []
    monkeypatch.setattr(Matching, "is_about", lambda self, *_: asked.append(self))
    monkeypatch.setattr(Matching, "matched", lambda self, *_: asked.append(self))
    await api.ok("POST", secrets, {"metadata": {"name": "second"}})
    assert asked == []


@served
async def test_objects_of_one_namespace_are_told_apart(api: Api) -> None:  # B2
    labelled = {"objectSelector": {"matchLabels": {"strict": "yes"}}}
    await put(api, policy(validations=[rule("false")]), binding(matchResources=labelled))
    strict = config_map("b")
    strict["metadata"]["labels"] = {"strict": "yes"}
    for _ in range(2):
        await api.refused(422, "POST", CONFIG_MAPS, strict)
        await api.ok("POST", f"{CONFIG_MAPS}?dryRun=All", config_map("a"))


@served
async def test_parameters_may_be_of_a_custom_kind_that_comes_later(api: Api) -> None:  # P1
    kind = {"apiVersion": "example.com/v1", "kind": "Widget"}
    validation = rule("object.data.k == params.spec.k")
    ref = {"name": "w", "parameterNotFoundAction": "Allow"}
    await put(api, policy(paramKind=kind, validations=[validation]), binding(paramRef=ref))
    told = await api.refused(422, "POST", CONFIG_MAPS, config_map("a", k="1"))
    assert told.message.endswith(
        "ValidatingAdmissionPolicy 'p' denied request: failed to configure policy: "
        "failed to find resource referenced by paramKind: 'example.com/v1, Kind=Widget'"
    )
    await define(api, definition())
    await api.ok("POST", CONFIG_MAPS, config_map("a", k="1"))
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"k": "2"}}
    await api.ok("POST", "/apis/example.com/v1/namespaces/default/widgets", widget)
    await api.refused(422, "POST", CONFIG_MAPS, config_map("b", k="1"))
    await api.ok("POST", CONFIG_MAPS, config_map("b", k="2"))


@served
async def test_expressions_see_the_write(api: Api) -> None:  # I1
    expressions = [
        "request.operation != 'CREATE' || oldObject == null && object.metadata.name == 'a'",
        "request.operation != 'UPDATE' || oldObject.data.k == '1' && object.data.k == '2'",
        "request.operation != 'DELETE' || object == null && oldObject.data.k == '2'",
        "request.userInfo.username == 'admin' && 'system:masters' in request.userInfo.groups",
        "request.kind.kind == 'ConfigMap' && request.resource.resource == 'configmaps'",
        "request.namespace == 'default' && request.name == 'a' && !request.dryRun",
        "namespaceObject.metadata.name == 'default' && namespaceObject.status.phase == 'Active'",
    ]
    await put(api, policy(validations=[rule(each) for each in expressions]), binding())
    await api.ok("POST", CONFIG_MAPS, config_map("a", k="1"))
    await api.ok("PATCH", f"{CONFIG_MAPS}/a", {"data": {"k": "2"}}, type=MERGE)
    await api.ok("DELETE", f"{CONFIG_MAPS}/a")


@served
async def test_expressions_may_ask_the_authorizer(api: Api) -> None:  # I2
    expression = (
        "object.data.k == '1' || authorizer.requestResource.check('admire').allowed() "
        "&& authorizer.path('/metrics').check('get').allowed()"
    )
    other = (
        "!authorizer.serviceAccount('default', 'default').group('apps').resource('deployments')"
        ".namespace('default').check('delete').allowed()"
    )
    await put(api, policy(validations=[rule(expression), rule(other)]), binding())
    rules = [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "admire"]},
        {"nonResourceURLs": ["/metrics"], "verbs": ["get"]},
    ]
    path = "/apis/rbac.authorization.k8s.io/v1"
    await api.ok("POST", f"{path}/clusterroles", {"metadata": {"name": "r"}, "rules": rules})
    subject = {"kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"}
    role = {"kind": "ClusterRole", "name": "r", "apiGroup": "rbac.authorization.k8s.io"}
    body = {"metadata": {"name": "r"}, "subjects": [subject], "roleRef": role}
    await api.ok("POST", f"{path}/clusterrolebindings", body)
    await api.ok("POST", CONFIG_MAPS, config_map("a", k="2"), impersonate_user="jane")
    await api.ok("PATCH", f"{path}/clusterroles/r", {"rules": [rules[0] | {"verbs": ["create"]}]}, type=MERGE)
    await api.refused(422, "POST", CONFIG_MAPS, config_map("b", k="2"), impersonate_user="jane")
    await api.ok("POST", CONFIG_MAPS, config_map("b", k="1"), impersonate_user="jane")


@served
async def test_a_warning_is_told_and_lets_pass(api: Api) -> None:  # V2
    await put(api, policy(validations=[rule("false", message="no")]), binding(validationActions=["Warn"]))
    made = await api.ok("POST", CONFIG_MAPS, config_map("a"))
    assert made.headers["warning"] == (
        "299 - \"Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': no\""
    )


@served
async def test_one_condition_that_is_false_is_enough(api: Api) -> None:  # C1
    conditions = [
        {"name": "error", "expression": "object.data.nothing == '1'"},
        {"name": "named", "expression": "object.metadata.name == 'a'"},
    ]
    await put(api, policy(matchConditions=conditions, validations=[rule("false")]), binding())
    await api.ok("POST", CONFIG_MAPS, config_map("b", k="1"))
    told = await api.refused(422, "POST", CONFIG_MAPS, config_map("a", k="1"))
    assert told.message.endswith(
        "expression 'object.data.nothing == '1'' resulted in error: no such key: nothing"
    )


@served
async def test_webhooks_have_match_conditions_too(api: Api) -> None:  # C1
    async with listening(answer) as hook:
        condition = {
            "name": "c",
            "expression": "object.data.k == '1' && request.userInfo.username == 'admin'",
        }
        await configure(api, VALIDATING, webhook(hook, matchConditions=[condition]))
        await api.ok("POST", CONFIG_MAPS, config_map("a", k="1"))
        await api.ok("POST", CONFIG_MAPS, config_map("b", k="2"))
        assert [review["request"]["name"] for review in hook.reviews] == ["a"]
        told = await api.refused(403, "POST", CONFIG_MAPS, config_map("c"))
        assert told.message == (
            f"configmaps \"c\" is forbidden: expression '{condition['expression']}' "
            "resulted in error: no such key: data"
        )


@pytest.mark.parametrize(
    ("spec", "field", "told"),
    [
        ({"validations": [rule("object.")]}, "validations[0].expression", "Syntax error"),
        ({"validations": [rule("1 + 1")]}, "validations[0].expression", "must evaluate to bool but got int"),
        ({"validations": [rule("params.x == 1")]}, "validations[0].expression", "undeclared reference"),
        (
            {"validations": [rule("true", messageExpression="authorizer.path('/x')")]},
            "validations[0].messageExpression",
            "undeclared reference to 'authorizer'",
        ),
        (
            {
                "variables": [
                    {"name": "a", "expression": "variables.b"},
                    {"name": "b", "expression": "1"},
                ],
                "validations": [rule("variables.b == 1")],
            },
            "variables[0].expression",
            "undefined field 'b'",
        ),
        (
            {"validations": [rule("true")], "matchConditions": [{"name": "c", "expression": "'x'"}]},
            "matchConditions[0].expression",
            "must evaluate to bool but got string",
        ),
        (
            {"auditAnnotations": [{"key": "k", "valueExpression": "1"}]},
            "auditAnnotations[0].valueExpression",
            "must evaluate to one of [string null_type] but got int",
        ),
    ],
)
def test_expressions_are_judged_when_they_are_written(
    spec: dict[str, Any], field: str, told: str
) -> None:  # X1
    @served
    async def run(api: Api) -> None:
        path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
        refused = await api.refused(422, "POST", path, policy(**spec))
        [cause] = refused.body["details"]["causes"]
        assert cause["field"] == f"spec.{field}" and told in cause["message"]

    run()


def test_the_audit_log_is_told(tmp_path: Path) -> None:  # V2
    annotations = [
        {"key": "k", "valueExpression": "'k=' + object.data.k"},
        {"key": "none", "valueExpression": "null"},
    ]

    async def work(api: Api) -> None:
        spec: dict[str, Any] = {"validations": [rule("false", message="no")], "auditAnnotations": annotations}
        await put(api, policy(**spec), binding(validationActions=["Audit"]))
        await api.ok("POST", CONFIG_MAPS, config_map("a", k="1"))

    told = audited("rules: [{level: Metadata}]", tmp_path, work)[-1]["annotations"]
    assert told["p/k"] == "k=1" and "p/none" not in told
    assert json.loads(told["validation.policy.admission.k8s.io/validation_failure"]) == [
        {
            "message": "no",
            "policy": "p",
            "binding": "b",
            "expressionIndex": 0,
            "validationActions": ["Audit"],
        }
    ]


@served
async def test_policies_judge_configurations_of_webhooks_but_no_policies_and_no_reviews(
    api: Api,
) -> None:  # D2
    everything = {"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "operations": ["CREATE"]}
    await put(
        api,
        policy(matchConstraints={"resourceRules": [everything]}, validations=[rule("false")]),
        binding(),
    )
    await api.refused(422, "POST", CONFIG_MAPS, config_map("a"))
    await api.refused(422, "POST", VALIDATING, {"metadata": {"name": "a"}})
    await put(api, policy(name="q", validations=[rule("true")]), binding(name="c"))
    await api.ok("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    asked = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
    await api.ok("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", asked)
