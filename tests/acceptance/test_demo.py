"""
The demo, run as a person runs it: both sides are equal at the end, and nothing is left behind.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.acceptance.processes import CALSAGA, environment

NONE_OF_THEM = {"orphans": 0, "ghosts": 0, "doubles": 0, "drifts": 0, "lost": 0}


@dataclass(frozen=True, kw_only=True)
class Played:
    """
    A demo that has come to its end.
    """

    exit_code: int
    said: dict[str, Any]
    complaints: str
    left_behind: list[Path]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played]:
    """
    One demo of each kind, all at once, because each waits most of its time.
    """
    demos = {faults: (tmp_path_factory.mktemp(faults), faults) for faults in ("none", "default", "storm")}
    started = {name: play(folder, faults) for name, (folder, faults) in demos.items()}
    ended = {name: process.communicate(timeout=115) for name, process in started.items()}
    return {
        name: Played(
            exit_code=started[name].returncode,
            said=json.loads(said or "{}"),
            complaints=complaints,
            left_behind=list(demos[name][0].iterdir()),
        )
        for name, (said, complaints) in ended.items()
    }


def play(folder: Path, faults: str) -> subprocess.Popen[str]:
    """
    Start a demo whose temporary files are in a folder.
    """
    return subprocess.Popen(
        [CALSAGA, "demo", "--bookings", "30", "--faults", faults, "--seed", "3", "--json"],
        env=environment(folder, TMPDIR=str(folder), CALSAGA_DATABASE_URL="nonsense://that/the/demo/does/not/use"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("faults", ["none", "default", "storm"])
def test_both_sides_are_equal_at_the_end(faults: str, played: dict[str, Played]) -> None:
    demo = played[faults]

    assert 0 == demo.exit_code, demo.complaints
    assert NONE_OF_THEM.items() <= demo.said.items()
    assert 30 == sum(demo.said[end] for end in ("booked", "compensated", "refused", "cancelled", "needs_review"))
    assert (30, 3, faults) == (demo.said["bookings"], demo.said["seed"], demo.said["faults"])
    assert 6 <= demo.said["duplicates_answered"]
    assert [] == demo.left_behind


@pytest.mark.slow
@pytest.mark.parametrize("faults", ["default", "storm"])
def test_what_went_wrong_really_did(faults: str, played: dict[str, Played]) -> None:
    said = played[faults].said

    assert said["in_doubt"] == said["in_doubt_resolved"] >= 1
    assert 1 <= said["left_behind_by_the_killed_process"]
    assert 1 <= said["overtaken_by_the_front_desk"]
    assert 1 <= said["compensated"]
    assert 5 <= sum(said["faults_injected"].values())


@pytest.mark.slow
def test_without_faults_nothing_goes_wrong(played: dict[str, Played]) -> None:
    said = played["none"].said

    assert {} == said["faults_injected"]
    assert (0, 0, 0) == (said["in_doubt"], said["compensated"], said["cancelled"])


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_behind(ending: signal.Signals, tmp_path: Path) -> None:
    demo = subprocess.Popen(
        # Tests that run in the background have been told to ignore SIGINT, and pass it on.
        ["env", "--default-signal=INT", CALSAGA, "demo", "--bookings", "100"],
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


def test_what_the_demo_has_booked_can_be_asked_for(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [CALSAGA, "demo", "--bookings", "5", "--faults", "none", "--serve", "--json"],
        env=environment(tmp_path, TMPDIR=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert demo.stderr is not None
    told = next(line for line in demo.stderr if line.startswith("curl"))
    key, url = re.search(r"Bearer (\S+)' (\S+)", told).groups()  # type: ignore[union-attr]
    answer = httpx.get(url, headers={"Authorization": f"Bearer {key}"}, timeout=20)
    demo.send_signal(signal.SIGINT)
    said, complaints = demo.communicate(timeout=30)

    assert (200, 5) == (answer.status_code, len(answer.json()["bookings"]))
    assert (0, 5, "") == (demo.returncode, json.loads(said)["booked"], complaints)
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
