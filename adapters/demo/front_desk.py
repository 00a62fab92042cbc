"""
The front desk: people who write appointments into the database by hand.

They give a slot away in the very moment in which Cal.com is being asked for it, between
the claim and the second commit. Nothing is faked: the database's own guard against
overlaps then refuses the saga's appointment, and what Cal.com has made is compensated.
"""

import asyncio
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

from adapters.demo.day import COMPANY, Request

SOURCE: Final = "front_desk"
"""The source of what is written by hand; such rows have no saga, and no booking at Cal.com."""
EVERY_SECONDS = 0.02
BUSY_SECONDS = 20

_CLAIM: Final = "SELECT staff_id, starts_at FROM slot_claims WHERE company_id = ? AND service_id = ? AND starts_at = ?"
_WRITE: Final = """
INSERT INTO appointments (
    id, company_id, booking_id, idempotency_key, service_id, customer_id, staff_id, starts_at, ends_at, status, source,
    created_at, updated_at
) VALUES (?, ?, ?, ?, 'by-hand', ?, ?, ?, ?, 'booked', ?, ?, ?)
"""


class FrontDesk:
    """Waits for the claims of some requests, and writes an appointment of its own over each; `written` counts them."""

    def __init__(self, database: Path, requests: Iterable[Request]) -> None:
        self._database = database
        self._waiting = {(one.wish.service_id, _text(one.wish.starts_at)) for one in requests}
        self.written = 0

    async def work(self) -> None:
        """Write over every claim once; end when nothing is left to write over, or when cancelled."""
        while self._waiting:
            await asyncio.sleep(EVERY_SECONDS)
            await asyncio.to_thread(self._look)

    def _look(self) -> None:
        with closing(sqlite3.connect(self._database, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
            for service_id, starts_at in tuple(self._waiting):
                claim = connection.execute(_CLAIM, (COMPANY, service_id, starts_at)).fetchone()
                if claim is not None:
                    self._waiting.discard((service_id, starts_at))
                    self._write(connection, staff_id=claim[0], starts_at=claim[1])

    def _write(self, connection: sqlite3.Connection, *, staff_id: str, starts_at: str) -> None:
        ends_at = _text(datetime.fromisoformat(starts_at) + timedelta(minutes=15))
        now = _text(datetime.now(UTC))
        ids = (uuid4().hex, COMPANY, uuid4().hex, f"by-hand-{uuid4()}", uuid4().hex)
        try:
            connection.execute(_WRITE, (*ids, staff_id, starts_at, ends_at, SOURCE, now, now))
        except sqlite3.IntegrityError:
            # The saga was faster: now the database refuses the desk.
            return
        self.written += 1


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
