"""
What is asked of a booking in several tests.
"""

from __future__ import annotations

from domain.booking import Booking
from domain.ledger import LineStatus


def line_statuses(booking: Booking) -> list[LineStatus]:
    return [line.status for line in booking.ledger.lines]
