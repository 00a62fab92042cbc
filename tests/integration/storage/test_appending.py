from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from adapters.recording.backend import Backend
from adapters.recording.errors import OnlyAppended
from domain import events as e
from domain.errors import AppointmentDatabaseError
from sagas.appending import Append, Appended, DueAfter, Lease, Lost, NothingDue
from tests.integration.storage.appends import append, deferred, finish, initiated, opened, rows, start, withdraw


def versions(database: Backend, stream_id: UUID) -> list[tuple[int, str]]:
    return [(row.originator_version, row.topic) for row in database.recorder.select_events(stream_id)]


def book(database: Backend) -> tuple[Append, Append]:
    facts = initiated()
    first = start(facts)
    second = finish(first.stream_id, facts)
    database.append([first])
    database.append([second])
    return first, second


def test_a_booking_leaves_events_and_an_appointment_and_nothing_due(url: str, database: Backend) -> None:
    first, _ = book(database)

    assert versions(database, first.stream_id) == [
        (1, "booking.initiated.v1"),
        (2, "booking.calcom-attempted.v1"),
        (3, "booking.calcom-created.v1"),
        (4, "booking.appointment-booked.v1"),
    ]
    assert [("booked", "checkup")] == rows(url, "SELECT status, service_id FROM appointments")
    assert [("Ada", "ada@example.com")] == rows(url, "SELECT name, email FROM customers")
    assert [] == rows(url, "SELECT * FROM slot_claims")
    assert [] == rows(url, "SELECT * FROM saga_due")


def test_an_append_at_another_version_is_lost(database: Backend) -> None:
    first, _ = book(database)

    behind = append(first.stream_id, 3, deferred())
    ahead = append(first.stream_id, 5, deferred())

    assert [Lost()] == database.append([behind])
    assert [Lost()] == database.append([ahead])
    assert 4 == len(versions(database, first.stream_id))


def test_a_second_beginning_of_a_booking_is_lost_and_changes_nothing(url: str, database: Backend) -> None:
    first = start()
    database.append([first])

    assert [Lost()] == database.append([start(stream_id=first.stream_id)])
    assert [(1,)] == rows(url, "SELECT count(*) FROM customers")
    assert [(1,)] == rows(url, "SELECT count(*) FROM slot_claims")


def test_a_lost_append_costs_its_neighbors_nothing(url: str, database: Backend) -> None:
    first, _ = book(database)
    neighbors = [start(), start()]

    results = database.append([neighbors[0], append(first.stream_id, 1, deferred()), neighbors[1]])

    assert [Appended(events=neighbors[0].events), Lost(), Appended(events=neighbors[1].events)] == results
    assert [(2,)] == rows(url, "SELECT count(*) FROM saga_due")


def test_the_same_append_again_is_recognized_and_not_written_twice(database: Backend) -> None:
    first, second = book(database)

    assert [Appended(events=second.events)] == database.append([second])
    assert [Appended(events=first.events)] == database.append([first])
    assert 4 == len(versions(database, first.stream_id))


def test_the_same_append_again_is_recognized_after_others_have_followed(database: Backend) -> None:
    first, _ = book(database)
    database.append([append(first.stream_id, 4, deferred())])

    assert [Appended(events=first.events)] == database.append([first])


def test_a_refused_append_again_returns_what_was_written_and_why(database: Backend) -> None:
    facts = initiated()
    database.append([start(facts)])
    refused = start(replace(facts, idempotency_key="other"))
    [written] = database.append([refused])

    assert isinstance(written, Appended)
    assert written.refusal is not None
    assert written.events[-1].TOPIC == "booking.failed.v1"
    assert [written] == database.append([refused])


def test_a_commit_whose_answer_was_lost_is_recognized(url: str) -> None:
    first = start()

    def lose(point: str) -> None:
        if point.startswith("append.after:"):
            raise ConnectionError(point)

    with opened(url, probe=lose) as database, pytest.raises(ConnectionError):
        database.append([first])
    with opened(url) as database:
        assert [Appended(events=first.events)] == database.append([first])


def test_what_dies_before_the_commit_leaves_nothing(url: str) -> None:
    def die(point: str) -> None:
        if point.startswith("append.written:"):
            raise ConnectionError(point)

    with opened(url, probe=die) as database, pytest.raises(ConnectionError):
        database.append([start()])

    for table in ("stored_events", "slot_claims", "saga_due", "customers"):
        assert [(0,)] == rows(url, f"SELECT count(*) FROM {table}")


