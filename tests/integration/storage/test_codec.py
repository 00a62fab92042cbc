from __future__ import annotations

from dataclasses import dataclass, is_dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, ClassVar, get_args
from uuid import uuid4

import orjson
import pytest
from eventsourcing.persistence import Notification
from hypothesis import given, settings
from hypothesis import strategies as st

import domain
from adapters.recording.codec import UPCASTS, EventCodec, Stored, Upcast, booking_codec
from adapters.recording.errors import UnknownTopic, UnreadableEvent
from adapters.recording.mapper import EventMapper
from domain import findings, moving
from domain.breaker_moved import BreakerMoved
from domain.composite import CompositeInitiated, LegEvent
from domain.events import BookingEvent, BookingFailed, BookingInitiated
from sagas.appending import LogEvent, OtherEvent, Recorded, Refusal
from tests.integration.storage.appends import append, deferred, initiated

CODEC = booking_codec()
# JSON has neither lone surrogates nor numbers that are none; the borders of the system keep them out.
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
st.register_type_strategy(str, TEXT)
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(int, st.integers(min_value=-(2**63), max_value=2**63 - 1))
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))
ALL = (*get_args(BookingEvent), CompositeInitiated, *get_args(OtherEvent))
EVENTS = st.one_of([st.builds(event) for event in ALL])


def stored(event: object, *, refusal: Refusal | None = None) -> Stored[Any]:
    return Stored(
        append_id="a1", correlation_id="c1", recorded_at=datetime(2026, 1, 2, tzinfo=UTC), event=event, refusal=refusal
    )


@given(event=EVENTS, refusal=st.none() | st.builds(Refusal))
@settings(max_examples=500, deadline=None)
def test_every_event_comes_back_as_it_was(event: BookingEvent, refusal: Refusal | None) -> None:
    there = stored(event, refusal=refusal)

    back = CODEC.decode(event.TOPIC, CODEC.encode(there))

    assert there == back
    assert type(event) is type(back.event)
    assert "a1" == CODEC.append_id(CODEC.encode(there))


@pytest.mark.parametrize("event", ALL)
def test_every_single_kind_of_event_comes_back(event: type[BookingEvent | OtherEvent]) -> None:
    @given(one=st.builds(event))
    @settings(max_examples=20, deadline=None)
    def comes_back(one: LogEvent) -> None:
        assert stored(one) == CODEC.decode(event.TOPIC, CODEC.encode(stored(one)))

    comes_back()


@given(
    event=st.builds(
        LegEvent, leg=st.integers(1, 10), event=st.one_of([st.builds(one) for one in get_args(BookingEvent)])
    )
)
@settings(max_examples=300, deadline=None)
def test_an_event_of_a_leg_comes_back_with_its_leg(event: LegEvent) -> None:
    back = CODEC.decode(event.TOPIC, CODEC.encode(stored(event)))

    assert stored(event) == back


def test_a_finding_that_was_resolved_before_remarks_were_kept_has_none() -> None:
    resolved = findings.InconsistencyResolved(
        at=datetime(2026, 1, 2, tzinfo=UTC), kind="ghost", uid="u", how="keep_local", actor="ada"
    )
    old = orjson.loads(CODEC.encode(stored(resolved)))
    del old["event"]["person"]

    assert stored(resolved) == CODEC.decode(resolved.TOPIC, orjson.dumps(old))


@pytest.mark.parametrize("leg", [{"event": {}}, {"leg": "x", "event": {}}, 5])
def test_an_event_of_no_leg_cannot_be_read(leg: object) -> None:
    state = orjson.dumps({"append_id": "a", "event": leg})

    with pytest.raises(UnreadableEvent):
        CODEC.decode("composite.leg.v1/booking.failed.v1", state)


@given(event=st.one_of([st.builds(one) for one in get_args(OtherEvent)]))
@settings(max_examples=20, deadline=None)
def test_what_happens_to_a_leg_happens_to_a_booking(event: OtherEvent) -> None:
    state = CODEC.encode(stored({"leg": 1, "event": event}))

    with pytest.raises(UnreadableEvent):
        CODEC.decode(f"composite.leg.v1/{event.TOPIC}", state)


def test_every_event_of_the_domain_is_known_by_its_own_name() -> None:
    modules = [import_module(f"domain.{one.name}") for one in iter_modules(domain.__path__)]
    things = [thing for module in modules for thing in vars(module).values()]
    names = [getattr(thing, "TOPIC", None) for thing in things if is_dataclass(thing)]
    # What happens to a leg has the name of what happened before its own.
    declared = {name for name in names if isinstance(name, str)}

    assert declared == CODEC.topics
    assert len(ALL) == len(CODEC.topics)
    assert not CODEC.topics & set(UPCASTS)


def test_a_name_that_is_used_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"booking\.failed\.v1"):
        EventCodec([BookingFailed, BookingFailed])


