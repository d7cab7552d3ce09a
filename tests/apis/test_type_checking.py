"""Type checking of policies: which kinds they are checked for, and what is said. The texts are kube-apiserver's."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kajitori.apimachinery.cel.types import DYN, Type
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.cel_types import built_in_type
from kajitori.apis.type_checking import (
    GroupVersionKind,
    Matched,
    custom_type,
    kinds_matched,
    param_kind,
    warnings,
)

DEPLOYMENT = GroupVersionKind("apps", "v1", "Deployment")
CONFIG_MAP = GroupVersionKind("", "v1", "ConfigMap")
WIDGET = GroupVersionKind("example.com", "v1", "Widget")

DOCUMENT = {
    "components": {
        "schemas": {
            "com.example.v1.WidgetList": {
                "type": "object",
                "x-kubernetes-group-version-kind": [
                    {"group": "example.com", "version": "v1", "kind": "WidgetList"}
                ],
            },
            "com.example.v1.Widget": {
                "type": "object",
                "properties": {
                    "metadata": {"allOf": [{"$ref": "#/components/schemas/Meta"}]},
                    "spec": {"type": "object", "properties": {"size": {"type": "integer"}}},
                },
                "x-kubernetes-group-version-kind": [
                    {"group": "example.com", "version": "v1", "kind": "Widget"}
                ],
            },
            "Meta": {"type": "object", "properties": {"name": {"type": "string"}}},
        }
    }
}


def rule(groups: list[str], versions: list[str], resources: list[str]) -> JsonObject:
    return {"apiGroups": groups, "apiVersions": versions, "resources": resources, "operations": ["*"]}


def matched(*rules: JsonObject) -> list[str]:
    def kinds_for(group: str, version: str, resource: str) -> list[GroupVersionKind]:
        return [] if resource == "unknown" else [GroupVersionKind(group, version, resource)]

    spec = {"matchConstraints": {"resourceRules": list(rules)}}
    return [str(kind) for kind in kinds_matched(spec, kinds_for)]


def of(kind: GroupVersionKind, name: str = "") -> Matched:
    one = built_in_type(*kind, name or kind.kind)
    assert one is not None
    return Matched(kind, one)


def told(
    *expressions: str, kinds: list[Matched] | None = None, params: Type | None = None, **spec: Any
) -> list[str]:
    spec = {"validations": [{"expression": text} for text in expressions], **spec}
    return [each["warning"] for each in warnings(spec, kinds or [of(DEPLOYMENT)], params)]


# T1


def test_kinds_are_those_of_all_rules_in_order_and_each_once() -> None:
    assert matched(
        rule(["b", ""], ["v1"], ["y", "x", "unknown"]), rule(["b"], ["v1"], ["x"]), rule(["a"], ["v1"], ["x"])
    ) == ["/v1, Kind=x", "/v1, Kind=y", "a/v1, Kind=x", "b/v1, Kind=x", "b/v1, Kind=y"]


def test_rules_with_wildcards_name_no_kinds() -> None:
    assert matched(rule(["*", "apps"], ["v1"], ["x"]), rule(["apps"], ["*"], ["x"])) == []
    assert matched(rule(["apps"], ["v1"], ["*", "x/status", "*/*", "y"])) == ["apps/v1, Kind=y"]
    assert kinds_matched({}, lambda *_: [DEPLOYMENT]) == []


def test_a_rule_that_brings_ten_kinds_is_the_last_one() -> None:
    many = rule(["a"], ["v1"], [f"k{n:02}" for n in range(12)])
    assert matched(rule([""], ["v1"], ["first"]), many, rule(["z"], ["v1"], ["last"])) == [
        "/v1, Kind=first",
        *(f"a/v1, Kind=k{n:02}" for n in range(10)),
    ]


# T2


def test_a_warning_is_of_the_expression_or_the_message_that_it_names() -> None:
    spec = {
        "validations": [
            {"expression": "object.spec.replicas > 1"},
            {"expression": "object.spec.replicas > '1'", "messageExpression": "object.spec.nope"},
        ]
    }
    assert warnings(spec, [of(DEPLOYMENT)], None) == [
        {
            "fieldRef": "spec.validations[1].expression",
            "warning": "apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_>_' applied "
            "to '(int, string)'\n | object.spec.replicas > '1'\n | .....................^\n",
        },
        {
            "fieldRef": "spec.validations[1].messageExpression",
            "warning": "apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'nope'\n | object.spec.nope\n"
            " | ...........^\n",
        },
    ]


def test_old_objects_are_of_the_same_type() -> None:
    assert "undefined field 'foo'" in told("oldObject.spec.foo == 1")[0]
    assert not told("object == oldObject && oldObject.spec.replicas == object.spec.replicas")


def test_parameters_have_the_type_of_their_kind() -> None:
    assert param_kind({"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}) == CONFIG_MAP
    assert param_kind({"paramKind": {"apiVersion": "apps/v1", "kind": "Deployment"}}) == DEPLOYMENT
    assert param_kind({}) is None
    config = of(CONFIG_MAP).type
    assert not told("params.data['a'] == object.metadata.name", params=config)
    assert "undefined field 'spec'" in told("params.spec == 1", params=config)[0]
    assert "undeclared reference to 'params'" in told("params.spec == 1")[0]
    assert not told("params.spec == 1", params=DYN)


def test_parameters_of_the_objects_kind_are_of_another_type() -> None:
    objects, params = of(CONFIG_MAP, "ConfigMap1"), of(CONFIG_MAP, "ConfigMap2").type
    assert (
        "applied to '(ConfigMap1, ConfigMap2)'" in told("object == params", kinds=[objects], params=params)[0]
    )
    assert not told("object.data == params.data", kinds=[objects], params=params)


def test_what_is_of_no_known_kind_is_not_looked_into() -> None:
    assert not told("object.spec.anything == 1", kinds=[Matched(WIDGET, DYN)])
    assert warnings({"validations": [{"expression": "object.nope"}]}, [], None) == []


def test_custom_kinds_have_the_types_of_their_schemas() -> None:
    one = custom_type(DOCUMENT, WIDGET, "Widget1")
    assert one is not None
    kinds = [Matched(WIDGET, one)]
    assert not told("object.spec.size > 1 && object.metadata.name == 'x'", kinds=kinds)
    assert "undefined field 'color'" in told("object.spec.color == 'red'", kinds=kinds)[0]
    assert custom_type(DOCUMENT, GroupVersionKind("example.com", "v2", "Widget"), "x") is None
    assert custom_type({}, WIDGET, "x") is None


def test_variables_are_seen_by_those_after_them_and_have_plain_types_only() -> None:
    variables = [
        {"name": "replicas", "expression": "object.spec.replicas"},
        {"name": "spec", "expression": "object.spec"},
        {"name": "broken", "expression": "object.nope"},
        {"name": "twice", "expression": "variables.replicas * 2"},
    ]
    assert not told(
        "variables.twice > 2 && variables.spec.anything && variables.broken == 1", variables=variables
    )
    assert "'(int, string)'" in told("variables.twice == 'x'", variables=variables)[0]
    assert "undefined field 'other'" in told("variables.other == 1", variables=variables)[0]


def test_of_the_authorizer_nothing_but_itself_is_known() -> None:
    assert not told("authorizer.group('apps').resource('deployments').check('update').allowed()")
    assert "unexpected failed resolution" in told("authorizer.requestResource.check('x').allowed()")[0]


# T3


def test_a_warning_has_a_paragraph_for_each_kind_that_does_not_fit() -> None:
    kinds = [of(CONFIG_MAP), of(DEPLOYMENT), of(GroupVersionKind("batch", "v1", "Job"))]
    (text,) = told("object.spec.replicas > 1", kinds=kinds)
    assert [each.splitlines()[0] for each in text.split("\n\n")] == [
        "/v1, Kind=ConfigMap: ERROR: <input>:1:7: undefined field 'spec'",
        "batch/v1, Kind=Job: ERROR: <input>:1:12: undefined field 'replicas'",
    ]
    assert text.endswith("^\n")


# Whatever somebody writes


_PARTS = (
    "object.spec",
    "variables.a",
    "request.kind",
    "params",
    "1",
    "'x'",
    "[object]",
    "nope",
    "authorizer",
    "null",
)
texts = st.one_of(
    st.text(max_size=12),
    st.builds(
        lambda a, operator, b: f"{a} {operator} {b}",
        st.sampled_from(_PARTS),
        st.sampled_from(["==", "+", "&&", ".x ==", "in", "? 1 :", "[0] <", ".all(i, i) ||"]),
        st.sampled_from(_PARTS),
    ),
)
specs = st.fixed_dictionaries(
    {},
    optional={
        "validations": st.lists(
            st.fixed_dictionaries({"expression": texts}, optional={"messageExpression": texts}), max_size=3
        ),
        "variables": st.lists(
            st.fixed_dictionaries({"name": st.sampled_from(["a", "b"]), "expression": texts}), max_size=3
        ),
        "paramKind": st.just({"apiVersion": "v1", "kind": "ConfigMap"}),
    },
)


@settings(deadline=None, max_examples=25, derandomize=True, database=None)
@given(specs)
def test_any_policy_gets_warnings_of_its_own_expressions_or_none(spec: JsonObject) -> None:  # T3
    params = of(CONFIG_MAP).type if param_kind(spec) else None
    for warning in warnings(spec, [of(CONFIG_MAP), of(DEPLOYMENT)], params):
        index, member = warning["fieldRef"].removeprefix("spec.validations[").split("].")
        assert spec["validations"][int(index)][member]
        assert all(
            each.startswith(("/v1, Kind=ConfigMap: ERROR: ", "apps/v1, Kind=Deployment: ERROR: "))
            for each in warning["warning"].split("\n\n")
        )
