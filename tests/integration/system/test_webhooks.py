"""
Cal.com tells of what happens there, in whatever order and however often, and both places agree once quiet.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from adapters.sandbox.bookings import new_uid
from domain.booking import Booking
from domain.errors import MadeElsewhere
from tests.integration.system.account import Account
from tests.integration.system.installation import (
    HALF_HOUR,
    PATIENT,
    START,
    Installation,
    a_cancellation,
    a_wish,
    eventually,
    named,
    story,
)
from tests.integration.system.serving import HOOK, SECRET, Served

LATER = START + 4 * HALF_HOUR
DELIVERIES: dict[str, dict[str, Any]] = {
    "as usual": {},
    "twice": {"kind": "webhook_twice", "seconds": 0.2},
    "late": {"kind": "webhook_delay", "seconds": 1.0},
    "after the answer": {"kind": "webhook_after_response"},
    "under a wrong trigger": {"kind": "webhook_wrong_trigger"},
}


@pytest.fixture(params=list(DELIVERIES.values()), ids=list(DELIVERIES))
def delivery(request: pytest.FixtureRequest, account: Account) -> dict[str, Any]:
    """
    How webhooks arrive.
    """
    fault: dict[str, Any] = request.param
    if fault:
        account.breaks_always(fault)
    return fault


async def test_our_own_booking_is_known_already(
    here: Served, told: Installation, account: Account, delivery: dict[str, Any]
) -> None:
    await told.define(account.event_type())

    booking = await _booked(here)
    await here.settles(account)
    appends = {one.append_id for one in await here.app.store.log.read(booking.booking_id)}

    assert ["equal"] == await here.outcomes()
    # The webhook has cost the booking nothing, and Cal.com no call.
    assert 2 == len(appends)
    assert 0 == account.calls("get")
    assert [] == await told.faults(account.ledger())


async def test_a_person_cancels(here: Served, told: Installation, account: Account, delivery: dict[str, Any]) -> None:
    await told.define(account.event_type())
    booking = await _booked(here)

    await asyncio.to_thread(account.person_cancels, booking.kept_uid or "")
    await here.settles(account)

    assert ["cancelled"] == [row.status for row in here.rows()]
    assert 1 == named(await story(here.app.store, booking.booking_id)).count("BookingCancelled")
    assert [] == await told.faults(account.ledger())


async def test_what_becomes_of_webhooks_is_counted_and_names_nobody(
    here: Served, told: Installation, account: Account
) -> None:
    await told.define(account.event_type())
    booking = await _booked(here)
    await asyncio.to_thread(account.person_cancels, booking.kept_uid or "")
    await here.settles(account)
    ping = {"triggerEvent": "PING", "payload": {}}
    for secret in (SECRET, SECRET, "whsec_other"):
        await here.told(ping, secret=secret)
    await here.http.post(HOOK.replace("default", "nobody"), content=b"{}")

    lines = [it for it in (await here.http.get("/metrics")).text.splitlines() if it.startswith("calsaga_webhooks_")]
    counted = {line.split('"')[1]: float(line.rpartition(" ")[2]) for line in lines if "_total{" in line}

    at_once = {"stored": 2, "known": 1, "ignored": 1, "bad_signature": 1, "unknown_company": 1}
    assert {**at_once, "equal": 1, "cancelled": 1} == {
        outcome: count for outcome, count in counted.items() if count and outcome != "put_off"
    }
    assert not any("default" in line or "nobody" in line for line in lines)


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_person_moves(
    here: Served, told: Installation, account: Account, delivery: dict[str, Any], times: int
) -> None:
    await told.define(account.event_type())
    booking = await _booked(here)

    uid = booking.kept_uid or ""
    for number in range(times):
        uid = await asyncio.to_thread(account.person_moves, uid, start=LATER + number * HALF_HOUR)
    await here.settles(account)

    assert [(uid, LATER + (times - 1) * HALF_HOUR)] == [(one.calcom_booking_uid, one.starts_at) for one in here.rows()]
    assert 1 == len(account.live())
    assert [] == await told.faults(account.ledger())


async def test_a_person_books_moves_and_cancels(
    here: Served, told: Installation, account: Account, delivery: dict[str, Any]
) -> None:
    event_type = account.event_type()
    await told.define(event_type)

    kept = await asyncio.to_thread(account.person_books, event_type, start=START)
    moved = await asyncio.to_thread(account.person_books, event_type, start=LATER)
    gone = await asyncio.to_thread(account.person_books, event_type, start=LATER + 2 * HALF_HOUR)
    moved = await asyncio.to_thread(account.person_moves, moved, start=LATER + HALF_HOUR)
    await asyncio.to_thread(account.person_cancels, gone)
    await here.settles(account)

    booked = [row for row in here.rows() if row.status == "booked"]
    assert [(kept, START), (moved, LATER + HALF_HOUR)] == [(row.calcom_booking_uid, row.starts_at) for row in booked]
    assert {"calcom"} == {row.source for row in here.rows()}
    assert [] == await told.faults(account.ledger())


async def test_what_a_person_has_made_is_not_ours_to_cancel(here: Served, told: Installation, account: Account) -> None:
    event_type = account.event_type()
    await told.define(event_type)
    await asyncio.to_thread(account.person_books, event_type, start=START)
    await here.settles(account)
    (row,) = here.rows()

    with pytest.raises(MadeElsewhere):
        await here.app.orchestrator.cancel(a_cancellation(row.booking_id))
    refused = await here.http.post(f"/api/bookings/{row.booking_id}/reschedule", json={"starts_at": LATER.isoformat()})

    assert 409 == refused.status_code
    assert 1 == len(account.live())
    assert [] == await told.faults(account.ledger())


@pytest.mark.parametrize("fault", ["drop_after_commit", "error_after_commit", "unreadable_2xx"])
async def test_a_webhook_comes_although_the_answer_never_does(
    here: Served, told: Installation, account: Account, fault: str
) -> None:
    await told.define(account.event_type())
    account.breaks(fault, operation="create")

    booking = await _booked(here)
    await here.settles(account)

    assert 1 == len(account.ledger()) == account.calls("create")
    assert {"equal", "woken"}.issuperset(await here.outcomes())
    assert booking.kept_uid == account.live()[0]["uid"]
    assert [] == await told.faults(account.ledger())


@pytest.mark.parametrize("known", [True, False], ids=["of what is known", "of what is not known"])
async def test_a_cancellation_is_told_before_it_is_so(
    here: Served, told: Installation, account: Account, known: bool
) -> None:
    event_type = account.event_type()
    await told.define(event_type)
    account.breaks_always({"kind": "webhook_drop"})
    uid = (
        (await _booked(here)).kept_uid
        if known
        else await asyncio.to_thread(account.person_books, event_type, start=START)
    )

    await here.told(_webhook("BOOKING_CANCELLED", uid=uid))

    async def is_put_off() -> bool:
        return (await here.webhooks())[-1].put_off > 0

    await eventually(is_put_off, "Cal.com has said that it stands")
    await asyncio.to_thread(account.person_cancels, uid or "")
    await here.settles(account)

    assert {"booked"}.isdisjoint(row.status for row in here.rows())
    assert [] == await told.faults(account.ledger())


async def test_a_move_that_is_told_twice_and_backwards(here: Served, told: Installation, account: Account) -> None:
    await told.define(account.event_type())
    account.breaks_always({"kind": "webhook_drop"})
    first = (await _booked(here)).kept_uid or ""
    second = await asyncio.to_thread(account.person_moves, first, start=LATER)
    third = await asyncio.to_thread(account.person_moves, second, start=LATER + HALF_HOUR)

    for trigger, uid, former in (
        ("BOOKING_RESCHEDULED", third, second),
        ("BOOKING_RESCHEDULED", second, first),
        ("BOOKING_CREATED", first, None),
        ("BOOKING_RESCHEDULED", third, second),
    ):
        assert 200 == (await here.told(_webhook(trigger, uid=uid, rescheduleUid=former))).status_code
    await here.settles(account)

    assert [(third, "booked")] == [(row.calcom_booking_uid, row.status) for row in here.rows()]
    assert 1 == len(account.live())
    assert [] == await told.faults(account.ledger())


async def test_an_overlap_that_a_person_has_made_is_kept_and_flagged(
    here: Served, told: Installation, account: Account
) -> None:
    one, other = account.event_type(), account.event_type()
    await told.define(one, staff_id="ada")
    await told.define(other, service_id="checkup", staff_id="ada")
    await _booked(here)

    uid = await asyncio.to_thread(account.person_books, other, start=START)
    await here.settles(account)

    rows = {row.calcom_booking_uid: row for row in here.rows()}
    booking = await here.app.engine.load(rows[uid].booking_id)
    assert {"booked"} == {row.status for row in rows.values()}
    assert rows[uid].overlap_allowed
    assert [("foreign_booking", "manual_review")] == [(it.kind, it.repair) for it in booking.inconsistencies]
    assert "flagged" in await here.outcomes()
    assert [] == await told.faults(account.ledger())


async def test_a_move_of_a_persons_into_an_overlap_is_kept_and_flagged(
    here: Served, told: Installation, account: Account
) -> None:
    one, other = account.event_type(), account.event_type()
    await told.define(one, staff_id="ada")
    await told.define(other, service_id="checkup", staff_id="ada")
    await _booked(here)
    moved = await _booked(here, a_wish(4, service_id="checkup"))

    await asyncio.to_thread(account.person_moves, moved.kept_uid or "", start=START)
    await here.settles(account)

    booking = await here.app.engine.load(moved.booking_id)
    assert [(START, "booked")] * 2 == [(row.starts_at, row.status) for row in here.rows()]
    assert ["time_drift"] == [it.kind for it in booking.inconsistencies]
    assert [] == await told.faults(account.ledger())


async def test_forged_metadata_is_flagged_and_never_touched(here: Served, told: Installation, account: Account) -> None:
    event_type = account.event_type()
    await told.define(event_type)
    ours = await _booked(here)
    forged = [
        {"calsaga_booking_id": str(uuid4()), "calsaga_attempt_id": uuid4().hex},
        {"calsaga_booking_id": str(ours.booking_id), "calsaga_attempt_id": uuid4().hex},
        {"calsaga_booking_id": "no id", "calsaga_attempt_id": "\N{DANCER}"},
        {"calsaga_booking_id": str(ours.booking_id)},
    ]
    for number, metadata in enumerate(forged):
        await asyncio.to_thread(account.person_books, event_type, start=LATER + number * HALF_HOUR, metadata=metadata)
    await here.settles(account)
    await here.app.reconciler.reconcile()
    await here.settles(account)

    rows = [row for row in here.rows() if row.booking_id != ours.booking_id]
    bookings = [await here.app.engine.load(row.booking_id) for row in rows]
    assert 4 == len(rows)
    assert [["foreign_booking"]] * 4 == [[it.kind for it in one.inconsistencies] for one in bookings]
    assert 5 == len(account.live())
    assert [] == await told.faults(account.ledger())


async def test_what_is_no_news_is_kept_and_ignored(here: Served, told: Installation, account: Account) -> None:
    await told.define(account.event_type())

    said = [
        (await here.told(document)).json()["status"]
        for document in (
            {"triggerEvent": "PING", "createdAt": "now", "payload": {"type": "Test"}},
            _webhook("MEETING_ENDED", uid=new_uid()),
            {"triggerEvent": "MEETING_STARTED", "uid": new_uid()},
            _webhook("BOOKING_NO_SHOW_UPDATED", uid=None, bookingUid=new_uid()),
            _webhook("INVENTED_TOMORROW", uid=new_uid()),
            _webhook("BOOKING_CREATED", uid=None),
            _webhook("BOOKING_CREATED", uid="../../../me"),
        )
    ]

    assert ["ignored"] * 7 == said == await here.outcomes()
    assert 0 == account.calls("get")


async def test_a_booking_that_nobody_knows_is_given_up(here: Served, told: Installation, account: Account) -> None:
    await told.define(account.event_type())
    unknown = account.event_type()
    stranger = await asyncio.to_thread(account.person_books, unknown, start=START)
    await here.settles(account)

    assert ["ignored"] == await here.outcomes()
    assert [] == here.rows()
    assert [stranger] == [one["uid"] for one in account.live()]


async def _booked(here: Served, wish: Any = None) -> Booking:  # noqa: ANN401 - a wish, or the usual one
    result = await here.app.orchestrator.book(wish or a_wish(), patience=PATIENT)
    assert "booked" == result.booking.status.value
    return result.booking


def _webhook(trigger: str, *, uid: str | None, **more: object) -> dict[str, object]:
    now = datetime.now(UTC)
    payload = {"uid": uid, "startTime": (now + timedelta(days=1)).isoformat(), **more}
    return {"triggerEvent": trigger, "createdAt": now.isoformat(), "payload": payload}