def test_the_probe_hears_of_each_append_by_its_first_event(url: str) -> None:
    points: list[str] = []
    with opened(url, probe=points.append) as database:
        first = start()
        database.append([first])
        database.append([append(first.stream_id, 2, due=DueAfter(delay=timedelta(0)))])

    assert points == [
        "append.before:booking.initiated.v1",
        "append.written:booking.initiated.v1",
        "append.after:booking.initiated.v1",
        "append.before:rows",
        "append.written:rows",
        "append.after:rows",
    ]


def test_an_append_without_events_changes_rows_alone(url: str, database: Backend) -> None:
    first = start()
    database.append([first])

    assert [Appended(events=())] == database.append([append(first.stream_id, 2, releases_claim=True)])
    assert [Lost()] == database.append([append(first.stream_id, 1, releases_claim=True)])
    assert [] == rows(url, "SELECT * FROM slot_claims")
    assert [] == rows(url, "SELECT * FROM saga_due")
    assert 2 == len(versions(database, first.stream_id))


def test_a_claim_needs_an_event_to_be_recognized_by(database: Backend) -> None:
    with pytest.raises(ValueError, match="together with an event"):
        database.append([replace(start(), events=())])


def test_a_batch_takes_one_append_a_stream(database: Backend) -> None:
    first = start()

    with pytest.raises(ValueError, match="one append a stream"):
        database.append([first, append(first.stream_id, 2, deferred())])


def test_nothing_can_be_appended(database: Backend) -> None:
    assert [] == database.append([])


def test_a_cancelled_appointment_frees_its_slot_and_may_be_cancelled_again(url: str, database: Backend) -> None:
    facts = initiated(staff_id="grace")
    first = start(facts)
    second = finish(first.stream_id, facts)
    database.append([first])
    database.append([second])
    appointment_id = second.appointment.appointment_id  # type: ignore[union-attr]

    database.append([withdraw(first.stream_id, appointment_id)])
    database.append([withdraw(first.stream_id, appointment_id, expected_version=5)])

    assert [("cancelled",)] == rows(url, "SELECT status FROM appointments")
    [again] = database.append([start(initiated(staff_id="grace"))])
    assert again.refusal is None  # type: ignore[union-attr]


def test_a_lease_that_is_renewed_is_the_same_attempt(url: str, database: Backend) -> None:
    lease = Lease(token=uuid4(), lasts=timedelta(seconds=45))
    first = start(due=lease)
    database.append([first])
    database.append([append(first.stream_id, 2, deferred(), due=lease)])
    assert [(1,)] == rows(url, "SELECT attempt FROM saga_due")

    database.append([append(first.stream_id, 3, deferred(), due=DueAfter(delay=timedelta(0), priority=2))])
    assert [(1, 2, None)] == rows(url, "SELECT attempt, priority, lease_token FROM saga_due")

    database.append([append(first.stream_id, 4, deferred(), due=replace(lease, token=uuid4()))])
    assert [(2, 2)] == rows(url, "SELECT attempt, priority FROM saga_due")

    database.append([append(first.stream_id, 5, deferred(), due=NothingDue())])
    assert [] == rows(url, "SELECT * FROM saga_due")


def test_a_customer_is_written_once(url: str, database: Backend) -> None:
    customer_id = uuid4()
    many = [
        start(initiated(customer_id=customer_id, starts_at=initiated().starts_at + timedelta(hours=hours)))
        for hours in range(3)
    ]

    database.append(many)
    assert [(1,)] == rows(url, "SELECT count(*) FROM customers")


def test_events_that_are_not_appended_are_refused(database: Backend) -> None:
    with pytest.raises(OnlyAppended):
        database.recorder.insert_events([])


def test_an_event_with_text_that_is_not_unicode_is_a_data_error(database: Backend) -> None:
    with pytest.raises(AppointmentDatabaseError) as caught:
        database.append([start(initiated(person="\ud800"))])

    assert ("data", False) == (caught.value.kind, caught.value.retryable)


def test_a_null_character_in_an_event_is_kept(database: Backend) -> None:
    first = append(uuid4(), 0, deferred("\x00"))
    database.append([first])

    [row] = database.recorder.select_events(first.stream_id)
    assert b"\\u0000" in row.state


def test_a_missing_answer_to_a_refusal_hurts_nobody_but_undoes_the_batch(url: str, database: Backend) -> None:
    facts = initiated()
    database.append([start(facts)])

    with pytest.raises(ValueError, match="nothing says what to write instead"):
        database.append([start(), start(facts, on_refused=None)])
    assert [(2,)] == rows(url, "SELECT count(*) FROM stored_events")


def test_events_keep_what_makes_them_traceable(database: Backend) -> None:
    first = append(uuid4(), 0, deferred(), correlation_id="call 17")
    database.append([first])

    [row] = database.recorder.select_events(first.stream_id)
    assert e.BookingDeferred.TOPIC == row.topic
    assert b'"correlation_id":"call 17"' in row.state
