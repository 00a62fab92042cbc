"""
What people have made at Cal.com is taken in once, by whomever it is for.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from projections.operator_notices import notices
from projections.sync_failures import evolve_recorded
from sagas.appending import Append, AppendResult
from sagas.walk_in import walk_in_id
from tests.fakes.calcom import CalcomBooking, CreateFate
from tests.fakes.desk import Desk, a_booked_desk, told
from tests.fakes.given import SERVICE, SLOT, WISH
from tests.fakes.moves import LATER
from tests.fakes.office import Office

LENGTH = timedelta(minutes=30)
ELSEWHERE = replace(SERVICE, company_id="elsewhere")


def _stands(office: Office, starts_at: datetime = SLOT) -> CalcomBooking:
    return office.calcom.commit(event_type_id=1, starts_at=starts_at, ends_at=starts_at + LENGTH, attempt_id=None)


def _reads(office: Office) -> int:
    return sum(one.startswith("trace") for one in office.calcom.happened)


def test_what_the_reconciler_takes_in_is_a_finding_that_it_has_mended() -> None:
    desk = Desk(Office())
    _stands(desk.office)
    desk.sweep()

    booking_id = walk_in_id("acme", "uid-1")
    stream = desk.office.run(desk.office.log.read(booking_id))
    (row,) = evolve_recorded(None, stream).failures
    assert ("foreign_booking", "adopt", "resolved", "adopt", "calsaga", 1) == (
        row.failure_type,
        row.proposed_repair,
        row.status,
        row.resolution,
        row.actor,
        row.attempt_count,
    )
    assert (True, desk.office.booking(booking_id).appointment_id) == (
        "Cal.com" in row.error_message,
        row.appointment_id,
    )
    assert ((), []) == (desk.office.booking(booking_id).inconsistencies, notices(stream))


def test_what_a_webhook_tells_of_is_no_finding() -> None:
    office = Office()
    _stands(office)
    office.run(office.sagas.convergence.converge("acme", "uid-1"))

    assert ["initiated", "calcom-found", "appointment-booked"] == office.topics(walk_in_id("acme", "uid-1"))


def test_what_the_reconciler_flags_is_one_finding_that_waits_for_a_person() -> None:
    desk = a_booked_desk()
    there = _stands(desk.office)
    desk.sweep()

    (row,) = evolve_recorded(None, desk.office.run(desk.office.log.read(walk_in_id("acme", there.uid)))).failures
    assert ("manual_review", "manual_review", 1) == (row.proposed_repair, row.status, row.attempt_count)


def test_of_two_companies_on_one_event_type_one_takes_it_in_and_the_other_leaves_it_alone() -> None:
    office = Office(others=[ELSEWHERE])
    _stands(office)
    desk, other = Desk(office), Desk(office, ELSEWHERE)

    assert [("foreign_booking", "adopt", "uid-1", "imported")] == told(desk.sweep())
    before = _reads(office), office.log.commits
    assert [[], []] == [told(other.sweep(dry_run=dry_run)) for dry_run in (True, False)]
    assert before == (_reads(office), office.log.commits)


def test_what_one_company_is_making_is_not_taken_in_by_another() -> None:
    office = Office(others=[ELSEWHERE])
    office.calcom.creates.append(CreateFate(does="committed"))
    office.run(office.orchestrator.book(WISH, patience=0))

    ignored = office.run(office.sagas.convergence.converge("elsewhere", "uid-1"))
    assert ("ignored", True) == (ignored.outcome, "another company's" in ignored.detail)
    assert [] == told(Desk(office, ELSEWHERE).sweep())


def test_what_one_company_has_is_not_taken_from_it_when_it_moves() -> None:
    office = Office(others=[ELSEWHERE])
    _stands(office)
    desk, other = Desk(office), Desk(office, ELSEWHERE)
    desk.sweep()
    office.calcom.person_moves("uid-1", 3 * LENGTH)

    assert [] == told(other.sweep())
    assert [("time_drift", "move", "uid-2", "moved")] == told(desk.sweep())


def test_what_another_company_takes_in_meanwhile_is_ignored_and_no_difference() -> None:
    office = Office(others=[ELSEWHERE])
    _stands(office)
    converge = office.sagas.convergence.converge
    append = office.log.append

    async def another_first(one: Append) -> AppendResult:
        office.log.append = append  # type: ignore[method-assign]
        await converge("acme", "uid-1")
        return await append(one)

    office.log.append = another_first  # type: ignore[method-assign, assignment]

    assert [] == told(Desk(office, ELSEWHERE).sweep())
    # Once by itself, once by the other one, and once more to see what has come between.
    assert 3 == _reads(office)
    ignored = office.run(converge("elsewhere", "uid-1"))
    assert ("ignored", True, 4) == (ignored.outcome, "another company's" in ignored.detail, _reads(office))


def test_what_other_software_has_written_is_here_already() -> None:
    desk = a_booked_desk()
    (row,) = (one.inserted for one in desk.office.log.appointments.values())
    there = _stands(desk.office, LATER)
    by_hand = replace(row, appointment_id=UUID(int=1), booking_id=UUID(int=2), calcom_booking_uid=there.uid)
    desk.office.log.write_row(replace(by_hand, idempotency_key="by hand", starts_at=LATER, ends_at=LATER + LENGTH))

    assert [] == told(desk.sweep())
    ignored = desk.office.run(desk.office.sagas.convergence.converge("acme", there.uid))
    assert ("ignored", True) == (ignored.outcome, "log does not know" in ignored.detail)
