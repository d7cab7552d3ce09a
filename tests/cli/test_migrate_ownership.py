"""`kajitori migrate-ownership`: which command lines are refused, before any cluster is asked."""

import pytest

from kajitori.cli.main import main


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "name objects as KIND/NAME, e.g. deployment/web, or give their manifests with -f"),
        (
            ("cm/a", "-f", "x.yaml"),
            "name objects as KIND/NAME, e.g. deployment/web, or give their manifests with -f",
        ),
        (("-f", "x.yaml", "-l", "a=b"), "-f names its objects; -l, -A and --all go with KIND"),
        (("cm", "-A", "-n", "x"), "-n and -A: it is either one namespace or all of them"),
        (("cm",), "cm: all of them? Say so with --all or -A, select some with -l, or name them: cm/NAME"),
        (("cm/a", "b"), "b: KIND/NAME is meant here"),
        (("cm/",), "cm/: KIND/NAME is meant here"),
        (("cm/a", "-A"), "cm/a is one object; -l, -A and --all go with KIND alone"),
        (("cm", "a", "--all"), "a is one object; -l, -A and --all go with KIND alone"),
        (
            ("cm/a", "--from", ","),
            "--from and --to: both name field managers, e.g. --from kubectl-client-side-apply",
        ),
        (
            ("cm/a", "--to", ""),
            "--from and --to: both name field managers, e.g. --from kubectl-client-side-apply",
        ),
    ],
)
def test_what_cannot_be_meant(words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate-ownership", *words]) == 2
    assert capsys.readouterr().err == f"kajitori migrate-ownership: {told}\n"
