"""
One process full of callers, each of which starts its next booking when the last one has ended.

A tenth of the bookings is for a service that is gone when the appointment is written,
so that the database refuses it and Cal.com's booking is cancelled again.
"""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import httpx
import uvloop
from httpx_aiohttp import AiohttpTransport

from adapters.bootstrap import application
from adapters.collector import spare_what_stays
from adapters.settings import read_settings
from domain.errors import AppointmentDatabaseError
from domain.wish import BookAppointment, CustomerWish

REFUSED, UNAVAILABLE = 409, 503
UNANSWERED = "unanswered"
STEADY, DOOMED = "steady", "doomed"
FIRST_START = timedelta(days=2)
APPOINTMENT = timedelta(minutes=30)

Book = Callable[[BookAppointment], Awaitable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What this process has to do; times in seconds, `starts_at` on the monotonic clock."""

    name: str
    callers: int
    warmup: float
    seconds: float
    doomed_share: float
    url: str | None = None
    api_key: str | None = None


@dataclass(slots=True)
class Tally:
    """
    What came of it: latencies in seconds inside the measured time, and how the bookings ended.

    Who is told to ask again, because the database did not answer in time, is `unanswered`, and no booking.
    """

    times: list[float]
    booked: int = 0
    failed: int = 0
    unanswered: int = 0


async def run(orders: Orders, book: Book) -> Tally:
    """Call until the time is up."""
    tally, numbers = Tally([]), itertools.count()
    first = (datetime.now(UTC) + FIRST_START).replace(minute=0, second=0, microsecond=0)
    begin = time.monotonic() + orders.warmup
    end = begin + orders.seconds

    async def caller(number: int) -> None:
        for turn in itertools.count():
            if time.monotonic() >= end:
                return
            service = DOOMED if next(numbers) % 100 < orders.doomed_share * 100 else STEADY
            started = time.monotonic()
            status = await book(_wish(f"{orders.name}-{number}", turn, service, first))
            ended = time.monotonic()
            tally.booked += status == "booked"
            tally.failed += status == "failed"
            tally.unanswered += status == UNANSWERED
            if status != UNANSWERED and begin <= ended < end:
                tally.times.append(ended - started)

    await asyncio.gather(*(caller(number) for number in range(orders.callers)))
    return tally


def _wish(who: str, turn: int, service: str, first: datetime) -> BookAppointment:
    return BookAppointment(
        company_id="default",
        service_id=service,
        customer=CustomerWish(name="Ada Lovelace", email=f"{who}-{turn}@example.com", phone=None),
        starts_at=first + APPOINTMENT * turn,
        time_zone="UTC",
        source="bench",
        staff_id=who,
        correlation_id=f"bench-{who}-{turn}",
    )


async def in_process(orders: Orders) -> Tally:
    """Call the Python API."""
    async with application(read_settings(), background=True) as app:
        for service in (STEADY, DOOMED):
            await app.directory.services.find(company_id="default", service_id=service)
        spare_what_stays()
        await _ready()

        async def book(wish: BookAppointment) -> str:
            try:
                return (await app.orchestrator.book(wish)).booking.status.value
            except AppointmentDatabaseError as error:
                if not error.retryable:
                    raise
                return UNANSWERED

        return await run(orders, book)


async def over_http(orders: Orders) -> Tally:
    """Call the HTTP API."""
    headers = {"authorization": f"Bearer {orders.api_key}"}
    async with httpx.AsyncClient(
        transport=AiohttpTransport(), base_url=orders.url or "", headers=headers, timeout=60
    ) as client:
        await _ready()

        async def book(wish: BookAppointment) -> str:
            answer = await client.post("/api/bookings", json=_body(wish))
            if answer.is_success:
                return str(answer.json()["booking"]["status"])
            if answer.status_code == UNAVAILABLE:
                return UNANSWERED
            if answer.status_code != REFUSED:
                # Anything else would be measured as a booking that was quick.
                raise RuntimeError(answer.text)
            return "failed"

        return await run(orders, book)


def _body(wish: BookAppointment) -> dict[str, object]:
    return {
        "service_id": wish.service_id,
        "customer": {"name": wish.customer.name, "email": wish.customer.email},
        "starts_at": wish.starts_at.isoformat(),
        "time_zone": wish.time_zone,
        "source": wish.source,
        "staff_id": wish.staff_id,
    }


async def _ready() -> None:
    # The one who measures lets all processes begin together.
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)


def main() -> None:
    """Read the orders from the first argument, and print the tally as JSON."""
    orders = Orders(**json.loads(sys.argv[1]))
    tally = uvloop.run(over_http(orders) if orders.url else in_process(orders))
    # With PYTHONUNBUFFERED, `sys.stdout` forgets the rest of what a pipe takes in part only.
    with open(sys.stdout.fileno(), "w", encoding="utf-8", closefd=False) as whole:
        whole.write(json.dumps(asdict(tally)) + "\n")


if __name__ == "__main__":
    main()
