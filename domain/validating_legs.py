"""
The validation of a composite: each leg is judged as the wish that it would be by itself.

What is wrong with a leg is told as `legs[1].starts_at`, counted from 0 as in JSON; what
is wrong with what they share, once.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import combinations

from domain.commands import RequestBooking, RequestComposite
from domain.composite import FEWEST_LEGS, MOST_LEGS
from domain.confidence import DEFAULT_RULE, VoiceRule
from domain.errors import CustomerValidationError, FieldError
from domain.offer import Offer
from domain.period import Period
from domain.validation import validate, zone_named
from domain.wish import BookAppointment, BookComposite, LegWish

_OF_A_LEG = frozenset({"starts_at", "staff_id"})


def legs_problem(count: int) -> str | None:
    """Say what is wrong with the number of legs, or None."""
    return None if FEWEST_LEGS <= count <= MOST_LEGS else f"must be {FEWEST_LEGS} to {MOST_LEGS} legs"


def validate_composite(
    wish: BookComposite, offers: Sequence[Offer | None], *, now: datetime | None, voice: VoiceRule = DEFAULT_RULE
) -> RequestComposite:
    """
    Return the request that a wish for several services amounts to; `offers` are theirs, None for what is unknown.

    Without `now` only its form is checked, as for a single one.

    Raises:
        CustomerValidationError: with every field that is wrong; nothing has been stored.

    """
    problem = legs_problem(len(wish.legs))
    if problem is not None:
        raise CustomerValidationError((FieldError("legs", problem),), correlation_id=wish.correlation_id)
    found: list[FieldError] = []
    requests: list[RequestBooking] = []
    follows: datetime | None = None
    for place, (leg, offer) in enumerate(zip(wish.legs, offers, strict=True)):
        if offer is None:
            found.append(FieldError(f"legs[{place}].service_id", "is no service of this company; define it first"))
            follows = None
            continue
        try:
            starts_at = leg.starts_at or _in_zone(follows, wish.time_zone)
            if starts_at is None:
                found += _without_start(place)
                continue
            request = validate(_alone(wish, leg, starts_at), offer, now=now, voice=voice)
            follows = request.starts_at + offer.service.duration
            requests.append(request)
        except CustomerValidationError as error:
            found += (_of_leg(place, one) for one in error.errors)
            follows = None
        except OverflowError:
            found.append(FieldError(f"legs[{place}].starts_at", "is out of range"))
            follows = None
    found += () if found else _overlaps(requests)
    if found:
        raise CustomerValidationError(tuple(dict.fromkeys(found)), correlation_id=wish.correlation_id)
    return RequestComposite(
        legs=tuple(requests), idempotency_key=wish.idempotency_key, correlation_id=wish.correlation_id
    )


def _in_zone(moment: datetime | None, time_zone: str) -> datetime | None:
    return None if moment is None else moment.astimezone(zone_named(time_zone) or UTC)


def _without_start(place: int) -> tuple[FieldError, ...]:
    # After a leg that is wrong nobody can say when this one would begin; that leg is mended first.
    return () if place else (FieldError("legs[0].starts_at", "is required for the first leg"),)


def _alone(wish: BookComposite, leg: LegWish, starts_at: datetime) -> BookAppointment:
    return BookAppointment(
        company_id=wish.company_id,
        service_id=leg.service_id,
        customer=wish.customer,
        starts_at=starts_at,
        time_zone=wish.time_zone,
        source=wish.source,
        staff_id=leg.staff_id,
        notes=wish.notes,
        metadata=wish.metadata,
        call_id=wish.call_id,
        confidence=wish.confidence,
        allow_near_duplicate=wish.allow_near_duplicate,
        idempotency_key=wish.idempotency_key,
        correlation_id=wish.correlation_id,
    )


def _of_leg(place: int, error: FieldError) -> FieldError:
    return FieldError(f"legs[{place}].{error.field}", error.message) if error.field in _OF_A_LEG else error


def _overlaps(requests: Sequence[RequestBooking]) -> Iterator[FieldError]:
    """Name each leg that has the member of staff of an earlier one at the same time."""
    for (place, one), (other_place, other) in combinations(enumerate(requests), 2):
        staff_id = one.staff_id or one.service.staff_id
        same = staff_id is not None and staff_id == (other.staff_id or other.service.staff_id)
        if same and _period(one).overlaps(_period(other)):
            message = f"overlaps legs[{place}], which has the same member of staff"
            yield FieldError(f"legs[{other_place}].starts_at", message)


def _period(request: RequestBooking) -> Period:
    return Period(starts_at=request.starts_at, ends_at=request.starts_at + request.service.duration)
