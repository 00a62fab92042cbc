"""Who works in the practice, what can be booked there, and who wants to come: the same for the same seed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import count
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from domain.wish import BookAppointment, CustomerWish

COMPANY: Final = "demo-practice"
TIME_ZONE: Final = "Europe/Berlin"
OPENS, CLOSES = 9, 17
WEEKEND: Final = 5

_STAFF = ("anna", "ben", "carla", "deniz", "emma", "farid")
_FIRST: Final = """Ada Björn Chloé Dmitri Elif Françoise Grace Hüseyin Ingrid José Karl Léa Mateusz Noor Øystein
    Priya Quentin Renée Søren Tomáš Ursula Vân Wiebke Zoë"""
_LAST: Final = """Lovelace Müller García Petrov Kaya O'Neill Hopper Nguyễn Larsson Novák Schmidt Kowalski Haddad Hansen
    Patel Dubois Meyer-Lüdenscheid Rossi Weiß"""
_SOURCES = ("voice", "web", "front-desk-phone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A service of one member of staff, and the event type behind it; `host` is that person at Cal.com."""

    service_id: str
    name: str
    minutes: int
    event_type_id: int
    staff_id: str
    host: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    A customer's request.

    It arrives `after` seconds, and is sent `times` with the same key. `overtaken` means
    that the front desk gives the slot away while Cal.com is being asked; `hangs_up`
    that the customer cancels while nobody knows yet whether Cal.com has the booking.
    """

    number: int
    wish: BookAppointment
    after: float
    times: int = 1
    overtaken: bool = False
    hangs_up: bool = False


def offers() -> tuple[Offer, ...]:
    """Return what the practice offers."""
    return tuple(
        Offer(
            service_id=f"{kind}-{staff}",
            name=f"{kind.replace('-', ' ').capitalize()} with {staff.capitalize()}",
            minutes=minutes,
            event_type_id=1000 + 10 * host + minutes // 30,
            staff_id=staff,
            host=100 + host,
        )
        for host, staff in enumerate(_STAFF)
        for kind, minutes in (("follow-up", 30), ("first-visit", 60))
    )


def requests(*, bookings: int, seed: int, today: date, seconds: float, troubled: bool) -> tuple[Request, ...]:
    """Return so many requests, arriving over so many seconds; only a troubled day has overtaken customers."""
    random = Random(seed)  # noqa: S311 - a day at a practice, not a secret
    slots = _slots(bookings, today=today, random=random)
    wanted = [
        Request(
            number=number,
            wish=_wish(number, offer=offer, starts_at=starts_at, seed=seed, random=random),
            after=random.uniform(0, seconds),
        )
        for number, (offer, starts_at) in enumerate(slots)
    ]
    for place in random.sample(range(bookings), k=bookings // 5):
        wanted[place] = replace(wanted[place], times=random.choice((2, 5)))
    if troubled:
        _trouble(wanted, random)
    return tuple(wanted)


def _slots(bookings: int, *, today: date, random: Random) -> list[tuple[Offer, datetime]]:
    free: list[tuple[Offer, datetime]] = []
    for day in _working_days(today):
        free += _slots_of(day, random)
        # A third stays free, as in any practice.
        if len(free) * 2 >= bookings * 3:
            break
    chosen = random.sample(free, k=bookings)
    # A few people want a time that another one wants, too.
    for place in random.sample(range(bookings), k=bookings // 25):
        chosen[place] = random.choice(chosen)
    return chosen


def _slots_of(day: date, random: Random) -> Iterator[tuple[Offer, datetime]]:
    of_staff: dict[str, list[Offer]] = {}
    for offer in offers():
        of_staff.setdefault(offer.staff_id, []).append(offer)
    for short, long in of_staff.values():
        for hour in range(OPENS, CLOSES):
            starts_at = datetime.combine(day, time(hour), ZoneInfo(TIME_ZONE))
            if random.random() < 1 / 3:
                yield long, starts_at
            else:
                yield short, starts_at
                yield short, starts_at + timedelta(minutes=30)


def _working_days(today: date) -> Iterator[date]:
    for ahead in count(2):
        day = today + timedelta(days=ahead)
        if day.weekday() < WEEKEND:
            yield day


def _wish(number: int, *, offer: Offer, starts_at: datetime, seed: int, random: Random) -> BookAppointment:
    first, last = random.choice(_FIRST.split()), random.choice(_LAST.split())
    phone = f"+4930{random.randrange(10**6, 10**7)}" if random.random() < 1 / 2 else None
    return BookAppointment(
        company_id=COMPANY,
        service_id=offer.service_id,
        customer=CustomerWish(name=f"{first} {last}", email=f"customer-{number}@mail.example", phone=phone),
        starts_at=starts_at,
        time_zone=TIME_ZONE,
        source=random.choice(_SOURCES),
        idempotency_key=f"demo-{seed}-{number}",
        correlation_id=f"demo-{seed}-{number}",
    )


def _trouble(wanted: list[Request], random: Random) -> None:
    # Only those who want a time for themselves: the others are refused before anything can overtake them.
    times = [(one.wish.service_id, one.wish.starts_at) for one in wanted]
    alone = [place for place, mine in enumerate(times) if times.count(mine) == 1]
    few = max(len(wanted) // 50, 1)
    chosen = random.sample(alone, k=min(2 * few, len(alone)))
    for place in chosen[:few]:
        wanted[place] = replace(wanted[place], overtaken=True)
    for place in chosen[few:]:
        wanted[place] = replace(wanted[place], hangs_up=True, times=1)
