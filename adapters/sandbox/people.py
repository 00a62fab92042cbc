"""
People at Cal.com, who book, cancel, move, confirm and decline without asking anybody.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.sandbox import announcements, validation
from adapters.sandbox.announcing import announce
from adapters.sandbox.bookings import Actor, Booking
from adapters.sandbox.desk import Circumstances
from adapters.sandbox.state import Sandbox

_SOMEBODY = {"name": "Somebody Else", "email": "somebody@sandbox.example", "timeZone": "UTC"}


async def act(sandbox: Sandbox, *, wish: Mapping[str, Any], answered: asyncio.Event) -> list[Booking]:
    """
    Do what a person wants, tell the subscribers, and return the bookings that it made or changed.

    Raises:
        Refusal: Cal.com does not let people do it either.
        ValueError: there is no such action.
    """
    given = Circumstances(now=sandbox.now(), by=Actor.PERSON, raced=bool(wish.get("race")))
    desk, reason, email = sandbox.desk, wish.get("reason", ""), wish.get("email", "")
    match wish.get("action"):
        case "book":
            request = _request(wish)
            repeated = desk.repeats(request)
            changed = desk.book(request, given=given)
            news = () if repeated else announcements.booked(changed)
        case "cancel":
            doomed = desk.cancellable(wish["uid"], given=given, reason=reason)
            foretold = announcements.cancelled(doomed, reason=reason, email=email)
            await announce(sandbox, news=foretold, answered=answered)
            given = replace(given, now=sandbox.now(), raced=True)
            return [desk.cancel(wish["uid"], given=given, reason=reason, email=email)]
        case "move":
            start = validation.reschedule_start({"start": wish.get("start")})
            changed = [desk.reschedule(wish["uid"], start=start, given=given, reason=reason, email=email)]
            news = announcements.rescheduled(changed[0], old=desk.find(wish["uid"]))
        case "confirm" | "decline" as decision:
            changed = [desk.decide(wish["uid"], confirmed=decision == "confirm", now=given.now)]
            news = announcements.decided(changed[0], reason=reason)
        case action:
            message = f"action must be book, cancel, move, confirm or decline, not {action!r}"
            raise ValueError(message)
    await announce(sandbox, news=news, answered=answered)
    return changed


def _request(wish: Mapping[str, Any]) -> validation.BookingRequest:
    body = {
        "eventTypeId": wish.get("event_type_id"),
        "start": wish.get("start"),
        "attendee": wish.get("attendee", _SOMEBODY),
        "metadata": wish.get("metadata", {}),
    }
    return validation.booking_request(body)
