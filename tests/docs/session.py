"""One reader at a terminal, with a cluster: runs a page's snippets in order.

Promises
    D1  everything happens in a folder of its own, which is also the home directory; ports are free ones
    D2  what a page shows is compared with what was printed; without anything shown, only success counts
    D3  when the session ends, its server has ended
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml
from tests.docs.pages import ROOT, Command, Snippet, commands, matches
from tests.support.server import kajitori

COMMAND_SECONDS_MAX = 30.0
"""No command of a page takes longer, on the slowest machine."""
SETTLED_SECONDS_MAX = 5.0
"""How long controllers may take to bring about what a page shows."""
DEFAULT_PORT = "6443"
_CONFIGURATION = ("audit.k8s.io/", "apiserver.config.k8s.io/", "policy.kajitori.dev/")
"""Groups of what a server reads from files, and never serves."""
_COMPLAINS = re.compile(r"[Ee]rror\b|The .* is invalid: |kajitori [\w-]+: ")
_READS = re.compile(r"kubectl (get|describe|events|explain)\b")


class Session:
    """The state between the snippets of a page: files, and a server that is started when first needed."""

    def __init__(self, folder: Path, kubectl: Path) -> None:
        self._folder = folder
        folder.joinpath("docs").symlink_to(ROOT / "docs")
        # kubectl may lie beside other commands: a link gives the page this one, and nothing else.
        tools = folder / ".tools"
        tools.mkdir()
        tools.joinpath("kubectl").symlink_to(kubectl)
        self._environment = {
            "HOME": str(folder),
            "PATH": os.pathsep.join([str(tools), str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
            "LANG": "C.UTF-8",
            # The code that lies here, wherever the one that is installed does, and its plugin with it.
            "PYTHONPATH": str(ROOT / "src"),
            "PYTEST_PLUGINS": "kajitori.pytest_plugin",
        }
        self._exports: list[str] = []
        self._named: dict[str, str] = {}
        """Python files that a page has written, and not run yet, with where they stand."""
        self._programs: list[subprocess.Popen[str]] = []
        """What goes on until the page ends: first the server, then what was run beside it."""
        self._ports = ("", "")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._end()
            return
        self._stop()
        assert not self._named, f"written and never run: {self._named}"

    def run(self, snippet: Snippet) -> None:
        """Does what the convention says about a block of this language."""
        match snippet.language:
            case "console":
                for command in commands(snippet):
                    self._type(snippet, command)
            case "python":
                self._python(snippet)
            case "yaml":
                self._yaml(snippet)
            case _:
                assert snippet.language == "text", f"{snippet.where}: `{snippet.language}` is none of ours"

    # Commands.

    def _type(self, snippet: Snippet, command: Command) -> None:
        where = f"{snippet.page.relative_to(ROOT)}:{command.line}: $ {command.text}"
        words = shlex.split(command.text, comments=True)
        if words[0] == "make":
            self._make(where, words[1:], command)
        elif words[:2] == ["kajitori", "up"]:
            self._up(where, words[2:], command)
        elif words[:2] == ["kajitori", "run"]:
            self._need_server()
            self._compare(where, command, self._launch(words[1:]))
        elif words[:2] == ["kajitori", "dev"] and "--once" not in words:
            self._compare(where, command, self._launch(words[1:]))
        elif words[0] == "export":
            self._exports.append(command.text)
        else:
            self._execute(where, command)
        for name in [name for name in self._named if Path(name).stem in command.text]:
            del self._named[name]

    def _make(self, where: str, words: list[str], command: Command) -> None:
        target, *settings = words
        makefile = (ROOT / "Makefile").read_text()
        assert re.search(rf"(?m)^{re.escape(target)}:", makefile), f"{where}\nthe Makefile has no such target"
        if target == "up":
            given = dict(each.split("=", 1) for each in settings)
            self._up(where, shlex.split(given.get("ARGS", "")), command)
        else:
            assert not command.expected, f"{where}\nis not run, so nothing can be shown beneath it"

    def _up(self, where: str, arguments: list[str], command: Command) -> None:
        self._compare(where, command, self._start(arguments))

    def _execute(self, where: str, command: Command) -> None:
        self._need_server()
        fails = bool(command.expected) and _COMPLAINS.match(command.expected[0]) is not None
        deadline = time.monotonic() + (SETTLED_SECONDS_MAX if _READS.match(command.text) else 0)
        while True:
            done = self._sh(command.text)
            as_shown = (done.returncode != 0) == fails and self._is_shown(command, done.stdout)
            if as_shown or time.monotonic() >= deadline:
                break
        assert (done.returncode != 0) == fails, f"{where}\nexit code {done.returncode}\n{done.stdout}"
        self._compare(where, command, done.stdout)

    def _is_shown(self, command: Command, printed: str) -> bool:
        return not command.expected or matches(command.expected, self._as_the_page_means(printed))

    def _as_the_page_means(self, printed: str) -> str:
        actual, shown = self._ports
        return printed.replace(f":{actual}", f":{shown}") if actual else printed

    def _compare(self, where: str, command: Command, printed: str) -> None:
        if not self._is_shown(command, printed):
            expected = "\n".join(command.expected)
            printed = self._as_the_page_means(printed)
            raise AssertionError(f"{where}\n--- the page says\n{expected}\n--- printed\n{printed}")

    def _sh(self, text: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["sh", "-c", "\n".join([*self._exports, text])],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # a page has no terminal, whoever runs it
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )

    # Files.

    def _python(self, snippet: Snippet) -> None:
        if name := snippet.file_name:
            self._write(snippet, name)
            compile(snippet.text, snippet.where, "exec")
            self._named[name] = snippet.where
            return
        self._need_server()
        path = self._folder / f"snippet-{snippet.line}.py"
        path.write_text(snippet.text)
        done = self._sh(f"{shlex.quote(sys.executable)} {path.name}")
        assert done.returncode == 0, f"{snippet.where}\n{done.stdout}"

    def _yaml(self, snippet: Snippet) -> None:
        name = snippet.file_name
        assert name, f"{snippet.where}: begin with a comment that names the file, `# name.yaml`"
        objects = [each for each in yaml.safe_load_all(snippet.text) if each is not None]
        assert objects, f"{snippet.where}: nothing in it"
        self._write(snippet, name)
        if all(
            isinstance(each, dict)
            and {"apiVersion", "kind"} <= each.keys()
            and not each["apiVersion"].startswith(_CONFIGURATION)
            for each in objects
        ):
            self._need_server()
            done = self._sh(f"kubectl apply --dry-run=server --filename {shlex.quote(name)}")
            assert done.returncode == 0, f"{snippet.where}\n{done.stdout}"

    def _write(self, snippet: Snippet, name: str) -> None:
        """A file of the repository must be shown as it is; any other is written."""
        known = ROOT / name
        if known.exists():
            content = "\n".join(snippet.lines[1:]).strip()
            assert content == known.read_text().strip(), f"{snippet.where}: {name} says something else"
            return
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(snippet.text)

    # The server, and what runs beside it.

    def _need_server(self) -> None:
        if not self._programs:
            self._start(["--memory"])

    def _start(self, arguments: list[str]) -> str:
        """Starts `kajitori up`; whatever runs is stopped first, as by Ctrl-C. Gives its screen."""
        self._stop()
        shown = DEFAULT_PORT
        if "--port" in arguments:
            at = arguments.index("--port")
            shown = arguments[at + 1]
            arguments = [*arguments[:at], *arguments[at + 2 :]]
        screen = self._launch(["up", *arguments, "--port", "0"])
        address = re.search(r"https://[^:\s]+:(\d+)", screen)
        assert address, f"no address in {screen}"
        self._ports = (address[1], address[1] if shown == "0" else shown)
        return screen

    def _launch(self, words: list[str]) -> str:
        """Starts a command that goes on; gives what it printed until it was ready."""
        exported = dict(each.removeprefix("export ").split("=", 1) for each in self._exports)
        program = subprocess.Popen(
            kajitori(*words),
            cwd=self._folder,
            env=self._environment | exported,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._programs.append(program)
        assert program.stdout is not None, "a pipe was asked for"
        limit = threading.Timer(COMMAND_SECONDS_MAX, program.kill)
        limit.start()
        screen = ""
        for line in program.stdout:
            screen += line
            if "Stop with Ctrl-C" in line:
                break
        limit.cancel()
        assert "Stop with Ctrl-C" in screen, f"kajitori {words} did not start:\n{screen}"
        return screen

    def _stop(self) -> None:
        """Ends everything as Ctrl-C does, the last one first."""
        while self._programs:
            program = self._programs.pop()
            program.send_signal(signal.SIGINT)
            try:
                printed, _ = program.communicate(timeout=COMMAND_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self._programs.append(program)
                self._end()
                raise
            assert program.returncode == 0, f"{program.args!r} ended with {program.returncode}:\n{printed}"

    def _end(self) -> None:
        """Ends everything, whatever it does: the page has failed already."""
        for program in self._programs:
            program.kill()
            program.communicate()
