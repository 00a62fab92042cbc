"""
Leaving people out of what is printed.

Whoever a booking is for stands in its first event; wherever any of that comes back in
a text of Cal.com's or of a caller's, it is masked, and so is whatever looks like an
address or a phone number.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from domain.events import BookingInitiated
from domain.person import Person
from sagas.appending import Recorded

MASK = "***"
_ADDRESS = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+")
_PHONE = re.compile(r"\+\d[\d\s().\-/]{5,}\d")
_SHORTEST_WORD = 3


def masker(recorded: Sequence[Recorded]) -> Callable[[str], str]:
    """Return what masks a text of this stream."""
    persons = (one.event.person for one in recorded if isinstance(one.event, BookingInitiated))
    words = sorted({word for person in persons for word in _words(person)}, key=len, reverse=True)
    known = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words), re.IGNORECASE)

    def mask(text: str) -> str:
        text = _PHONE.sub(MASK, _ADDRESS.sub(MASK, text))
        return known.sub(MASK, text) if words else text

    return mask


def _words(person: Person) -> Iterable[str]:
    whole = (person.name, person.email, person.phone, person.notes)
    parts = (part for part in person.name.split() if len(part) >= _SHORTEST_WORD)
    return (word for word in (*whole, *parts) if word)
