"""MutatingAdmissionPolicies, on a server in this process. What is expected is what kube-apiserver 1.36 answers."""

from typing import Any

import pytest
from tests.apiserver.admission.policies.support import GROUP, MAPS, binding, policy, put
from tests.apiserver.admission.test_webhooks import MUTATING, answer, configure, setting, webhook
from tests.apiserver.support import (
    APPLY,
    CONFIG_MAPS,
    CORE,
    MERGE,
    Api,
    config_map,
    define,
    definition,
    pod,
    served,
)
from tests.apiserver.webhooks.support import listening

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


def applied(expression: str) -> dict[str, Any]:
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}


def patched(expression: str) -> dict[str, Any]:
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}


def add(path: str, value: str) -> dict[str, Any]:
    return patched(f'[JSONPatch{{op: "add", path: "{path}", value: {value}}}]')


def mutating(*mutations: dict[str, Any], name: str = "p", **spec: Any) -> dict[str, Any]:
    spec = {
        "matchConstraints": {**MAPS, **about("", "v1", "configmaps")},
        "reinvocationPolicy": "Never",
        **spec,
    }
    return policy("Mutating", name, mutations=list(mutations), **spec)


def bound(name: str = "b", of: str = "p", **spec: Any) -> dict[str, Any]:
    return binding("Mutating", name, of, **spec)


def about(group: str, version: str, resource: str, *operations: str) -> dict[str, Any]:
    rule = {"apiGroups": [group], "apiVersions": [version], "resources": [resource]}
    return {"resourceRules": [{**rule, "operations": list(operations or ("CREATE", "UPDATE"))}]}


def deployment() -> dict[str, Any]:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template},
    }


@served
async def test_mutations_run_in_order_each_on_what_the_ones_before_made(api: Api) -> None:  # U1
    first = applied(
        'Object{data: {"a": "1"}, metadata: Object.metadata{labels: {"by": object.metadata.name}}}'
    )
    second = patched(
        '[JSONPatch{op: "test", path: "/data/a", value: "1"}, JSONPatch{op: "move", from: "/data/a", path: "/data/b"}]'
    )
    await put(api, mutating(first, second, applied('Object{data: {"c": object.data.b + "1"}}')), bound())
    made = await api.ok("POST", CONFIG_MAPS, config_map(k="v"))
    assert made.body["data"] == {"k": "v", "b": "1", "c": "11"}
    assert made.body["metadata"]["labels"] == {"by": "a"}
    changed = await api.ok("PATCH", f"{CONFIG_MAPS}/a", {"data": {"b": None, "c": "0"}}, type=MERGE)
    assert changed.body["data"] == {"k": "v", "b": "1", "c": "11"}


@served
async def test_what_a_policy_sets_belongs_to_nobody(api: Api) -> None:
    await put(api, mutating(applied('Object{data: {"added": "1"}}')), bound())
    made = await api.ok("POST", CONFIG_MAPS, config_map(k="v"))
    [entry] = made.body["metadata"]["managedFields"]
    assert entry["fieldsV1"] == {"f:data": {".": {}, "f:k": {}}}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "w"}}
    path = f"{CONFIG_MAPS}/a?fieldManager=m&force=true"
    assert (await api.ok("PATCH", path, body, type=APPLY)).body["data"] == {"k": "w", "added": "1"}


@served
async def test_an_object_gets_its_defaults_again(api: Api) -> None:  # U2
    spec = "Object.spec.template.spec"
    side = f'{spec}{{containers: [{spec}.containers{{name: "side", image: "i:1"}}]}}'
    mutation = applied(f"Object{{spec: Object.spec{{template: Object.spec.template{{spec: {side}}}}}}}")
    await put(api, mutating(mutation, matchConstraints=about("apps", "v1", "deployments")), bound())
    made = await api.ok("POST", DEPLOYMENTS, deployment())
    own, added = made.body["spec"]["template"]["spec"]["containers"]
    assert (own["name"], added["name"]) == ("c", "side")
    assert added["imagePullPolicy"] == "IfNotPresent"


