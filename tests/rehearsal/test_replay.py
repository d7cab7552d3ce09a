"""Writes judged twice: what is new with what is proposed."""

import pytest
from tests.apiserver.admission.policies.support import binding, policy
from tests.apiserver.admission.policies.support import put as put_on_server
from tests.apiserver.support import CONFIG_MAPS, Api, served
from tests.rehearsal.support import ADMIN, JANE, config_map, created, namespace, pod, put, said, staged, tried

from kajitori.apiserver.authentication import User
from kajitori.rehearsal.replay import differences
from kajitori.rehearsal.stage import Stage
from kajitori.rehearsal.writes import of_object

NOT_SEVEN = {"expression": "object.data.k != '7'", "message": "no seven"}
NOT_EIGHT = {"expression": "object.data.k != '8'", "message": "no eight"}


@staged
async def test_only_what_is_new_is_told(stage: Stage) -> None:  # R1
    await put(stage, policy(validations=[NOT_SEVEN]), binding())
    writes = [created(stage, config_map(name, k=name)) for name in ("6", "7", "8")]
    trial = await tried(stage, [policy(validations=[NOT_SEVEN, NOT_EIGHT])], writes)
    assert [(write.name, finding.result, finding.message) for write, finding in trial.findings] == [
        ("8", "denied", "no eight")
    ]
    assert (trial.writes, trial.already, trial.is_denied) == (3, 1, True)
    assert 0 < trial.cost < 50


@staged
async def test_what_was_proposed_is_gone_afterwards(stage: Stage) -> None:
    await put(stage, policy(validations=[NOT_SEVEN]), binding())
    revision = stage.all("admissionregistration.k8s.io/validatingadmissionpolicies")
    proposed = [policy(validations=[NOT_EIGHT]), policy(name="q", validations=[NOT_EIGHT])]
    await tried(stage, [*proposed, binding(name="q", of="q")], [])
    assert stage.all("admissionregistration.k8s.io/validatingadmissionpolicies") == revision
    assert await said(stage, created(stage, config_map(k="7"))) == [("denied", "no seven")]
    assert await said(stage, created(stage, config_map(k="8"))) == []


@staged
async def test_actions_and_annotations(stage: Stage) -> None:
    noted = [{"key": "who", "valueExpression": "request.userInfo.username"}]
    await put(stage, policy(validations=[NOT_SEVEN], auditAnnotations=noted))
    await put(stage, binding(validationActions=["Warn", "Audit"]))
    assert await said(stage, created(stage, config_map(k="7"))) == [
        ("warned", "no seven"),
        ("audited", "no seven"),
        ("audited", "who: admin"),
    ]


@pytest.mark.parametrize(("failure", "result"), [("Fail", "denied"), ("Ignore", "error")])
def test_errors_are_told_by_what_they_mean(failure: str, result: str) -> None:  # R2
    @staged
    async def judged(stage: Stage) -> None:
        await put(stage, policy(failurePolicy=failure, validations=[NOT_SEVEN]), binding())
        told = "expression 'object.data.k != '7'' resulted in error: no such key: data"
        assert await said(stage, created(stage, config_map())) == [(result, told)]

    judged()


@staged
async def test_what_cannot_be_configured(stage: Stage) -> None:  # R2
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    await put(stage, policy(paramKind=kind, validations=[NOT_SEVEN]))
    await put(stage, binding(paramRef={"name": "no", "parameterNotFoundAction": "Deny"}))
    [(result, told)] = await said(stage, created(stage, config_map(k="1")))
    assert result == "denied" and "no params found" in told


@staged
async def test_what_mutating_policies_change(stage: Stage) -> None:  # R3
    patch = {
        "patchType": "JSONPatch",
        "jsonPatch": {"expression": "[JSONPatch{op: 'add', path: '/data/k', value: '7'}]"},
    }
    mutating = policy("Mutating", "m", mutations=[patch], reinvocationPolicy="Never")
    await put(stage, mutating, binding("Mutating", "mb", "m"), policy(validations=[NOT_SEVEN]), binding())
    assert await said(stage, created(stage, config_map(k="1"))) == [
        ("changed", 'data.k: "1" -> "7"'),
        ("denied", "no seven"),
    ]


