"""`kajitori policy`: what it prints, what it refuses, and its exit codes."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from tests.apiserver.admission.policies.support import binding, policy
from tests.posture.rbac.events import event, lines
from tests.posture.test_sources import backup
from tests.rehearsal.support import config_map, namespace, pod

from kajitori.cli.main import main

NOT_SEVEN = {"expression": "object.data.k != '7'", "messageExpression": "'no ' + object.data.k"}
PODS = {
    "resourceRules": [
        {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}
    ]
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    written("policy.yaml", policy(validations=[NOT_SEVEN]), binding())
    written("objects.yaml", config_map("six", k="6"), config_map("seven", k="7"))
    return tmp_path


def written(name: str, *objects: dict[str, Any]) -> None:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text(yaml.safe_dump_all(objects))


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["policy", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    code, out, _ = run(capsys, *words, "-o", "json")
    return code, msgspec.json.decode(out)


# test


def test_what_is_newly_denied(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "test", "-f", "policy.yaml", "--against", "objects.yaml")
    assert code == 1
    assert out == (
        "POLICY   BINDINGS   EXPRESSIONS   COST        WARNINGS\n"
        "p        b          2             4 or more   0\n"
        "\n"
        "against file objects.yaml, as kubernetes-admin (system:masters)\n"
        "RESULT   OPERATION   OBJECT                     POLICY   MESSAGE\n"
        "denied   CREATE      configmaps default/seven   p/b      no 7\n"
        "2 replayed: 1 newly denied; the costliest took 8 of 10000000\n"
    )


def test_what_is_denied_already_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    written("all/policy.yaml", policy(validations=[NOT_SEVEN]), binding())
    written("all/objects.yaml", config_map("seven", k="7"))
    code, found = told(capsys, "test", "-f", "policy.yaml", "--against", "all")
    assert (code, found["findings"], found["summary"]["deniedAlready"]) == (0, [], 1)


def test_a_backup(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    path = backup(folder, [namespace("default"), pod("p") | {"status": {"phase": "Running"}}])
    judging = [
        {"expression": "object.status.phase == 'Pending'"},
        {"expression": "object.spec.restartPolicy == 'Never'"},
    ]
    written("pods.yaml", policy(matchConstraints=PODS, validations=judging), binding())
    code, found = told(capsys, "test", "-f", "pods.yaml", "--against", str(path))
    messages = [each["message"] for each in found["findings"]]
    assert code == 1 and messages == ["failed expression: object.spec.restartPolicy == 'Never'"]


def test_an_audit_log(capsys: pytest.CaptureFixture[str]) -> None:
    made = event("jane", "create", "/configmaps@default:a") | {
        "level": "Request",
        "requestObject": config_map("a", k="7"),
    }
    made["objectRef"]["apiVersion"] = "v1"
    Path("audit.log").write_bytes(lines(made, event("jane", "create", "/configmaps@default:b")))
    code, out, _ = run(capsys, "test", "-f", "policy.yaml", "--against", "audit.log")
    assert code == 1
    assert "denied   CREATE      configmaps default/a   p/b      no 7 [audit.log:1, jane]" in out
    assert "not replayable: 1: it was recorded at level Metadata, without its object" in out


def test_a_policy_without_binding(capsys: pytest.CaptureFixture[str]) -> None:
    written("alone.yaml", policy(validations=[NOT_SEVEN]))
    code, out, _ = run(capsys, "test", "-f", "alone.yaml", "--against", "objects.yaml")
    assert code == 0
    assert "note: ValidatingAdmissionPolicy p has no binding, so it judges nothing; --bind assumes one" in out
    code, out, _ = run(capsys, "test", "-f", "alone.yaml", "--against", "objects.yaml", "--bind")
    assert code == 1 and "p/p-assumed" in out
    code, found = told(capsys, "test", "-f", "alone.yaml", "--against", "objects.yaml", "--bind", "Warn")
    assert code == 0 and [each["result"] for each in found["findings"]] == ["warned"]


def test_what_is_proposed_may_be_parameters_or_a_binding(capsys: pytest.CaptureFixture[str]) -> None:
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    judging = [{"expression": "object.data.k != params.data.no", "message": "forbidden"}]
    judged = policy(
        paramKind=kind,
        validations=judging,
        matchConditions=[{"name": "others", "expression": "object.metadata.name != 'rules'"}],
    )
    rules = binding(paramRef={"name": "rules", "parameterNotFoundAction": "Deny"})
    written("all/cluster.yaml", judged, rules, config_map("rules", no="6"), config_map("a", k="7"))
    written("params.yaml", config_map("rules", no="7"))
    code, found = told(capsys, "test", "-f", "params.yaml", "--against", "all")
    assert code == 1 and [each["message"] for each in found["findings"]] == ["forbidden"]
    written("all/cluster.yaml", judged, config_map("rules", no="7"), config_map("a", k="7"))
    written("binding.yaml", rules)
    code, found = told(capsys, "test", "-f", "binding.yaml", "--against", "all")
    assert code == 1 and [each["name"] for each in found["findings"]] == ["a"]


def test_types_are_checked_without_any_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {
                                "spec": {
                                    "type": "object",
                                    "properties": {"size": {"type": "integer", "default": 3}},
                                }
                            },
                        }
                    },
                }
            ],
        },
    }
    rules = [
        {
            "apiGroups": ["example.com"],
            "apiVersions": ["v1"],
            "resources": ["widgets"],
            "operations": ["CREATE"],
        }
    ]
    judging = [
        {"expression": "object.spec.sise < 3"},
        {"expression": "object.spec.size != 3", "message": "three"},
    ]
    widgets = policy(matchConstraints={"resourceRules": rules}, validations=judging[:1])
    written("w.yaml", crd, widgets, binding())
    code, out, _ = run(capsys, "test", "-f", "w.yaml")
    assert code == 0
    assert "warning: p: spec.validations[0].expression:\n  example.com/v1, Kind=Widget: ERROR" in out
    assert "undefined field 'sise'" in out
    written(
        "w.yaml", crd, policy(matchConstraints={"resourceRules": rules}, validations=judging[1:]), binding()
    )
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {}}
    written("widget.yaml", widget)
    code, found = told(capsys, "test", "-f", "w.yaml", "--against", "widget.yaml")
    assert code == 1 and found["findings"][0]["message"] == "three"


def test_cases_in_git(capsys: pytest.CaptureFixture[str]) -> None:
    cases: list[dict[str, Any]] = [
        {"name": "six is well", "object": config_map(k="6"), "expect": "allow"},
        {"name": "seven is not", "file": "seven.yaml", "expect": "deny", "message": "no 7", "policy": "p"},
        {"name": "going is", "oldObject": config_map(k="7"), "expect": "allow"},
    ]
    test = {
        "apiVersion": "policy.kajitori.dev/v1alpha1",
        "kind": "PolicyTest",
        "metadata": {"name": "sevens"},
    }
    written("seven.yaml", config_map(k="7"))
    written("test.yaml", test | {"spec": {"files": ["policy.yaml"], "cases": cases[:2]}})
    code, out, _ = run(capsys, "test", "-f", "test.yaml")
    assert code == 0 and out.endswith("2 cases: all as expected\n")
    written("test.yaml", test | {"spec": {"files": ["policy.yaml"], "cases": cases}})
    code, found = told(capsys, "test", "-f", "test.yaml")
    assert code == 1 and [each["ok"] for each in found["tests"]] == [True, True, False]
    for case, problem in (
        ({"expect": "allow", "object": config_map(k="7")}, "it is denied: p/b: no 7"),
        ({"expect": "deny", "object": config_map(k="6")}, "nothing is denied, and nothing else is said"),
        ({"expect": "deny", "object": config_map(k="7"), "message": "eight"}, "the message is 'no 7'"),
        ({"expect": "deny", "object": config_map(k="7"), "policy": "q"}, "it is policy p that says so"),
        ({"expect": "warn", "object": config_map(k="7")}, "it is denied: p/b: no 7"),
    ):
        written("one.yaml", test | {"spec": {"files": ["policy.yaml"], "cases": [{"name": "x", **case}]}})
        code, found = told(capsys, "test", "-f", "one.yaml")
        assert code == 1 and found["tests"][0]["problem"] == problem


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"cases": [{"name": "x", "expect": "maybe"}]}, "spec.cases[0].expect: Invalid enum value 'maybe'"),
        ({"cases": [{"name": "x", "expect": "deny"}]}, "give object, oldObject, file or oldFile"),
        ({"cases": []}, "spec.cases: there is no case in it"),
        ({"cases": [], "more": 1}, "spec: Object contains unknown field `more`"),
    ],
)
def test_bad_cases(capsys: pytest.CaptureFixture[str], spec: dict[str, Any], said: str) -> None:
    test = {"apiVersion": "policy.kajitori.dev/v1alpha1", "kind": "PolicyTest", "metadata": {"name": "t"}}
    written("test.yaml", test | {"spec": spec})
    code, _, err = run(capsys, "test", "-f", "test.yaml")
    assert code == 2 and said in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["test"], "-f: name the files of the policies to test"),
        (["test", "-f", "none.yaml"], "none.yaml: it cannot be read: No such file or directory"),
        (["test", "-f", "objects.yaml"], "-f: there is neither a policy nor a test in these files"),
        (["test", "-f", "policy.yaml", "--against", "nowhere"], "--against nowhere: cluster, or the path of"),
        (
            ["test", "-f", "policy.yaml", "--operation", "READ"],
            "--operation READ: one of CREATE, UPDATE, DELETE",
        ),
        (["test", "-f", "bad.yaml"], "bad.yaml, document 1: "),
        (
            ["test", "-f", "policy.yaml", "--against", "binary"],
            "--against binary: there is no object in it: binary: ",
        ),
        (
            ["explain", "-f", "objects.yaml", "--against", "binary"],
            "--against binary: there is no object in it",
        ),
        (
            ["explain", "-f", "wrong.yaml", "--against", "objects.yaml"],
            "ConfigMap w: json: cannot unmarshal number",
        ),
        (["test", "web", "-f", "policy.yaml"], "test takes no object; name files with -f: web"),
        (["explain"], "name one object, as KIND/NAME in the cluster or by -f FILE"),
        (["explain", "nothing/a", "--against", "objects.yaml"], "nothing: the source has no such kind"),
        (["explain", "cm/a", "--against", "objects.yaml"], "configmaps a not found in namespace default"),
        (["explain", "cm", "--against", "objects.yaml"], "cm: name the object as KIND/NAME"),
    ],
)
def test_bad_input(capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    Path("bad.yaml").write_text("a: [")
    Path("binary").write_bytes(bytes(range(256)))
    written(
        "wrong.yaml", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "w"}, "data": {"k": 1}}
    )
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "") and err.startswith("kajitori policy: ") and said in err


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            {"validations": [{"expression": "object.data.k =="}]},
            "spec.validations[0].expression: Invalid value",
        ),
        ({"validations": [{"expression": "1 + 1"}]}, "must evaluate to bool"),
        (
            {"validations": [{"expression": "true", "reason": "Nope"}]},
            "spec.validations[0].reason: Unsupported value",
        ),
        ({"validations": [{"expresion": "true"}]}, 'unknown field "spec.validations[0].expresion"'),
        ({}, "spec.validations"),
    ],
)
def test_policies_that_would_be_refused(
    capsys: pytest.CaptureFixture[str], spec: dict[str, Any], said: str
) -> None:
    written("wrong.yaml", policy(**spec))
    code, _, err = run(capsys, "test", "-f", "wrong.yaml")
    assert code == 2
    assert "wrong.yaml: ValidatingAdmissionPolicy p: " in err and said in err


# explain


def test_an_explanation(capsys: pytest.CaptureFixture[str]) -> None:
    conditions = [{"name": "some", "expression": "has(object.data)"}]
    variables = [{"name": "k", "expression": "object.data.k"}]
    judging = [{"expression": "variables.k != '7'", "message": "no seven"}]
    told_of = policy(matchConditions=conditions, variables=variables, validations=judging)
    other = policy(name="pods", matchConstraints=PODS, validations=[NOT_SEVEN])
    written(
        "policies.yaml",
        told_of,
        binding(),
        other,
        binding(name="c", of="pods"),
        policy(name="unbound", validations=[NOT_SEVEN]),
    )
    code, out, _ = run(
        capsys, "explain", "cm/seven", "--against", "policies.yaml", "--against", "objects.yaml"
    )
    assert code == 1
    assert out == (
        "CREATE configmaps default/seven, as kubernetes-admin (system:masters), "
        "by file policies.yaml, file objects.yaml\n"
        "\n"
        "ValidatingAdmissionPolicy p with binding b (Deny; what fails is refused)\n"
        "  matchCondition some: true\n"
        "    COST  VALUE  EXPRESSION\n"
        "       1  true   has(object.data)\n"
        '  variable k: "7"\n'
        "    COST  VALUE  EXPRESSION\n"
        '       3  "7"    object.data.k\n'
        "  validation 0: false\n"
        "    COST  VALUE  EXPRESSION\n"
        '       3  false  variables.k != "7"\n'
        '       2  "7"      variables.k\n'
        "  cost 6 of 10000000, match conditions 1 of 2500000\n"
        "  denied: no seven\n"
        "\n"
        "not about it:\n"
        "  ValidatingAdmissionPolicy pods with binding c: no rule names CREATE of configmaps in v1\n"
        "  ValidatingAdmissionPolicy unbound: it has no binding\n"
        "\n"
        "Pod Security: nothing to say\n"
        "\n"
        "it is denied: no seven\n"
    )


def test_why_something_is_not_about_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    resources = {"namespaceSelector": {"matchLabels": {"team": "x"}}}
    objects = {"objectSelector": {"matchLabels": {"app": "x"}}}
    excluded = {"excludeResourceRules": [{**PODS["resourceRules"][0], "resources": ["configmaps"]}]}
    false = [{"name": "never", "expression": "false"}]
    written(
        "policies.yaml",
        policy(name="a", validations=[NOT_SEVEN]),
        binding(name="a", of="a", matchResources=resources),
        policy(name="b", validations=[NOT_SEVEN]),
        binding(name="b", of="b", matchResources=objects),
        policy(name="c", validations=[NOT_SEVEN]),
        binding(name="c", of="c", matchResources=excluded),
        policy(name="d", validations=[NOT_SEVEN], matchConditions=false),
        binding(name="d", of="d"),
    )
    code, found = told(
        capsys, "explain", "cm/seven", "--against", "policies.yaml", "--against", "objects.yaml"
    )
    assert code == 0 and found["denied"] is False
    assert [each.get("why") for each in found["policies"]] == [
        "the binding: namespaceSelector does not select its namespace",
        "the binding: objectSelector does not select it",
        "the binding: excludeResourceRules name it",
        None,
    ]
    assert found["policies"][3]["runs"][0]["skippedBy"] == "never"


def test_what_mutating_policies_do(capsys: pytest.CaptureFixture[str]) -> None:
    applied = {"expression": "Object{data: {'k': variables.more}}"}
    patched = {"expression": "[JSONPatch{op: 'add', path: '/no/where', value: 1}]"}
    mutating = policy(
        "Mutating",
        "m",
        failurePolicy="Ignore",
        reinvocationPolicy="IfNeeded",
        matchConditions=[{"name": "six", "expression": "object.data.k == '6'"}],
        variables=[{"name": "more", "expression": "object.data.k + '1'"}],
        mutations=[
            {"patchType": "ApplyConfiguration", "applyConfiguration": applied},
            {"patchType": "JSONPatch", "jsonPatch": patched},
        ],
    )
    written("m.yaml", mutating, binding("Mutating", "mb", "m"))
    code, found = told(capsys, "explain", "cm/six", "--against", "m.yaml", "--against", "objects.yaml")
    [bound] = found["policies"]
    assert (code, bound["policy"], bound["failurePolicy"]) == (0, "m", "Ignore")
    [run_] = bound["runs"]
    values = {each["what"]: each["value"] for each in run_["expressions"]}
    assert values["matchCondition six"] is True and values["variable more"] == "61"
    assert values["mutation 0"] == {"data": {"k": "61"}} and not run_["skippedBy"]
    missing = 'JSON Patch: add operation does not apply: doc is missing path: "/no/where": missing value'
    assert [(each["result"], each["message"]) for each in run_["findings"]] == [
        ("changed", 'data.k: "6" -> "61"'),
        ("error", missing),
    ]
    code, out, _ = run(capsys, "test", "-f", "m.yaml", "--against", "objects.yaml")
    assert code == 0 and "2 replayed: 0 newly denied, 1 changed, 1 error; the costliest took " in out


def test_policies_do_not_judge_policies(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = told(capsys, "explain", "validatingadmissionpolicy/p", "--against", "policy.yaml")
    assert code == 0
    assert [each["why"] for each in found["policies"]] == ["policies judge neither policies nor reviews"]


def test_what_cannot_be_judged_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "w"}, "data": {"k": 1}}
    written("some.yaml", wrong, config_map(k="1"))
    code, out, _ = run(capsys, "test", "-f", "policy.yaml", "--against", "some.yaml")
    assert code == 0 and "1 replayed" in out
    assert "not replayable: 1: ConfigMap w: json: cannot unmarshal number into Go struct field" in out


@pytest.mark.parametrize(
    "wrong",
    [
        policy(name="w", validations=[{"message": "no expression"}]),
        policy(name="w", validations=[{"expression": "nonsense"}]),
        binding(name="w", of=""),
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": "w"},
        },
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "w"},
            "spec": {"group": "x", "versions": [{"name": "v1"}]},
        },
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "w"},
            "webhooks": [{"rules": []}],
        },
    ],
)
def test_what_no_server_would_take_is_left_out(
    capsys: pytest.CaptureFixture[str], wrong: dict[str, Any]
) -> None:
    written("all/wrong.yaml", wrong, policy(validations=[NOT_SEVEN]), binding(), config_map(k="7"))
    code, found = told(capsys, "test", "-f", "policy.yaml", "--against", "all")
    assert code == 0 and found["summary"]["deniedAlready"] == 1
    [note] = found["notes"]
    assert note.startswith(f"{wrong['kind']} w is left out: ")


def test_the_budget(capsys: pytest.CaptureFixture[str]) -> None:
    looping = "[1,2,3,4,5,6,7,8,9].all(%s, " * 6 % tuple("abcdef") + "f > 0" + ")" * 6
    written("deep.yaml", policy(validations=[{"expression": looping}]), binding())
    code, out, _ = run(capsys, "explain", "-f", "objects.yaml", "--against", "deep.yaml")
    assert code == 1 and "  validation 0: error: operation cancelled: actual cost limit exceeded\n" in out


def test_webhooks_pod_security_and_quota(capsys: pytest.CaptureFixture[str]) -> None:
    hook = {
        "name": "h.example.com",
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "rules": [{**PODS["resourceRules"][0], "operations": ["CREATE"]}],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    written(
        "cluster.yaml",
        namespace("default", **{"pod-security.kubernetes.io/enforce": "baseline"}),
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "w"},
            "webhooks": [hook, {**hook, "name": "i.example.com", "rules": []}],
        },
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "q", "namespace": "default"},
            "spec": {"hard": {"pods": "0"}},
            "status": {"hard": {"pods": "0"}, "used": {"pods": "0"}},
        },
    )
    written("pod.yaml", pod(hostNetwork=True))
    code, out, _ = run(capsys, "explain", "-f", "pod.yaml", "--against", "cluster.yaml")
    assert code == 1
    assert 'Pod Security: denied: pods "p" is forbidden: violates PodSecurity "baseline:latest"' in out
    assert 'quota: denied: pods "p" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0' in out
    assert "validating webhook w/h.example.com: would be called" in out and "i.example.com" not in out
