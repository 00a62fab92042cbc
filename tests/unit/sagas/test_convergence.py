"""
Making a uid's booking equal to what stands at Cal.com, when others write at the same time, refuse, or forge.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from domain.booking import Booking, BookingStatus
from domain.idempotency import customer_id_for
from domain.webhook import WebhookPutOff
from sagas.appending import Append, AppendResult, DueAfter, Lost, NothingDue, only_booking_events
from sagas.convergence import TRIES, due_of
from sagas.converging import Difference, compare
from sagas.outcomes import Attendee
from sagas.walk_in import _until_booked, walk_in_id
from sagas.wishes import CancelAppointment
from tests.fakes.calcom import CreateFate, LookFate
from tests.fakes.given import (
    ABSENT,
    BOOKED,
    BOOKING_ID,
    POLICY,
    SLOT,
    WISH,
    at,
    booked,
    cancellation,
    cancelled,
    cancelled_there,
    created,
    failed,
    given,
    wish,
)
from tests.fakes.moves import LATER, standing
from tests.fakes.office import Office

LENGTH = timedelta(minutes=30)
HOUR = timedelta(hours=1)
CANCEL = CancelAppointment(company_id="acme", booking_id=BOOKING_ID, reason="no need")


def _booked() -> Office:
    office = Office()
    office.run(office.orchestrator.book(WISH))
    return office


def test_what_people_cancelled_and_booked_anew_is_theirs() -> None:
    office = _booked()
    office.calcom.person_cancels("uid-1")
    office.run(office.sagas.convergence.converge("acme", "uid-1"))
    again = office.calcom.move("uid-1", LATER)

    async def main() -> list[str | None]:
        return [(await office.sagas.convergence.converge("acme", again.uid)).outcome for _ in range(2)]

    assert ["flagged", "equal"] == office.run(main())
    assert BookingStatus.BOOKED is office.booking(walk_in_id("acme", again.uid)).status
    assert (BookingStatus.CANCELLED, []) == (office.booking().status, office.calcom.cancelled_by_us)


def test_what_we_cancelled_for_the_customer_is_cancelled_again_whoever_moved_it() -> None:
    office = _booked()
    office.run(office.orchestrator.cancel(CANCEL))
    again = office.calcom.move("uid-1", LATER)

    async def main() -> None:
        await office.sagas.convergence.converge("acme", again.uid)
        await office.worker.run_due()

    office.run(main())

    assert ["uid-1", again.uid] == office.calcom.cancelled_by_us


def test_an_attempt_that_another_companys_log_knows_is_unknown_here() -> None:
    office = _booked()

    converged = office.run(office.sagas.convergence.converge("other", "uid-1"))

    assert ("ignored", None) == (converged.outcome, converged.booking_id)


def test_a_row_without_a_booking_belongs_to_nobody() -> None:
    office = _booked()
    del office.log.streams[BOOKING_ID]

    converged = office.run(office.sagas.convergence.converge("acme", "uid-1"))

    # Its row is in the way of taking it in, too, however often that is tried.
    assert ("an appointment has it that this log does not know", "ignored") == (converged.detail, converged.outcome)


class _Hasty:
    """
    Somebody writes to every stream just before it is appended to, so many times.
    """

    def __init__(self, office: Office, times: int) -> None:
        self._append = office.log.append
        self._times = times

    async def append(self, append: Append) -> AppendResult:
        if self._times:
            self._times -= 1
            return Lost()
        return await self._append(append)


@pytest.mark.parametrize(("times", "outcome"), [(1, "cancelled"), (TRIES, None)])
def test_whoever_loses_reads_again_and_gives_up_at_last(times: int, outcome: str | None) -> None:
    office = _booked()
    office.calcom.person_cancels("uid-1")
    office.log.append = _Hasty(office, times).append  # type: ignore[method-assign]

    assert outcome == office.run(office.sagas.convergence.converge("acme", "uid-1")).outcome


@pytest.mark.parametrize("times", [1, TRIES])
def test_a_walk_in_that_another_process_takes_in_meanwhile_is_read_again(times: int) -> None:
    office = Office()
    office.calcom.commit(event_type_id=1, starts_at=SLOT, ends_at=SLOT + LENGTH, attempt_id=None)
    office.log.append = _Hasty(office, times).append  # type: ignore[method-assign]

    converged = office.run(office.sagas.convergence.converge("acme", "uid-1"))

    assert ("imported" if times == 1 else None) == converged.outcome


def test_an_event_type_that_nobody_books_here_is_ignored() -> None:
    office = Office()
    office.calcom.commit(event_type_id=9, starts_at=SLOT, ends_at=SLOT + LENGTH, attempt_id=None)
    nowhere = standing(attempt_id=None)

    converged = office.run(office.sagas.convergence.converge("acme", "uid-1"))
    object.__setattr__(nowhere, "event_type_id", None)
    without = office.run(_take_in(office, nowhere))

    assert ("ignored", "ignored", {}) == (converged.outcome, without, office.log.streams)


async def _take_in(office: Office, seen: object) -> str | None:
    walk_ins = office.sagas.convergence._walk_ins
    converged = await walk_ins.take_in("acme", seen, webhook_id=None)  # type: ignore[arg-type]
    return None if converged is None else converged.outcome


def test_a_move_whose_uid_another_row_has_is_not_said_to_be_done() -> None:
    office = _booked()
    office.run(office.orchestrator.book(wish(starts_at=SLOT + 6 * HOUR)))
    office.calcom.person_moves("uid-1", HOUR)
    rows = list(office.log.appointments.values())
    object.__setattr__(rows[1].inserted, "calcom_booking_uid", "uid-1")
    object.__setattr__(rows[0].inserted, "calcom_booking_uid", "uid-0")
    office.calcom.bookings.pop("uid-2")
    version = office.booking().version
    moved = standing("uid-1", starts_at=LATER, attempt_id=None)
    difference = compare(office.booking(), moved, now=at(900))
    assert isinstance(difference, Difference)

    written = office.run(_write(office, difference))

    assert (False, version) == (written, office.booking().version)


async def _write(office: Office, difference: Difference) -> bool:
    convergence = office.sagas.convergence
    return await convergence._write(office.booking(), difference, finding=False, now=at(900))


@pytest.mark.parametrize(
    ("attendee", "name", "email", "phone"),
    [
        (
            Attendee(name="  Ada   L. ", email="Ada@Example.com", phone="+49 170 1234567", time_zone="UTC"),
            "Ada L.",
            "Ada@example.com",
            "+491701234567",
        ),
        (Attendee(name=" ", email="nobody", phone="12", time_zone="UTC"), "Booked at Cal.com", None, None),
        (Attendee(name="Ada", email=None, phone=None, time_zone="UTC"), "Ada", None, None),
    ],
)
def test_a_walk_in_is_somebody_as_far_as_cal_com_says(
    attendee: Attendee, name: str, email: str | None, phone: str | None
) -> None:
    office = Office()
    office.calcom.commit(event_type_id=1, starts_at=SLOT, ends_at=SLOT + LENGTH, attempt_id=None, attendee=attendee)
    office.run(office.sagas.convergence.converge("acme", "uid-1"))

    facts = office.booking(walk_in_id("acme", "uid-1")).facts
    assert (name, phone) == (facts.person.name, facts.person.phone)
    assert (email or "").casefold() == (facts.person.email or "").casefold()
    assert customer_id_for("acme", facts.person.identity) in office.log.customers


def test_a_walk_in_of_a_known_customer_is_theirs() -> None:
    office = Office()
    booked = office.run(office.orchestrator.book(WISH)).booking
    assert booked.facts.person.phone is not None
    # By the address alone, a stranger would become somebody else.
    attendee = Attendee(name="A.", email=booked.facts.person.email, phone=None, time_zone="UTC")
    start = SLOT + HOUR
    there = office.calcom.commit(
        event_type_id=1, starts_at=start, ends_at=start + LENGTH, attempt_id=None, attendee=attendee
    )
    office.run(office.sagas.convergence.converge("acme", there.uid))

    assert booked.facts.customer_id == office.booking(walk_in_id("acme", there.uid)).facts.customer_id
    assert 1 == len(office.log.customers)


def test_what_is_taken_in_is_an_appointment() -> None:
    with pytest.raises(ValueError, match="appointment"):
        _until_booked(BOOKING_ID, ())


@pytest.mark.parametrize(
    ("booking", "due"),
    [
        (given(*BOOKED), NothingDue()),
        (given(*ABSENT, failed()), DueAfter(delay=timedelta(seconds=880))),
        (given(*ABSENT, failed(), created(late=True)), DueAfter(delay=timedelta(0), priority=1)),
        (given(*BOOKED, cancellation(), cancelled_there(), cancelled()), NothingDue()),
    ],
)
def test_what_is_due_for_a_booking_stays_due(booking: Booking, due: object) -> None:
    assert due == due_of(booking, at(20), POLICY)


def test_only_what_is_a_bookings_is_folded_into_one() -> None:
    put_off = WebhookPutOff(at=at(1), until=at(2), reason="under_way")

    assert [booked()] == list(only_booking_events([put_off, booked()]))


def test_a_late_commit_that_a_webhook_tells_of_is_cancelled_and_the_caller_keeps_one() -> None:
    office = Office()
    office.calcom.creates.append(CreateFate(does="double"))

    async def main() -> Sequence[str]:
        await office.orchestrator.book(WISH, patience=60)
        await office.sagas.convergence.converge("acme", "uid-2")
        await office.worker.run_due()
        return [one.uid for one in office.calcom.live()]

    assert 1 == len(office.run(main()))


def test_a_second_booking_is_not_judged_before_the_first_can_be_read() -> None:
    office = _booked()
    attempt_id = office.booking().ledger.lines[0].attempt_id
    office.calcom.commit(
        event_type_id=1, starts_at=LATER, ends_at=LATER + LENGTH, attempt_id=attempt_id, booking_id=BOOKING_ID
    )
    office.calcom.traces.extend([LookFate(), LookFate(does="errs")])

    converged = office.run(office.sagas.convergence.converge("acme", "uid-2"))

    assert (None, "kept_unknown", ["uid-1"]) == (
        converged.outcome,
        converged.detail,
        [line.uid for line in office.booking().ledger.lines],
    )
