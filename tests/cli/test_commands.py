"""The command line: what is understood, what is refused, and how."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from kajitori import __version__
from kajitori.cli.main import CommandError, main
from kajitori.cli.up import options_from

COMMANDS = ("up", "run", "crds", "explain", "cel", "backup", "restore", "version")


def test_the_version_in_every_form(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out.startswith(f"kajitori {__version__}, speaking Kubernetes v1.36.")
    main(["version", "-o", "json"])
    as_json = msgspec.json.decode(capsys.readouterr().out)
    main(["version", "--output", "yaml"])
    assert yaml.safe_load(capsys.readouterr().out) == as_json
    assert as_json["kajitori"] == __version__
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])


def test_help_names_every_command_and_each_has_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    overview = capsys.readouterr().out
    for command in COMMANDS:
        assert f"\n    {command} " in overview
        with pytest.raises(SystemExit, match="0"):
            main([command, "--help"])
        assert f"usage: kajitori {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [[], ["fly"], ["version", "--nope"], ["up", "--nope"], ["explain"], ["cel"]]
)
def test_a_wrong_command_line_is_code_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert "usage: kajitori" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["up", "--port", "70000"], 2, "kajitori up: --port 70000: use a port from 0 to 65535"),
        (
            ["crds", "nope"],
            2,
            "kajitori crds: nope is neither an operator (kubewarden, mysql) nor a module that is found from",
        ),
        (
            ["crds", "no_such_module:X"],
            2,
            "kajitori crds: no_such_module:X: there is no module no_such_module",
        ),
        (["crds", "pathlib:Path"], 2, "kajitori crds: pathlib: Path is not a class declared with @kind"),
        (
            ["run", "kubewarden", "--webhook-address", "0.0.0.0:1"],
            2,
            "kajitori run: --webhook-address 0.0.0.0:1: say with --webhook-host what the API server calls this host",
        ),
        (
            ["run", "nope"],
            2,
            "kajitori run: nope is neither an operator (kubewarden, mysql) nor a module that is found from ",
        ),
        (["run", "math:pi"], 2, "kajitori run: math:pi: pi must be a function of one argument"),
        (
            ["run", "mysql", "--metrics-bind-address", "x"],
            2,
            "kajitori run: --metrics-bind-address x: write it as HOST:PORT",
        ),
        (["run", "mysql", "--kubeconfig", "/nope"], 1, "kajitori run: "),
        (
            ["run", "mysql", "-n", "a,B"],
            2,
            "kajitori run: --namespace B: a lowercase RFC 1123 label must consist of",
        ),
        (["explain", "mysqlcluster"], 2, "kajitori explain: mysqlcluster: name the object as KIND/NAME"),
        (["explain", "pod/x"], 2, "kajitori explain: no operator explains pod; use one of"),
        (["explain", "mysqlcluster/x", "--kubeconfig", "/nope"], 1, "kajitori explain: "),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    words: list[str], code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == code
    told = capsys.readouterr()
    assert told.out == "" and told.err.startswith(sentence) and told.err.count("\n") == 1


def test_crds_are_yaml_documents_for_kubectl(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crds"]) == 0
    documents: list[Any] = list(yaml.safe_load_all(capsys.readouterr().out))
    assert {each["metadata"]["name"] for each in documents} == {
        "mysqlclusters.moco.cybozu.com",
        "backuppolicies.moco.cybozu.com",
        "policyservers.policies.kubewarden.io",
        "admissionpolicies.policies.kubewarden.io",
        "admissionpolicygroups.policies.kubewarden.io",
        "clusteradmissionpolicies.policies.kubewarden.io",
        "clusteradmissionpolicygroups.policies.kubewarden.io",
    }
    for each in documents:
        assert each["kind"] == "CustomResourceDefinition" and each["spec"]["versions"][0]["schema"]


def test_options_of_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    options, kubeconfig = options_from([])
    assert (options.data_dir, options.host, options.port) == (Path("kajitori-data"), "127.0.0.1", 6443)
    assert kubeconfig == tmp_path / ".kube/config"
    options, kubeconfig = options_from(
        ["--memory", "--without", "mysql,other", "--without", "third", "--enable-admission-plugins", "A, B"]
    )
    assert options.data_dir is None and options.without == {"mysql", "other", "third"}
    assert options.enable_admission_plugins == ("A", "B")
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/first:{tmp_path}/second")
    assert options_from([])[1] == tmp_path / "first"
    assert options_from(["--kubeconfig", "mine"])[1] == Path("mine")
    with pytest.raises(CommandError, match="use a port from 0 to 65535"):
        options_from(["--port", "-1"])


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    ran = subprocess.run(
        f"{sys.executable} -m kajitori crds | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout and "Traceback" not in ran.stderr, ran.stderr
