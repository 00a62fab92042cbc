"""
That Cal.com is not to be asked is written down for what still waits to be asked for, and for nothing else.
"""

from __future__ import annotations

import pytest

from domain import events as e
from domain import moving as m
from domain.cancel_deferred import CalcomCancelDeferred
from domain.policy import Policy
from sagas.deferring import record_held_back
from sagas.outcomes import NotSent
from sagas.steps import CancelAtCalcom, Change, CreateAtCalcom, RescheduleAtCalcom
from tests.fakes.given import SLOT, at, attempted, booked, cancellation, cancelled_there, created, given
from tests.fakes.moves import LATER, move_attempted, moved, rescheduled
from tests.fakes.moves import requested as move_requested

CREATE = CreateAtCalcom(number=1)
MOVE = RescheduleAtCalcom(uid="uid-1", attempt_id="one", starts_at=LATER, reason="", number=1)
CANCEL = CancelAtCalcom(uid="uid-1", attempt_id="one", purpose="cancellation", number=1, since=SLOT)
STANDING = (attempted(), created(), booked())


def held_back(effect: Change, *happened: e.BookingEvent) -> tuple[e.BookingEvent, ...]:
    refused = NotSent(reason="rate_limited", detail="", retry_after=30, defer=True)
    return record_held_back(given(*happened), effect, refused, now=at(100), policy=Policy())


@pytest.mark.parametrize(
    ("effect", "happened", "expected"),
    [
        (CREATE, (), e.BookingDeferred),
        (MOVE, (*STANDING, move_requested()), m.CalcomRescheduleDeferred),
        (CANCEL, (*STANDING, cancellation()), CalcomCancelDeferred),
    ],
)
def test_what_waits_is_deferred(effect: Change, happened: tuple[e.BookingEvent, ...], expected: type[object]) -> None:
    (deferred,) = held_back(effect, *happened)

    assert isinstance(deferred, e.BookingDeferred | m.CalcomRescheduleDeferred | CalcomCancelDeferred)
    assert (expected, "rate_limited") == (type(deferred), deferred.reason)
    assert at(130) <= deferred.until < at(140)


@pytest.mark.parametrize(
    ("effect", "happened"),
    [
        (CREATE, (attempted(),)),
        (CANCEL, STANDING),
        (CREATE, STANDING),
        (MOVE, STANDING),
        (MOVE, (*STANDING, move_requested(), move_attempted())),
        (MOVE, (*STANDING, move_requested(), move_attempted(), moved(), rescheduled())),
        (CANCEL, ()),
        (CANCEL, (*STANDING, cancelled_there())),
    ],
)
def test_what_somebody_else_has_seen_to_is_not(effect: Change, happened: tuple[e.BookingEvent, ...]) -> None:
    assert () == held_back(effect, *happened)
