"""
The invariants hold for composites, too, whose legs are all booked, or none; whatever is lost, late or killed.

CALSAGA_SWEEP multiplies the number of runs, for a nightly sweep.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from hypothesis import HealthCheck, given, settings
from sqlalchemy.engine.default import DefaultDialect

from adapters.representation import event_documents
from domain.booking import BookingStatus, initial_state
from domain.events import CalcomBookingCreated, CalcomOutcomeUnknown
from domain.evolving import fold
from domain.findings import InconsistencyDetected
from projections.booking_row import LegRows
from projections.bookings import evolve_recorded, summary
from projections.story import story
from projections.sync_failures import evolve_recorded as evolve_failures
from projections.timeline import timeline_text
from sagas.appending import Recorded, booking_events
from sagas.next_of_legs import is_partly_gone
from tests.properties.invariants import broken
from tests.properties.plan import Plan, with_composites
from tests.properties.planning import plans, random_plan
from tests.properties.world import World, simulate

TIMES = int(os.environ.get("CALSAGA_SWEEP", "1"))
FIRST_SEED = int(os.environ.get("CALSAGA_SWEEP_SEED", "0"))
RANDOM_RUNS = 700 * TIMES
EVERY = {
    "booked",
    "failed after a leg was made",
    "cancelled",
    "reviewed",
    "adopted",
    "late",
    "in doubt",
    "refused at once",
    "no room for a row",
    "partly gone",
    "process died",
}


@settings(
    max_examples=250 * TIMES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], database=None
)
@given(plan=plans().map(with_composites))
def test_every_invariant_holds_for_composites_once_quiet(plan: Plan) -> None:
    assert [] == broken(simulate(plan))


def test_every_invariant_holds_for_composites_in_random_runs_that_reach_every_situation() -> None:
    seen: Counter[str] = Counter()
    faults = {}
    for seed in range(FIRST_SEED, FIRST_SEED + RANDOM_RUNS):
        world = simulate(with_composites(random_plan(seed)))
        seen.update(_situations(world))
        if broken(world):
            faults[seed] = broken(world)

    assert ({}, set()) == (faults, EVERY - set(seen))


def test_read_models_are_at_every_version_what_the_streams_fold_to() -> None:
    column, dialect = LegRows(), DefaultDialect()
    for recorded in _composites(range(60)):
        row, failures, booking = None, None, initial_state(recorded[0].stream_id)
        for version, one in enumerate(recorded, start=1):
            row = evolve_recorded(row, [one])
            failures = evolve_failures(failures, [one])
            booking = fold(booking, booking_events([one]))
            told = story(recorded, at_version=version)

            assert summary(booking) == row
            assert row.legs == column.process_result_value(column.process_bind_param(row.legs, dialect), dialect)
            assert (version, booking.status.value) == (failures.version, told.status)


def test_nobodys_name_leaves_with_the_story_of_a_composite() -> None:
    for recorded in _composites(range(20)):
        shown = f"{story(recorded)} {timeline_text(recorded)} {event_documents(recorded)}"

        assert "Lovelace" not in shown
        assert "leg 2: book shave" in shown
        assert ("composite.initiated.v1", None) == _first(recorded)
        assert ("booking.initiated.v1", 1) == _first(recorded[1:])


def _first(recorded: Sequence[Recorded]) -> tuple[str, int | None]:
    document = event_documents(recorded)[0]
    return document["type"], document["data"].get("leg")


def _composites(seeds: Iterable[int]) -> Iterator[Sequence[Recorded]]:
    for seed in seeds:
        log = simulate(with_composites(random_plan(seed))).log
        yield from (log.streams[one] for one in log.booking_ids() if log.booking(one).legs)


def _situations(world: World) -> Iterator[str]:
    for composite in (one for one in world.bookings() if one.legs):
        happened = [event for leg in composite.legs for event in world.log.leg_events(composite.booking_id, leg.leg)]
        made = [event for event in happened if isinstance(event, CalcomBookingCreated)]
        failed = composite.status is BookingStatus.FAILED
        yield from (
            name
            for name, is_so in {
                "booked": composite.status is BookingStatus.BOOKED,
                "failed after a leg was made": failed and bool(made),
                "cancelled": composite.status is BookingStatus.CANCELLED,
                "reviewed": composite.status is BookingStatus.NEEDS_REVIEW,
                "adopted": any(event.how == "adopted" for event in made),
                "late": any(event.late for event in made),
                "in doubt": any(isinstance(event, CalcomOutcomeUnknown) for event in happened),
                "refused at once": failed and not composite.ledger.lines,
                "no room for a row": any(leg.persistence_failure is not None for leg in composite.legs),
                "partly gone": any(isinstance(it, InconsistencyDetected) and is_partly_gone(it) for it in happened),
                "process died": world.deaths > 0,
            }.items()
            if is_so
        )
