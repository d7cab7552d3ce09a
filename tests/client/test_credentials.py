"""Tokens stay fresh; credential programs run when they must and are checked."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kajitori.client.config import ClusterConfig, ExecConfig, UserConfig
from kajitori.client.credentials import CredentialError, Credentials, credentials_of

V1 = "client.authentication.k8s.io/v1"
CLUSTER = ClusterConfig("https://one", ca_data=b"pem", exec_extension={"audience": "a"})


class HandClock:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


def test_a_token_file_is_read_again_once_a_minute(tmp_path: Path) -> None:  # E1
    path, clock = tmp_path / "token", HandClock()
    path.write_text("one\n")
    credentials = credentials_of(UserConfig(token="ignored", token_file=str(path)), CLUSTER, clock)

    async def read() -> list[str]:
        got = [(await credentials.get()).token]
        path.write_text("two\n")
        got.append((await credentials.get()).token)
        clock.seconds = 61
        got.append((await credentials.get()).token)
        path.unlink()
        clock.seconds = 130
        got.append((await credentials.get()).token)
        return got

    assert asyncio.run(read()) == ["one", "one", "two", "two"]


def test_a_missing_token_file_is_told() -> None:
    credentials = credentials_of(UserConfig(token_file="/nowhere/token"), CLUSTER, HandClock())
    with pytest.raises(CredentialError, match="/nowhere/token"):
        asyncio.run(credentials.get())


def program(
    tmp_path: Path, printed: Any, *, code: int = 0, **options: Any
) -> tuple[Credentials, HandClock, Path]:
    """A program that prints, and notes that it ran and what it was told."""
    notes, clock = tmp_path / "notes", HandClock()
    text = printed if isinstance(printed, str) else msgspec.json.encode(printed).decode()
    script = (
        "import os, sys\n"
        f"open({str(notes)!r}, 'a').write(os.environ['KUBERNETES_EXEC_INFO'] + os.environ.get('EXTRA', '') + '\\n')\n"
        f"print({text!r})\nsys.exit({code})\n"
    )
    config = ExecConfig(V1, sys.executable, ["-I", "-S", "-c", script], **options)
    return credentials_of(UserConfig(exec=config), CLUSTER, clock), clock, notes


def printed(**status: Any) -> dict[str, Any]:
    return {"apiVersion": V1, "kind": "ExecCredential", "status": status}


def test_a_program_runs_once_until_its_credential_expires_or_is_refused(tmp_path: Path) -> None:  # E2
    credentials, clock, notes = program(
        tmp_path, printed(token="t", expirationTimestamp="2026-01-01T00:10:00Z")
    )

    async def use() -> list[int]:
        runs = list[int]()
        got = await asyncio.gather(*(credentials.get() for _ in range(5)))
        assert {each.token for each in got} == {"t"}
        runs.append(len(notes.read_text().splitlines()))
        clock.seconds = 601
        await credentials.get()
        runs.append(len(notes.read_text().splitlines()))
        clock.seconds = 0
        assert credentials.refused(got[0])
        await credentials.get()
        runs.append(len(notes.read_text().splitlines()))
        return runs

    assert asyncio.run(use()) == [1, 2, 3]


def test_a_program_is_told_about_the_cluster_when_it_wants(tmp_path: Path) -> None:
    credentials, _, notes = program(
        tmp_path, printed(token="t"), env={"EXTRA": "!"}, provide_cluster_info=True, interactive_mode="Never"
    )
    asyncio.run(credentials.get())
    told = notes.read_text().strip()
    assert told.endswith("!") and msgspec.json.decode(told[:-1]) == {
        "kind": "ExecCredential",
        "apiVersion": V1,
        "spec": {
            "interactive": False,
            "cluster": {
                "server": "https://one",
                "certificate-authority-data": "cGVt",
                "config": {"audience": "a"},
            },
        },
    }


def test_a_program_may_give_a_certificate(tmp_path: Path) -> None:
    credentials, _, _ = program(tmp_path, printed(clientCertificateData="c", clientKeyData="k"))
    got = asyncio.run(credentials.get())
    assert (got.token, got.certificate, got.key) == ("", b"c", b"k")


@pytest.mark.parametrize(
    ("output", "code", "told"),
    [
        ("hello", 0, "not JSON"),
        ("{}", 0, "printed no ExecCredential"),
        ({"apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential"}, 0, "is to print"),
        ({"apiVersion": V1, "kind": "ExecCredential"}, 0, "without status"),
        (printed(), 0, "neither a token nor"),
        (printed(clientKeyData="k"), 0, "without its key"),
        (printed(token="t", expirationTimestamp="soon"), 0, "no time"),
        (printed(token="t"), 3, "exit code 3"),
    ],
)
def test_what_a_program_gets_wrong_is_told(tmp_path: Path, output: Any, code: int, told: str) -> None:  # E3
    credentials, _, _ = program(tmp_path, output, code=code)
    with pytest.raises(CredentialError, match=told) as caught:
        asyncio.run(credentials.get())
    assert not caught.value.sent


def test_a_program_that_is_missing_is_told_with_its_hint() -> None:  # E3
    config = ExecConfig(V1, "/nowhere/login", install_hint="install login")
    credentials = credentials_of(UserConfig(exec=config), CLUSTER, HandClock())
    with pytest.raises(CredentialError, match="install login"):
        asyncio.run(credentials.get())
