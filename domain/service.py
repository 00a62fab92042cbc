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

    @property
    def offered_as(self) -> str:
        """
        Return what a customer gets, whoever does it: the same for services that share group, name and length.

        A service of no group is offered as itself. No group reads like the id of a service: ids hold no space, and
        the name, which may hold anything, comes last.
        """
        if self.staff_group is None:
            return self.service_id
        return f"{self.staff_group} {self.duration_minutes} {self.name}"