@served
async def test_what_is_not_a_configuration_is_refused(api: Api) -> None:  # U3
    cases = {
        'Object{nope: "x"}': "failed to convert patch object to typed object: .nope: field not declared in schema",
        "Object{data: null}": "failed to convert patch object to typed object: .data: expected map, got &{NULL_VALUE}",
        'Object{data: {"a": 1u}}': "failed to convert patch object to typed object: .data.a: expected string, "
        "got &value.valueUnstructured{Value:0x1}",
        'Object{metadata: Object.metadata{ownerReferences: [Object.metadata.ownerReferences{uid: "u"}]}}': (
            "invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .metadata.ownerReferences[0]"
        ),
        'Object{metadata: Object.metadata{ownerReferences: [{"uid": "u"}]}}': (
            "failed to convert patch object to typed object: .metadata.ownerReferences: element 0: "
            "associative list with keys may not have non-map elements"
        ),
    }
    for number, (expression, said) in enumerate(cases.items()):
        name = f"p{number}"
        await put(api, mutating(applied(expression), name=name), bound(of=name))
        told = await api.refused(403, "POST", CONFIG_MAPS, config_map())
        said = f"policy '{name}' with binding 'b' denied request: error applying patch: {said}"
        assert told.message == said
        assert told.body["reason"] == "Invalid"
        assert told.body["details"] == {"name": "a", "kind": "configmaps", "causes": [{"message": said}]}
        await api.ok("DELETE", f"{GROUP}/mutatingadmissionpolicybindings/b")


@served
async def test_types_in_an_object_are_named_by_where_they_stand(api: Api) -> None:
    await put(api, mutating(applied('Object{metadata: Object.spec{labels: {"a": "b"}}}')), bound())
    told = await api.refused(403, "POST", CONFIG_MAPS, config_map())
    assert told.message.endswith(
        'denied request: type mismatch: unexpected type name "Object.spec", expected "Object.metadata", '
        "which matches field name path from root Object type"
    )


@pytest.mark.parametrize(
    ("operations", "status", "said"),
    [
        ('[JSONPatch{op: "remove", path: "/data/x"}]', 403,
         "JSON Patch: error in remove for path: '/data/x': Unable to remove nonexistent key: x: missing value"),
        ('[JSONPatch{op: "add", path: "/data/x/y", value: 1}]', 403,
         'JSON Patch: add operation does not apply: doc is missing path: "/data/x/y": missing value'),
        ('[JSONPatch{op: "copy", path: "/data/x"}]', 403,
         "JSON Patch: copy operation failed to decode from: operation, missing from field: missing value"),
        ('[JSONPatch{op: "nothing", path: "/data/x"}]', 403, "JSON Patch: Unexpected kind: nothing"),
        ('[JSONPatch{op: dyn(1), path: "/data"}]', 403,
         "resulted in error: unexpected type int64 for JSONPatchType 'op' field"),
        ('[JSONPatch{op: "add", path: "/data/x", value: quantity("1")}]', 403,
         "JSONPath valueExpression evaluated to a type that could not marshal to JSON: "
         "type conversion error from 'Quantity' to '*structpb.Value'"),
        ('[JSONPatch{op: "add", path: "/nope", value: 1}]', 500,
         'Internal error occurred: strict decoding error: unknown field "nope"'),
        ('[JSONPatch{op: "add", path: "/data/x", value: 1}]', 500,
         "Internal error occurred: json: cannot unmarshal number into Go struct field ConfigMap.data of type string"),
        ('[JSONPatch{op: "replace", path: "/metadata/namespace", value: "other"}]', 400,
         "the namespace of the provided object does not match the namespace sent on the request"),
    ],
)  # fmt: skip
def test_what_is_no_patch_of_the_object_is_refused(operations: str, status: int, said: str) -> None:  # U3
    @served
    async def test(api: Api) -> None:
        await put(api, mutating(patched(operations)), bound())
        told = await api.refused(status, "POST", CONFIG_MAPS, config_map(k="v"))
        assert told.message.endswith(said)

    test()


