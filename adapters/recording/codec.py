"""
An event as bytes: orjson out, pydantic in, found by the name that is written in its class.

Beside the event stands what makes its append recognizable. An old name is brought up
to a present one by upcasters, one version at a time.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, Generic, TypeAlias, TypeVar, get_args

import orjson
from pydantic import TypeAdapter, ValidationError

from adapters.recording.errors import UnknownTopic, UnreadableEvent
from domain.composite import LEG_TOPIC, CompositeInitiated, LegEvent
from domain.events import BookingEvent
from sagas.appending import LogEvent, OtherEvent, Refusal

E = TypeVar("E")
EventData: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored(Generic[E]):
    """What the log keeps of one event; `refusal` is why its append wrote it instead of another."""

    append_id: str
    correlation_id: str
    recorded_at: datetime
    event: E
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcast:
    """How an event with an old name becomes one with the next name."""

    to: str
    change: Callable[[EventData], EventData]


class EventCodec:
    """Turn events into bytes and back."""

    def __init__(self, events: Iterable[type[Any]], *, upcasts: Mapping[str, Upcast] | None = None) -> None:
        self._adapters: dict[str, TypeAdapter[Stored[LogEvent]]] = {}
        for event in events:
            if event.TOPIC in self._adapters:
                raise ValueError(f"two events have the stored name {event.TOPIC!r}")
            self._adapters[event.TOPIC] = TypeAdapter(Stored[event])  # type: ignore[valid-type]
        self._upcasts = dict(upcasts or {})
        for topic in self._upcasts:
            self._present_name(topic)

    @property
    def topics(self) -> frozenset[str]:
        """Return the names of the events as they are written now."""
        return frozenset(self._adapters)

    def encode(self, stored: Stored[LogEvent]) -> bytes:
        """
        Return the bytes of an event.

        Raises:
            TypeError: it holds text that is not Unicode, or another value that JSON cannot hold.

        """
        return orjson.dumps(stored)

    def decode(self, topic: str, state: bytes) -> Stored[LogEvent]:
        """
        Return the event that was stored under a name, brought up to date.

        Raises:
            UnknownTopic: nothing is known of this name.
            UnreadableEvent: the bytes do not fit it.

        """
        if topic.startswith(LEG_TOPIC):
            return self._of_leg(topic, state)
        if topic in self._upcasts:
            topic, state = self._brought_up(topic, state)
        adapter = self._adapters.get(topic)
        if adapter is None:
            raise UnknownTopic(topic)
        try:
            return adapter.validate_json(state)
        except ValidationError as exc:
            # Without the values: they may be personal data.
            problems = [f"{'.'.join(map(str, error['loc']))}: {error['type']}" for error in exc.errors()]
            raise UnreadableEvent(f"An event {topic!r} of the log cannot be read: {', '.join(problems)}") from None

    def append_id(self, state: bytes) -> str:
        """Return the id of the append that wrote the event."""
        return str(orjson.loads(state)["append_id"])

    def _of_leg(self, topic: str, state: bytes) -> Stored[LogEvent]:
        """Return a leg's event; inside it is an ordinary one, old names included."""
        data = orjson.loads(state)
        try:
            leg, inside = int(data["event"]["leg"]), data["event"]["event"]
        except (KeyError, TypeError, ValueError):
            raise UnreadableEvent(f"An event {topic!r} of the log cannot be read: it names no leg") from None
        stored = self.decode(topic.removeprefix(LEG_TOPIC), orjson.dumps(data | {"event": inside}))
        if isinstance(stored.event, OtherEvent | CompositeInitiated | LegEvent):
            raise UnreadableEvent(f"An event {topic!r} of the log cannot be read: it is none of a leg's")
        return replace(stored, event=LegEvent(leg=leg, event=stored.event))

    def _brought_up(self, topic: str, state: bytes) -> tuple[str, bytes]:
        data = orjson.loads(state)
        while (upcast := self._upcasts.get(topic)) is not None:
            data["event"] = upcast.change(data["event"])
            topic = upcast.to
        return topic, orjson.dumps(data)

    def _present_name(self, topic: str) -> None:
        seen = {topic}
        while topic in self._upcasts:
            topic = self._upcasts[topic].to
            if topic in seen:
                raise ValueError(f"the upcasts of {topic!r} go round in a circle")
            seen.add(topic)
        if topic not in self._adapters:
            raise ValueError(f"the upcasts end at {topic!r}, which no event is named")


@cache
def booking_codec() -> EventCodec:
    """Return the one codec of all that can happen to a booking, to a leg of one, and on any other stream."""
    return EventCodec((*get_args(BookingEvent), CompositeInitiated, *get_args(OtherEvent)), upcasts=UPCASTS)


UPCASTS: Mapping[str, Upcast] = {}
"""By the old stored name, for example `"booking.failed.v1": Upcast(to="booking.failed.v2", change=…)`."""
