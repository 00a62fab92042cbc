"""
A process that stands still between its last look at the clock and its request asks Cal.com long after anybody waits.

If the answer is lost as well, nobody but that process knows that there is something to look for. So the saga itself
has to find it, without a webhook and without the reconciler.
"""

from __future__ import annotations

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.fakes.calcom import CreateFate, LookFate
from tests.properties.invariants import broken
from tests.properties.plan import Book, Cancel, Plan
from tests.properties.situations import situations
from tests.properties.world import simulate

# Around the lease, the window, the looks, the horizon; and a night.
_LATE = st.sampled_from((6.0, 20.0, 50.0, 70.0, 80.0, 100.0, 130.0, 200.0, 890.0, 920.0, 1500.0, 30_000.0))
_CREATES = st.lists(
    st.builds(CreateFate, does=st.sampled_from(("asleep", "lost", "committed")), late_by=_LATE), min_size=1, max_size=3
)
_LOOKS = st.lists(st.builds(LookFate, lag=st.sampled_from((0.0, 10.0, 55.0))), max_size=8)
_NEVER: tuple[tuple[float, ...], ...] = ((),) * 30
_BOOK = Book(at=0.0, wish="a")


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], database=None)
@given(creates=_CREATES, looks=_LOOKS, cancelled_at=st.sampled_from((None, 1.0, 100.0, 950.0)))
def test_what_a_late_create_has_made_is_found(
    creates: list[CreateFate], looks: list[LookFate], cancelled_at: float | None
) -> None:
    cancel = () if cancelled_at is None else (Cancel(at=cancelled_at, which=0, process=1),)

    world = simulate(
        Plan(actions=(_BOOK, *cancel), creates=tuple(creates), looks=tuple(looks), webhooks=_NEVER), reconciles=False
    )

    for situation in situations(world):
        event(situation)
    assert [] == broken(world)