@served
async def test_a_patch_whose_test_fails_changes_nothing(api: Api) -> None:
    operations = (
        '[JSONPatch{op: "remove", path: "/data/k"}, JSONPatch{op: "test", path: "/data/j", value: null}]'
    )
    await put(api, mutating(patched(operations)), bound())
    assert (await api.ok("POST", CONFIG_MAPS, config_map(k="v"))).body["data"] == {"k": "v"}


@served
async def test_a_failure_counts_by_the_failure_policy(api: Api) -> None:  # U3
    bad, good = patched('[JSONPatch{op: "remove", path: "/data/x"}]'), add("/data/good", '"1"')
    await put(api, mutating(bad, good, name="p", failurePolicy="Ignore"), bound())
    made = await api.ok("POST", CONFIG_MAPS, config_map(k="v"))
    assert made.body["data"] == {"k": "v", "good": "1"}
    await put(api, mutating(bad, bad, name="q"), bound("c", "q"))
    told = await api.refused(403, "POST", CONFIG_MAPS, config_map("b", k="v"))
    causes = [each["message"] for each in told.body["details"]["causes"]]
    assert causes == [told.message] * 2
    assert told.message.startswith("policy 'q' with binding 'c' denied request: JSON Patch: error in remove")


@served
async def test_match_conditions_say_which_writes_a_policy_is_about(api: Api) -> None:
    conditions = [{"name": "not-b", "expression": "object.metadata.name != 'b' && variables.all"}]
    variables = [{"name": "all", "expression": "object.data.size() > 0"}]
    spec: dict[str, Any] = {"matchConditions": conditions, "variables": variables}
    told = await api.refused(
        422, "POST", f"{GROUP}/mutatingadmissionpolicies", mutating(add("/data/x", '"1"'), **spec)
    )
    assert "undeclared reference to 'variables'" in told.message
    spec["matchConditions"] = [{"name": "not-b", "expression": "object.metadata.name != object.data.k"}]
    await put(api, mutating(add("/data/x", "string(variables.all)"), **spec), bound())
    made = await api.ok("POST", CONFIG_MAPS, config_map("a", k="v"))
    assert made.body["data"] == {"k": "v", "x": "true"}
    assert (await api.ok("POST", CONFIG_MAPS, config_map("v", k="v"))).body["data"] == {"k": "v"}
    told = await api.refused(403, "POST", CONFIG_MAPS, config_map("b", j="v"))
    assert told.message.endswith("resulted in error: no such key: k") and told.body["reason"] == "Invalid"


@served
async def test_every_parameter_is_an_invocation(api: Api) -> None:  # U1
    mutation = add("/data/' + params.metadata.name + '".replace("'", '"'), "params.data.v")
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    for name in ("one", "two"):
        await api.ok("POST", CONFIG_MAPS, config_map(name, labels={"of": "p"}, v=name * 2))
    chosen = {"selector": {"matchLabels": {"of": "p"}}, "parameterNotFoundAction": "Deny"}
    await put(api, mutating(mutation, paramKind=kind), bound(paramRef=chosen))
    made = await api.ok("POST", CONFIG_MAPS, config_map("a", k="v"))
    assert made.body["data"] == {"k": "v", "one": "oneone", "two": "twotwo"}
    for name in ("one", "two"):
        await api.ok("DELETE", f"{CONFIG_MAPS}/{name}")
    told = await api.refused(403, "POST", CONFIG_MAPS, config_map("b"))
    assert told.message == (
        "policy 'p' with binding 'b' denied request: failed to configure binding: "
        "no params found for policy binding with `Deny` parameterNotFoundAction"
    )
    assert told.body["reason"] == "Forbidden"


