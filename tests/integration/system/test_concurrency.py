"""
Many processes that want the same things at the same moment.
"""

from __future__ import annotations

from typing import Any

import pytest

from domain.wish import BookAppointment
from tests.integration.system import callers
from tests.integration.system.account import Account
from tests.integration.system.installation import PATIENT, START, Installation, a_wish, quick, quiet
from tests.integration.system.processes import Child, children

KEYS, PROCESSES, REQUESTS = 50, 8, 200


@pytest.fixture
def unhurried(database_url: str, account: Account) -> Installation:
    """
    An installation that leaves Cal.com all the time it needs, so that load is no fault.
    """
    more = {
        "calcom_send_seconds": 20,
        "calcom_attempt_seconds": 20,
        "calcom_total_seconds": 40,
        "lease_seconds": 45,
        "calcom_horizon_seconds": 45,
    }
    return Installation(settings=quick(database_url, account, **more))


@pytest.mark.parametrize("given", [True, False], ids=["given keys", "derived keys"])
async def test_one_wish_of_many_processes_is_one_booking(
    unhurried: Installation, account: Account, given: bool
) -> None:
    await unhurried.define(account.event_type())
    wishes = [a_wish(number % KEYS, key="key" if given else None) for number in range(REQUESTS)]

    answers = _all_at_once(unhurried, *[wishes] * PROCESSES)

    assert PROCESSES * REQUESTS == len(answers)
    assert KEYS == len({booking_id for _, booking_id, _ in answers})
    assert {"booked"} == {status for _, _, status in answers}
    if given:
        assert KEYS == len({(key, booking_id) for key, booking_id, _ in answers})
    assert KEYS == len(account.ledger()) == account.calls("create")
    await unhurried.recovers()
    assert [] == await unhurried.faults(account.ledger())


def _all_at_once(here: Installation, *wishes: list[BookAppointment]) -> list[callers.Answer]:
    """
    Let each of several processes book its wishes, and return all answers.
    """
    with children(*((callers.all_at_once, here, mine) for mine in wishes)) as crowd:
        return [answer for answers in _told_to_go(crowd) for answer in answers]


def _told_to_go(crowd: list[Child]) -> list[Any]:
    assert ["ready"] * len(crowd) == [child.says() for child in crowd]
    for child in crowd:
        child.tell("go")
    said = [child.says() for child in crowd]
    for child in crowd:
        child.tell("leave")
    assert [0] * len(crowd) == [child.ends() for child in crowd]
    return said


async def test_one_slot_wanted_by_different_people_is_given_once(installation: Installation, account: Account) -> None:
    await installation.define(account.event_type())
    wishes = [a_wish(number, starts_at=START, staff_id="ada") for number in range(12)]

    answers = _all_at_once(installation, *(wishes[turn::4] for turn in range(4)))

    async with installation.opened() as app:
        late = await app.orchestrator.book(a_wish(12, starts_at=START, staff_id="ada"), patience=PATIENT)
        await quiet(app)

    assert ["booked", *["failed"] * 11] == sorted(status for _, _, status in answers)
    assert "failed" == late.booking.status.value
    # Nobody is mailed for a slot that is not to be had.
    assert 1 == len(account.ledger()) == account.calls("create")
    assert [] == await installation.faults(account.ledger())


async def test_eight_processes_may_start_at_once_on_a_file_that_is_not_there_yet(
    account: Account, empty_sqlite_url: str
) -> None:
    event_type = account.event_type()
    here = Installation(settings=quick(empty_sqlite_url, account))
    with children(*[(callers.first_start, here, event_type, a_wish(number)) for number in range(8)]) as crowd:
        answers = _told_to_go(crowd)

    assert ["booked"] * 8 == [status for _, _, status in answers]
    await here.recovers()
    assert [] == await here.faults(account.ledger())