def test_an_unknown_name_is_named() -> None:
    with pytest.raises(UnknownTopic, match=r"booking\.teleported\.v1"):
        CODEC.decode("booking.teleported.v1", b"{}")


def test_an_event_that_does_not_fit_its_name_is_described_without_its_values() -> None:
    state = CODEC.encode(stored(deferred("secret")))

    with pytest.raises(UnreadableEvent, match=r"event\.detail: missing") as caught:
        CODEC.decode(BookingFailed.TOPIC, state)
    assert "secret" not in str(caught.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class LightSwitched:
    TOPIC: ClassVar[str] = "light.switched.v3"
    room: str
    brightness: int


def _brightness_from_flag(event: dict[str, Any]) -> dict[str, Any]:
    return {"room": event["room"], "brightness": 100 if event["is_on"] else 0}


UPCASTS_OF_LIGHT = {
    "light.switched.v1": Upcast(to="light.switched.v2", change=lambda event: {**event, "room": "hall"}),
    "light.switched.v2": Upcast(to="light.switched.v3", change=_brightness_from_flag),
}


@pytest.mark.parametrize(
    ("topic", "old"),
    [
        ("light.switched.v1", {"is_on": True}),
        ("light.switched.v2", {"is_on": True, "room": "hall"}),
        ("light.switched.v3", {"brightness": 100, "room": "hall"}),
    ],
)
def test_old_events_are_brought_up_to_date_one_version_at_a_time(topic: str, old: dict[str, Any]) -> None:
    codec = EventCodec([LightSwitched], upcasts=UPCASTS_OF_LIGHT)
    state = orjson.dumps(
        {"append_id": "a1", "correlation_id": "c1", "recorded_at": "2026-01-02T00:00:00+00:00", "event": old}
    )

    assert stored(LightSwitched(room="hall", brightness=100)) == codec.decode(topic, state)


def test_a_booking_that_began_before_groups_could_be_chosen_from_was_chosen_from_none() -> None:
    booking = stored(initiated())
    state = orjson.loads(CODEC.encode(booking))
    del state["event"]["staff_group"]

    assert booking == CODEC.decode(BookingInitiated.TOPIC, orjson.dumps(state))


def test_a_breaker_that_moved_before_slow_calls_were_counted_says_nothing_of_them() -> None:
    moved = BreakerMoved(
        at=datetime(2026, 1, 2, tzinfo=UTC),
        service="calcom",
        before="closed",
        after="open",
        cause="slow_calls",
        epoch=1,
        failures=0,
        calls=10,
        actor=None,
        reason=None,
        instance=None,
        slow=9,
    )
    old = orjson.loads(CODEC.encode(stored(moved)))
    del old["event"]["slow"]

    assert stored(replace(moved, slow=None)) == CODEC.decode(moved.TOPIC, orjson.dumps(old))


def test_a_move_that_failed_before_it_was_written_what_was_in_its_way_names_nothing() -> None:
    failed = stored(
        moving.RescheduleFailed(at=datetime(2026, 1, 2, tzinfo=UTC), reason="near_duplicate", detail="so near")
    )
    state = orjson.loads(CODEC.encode(failed))
    del state["event"]["conflicting_booking_id"]

    assert failed == CODEC.decode(moving.RescheduleFailed.TOPIC, orjson.dumps(state))


@pytest.mark.parametrize(
    "upcasts",
    [
        {"light.switched.v1": Upcast(to="light.switched.v2", change=dict)},
        {
            "light.switched.v1": Upcast(to="light.switched.v2", change=dict),
            "light.switched.v2": Upcast(to="light.switched.v1", change=dict),
        },
    ],
)
def test_upcasts_that_lead_nowhere_are_refused_at_the_start(upcasts: dict[str, Upcast]) -> None:
    with pytest.raises(ValueError, match="upcasts"):
        EventCodec([LightSwitched], upcasts=upcasts)


def test_the_mapper_maps_a_recorded_event_to_a_row_and_back() -> None:
    mapper = EventMapper(CODEC)
    recorded = Recorded(
        stream_id=uuid4(),
        version=3,
        event=deferred(),
        append_id="a1",
        correlation_id="c1",
        recorded_at=datetime(2026, 1, 2, tzinfo=UTC),
    )

    row = mapper.to_stored_event(recorded)

    assert recorded == mapper.to_domain_event(row)
    with_position = Notification(
        id=17, originator_id=row.originator_id, originator_version=3, topic=row.topic, state=row.state
    )
    assert 17 == mapper.to_domain_event(with_position).position


def test_the_rows_of_an_append_follow_its_expected_version() -> None:
    one = append(uuid4(), 7, deferred("a"), deferred("b"))

    assert [8, 9] == [row.originator_version for row in EventMapper(CODEC).rows(one, one.events)]
