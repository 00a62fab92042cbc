"""
How often the free slots of a day are in the cache, on one realistic day; prints one JSON object.

    python -m benchmarks.cache_hits [--seed N] [--processes N] [--every SECONDS]

The real cache and the real watch over the log, in virtual time, with a Cal.com and a log in memory. The mix:

- three hours, a caller every five seconds on average, sent to either of two processes that share a cache;
- ten members of staff with an event type each, the n-th of them asked for in proportion to 1/n;
- six of ten callers ask for the next three days, three for the next seven, one for a single day of the next fourteen;
- every third caller books one of the first twenty slots heard of, every twentieth then cancels;
- every tenth caller of those who book is refused, since a person has taken the slot at Cal.com meanwhile.
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
from domain.offer import Offer
from tests.fakes.given import initiated, refused
from tests.unit.adapters.availability.office import CUT, Office, on

HOURS = 3
SECONDS_BETWEEN_CALLERS = 5.0
STAFF = 10


def main() -> None:
    """Run the day, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--every", type=float, default=SECONDS_BETWEEN_CALLERS)
    chosen = parser.parse_args()
    figures = asyncio.run(a_day(chosen.seed, processes=chosen.processes, every=chosen.every))
    sys.stdout.write(json.dumps({**vars(chosen), **figures}) + "\n")


async def a_day(seed: int, *, processes: int, every: float) -> dict[str, object]:
    """Return the figures of a day."""
    chance, office = Random(seed), _office()
    serving = [office.process() for _ in range(processes)]
    did: Counter[str] = Counter()
    serial = 0
    while office.clock.seconds < HOURS * 3600:
        office.clock.advance(chance.expovariate(1 / every))
        serial += 1
        await _call(office, chance.choice(serving), chance, did, serial=serial)
    hits = office.counted["hit"]
    return {
        **did,
        "calls_to_calcom": len(office.calcom.calls),
        "days_looked_up": office.counted.total(),
        "hit_rate": round(hits / office.counted.total(), 4),
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


def _days(today: date, chance: Random) -> tuple[date, int]:
    kind = chance.random()
    if kind < 0.6:
        return today, 3
    if kind < 0.9:
        return today, 7
    return today + timedelta(days=chance.randrange(14)), 1


if __name__ == "__main__":
    main()
