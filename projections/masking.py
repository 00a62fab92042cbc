"""
Leaving people out of what is printed.

Whoever a booking is for stands in its first event, and what they said in the event that
was made of it; wherever any of that comes back in a text of Cal.com's or of a caller's,
it is masked, and so is whatever looks like an address or a phone number.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from domain.composite import LegEvent
from domain.events import BookingInitiated, CancellationRequested
from domain.person import Person, Remark
from sagas.appending import Recorded

MASK = "***"
_ADDRESS = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+")
_PHONE = re.compile(r"\+\d[\d\s().\-/]{5,}\d")
_SHORTEST_WORD = 3


def masker(recorded: Sequence[Recorded]) -> Callable[[str], str]:
    """Return what masks a text of this stream."""
    happened = (one.event.event if isinstance(one.event, LegEvent) else one.event for one in recorded)
    personal = (event for event in happened if isinstance(event, BookingInitiated | CancellationRequested))
    persons = [event.person for event in personal]
    words = sorted({word for person in persons for word in _words(person)}, key=len, reverse=True)
    known = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words), re.IGNORECASE)

    def mask(text: str) -> str:
        text = _PHONE.sub(MASK, _ADDRESS.sub(MASK, text))
        return known.sub(MASK, text) if words else text

    return mask


def _words(person: Person | Remark) -> Iterable[str]:
    if isinstance(person, Remark):
        # A single word would be masked in the story's own words, too.
        return (person.reason,) if len(person.reason.split()) > 1 else ()
    whole = (person.name, person.email, person.phone, person.notes)
    parts = (part for part in person.name.split() if len(part) >= _SHORTEST_WORD)
    return (word for word in (*whole, *parts) if word)
