"""
What the README tells people to type, typed into a shell of somebody who has just cloned the project.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from socket import create_server
from zoneinfo import ZoneInfo

import psutil
import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
SHELL = "set -euo pipefail\n"


def block(heading: str, language: str, *, nth: int = 0) -> str:
    """
    Return a block of code of a section.
    """
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    return blocks[nth]


class NewcomersShell:
    """
    Bash in a fresh clone, with an empty home and nothing else.
    """

    def __init__(self, folder: Path) -> None:
        home = folder / "home"
        home.mkdir()
        (folder / ".venv").symlink_to(ROOT / ".venv" if (ROOT / ".venv").exists() else Path(sys.prefix))
        self.folder = folder
        self.environment = {"HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin", "NO_COLOR": "1"}
        self._ports = {port: str(free_port()) for port in ("4010", "8000")}
        self._first: subprocess.Popen[bytes] | None = None

    def stay(self, script: str) -> str:
        """
        Run a script whose servers go on running, and return what it says.
        """
        said, done = self.folder / "said", self.folder / "done"
        with said.open("wb") as out, (self.folder / "complaints").open("wb") as complaints:
            self._first = subprocess.Popen(
                ["/bin/bash", "-c", f"{SHELL}{self._moved(script)}\nenv > {done}.part; mv {done}.part {done}; wait"],
                cwd=self.folder,
                env=self.environment,
                stdout=out,
                stderr=complaints,
            )
        deadline = time.monotonic() + 60
        while not done.exists() and self._first.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert done.exists(), (self.folder / "complaints").read_text()
        self.environment = dict(line.split("=", 1) for line in done.read_text().splitlines() if "=" in line)
        return said.read_text()

    def run(self, script: str) -> str:
        """
        Run a script to its end, and return what it says.
        """
        finished = subprocess.run(
            ["/bin/bash", "-c", SHELL + self._moved(script)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert 0 == finished.returncode, finished.stderr
        return finished.stdout

    def end(self) -> None:
        """
        End the servers.
        """
        if self._first is not None:
            if self._first.poll() is None:
                for process in psutil.Process(self._first.pid).children():
                    process.terminate()
            self._first.wait(timeout=20)

    def _moved(self, script: str) -> str:
        # The README's ports may be somebody else's on this machine.
        for port, free in self._ports.items():
            script = script.replace(port, free)
        return script


def free_port() -> int:
    with create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[NewcomersShell]:
    opened = NewcomersShell(tmp_path)
    yield opened
    opened.end()


def in_berlin(*, days: int) -> datetime:
    day = datetime.now(ZoneInfo("Europe/Berlin")) + timedelta(days=days)
    return day.replace(hour=11, minute=0, second=0, microsecond=0)


@pytest.mark.slow
def test_everything_under_book_something_yourself_works_as_it_is_written(shell: NewcomersShell) -> None:
    said = shell.stay(block("Book something yourself", "sh"))
    booked = json.loads(said.splitlines()[-1])["booking"]
    asked = re.sub(r"\bID\b", booked["id"], block("Book something yourself", "sh", nth=1))
    program = f"{block('What callers are told', 'python')}\nimport asyncio, sys\nfrom datetime import datetime\n"
    (shell.folder / "program.py").write_text(
        f"{program}print(asyncio.run(book(datetime.fromisoformat(sys.argv[1]))).value)\n"
    )
    with ThreadPoolExecutor() as at_once:
        from_python = at_once.submit(shell.run, f"python3 program.py {in_berlin(days=4).isoformat()}")
        told = shell.run(asked)

    assert ("booked", "booked\n") == (booked["status"], from_python.result())
    assert "booking.appointment-booked.v1" in told
    assert "0 differences" in told


def test_every_command_that_is_named_exists() -> None:
    from adapters.cli.app import app  # noqa: PLC0415 - loading it is what `calsaga` does

    known = {one.name or (one.callback.__name__ if one.callback else "") for one in app.registered_commands}
    known |= {group.name or "" for group in app.registered_groups}
    named = set(re.findall(r"\bcalsaga ([a-z-]+)\b", "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))))

    assert set() == named - known - {"make"}
    assert {"migrate", "serve", "worker"} <= named


def test_every_target_of_make_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set() == set(re.findall(r"(?:`|^)make ([a-z-]+)", README, re.MULTILINE)) - targets
