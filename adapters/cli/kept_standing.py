"""What the database knows of how breakers stood, for a command that neither makes nor migrates one."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from adapters.database.snapshots import KeptSnapshot
    from adapters.settings import Settings
    from projections.circuit_breaker_events import CircuitBreakerEvent

Answer = TypeVar("Answer")

FRESH = timedelta(minutes=3)
"""How old a snapshot may be that is taken every minute."""


def fresh_snapshot(settings: "Settings") -> "KeptSnapshot | None":
    """Return the last snapshot if it is a fresh one; None, too, if the database cannot be asked."""
    from adapters.database.snapshots import latest_snapshot

    kept = _asked(settings, latest_snapshot)
    return kept if kept is not None and abs(datetime.now(UTC) - kept.at) <= FRESH else None


def last_moves(settings: "Settings") -> "Mapping[str, CircuitBreakerEvent]":
    """Return how each breaker has moved last, by its name; none if the database cannot be asked."""
    from adapters.breakers.policies import NAMES
    from projections.breaker_event_pages import list_breaker_events

    def ask(connection: "Connection") -> "dict[str, CircuitBreakerEvent]":
        pages = [list_breaker_events(connection, service=name, limit=1) for name in NAMES]
        return {one.service: one for page in pages for one in page.events}

    return _asked(settings, ask) or {}


def _asked(settings: "Settings", question: "Callable[[Connection], Answer]") -> "Answer | None":
    from pathlib import Path

    from sqlalchemy import make_url
    from sqlalchemy.exc import SQLAlchemyError

    from adapters.database.engine import open_engine

    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        # To look is not to make one.
        return None
    engine = open_engine(settings.database_url, pool_size=1)
    try:
        with engine.connect() as connection:
            return question(connection)
    except SQLAlchemyError:
        return None
    finally:
        engine.dispose()
