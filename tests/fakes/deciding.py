"""
A person who decides, over an office.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from domain.booking import Booking
from domain.events import BookingEvent
from domain.findings import ReviewAnswer
from sagas.repairs import AnswerReview
from sagas.rows import appointment_of
from tests.fakes.given import (
    BOOKING_ID,
    SLOT,
    attempted,
    booked,
    created,
    given,
)
from tests.fakes.moves import LATER
from tests.fakes.office import Office

LENGTH = timedelta(minutes=30)


def an_answer(answer: ReviewAnswer, **facts: Any) -> AnswerReview:  # noqa: ANN401 - any field of the answer
    asked: dict[str, Any] = {
        "company_id": "acme",
        "booking_id": BOOKING_ID,
        "attempt_id": "one",
        "uid": None,
        "answer": answer,
        "adopt": None,
        "actor": "ada",
        "note": "I looked",
    }
    return AnswerReview(**{**asked, **facts})


def answered(office: Office, answer: ReviewAnswer, **facts: Any) -> Booking:  # noqa: ANN401 - any field of the answer
    async def main() -> Booking:
        await office.sagas.repairs.answer(an_answer(answer, **facts), patience=30)
        await office.worker.run_due()
        return office.booking()

    return office.run(main())


def at_cal_com(office: Office, *, attempt_id: str | None = "one", moved_to_later: bool = False) -> str:
    made = office.calcom.commit(
        event_type_id=1, starts_at=SLOT, ends_at=SLOT + LENGTH, attempt_id=attempt_id, booking_id=BOOKING_ID
    )
    return office.calcom.move(made.uid, LATER).uid if moved_to_later else made.uid


def with_row(office: Office, *events: BookingEvent) -> None:
    """
    Let the log hold a booked booking with its row, and Cal.com what belongs to it.
    """
    row = appointment_of(given(attempted(), created()), booked())
    office.log.write_row(row)
    office.given(*events)
