"""What policies and match conditions see."""

import pytest

from kajitori.apimachinery.cel.admission import AdmissionVariables, with_variables
from kajitori.apimachinery.cel.errors import CompileError
from kajitori.apimachinery.cel.kubernetes import environments
from kajitori.apimachinery.cel.types import INT


def type_of(text: str, variables: AdmissionVariables | None = None) -> str:
    return str((variables or AdmissionVariables()).extend(environments().new).check(text).type)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("object.spec.replicas", "dyn"),
        ("oldObject == null", "bool"),
        ("request.kind.group + request.resource.resource", "string"),
        ("request.userInfo.groups", "list(string)"),
        ("request.userInfo.extra['a'][0]", "string"),
        ("request.namespace", "string"),
        ("request.options.x", "dyn"),
        ("namespaceObject.metadata.labels", "map(string, string)"),
        ("namespaceObject.metadata.creationTimestamp", "google.protobuf.Timestamp"),
        ("namespaceObject.status.conditions", "list(kubernetes.NamespaceCondition)"),
        ("kubernetes.UserInfo", "type(kubernetes.UserInfo)"),
    ],
)
def test_what_everybody_sees(text: str, expected: str) -> None:  # A1
    assert type_of(text) == expected


@pytest.mark.parametrize("text", ["request.uid", "request.object", "namespaceObject.metadata.managedFields"])
def test_what_is_hidden(text: str) -> None:  # A1
    with pytest.raises(CompileError, match="undefined field"):
        type_of(text)


@pytest.mark.parametrize(
    ("text", "expected", "needs"),
    [
        ("params.x", "dyn", AdmissionVariables(params=True)),
        (
            "authorizer.group('').resource('pods').check('get').allowed()",
            "bool",
            AdmissionVariables(authorizer=True),
        ),
        ("authorizer.requestResource.check('get').allowed()", "bool", AdmissionVariables(authorizer=True)),
        ("Object{spec: Object.spec{replicas: 1}}", "Object", AdmissionVariables(patches=True)),
        ("[JSONPatch{op: 'add', path: '/a', value: 1}]", "list(JSONPatch)", AdmissionVariables(patches=True)),
        ("jsonpatch.escapeKey('a/b')", "string", AdmissionVariables(patches=True)),
    ],
)
def test_what_is_seen_where_it_is_of_use(text: str, expected: str, needs: AdmissionVariables) -> None:  # A1
    assert type_of(text, needs) == expected
    with pytest.raises(CompileError, match="undeclared reference"):
        type_of(text)


def test_the_fields_of_a_patch_have_types() -> None:
    with pytest.raises(
        CompileError, match="expected type of field 'op' is 'string' but provided type is 'int'"
    ):
        type_of("JSONPatch{op: 1}", AdmissionVariables(patches=True))
    with pytest.raises(CompileError, match="expected type of field 'to' is '' but provided type is 'null'"):
        type_of("JSONPatch{to: null}", AdmissionVariables(patches=True))


def test_variables_that_a_policy_declares() -> None:
    base = AdmissionVariables().extend(environments().new)
    composed = with_variables(base, {"count": INT})
    assert composed.check("variables.count + 1").type == INT
    with pytest.raises(CompileError, match="undefined field 'other'"):
        composed.check("variables.other")


@pytest.mark.parametrize(
    ("declared", "text", "expected"),
    [
        ("request.namespace", "variables.x", "string"),
        ("request.userInfo.groups", "variables.x", "list(string)"),
        ("request.userInfo.extra", "variables.x", "map(string, list(string))"),
        ("request.userInfo", "variables.x.nothing.like.it", "dyn"),
        ("namespaceObject.status.conditions", "variables.x[0].nothing", "dyn"),
        ("optional.of(1)", "variables.x", "dyn"),
        ("type(1)", "variables.x", "dyn"),
        ("quantity('1')", "variables.x", "dyn"),
    ],
)
def test_what_is_known_of_a_variable(declared: str, text: str, expected: str) -> None:  # A2
    base = AdmissionVariables().extend(environments().new)
    assert str(with_variables(base, {"x": base.check(declared).type}).check(text).type) == expected
