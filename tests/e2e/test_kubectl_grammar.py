"""The real kubectl judges what we take command lines for: which command, and whether its flags are right."""

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from tests.support.kubectl import minor_of

from kajitori.wire.kubectl import Command, commands, parse

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def every(command: Command) -> list[Command]:
    return [command, *(each for below in command.below.values() for each in every(below))]


def flag(command: Command) -> st.SearchStrategy[list[str]]:
    """A flag of the command, or one that it has not, in one of the forms that there are."""
    letter_of = {name: letter for letter, name in command.letters.items()}

    def forms(name: str) -> st.SearchStrategy[list[str]]:
        letter = letter_of.get(name, "")
        wanted = command.takes_value.get(name)
        if not wanted:
            return st.sampled_from([[f"--{name}"], *([[f"-{letter}"]] if letter else [])])
        values = st.sampled_from(["1", "x", "delete", "pods"])
        written = [[f"--{name}", "%"], [f"--{name}=%"]]
        written += [[f"-{letter}", "%"], [f"-{letter}%"], [f"-{letter}=%"]] if letter else []
        return st.tuples(st.sampled_from(written), values).map(
            lambda pair: [word.replace("%", pair[1]) for word in pair[0]]
        )

    names = [name for name in command.takes_value if name not in ("help", "kuberc", "profile", "version")]
    return st.sampled_from([*names, "no-such-flag"]).flatmap(forms)


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    command = draw(st.sampled_from([each for each in every(commands()) if each.words[:1] != ("help",)]))
    pieces = [[word] for word in command.words]
    for each in draw(st.lists(flag(draw(st.sampled_from([command, commands()]))), max_size=3)):
        pieces.insert(draw(st.integers(0, len(pieces))), each)
    further = draw(st.lists(st.sampled_from([["pods"], ["a/b"], ["restart"]]), max_size=2))
    return [word for piece in (*pieces, *further) for word in piece]


FACTS_OF = 36
"""The minor version of the kubectl whose commands and flags we know."""
_VERB = re.compile(r"(?:See '|^  )kubectl((?: [a-z-]+)*)", re.MULTILINE)
_REFUSED = re.compile(r"unknown (?:shorthand )?flag|flag needs an argument|bad flag syntax")
_OTHERWISE = re.compile(r"unknown command|flags cannot be placed before plugin name|invalid argument")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(words=lines())
@example(words=["--all", "delete", "pods"])
@example(words=["-n", "delete", "delete", "pods"])
@example(words=["rollout", "--context", "x", "restart", "-A"])
def test_kubectl_takes_a_line_as_we_do(words: list[str], kubectl_path: Path, home: Path) -> None:
    """K1, K2, K3: kubectl's help, asked for at the end, is that of the command found; or it refuses a flag."""
    asked = [*words, "--help"]
    environment = {"HOME": str(home), "KUBECONFIG": "/dev/null", "PATH": "/nowhere", "KUBERC": "off"}
    ran = subprocess.run(
        [kubectl_path, *asked],
        env=environment,
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )
    told = ran.stdout + ran.stderr
    line = parse(asked)
    if _REFUSED.search(told):
        if not line.unsure and minor_of(kubectl_path) < FACTS_OF:
            return  # it does not have yet what ours knows
        assert line.unsure, told
    elif not _OTHERWISE.search(told):
        assert not line.unsure, told
        assert line.is_on("help"), told
    if line.known and "Usage:" in ran.stdout:
        usage = ran.stdout.rpartition("Usage:\n")[2]
        found = _VERB.search(usage)
        assert found is not None and f"{found[1].strip()} ".startswith(" ".join(line.verb)), (told, line)
