"""Command lines of kubectl: what is meant, by named cases; the real kubectl judges random ones in tests/e2e."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.wire.kubectl import Target, commands, parse, targets_of


@pytest.mark.parametrize(
    ("text", "verb", "arguments"),
    [
        ("delete pod x", "delete", "pod x"),
        ("-n prod delete pod x", "delete", "pod x"),
        ("--namespace=prod delete pod x", "delete", "pod x"),
        ("--context prod rollout -n a restart deploy/web", "rollout restart", "deploy/web"),
        ("rollout restart deploy web", "rollout restart", "deploy web"),
        ("delete -n delete pod delete", "delete", "pod delete"),
        ("create svc clusterip a", "create service clusterip", "a"),
        ("exec -it web -- delete pod x", "exec", "web delete pod x"),
        ("--insecure-skip-tls-verify delete pod x", "delete", "pod x"),
        ("--grace-period 5 delete pod x", "delete", "pod x"),
        ("set image deploy/web a=b", "set image", "deploy/web a=b"),
        ("help delete", "help", "delete"),
    ],
)
def test_the_command_is_found_wherever_flags_stand(text: str, verb: str, arguments: str) -> None:  # K1
    line = parse(text.split())
    assert (" ".join(line.verb), " ".join(line.arguments), line.known) == (verb, arguments, True)


@pytest.mark.parametrize(
    ("text", "flag", "values"),
    [
        ("delete pod x -n a", "namespace", ("a",)),
        ("delete pod x -na", "namespace", ("a",)),
        ("delete pod x -n=a", "namespace", ("a",)),
        ("delete pod x --namespace a --namespace=b", "namespace", ("a", "b")),
        ("delete pods -An a", "all-namespaces", ("true",)),
        ("delete pods -An a", "namespace", ("a",)),
        ("delete pods --all=false", "all", ("false",)),
        ("delete -f a.yaml,b.yaml -f -", "filename", ("a.yaml,b.yaml", "-")),
        ("delete pods --field_selector=a=b", "field-selector", ("a=b",)),
        ("delete pods --dry-run", "dry-run", ("true",)),
        ("scale deploy/a --replicas=0 --record", "replicas", ("0",)),
    ],
)
def test_flags_have_the_values_that_kubectl_gives_them(
    text: str, flag: str, values: tuple[str, ...]
) -> None:  # K2
    line = parse(text.split())
    assert line.flags[flag] == values and not line.unsure


@pytest.mark.parametrize(
    "text", ["delete pod x --new-flag", "delete pod -Q", "delete pod -n", "--new-flag delete pod x"]
)
def test_a_flag_that_nobody_knows_makes_everything_unsure(text: str) -> None:  # K3
    line = parse(text.split())
    assert line.unsure and targets_of(line) is None


@pytest.mark.parametrize(
    ("text", "astray"),
    [
        ("delete pod --new", False),
        ("--new delete get pod", True),
        ("--new delete", True),
        ("-f x delete", False),
    ],
)
def test_before_the_command_such_a_flag_leads_astray(text: str, astray: bool) -> None:  # K3
    assert parse(text.split()).astray is astray


def test_a_plugin_is_told_apart() -> None:
    line = parse(["neat", "delete", "-n", "a"])
    assert (line.known, line.verb, line.arguments) == (False, ("neat",), ("delete",))


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("delete pod a b", [Target("pod", ("a", "b"))]),
        ("delete pods,services -l a=b", [Target("pods"), Target("services")]),
        ("delete Deploy/a svc/b", [Target("deploy", ("a",)), Target("svc", ("b",))]),
        ("drain n1", [Target("nodes", ("n1",))]),
        ("exec web -- rm -rf x", [Target("pods", ("web",))]),
        ("logs deploy/web", [Target("deploy", ("web",))]),
        ("label pods a x=y z-", [Target("pods", ("a",))]),
        ("set image deploy/web c=i:1", [Target("deploy", ("web",))]),
        ("cp a:/x b", [Target("pods", ("a",))]),
        ("cp b ns/a:/x", [Target("pods", ("a",))]),
        ("create configmap a", [Target("configmap", ("a",))]),
        ("delete -f x.yaml", None),
        ("delete --raw /api/v1/namespaces/a", None),
        ("version", []),
    ],
)
def test_what_a_command_is_about(text: str, targets: list[Target] | None) -> None:
    assert targets_of(parse(text.split())) == targets


WORDS = st.one_of(
    st.sampled_from(
        ["delete", "rollout", "restart", "pod", "x", "-n", "-A", "--all", "--", "-", "-f", "-it", "="]
    ),
    st.sampled_from(["--namespace", "--namespace=a", "--nothing", "-nq", "--=", "---", "-=", ""]),
    st.text(max_size=6),
)


@given(st.lists(WORDS, max_size=8))
def test_any_words_are_read(words: list[str]) -> None:
    line = parse(words)
    assert line.words == tuple(words)
    targets_of(line)
    if line.known:
        below = commands()
        for word in line.verb:
            below = below.below[word]
        assert set(line.flags) <= set(below.takes_value)
