"""
Somebody who writes into the tables behind our back, once Cal.com has made the booking and before we have written it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa

from adapters.database.engine import open_engine
from adapters.database.tables import appointments, services
from tests.crash.judge import WALK_IN
from tests.integration.system.installation import START

STAFF = "ada"


class Once:
    """
    A probe that acts when a point is reached for the first time; `times` says how often that happened.
    """

    def __init__(self, act: Callable[[], object], *, at: str = "calcom.create.after") -> None:
        self._act = act
        self._at = at
        self.times = 0

    def __call__(self, point: str) -> None:
        """
        Take note of a point.
        """
        if point == self._at:
            self.times += 1
            if self.times == 1:
                self._act()


class Stranger:
    """
    A second connection to the database, of software that knows nothing of calsaga.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def inserts(self, **row: object) -> UUID:
        """
        Write an appointment of its own.
        """
        now = datetime.now(UTC)
        appointment_id = uuid4()
        values = {
            "id": appointment_id,
            "company_id": "default",
            "booking_id": uuid4(),
            "idempotency_key": f"front-desk-{appointment_id}",
            "service_id": "consultation",
            "customer_id": UUID(int=0),
            "staff_id": None,
            "starts_at": START + timedelta(minutes=10),
            "ends_at": START + timedelta(minutes=20),
            "status": "booked",
            "source": WALK_IN,
            "created_at": now,
            "updated_at": now,
            **row,
        }
        self.does(appointments.insert().values(values))
        return appointment_id

    def hides(self, booking_id: UUID) -> None:
        """
        Take a booking's row out of everybody's way.
        """
        self.does(sa.update(appointments).where(appointments.c.booking_id == booking_id).values(status="cancelled"))

    def shows(self, booking_id: UUID) -> None:
        """
        Put a row back that was hidden.
        """
        self.does(sa.update(appointments).where(appointments.c.booking_id == booking_id).values(status="booked"))

    def deletes_the_service(self) -> None:
        self.does(sa.delete(services))

    def does(self, statement: sa.Executable) -> None:
        engine = open_engine(self._url)
        with engine.begin() as connection:
            connection.execute(statement)
        engine.dispose()

    def status_of(self, booking_id: UUID) -> str | None:
        """
        Return the status of a booking's row.
        """
        engine = open_engine(self._url)
        with engine.connect() as connection:
            found = connection.scalar(sa.select(appointments.c.status).where(appointments.c.booking_id == booking_id))
        engine.dispose()
        return found
