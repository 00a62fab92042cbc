"""
The database refuses the appointment by a constraint after Cal.com has made the booking.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from adapters.bootstrap import Application
from domain import events as e
from domain.booking import Booking
from tests.integration.persistence.interference import STAFF, Once, Stranger
from tests.integration.sandbox.sandbox_process import SandboxProcess
from tests.integration.system.account import Account
from tests.integration.system.installation import (
    PATIENT,
    START,
    Installation,
    a_cancellation,
    a_wish,
    eventually,
    named,
    quick,
    quiet,
    reaches,
    story,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """
    What a constraint is called, and how somebody else comes to offend it.
    """

    reason: str
    offend: Callable[[Stranger, Account], object]


REFUSALS = (
    Refused(reason="duplicate_key", offend=lambda stranger, _: stranger.inserts(idempotency_key="the one")),
    Refused(
        reason="duplicate_calcom_uid",
        offend=lambda stranger, account: stranger.inserts(calcom_booking_uid=account.ledger()[0]["uid"]),
    ),
    Refused(reason="slot_taken", offend=lambda stranger, _: stranger.inserts(staff_id=STAFF)),
    Refused(reason="unknown_service", offend=lambda stranger, _: stranger.deletes_the_service()),
)


@pytest.fixture
def stranger(database_url: str) -> Stranger:
    return Stranger(database_url)


@pytest.mark.parametrize("refused", REFUSALS, ids=lambda refused: refused.reason)
async def test_a_booking_that_the_database_refuses_is_undone(
    installation: Installation, account: Account, stranger: Stranger, refused: Refused
) -> None:
    await installation.define(account.event_type())
    interfere = Once(lambda: refused.offend(stranger, account))

    async with installation.opened(on_point=interfere) as app:
        result = await app.orchestrator.book(a_wish(staff_id=STAFF), patience=PATIENT)
        again = await app.orchestrator.book(a_wish(staff_id=STAFF), patience=PATIENT)
        await quiet(app)
        happened = await story(app.store, result.booking.booking_id)

    assert 1 == interfere.times == account.calls("create")
    assert ("failed", refused.reason) == _end(result.booking) == _end(again.booking)
    assert result.booking.booking_id == again.booking.booking_id
    assert [("cancelled", "api")] == [(one["status"], one["cancelled_by"]) for one in account.ledger()]
    assert 1 == sum(isinstance(one, e.AppointmentPersistenceFailed) for one in happened)
    assert 1 == sum(isinstance(one, e.CalcomBookingCancelled) for one in happened)
    assert [] == await installation.faults(account.ledger())


async def test_a_row_that_only_touches_ours_is_not_in_the_way(
    installation: Installation, account: Account, stranger: Stranger
) -> None:
    await installation.define(account.event_type())

    def surround() -> None:
        half_hour = timedelta(minutes=30)
        stranger.inserts(staff_id=STAFF, starts_at=START - half_hour, ends_at=START)
        stranger.inserts(staff_id=STAFF, starts_at=START + half_hour, ends_at=START + 2 * half_hour)
        stranger.inserts(staff_id=STAFF, company_id="another")
        stranger.inserts(staff_id="grace")
        stranger.inserts(staff_id=STAFF, status="cancelled")
        stranger.inserts(staff_id=STAFF, overlap_allowed=True)

    async with installation.opened(on_point=Once(surround)) as app:
        result = await app.orchestrator.book(a_wish(staff_id=STAFF), patience=PATIENT)

    assert "booked" == result.booking.status.value
    assert [] == [one for one in await installation.faults(account.ledger()) if "another" not in one]


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """
    Two bookings of one member of staff at one time: `other` was there first, and came to light too late.
    """

    here: Installation
    account: Account
    stranger: Stranger
    other: Booking
    event_types: tuple[int, int]

    def show(self) -> None:
        self.stranger.shows(self.other.booking_id)

    @property
    def other_uid(self) -> str:
        return self.other.kept_uid or ""

    async def end(self, app: Application) -> str:
        return (await app.engine.load(self.other.booking_id)).status.value


@pytest.fixture
async def neighbours(installation: Installation, account: Account, stranger: Stranger) -> Neighbours:
    # Two event types have two hosts at Cal.com, so that only our own tables know of the overlap.
    event_types = (account.event_type(), account.event_type())
    await installation.define(event_types[0], service_id="visit")
    await installation.define(event_types[1])
    async with installation.opened() as app:
        wish = a_wish(1, service_id="visit", starts_at=START, staff_id=STAFF)
        other = (await app.orchestrator.book(wish, patience=PATIENT)).booking
    assert "booked" == other.status.value
    stranger.hides(other.booking_id)
    return Neighbours(here=installation, account=account, stranger=stranger, other=other, event_types=event_types)


async def test_a_booking_of_ours_that_stands_is_a_reason_to_undo(neighbours: Neighbours) -> None:
    async with neighbours.here.opened(on_point=Once(neighbours.show)) as app:
        result = await app.orchestrator.book(a_wish(staff_id=STAFF), patience=PATIENT)
        await quiet(app)
        end = await neighbours.end(app)

    assert ("failed", "slot_taken") == _end(result.booking)
    assert "booked" == end
    assert [neighbours.other_uid] == [one["uid"] for one in neighbours.account.live()]
    assert [] == await neighbours.here.faults(neighbours.account.ledger())


async def test_a_booking_that_is_being_cancelled_is_waited_for(neighbours: Neighbours) -> None:
    account = neighbours.account
    broken = {"kind": "error_before_commit", "operation": "cancel"}

    async with neighbours.here.opened(on_point=Once(neighbours.show)) as app:
        account.breaks_always(broken)
        cancelling = await app.orchestrator.cancel(a_cancellation(neighbours.other.booking_id), patience=0)
        assert "cancelling" == cancelling.booking.status.value
        waiting = (await app.orchestrator.book(a_wish(staff_id=STAFF), patience=1)).booking

        async def waits() -> bool:
            return "ObstacleInspected" in named(await story(app.store, waiting.booking_id))

        await eventually(waits, "the row in the way was looked at")
        assert "pending" == (await app.engine.load(waiting.booking_id)).status.value
        account.breaks_always()
        await reaches(app, neighbours.other.booking_id, "cancelled")
        await reaches(app, waiting.booking_id, "booked")
        await quiet(app)
        happened = await story(app.store, waiting.booking_id)

    assert {"moving"} <= {one.verdict for one in happened if isinstance(one, e.ObstacleInspected)} <= {"moving", "gone"}
    assert "CompensationStarted" not in named(happened)
    assert 2 == account.calls("create")
    assert [] == await neighbours.here.faults(account.ledger())


async def test_a_row_whose_booking_a_person_has_cancelled_is_cleared_away(neighbours: Neighbours) -> None:
    neighbours.account.person_cancels(neighbours.other_uid)

    async with neighbours.here.opened(on_point=Once(neighbours.show)) as app:
        result = await app.orchestrator.book(a_wish(staff_id=STAFF), patience=PATIENT)
        await quiet(app)
        happened = await story(app.store, neighbours.other.booking_id)
        end = await neighbours.end(app)

    assert ("booked", "cancelled") == (result.booking.status.value, end)
    assert isinstance(happened[-1], e.BookingCancelled)
    assert "cancelled_at_calcom" == happened[-1].reason
    assert "cancelled" == neighbours.stranger.status_of(neighbours.other.booking_id)
    assert [] == await neighbours.here.faults(neighbours.account.ledger())


async def test_a_booking_that_a_person_has_moved_is_left_alone(neighbours: Neighbours) -> None:
    account = neighbours.account
    moved_to = account.person_moves(neighbours.other_uid, start=START + timedelta(hours=5))
    few_seconds = neighbours.here.settings.model_copy(update={"booking_expiry_hours": 3 / 3600})

    async with Installation(settings=few_seconds).opened(on_point=Once(neighbours.show)) as app:
        result = await app.orchestrator.book(a_wish(staff_id=STAFF), patience=PATIENT)
        await quiet(app)
        happened = await story(app.store, result.booking.booking_id)
        end = await neighbours.end(app)

    # Nobody follows the move here, so the row stays in the way until ours has waited long enough.
    assert ("failed", "slot_taken") == _end(result.booking)
    assert {"moving"} == {one.verdict for one in happened if isinstance(one, e.ObstacleInspected)}
    assert ("booked", "booked") == (end, neighbours.stranger.status_of(neighbours.other.booking_id))
    assert [moved_to] == [one["uid"] for one in account.live()]


async def test_a_row_that_cal_com_does_not_find_keeps_its_time(
    installation: Installation, account: Account, stranger: Stranger
) -> None:
    await installation.define(account.event_type())
    rows = []
    interfere = Once(lambda: rows.append(stranger.inserts(staff_id=STAFF, calcom_booking_uid="of-somebody-else")))

    async with installation.opened(on_point=interfere) as app:
        # Within what is waited for a caller, though the wish would be good for a day.
        result = await app.orchestrator.book(a_wish(staff_id=STAFF), patience=PATIENT)
        await quiet(app)
        happened = await story(app.store, result.booking.booking_id)
        row = await app.store.appointments.find(rows[0])

    assert ("failed", "slot_taken") == _end(result.booking)
    assert {"missing"} == {one.verdict for one in happened if isinstance(one, e.ObstacleInspected)}
    assert row is not None
    assert (True, []) == (row.is_booked, account.live())
    assert [] == await installation.faults(account.ledger())


async def test_after_the_key_was_swapped_for_another_accounts_nothing_of_the_old_one_is_given_away(
    neighbours: Neighbours,
) -> None:
    with SandboxProcess("--rate-limit", "0") as elsewhere:
        swapped = Account(elsewhere.url)
        for number in neighbours.event_types:
            swapped.change(number)
        here = Installation(settings=quick(neighbours.here.settings.database_url, swapped))

        async with here.opened(on_point=Once(neighbours.show)) as app:
            result = await app.orchestrator.book(a_wish(staff_id=STAFF), patience=PATIENT)
            await quiet(app)
            happened = await story(app.store, neighbours.other.booking_id)
            end = await neighbours.end(app)
        faults = await here.faults(neighbours.account.ledger() + swapped.ledger())
        left = swapped.live()
        swapped.close()

    assert ("failed", "slot_taken") == _end(result.booking)
    assert ("booked", "booked") == (end, neighbours.stranger.status_of(neighbours.other.booking_id))
    assert isinstance(happened[-1], e.AppointmentBooked)
    assert [neighbours.other_uid] == [one["uid"] for one in neighbours.account.live()]
    assert ([], []) == (left, faults)


async def test_a_row_of_which_cal_com_says_nothing_is_left_alone(neighbours: Neighbours) -> None:
    account = neighbours.account
    few_seconds = neighbours.here.settings.model_copy(update={"booking_expiry_hours": 3 / 3600})
    broken = {"kind": "error_before_commit", "operation": "get", "match": {"event_type_id": _type_of(neighbours)}}
    account.breaks_always(broken)

    async with Installation(settings=few_seconds).opened(on_point=Once(neighbours.show)) as app:
        result = await app.orchestrator.book(a_wish(staff_id=STAFF), patience=PATIENT)
        await quiet(app)
        end = await neighbours.end(app)

    assert ("failed", "slot_taken") == _end(result.booking)
    assert ("booked", "booked") == (end, neighbours.stranger.status_of(neighbours.other.booking_id))
    assert [] == await neighbours.here.faults(account.ledger())


async def test_a_compensation_goes_on_until_cal_com_takes_it(
    installation: Installation, account: Account, stranger: Stranger
) -> None:
    await installation.define(account.event_type())
    impatient = installation.settings.model_copy(update={"inconsistent_after": 3})
    account.breaks_always({"kind": "error_before_commit", "operation": "cancel"})

    async with Installation(settings=impatient).opened(on_point=Once(lambda: stranger.inserts(staff_id=STAFF))) as app:
        result = await app.orchestrator.book(a_wish(staff_id=STAFF), patience=0.5)

        async def noticed() -> bool:
            return "InconsistencyDetected" in named(await story(app.store, result.booking.booking_id))

        await eventually(noticed, "an inconsistency is raised")
        assert "compensating" == (await app.engine.load(result.booking.booking_id)).status.value
        account.breaks_always()
        failed = await reaches(app, result.booking.booking_id, "failed")
        await quiet(app)

    assert ("failed", "slot_taken") == _end(failed)
    assert [] == account.live()
    assert [] == await installation.faults(account.ledger())


def _end(booking: Booking) -> tuple[str, str | None]:
    return booking.status.value, None if booking.failure is None else booking.failure.reason


def _type_of(neighbours: Neighbours) -> int:
    return neighbours.other.facts.service.calcom_event_type_id
