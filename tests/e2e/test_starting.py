"""`kajitori up` where it cannot start: one sentence that says why, and what would help; nothing is changed."""

import os
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.https import Access, Api
from tests.support.server import Ended, UpProcess, kajitori

pytestmark = pytest.mark.e2e

SECONDS_MAX = 20.0


def refused(folder: Path, *arguments: str) -> str:
    """The sentence with which a start ends; everything else about such an end is checked here."""
    kubeconfig = folder / "kubeconfig-of-a-refused-start"
    words = list(arguments)
    if "--port" not in words:
        words += ["--port", "0"]
    if "--kubeconfig" not in words:
        words += ["--kubeconfig", str(kubeconfig)]
    ran = subprocess.run(kajitori("up", *words), capture_output=True, text=True, timeout=SECONDS_MAX)
    assert (ran.returncode, ran.stdout) == (1, ""), ran
    assert ran.stderr.startswith("kajitori up: ") and ran.stderr.count("\n") == 1, ran.stderr
    assert not kubeconfig.exists()
    return ran.stderr.removeprefix("kajitori up: ").rstrip("\n")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The data directory of a server that has been stopped."""
    with UpProcess(tmp_path / "earlier", "--api-only") as up:
        pass
    return up.data_dir


@pytest.fixture
def disk(tmp_path: Path) -> Iterator["Disk"]:
    disk = Disk(tmp_path / "disk")
    yield disk
    disk.unmount()


class Disk:
    """A file system of its own, small or read-only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mounted = False

    def mount(self, options: str) -> Path:
        """Mounts it, or mounts it again with other options."""
        if os.geteuid() != 0:
            pytest.skip("only root may mount a file system")
        self.path.mkdir(exist_ok=True)
        again = "remount," if self._mounted else ""
        command = ["mount", "-t", "tmpfs", "-o", f"{again}{options}", "tmpfs", str(self.path)]
        ran = subprocess.run(command, capture_output=True, text=True)
        if ran.returncode != 0:
            pytest.skip(f"no file system can be mounted here: {ran.stderr.strip()}")
        self._mounted = True
        return self.path

    def unmount(self) -> None:
        if self._mounted:
            subprocess.run(["umount", "--lazy", str(self.path)], check=True)


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = refused(tmp_path, "--memory", "--port", port)
    assert told == (
        f"cannot listen on 127.0.0.1:{port}: the port is in use; stop what uses it, or choose another with --port"
    )


def test_an_address_of_another_machine(tmp_path: Path) -> None:
    told = refused(tmp_path, "--memory", "--host", "203.0.113.1", "--port", "6443")
    assert told == (
        "cannot listen on 203.0.113.1:6443: this machine has no such address; choose another with --host"
    )


def test_a_data_directory_that_another_process_has(tmp_path: Path) -> None:
    with UpProcess(tmp_path / "first", "--api-only") as up:
        told = refused(tmp_path, "--data-dir", str(up.data_dir))
        assert told == (
            f"{up.data_dir}/state.db: the store is in use by process {up.pid}; stop it first or use another file"
        )
        with Api(Access.of(up.kubeconfig)) as api:
            assert api.request("GET", "/readyz").status == 200


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "state.db").write_text("my diary\n")
    told = refused(tmp_path, "--data-dir", str(folder))
    assert told == f"{folder}/state.db: this is not a database; use another file"
    assert (folder / "state.db").read_text() == "my diary\n"


