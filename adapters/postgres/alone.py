"""
An append that is alone, in one statement: written as if nothing stood in its way.

Behind the writer lock the statement looks whether the stream stands where it should, and whether the customer is known
by no other id; then it writes the row that may be refused, and only if that is written all the rest. Otherwise it
writes nothing, and the append takes the course of a batch in the same transaction, which finds out why.
"""

import re
from functools import cache
from typing import Final

from adapters.database.clock import DatabaseClock, elapsed
from adapters.postgres import rows
from adapters.postgres import statements as sql
from adapters.postgres.session import WriterSession
from adapters.recording.batch import Draft, share, sought
from sagas.appending import Append, InsertAppointment, MoveAppointment

_PARAMETER: Final = re.compile(r"%\(\w+\)b")


def can_be_tried(append: Append) -> bool:
    """Tell whether one row of it at most may be refused, and none takes the place of one that is there."""
    refusable = (append.claim is not None) + isinstance(append.appointment, InsertAppointment)
    moves = isinstance(append.appointment, MoveAppointment)
    replaces = append.claim is not None and (append.releases_claim or append.expected_version > 0)
    return refusable <= 1 and not moves and not replaces and not append.legs


def written_at_once(session: WriterSession, clock: DatabaseClock, draft: Draft) -> bool:
    """
    Write an append; False if something stood in its way, and nothing is written.

    The transaction stays open.

    Raises:
        psycopg.Error: there is no connection, or the lock was not to be had in time.

    """
    append = draft.append
    asked_at = elapsed()
    first = rows.refusable(
        customers=[] if append.customer is None else [append.customer],
        claims=[] if append.claim is None else [(append.stream_id, append.claim)],
        appointments=[append.appointment] if isinstance(append.appointment, InsertAppointment) else [],
    )
    parts = {**rows.wanted([append]), **first, **rows.rest([share(draft)])}
    statement = _statement(tuple(parts), seeks=sought(append) is not None)
    _, [[now, is_written]] = session.begin(statement, rows.parameters(parts))
    clock.observe(now, asked_at=asked_at)
    return bool(is_written)


@cache
def _statement(parts: tuple[str, ...], *, seeks: bool) -> str:
    """Return the statement for these parts: each has rows only once those before it are as they should be."""
    refusable = next((part for part in ("claims", "appointments") if part in parts), None)
    steps = [
        f"fits AS MATERIALIZED ({sql.FITS_WHOEVER_IS_SOUGHT if seeks else sql.FITS})",
        f"written AS ({_only_after('fits', refusable) if refusable else 'SELECT FROM fits'})",
        *(f"new_{part} AS ({_only_after('written', part)})" for part in parts if part not in {"wanted", refusable}),
    ]
    # Our own words, all of them.
    return f"WITH {', '.join(steps)} SELECT clock_timestamp(), EXISTS (SELECT FROM written)"  # noqa: S608


def _only_after(step: str, part: str) -> str:
    """Return a part whose rows there are only if the step has one; ids are cast, so that ANY takes them as an array."""
    return _PARAMETER.sub(rf"(SELECT \g<0> FROM {step})", sql.PARTS[part])  # noqa: S608 - as above
