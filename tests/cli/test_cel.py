"""`kajitori cel`: what it prints, what it refuses, and its exit codes."""

import io
from pathlib import Path

import msgspec
import pytest
import yaml

from kajitori.cli.main import main

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, creationTimestamp: "2026-01-01T00:00:00Z"}
spec:
  replicas: 7
  template: {spec: {containers: [{name: web, image: "registry.example/web:1"}]}}
"""
DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec:
  group: example.com
  names: {kind: Widget}
  versions:
  - name: v1
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {type: integer}
              until: {type: string, format: date-time}
              names: {type: array, maxItems: 10, items: {type: string, maxLength: 5}}
"""
WIDGET = """\
apiVersion: example.com/v1
kind: Widget
metadata: {name: a}
spec: {size: 3, until: "2026-01-02T00:00:00Z", names: [x, y]}
"""


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (("web.yaml", DEPLOYMENT), ("crd.yaml", DEFINITION), ("a.yaml", WIDGET)):
        tmp_path.joinpath(name).write_text(text)
    tmp_path.joinpath("old.yaml").write_text(WIDGET.replace("size: 3", "size: 5"))
    tmp_path.joinpath("two.yaml").write_text(
        f"{DEPLOYMENT}---\n{DEPLOYMENT.replace('7', '2').replace('web', 'api')}"
    )


