"""
Comparing what the database holds about a stream with what the stream says: pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime

from adapters.difference import NOTHING, Difference, difference, surplus_rows, unequal
from adapters.evidence import Evidence, StoredRow
from adapters.judging_alerts import about_alert
from adapters.judging_breakers import about_breaker, about_breaker_commands
from adapters.judging_clearings import about_clearings
from adapters.judging_fallback import about_full_fallback
from adapters.judging_notices import about_notice
from adapters.judging_read_models import about_read_models
from adapters.judging_webhooks import about_webhook
from adapters.recording.codec import EventCodec
from adapters.recording.errors import UnreadableEvent
from adapters.replaying import Replayed, has_ended, listed, replay
from domain.alert import AlertEvent
from domain.booking import Booking, initial_state
from domain.breaker_commanded import BreakerCommanded
from domain.breaker_moved import BreakerMoved
from domain.composite import CompositeInitiated, LegEvent, SagaEvent
from domain.events import BookingInitiated
from domain.evolving import fold
from domain.failures_cleared import FailuresCleared
from domain.full_fallback import FullFallbackEvent
from domain.notice import OperatorNotified
from domain.policy import Policy
from domain.webhook import WebhookEvent
from sagas.appending import OtherEvent, Recorded, only_booking_events
from sagas.next_step import next_step
from sagas.rows import claim_of
from sagas.steps import Done


def differences(one: Evidence, *, codec: EventCodec, policy: Policy, now: datetime) -> list[Difference]:
    """Return everything that contradicts a stream: a booking's, a webhook's, or one of what people are told and do."""
    if not one.events:
        return list(_strays(one))
    try:
        recorded = [_recorded(one, row, codec) for row in one.events]
    except UnreadableEvent as problem:
        return [difference(one, "event", "readable", str(problem))]
    versions = [row.version for row in one.events]
    if versions != list(range(1, len(versions) + 1)):
        return [difference(one, "stream versions", f"1 to {len(versions)}", ", ".join(map(str, versions)))]
    events = [it.event for it in recorded]
    if isinstance(events[0], WebhookEvent):
        return list(about_webhook(one, events))
    if isinstance(events[0], FullFallbackEvent):
        return list(about_full_fallback(one, events))
    if isinstance(events[0], OperatorNotified):
        return list(about_notice(one, events))
    if isinstance(events[0], FailuresCleared):
        return list(about_clearings(one, events))
    if isinstance(events[0], AlertEvent):
        return list(about_alert(one, recorded))
    if isinstance(events[0], BreakerMoved):
        return list(about_breaker(one, events))
    if isinstance(events[0], BreakerCommanded):
        return list(about_breaker_commands(one, events))
    return list(_about_booking(one, recorded, policy, now))


def _strays(one: Evidence) -> Iterator[Difference]:
    why = "a row without a stream"
    yield from surplus_rows(one, why)
    if one.due is not None:
        yield difference(one, "due work", NOTHING, why)


def _recorded(one: Evidence, row: StoredRow, codec: EventCodec) -> Recorded:
    stored = codec.decode(row.topic, row.state)
    return Recorded(
        stream_id=one.stream_id,
        version=row.version,
        event=stored.event,
        append_id=stored.append_id,
        correlation_id=stored.correlation_id,
        recorded_at=stored.recorded_at,
        position=row.position,
    )


def _about_booking(one: Evidence, recorded: Sequence[Recorded], policy: Policy, now: datetime) -> Iterator[Difference]:
    events = [it.event for it in recorded]
    ours = list(only_booking_events(events))
    if len(ours) < len(events):
        strange = next(event for event in events if isinstance(event, OtherEvent))
        yield difference(one, "stream", "events of a booking", strange.TOPIC)
        return
    stories = list(_stories(one, ours))
    if not stories:
        yield difference(one, "stream", f"begins with {BookingInitiated.TOPIC}", ours[0].TOPIC)
        return
    whole = fold(initial_state(one.stream_id), ours)
    for story in stories:
        yield from _about_story(one, story)
    legs = {story.booking.leg for story in stories}
    for what, rows in (("appointment", one.appointments), ("claim", one.claims)):
        for leg in set(rows) - legs:
            yield difference(one, _named(what, leg), NOTHING, "a row of a leg that there is not")
    yield from _about_due(one, whole, next_step(whole, now, policy) == Done())
    yield from about_read_models(one, recorded, listed(one, ours))


def _stories(one: Evidence, events: Sequence[SagaEvent]) -> Iterator[Replayed]:
    """Yield what has happened to a booking, or to each leg of it; nothing if that does not begin as it must."""
    if isinstance(events[0], BookingInitiated):
        happened = [event for event in events if not isinstance(event, CompositeInitiated | LegEvent)]
        if len(happened) == len(events):
            yield replay(one, happened)
    elif isinstance(events[0], CompositeInitiated):
        # The claims of all legs are held until the last one has come to its end.
        over = has_ended(one.stream_id, events)
        for leg in range(1, len(events[0].services) + 1):
            own = [event.event for event in events if isinstance(event, LegEvent) and event.leg == leg]
            story = replay(one, own, leg=leg)
            claim = None if over or story.booking.initiated is None else claim_of(story.booking.facts, leg=leg)
            yield replace(story, claim=claim)


def _about_story(one: Evidence, story: Replayed) -> Iterator[Difference]:
    if story.ended_open:
        yield difference(one, _named("ledger", story.booking.leg), "settled when the saga ended", "an open line")
    yield from _about_appointment(one, story)
    yield from _about_claim(one, story)


def _named(what: str, leg: int) -> str:
    return f"leg {leg}, {what}" if leg else what


def _about_appointment(one: Evidence, story: Replayed) -> Iterator[Difference]:
    what, row = _named("appointment", story.booking.leg), one.appointments.get(story.booking.leg)
    if story.row is None:
        if row is not None:
            yield difference(one, what, NOTHING, f"a row that is {row.status}")
        return
    status = "booked" if story.booking.appointment_live else "cancelled"
    if row is None:
        yield difference(one, what, f"a row that is {status}", NOTHING)
        return
    expected = asdict(story.row) | {"id": story.row.appointment_id, "status": status}
    del expected["appointment_id"]
    yield from unequal(one, what, expected, row)


def _about_claim(one: Evidence, story: Replayed) -> Iterator[Difference]:
    what, row = _named("claim", story.booking.leg), one.claims.get(story.booking.leg)
    if story.claim is None and row is not None:
        why = "has ended" if story.booking.ended is not None else "claims nothing"
        yield difference(one, what, NOTHING, f"a row, though the booking {why}")
    elif story.claim is not None and row is None:
        yield difference(one, what, "a row, as the booking is under way", NOTHING)
    elif story.claim is not None and row is not None:
        yield from unequal(one, what, asdict(story.claim), row)


def _about_due(one: Evidence, booking: Booking, done: bool) -> Iterator[Difference]:  # noqa: FBT001 - a fact, no switch
    if done and one.due is not None:
        yield difference(one, "due work", NOTHING, "a row, though the saga owes nothing")
    if not done and one.due is None:
        yield difference(one, "due work", f"a row, as the saga is {booking.status.value}", NOTHING)
