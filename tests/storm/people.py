"""
People at Cal.com, who book, cancel and move there, and ask nobody.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from uuid import uuid4

import httpx

from adapters.demo import day
from adapters.demo.day import Request
from tests.storm.visits import another_time
from tests.storm.weather import Weather

STRANGE_EVENT_TYPE: Final = 9001
"""An event type that no service of ours books."""
LIVE: Final = frozenset({"accepted", "pending"})
FORGED, STRANGE = 0.1, 0.05
MOVES_AGAIN: Final = 0.3


@dataclass(slots=True, kw_only=True)
class People:
    """
    They do a fifth as much as there are bookings; `done` counts what Cal.com has let them do.
    """

    http: httpx.AsyncClient
    weather: Weather
    requests: tuple[Request, ...]
    done: Counter[str] = field(default_factory=Counter)

    async def live(self) -> None:
        """
        Do this and that for as long as the storm lasts.
        """
        random = Random(f"people {self.weather.seed}")
        acts = max(self.weather.bookings // 5, 12)
        for number in range(acts):
            await asyncio.sleep(random.uniform(0, 2 * self.weather.seconds / acts))
            await (self._book, self._cancel, self._move)[number % 3](random)

    async def _book(self, random: Random) -> None:
        number = sum(self.done.values())
        body: dict[str, Any] = {
            "event_type_id": random.choice(day.offers()).event_type_id,
            "start": another_time(random, self.requests).isoformat(),
            "attendee": {"name": f"Walk-in {number}", "email": f"walk-in-{number}@mail.example", "timeZone": "UTC"},
        }
        what, fate = "book", random.random()
        if fate < FORGED:
            what = "forge"
            body["metadata"] = {"calsaga_booking_id": str(uuid4()), "calsaga_attempt_id": uuid4().hex}
        elif fate < FORGED + STRANGE:
            what, body["event_type_id"] = "book elsewhere", STRANGE_EVENT_TYPE
        await self._do(what, action="book", **body)

    async def _cancel(self, random: Random) -> None:
        if (uid := await self._any(random)) is not None:
            await self._do("cancel", action="cancel", uid=uid)

    async def _move(self, random: Random) -> None:
        uid = await self._any(random)
        while uid is not None:
            moved = await self._do(
                "move", action="move", uid=uid, start=another_time(random, self.requests).isoformat()
            )
            uid = moved if random.random() < MOVES_AGAIN else None

    async def _any(self, random: Random) -> str | None:
        event_type = random.choice(day.offers()).event_type_id
        answer = await self.http.get("/_sandbox/ledger", params={"event_type_id": event_type})
        live = [one["uid"] for one in answer.json()["bookings"] if one["status"] in LIVE]
        return random.choice(live) if live else None

    async def _do(self, what: str, **wish: object) -> str | None:
        answer = await self.http.post("/_sandbox/people", json=wish)
        if not answer.is_success:
            self.done[f"{what}, refused"] += 1
            return None
        self.done[what] += 1
        return str(answer.json()["bookings"][0]["uid"])
