"""
A process that stands still between its last look at the clock and its request asks Cal.com long after anybody waits.

If the answer is lost as well, nobody but that process knows that there is something to look for. So the saga itself
has to find it, without a webhook and without the reconciler.
"""

from __future__ import annotations

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.fakes.calcom import CreateFate, LookFate, MoveFate
from tests.properties.invariants import broken
from tests.properties.plan import Action, AtCalcom, Book, Cancel, Plan, Reschedule, with_composites
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
_AFTERWARDS = st.sampled_from((100.0, 205.0, 210.0, 230.0, 300.0, 950.0, 1510.0))
_THEN: st.SearchStrategy[Action] = st.one_of(
    st.builds(AtCalcom, at=_AFTERWARDS, does=st.sampled_from(("cancel", "move", "stranger")), which=st.integers(0, 2)),
    st.builds(
        Book, at=_AFTERWARDS, wish=st.sampled_from(("overlaps a", "near a", "a again", "later")), process=st.just(1)
    ),
    st.builds(Reschedule, at=_AFTERWARDS, which=st.just(0), minutes=st.sampled_from((15, 60))),
    st.builds(Cancel, at=_AFTERWARDS, which=st.just(0)),
)


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


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], database=None)
@given(late_by=_LATE, composite=st.booleans(), then=st.lists(_THEN, min_size=1, max_size=3))
def test_whatever_happens_to_a_booking_that_is_in_doubt_again(
    late_by: float, composite: bool, then: list[Action]
) -> None:
    creates = (CreateFate(does="asleep", late_by=late_by),)
    plan = Plan(actions=(_BOOK, *then), creates=creates)

    world = simulate(with_composites(plan) if composite else plan)

    for situation in situations(world):
        event(situation)
    assert [] == broken(world)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], database=None)
@given(does=st.sampled_from(("asleep", "lost")), late_by=_LATE, waits=st.sampled_from((0.0, 4.0)))
def test_what_a_late_move_has_moved_is_found_while_it_is_waited_for(does: str, late_by: float, waits: float) -> None:
    moves = (MoveFate(does=does, late_by=late_by, waits=waits),)  # type: ignore[arg-type]
    actions = (_BOOK, Reschedule(at=20.0, which=0, minutes=120))

    world = simulate(Plan(actions=actions, moves=moves, webhooks=_NEVER), reconciles=False)

    assert [] == broken(world)
