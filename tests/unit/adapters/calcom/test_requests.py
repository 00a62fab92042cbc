from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest

from adapters.calcom import endpoints
from domain.booking import Booking
from domain.person import Person
from sagas.outcomes import NotSent
from sagas.ports import Calendar, Calendars
from tests.unit.adapters.calcom.building import (
    ATTEMPT,
    NOW,
    START,
    Account,
    a_booking,
    a_row,
    a_service,
    an_account,
    succeeds,
)

SECOND = timedelta(seconds=1)


async def body_of(booking: Booking) -> Any:  # noqa: ANN401 - JSON
    account = an_account(succeeds(a_row(), status=201))
    await (await account.calendars().of("acme")).create(booking, attempt_id=ATTEMPT, send_by=NOW + SECOND)
    return orjson.loads(account.calcom.requests[0].content)


async def test_a_create_says_what_cal_com_knows_and_nothing_else() -> None:
    expected = {
        "start": "2026-12-01T10:00:00.000Z",
        "attendee": {
            "name": "Ada Lovelace",
            "email": "ada@example.com",
            "phoneNumber": "+491701234567",
            "timeZone": "Europe/Berlin",
            "language": "en",
        },
        "eventTypeId": 1,
        "metadata": {
            "calsaga_booking_id": "00000000-0000-0000-0000-000000000007",
            "calsaga_company_id": "acme",
            "calsaga_attempt_id": ATTEMPT,
        },
    }
    assert expected == await body_of(a_booking())


async def test_who_has_a_phone_alone_gets_no_address() -> None:
    body = await body_of(a_booking(person=Person(name="Ada", phone="+491701234567")))

    assert {"name", "phoneNumber", "timeZone", "language"} == set(body["attendee"])


async def test_a_length_is_sent_where_there_is_a_choice() -> None:
    assert 30 == (await body_of(a_booking(service=a_service(sends_length=True))))["lengthInMinutes"]


async def test_the_key_and_the_version_are_sent() -> None:
    account = an_account(succeeds(a_row(), status=201))
    await (await account.calendars().of("acme")).create(a_booking(), attempt_id=ATTEMPT, send_by=NOW + SECOND)

    headers = account.calcom.requests[0].headers
    assert "Bearer cal_secret" == headers["authorization"]
    assert "2024-08-13" == headers["cal-api-version"]
    assert headers["user-agent"].startswith("calsaga/")
    assert "identity" == headers["accept-encoding"]


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel"])
async def test_a_key_that_no_header_can_carry_sends_nothing(key: str) -> None:
    account = an_account(succeeds(a_row()))
    account.key = key
    calendar = await account.calendars().of("acme")

    assert isinstance(await calendar.create(a_booking(), attempt_id=ATTEMPT, send_by=NOW + SECOND), NotSent)
    assert [] == account.calcom.requests


async def test_it_is_what_the_sagas_ask_for() -> None:
    calendars: Calendars = an_account(succeeds(a_row())).calendars()
    calendar: Calendar = await calendars.of("acme")

    assert "live" == await calendar.liveness("uid1")


async def test_companies_with_one_key_share_a_calendar() -> None:
    calendars = an_account(succeeds(a_row())).calendars()

    assert await calendars.of("acme") is await calendars.of("other")


def test_each_group_has_its_version() -> None:
    calls = [
        endpoints.create(),
        endpoints.get("u"),
        endpoints.cancel("u"),
        endpoints.reschedule("u"),
        endpoints.list_ordered(event_type_id=1, since="x", skip=0),
        endpoints.event_type(1),
        endpoints.me(),
        endpoints.slots(event_type_id=1, starts_at=START, ends_at=START, time_zone="UTC", duration_minutes=None),
    ]

    assert [*["2024-08-13"] * 5, "2024-06-14", None, "2024-09-04"] == [call.version for call in calls]


@pytest.mark.parametrize("uid", ["..", ".", "a/../b", "a?b=c", "a#b"])
def test_no_uid_leads_to_another_path(uid: str) -> None:
    target = endpoints.get(uid).target

    assert 4 == len(target.split("/"))
    assert not {"?", "#"} & set(target)
    assert target.rsplit("/", 1)[1].strip(".")


async def test_the_probe_is_told_around_every_request() -> None:
    account: Account = an_account(succeeds(a_row(), status=201))
    calendar = await account.calendars().of("acme")
    await calendar.create(a_booking(), attempt_id=ATTEMPT, send_by=NOW + SECOND)
    await calendar.liveness("uid1")

    assert [
        "calcom.create.announced",
        "calcom.create.before",
        "calcom.create.after",
        "calcom.get.before",
        "calcom.get.after",
    ] == account.probed
