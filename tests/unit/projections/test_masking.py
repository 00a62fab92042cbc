from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from domain.events import BookingInitiated, CancellationRequested
from domain.person import Person, Remark
from projections.masking import masker
from sagas.appending import Recorded
from tests.histories.bookings import history

PERSON = Person(name="José Ó Briain", email="jose@example.com", phone="+491701234567", notes="allergic to henna")


def stream_of(person: Person) -> list[Recorded]:
    (first,) = history(Random(0), longest=1)[:1]
    assert isinstance(first.event, BookingInitiated)
    return [replace(first, event=replace(first.event, person=person))]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("attendee jose@example.com is busy", "attendee *** is busy"),
        ("someone.else+tag@elsewhere.org", "***"),
        ("call +49 170 1234567 back", "call *** back"),
        ("José Ó Briain has left", "*** has left"),
        ("mr briain, BRIAIN", "mr ***, ***"),
        ("allergic to henna", "***"),
        ("Joséphine", "Joséphine"),
        ("uid 4f2a at 2026-03-02T09:00:00+00:00", "uid 4f2a at 2026-03-02T09:00:00+00:00"),
        ("2026-03-02T09:00:00.123456+01:00, later", "2026-03-02T09:00:00.123456+01:00, later"),
    ],
)
def test_whatever_names_the_person_is_masked(text: str, masked: str) -> None:
    assert masked == masker(stream_of(PERSON))(text)


@pytest.mark.parametrize(
    ("said", "text", "masked"),
    [
        ("my son is ill", "Cal.com wrote: My son is ill.", "Cal.com wrote: ***."),
        ("cancelled", "the booking is cancelled", "the booking is cancelled"),
        ("", "nothing", "nothing"),
    ],
)
def test_what_was_said_is_masked_unless_it_is_a_single_word(said: str, text: str, masked: str) -> None:
    (first,) = stream_of(PERSON)
    asked = CancellationRequested(at=first.event.at, person=Remark(reason=said), command_id=None)

    assert masked == masker([first, replace(first, version=2, event=asked)])(text)


def test_without_a_person_addresses_are_masked_all_the_same() -> None:
    assert "write to ***" == masker([])("write to ada@example.com")
