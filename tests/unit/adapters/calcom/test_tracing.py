from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest

from adapters.calcom.tracing import MOVES
from sagas.outcomes import Attendee, Gone, NotThere, Standing, Trace, TraceFailed
from tests.unit.adapters.calcom.building import (
    ATTEMPT,
    BOOKING_ID,
    NOT_FOUND,
    Handler,
    a_row,
    an_account,
    refuses_barely,
    succeeds,
)


def _knows(*rows: dict[str, object]) -> Handler:
    """
    Answer each read by its uid, and 404 for all others.
    """
    by_uid = {str(row["uid"]): row for row in rows}

    def answer(request: httpx.Request) -> httpx.Response:
        row = by_uid.get(request.url.path.rsplit("/", 1)[1])
        answered = NOT_FOUND(request) if row is None else succeeds(row)(request)
        assert isinstance(answered, httpx.Response)
        return answered

    return answer


def _chain(*uids: str, **last: object) -> list[dict[str, object]]:
    """
    Return bookings that became one another, the last of them as told.
    """
    rows: list[dict[str, object]] = []
    for place, uid in enumerate(uids):
        before = uids[place - 1] if place else None
        after = uids[place + 1] if place + 1 < len(uids) else None
        facts = last if after is None else {"status": "cancelled"}
        rows.append(a_row(uid, rescheduledFromUid=before, rescheduledToUid=after, **facts))
    return rows


async def _trace(handler: Handler, uid: str = "uid1") -> tuple[Trace, list[str]]:
    account = an_account(handler)
    calendar = await account.calendars().of("acme")
    return await calendar.trace(uid), [request.url.path.rsplit("/", 1)[1] for request in account.calcom.requests]


async def test_what_was_never_moved_is_read_once() -> None:
    trace, read = await _trace(_knows(a_row("uid1")))

    assert isinstance(trace, Standing)
    assert ("uid1", (), ATTEMPT, ["uid1"]) == (trace.uid, trace.origins, trace.attempt_id, read)


@pytest.mark.parametrize("uid", ["uid1", "uid2", "uid3"])
async def test_a_uid_is_followed_to_its_end_and_back_to_its_beginning(uid: str) -> None:
    trace, _ = await _trace(_knows(*_chain("uid1", "uid2", "uid3")), uid)

    assert isinstance(trace, Standing)
    assert ("uid3", ("uid2", "uid1")) == (trace.uid, trace.origins)


@pytest.mark.parametrize("status", ["cancelled", "rejected"])
@pytest.mark.parametrize("uid", ["uid1", "uid2", "uid3"])
async def test_what_ended_after_moves_is_gone_under_every_uid(uid: str, status: str) -> None:
    trace, _ = await _trace(_knows(*_chain("uid1", "uid2", "uid3", status=status)), uid)

    assert trace == Gone(uid="uid3", attempt_id=ATTEMPT, booking_id=None, origins=("uid2", "uid1"))


async def test_an_origin_that_cannot_be_found_is_the_first_that_is_known() -> None:
    trace, read = await _trace(_knows(a_row("uid3", rescheduledFromUid="uid2")), "uid3")

    assert isinstance(trace, Standing)
    assert (("uid2",), ["uid3", "uid2"]) == (trace.origins, read)


async def test_moves_in_a_circle_end() -> None:
    trace, _ = await _trace(
        _knows(a_row("uid1", rescheduledFromUid="uid2"), a_row("uid2", rescheduledFromUid="uid1")), "uid1"
    )

    assert isinstance(trace, Standing)
    assert ("uid2",) == trace.origins


async def test_who_was_moved_too_often_is_not_followed_for_ever() -> None:
    forward = [f"uid{number}" for number in range(MOVES + 5)]

    assert TraceFailed(reason="moved_too_often") == (await _trace(_knows(*_chain(*forward)), "uid0"))[0]
    assert TraceFailed(reason="moved_too_often") == (await _trace(_knows(*_chain(*forward)), forward[-1]))[0]


async def test_nothing_there() -> None:
    assert NotThere() == (await _trace(_knows()))[0]


async def test_a_successor_that_a_replica_does_not_know_yet_is_no_end() -> None:
    row = a_row("uid1", status="cancelled", rescheduledToUid="uid2")

    assert TraceFailed(reason="successor_not_found") == (await _trace(_knows(row)))[0]


async def test_cal_com_that_does_not_answer_proves_nothing() -> None:
    assert TraceFailed(reason="http_500") == (await _trace(refuses_barely(500, "Internal server error")))[0]


async def test_an_origin_that_cannot_be_read_proves_nothing() -> None:
    row = a_row("uid2", rescheduledFromUid="uid1")

    def answer(request: httpx.Request) -> httpx.Response:
        read = succeeds(row) if request.url.path.endswith("uid2") else refuses_barely(502, "Bad gateway")
        answered = read(request)
        assert isinstance(answered, httpx.Response)
        return answered

    assert TraceFailed(reason="http_502") == (await _trace(answer, "uid2"))[0]


@pytest.mark.parametrize(
    ("said", "booking_id"), [(str(BOOKING_ID), BOOKING_ID), ("no uuid", None), (7, None), (None, None)]
)
async def test_the_booking_is_what_the_metadata_says_if_it_is_an_id(said: object, booking_id: UUID | None) -> None:
    row = a_row("uid1", metadata={"calsaga_booking_id": said, "calsaga_attempt_id": ATTEMPT})
    trace, _ = await _trace(_knows(row))

    assert isinstance(trace, Standing)
    assert booking_id == trace.booking_id


@pytest.mark.parametrize(
    ("facts", "attendee", "event_type_id"),
    [
        ({"attendees": [], "eventType": None}, None, None),
        (
            {
                "attendees": [
                    {"name": "Ada", "email": "a@b.de", "phoneNumber": "+49170", "timeZone": "Europe/Berlin"},
                    {"name": "Bob"},
                ],
                "eventType": {"id": 3, "slug": "cut"},
            },
            Attendee(name="Ada", email="a@b.de", phone="+49170", time_zone="Europe/Berlin"),
            3,
        ),
    ],
)
async def test_whom_it_is_for_and_what_was_booked(
    facts: dict[str, Any], attendee: Attendee | None, event_type_id: int | None
) -> None:
    trace, _ = await _trace(_knows(a_row("uid1", **facts)))

    assert isinstance(trace, Standing)
    assert (attendee, event_type_id) == (trace.attendee, trace.event_type_id)
