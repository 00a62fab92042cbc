"""
Whether bookings go well, for whoever runs calsaga: what ended, and whose fault it was if it ended badly.
"""

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

from domain.composite import LegEvent
from domain.events import AppointmentBooked, BookingFailed

Result: TypeAlias = Literal["succeeded", "failed", "ignored"]
"""*Ignored* are refusals for the customer's own reason."""

CUSTOMERS_OWN: Final = frozenset(
    {
        "booker_limit",
        "cancelled_at_calcom",
        "duplicate",
        "in_the_past",
        "invalid_request",
        "leg_cancelled",
        "missing_field",
        "near_duplicate",
        "out_of_bounds",
        "slot_taken",
        "staff_overlap",
    }
)
"""Why bookings fail without anything being wrong here or at Cal.com."""


def result_of(events: Iterable[object]) -> Result | None:
    """Return how a booking has ended with these events of one append; None if it goes on, or was over before."""
    for event in events:
        match event.event if isinstance(event, LegEvent) else event:
            case AppointmentBooked():
                return "succeeded"
            case BookingFailed(reason=reason):
                return "ignored" if reason in CUSTOMERS_OWN else "failed"
            case _:
                pass
    return None
