"""
An account at the sandbox: a key of its own, event types of its own, and people who interfere.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx

LIVE = frozenset({"accepted", "pending"})


class Account:
    """
    What a test does to Cal.com, and what it sees of it; every call blocks.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.key = f"cal_{uuid4().hex}"
        self._http = httpx.Client(base_url=url, timeout=30)
        self._event_types: list[int] = []
        self._control("POST", "reset")

    def close(self) -> None:
        self._http.close()

    def event_type(self, **more: object) -> int:
        """
        Define an event type with a host of its own.
        """
        number = 1000 + uuid4().int % 10**9
        self._event_types.append(number)
        self.change(number, **more)
        return number

    def change(self, number: int, **more: object) -> None:
        """
        Define an event type anew.
        """
        self._control("PUT", f"event-types/{number}", {"slug": f"kind-{number}", "hosts": [number], **more})

    def breaks(self, kind: str, **fault: object) -> None:
        """
        Queue a fault for the next calls.
        """
        self._control("POST", "faults", {"kind": kind, **fault})

    def breaks_always(self, *faults: Mapping[str, object]) -> None:
        """
        Let faults befall every call; none ends that.
        """
        self._control("PUT", "faults", {"seed": 1, "faults": list(faults)})

    def loses_its_key(self) -> None:
        self._control("PUT", "keys", {"invalid": [self.key]})

    def loses_its_sight(self) -> None:
        """
        The key is good, but shows the bookings of none of the event types any more.
        """
        self._control("PUT", "keys", {"blind": {self.key: self._event_types}})

    def is_well_again(self) -> None:
        self._control("PUT", "keys", {})

    def limits(self, calls: int, *, seconds: float) -> None:
        """
        Let the account make so many calls in a window, and block it for as long once it makes more.
        """
        self._control("PUT", "rate-limit", {"limit": calls, "window_seconds": seconds, "block_seconds": seconds})

    def person_books(self, event_type: int, *, start: datetime, **more: object) -> str:
        return self._person(action="book", event_type_id=event_type, start=start.isoformat(), **more)

    def person_cancels(self, uid: str) -> None:
        self._person(action="cancel", uid=uid)

    def person_moves(self, uid: str, *, start: datetime) -> str:
        return self._person(action="move", uid=uid, start=start.isoformat())

    def subscribes(self, url: str, *, secret: str) -> None:
        """
        Let Cal.com tell a subscriber of everything that happens to bookings.
        """
        self._control("POST", "webhooks", {"subscriberUrl": url, "secret": secret})

    def webhooks(self) -> dict[str, int]:
        """
        Return how many webhooks were sent, dropped, doubled and not taken, and how many are still to come.
        """
        found: dict[str, int] = self._stats()["webhooks"]
        return found

    def forgets_everything(self) -> None:
        self._control("POST", "reset")

    def ledger(self) -> list[dict[str, Any]]:
        """
        Return every booking ever made, those cancelled included.
        """
        found: list[dict[str, Any]] = self._control("GET", "ledger")["bookings"]
        return found

    def live(self) -> list[dict[str, Any]]:
        return [one for one in self.ledger() if one["status"] in LIVE]

    def calls(self, operation: str) -> int:
        """
        Return how many calls of an operation have arrived.
        """
        return int(self._stats()["calls"].get(operation, 0))

    def all_calls(self) -> int:
        """
        Return how many calls have arrived.
        """
        return sum(self._stats()["calls"].values())

    def answers(self, operation: str, status: int) -> int:
        """
        Return how many calls of an operation were answered with a status.
        """
        return int(self._stats()["statuses"].get(f"{operation} {status}", 0))

    def _stats(self) -> dict[str, Any]:
        found: dict[str, Any] = self._control("GET", "stats")
        return found

    def _person(self, **wish: object) -> str:
        return str(self._control("POST", "people", wish)["bookings"][0]["uid"])

    def _control(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        answer = self._http.request(method, f"/_sandbox/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()
