"""
All read models.
"""

from projections.alerts import ALERTS
from projections.bookings import BOOKINGS
from projections.circuit_breaker_events import CIRCUIT_BREAKER_EVENTS
from projections.errors import UnknownProjection
from projections.operator_notices import OPERATOR_NOTICES
from projections.reactions import REACTIONS
from projections.source import Projection
from projections.sync_failures import SYNC_FAILURES

PROJECTIONS: tuple[Projection, ...] = (
    BOOKINGS,
    SYNC_FAILURES,
    REACTIONS,
    OPERATOR_NOTICES,
    ALERTS,
    CIRCUIT_BREAKER_EVENTS,
)


def find(name: str) -> Projection:
    """
    Return the read model of this name.

    Raises:
        UnknownProjection: there is none.

    """
    for projection in PROJECTIONS:
        if projection.name == name:
            return projection
    raise UnknownProjection(name)
