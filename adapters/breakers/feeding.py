"""
What the breakers of this process are told: which news of its work says that something went well, or failed.

Whoever counts hears of it from the breaker, so that what opens it and what is counted are judged once.

The database fails when it does not answer, or takes nothing, be it for want of room or of a working disk; a deadlock,
a constraint or bad data is an answer, and a read that waits for a thread behind others that are answered is our own
affair. A database that can be read and takes no writes has failed: from a write that failed until one that goes well,
reads count only if they fail.
Webhooks fail when they cannot be stored or processed for a reason of ours, or are given up; one that waits for
Cal.com waits. Appointments fail when bookings do, but for the customer's own reason.
"""

from collections.abc import Callable
from typing import Final

from adapters.breakers.watched import WatchedBreaker
from domain.booking import Booking
from domain.booking_outcomes import outcome_of
from domain.breaker_words import Outcome
from domain.errors import AppointmentDatabaseError
from sagas.inbox import WebhookNews

APPEND, READ = "append", "read"
AWAY: Final = frozenset({"timeout", "connection_lost", "exhausted"})
_NEWS: Final[dict[WebhookNews, Outcome]] = {
    "failed": "failed",
    "given_up": "failed",
    "put_off": "ignored",
    "rejected": "ignored",
}


class DatabaseFeed:
    """Tells the database's breaker what came of each call; a `CallListener`."""

    def __init__(self, breaker: WatchedBreaker) -> None:
        self._breaker = breaker
        self._takes_writes = True

    def __call__(self, error: AppointmentDatabaseError | None, *, wrote: bool, seconds: float | None = None) -> None:
        """Take note of a call."""
        operation = APPEND if wrote else READ
        if error is None:
            self._takes_writes = self._takes_writes or wrote
            if self._takes_writes:
                self._breaker.succeeded(operation, seconds)
        elif error.kind in AWAY:
            self._takes_writes = self._takes_writes and not wrote
            self._breaker.failed(operation, seconds)


def feed_webhooks(breaker: WatchedBreaker) -> Callable[[WebhookNews], None]:
    """Return what is to be told what becomes of webhooks."""
    return lambda news: _feed(breaker, _NEWS.get(news, "succeeded"))


def feed_appointments(breaker: WatchedBreaker) -> Callable[[Booking], None]:
    """Return what is to be told of each booking that has come to stand otherwise."""
    return lambda booking: _feed(breaker, outcome_of(booking))


def _feed(breaker: WatchedBreaker, outcome: Outcome) -> None:
    if outcome == "failed":
        breaker.failed()
    elif outcome == "succeeded":
        breaker.succeeded()
