"""
Who takes an appointment that is for any member of a group: the choice itself, from what is known of each.

A service is of one member of staff. A group is the services of a company that share a
`staff_group`; those that are offered as the same (`Service.offered_as`) are a team.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from uuid import UUID

from domain.errors import CustomerValidationError, FieldError
from domain.offer import Offer
from domain.period import Period
from domain.service import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """Time that a booking takes of a member of staff, by its claim or by its appointment."""

    booking_id: UUID
    staff_id: str
    period: Period


def team_of(
    named: Offer, group: Iterable[Offer], *, staff_group: str, staff_id: str | None = None
) -> tuple[Offer, ...]:
    """
    Return the offers of a group that stand for the one that was named, by their staff; just one if `staff_id` is given.

    `group` is every service of the company that shares the group of the named one.

    Raises:
        CustomerValidationError: nobody can be chosen; the message says what to change.

    """
    service = named.service
    if service.staff_group != staff_group:
        raise _wrong("staff_group", _not_the_group(service))
    same = (one for one in group if one.service.offered_as == service.offered_as)
    alike = (one for one in same if one.service.staff_id is not None)
    team = tuple(sorted(alike, key=lambda one: _order(one.service)))
    if not team:
        raise _wrong("staff_group", "has nobody to choose from: give its services a staff_id")
    chosen = tuple(one for one in team if staff_id in {None, one.service.staff_id})
    if not chosen:
        raise _wrong("staff_id", "is nobody of the staff_group for this service; name another one, or leave it out")
    return chosen


def ranked(team: Sequence[Service], busy: Collection[Busy], *, slot: Period, day: Period) -> tuple[Service, ...]:
    """
    Return who is free in a slot, those first who have the least booked on the day, then by their ids.

    If nobody is free, that is the one with the least booked, so that the refusal names what is in the way.
    """
    booked = {one.staff_id: timedelta() for one in team}
    taken = set()
    for one in busy:
        if one.staff_id in booked:
            booked[one.staff_id] += _shared(one.period, day)
            if one.period.overlaps(slot):
                taken.add(one.staff_id)
    by_load = sorted(team, key=lambda one: (booked[one.staff_id], *_order(one)))
    return tuple(one for one in by_load if one.staff_id not in taken) or tuple(by_load[:1])


def day_around(slot: Period, zone: tzinfo) -> Period:
    """Return the day in a zone on which a slot starts."""
    day = slot.starts_at.astimezone(zone).date()
    first, last = (datetime.combine(day + timedelta(days=days), time(), zone) for days in (0, 1))
    return Period(starts_at=first.astimezone(UTC), ends_at=last.astimezone(UTC))


def _order(service: Service) -> tuple[str, str]:
    return service.staff_id or "", service.service_id


def _shared(one: Period, other: Period) -> timedelta:
    shared = min(one.ends_at, other.ends_at) - max(one.starts_at, other.starts_at)
    return max(shared, timedelta())


def _not_the_group(service: Service) -> str:
    if service.staff_group is None:
        return "cannot be chosen from: the service has none; define it with one, or leave staff_group out"
    return f"is not that of the service, which is {service.staff_group}; name a service of the group, or leave it out"


def _wrong(field: str, problem: str) -> CustomerValidationError:
    return CustomerValidationError((FieldError(field, problem),))
