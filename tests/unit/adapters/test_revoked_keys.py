"""
Which keys were revoked is asked for once for all who wait for that, also when the database does not answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from sqlalchemy import create_engine

from adapters.database.api_keys import ApiKeys
from adapters.database.reading import Readers
from domain.errors import AppointmentDatabaseError
from tests.fakes.time import FakeClock


class Silent:
    """
    Readers of a database that does not answer in time.
    """

    def __init__(self) -> None:
        self.asked = 0

    async def glance(self, _ask: Callable[[], object]) -> object:
        self.asked += 1
        await asyncio.sleep(0.05)
        raise AppointmentDatabaseError("the database did not answer in time", kind="timeout")


@pytest.fixture
def silent() -> Silent:
    return Silent()


@pytest.fixture
def keys(silent: Silent) -> ApiKeys:
    return ApiKeys(engine=create_engine("sqlite://"), readers=cast("Readers", silent), clock=FakeClock())


async def find(keys: ApiKeys) -> Any:  # noqa: ANN401 - what is raised
    with pytest.raises(AppointmentDatabaseError) as caught:
        await keys.find("csk_somebody's")
    return caught.value


async def test_who_stands_in_line_is_told_with_whoever_is_before(keys: ApiKeys, silent: Silent) -> None:
    told = await asyncio.gather(*(find(keys) for _ in range(20)))

    assert (20, 1) == (len(told), silent.asked)
    assert {"timeout"} == {error.kind for error in told}


async def test_who_comes_later_asks_again(keys: ApiKeys, silent: Silent) -> None:
    for _ in range(3):
        await find(keys)

    assert 3 == silent.asked
