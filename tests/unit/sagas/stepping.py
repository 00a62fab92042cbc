"""
What is next, asked at a moment.
"""

from __future__ import annotations

from domain import events as e
from domain.policy import Policy
from sagas.next_step import next_step
from sagas.steps import (
    CancelAtCalcom,
    Perform,
    Step,
)
from tests.fakes.given import (
    POLICY,
    at,
    given,
)


def step_at(*events: e.BookingEvent, now: float, policy: Policy = POLICY) -> Step:
    return next_step(given(*events), at(now), policy)


def a_cancel(
    uid: str = "uid-1", attempt: str = "one", *, purpose: e.CancelPurpose = "surplus", number: int = 1
) -> Perform:
    return Perform(CancelAtCalcom(uid=uid, attempt_id=attempt, purpose=purpose, number=number, since=at(-300)))