@staged
async def test_pod_security_of_proposed_labels(stage: Stage) -> None:  # R4
    await put(stage, namespace("default"))
    level = namespace("default", **{"pod-security.kubernetes.io/enforce": "baseline"})
    writes = [created(stage, pod("good")), created(stage, pod("bad", hostNetwork=True))]
    trial = await tried(stage, [level], writes)
    [(write, finding)] = trial.findings
    assert (write.name, finding.result, finding.policy) == ("bad", "denied", "PodSecurity")
    assert 'violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)' in finding.message


@staged
async def test_the_authorizer_knows_the_roles_of_the_stage(stage: Stage) -> None:
    rbac = "rbac.authorization.k8s.io"
    asked = "authorizer.group('x').resource('y').check('z').allowed()"
    rules = [{"apiGroups": ["x"], "resources": ["y"], "verbs": ["z"]}]
    subject = {"kind": "User", "name": "jane", "apiGroup": rbac}
    reference = {"apiGroup": rbac, "kind": "ClusterRole", "name": "r"}
    await put(stage, policy(validations=[{"expression": asked, "message": "you may not"}]), binding())
    for meta in ({"name": "r"},):
        await put(
            stage,
            {"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", "metadata": meta, "rules": rules},
            {
                "apiVersion": f"{rbac}/v1",
                "kind": "ClusterRoleBinding",
                "metadata": meta,
                "roleRef": reference,
                "subjects": [subject],
            },
        )
    assert await said(stage, created(stage, config_map(), ADMIN)) == []
    assert await said(stage, created(stage, config_map(), JANE)) == []
    assert await said(stage, created(stage, config_map(), User("joe"))) == [("denied", "you may not")]


@staged
async def test_updates_and_deletions(stage: Stage) -> None:
    judging = [{"expression": "request.operation != 'DELETE' && object == oldObject", "message": "no"}]
    await put(stage, policy(validations=judging), binding())
    assert await said(stage, of_object(stage, config_map(), "UPDATE", ADMIN)) == []
    assert await said(stage, of_object(stage, config_map(), "DELETE", ADMIN)) == [("denied", "no")]


@served
async def test_the_api_server_says_the_same(api: Api) -> None:
    variables = [{"name": "n", "expression": "int(object.data.k)"}]
    judging = [
        {"expression": "variables.n < 5", "messageExpression": "'not ' + string(variables.n)"},
        {"expression": "variables.n * 2 < 9 || size(object.metadata.uid) == 36"},
    ]
    conditions = [{"name": "named", "expression": "object.metadata.name.startsWith('a')"}]
    objects = [policy(variables=variables, validations=judging, matchConditions=conditions), binding()]
    await put_on_server(api, *objects)
    stage = await Stage.empty()
    await put(stage, *objects)
    for name, value in (("a1", "1"), ("a7", "7"), ("b7", "7"), ("ax", "x"), ("a-none", "")):
        obj = config_map(name, **({"k": value} if value else {}))
        told = await api.ask("POST", CONFIG_MAPS, obj)
        found = await said(stage, created(stage, obj))
        if told.status == 201:
            assert found == []
        else:
            assert told.message.endswith(f"denied request: {found[0][1]}"), (found, told.message)


def test_differences() -> None:
    before = {"a": 1, "b": {"c": [1, 2]}, "gone": 1}
    after = {"a": 2, "b": {"c": [1, 3, 4]}, "new": {"x": 1}}
    assert list(differences(before, after)) == [
        "a: 1 -> 2",
        "b.c[1]: 2 -> 3",
        "b.c[2] = 4",
        "gone removed",
        'new = {"x": 1}',
    ]
