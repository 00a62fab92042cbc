"""
What each operation asks for, read from its request, and how it is done.

Reading comes first and may refuse; doing comes later, perhaps much later, and is one step that nothing interrupts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from adapters.sandbox import announcements, errors, listing, validation
from adapters.sandbox import slots as free_time
from adapters.sandbox.answers import Answer
from adapters.sandbox.bookings import Booking
from adapters.sandbox.desk import Circumstances
from adapters.sandbox.event_type_representation import event_type_output, me_output
from adapters.sandbox.event_types import Scheduling
from adapters.sandbox.faults import CallFacts
from adapters.sandbox.injection import Action, Foretelling
from adapters.sandbox.representation import booking_output, created_output
from adapters.sandbox.state import Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """
    Who calls, and with what.
    """

    key: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """
    A request that has been read: what faults can match it with, what doing it means, and what is told beforehand.
    """

    facts: CallFacts
    action: Action
    foretell: Foretelling | None = None


class Preparation(Protocol):
    """
    Read a request of one operation.
    """

    def __call__(self, sandbox: Sandbox, *, caller: Caller) -> Prepared:
        """
        Return what to do.

        Raises:
            Refusal: the request cannot be read, or names what is not there.
        """
        ...


def create(sandbox: Sandbox, *, caller: Caller) -> Prepared:
    request = validation.booking_request(caller.body)

    def action(given: Circumstances) -> Answer:
        repeated = sandbox.desk.repeats(request)
        made = sandbox.desk.book(request, given=given)
        return Answer(data=created_output(made), status=201, news=() if repeated else announcements.booked(made))

    facts = CallFacts(
        operation="create",
        event_type_id=request.event_type_id,
        attendee_email=request.attendee.email,
        metadata=request.metadata,
    )
    return Prepared(facts=facts, action=action)


def list_page(sandbox: Sandbox, *, caller: Caller) -> Prepared:
    query = listing.read_query(caller.query)

    def action(given: Circumstances) -> Answer:
        hidden = sandbox.keys.hidden_from(caller.key)
        view = listing.View(now=given.now, hidden_event_types=hidden, lag=given.list_lag)
        page, total = listing.list_bookings(sandbox.bookings, query=query, view=view)
        block = listing.pagination(query=query, total=total, returned=len(page))
        return Answer(data=[booking_output(booking) for booking in page], more={"pagination": block})

    event_type = next(iter(query.event_types)) if len(query.event_types) == 1 else None
    email = query.texts.get("attendeeEmail", "")
    return Prepared(facts=CallFacts(operation="list", event_type_id=event_type, attendee_email=email), action=action)


def get(sandbox: Sandbox, *, caller: Caller) -> Prepared:
    booking = sandbox.desk.find(caller.path["uid"])

    def action(given: Circumstances) -> Answer:  # noqa: ARG001 - every action has this form
        return Answer(data=booking_output(booking))

    return Prepared(facts=_facts("get", booking), action=action)


def cancel(sandbox: Sandbox, *, caller: Caller) -> Prepared:
    validation.check_cancel(caller.body)
    uid, reason = caller.path["uid"], caller.body.get("cancellationReason") or ""

    def action(given: Circumstances) -> Answer:
        return Answer(data=booking_output(sandbox.desk.cancel(uid, given=given, reason=reason)))

    def foretell(given: Circumstances) -> tuple[announcements.Announcement, ...]:
        doomed = sandbox.desk.cancellable(uid, given=given, reason=reason)
        return announcements.cancelled(doomed, reason=reason)

    return Prepared(facts=_facts("cancel", sandbox.desk.find(uid)), action=action, foretell=foretell)


def reschedule(sandbox: Sandbox, *, caller: Caller) -> Prepared:
    start = validation.reschedule_start(caller.body)
    uid, reason = caller.path["uid"], caller.body.get("reschedulingReason") or ""
    email = caller.body.get("rescheduledBy") or ""

    def action(given: Circumstances) -> Answer:
        moved = sandbox.desk.reschedule(uid, start=start, given=given, reason=reason, email=email)
        data = created_output([moved]) if moved.event_type.seats else booking_output(moved)
        return Answer(data=data, status=201, news=announcements.rescheduled(moved, old=sandbox.desk.find(uid)))

    return Prepared(facts=_facts("reschedule", sandbox.desk.find(uid)), action=action)


def slots(sandbox: Sandbox, *, caller: Caller) -> Prepared:
    query = free_time.read_query(caller.query, event_types=sandbox.event_types)

    def action(given: Circumstances) -> Answer:
        return Answer(data=free_time.free_slots(query, calendar=sandbox.bookings.calendar, now=given.now))

    return Prepared(facts=CallFacts(operation="slots", event_type_id=query.event_type.id), action=action)


def event_types(sandbox: Sandbox, *, caller: Caller) -> Prepared:
    def action(given: Circumstances) -> Answer:  # noqa: ARG001 - every action has this form
        hidden, slug = sandbox.keys.hidden_from(caller.key), caller.query.get("eventSlug")
        # Those of a team are listed elsewhere.
        shown = [
            event_type
            for event_type in sandbox.event_types.values()
            if event_type.id not in hidden
            and slug in {None, event_type.slug}
            and event_type.scheduling is Scheduling.SINGLE
        ]
        return Answer(data=[event_type_output(event_type) for event_type in shown])

    return Prepared(facts=CallFacts(operation="event_types"), action=action)


def event_type(sandbox: Sandbox, *, caller: Caller) -> Prepared:
    wanted = caller.path["event_type"]
    found = sandbox.event_types.get(int(wanted)) if wanted.isdecimal() else None
    if found is None:
        raise errors.event_type_not_found(wanted)
    if found.id in sandbox.keys.hidden_from(caller.key):
        raise errors.event_type_forbidden(found.id)

    def action(given: Circumstances) -> Answer:  # noqa: ARG001 - every action has this form
        return Answer(data=event_type_output(found))

    return Prepared(facts=CallFacts(operation="event_type", event_type_id=found.id), action=action)


def me(sandbox: Sandbox, *, caller: Caller) -> Prepared:  # noqa: ARG001 - every preparation has this form
    def action(given: Circumstances) -> Answer:  # noqa: ARG001 - every action has this form
        return Answer(data=me_output())

    return Prepared(facts=CallFacts(operation="me"), action=action)


def _facts(operation: str, booking: Booking) -> CallFacts:
    return CallFacts(
        operation=operation,
        event_type_id=booking.event_type.id,
        attendee_email=booking.attendees[0].email,
        metadata=booking.metadata,
    )
