"""
The rows beside the log in memory, and which of them are in the way of each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sagas.appending import InsertAppointment, MoveAppointment, Refusal, SlotClaim

NEAR_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentRow:
    """
    A row of `appointments`.
    """

    inserted: InsertAppointment
    booked: bool = True


def near(claim: SlotClaim, other: SlotClaim | InsertAppointment) -> bool:
    return (
        not claim.allow_near_duplicate
        and (claim.company_id, claim.customer_id) == (other.company_id, other.customer_id)
        and (claim.service_id == other.service_id or claim.offered_as == other.offered_as)
        and abs((claim.starts_at - other.starts_at).total_seconds()) <= NEAR_SECONDS
    )


def overlap(one: SlotClaim | InsertAppointment | MoveAppointment, other: SlotClaim | InsertAppointment) -> bool:
    return (
        one.staff_id is not None
        and (one.company_id, one.staff_id) == (other.company_id, other.staff_id)
        and one.starts_at < other.ends_at
        and other.starts_at < one.ends_at
    )


def refused_by_row(
    refused: Literal["claim", "appointment"],
    by: Literal["near_duplicate", "staff_overlap", "duplicate_key", "duplicate_calcom_uid", "duplicate_appointment"],
    row: InsertAppointment,
) -> Refusal:
    return Refusal(refused=refused, by=by, booking_id=row.booking_id, appointment_id=row.appointment_id)