@served
async def test_a_kind_of_parameters_that_is_not_there_is_the_policy_at_fault(api: Api) -> None:
    kind = {"apiVersion": "example.com/v1", "kind": "Missing"}
    await put(api, mutating(add("/data/x", '"1"'), paramKind=kind), bound(paramRef=_named("x")))
    told = await api.refused(403, "POST", CONFIG_MAPS, config_map("a"))
    assert told.message == (
        'policy "p" denied request: failed to configure policy: '
        "failed to find resource referenced by paramKind: 'example.com/v1, Kind=Missing'"
    )


def _named(name: str) -> dict[str, Any]:
    return {"name": name, "parameterNotFoundAction": "Deny"}


COUNTED = patched(
    '[JSONPatch{op: "add", path: "/data/count", value: string(int(object.data.?count.orValue("0")) + 1)}]'
)


@served
async def test_a_policy_runs_again_only_if_needed(api: Api) -> None:  # U4
    await put(api, mutating(COUNTED, name="never"), bound("b", "never"))
    assert (await api.ok("POST", CONFIG_MAPS, config_map("a", k="v"))).body["data"]["count"] == "1"
    await api.ok("DELETE", f"{GROUP}/mutatingadmissionpolicybindings/b")
    await put(api, mutating(COUNTED, name="needed", reinvocationPolicy="IfNeeded"), bound("c", "needed"))
    assert (await api.ok("POST", CONFIG_MAPS, config_map("b", k="v"))).body["data"]["count"] == "2"


@served
async def test_a_policy_sees_what_later_ones_changed(api: Api) -> None:  # U4
    echo = add("/data/echo", 'object.data.?late.orValue("no")')
    await put(api, mutating(echo, name="early", reinvocationPolicy="IfNeeded"), bound("b", "early"))
    await put(api, mutating(add("/data/late", '"yes"'), name="late"), bound("c", "late"))
    made = await api.ok("POST", CONFIG_MAPS, config_map("a", k="v"))
    assert made.body["data"] == {"k": "v", "echo": "yes", "late": "yes"}


@served
async def test_custom_objects_merge_by_their_schema(api: Api) -> None:
    items: dict[str, Any] = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "size": {"type": "integer"}},
    }
    items["required"] = ["name"]
    keyed = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    spec = {
        "type": "object",
        "properties": {
            "parts": {"type": "array", "items": items, **keyed},
            "plain": {"type": "array", "items": items},
            "level": {"type": "integer", "default": 3},
        },
    }
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    path = await define(api, definition(schema=schema))
    parts = 'Object.spec{parts: [Object.spec.parts{name: "b", size: 2}, Object.spec.parts{name: "c"}]}'
    await put(
        api,
        mutating(applied(f"Object{{spec: {parts}}}"), matchConstraints=about("example.com", "v1", "widgets")),
        bound(),
    )
    widget: dict[str, Any] = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}
    widget["spec"] = {"parts": [{"name": "a", "size": 1}, {"name": "b", "size": 1}]}
    made = await api.ok("POST", path, widget)
    assert made.body["spec"] == {
        "level": 3,
        "parts": [{"name": "a", "size": 1}, {"name": "b", "size": 2}, {"name": "c"}],
    }
    plain = applied('Object{spec: Object.spec{plain: [Object.spec.plain{name: "b"}]}}')
    await put(
        api,
        mutating(plain, name="q", matchConstraints=about("example.com", "v1", "widgets")),
        bound("c", "q"),
    )
    told = await api.refused(403, "POST", path, {**widget, "metadata": {"name": "v"}})
    assert told.message.endswith("may not mutate atomic arrays, maps or structs: .spec.plain")


@served
async def test_equivalent_versions_are_changed_as_the_policy_knows_them(api: Api) -> None:
    scalers = about("autoscaling", "v1", "horizontalpodautoscalers")
    await put(
        api,
        mutating(
            applied("Object{spec: Object.spec{targetCPUUtilizationPercentage: 7}}"), matchConstraints=scalers
        ),
        bound(),
    )
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
    scaler = {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "h"},
        "spec": {"maxReplicas": 3, "scaleTargetRef": reference},
    }
    made = await api.ok("POST", "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers", scaler)
    assert made.body["spec"]["targetCPUUtilizationPercentage"] == 7


