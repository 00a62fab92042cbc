"""
How often free slots, customers and API keys are in their caches, on one realistic day; prints one JSON object.

    python -m benchmarks.cache_hits [--seed N] [--processes N] [--every SECONDS]

The real caches and the real watch over the log, in virtual time, with a Cal.com and a log in memory, and customers
and keys in SQLite. The mix:

- three hours, a caller every five seconds on average, sent to either of two processes that share a cache;
- ten members of staff with an event type each, the n-th of them asked for in proportion to 1/n;
- six of ten callers ask for the next three days, three for the next seven, one for a single day of the next fourteen;
- every third caller books one of the first twenty slots heard of, every twentieth then cancels;
- every tenth caller of those who book is refused, since a person has taken the slot at Cal.com meanwhile, and books
  another slot in the same call;
- whoever takes a call asks first who it is, by phone: one caller in ten is new, the others are any of 2,000 customers;
- each request comes with one of four API keys (`benchmarks/switchboard.py`).
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from uuid import UUID

from adapters.availability.free_slots import Availability
from benchmarks.switchboard import Desk, Switchboard, switchboard
from domain.offer import Offer
from tests.fakes.given import initiated, refused
from tests.unit.adapters.availability.office import CUT, Office, on

HOURS = 3
SECONDS_BETWEEN_CALLERS = 5.0
STAFF = 10


def main() -> None:
    """Run the day that the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--every", type=float, default=SECONDS_BETWEEN_CALLERS)
    show(**vars(parser.parse_args()))


def show(*, seed: int, processes: int, every: float) -> None:
    """Run one such day, and print what came of it."""
    figures = asyncio.run(a_day(seed, processes=processes, every=every))
    sys.stdout.write(json.dumps({"seed": seed, "processes": processes, "every": every, **figures}) + "\n")


async def a_day(seed: int, *, processes: int, every: float) -> dict[str, object]:
    """Return the figures of a day."""
    chance, office = Random(seed), _office()
    # With chances of their own, so that who calls does not change which slots are asked for.
    people = Random(seed)
    did: Counter[str] = Counter()
    serial = 0
    async with switchboard(office.clock) as board:
        serving = [(office.process(), board.desk()) for _ in range(processes)]
        while office.clock.seconds < HOURS * 3600:
            office.clock.advance(chance.expovariate(1 / every))
            serial += 1
            process, desk = chance.choice(serving)
            before = Counter(did)
            await _call(office, process, chance, did, serial=serial)
            await _talk(board, desk, people, did - before)
    hits = office.counted["hit"]
    return {
        **did,
        "calls_to_calcom": len(office.calcom.calls),
        "days_looked_up": office.counted.total(),
        "hit_rate": round(hits / office.counted.total(), 4),
        "hit_rate_of_customers": _rate(board.counted["phone"]),
        "customers_looked_up": board.counted["phone"].total(),
        "hit_rate_of_keys": _rate(board.counted["user"]),
        "keys_looked_up": board.counted["user"].total(),
        "answers_without_a_call": round(1 - len(office.calcom.calls) / did["asked"], 4),
    }


def _office() -> Office:
    office = Office()
    for number in range(1, STAFF + 1):
        service = replace(CUT, service_id=str(number), calcom_event_type_id=number, staff_id=f"staff{number}")
        office.offers[service.service_id] = Offer(service=service)
    return office


async def _call(office: Office, process: Availability, chance: Random, did: Counter[str], *, serial: int) -> None:
    (number,) = chance.choices(range(1, STAFF + 1), weights=[1 / rank for rank in range(1, STAFF + 1)])
    service = office.offers[str(number)].service
    first, days = _days(office.clock.now().date(), chance)
    heard = await on(process, first, days=days, service=service.service_id)
    did["asked"] += 1
    if chance.random() >= 1 / 3 or not heard.starts:
        return
    start = chance.choice(heard.starts[:20])
    if chance.random() < 1 / 10:
        did["refused"] += 1
        begun = initiated(service=service, staff_id=service.staff_id, starts_at=start, ends_at=start + service.duration)
        office.notes(UUID(int=serial), begun, refused())
        return
    did["booked"] += 1
    booking_id = office.books(serial, service, start)
    if chance.random() < 1 / 20:
        did["cancelled"] += 1
        office.cancels(booking_id)


async def _talk(board: Switchboard, desk: Desk, chance: Random, did: Counter[str]) -> None:
    """Look up who calls, and what the requests of the call need besides free slots."""
    phone = board.caller(chance)
    for _ in range(2):
        await board.admits(desk, chance)
    await board.asks_who_calls(desk, phone)
    for _ in range(did["booked"] + 2 * did["refused"]):
        await board.admits(desk, chance)
        board.books(desk, phone)


def _rate(counted: Counter[str]) -> float:
    return round(counted["hit"] / counted.total(), 4)


def _days(today: date, chance: Random) -> tuple[date, int]:
    kind = chance.random()
    if kind < 0.6:
        return today, 3
    if kind < 0.9:
        return today, 7
    return today + timedelta(days=chance.randrange(14)), 1


if __name__ == "__main__":
    main()
