"""What the database knows of how everything stood, for a command that neither makes nor migrates one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from adapters.database.snapshots import KeptSnapshot
    from adapters.settings import Settings
    from domain.full_fallback import FullFallbackBegun
    from projections.circuit_breaker_events import CircuitBreakerEvent

FRESH = timedelta(minutes=3)
"""How old a snapshot may be that is taken every minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """
    `kept` is the last snapshot, if it is a fresh one, `fallback` what holds now, `moves` how each breaker moved last.

    `is_away` if the database does not answer.
    """

    kept: "KeptSnapshot | None" = None
    fallback: "FullFallbackBegun | None" = None
    moves: "Sequence[CircuitBreakerEvent]" = ()
    is_away: bool = False


def is_missing(database_url: str) -> bool:
    """Tell whether there is no such database yet, as far as that can be seen without opening, or making, it."""
    from pathlib import Path

    from sqlalchemy import make_url

    url = make_url(database_url)
    return url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists()


def remembered(settings: "Settings") -> Remembered:
    """Ask the database; what is not there, a whole database included, is not known."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    from adapters.breakers.feeding import AWAY
    from adapters.database.engine import open_engine
    from adapters.postgres.errors import database_error as of_postgres
    from adapters.sqlite.errors import database_error as of_sqlite

    is_sqlite = make_url(settings.database_url).get_backend_name() == "sqlite"
    if is_missing(settings.database_url):
        # To look is not to make one.
        return Remembered()
    engine = open_engine(settings.database_url, pool_size=1)
    try:
        with engine.connect() as connection:
            return _read(connection)
    except DBAPIError as error:
        told = (of_sqlite if is_sqlite else of_postgres)(error.orig or error)
        return Remembered(is_away=told.kind in AWAY)
    except SQLAlchemyError:
        return Remembered()
    finally:
        engine.dispose()


def _read(connection: "Connection") -> Remembered:
    from adapters.breakers.policies import NAMES
    from adapters.database.snapshots import latest_snapshot
    from projections.breaker_event_pages import list_breaker_events

    kept = latest_snapshot(connection)
    is_fresh = kept is not None and abs(datetime.now(UTC) - kept.at) <= FRESH
    return Remembered(
        kept=kept if is_fresh else None,
        fallback=_fallback(connection),
        moves=[one for name in NAMES for one in list_breaker_events(connection, service=name, limit=1).events],
    )


def _fallback(connection: "Connection") -> "FullFallbackBegun | None":
    from sqlalchemy import select

    from adapters.database.tables import stored_events
    from adapters.recording.codec import booking_codec
    from adapters.recording.errors import UnreadableEvent
    from domain.full_fallback import STREAM, FullFallbackBegun, FullFallbackEnded, holding

    c = stored_events.c
    query = select(c.topic, c.state).where(c.originator_id == STREAM).order_by(c.originator_version.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    try:
        event = booking_codec().decode(row.topic, row.state).event
    except UnreadableEvent:
        # A newer calsaga has switched it.
        return None
    return holding(event, datetime.now(UTC)) if isinstance(event, FullFallbackBegun | FullFallbackEnded) else None
