"""Manifests of admission: what is read, and what is wrong. kube-apiserver's own loaders take and refuse the same."""

import copy
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kajitori.apis.resources import resources
from kajitori.apiserver.admission.manifests.reading import (
    GROUP,
    PLUGIN_KINDS,
    Contents,
    ManifestError,
    read_manifests,
)
from kajitori.apiserver.registry.resource import BuiltInResource

POLICY = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: p.static.k8s.io}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  validations: [{expression: 'true'}]
"""
BINDING = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: b.static.k8s.io}
spec: {policyName: p.static.k8s.io, validationActions: [Deny]}
"""
WEBHOOKS = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: w.static.k8s.io}
webhooks:
- name: hook.example.com
  clientConfig: {url: 'https://127.0.0.1/validate'}
  admissionReviewVersions: [v1]
  sideEffects: None
"""
OF_POLICIES = PLUGIN_KINDS["ValidatingAdmissionPolicy"]
ALL = tuple(plural for plurals in PLUGIN_KINDS.values() for plural in plurals)


def read(folder: Path, files: dict[str, str], plurals: tuple[str, ...] = ALL) -> Contents:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    kinds = [
        BuiltInResource(each)
        for each in resources()
        if each.kind.group == GROUP and each.kind.version == "v1" and each.kind.plural in plurals
    ]
    return read_manifests(folder, kinds)


def names(contents: Contents) -> dict[str, list[str]]:
    return {
        plural: [each["metadata"]["name"] for each in found] for plural, found in contents.objects.items()
    }


BOTH = {
    "validatingadmissionpolicies": ["p.static.k8s.io"],
    "validatingadmissionpolicybindings": ["b.static.k8s.io"],
}


# M1


@pytest.mark.parametrize(
    "files",
    [
        {"a.yaml": f"{POLICY}---\n{BINDING}"},
        {"a.yml": BINDING, "b.YAML": POLICY, "c.txt": "not: [read", "d/e.yaml": "nor: [this"},
        {"a.yaml": f"# first\n---  # second\r\n{POLICY}\n---\n\n--- \n{BINDING}---\n"},
        {
            "a.yaml": "apiVersion: v1\nkind: List\nitems:\n- " + POLICY.replace("\n", "\n  "),
            "b.yaml": BINDING,
        },
    ],
)
def test_all_documents_of_all_files_are_read(tmp_path: Path, files: dict[str, str]) -> None:
    assert names(read(tmp_path, files)) == BOTH


def test_json_and_lists_of_one_kind_are_read(tmp_path: Path) -> None:
    items = [{"metadata": {"name": f"{name}.static.k8s.io"}, "webhooks": []} for name in ("z", "a", "m")]
    listed = {"apiVersion": f"{GROUP}/v1", "kind": "ValidatingWebhookConfigurationList", "items": items}
    found = read(tmp_path, {"a.json": json.dumps(listed)})
    assert names(found) == {
        "validatingwebhookconfigurations": ["a.static.k8s.io", "m.static.k8s.io", "z.static.k8s.io"]
    }


def test_a_hash_is_of_the_files_that_say_something(tmp_path: Path) -> None:
    assert read(tmp_path, {}).hash == ""
    first = read(tmp_path, {"a.yaml": POLICY, "b.yaml": "", "c.txt": "x"}).hash
    assert first.startswith("sha256:") and first == read(tmp_path, {"d.yaml": ""}).hash
    assert first != read(tmp_path, {"a.yaml": f"{POLICY}\n"}).hash


# M2


def test_objects_have_their_defaults(tmp_path: Path) -> None:
    found = read(tmp_path, {"a.yaml": POLICY, "w.yaml": WEBHOOKS}).objects
    policy: Any = found["validatingadmissionpolicies"][0]["spec"]
    assert (policy["failurePolicy"], policy["matchConstraints"]["matchPolicy"]) == ("Fail", "Equivalent")
    assert found["validatingwebhookconfigurations"][0]["webhooks"][0]["timeoutSeconds"] == 10


# M2, M3, M4


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (POLICY + "  foo: 1\n", 'p.static.k8s.io: unknown field "spec.foo"'),
        (
            POLICY + "  failurePolicy: Fail\n  failurePolicy: Fail\n",
            'a.yaml: document 1: line 9: key "failurePolicy" already set in map',
        ),
        (POLICY + "  failurePolicy: 1\n", "cannot unmarshal number into Go struct field"),
        (POLICY + "  failurePolicy: X\n", 'spec.failurePolicy: Unsupported value: "X"'),
        (
            POLICY.replace("'true'", "'1'"),
            'spec.validations[0].expression: Invalid value: "1": must evaluate to',
        ),
        (POLICY.replace("/v1", "/v1beta1"), "apiVersion is admissionregistration.k8s.io/v1beta1; write adm"),
        (
            POLICY.replace("apiVersion: admissionregistration.k8s.io/v1\n", ""),
            "apiVersion is missing; write adm",
        ),
        (POLICY.replace("kind: ValidatingAdmissionPolicy\n", ""), "kind is missing; the admission plugins"),
        (
            "apiVersion: v1\nkind: Pod\n",
            "kind is Pod; the admission plugins that read this directory know Mut",
        ),
        ("- 1\n", "a.yaml: document 1: kind is missing"),
        ("a: [\n", "a.yaml: document 1: yaml: line 1: did not find expected node content"),
        (f"{POLICY}--- and so on\n{BINDING}", "invalid Yaml document separator: and so on"),
        ("apiVersion: v1\nkind: List\nitem: []\n", 'document 1: unknown field "item"; a list has items'),
        ("apiVersion: v1\nkind: List\nitems: 1\n", "document 1: items: must be a list"),
        ("apiVersion: v1\nkind: List\nitems: [1]\n", "document 1, item 1: kind is missing"),
        (
            POLICY.replace("p.static.k8s.io", "p"),
            'metadata.name: Invalid value: "p": must end with ".static.k8s.io"',
        ),
        (POLICY.replace("name: p.static.k8s.io", ""), "without a name: metadata.name: Required value"),
        (POLICY.replace("name: p", "name: P"), "a lowercase RFC 1123 subdomain must consist of"),
        (
            f"{POLICY}---\n{POLICY}",
            "document 2: ValidatingAdmissionPolicy p.static.k8s.io: metadata.name: Duplicate",
        ),
        (
            POLICY + "  paramKind: {apiVersion: v1, kind: ConfigMap}\n",
            "spec.paramKind: Forbidden: not supported",
        ),
        (
            BINDING,
            'spec.policyName: Not found: "p.static.k8s.io"; the policy has to be in the same directory',
        ),
        (BINDING.replace("policyName: p.static.k8s.io, ", ""), "spec.policyName: Required value"),
        (
            BINDING.replace("policyName: p.static.k8s.io", "policyName: p"),
            'spec.policyName: Invalid value: "p": must end with ".static.k8s.io"',
        ),
        (
            BINDING.replace("[Deny]", "[Deny], paramRef: {name: x, parameterNotFoundAction: Allow}"),
            "spec.paramRef: Forbidden: not supported in manifests; write values into the policy",
        ),
        (
            WEBHOOKS.replace("url: 'https://127.0.0.1/validate'", "service: {name: a, namespace: b}"),
            "webhooks[0].clientConfig.service: Forbidden: not supported in manifests; use clientConfig.url",
        ),
        (WEBHOOKS.replace("https:", "http:"), "'https' is the only allowed URL scheme"),
        (
            WEBHOOKS + "  objectSelector: {matchExpressions: [{key: a, operator: X}]}\n",
            "not a valid selector operator",
        ),
        (
            WEBHOOKS + "  matchConditions: [{name: a, expression: 'foo('}]\n",
            "compilation failed: ERROR: <input>:1:5",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ManifestError) as caught:
        read(tmp_path, {"a.yaml": text})
    assert told in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path}/a.yaml: document ")


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    wrong = POLICY.replace("p.static", "q.static") + "  foo: 1\n"
    with pytest.raises(ManifestError) as caught:
        read(tmp_path, {"a.yaml": f"{POLICY}---\n{wrong}", "b.yaml": POLICY})
    first, second = str(caught.value).splitlines()
    assert first.endswith(
        '/a.yaml: document 2: ValidatingAdmissionPolicy q.static.k8s.io: unknown field "spec.foo"'
    )
    assert second.endswith(
        "the other one is in " + f"{tmp_path}/a.yaml: document 1: ValidatingAdmissionPolicy p.static.k8s.io"
    )


def test_a_binding_of_a_policy_that_is_refused_is_right(tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as caught:
        read(tmp_path, {"a.yaml": POLICY + "  foo: 1\n", "b.yaml": BINDING})
    assert str(caught.value).endswith('p.static.k8s.io: unknown field "spec.foo"')


def test_a_plugin_reads_only_what_it_works_with(tmp_path: Path) -> None:
    with pytest.raises(
        ManifestError, match=r"kind is ValidatingWebhookConfiguration; .* know ValidatingAdmissionPol"
    ):
        read(tmp_path, {"a.yaml": POLICY, "w.yaml": WEBHOOKS}, OF_POLICIES)


def test_a_directory_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="nowhere: cannot be read: No such file or directory"):
        read_manifests(tmp_path / "nowhere", [])
    (tmp_path / "a.yaml").symlink_to(tmp_path / "nothing")
    with pytest.raises(ManifestError, match=r"a\.yaml: cannot be read: No such file or directory"):
        read_manifests(tmp_path, [])


# Whatever is in a file

_DOCUMENTS: list[Any] = [yaml.safe_load(text) for text in (POLICY, BINDING, WEBHOOKS)]


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, member in members:
        yield from _places(member, (*path, key))


@st.composite
def documents(draw: st.DrawFn) -> Any:
    """A manifest in which something else stands somewhere."""
    document = draw(st.sampled_from(_DOCUMENTS))
    path = draw(st.sampled_from(list(_places(document))))
    values = [None, 1, -1.5, True, "", "x", "*", [], {}, [None], [[]], [{}], {"a": 1}, "x" * 300, *_DOCUMENTS]
    value = draw(st.sampled_from(values))
    if not path:
        return value
    changed = copy.deepcopy(document)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return changed


@settings(deadline=None, max_examples=150, derandomize=True, database=None)
@given(documents())
def test_any_document_is_read_or_refused(document: Any) -> None:  # M4
    told = ""
    with tempfile.TemporaryDirectory() as folder:
        try:
            read(Path(folder), {"a.json": json.dumps(document)})
        except ManifestError as error:
            told = str(error)
    assert not told or told.startswith(f"{folder}/a.json: document 1")