@served
async def test_nothing_is_changed_by_a_policy_that_is_not_bound_to_it(api: Api) -> None:  # B1, B2
    await put(api, mutating(add("/data/x", '"1"')))
    assert "x" not in (await api.ok("POST", CONFIG_MAPS, config_map("a", k="v"))).body["data"]
    elsewhere = {"objectSelector": {"matchLabels": {"mine": "yes"}}}
    await put(api, bound(matchResources=elsewhere))
    assert "x" not in (await api.ok("POST", CONFIG_MAPS, config_map("b", k="v"))).body["data"]
    made = await api.ok("POST", CONFIG_MAPS, config_map("c", labels={"mine": "yes"}, k="v"))
    assert made.body["data"]["x"] == "1"
    await api.ok("PATCH", f"{GROUP}/mutatingadmissionpolicies/p", {"spec": {"mutations": [add("/data/y", '"1"')]}},
                 type=MERGE)  # fmt: skip
    made = await api.ok("POST", CONFIG_MAPS, config_map("d", labels={"mine": "yes"}, k="v"))
    assert made.body["data"] == {"k": "v", "y": "1"}


@served
async def test_policies_do_not_change_policies(api: Api) -> None:
    everything = {
        "resourceRules": [{"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "operations": ["*"]}]
    }
    mutation = applied('Object{metadata: Object.metadata{annotations: {"seen": "yes"}}}')
    await put(api, mutating(mutation, matchConstraints=everything), bound())
    await put(api, mutating(mutation, name="q"), policy(validations=[{"expression": "true"}]))
    for plural in ("mutatingadmissionpolicies/q", "validatingadmissionpolicies/p"):
        assert "annotations" not in (await api.ok("GET", f"{GROUP}/{plural}")).body["metadata"]
    made = await api.ok("POST", "/api/v1/namespaces", {"metadata": {"name": "n"}})
    assert made.body["metadata"]["annotations"] == {"seen": "yes"}
    await api.ok("DELETE", "/api/v1/namespaces/n")  # nothing to change, nothing to fail


@served
async def test_a_scale_can_be_patched_but_has_no_published_schema_to_merge_by(api: Api) -> None:
    await api.ok("POST", DEPLOYMENTS, deployment())
    scale = about("apps", "v1", "deployments/scale")
    await put(api, mutating(patched('[JSONPatch{op: "replace", path: "/spec/replicas", value: 4}]'),
                            matchConstraints=scale), bound())  # fmt: skip
    changed = await api.ok("PATCH", f"{DEPLOYMENTS}/d/scale", {"spec": {"replicas": 2}}, type=MERGE)
    assert changed.body["spec"]["replicas"] == 4
    await put(api, mutating(applied("Object{spec: Object.spec{replicas: 5}}"), name="q", matchConstraints=scale),
              bound("c", "q"))  # fmt: skip
    told = await api.refused(403, "PATCH", f"{DEPLOYMENTS}/d/scale", {"spec": {"replicas": 2}}, type=MERGE)
    assert told.message.endswith("no corresponding type for autoscaling/v1, Kind=Scale")


@served
async def test_managed_fields_that_nobody_can_read_are_put_back(api: Api) -> None:
    await put(api, mutating(add("/metadata/managedFields/0/fieldsV1", '{"x": "y"}')), bound())
    made = await api.ok("POST", CONFIG_MAPS, config_map("a", k="v"))
    assert made.body["metadata"]["managedFields"][0]["fieldsV1"] == {"f:data": {".": {}, "f:k": {}}}
    assert ".metadata.managedFields was in an invalid state after admission" in made.headers["warning"]


@served
async def test_webhooks_and_validation_see_what_policies_made(api: Api) -> None:
    await put(api, mutating(add("/data/x", '"1"')), bound())
    judge = policy(name="judge", validations=[{"expression": "!has(object.data.x)", "message": "no x"}])
    await put(api, judge, binding(name="judge", of="judge"))
    told = await api.refused(422, "POST", CONFIG_MAPS, config_map("a", k="v"))
    assert told.message.endswith("denied request: no x")


@served
async def test_a_mutation_is_not_run_beyond_its_budget(api: Api) -> None:
    slow = "[1,2,3,4,5,6,7,8,9].map(a, [1,2,3,4,5,6,7,8,9].map(b, [1,2,3,4,5,6,7,8,9].map(c, " * 2
    await put(api, mutating(add("/data/x", f"string({slow}1{')' * 6}.size())")), bound())
    told = await api.refused(403, "POST", CONFIG_MAPS, config_map("a", k="v"))
    assert "cost limit exceeded" in told.message


@served
async def test_bindings_to_nodes_and_dry_runs_are_changed_too(api: Api) -> None:
    await put(api, mutating(applied('Object{metadata: Object.metadata{labels: {"dry": string(request.dryRun)}}}'),
                            matchConstraints=about("", "v1", "pods")), bound())  # fmt: skip
    made = await api.ok("POST", f"{CORE}/pods?dryRun=All", pod("a"))
    assert made.body["metadata"]["labels"] == {"dry": "true"}
    assert (await api.ok("POST", f"{CORE}/pods", pod("a"))).body["metadata"]["labels"] == {"dry": "false"}


@served
async def test_a_policy_runs_again_after_a_webhook_changed_the_object(api: Api) -> None:  # U4
    echo = add("/data/echo", 'object.data.?hook.orValue("no")')
    await put(api, mutating(echo, name="p", reinvocationPolicy="IfNeeded"), bound())
    await put(api, mutating(COUNTED, name="q"), bound("c", "q"))
    async with listening(lambda review: answer(review, patch=setting("hook", "yes"))) as hook:
        await configure(api, MUTATING, webhook(hook))
        made = await api.ok("POST", CONFIG_MAPS, config_map("a", k="v"))
        assert made.body["data"] == {"k": "v", "hook": "yes", "echo": "yes", "count": "1"}
        [review] = hook.reviews
        assert review["request"]["object"]["data"] == {"k": "v", "echo": "no", "count": "1"}


@served
async def test_match_conditions_see_no_namespace(api: Api) -> None:  # C2
    conditions = [{"name": "n", "expression": "namespaceObject == null"}]
    mutation = add("/data/x", "namespaceObject.metadata.name")
    await put(api, mutating(mutation, matchConditions=conditions), bound())
    judge = policy(
        name="v", matchConditions=conditions, validations=[{"expression": "object.data.x != 'default'"}]
    )
    await put(api, judge, binding(name="v", of="v", validationActions=["Warn"]))
    made = await api.ok("POST", CONFIG_MAPS, config_map("a", k="v"))
    assert made.body["data"]["x"] == "default" and "failed expression" in made.headers["warning"]


@served
async def test_what_an_exec_asks_is_seen_and_changed(api: Api) -> None:
    await api.ok("POST", f"{CORE}/pods", pod("a"))
    execs = about("", "v1", "pods/exec", "CONNECT")
    await put(api, mutating(patched('[JSONPatch{op: "replace", path: "/tty", value: false}]'),
                            matchConstraints=execs), bound())  # fmt: skip
    told = "object.command.join(' ') + (has(object.tty) ? ' tty' : '') + (has(object.stdin) ? ' stdin' : '')"
    judging = [{"expression": "false", "messageExpression": told}]
    await put(api, policy(name="v", matchConstraints=execs, validations=judging), binding(name="v", of="v"))
    refused = await api.refused(422, "POST", f"{CORE}/pods/a/exec?command=sh&command=-i&stdin=true&tty=1")
    assert refused.message.endswith("denied request: sh -i stdin")
    refused = await api.refused(400, "POST", f"{CORE}/pods/a/portforward?ports=x")
    assert refused.message == 'cannot convert to []int32: strconv.ParseUint: parsing "x": invalid syntax'
