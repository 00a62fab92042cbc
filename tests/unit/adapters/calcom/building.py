"""
Bookings, effects, Cal.com's answers and a scripted Cal.com, for tests of the adapter.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import orjson

from adapters.calcom.calendars import CalComCalendars
from adapters.calcom.circuit import Circuit
from domain import events as e
from domain.booking import Booking, initial_state
from domain.evolving import evolve
from domain.person import Person
from domain.service import Service
from sagas.steps import CancelAtCalcom, LookAtCalcom

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
START = datetime(2026, 12, 1, 10, tzinfo=UTC)
BOOKING_ID = UUID(int=7)
ATTEMPT = "a" * 32
OTHER = "b" * 32
UID = "uid1"
SINCE = NOW - timedelta(minutes=15)
ADA = Person(name="Ada Lovelace", email="ada@example.com", phone="+491701234567")

Handler = Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]


@dataclass
class SettableClock:
    """
    Cal.com's adapter asks it for the database's time.
    """

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@dataclass
class SettableSeconds:
    """
    A clock of seconds that runs when it is told to.
    """

    at: float = 1000.0

    def __call__(self) -> float:
        return self.at


class ScriptedCalCom(httpx.AsyncBaseTransport):
    """
    A transport that notes every request and lets a function answer it.

    What `sight` is given answers who reads an event type, beside the script.
    """

    def __init__(self, *handlers: Handler, sight: Handler | None = None) -> None:
        self.handlers = list(handlers)
        self.sight = sight
        self.requests: list[httpx.Request] = []
        self.sights = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        if self.sight is not None and request.url.path.startswith("/v2/event-types/"):
            self.sights += 1
            return self.sight(request)  # type: ignore[return-value]
        self.requests.append(request)
        # The last one answers everything that comes after it.
        handler = self.handlers.pop(0) if len(self.handlers) > 1 else self.handlers[0]
        answered = handler(request)
        return answered if isinstance(answered, httpx.Response) else await answered

    @property
    def calls(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.requests]


@dataclass
class Account:
    """
    Calendars over a scripted Cal.com, with every clock in the test's hand.
    """

    calcom: ScriptedCalCom
    clock: SettableClock = field(default_factory=SettableClock)
    seconds: SettableSeconds = field(default_factory=SettableSeconds)
    probed: list[str] = field(default_factory=list)
    probe: Callable[[str], None] | None = None
    key: str | None = "cal_secret"
    attempt_seconds: float = 2.0
    total_seconds: float = 5.0
    circuit: Circuit | None = None

    def calendars(self) -> CalComCalendars:
        async def api_key_of(company_id: str) -> str | None:
            return self.key

        return CalComCalendars(
            base_url="https://calcom.test",
            api_key_of=api_key_of,
            clock=self.clock,
            attempt_seconds=self.attempt_seconds,
            total_seconds=self.total_seconds,
            circuit=self.circuit,
            probe=self.probe or self.probed.append,
            transport=self.calcom,
            boottime=self.seconds,
        )


def an_account(*handlers: Handler) -> Account:
    """
    Return an account whose key can see its event type.
    """
    return Account(ScriptedCalCom(*handlers, sight=succeeds({"id": 1})))


def a_service(**facts: Any) -> Service:  # noqa: ANN401 - whatever a test changes
    given: dict[str, Any] = {
        "company_id": "acme",
        "service_id": "haircut",
        "name": "Haircut",
        "duration_minutes": 30,
        "calcom_event_type_id": 1,
    }
    return Service(**{**given, **facts})


def a_booking(
    *, person: Person = ADA, starts_at: datetime = START, service: Service | None = None, booking_id: UUID = BOOKING_ID
) -> Booking:
    service = service or a_service()
    initiated = e.BookingInitiated(
        at=NOW,
        service=service,
        customer_id=UUID(int=1),
        person=person,
        starts_at=starts_at,
        ends_at=starts_at + service.duration,
        time_zone="Europe/Berlin",
        source="test",
        staff_id=None,
        call_id=None,
        confidence=None,
        allow_near_duplicate=False,
        idempotency_key="key",
        key_given=True,
        generation=0,
        fingerprint="f",
        valid_until=starts_at,
        correlation_id="c",
        policy_version="1",
    )
    return evolve(initial_state(booking_id), initiated)


def a_look(*attempt_ids: str, since: datetime = SINCE) -> LookAtCalcom:
    return LookAtCalcom(attempt_ids=attempt_ids or (ATTEMPT,), since=since)


def a_cancel(*, purpose: str = "compensation", uid: str = UID, since: datetime = SINCE) -> CancelAtCalcom:
    return CancelAtCalcom(uid=uid, attempt_id=ATTEMPT, purpose=purpose, number=1, since=since)  # type: ignore[arg-type]


def a_row(uid: str = UID, *, attempt_id: str | None = ATTEMPT, **facts: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a test changes
    metadata = {} if attempt_id is None else {"calsaga_attempt_id": attempt_id}
    row = {
        "id": 1,
        "uid": uid,
        "status": "accepted",
        "start": "2026-12-01T10:00:00.000Z",
        "end": "2026-12-01T10:30:00.000Z",
        "createdAt": "2026-11-22T11:59:59.000Z",
        "metadata": metadata,
        "attendees": [{"name": "Ada Lovelace", "email": "ada@example.com"}],
        "somethingNew": {"nested": [1, 2]},
    }
    return {**row, **facts}


def succeeds(data: object, *, status: int = 200, **more: object) -> Handler:
    return says(status, {"status": "success", "data": data, **more})


def lists(*rows: object, has_next: bool = False) -> Handler:
    return succeeds(list(rows), pagination={"hasNextPage": has_next, "totalItems": len(rows)})


def refuses(status: int, code: str, message: str, **headers: str) -> Handler:
    error = {"code": code, "message": message, "details": {"message": message, "statusCode": status}}
    document = {"status": "error", "timestamp": "2026-11-22T12:00:00Z", "path": "/v2/x", "error": error}
    return says(status, document, **headers)


def refuses_barely(status: int, message: str) -> Handler:
    return says(status, {"statusCode": status, "message": message})


def says(status: int, document: object, **headers: str) -> Handler:
    return says_bytes(status, orjson.dumps(document), **headers)


def says_bytes(status: int, body: bytes, **headers: str) -> Handler:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx.Response(status, content=body, headers=named)


def breaks(error: Exception) -> Handler:
    def raise_it(_: httpx.Request) -> httpx.Response:
        raise error

    return raise_it


NOT_FOUND = refuses(404, "NotFoundException", f"Booking with uid={UID} was not found in the database")
