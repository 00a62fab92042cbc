"""
How a booking begins: for the service that was named, or for whoever of a group is chosen.

The choice is made once, before the first append, and stands in the log from then on
(ADR-016). Where somebody else was quicker, the run goes on to the next of the ranking.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.commands import RequestBooking, RequestComposite
from domain.composing import initiate_composite
from domain.deciding import initiate
from domain.errors import AppointmentDatabaseError
from domain.events import BookingInitiated
from domain.idempotency import IdempotencyKey
from domain.offer import Offer
from domain.period import Period
from domain.policy import Policy
from domain.service import Service
from domain.staffing import Busy, day_around, ranked, team_of
from domain.validation import start_problem
from sagas.engine import Engine
from sagas.ports import Clock, Diary, DiaryPage, Groups, Offering
from sagas.run import Run

_Chosen: TypeAlias = dict[UUID, tuple[str, Busy]]
"""Of which company's staff somebody was chosen, by booking."""


async def find_team(
    services: Groups, named: Offer, *, staff_group: str | None, staff_id: str | None = None
) -> tuple[Offer, ...]:
    """
    Return the offers that will do for a wish that names one and a group; none without a group.

    Raises:
        CustomerValidationError: nobody can be chosen.
        AppointmentDatabaseError: the database did not answer.

    """
    if staff_group is None:
        return ()
    service = named.service
    group: Sequence[Offer] = ()
    if staff_group == service.staff_group:
        group = await services.group(company_id=service.company_id, staff_group=staff_group)
    return team_of(named, group, staff_group=staff_group, staff_id=staff_id)


class Assigning:
    """
    Begins bookings.

    Who was chosen here for wishes that are not in the log yet counts as busy for the next
    ones, so that many at once are spread, too. Other processes learn of it from the log.
    """

    def __init__(self, *, engine: Engine, diary: Diary, offering: Offering, clock: Clock, policy: Policy) -> None:
        self._engine = engine
        self._diary = diary
        self._offering = offering
        self._clock = clock
        self._policy = policy
        self._chosen: _Chosen = {}
        self._overhearing: list[_Chosen] = []

    def forget(self, booking_id: UUID) -> None:
        """Forget who was chosen for a booking: once the log says it, or it has come to nothing."""
        self._chosen.pop(booking_id, None)

    async def begin(
        self, request: RequestBooking, *, key: IdempotencyKey, team: Sequence[Offer], customer_id: UUID | None
    ) -> Run:
        """
        Return the run of a new booking, to be driven.

        Raises:
            AppointmentDatabaseError: it cannot be said who is free; `booking_id` is the booking.

        """

        def initiated(chosen: Service | None = None) -> BookingInitiated:
            return initiate(
                request, key=key, now=self._clock.now(), policy=self._policy, customer_id=customer_id, chosen=chosen
            )

        found = customer_id is not None
        if not team:
            return self._engine.open(key.booking_id, initiated(), customer_found=found)
        begun = [initiated(one) for one in await self._choose(request, team, key.booking_id)]
        return self._engine.open(key.booking_id, *begun, customer_found=found)

    def begin_composite(self, request: RequestComposite, *, key: IdempotencyKey, customer_id: UUID | None) -> Run:
        """Return the run of a new composite, to be driven; its legs name their staff, or have nobody to choose."""
        now = self._clock.now()
        begun = initiate_composite(request, key=key, now=now, policy=self._policy, customer_id=customer_id)
        return self._engine.open_composite(
            key.booking_id, begun, correlation_id=request.correlation_id, customer_found=customer_id is not None
        )

    async def _choose(self, request: RequestBooking, team: Sequence[Offer], booking_id: UUID) -> tuple[Service, ...]:
        """Return whose services are to be tried, in this order."""
        services = tuple(one.service for one in team)
        if len(services) == 1:
            return services
        slot = Period(starts_at=request.starts_at, ends_at=request.starts_at + request.service.duration)
        day = day_around(slot, ZoneInfo(request.service.time_zone or request.time_zone))
        with self._overheard() as chosen:
            page = await self._page(services, slot, day, booking_id)
        busy = [*page.busy, *_unsaid(chosen, page.busy, company_id=request.service.company_id, booking_id=booking_id)]
        order = ranked(self._suited(request, team), busy, slot=slot, day=day)
        # Before anybody else is chosen for, and again once it is known whom Cal.com offers.
        self._note(order[0], slot, booking_id)
        order = await self._offered_first(order, slot, as_of=page.as_of)
        self._note(order[0], slot, booking_id)
        return order

    def _suited(self, request: RequestBooking, team: Sequence[Offer]) -> tuple[Service, ...]:
        start, zone, now = request.starts_at, request.time_zone, self._clock.now()
        suited = (one.service for one in team if start_problem(start, one, time_zone=zone, now=now) is None)
        # Somebody was suited a moment ago.
        return tuple(suited) or tuple(one.service for one in team)

    async def _page(self, services: Sequence[Service], slot: Period, day: Period, booking_id: UUID) -> DiaryPage:
        company_id = services[0].company_id
        around = Period(starts_at=day.starts_at, ends_at=max(day.ends_at, slot.ends_at))
        staff_ids = sorted({one.staff_id for one in services if one.staff_id is not None})
        try:
            return await self._diary.read(around, company_id=company_id, staff_ids=staff_ids)
        except AppointmentDatabaseError as error:
            # This may be the repeat of a wish that is under way.
            error.booking_id = booking_id
            raise

    @contextmanager
    def _overheard(self) -> Iterator[_Chosen]:
        """Say who was chosen here until now, and who is meanwhile, though by the end the log says it."""
        chosen = dict(self._chosen)
        self._overhearing.append(chosen)
        try:
            yield chosen
        finally:
            self._overhearing = [one for one in self._overhearing if one is not chosen]

    def _note(self, service: Service, slot: Period, booking_id: UUID) -> None:
        busy = Busy(booking_id=booking_id, staff_id=service.staff_id or "", period=slot)
        for chosen in (self._chosen, *self._overhearing):
            chosen[booking_id] = (service.company_id, busy)

    async def _offered_first(self, order: Sequence[Service], slot: Period, *, as_of: int | None) -> tuple[Service, ...]:
        """Put those to the end whom Cal.com does not offer, asking no further than to the first whom it may."""
        passed = await self._offering.not_offered(order, slot.starts_at, as_of=as_of)
        return (*order[passed:], *order[:passed])


def _unsaid(chosen: _Chosen, stored: Sequence[Busy], *, company_id: str, booking_id: UUID) -> list[Busy]:
    """Return who was chosen here for other bookings, as far as the log did not say it yet."""
    known = {booking_id, *(one.booking_id for one in stored)}
    return [one for company, one in chosen.values() if company == company_id and one.booking_id not in known]
