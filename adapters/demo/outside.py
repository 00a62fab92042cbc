"""The sandbox's other side: what is defined and queued there, and what it says that it has done."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import httpx

from adapters.demo.circumstances import LATE_SECONDS, RATE_LIMIT, RATE_WINDOW_SECONDS
from adapters.demo.day import Offer, Request
from adapters.demo.judging import Entry

OVERTAKEN_SECONDS = 0.7
_LIVE = frozenset({"accepted", "pending"})


class Outside:
    """The control interface of a sandbox."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def prepare(self, offers: Iterable[Offer]) -> None:
        """Define the event types, and raise the rate limit: a fault's 429 must not stop everybody for a minute."""
        for offer in offers:
            body = {"slug": offer.service_id, "title": offer.name, "length": offer.minutes, "hosts": [offer.host]}
            await self._send("PUT", f"event-types/{offer.event_type_id}", body)
        window = {"window_seconds": RATE_WINDOW_SECONDS, "block_seconds": RATE_WINDOW_SECONDS}
        await self._send("PUT", "rate-limit", {"limit": RATE_LIMIT, **window})

    async def trouble(self, requests: Iterable[Request], *, profile: str, seed: int) -> None:
        """Let calls fail by chance, and certain customers' for sure: slow answers, and requests done much later."""
        await self._send("PUT", "faults", {"profile": profile, "seed": seed})
        faults: list[dict[str, Any]] = []
        for one in requests:
            match = {"attendee_email": one.wish.customer.email}
            if one.overtaken:
                faults.append({"kind": "delay", "operation": "create", "seconds": OVERTAKEN_SECONDS, "match": match})
            if one.hangs_up:
                faults.append({"kind": "late_commit", "operation": "create", "seconds": LATE_SECONDS, "match": match})
        if faults:
            await self._send("POST", "faults", faults)

    async def late_commits(self) -> int:
        """Return how many requests are still to be done."""
        return int((await self._get("stats"))["late_commits_to_come"])

    async def faults(self) -> Mapping[str, int]:
        """Return how often each fault has befallen a call."""
        return dict(sorted((await self._get("stats"))["faults"].items()))

    async def ledger(self) -> tuple[Entry, ...]:
        """Return every booking that was ever committed."""
        return tuple(_entry(line) for line in (await self._get("ledger"))["bookings"])

    async def _get(self, what: str) -> dict[str, Any]:
        response = await self._http.get(f"/_sandbox/{what}")
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer

    async def _send(self, method: str, what: str, body: object) -> None:
        response = await self._http.request(method, f"/_sandbox/{what}", json=body)
        response.raise_for_status()


def _entry(line: dict[str, Any]) -> Entry:
    return Entry(
        uid=line["uid"],
        is_live=line["status"] in _LIVE,
        booking_id=line["metadata"].get("calsaga_booking_id", ""),
        attendee=line["attendees"][0],
        starts_at=datetime.fromisoformat(line["start"]),
        ends_at=datetime.fromisoformat(line["end"]),
    )
