"""
Event types and hosts: what can be booked in the sandbox, and whose time it takes.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any


class Scheduling(StrEnum):
    """
    Say how the hosts of an event type share its bookings.
    """

    SINGLE = "single"
    ROUND_ROBIN = "round_robin"
    COLLECTIVE = "collective"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """
    A person at Cal.com whose time is booked.
    """

    id: int

    @property
    def name(self) -> str:
        return f"Host {self.id}"

    @property
    def username(self) -> str:
        return f"host-{self.id}"

    @property
    def email(self) -> str:
        return f"host-{self.id}@sandbox.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """
    What can be booked: its length, its hosts and its rules. Opening hours are UTC, as ``("09:00", "17:00")``.

    ``owner`` is the user that it belongs to, unless it is a team's; every key is that of the user 1.
    """

    id: int
    slug: str
    title: str = ""
    length: int = 30
    length_options: tuple[int, ...] = ()
    hosts: tuple[int, ...] = (1,)
    owner: int = 1
    scheduling: Scheduling = Scheduling.SINGLE
    confirmation: bool = False
    seats: int = 0
    recurrence: int = 0
    price: int = 0
    disable_cancelling: bool = False
    requires_cancellation_reason: bool = False
    booking_requires_authentication: bool = False
    minimum_notice: int = 0
    window_days: int = 730
    opening_hours: tuple[str, str] | None = None
    always_open: bool = False

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "EventType":
        """
        Read an event type as the control interface writes it.

        Raises:
            ValueError: a field is unknown, or ``id`` or ``slug`` is missing.
        """
        unknown = document.keys() - {field.name for field in fields(cls)}
        if unknown:
            message = f"unknown fields of an event type: {sorted(unknown)}"
            raise ValueError(message)
        if missing := {"id", "slug"} - document.keys():
            message = f"an event type needs {sorted(missing)}"
            raise ValueError(message)
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in document.items()
        }
        values["scheduling"] = Scheduling(values.get("scheduling", Scheduling.SINGLE))
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """
        Write the event type as :meth:`from_json` reads it.
        """
        return asdict(self)

    @property
    def name(self) -> str:
        return self.title or self.slug.replace("-", " ").capitalize()


def default_event_types() -> dict[int, EventType]:
    """
    Return the event types that a fresh sandbox has.
    """
    catalog = (
        EventType(id=1, slug="consultation-30"),
        EventType(id=2, slug="consultation-60", length=60),
        EventType(id=3, slug="checkup-30", hosts=(2,)),
        EventType(id=4, slug="on-request", hosts=(3,), confirmation=True),
        EventType(id=5, slug="team-round-robin", hosts=(4, 5), scheduling=Scheduling.ROUND_ROBIN),
        EventType(id=6, slug="no-way-back", hosts=(6,), disable_cancelling=True),
        EventType(id=7, slug="workshop", hosts=(7,), length=60, seats=10),
        EventType(id=8, slug="weekly-course", hosts=(8,), recurrence=4),
        EventType(id=9, slug="multi-length", hosts=(9,), length_options=(15, 30, 60)),
        EventType(id=10, slug="paid-consultation", hosts=(10,), price=5000),
        EventType(id=11, slug="members-only", hosts=(11,), booking_requires_authentication=True),
        EventType(id=12, slug="always-open", hosts=(12,), always_open=True),
    )
    return {event_type.id: event_type for event_type in catalog}
