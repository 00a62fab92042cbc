from __future__ import annotations

import asyncio

import pytest


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Waits are told by `on_retry`, and take no time.
    """
    sleep = asyncio.sleep
    monkeypatch.setattr("adapters.resilience.retrying.asyncio.sleep", lambda _: sleep(0))
    monkeypatch.setattr("adapters.resilience.retrying.time.sleep", lambda _: None)