def test_a_database_of_another_program(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    with sqlite3.connect(folder / "state.db") as database:
        database.execute("CREATE TABLE diary (entry TEXT)")
    database.close()
    before = (folder / "state.db").read_bytes()
    told = refused(tmp_path, "--data-dir", str(folder))
    assert told == f"{folder}/state.db: this database belongs to another program; use another file"
    assert (folder / "state.db").read_bytes() == before


def test_a_store_of_a_later_version(tmp_path: Path, kept: Path) -> None:
    database = sqlite3.connect(kept / "state.db")
    database.execute("PRAGMA user_version = 99")
    database.close()
    before = (kept / "state.db").read_bytes()
    told = refused(tmp_path, "--data-dir", str(kept))
    assert told.startswith(f"{kept}/state.db: the store has format 99 and this version reads up to ")
    assert told.endswith("use the version that wrote it")
    assert (kept / "state.db").read_bytes() == before


@pytest.mark.parametrize("where", ["middle", "end"])
def test_a_damaged_store(tmp_path: Path, kept: Path, where: str) -> None:
    content = (kept / "state.db").read_bytes()
    half = len(content) // 2
    damaged = content[:half] if where == "end" else content[:half] + b"\xff" * 8192 + content[half + 8192 :]
    (kept / "state.db").write_bytes(damaged)
    told = refused(tmp_path, "--data-dir", str(kept))
    assert told.startswith(f"{kept}/state.db: the store is damaged (") and told.endswith("restore a backup")
    assert (kept / "state.db").read_bytes() == damaged


@pytest.mark.parametrize("name", ["ca.crt", "ca.key", "sa.key"])
def test_a_damaged_key_or_certificate(tmp_path: Path, kept: Path, name: str) -> None:
    (kept / "pki" / name).write_text("nonsense")
    before = contents(kept)
    told = refused(tmp_path, "--data-dir", str(kept))
    assert told.startswith(f"{kept}/pki/{name}: the file is damaged; restore a backup")
    assert contents(kept) == before


def test_a_file_where_a_directory_should_be(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("mine")
    told = refused(tmp_path, "--data-dir", str(tmp_path / "data"))
    assert told == f"cannot use the data directory {tmp_path}/data: it is a file"
    told = refused(tmp_path, "--data-dir", str(tmp_path / "data/below"))
    assert told == f"cannot use the data directory {tmp_path}/data/below: Not a directory"
    assert (tmp_path / "data").read_text() == "mine"


def test_a_directory_that_may_not_be_written(tmp_path: Path, disk: Disk) -> None:
    folder = disk.mount("ro")
    told = refused(tmp_path, "--data-dir", str(folder / "data"))
    assert told == f"cannot use the data directory {folder}/data: Read-only file system"


def test_a_store_that_may_not_be_written(tmp_path: Path, disk: Disk) -> None:
    folder = disk.mount("size=20m")
    with UpProcess(tmp_path / "up", "--api-only", "--data-dir", str(folder)):
        pass
    disk.mount("ro")
    told = refused(tmp_path, "--data-dir", str(folder))
    assert told == f"{folder}/state.db: the file and its directory must be writable (Read-only file system)"


def test_a_disk_without_room(tmp_path: Path, disk: Disk) -> None:
    folder = disk.mount("size=16k")
    told = refused(tmp_path, "--data-dir", str(folder / "data"))
    assert told == f"{folder}/data/state.db: no room is left on the disk; free some space and try again"


def test_a_disk_that_becomes_full_is_told_of_and_recovers(tmp_path: Path, disk: Disk) -> None:
    folder = disk.mount("size=8m")
    configmaps = "/api/v1/namespaces/default/configmaps"
    with UpProcess(tmp_path / "up", "--api-only", "--data-dir", str(folder)) as up:
        with Api(Access.of(up.kubeconfig)) as api:
            written = 0
            while True:
                name = f"c{written}"
                answer = api.request(
                    "POST", configmaps, {"metadata": {"name": name}, "data": {"a": "x" * 500_000}}
                )
                if answer.status != 201:
                    break
                written += 1
            assert (answer.status, answer.reason) == (500, "InternalError")
            assert "nothing was written: no room is left on the disk" in answer.message
            assert len(api.get(configmaps)["items"]) == written
            disk.mount("size=40m")
            answer = api.request("POST", configmaps, {"metadata": {"name": name}})
            assert answer.status == 201
        ended = up.end()
        assert ended.code == 0
        assert "no room is left on the disk" in ended.err and "Traceback" not in ended.err
        with up, Api(Access.of(up.kubeconfig)) as api:
            assert len(api.get(configmaps)["items"]) == written + 1


def test_token_files(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    told = refused(tmp_path, "--memory", "--token-auth-file", str(file))
    assert told == f"cannot read the token file {file}: No such file or directory"
    file.write_text("token,name\n")
    told = refused(tmp_path, "--memory", "--token-auth-file", str(file))
    assert told.startswith(f"token file '{file}' must have at least 3 columns")
    file.write_bytes(b"\xff\xfe\x00")
    assert (
        refused(tmp_path, "--memory", "--token-auth-file", str(file)) == f"token file '{file}' is not UTF-8"
    )


def test_client_ca_files(tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    told = refused(tmp_path, "--memory", "--client-ca-file", str(file))
    assert told == f"cannot read the client CA file {file}: No such file or directory"
    file.write_text("nonsense")
    told = refused(tmp_path, "--memory", "--client-ca-file", str(file))
    assert told == f"cannot use the client CA file {file}: no certificate is in it"


def test_kubeconfigs(tmp_path: Path) -> None:
    file = tmp_path / "config"
    for content in ("a: [b", "- a\n- b\n", "kind: Pod\n"):
        file.write_text(content)
        assert refused_after_starting(tmp_path, file).startswith(f"{file} is not ")
        assert file.read_text() == content
    told = refused_after_starting(tmp_path, tmp_path)
    assert told == f"cannot write the kubeconfig {tmp_path}: Is a directory"


def refused_after_starting(folder: Path, kubeconfig: Path) -> str:
    return refused(folder, "--memory", "--api-only", "--kubeconfig", str(kubeconfig))


@pytest.mark.parametrize(
    ("flag", "value", "sentence"),
    [
        ("--enable-admission-plugins", "Nope", "unknown admission plugin Nope; known are "),
        ("--disable-admission-plugins", "Nope", "unknown admission plugin Nope; known are "),
        ("--without", "nope", "unknown operator nope; known are kubewarden, mysql"),
        ("--service-cluster-ip-range", "x", "service range x: "),
        ("--service-cluster-ip-range", "10.0.0.0/33", "service range 10.0.0.0/33: "),
        ("--service-cluster-ip-range", "10.0.0.1/16", "service range 10.0.0.1/16: "),
        (
            "--service-cluster-ip-range",
            "10.0.0.0/31",
            "service range 10.0.0.0/31: use one of at least 8 addresses",
        ),
    ],
)
def test_values_of_flags(tmp_path: Path, flag: str, value: str, sentence: str) -> None:
    assert refused(tmp_path, "--memory", flag, value).startswith(sentence)


@pytest.mark.parametrize("words", [["--port", "70000"], ["--port", "x"], ["--nope"], ["extra"]])
def test_a_wrong_command_line(words: list[str]) -> None:
    ran = subprocess.run(
        kajitori("up", "--memory", *words), capture_output=True, text=True, timeout=SECONDS_MAX
    )
    assert ran.returncode == 2 and ran.stdout == "" and "Traceback" not in ran.stderr
    assert ran.stderr.splitlines()[-1].startswith("kajitori up: ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_either_signal_ends_it_well(tmp_path: Path, number: signal.Signals) -> None:
    with UpProcess(tmp_path, "--memory") as up:
        ended = up.end(number)
    assert ended == Ended(0, ended.out, "") and ended.out.endswith("\nStopping ...\nStopped.\n")


def test_a_watcher_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    from tests.support.https import RawConnection

    with UpProcess(tmp_path, "--memory") as up, RawConnection(Access.of(up.kubeconfig)) as raw:
        raw.send(raw.head("GET /api/v1/namespaces?watch=1 HTTP/1.1"))
        raw.receive_until(b"}\n")
        ended = up.end()
        assert ended.code == 0 and ended.err == ""
        assert raw.rest().endswith(b"0\r\n\r\n")
