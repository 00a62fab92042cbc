"""
A short outage, so that `make outage` works whenever somebody needs it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.outage.__main__ import document, survive
from tests.outage.weather import Outage


@pytest.fixture
def own_environment() -> Iterator[None]:
    """
    The environment as it was, after the drill has made itself at home in it.
    """
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.slow
def test_an_outage_costs_nobody_their_booking(own_environment: None) -> None:
    outage = Outage(per_second=10, before=1, down=5, after=1)

    outcome = survive(outage, database="sqlite")

    said = document(outage, outcome)
    assert outcome.is_clean, said
    assert {"booked": outage.wishes} == outcome.bookings
    # Most come while it is open, and none of them has waited for it to close.
    assert len(outcome.while_open) >= outage.down * outage.per_second / 2
    assert outcome.statuses["202"] >= len(outcome.while_open)
