"""
How engaged a customer is (M24): a score from 0 to 100 of what became of their appointments.

    score = 100 · kept / (kept + 2 · cancelled + 3), rounded, where kept = booked - cancelled

Nobody starts above 0; what is kept adds ever less, and a cancellation weighs as two of
them against it. A move costs nothing: the customer still comes. It is a function of
counts alone, so that neither the order of a customer's bookings nor the clock matters.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, Table, select

from domain.replacing import replace
from projections.standing import ASKED, CANCELLED, Change, Standing
from projections.upserting import is_one_of

CANCELLATION_WEIGHS: Final = 2
FIRST_IMPRESSION: Final = 3
"""Kept appointments that make half of the score: one alone says little."""


@dataclass(frozen=True, kw_only=True)
class Engagement:
    """What a customer has asked for and what became of it; `last_event_at` is of any of it."""

    customer_id: UUID
    company_id: str
    requested: int = 0
    booked: int = 0
    moved: int = 0
    cancelled: int = 0
    last_event_at: datetime

    @property
    def score(self) -> int:
        """Return the score."""
        return score_of(booked=self.booked, cancelled=self.cancelled)


def score_of(*, booked: int, cancelled: int) -> int:
    """Return the score of so many appointments, of which so many were cancelled."""
    kept = booked - cancelled
    weight = kept + CANCELLATION_WEIGHS * cancelled + FIRST_IMPRESSION
    return (200 * kept + weight) // (2 * weight)


def engaged(known: Mapping[UUID, Engagement], changed: Iterable[Change]) -> dict[UUID, Engagement]:
    """Return the customers whom changes are about, as they are afterwards."""
    after: dict[UUID, Engagement] = {}
    for one in changed:
        now = one.after
        if one.before is not None and _alike(one.before, now):
            continue
        customer = after.get(now.customer_id) or known.get(now.customer_id) or _stranger(now)
        after[now.customer_id] = replace(
            customer,
            requested=customer.requested + (one.before is None),
            booked=customer.booked + _booked(now) - _booked(one.before),
            moved=customer.moved + now.moves - (0 if one.before is None else one.before.moves),
            cancelled=customer.cancelled + _cancelled(now) - _cancelled(one.before),
            last_event_at=max(customer.last_event_at, now.last_event_at),
        )
    return after


def load(connection: Connection, table: Table, customer_ids: Sequence[UUID]) -> dict[UUID, Engagement]:
    """Return what is known of these customers."""
    columns = (table.c[field.name] for field in fields(Engagement))
    query = select(*columns).where(is_one_of(connection, table.c.customer_id, customer_ids))
    return {row["customer_id"]: Engagement(**row) for row in connection.execute(query).mappings()}


def _stranger(standing: Standing) -> Engagement:
    return Engagement(
        customer_id=standing.customer_id, company_id=standing.company_id, last_event_at=standing.last_event_at
    )


def _alike(before: Standing, after: Standing) -> bool:
    return (before.status, before.moves, before.last_event_at) == (after.status, after.moves, after.last_event_at)


def _booked(standing: Standing | None) -> bool:
    return standing is not None and standing.status != ASKED


def _cancelled(standing: Standing | None) -> bool:
    return standing is not None and standing.status == CANCELLED
