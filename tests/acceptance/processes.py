"""
The command as its users run it: in processes of its own, with their settings in the environment.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import orjson

CALSAGA = str(Path(sys.executable).parent / "calsaga")


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """
    Return the settings of an installation in a folder.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CALSAGA_")}
    return {**kept, "CALSAGA_DATABASE_URL": f"sqlite:///{folder}/calsaga.db", "NO_COLOR": "1", **settings}


def calsaga(
    *arguments: str, settings: Mapping[str, str], stdin: str | None = None, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """
    Run a command to its end.
    """
    return subprocess.run(
        [CALSAGA, *arguments],
        env=dict(settings),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@contextmanager
def running(*arguments: str, settings: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """
    Run a command for as long as the block lasts, and end it by SIGTERM.
    """
    process = subprocess.Popen(
        [CALSAGA, *arguments], env=dict(settings), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=20)


@contextmanager
def sandbox(*arguments: str, settings: Mapping[str, str]) -> Iterator[str]:
    """
    Run a sandbox, and return its address.
    """
    with running("sandbox", "--port", "0", *arguments, settings=settings) as process:
        assert process.stdout is not None
        yield str(orjson.loads(process.stdout.readline())["url"])
