from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.calcom.rate_limit import RateLimit, retry_after
from tests.unit.adapters.calcom.building import SettableSeconds


def headers(*, limit: int = 100, remaining: int, reset: float, name: str = "default") -> dict[str, str]:
    return {
        f"x-ratelimit-limit-{name}": str(limit),
        f"x-ratelimit-remaining-{name}": str(remaining),
        f"x-ratelimit-reset-{name}": f"{reset:.0f}",
    }


def a_limit() -> tuple[RateLimit, SettableSeconds]:
    clock = SettableSeconds()
    return RateLimit(clock=clock, reserve=0.1), clock


def test_nothing_is_held_back_before_anything_is_known() -> None:
    limit, _ = a_limit()

    assert limit.wait(spends_reserve=False) is None


def test_the_reserve_is_kept_for_those_that_may_spend_it() -> None:
    limit, clock = a_limit()
    limit.note(headers(remaining=10, reset=20), sent_at=clock.at)

    assert 20 == limit.wait(spends_reserve=False)
    assert limit.wait(spends_reserve=True) is None


def test_calls_under_way_count_although_no_header_has_them() -> None:
    limit, clock = a_limit()
    limit.note(headers(remaining=12, reset=20), sent_at=clock.at)
    limit.begin()
    limit.note(headers(remaining=12, reset=20), sent_at=clock.at)
    limit.begin()

    assert 20 == limit.wait(spends_reserve=False)


def test_nothing_goes_when_nothing_is_left() -> None:
    limit, clock = a_limit()
    limit.note(headers(remaining=0, reset=20), sent_at=clock.at)

    assert 20 == limit.wait(spends_reserve=True)


def test_the_window_ends() -> None:
    limit, clock = a_limit()
    limit.note(headers(remaining=0, reset=20), sent_at=clock.at)
    clock.at += 20

    assert limit.wait(spends_reserve=False) is None
    limit.begin()
    assert limit.wait(spends_reserve=False) is None


def test_a_new_window_replaces_the_old_one_and_not_the_reverse() -> None:
    limit, clock = a_limit()
    limit.note(headers(remaining=1, reset=5), sent_at=clock.at)
    clock.at += 6
    limit.note(headers(remaining=99, reset=60), sent_at=clock.at)
    limit.note(headers(remaining=0, reset=1), sent_at=clock.at)

    assert limit.wait(spends_reserve=False) is None


def test_the_first_answer_of_a_window_does_not_hide_the_calls_behind_it() -> None:
    limit, clock = a_limit()
    for _ in range(50):
        limit.begin()
    limit.end()
    limit.note(headers(remaining=99, reset=60), sent_at=clock.at)
    for _ in range(40):
        assert limit.wait(spends_reserve=False) is None
        limit.begin()

    assert 60 == limit.wait(spends_reserve=False)
    clock.at += 60
    limit.note(headers(remaining=99, reset=10), sent_at=clock.at)
    assert 10 == limit.wait(spends_reserve=False)


def test_everything_waits_until_a_block_ends() -> None:
    limit, clock = a_limit()
    limit.block(60)
    clock.at += 59

    assert 1 == limit.wait(spends_reserve=True)
    clock.at += 1
    assert limit.wait(spends_reserve=True) is None


def test_of_several_limits_the_loosest_counts() -> None:
    limit, clock = a_limit()
    limit.note(
        {**headers(remaining=0, reset=20, name="short"), **headers(remaining=50, reset=900, name="long")},
        sent_at=clock.at,
    )

    assert limit.wait(spends_reserve=False) is None


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*headers(remaining=1, reset=1), "retry-after"]), st.text(max_size=12)))
def test_no_header_breaks_it(odd: dict[str, str]) -> None:
    limit, clock = a_limit()
    limit.note(odd, sent_at=clock.at)
    limit.begin()
    limit.wait(spends_reserve=False)

    assert (retry_after(odd) or 0) >= 0
