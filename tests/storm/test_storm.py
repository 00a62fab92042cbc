"""
The part of the storm that runs with every test run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict

import pytest

from tests.storm.__main__ import document, survive
from tests.storm.weather import Weather


@pytest.fixture
def own_environment() -> Iterator[None]:
    """
    The storm sets its own settings, which must be gone after it.
    """
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.slow
def test_both_places_are_equal_after_a_small_storm(own_environment: None) -> None:
    outcome = survive(Weather(bookings=60, seed=7))
    wrong = {what: lines for what, lines in asdict(outcome.verdict).items() if lines}

    assert {} == wrong, outcome.complaints
    assert outcome.quiet
    assert document(outcome)["clean"]
    # It was a storm.
    assert {"worker killed": 2, "server killed": 1, "redis flushed": 2} == dict(outcome.deaths)
    taken = {name.rpartition(" ")[0] for name in outcome.answers if name.endswith(("200", "201", "202"))}
    assert {"one booked", "anybody booked", "row booked"} <= taken
    assert sum(outcome.faults.values()) > 100
    assert min(outcome.webhooks["dropped"], outcome.webhooks["doubled"]) > 0
    assert outcome.standing["booked"] > 30
