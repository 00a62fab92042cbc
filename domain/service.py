"""What can be booked: a company's service and the Cal.com event type behind it."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """
    A service as it is at the moment of a booking.

    `notice_minutes` is how long before its start Cal.com stops taking a booking.
    `sends_length` is true for an event type with several lengths, the only kind that
    accepts one (`calcom/facts.md` section 2: any other answers 400).
    """

    company_id: str
    service_id: str
    name: str
    duration_minutes: int
    calcom_event_type_id: int
    staff_id: str | None = None
    staff_group: str | None = None
    time_zone: str | None = None
    notice_minutes: int = 0
    sends_length: bool = False

    @property
    def duration(self) -> timedelta:
        """Return how long an appointment lasts."""
        return timedelta(minutes=self.duration_minutes)
