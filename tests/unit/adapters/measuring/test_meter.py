from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from adapters.measuring.meter import Meter, merged, of_services
from domain.service_level import Counts

outcomes = st.sampled_from(("succeeded", "failed", "refused", "ignored"))
calls = st.lists(st.tuples(st.sampled_from(("calcom", "database")), st.sampled_from(("read", "write")), outcomes))


@given(calls, st.integers(0, 5))
def test_nothing_is_counted_twice_or_lost_however_often_it_is_taken(
    told: list[tuple[str, str, str]], every: int
) -> None:
    meter, taken = Meter(), []
    for place, (service, operation, outcome) in enumerate(told):
        meter.record(service, operation, outcome, 0.1)  # type: ignore[arg-type]
        if every and place % every == 0:
            taken.append(meter.take())
    whole = merged(*taken, meter.look(), {})

    assert len(told) == sum(one.sketch.count for one in whole.values())
    for kind, tally in whole.items():
        found = [outcome for *it, outcome in told if tuple(it) == kind]
        assert [found.count(name) for name in ("succeeded", "failed", "refused", "ignored")] == [
            tally.succeeded,
            tally.failed,
            tally.refused,
            tally.ignored,
        ]


def test_operations_add_up_to_their_service() -> None:
    meter = Meter()
    meter.record("calcom", "create", "succeeded", 2.0)
    meter.record("calcom", "get", "failed", 1.0)
    meter.record("calcom", "get", "refused")
    meter.record("database", "append", "ignored")

    found = of_services(meter.look())

    assert Counts(succeeded=1, failed=1, refused=1) == found["calcom"].counts
    assert (2, 1.0, 2.0) == (
        found["calcom"].sketch.count,
        found["calcom"].sketch.shortest,
        found["calcom"].sketch.longest,
    )
    assert Counts() == found["database"].counts


def test_threads_may_count_at_once() -> None:
    meter = Meter()

    def count(_: int) -> None:
        for _ in range(500):
            meter.record("database", "append", "succeeded", 0.001)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(4)))

    (tally,) = meter.take().values()
    assert (2000, 2000) == (tally.succeeded, tally.sketch.count)
    assert {} == meter.take()


def test_looking_takes_nothing_and_shows_a_copy() -> None:
    meter = Meter()
    meter.record("calcom", "get", "succeeded", 0.1)
    meter.look()["calcom", "get"].add(meter.look()["calcom", "get"])

    assert 1 == meter.take()["calcom", "get"].succeeded
