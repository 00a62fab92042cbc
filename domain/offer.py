"""A service as its company offers it: what is booked, and when it may take place."""

from dataclasses import dataclass

from domain.opening_hours import OpeningHours
from domain.service import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """
    A service with its opening hours; without any, all hours will do.

    The hours stand beside the service, not in it: they decide whether a wish is taken,
    and are no part of what was booked, which is what the log keeps.
    """

    service: Service
    opening_hours: OpeningHours | None = None
