"""
Appends in one statement, each for itself: written as if nothing stood in its way.

Behind the writer lock the statement looks of each append whether its stream stands where it should, and whether its
customer is known by no other id. Of those that fit it writes the row that may be refused, and of whoever has that
written all the rest. So each is written whole, or refused by a row in its way, or does not fit and is not touched.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias
from uuid import UUID

import psycopg

from adapters.database.clock import DatabaseClock, elapsed
from adapters.postgres import rows
from adapters.postgres.at_once_statement import statement_of
from adapters.postgres.session import Row
from adapters.recording.batch import Draft, share, sought
from adapters.recording.meeting import folded
from sagas.appending import Append, InsertAppointment, MoveAppointment

Trait: TypeAlias = tuple[str, str, object]


class Outcome(NamedTuple):
    """Which of the appends that were tried fitted, and which of those are written; a row was in the others' way."""

    fitting: frozenset[UUID]
    written: frozenset[UUID]


def can_be_tried(append: Append) -> bool:
    """Tell whether one row of it at most may be refused, and none takes the place of one that is there."""
    refusable = (append.claim is not None) + isinstance(append.appointment, InsertAppointment)
    moves = isinstance(append.appointment, MoveAppointment)
    replaces = append.claim is not None and (append.releases_claim or append.expected_version > 0)
    return refusable <= 1 and not moves and not replaces and not append.legs


def those_to_try(drafts: Sequence[Draft]) -> Sequence[Draft]:
    """Return those that can be tried together: of one person one, since a statement sees no row that it writes."""
    seen: set[Trait] = set()
    tried = []
    for one in drafts:
        traits = set(_traits(one.append))
        if can_be_tried(one.append) and seen.isdisjoint(traits):
            tried.append(one)
            seen |= traits
    return tried


def write(cursor: psycopg.Cursor[Row], clock: DatabaseClock, drafts: Sequence[Draft]) -> Outcome:
    """Write appends that can be tried together."""
    appends = [one.append for one in drafts]
    parts = {
        **rows.wanted(appends),
        **rows.refusable(
            customers=[one.customer for one in appends if one.customer is not None],
            claims=[(one.stream_id, one.claim) for one in appends if one.claim is not None],
            appointments=[one.appointment for one in appends if isinstance(one.appointment, InsertAppointment)],
        ),
        **rows.rest([share(one) for one in drafts]),
    }
    asked_at = elapsed()
    statement = statement_of(tuple(parts), seeks=any(sought(one) is not None for one in appends))
    [[now, fitting, written]] = cursor.execute(statement, rows.parameters(parts), prepare=True)
    clock.observe(now, asked_at=asked_at)
    return Outcome(fitting=frozenset(fitting or ()), written=frozenset(written or ()))


def _traits(append: Append) -> Iterator[Trait]:
    """Say by what the person of an append could be met in another one."""
    if append.claim is not None:
        yield append.claim.company_id, "id", append.claim.customer_id
    if append.customer is not None:
        yield append.customer.company_id, "id", append.customer.customer_id
    person = sought(append)
    if person is not None:
        for kind, value in (("phone", person.phone), ("email", folded(person))):
            if value is not None:
                yield person.company_id, kind, value
