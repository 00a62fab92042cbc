"""
What a service is offered as: one rule for the team, for near-duplicates, and for legs beside each other.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.service import Service
from domain.text import identifier_problem

ALONE = Service(company_id="acme", service_id="cut-ada", name="Cut", duration_minutes=30, calcom_event_type_id=1)
ADA = replace(ALONE, staff_id="ada", staff_group="barbers")
IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:@+-]{0,8}", fullmatch=True)
NAMES = st.text(min_size=1, max_size=8)
SERVICES = st.builds(
    Service,
    company_id=st.just("acme"),
    service_id=IDS,
    name=NAMES | st.sampled_from(["Cut", "1 Cut", "30 Cut"]),
    duration_minutes=st.integers(1, 1440),
    calcom_event_type_id=st.just(1),
    staff_id=st.none() | IDS,
    staff_group=st.none() | IDS,
)


def test_a_service_of_no_group_is_offered_as_itself() -> None:
    assert "cut-ada" == ALONE.offered_as == replace(ALONE, name="Shave", staff_id="ben").offered_as


def test_it_does_not_matter_who_of_a_group_does_it() -> None:
    ben = replace(ADA, service_id="cut-ben", staff_id="ben", calcom_event_type_id=2, time_zone="UTC", notice_minutes=5)

    assert ADA.offered_as == ben.offered_as == replace(ADA, staff_id=None).offered_as


@pytest.mark.parametrize("changes", [{"staff_group": "cooks"}, {"name": "Shave"}, {"duration_minutes": 45}])
def test_another_group_or_name_or_length_is_another_offer(changes: dict[str, object]) -> None:
    assert ADA.offered_as != replace(ADA, **changes).offered_as  # type: ignore[arg-type]


@given(SERVICES, SERVICES)
def test_two_services_are_offered_as_the_same_if_group_and_name_and_length_are(one: Service, other: Service) -> None:
    facts = [(it.staff_group, it.name, it.duration_minutes) if it.staff_group else it.service_id for it in (one, other)]

    assert (facts[0] == facts[1]) == (one.offered_as == other.offered_as)


@given(SERVICES)
def test_no_id_of_a_service_reads_like_what_a_group_offers(service: Service) -> None:
    grouped = replace(service, staff_group=service.staff_group or "barbers")

    assert identifier_problem(grouped.offered_as, at_most=10_000) is not None