def test_a_value_with_its_type_and_costs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cel", "object.spec.replicas + 1", "-f", "web.yaml"]) == 0
    assert capsys.readouterr().out == "value     8\ntype      int\nestimate  2\ncost      4\n"
    assert main(["cel", "{'a': [dyn(1u), dyn(b'x'), dyn(duration('90m')), dyn(null)]}", "-o", "json"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out) == {
        "value": {"a": [1, "eA==", "5400s", None]},
        "type": "map(string, list(dyn))",
        "estimatedCost": {"min": 45, "max": 45},
        "cost": 0,
    }


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["1 < 2"], 0),
        (["1 > 2"], 1),
        (["1 + 2"], 0),
        (["1 > 2", "--check"], 0),
        (["object.spec.replicas <= 5", "-f", "web.yaml"], 1),
        (["object.spec.replicas <= 5", "-f", "two.yaml"], 1),
        (["object.spec.nope", "-f", "web.yaml"], 3),
        (["[1, 2, 3].all(x, x > 0)", "--cost-limit", "5"], 3),
        (["oldObject == null && params == null", "-f", "web.yaml"], 0),
        (["self.spec.size < 4", "--as", "self", "-f", "a.yaml", "--schema", "crd.yaml"], 0),
        (["self.spec.size >= oldSelf.spec.size", "--as", "self", "-f", "a.yaml", "--old", "old.yaml"], 1),
        (
            [
                "self.spec.until > timestamp('2026-01-01T00:00:00Z')",
                *["--as", "self", "-f", "a.yaml", "--schema", "crd.yaml"],
            ],
            0,
        ),
        (
            [
                "object.metadata.creationTimestamp.getFullYear() == 2026",
                *["-f", "web.yaml", "--kind", "apps/v1/Deployment"],
            ],
            0,
        ),
        (
            [
                "x + n == 5 && s == 'text' && w.spec.size == 3",
                *["--var", "x=2", "--var", "n=3", "--var", "s=text", "--var-file", "w=a.yaml"],
            ],
            0,
        ),
    ],
)
def test_exit_codes(words: list[str], code: int) -> None:
    assert main(["cel", *words]) == code


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["1 +"],
            "kajitori cel: the expression does not compile:\nERROR: <input>:1:4: Syntax error: mismatched input",
        ),
        (["1 + 'a'"], "found no matching overload for '_+_' applied to '(int, string)'\n | 1 + 'a'\n | ..^"),
        (["object.spec.replica", "--kind", "apps/v1/Deployment", "--check"], "undefined field 'replica'"),
        (
            ["self.spec.sise", *["--as", "self", "-f", "a.yaml", "--schema", "crd.yaml"]],
            "undefined field 'sise'",
        ),
        (["ip('::1')", "--compatibility-version", "1.29"], "undeclared reference to 'ip'"),
        (
            ["1", "--compatibility-version", "2"],
            "--compatibility-version 2: a version of Kubernetes is meant",
        ),
        (["1", "--kind", "Deployment"], "--kind Deployment: no built-in kind"),
        (["1", "--kind", "v1/Pod", "--schema", "crd.yaml"], "--kind and --schema: one of them"),
        (["1", "--schema", "web.yaml", "-f", "a.yaml"], "cannot look into"),
        (["1", "--schema", "crd.yaml", "-f", "web.yaml"], "crd.yaml: no definition of apps/v1 Deployment"),
        (["1", "-f", "nope.yaml"], "nope.yaml cannot be read"),
        (["1", "--var", "x"], "--var x: NAME=VALUE is meant"),
        (["1", "--cost-limit", "-1"], "--cost-limit"),
    ],
)
def test_what_is_refused(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cel", *words]) == 2
    printed = capsys.readouterr()
    assert message in printed.err and not printed.out


def test_each_object_of_a_file_has_its_own_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cel", "object.spec.replicas", "-f", "two.yaml"]) == 0
    blocks = capsys.readouterr().out.split("\n\n")
    assert [block.splitlines()[:2] for block in blocks] == [
        ["Deployment shop/web:", "value     7"],
        ["Deployment shop/api:", "value     2"],
    ]


def test_lists_come_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    several = {"kind": "List", "items": [yaml.safe_load(DEPLOYMENT), yaml.safe_load(WIDGET)]}
    monkeypatch.setattr("sys.stdin", io.StringIO(yaml.safe_dump(several)))
    assert main(["cel", "object.kind", "-f", "-", "-o", "yaml"]) == 0
    assert [each["value"] for each in yaml.safe_load(capsys.readouterr().out)] == ["Deployment", "Widget"]


def test_explanations_show_every_part(capsys: pytest.CaptureFixture[str]) -> None:
    rule = "object.spec.replicas <= 5 && object.metadata.name == 'web'"
    assert main(["cel", rule, "-f", "web.yaml", "--explain"]) == 1
    assert capsys.readouterr().out.splitlines()[5:] == [
        "COST  VALUE          EXPRESSION",
        '   4  false          object.spec.replicas <= 5 && object.metadata.name == "web"',
        "   4  false            object.spec.replicas <= 5",
        "   3  7                  object.spec.replicas",
        '      not evaluated    object.metadata.name == "web"',
        "      not evaluated      object.metadata.name",
    ]
    assert main(["cel", rule, "-f", "web.yaml", "--explain", "-o", "json"]) == 1
    root = msgspec.json.decode(capsys.readouterr().out)["explanation"]
    assert root["parts"][0]["parts"] == [
        {"expression": "object.spec.replicas", "evaluated": True, "value": 7, "cost": 3}
    ]


def test_an_explanation_reaches_to_where_it_ended(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cel", "object.a.b == 1", "-f", "web.yaml", "--explain"]) == 3
    assert "   2  error: no such key: a    object.a.b\n" in capsys.readouterr().out
    assert main(["cel", "[1, 2].map(x, x * x)", "--explain", "--cost-limit", "3"]) == 3
    assert "   4  error: operation cancelled: actual cost… " in capsys.readouterr().out


def test_sizes_in_a_schema_bound_the_estimate(capsys: pytest.CaptureFixture[str]) -> None:
    rule = "self.spec.names.all(n, n.startsWith('x'))"
    assert main(["cel", rule, "--as", "self", "--schema", "crd.yaml", "--check"]) == 0
    assert "estimate  4 to 54\n" in capsys.readouterr().out


def test_a_value_that_cannot_be_shown_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    deep = f"x={'[' * 700}{']' * 700}"
    assert main(["cel", "x", "--var", deep]) == 3
    assert "nests too deeply to be shown" in capsys.readouterr().err
    assert main(["cel", "size(x) == 1", "--var", deep]) == 0
