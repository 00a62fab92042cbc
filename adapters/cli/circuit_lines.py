"""A breaker, and a transition of one, in a line."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domain.breaker_words import Snapshot
    from projections.circuit_breaker_events import CircuitBreakerEvent


def in_a_line(snapshot: "Snapshot") -> str:
    """Return how a breaker stands."""
    from adapters.breakers.policies import CALLERS

    until = "" if snapshot.open_until is None else f" until {snapshot.open_until.isoformat(timespec='seconds')}"
    held = snapshot.override
    by = "" if held is None else f"\t{held.action} by {held.actor}: {held.reason}"
    is_idle = snapshot.name in CALLERS and not snapshot.is_used
    slow = f", {snapshot.slow} slow" if snapshot.slow else ""
    counted = "not used yet" if is_idle else f"{snapshot.failures} failed, {snapshot.successes} succeeded{slow}"
    return f"{snapshot.name}\t{snapshot.state}{until}\t{counted}{by}"


def moved_in_a_line(event: "CircuitBreakerEvent") -> str:
    """Return how a breaker has moved, as one of many."""
    return "\t".join([f"{event.at:%Y-%m-%d %H:%M:%S} UTC", event.service, *_moved(event)])


def last_move_in_a_line(event: "CircuitBreakerEvent") -> str:
    """Return how a breaker has moved, as the last that is known of it."""
    return "\t".join([event.service, f"moved at {event.at.isoformat(timespec='seconds')}", *_moved(event)])


def _moved(event: "CircuitBreakerEvent") -> list[str]:
    return [
        f"{event.from_state} -> {event.to_state}",
        event.cause,
        f"{event.failures} of {event.calls} failed{_slow(event)}",
        *([] if event.actor is None else [f"by {event.actor}: {event.reason}"]),
        *([] if event.shared else [f"of process {event.instance} alone"]),
    ]


def _slow(event: "CircuitBreakerEvent") -> str:
    if event.slow is None:
        return ", too many were slow" if event.cause == "slow_calls" else ""
    return f", {event.slow} slow, calls under way included" if event.slow else ""
