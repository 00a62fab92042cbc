"""
SIGKILL of the process that watches over the others: they stop by themselves, and the address is free.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psutil

from adapters.settings import Settings
from tests.integration.web.conftest import server

LONGEST_SECONDS = 60


def test_processes_whose_parent_is_killed_stop_and_leave_the_address(app_settings: Settings) -> None:
    with server(app_settings, workers=2) as first, _children(first.process.pid) as children:
        httpx.get(f"{first.url}/livez", timeout=60).raise_for_status()
        first.process.kill()
        first.process.wait(timeout=60)
        deadline = time.monotonic() + LONGEST_SECONDS
        while any(_is_alive(child) for child in children):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    with server(app_settings, port=int(first.url.rpartition(":")[2])) as second:
        again = httpx.get(f"{second.url}/livez", timeout=60)

    assert (200, first.url) == (again.status_code, second.url)
    assert "" == first.rest


@contextmanager
def _children(pid: int) -> Iterator[list[psutil.Process]]:
    parent, children = psutil.Process(pid), list[psutil.Process]()
    try:
        while len(_serving(children)) < 2:
            children[:] = parent.children(recursive=True)
        yield children
    finally:
        for child in children:
            if _is_alive(child):
                child.kill()


def _serving(children: list[psutil.Process]) -> list[psutil.Process]:
    return [child for child in children if any("spawn_main" in word for word in _words(child))]


def _words(child: psutil.Process) -> list[str]:
    try:
        return child.cmdline()
    except psutil.Error:
        return []


def _is_alive(child: psutil.Process) -> bool:
    # An orphan may stay a zombie where nobody reaps it.
    try:
        return child.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
