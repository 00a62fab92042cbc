"""
People at Cal.com, who book, cancel, move, confirm and decline without asking anybody.
"""

from collections.abc import Mapping
from typing import Any

from adapters.sandbox import validation
from adapters.sandbox.bookings import Actor, Booking
from adapters.sandbox.desk import Circumstances
from adapters.sandbox.state import Sandbox

_SOMEBODY = {"name": "Somebody Else", "email": "somebody@sandbox.example", "timeZone": "UTC"}


def act(sandbox: Sandbox, *, wish: Mapping[str, Any]) -> list[Booking]:
    """
    Do what a person wants, and return the bookings that it made or changed.

    Raises:
        Refusal: Cal.com does not let people do it either.
        ValueError: there is no such action.
    """
    given = Circumstances(now=sandbox.now(), by=Actor.PERSON, raced=bool(wish.get("race")))
    desk, reason, email = sandbox.desk, wish.get("reason", ""), wish.get("email", "")
    match wish.get("action"):
        case "book":
            return desk.book(_request(wish), given=given)
        case "cancel":
            return [desk.cancel(wish["uid"], given=given, reason=reason, email=email)]
        case "move":
            start = validation.reschedule_start({"start": wish.get("start")})
            return [desk.reschedule(wish["uid"], start=start, given=given, reason=reason, email=email)]
        case "confirm" | "decline" as decision:
            return [desk.decide(wish["uid"], confirmed=decision == "confirm", now=given.now)]
        case action:
            message = f"action must be book, cancel, move, confirm or decline, not {action!r}"
            raise ValueError(message)


def _request(wish: Mapping[str, Any]) -> validation.BookingRequest:
    body = {
        "eventTypeId": wish.get("event_type_id"),
        "start": wish.get("start"),
        "attendee": wish.get("attendee", _SOMEBODY),
        "metadata": wish.get("metadata", {}),
    }
    return validation.booking_request(body)
