"""
What is known to differ between both sides of a booking: open until it is resolved, and what a person lets stand.
"""

import dataclasses

from domain import findings as f
from domain.booking import Booking
from domain.events import CalcomBookingFollowed
from domain.replacing import replace


def detected(b: Booking, event: f.InconsistencyDetected) -> Booking:
    """Return the booking with one difference more, about which a person may be asked anew."""
    return replace(
        b,
        inconsistencies=(*b.inconsistencies, event),
        let_stand=tuple(it for it in b.let_stand if it != (event.kind, event.uid)),
    )


def resolved(b: Booking, event: f.InconsistencyResolved) -> Booking:
    """Return the booking without a difference; what a person keeps as it is, is remembered."""
    about = (event.kind, event.uid)
    left = tuple(it for it in b.inconsistencies if (it.kind, it.uid) != about)
    others = tuple(it for it in b.let_stand if it != about)
    # Only people say this. Whatever else ends a difference, both sides agreed again: the next one is another.
    return replace(b, inconsistencies=left, let_stand=(*others, about) if event.how == "keep_local" else others)


def followed(b: Booking, event: CalcomBookingFollowed) -> Booking:
    """Return the booking with what is open about a uid named by the one that it has become, as read models name it."""
    named = tuple(
        dataclasses.replace(it, uid=event.to_uid) if it.uid == event.from_uid else it for it in b.inconsistencies
    )
    return replace(b, inconsistencies=named)
