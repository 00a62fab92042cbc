"""
Many processes that want the same things at the same moment.
"""

from __future__ import annotations

import pytest

from domain.wish import BookAppointment
from tests.integration.system import callers
from tests.integration.system.account import Account
from tests.integration.system.installation import Installation, a_wish, quick
from tests.integration.system.processes import children

KEYS = 50


@pytest.fixture
def unhurried(database_url: str, account: Account) -> Installation:
    """
    An installation that leaves Cal.com all the time it needs, so that load is no fault.
    """
    more = {"calcom_send_seconds": 20, "calcom_attempt_seconds": 20, "calcom_total_seconds": 40, "lease_seconds": 45}
    return Installation(settings=quick(database_url, account, **more))


@pytest.mark.parametrize("given", [True, False], ids=["given keys", "derived keys"])
async def test_one_wish_of_many_processes_is_one_booking(unhurried: Installation, account: Account, given: bool) -> None:
    is_sqlite = unhurried.settings.database_url.startswith("sqlite")
    processes, requests = (4, 50) if is_sqlite else (8, 200)
    await unhurried.define(account.event_type())
    wishes = [a_wish(number % KEYS, key="key" if given else None) for number in range(requests)]

    answers = _all_at_once(unhurried, wishes, processes)

    assert processes * requests == len(answers)
    assert KEYS == len({booking_id for _, booking_id, _ in answers})
    assert {"booked"} == {status for _, _, status in answers}
    if given:
        assert KEYS == len({(key, booking_id) for key, booking_id, _ in answers})
    assert KEYS == len(account.ledger()) == account.calls("create")
    await unhurried.recovers()
    assert [] == await unhurried.faults(account.ledger())


@pytest.mark.slow
async def test_one_wish_of_many_processes_is_one_booking_on_one_file(account: Account, sqlite_url: str) -> None:
    more = {"calcom_send_seconds": 20, "calcom_attempt_seconds": 20, "calcom_total_seconds": 40, "lease_seconds": 45}
    here = Installation(settings=quick(sqlite_url, account, **more))
    await here.define(account.event_type())

    answers = _all_at_once(here, [a_wish(number % KEYS, key="key") for number in range(200)], 8)

    assert (1600, KEYS) == (len(answers), len(set(answers)))
    assert KEYS == len(account.ledger()) == account.calls("create")
    assert [] == await here.faults(account.ledger())


def _all_at_once(here: Installation, wishes: list[BookAppointment], processes: int) -> list[callers.Answer]:
    with children(*[(callers.all_at_once, here, wishes)] * processes) as crowd:
        assert ["ready"] * processes == [child.says() for child in crowd]
        for child in crowd:
            child.tell("go")
        answers = [answer for child in crowd for answer in child.says()]
        for child in crowd:
            child.tell("leave")
        assert [0] * processes == [child.ends() for child in crowd]
    return answers


async def test_one_slot_wanted_by_different_people_is_given_once(installation: Installation, account: Account) -> None:
    await installation.define(account.event_type())
    wishes = [a_wish(number, starts_at=a_wish().starts_at, staff_id="ada") for number in range(12)]

    with children(*[(callers.all_at_once, installation, wishes[turn::4]) for turn in range(4)]) as crowd:
        for child in crowd:
            assert child.says() == "ready"
        for child in crowd:
            child.tell("go")
        answers = [answer for child in crowd for answer in child.says()]
        for child in crowd:
            child.tell("leave")
        assert [0] * 4 == [child.ends() for child in crowd]

    assert ["booked", *["failed"] * 11] == sorted(status for _, _, status in answers)
    assert 1 == len(account.ledger()) == account.calls("create")
    await installation.recovers()
    assert [] == await installation.faults(account.ledger())


async def test_eight_processes_may_start_at_once_on_a_file_that_is_not_there_yet(
    account: Account, empty_sqlite_url: str
) -> None:
    event_type = account.event_type()
    here = Installation(settings=quick(empty_sqlite_url, account))
    with children(*[(callers.first_start, here, event_type, a_wish(number)) for number in range(8)]) as crowd:
        assert ["ready"] * 8 == [child.says() for child in crowd]
        for child in crowd:
            child.tell("go")
        answers = [child.says() for child in crowd]
        for child in crowd:
            child.tell("leave")
        assert [0] * 8 == [child.ends() for child in crowd]

    assert ["booked"] * 8 == [status for _, _, status in answers]
    await here.recovers()
    assert [] == await here.faults(account.ledger())
