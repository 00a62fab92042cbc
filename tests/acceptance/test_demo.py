"""
The demo, run as a person runs it: both sides are equal at the end, and nothing is left behind.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.acceptance.processes import CALSAGA, calsaga, environment

NONE_OF_THEM = {"orphans": 0, "ghosts": 0, "doubles": 0, "drifts": 0, "lost": 0}


@pytest.mark.slow
@pytest.mark.parametrize("faults", ["default", "storm"])
def test_both_sides_are_equal_at_the_end(faults: str, tmp_path: Path) -> None:
    arguments = ("demo", "--bookings", "30", "--faults", faults, "--seed", "3", "--json")
    finished = calsaga(*arguments, settings=environment(tmp_path, TMPDIR=str(tmp_path)), timeout=110)
    said = json.loads(finished.stdout)

    assert 0 == finished.returncode, finished.stderr
    assert NONE_OF_THEM.items() <= said.items()
    assert (
        30
        == said["bookings"]
        == sum(said[name] for name in ("booked", "compensated", "refused", "cancelled", "needs_review"))
    )
    assert said["in_doubt"] == said["in_doubt_resolved"] >= 1
    assert 1 <= said["compensated"]
    assert 1 <= said["overtaken_by_the_front_desk"]
    assert 6 <= said["duplicates_answered"]
    assert 3 == said["seed"]
    assert [] == list(tmp_path.iterdir())


def test_without_faults_everybody_gets_what_is_free(tmp_path: Path) -> None:
    settings = environment(tmp_path, CALSAGA_DATABASE_URL="nonsense://that/the/demo/must/not/use")
    finished = calsaga("demo", "--bookings", "30", "--faults", "none", settings=settings)

    assert 0 == finished.returncode, finished.stderr
    assert "orphans" in finished.stdout


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_behind(ending: signal.Signals, tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [CALSAGA, "demo", "--bookings", "100"],
        env=environment(tmp_path, TMPDIR=str(tmp_path)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    children = wait_for_children(demo.pid, at_least=4)
    os.kill(demo.pid, ending)
    _, complaints = demo.communicate(timeout=30)

    assert 128 + ending == demo.returncode, complaints
    assert "Traceback" not in complaints
    assert [] == [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert [] == list(tmp_path.iterdir())


def wait_for_children(pid: int, *, at_least: int) -> list[psutil.Process]:
    """
    Return the processes that a process has started, once they are so many.
    """
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        children = psutil.Process(pid).children(recursive=True)
        if len(children) >= at_least:
            return children
        time.sleep(0.05)
    pytest.fail("the demo did not start its processes")
