"""
Comparing what the database holds about a stream with what the stream says: pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime

from adapters.difference import NOTHING, Difference, difference, surplus_rows, unequal
from adapters.evidence import Evidence, StoredRow
from adapters.judging_notices import about_notice
from adapters.judging_read_models import about_read_models
from adapters.judging_webhooks import about_webhook
from adapters.recording.codec import EventCodec
from adapters.recording.errors import UnreadableEvent
from adapters.replaying import Replayed, replay
from domain.events import BookingInitiated
from domain.notice import OperatorNotified
from domain.policy import Policy
from domain.webhook import WebhookEvent
from sagas.appending import OtherEvent, Recorded, only_booking_events
from sagas.next_step import next_step
from sagas.steps import Done


def differences(one: Evidence, *, codec: EventCodec, policy: Policy, now: datetime) -> list[Difference]:
    """Return everything about a booking, a webhook or a notice that contradicts its stream."""
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
    if isinstance(events[0], OperatorNotified):
        return list(about_notice(one, events))
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
    if not isinstance(ours[0], BookingInitiated):
        yield difference(one, "stream", f"begins with {BookingInitiated.TOPIC}", ours[0].TOPIC)
        return
    story = replay(one, ours)
    if story.ended_open:
        yield difference(one, "ledger", "settled when the saga ended", "an open line")
    yield from _about_appointment(one, story)
    yield from _about_claim(one, story)
    yield from _about_due(one, story, next_step(story.booking, now, policy) == Done())
    yield from about_read_models(one, recorded, story.listed)


def _about_appointment(one: Evidence, story: Replayed) -> Iterator[Difference]:
    if story.row is None:
        if one.appointment is not None:
            yield difference(one, "appointment", NOTHING, f"a row that is {one.appointment.status}")
        return
    status = "booked" if story.booking.appointment_live else "cancelled"
    if one.appointment is None:
        yield difference(one, "appointment", f"a row that is {status}", NOTHING)
        return
    expected = asdict(story.row) | {"id": story.row.appointment_id, "status": status}
    del expected["appointment_id"]
    yield from unequal(one, "appointment", expected, one.appointment)


def _about_claim(one: Evidence, story: Replayed) -> Iterator[Difference]:
    if story.claim is None and one.claim is not None:
        why = "has ended" if story.booking.ended is not None else "claims nothing"
        yield difference(one, "claim", NOTHING, f"a row, though the booking {why}")
    elif story.claim is not None and one.claim is None:
        yield difference(one, "claim", "a row, as the booking is under way", NOTHING)
    elif story.claim is not None and one.claim is not None:
        yield from unequal(one, "claim", asdict(story.claim), one.claim)


def _about_due(one: Evidence, story: Replayed, done: bool) -> Iterator[Difference]:  # noqa: FBT001 - a fact, no switch
    if done and one.due is not None:
        yield difference(one, "due work", NOTHING, "a row, though the saga owes nothing")
    if not done and one.due is None:
        yield difference(one, "due work", f"a row, as the saga is {story.booking.status.value}", NOTHING)
