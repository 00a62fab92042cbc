"""
Every fault that the sandbox knows, and what the adapter makes of it.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from adapters.calcom.calendar import CalComCalendar
from domain.booking import Booking
from sagas.outcomes import (
    CancelFailed,
    Cancelled,
    CancelRefused,
    Looked,
    LookFailed,
    Made,
    Moved,
    NotOurs,
    NotSent,
    Refused,
    Unknown,
)
from sagas.steps import RescheduleAtCalcom
from tests.integration.calcom.asking import TOMORROW, a_cancel, booking_of, create, found, look, made
from tests.integration.calcom.conftest import Calendars, Sandbox


@pytest.fixture
def attempt_id() -> str:
    return uuid4().hex


async def test_a_booking_is_made_found_and_cancelled(calendar: CalComCalendar, attempt_id: str) -> None:
    booking = booking_of()
    ours = await made(calendar, booking, attempt_id)

    assert (booking.facts.starts_at, booking.facts.ends_at) == (ours.starts_at, ours.ends_at)
    assert [ours.uid] == await found(calendar, booking, attempt_id)
    assert "live" == await calendar.liveness(ours.uid)
    assert Cancelled(how="cancelled") == await calendar.cancel(booking, a_cancel(ours.uid, attempt_id))
    assert Cancelled(how="already_cancelled") == await calendar.cancel(booking, a_cancel(ours.uid, attempt_id))
    assert "dead" == await calendar.liveness(ours.uid)


@pytest.mark.parametrize(
    ("kind", "knobs"),
    [
        ("error_before_commit", {"shape": "envelope"}),
        ("error_before_commit", {"shape": "inner"}),
        ("error_before_commit", {"shape": "prisma"}),
        ("drop_before_commit", {}),
        ("html_502", {"commit": False}),
    ],
)
async def test_a_fault_before_the_commit_leaves_nothing_but_doubt(
    calendar: CalComCalendar, sandbox: Sandbox, attempt_id: str, kind: str, knobs: dict[str, object]
) -> None:
    await sandbox.breaks(kind, operation="create", **knobs)
    booking = booking_of()

    assert isinstance(await create(calendar, booking, attempt_id), Unknown)
    assert [] == await found(calendar, booking, attempt_id)


@pytest.mark.parametrize(
    ("kind", "knobs"),
    [
        ("error_after_commit", {"shape": "envelope"}),
        ("error_after_commit", {"shape": "inner"}),
        ("error_after_commit", {"shape": "prisma"}),
        ("error_after_commit", {"shape": "html"}),
        ("drop_after_commit", {}),
        ("html_502", {"commit": True}),
        ("unreadable_2xx", {}),
        ("delay", {"moment": "after", "seconds": 5.0}),
    ],
)
async def test_a_fault_after_the_commit_is_doubt_that_a_look_settles(
    calendar: CalComCalendar, sandbox: Sandbox, attempt_id: str, kind: str, knobs: dict[str, object]
) -> None:
    await sandbox.breaks(kind, operation="create", **knobs)
    booking = booking_of()

    assert isinstance(await create(calendar, booking, attempt_id), Unknown)
    assert 1 == len(await found(calendar, booking, attempt_id))


@pytest.mark.parametrize("kind", ["late_commit", "late_commit_timeout"])
async def test_a_late_commit_is_found_late(calendars: Calendars, sandbox: Sandbox, attempt_id: str, kind: str) -> None:
    calendar = await calendars(sandbox.url, attempt_seconds=0.5).of("acme")
    await sandbox.breaks(kind, operation="create", seconds=1.5)
    booking = booking_of()

    assert isinstance(await create(calendar, booking, attempt_id), Unknown)
    assert [] == await found(calendar, booking, attempt_id)
    await asyncio.sleep(1.7)
    assert 1 == len(await found(calendar, booking, attempt_id))


async def test_a_list_that_lags_is_clean_and_later_is_not(
    calendar: CalComCalendar, sandbox: Sandbox, attempt_id: str
) -> None:
    await sandbox.breaks("list_lag", operation="create", seconds=1.0)
    booking = booking_of()
    ours = await made(calendar, booking, attempt_id)

    assert [] == await found(calendar, booking, attempt_id)
    await asyncio.sleep(1.2)
    assert [ours.uid] == await found(calendar, booking, attempt_id)


async def test_the_throttle_and_the_guard_of_the_key_defer(
    calendars: Calendars, sandbox: Sandbox, attempt_id: str
) -> None:
    for kind, reason in (("unauthorized", "unauthorized"), ("rate_limited", "rate_limited")):
        await sandbox.breaks(kind, operation="create")
        outcome = await create(await calendars(sandbox.url).of("acme"), booking_of(), attempt_id)

        assert isinstance(outcome, NotSent)
        assert (reason, True) == (outcome.reason, outcome.defer)
    assert [] == await sandbox.ledger()


async def test_a_slot_that_is_taken_is_a_conflict(calendar: CalComCalendar, sandbox: Sandbox, attempt_id: str) -> None:
    await made(calendar, booking_of(), uuid4().hex)
    plain = await create(calendar, booking_of(), attempt_id)
    await sandbox.breaks("race", operation="create")
    raced = await create(calendar, booking_of(), attempt_id)

    for outcome, status in ((plain, 400), (raced, 409)):
        assert isinstance(outcome, Refused)
        assert ("slot_taken", True, status) == (outcome.reason, outcome.conflict, outcome.status)


@pytest.mark.parametrize("event_type", [4, 5])
async def test_an_existing_booking_that_is_given_back_is_a_duplicate(
    calendar: CalComCalendar, attempt_id: str, event_type: int
) -> None:
    first = await made(calendar, booking_of(event_type=event_type), uuid4().hex)
    second = await create(calendar, booking_of(event_type=event_type), attempt_id)

    assert isinstance(second, Refused)
    # As a conflict, since it may be one that an earlier attempt of ours has made.
    assert ("duplicate", True) == (second.reason, second.conflict)
    assert "live" == await calendar.liveness(first.uid)


@pytest.mark.parametrize(
    ("booking", "reason"),
    [
        (booking_of(event_type=999), "event_type_not_found"),
        (booking_of(hours=-72), "in_the_past"),
        (booking_of(hours=24 * 1000), "out_of_bounds"),
    ],
)
async def test_a_refusal_has_a_reason(calendar: CalComCalendar, attempt_id: str, booking: Booking, reason: str) -> None:
    outcome = await create(calendar, booking, attempt_id)

    assert isinstance(outcome, Refused)
    assert reason == outcome.reason


async def test_a_pending_booking_is_told_as_such(calendar: CalComCalendar, attempt_id: str) -> None:
    assert "pending" == (await made(calendar, booking_of(event_type=4), attempt_id)).calcom_status


@pytest.mark.parametrize("kind", ["error_before_commit", "drop_after_commit", "html_502", "rate_limited"])
async def test_a_look_that_errs_failed(calendar: CalComCalendar, sandbox: Sandbox, attempt_id: str, kind: str) -> None:
    # aiohttp repeats a GET once by itself when the connection drops.
    await sandbox.breaks(kind, operation="list", times=2)

    assert isinstance(await look(calendar, booking_of(), attempt_id), LookFailed)


async def test_a_look_reads_every_page(calendar: CalComCalendar, sandbox: Sandbox) -> None:
    booking = booking_of(event_type=12)
    attempts = [uuid4().hex for _ in range(600)]
    for batch in range(0, 600, 50):
        outcomes = await asyncio.gather(*(create(calendar, booking, it) for it in attempts[batch : batch + 50]))
        assert all(isinstance(outcome, Made) for outcome in outcomes)

    looked = await look(calendar, booking, *attempts)

    assert isinstance(looked, Looked)
    assert sorted(attempts) == sorted(one.attempt_id for one in looked.found)
    assert 3 <= (await sandbox.control("GET", "/_sandbox/stats"))["calls"]["list"] <= 4


async def test_a_hundred_looks_share_one_list(calendar: CalComCalendar, sandbox: Sandbox) -> None:
    booking = booking_of()
    await asyncio.gather(*(look(calendar, booking, uuid4().hex) for _ in range(100)))

    calls = (await sandbox.control("GET", "/_sandbox/stats"))["calls"]
    assert (1, 1) == (calls["list"], calls["event_type"])


async def test_an_empty_list_that_a_blind_key_is_given_is_no_look(
    calendar: CalComCalendar, sandbox: Sandbox, attempt_id: str
) -> None:
    ours = await made(calendar, booking_of(), attempt_id)
    await sandbox.control("PUT", "/_sandbox/keys", {"blind": {"cal_owner": [1]}})
    blind = await look(calendar, booking_of(), attempt_id)
    await sandbox.control("PUT", "/_sandbox/keys", {})

    assert isinstance(blind, LookFailed)
    assert "cannot_see" == blind.reason
    assert [ours.uid] == await found(calendar, booking_of(), attempt_id)


async def test_a_booking_that_a_person_moved_is_followed(
    calendar: CalComCalendar, sandbox: Sandbox, attempt_id: str
) -> None:
    booking = booking_of()
    ours = await made(calendar, booking, attempt_id)
    later = TOMORROW + timedelta(hours=5)
    effect = RescheduleAtCalcom(uid=ours.uid, attempt_id=attempt_id, starts_at=later, reason="later", number=1)
    moved = await calendar.reschedule(effect, send_by=datetime.now(UTC) + timedelta(seconds=2))
    assert isinstance(moved, Made)

    assert [moved.uid] == await found(calendar, booking, attempt_id)
    assert Moved(to_uid=moved.uid) == await calendar.cancel(booking, a_cancel(ours.uid, attempt_id))
    assert Cancelled(how="cancelled") == await calendar.cancel(booking, a_cancel(moved.uid, attempt_id))


async def test_what_is_not_ours_is_not_cancelled(calendar: CalComCalendar, attempt_id: str) -> None:
    theirs = await made(calendar, booking_of(), uuid4().hex)

    assert isinstance(await calendar.cancel(booking_of(), a_cancel(theirs.uid, attempt_id)), NotOurs)
    assert "live" == await calendar.liveness(theirs.uid)


@pytest.mark.parametrize("purpose", ["compensation", "cancellation"])
@pytest.mark.parametrize(
    "kind", ["error_before_commit", "error_after_commit", "drop_before_commit", "drop_after_commit", "unreadable_2xx"]
)
async def test_a_cancel_that_breaks_is_repeated(
    calendar: CalComCalendar, sandbox: Sandbox, attempt_id: str, kind: str, purpose: str
) -> None:
    booking = booking_of()
    ours = await made(calendar, booking, attempt_id)
    await sandbox.breaks(kind, operation="cancel")
    effect = a_cancel(ours.uid, attempt_id, purpose=purpose)

    assert isinstance(await calendar.cancel(booking, effect), CancelFailed)
    assert isinstance(await calendar.cancel(booking, effect), Cancelled)
    assert "dead" == await calendar.liveness(ours.uid)


async def test_a_cancel_that_is_refused_for_good_says_so(calendar: CalComCalendar, attempt_id: str) -> None:
    booking = booking_of(event_type=6)
    ours = await made(calendar, booking, attempt_id)
    refused = await calendar.cancel(booking, a_cancel(ours.uid, attempt_id))

    assert isinstance(refused, CancelRefused)
    assert "cancelling_disabled" == refused.reason


async def test_what_never_was_is_gone_once_it_would_have_shown(calendar: CalComCalendar, attempt_id: str) -> None:
    young = await calendar.cancel(booking_of(), a_cancel("nowhere", attempt_id, age=5))
    old = await calendar.cancel(booking_of(), a_cancel("nowhere", attempt_id, age=10))

    assert isinstance(young, CancelFailed)
    assert Cancelled(how="gone") == old


async def test_a_rate_limit_is_kept_by_itself(calendars: Calendars, sandbox: Sandbox) -> None:
    await sandbox.control("PUT", "/_sandbox/rate-limit", {"limit": 20, "window_seconds": 60, "block_seconds": 60})
    calendar = await calendars(sandbox.url).of("acme")
    booking = booking_of(event_type=12)
    outcomes = [await create(calendar, booking, uuid4().hex) for _ in range(25)]

    assert 18 == sum(isinstance(outcome, Made) for outcome in outcomes)
    assert isinstance(outcomes[-1], NotSent)
    assert isinstance(await look(calendar, booking, "x"), Looked)
    stats = await sandbox.control("GET", "/_sandbox/stats")
    assert 18 == stats["calls"]["create"]
    assert not [ending for ending in stats["statuses"] if ending.endswith("429")]
