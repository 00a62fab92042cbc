"""
What the saga makes of the row in the way of an appointment: pure.

Cal.com deletes no bookings, reads them from replicas that lag, and shows one account
nothing of another's. So a booking that it does not find is not gone: only what it shows
as cancelled is. The row keeps its time, and whoever wished for it is refused.
"""

from datetime import datetime, timedelta

from domain import events as e
from domain.booking import Booking, Obstacle
from domain.policy import Policy
from sagas.outcomes import Inspected
from sagas.steps import InspectObstacle

LONGEST_WAIT = timedelta(minutes=1)
_AT_ONCE = timedelta(0)


def stands(obstacle: Obstacle, policy: Policy) -> bool:
    """Tell whether the row is there to stay: Cal.com has its booking, or did not find it when no replica was late."""
    if obstacle.verdict == "missing" and obstacle.looked_at is not None:
        return obstacle.looked_at >= _shown_from(obstacle, policy)
    return obstacle.verdict == "stands"


def record_inspection(
    booking: Booking, effect: InspectObstacle, outcome: Inspected, *, now: datetime, policy: Policy
) -> tuple[e.BookingEvent, ...]:
    """Return what the look at the row in the way adds to the log."""
    obstacle = booking.obstacle
    if obstacle is None or obstacle.appointment_id != effect.appointment_id or obstacle.verdict is not None:
        return ()
    wait = _AT_ONCE
    if outcome.verdict in {"moving", "missing"}:
        wait = min(policy.retry.delay(booking.repeats, salt=str(booking.booking_id)), LONGEST_WAIT)
    if outcome.verdict == "missing":
        wait = max(min(wait, _shown_from(obstacle, policy) - now), _AT_ONCE)
    return (
        e.ObstacleInspected(at=now, obstacle_id=obstacle.appointment_id, verdict=outcome.verdict, retry_at=now + wait),
    )


def _shown_from(obstacle: Obstacle, policy: Policy) -> datetime:
    """Return from when on every replica shows the booking of a row that was there when it was met."""
    return obstacle.met_at + policy.visibility
