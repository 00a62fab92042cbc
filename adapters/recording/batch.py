"""
The course of an append: one algorithm for both databases.

It runs behind the writer lock, so that what it reads stays true until it commits. An
append that lost its version, or whose claim or appointment is refused, changes nothing
for its neighbours in the batch.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Protocol, TypeAlias
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from adapters.recording.mapper import EventMapper
from adapters.recording.meeting import CustomerRow, Meeting
from sagas.appending import (
    Append,
    Appended,
    AppendResult,
    CancelAppointment,
    Customer,
    Due,
    InsertAppointment,
    LegRows,
    Lost,
    MoveAppointment,
    Refusal,
)

Late: TypeAlias = Callable[[], Sequence[Append]]
"""Asked once the lock is there: what has come since the batch was made, to be written with it."""


def nobody() -> Sequence[Append]:
    """Nobody came late."""
    return ()


class WriteBatch(Protocol):
    """Write a batch, then those who came `late`, and return what became of each, in that order."""

    def __call__(self, batch: Sequence[Append], late: Late = nobody, /) -> list[AppendResult]:
        """Write them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An append with its rows, made before anybody waits for the lock."""

    append: Append
    rows: tuple[StoredEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """
    Where the stream of an append stands, and who its person is.

    `state` is that of the first event after the expected version, if there is one;
    `customer` who was sought and is a customer already.
    """

    version: int
    state: bytes | None
    customer: CustomerRow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one append writes once nothing can be refused any more."""

    stream_id: UUID
    rows: tuple[StoredEvent, ...]
    due: Due
    releases_claim: bool
    cancels: tuple[UUID, ...]


class Transaction(Protocol):
    """The transaction of one batch, open and behind the writer lock. A refusal is told by its stream."""

    def write_at_once(self, drafts: Sequence[Draft]) -> Mapping[UUID, Refusal | None]:
        """
        Write whole what nothing seems to stand in the way of, and say of each that was tried what did, if anything.

        Of whom it says nothing nothing is written, nor of whom a row was refused.
        """
        ...

    def heads(self, appends: Sequence[Append]) -> Mapping[UUID, Head]:
        """Read the heads of all streams, and find the people who are `sought`."""
        ...

    def rows_after(self, stream_id: UUID, version: int) -> Sequence[StoredEvent]:
        """Read the events of a stream after a version."""
        ...

    def insert(self, holding: Sequence[Append], booking: Sequence[Append]) -> Mapping[UUID, Refusal]:
        """Insert the customers that are missing and the claims of some, the appointments of others, in any order."""
        ...

    def move_appointments(self, appends: Sequence[Append]) -> Mapping[UUID, Refusal]:
        """Move the appointments that are still booked."""
        ...

    def mark(self) -> None:
        """Remember this point, to come `back` to or to go on from."""
        ...

    def back(self) -> None:
        """Undo all rows since the mark."""
        ...

    def go_on(self) -> None:
        """Keep all rows since the mark."""
        ...

    def write(self, shares: Sequence[Share]) -> None:
        """Write events and due work, release claims, cancel appointments."""
        ...


def draft(append: Append, mapper: EventMapper) -> Draft:
    """
    Make the rows of an append.

    Raises:
        ValueError: without an event nobody could tell later that its claim or appointment is its own.

    """
    can_be_refused = any(
        rows.claim is not None or isinstance(rows.appointment, InsertAppointment | MoveAppointment)
        for rows in _all_rows(append)
    )
    if not append.events and can_be_refused:
        raise ValueError("a claim or an appointment is written together with an event")
    return Draft(append=append, rows=mapper.rows(append, append.events))


def write_batch(transaction: Transaction, drafts: Sequence[Draft], mapper: EventMapper) -> list[AppendResult]:
    """
    Write one append a stream, and return what became of each, in their order.

    Raises:
        ValueError: two appends are for one stream.

    """
    streams = [one.append.stream_id for one in drafts]
    if len(set(streams)) < len(streams):
        raise ValueError("a batch takes one append a stream")
    at_once = transaction.write_at_once(drafts)
    results: dict[UUID, AppendResult] = {}
    shares: list[Share] = []
    left: list[Draft] = []
    for one in drafts:
        stream_id = one.append.stream_id
        if stream_id not in at_once:
            left.append(one)
            continue
        refusal = at_once[stream_id]
        if refusal is None:
            results[stream_id] = Appended(events=one.append.events)
        else:
            results[stream_id], instead = _instead(one.append, one.append, refusal, mapper)
            shares.append(instead)
    if left:
        results |= _write_in_turn(transaction, left, shares, mapper)
    if shares:
        transaction.write(shares)
    return [results[stream_id] for stream_id in streams]


def sought(append: Append) -> Customer | None:
    """Return the person of an append who may have been a customer before."""
    return None if append.customer is None or append.customer.found else append.customer


def share(one: Draft) -> Share:
    """Return what an append writes if nothing of it is refused."""
    append = one.append
    cancels = tuple(
        rows.appointment.appointment_id for rows in _all_rows(append) if isinstance(rows.appointment, CancelAppointment)
    )
    return Share(
        stream_id=append.stream_id,
        rows=one.rows,
        due=append.due,
        releases_claim=append.releases_claim,
        cancels=cancels,
    )


def _met(drafts: Sequence[Draft], heads: Mapping[UUID, Head], mapper: EventMapper) -> list[Draft]:
    """Return the drafts, each for the customer that its person has been before, if they have been one."""
    meeting = Meeting()
    return [_of_customer(one, _meet(meeting, one.append, heads), mapper) for one in drafts]


def _meet(meeting: Meeting, append: Append, heads: Mapping[UUID, Head]) -> UUID | None:
    person = sought(append)
    return None if person is None else meeting.meet(person, heads[append.stream_id].customer)


def _of_customer(one: Draft, customer_id: UUID | None, mapper: EventMapper) -> Draft:
    customer = one.append.customer
    if customer is None or customer_id is None or customer_id == customer.customer_id:
        return one
    if one.append.for_customer is None:
        raise ValueError("somebody has been a customer before, and nothing says what to write for them")
    return draft(one.append.for_customer(customer_id), mapper)


def _as_written(transaction: Transaction, append: Append, mapper: EventMapper) -> Appended:
    rows = transaction.rows_after(append.stream_id, append.expected_version)
    stored = [mapper.codec.decode(row.topic, row.state) for row in rows]
    ours = list(takewhile(lambda one: one.append_id == append.append_id, stored))
    return Appended(events=tuple(one.event for one in ours), refusal=ours[0].refusal)


def _write_in_turn(
    transaction: Transaction, drafts: Sequence[Draft], shares: list[Share], mapper: EventMapper
) -> dict[UUID, AppendResult]:
    """Look where each stands, write the rows that may be refused, and add to the shares what is to be written then."""
    heads = transaction.heads([one.append for one in drafts])
    results: dict[UUID, AppendResult] = {}
    winners: list[Draft] = []
    for one in drafts:
        append, head = one.append, heads[one.append.stream_id]
        if head.state is not None and mapper.codec.append_id(head.state) == append.append_id:
            results[append.stream_id] = _as_written(transaction, append, mapper)
        elif head.version != append.expected_version:
            results[append.stream_id] = Lost()
        else:
            winners.append(one)
    winners = _met(winners, heads, mapper)
    refusals = _write_refusable(transaction, [one.append for one in winners])
    for one in winners:
        if one.append.stream_id in refusals:
            result, rest = _instead(one.append, *refusals[one.append.stream_id], mapper)
        else:
            result, rest = Appended(events=one.append.events), share(one)
        results[one.append.stream_id] = result
        shares.append(rest)
    return results


def _write_refusable(
    transaction: Transaction, appends: Sequence[Append]
) -> dict[UUID, tuple[Append | LegRows, Refusal]]:
    """Write the rows that may be refused, and return whose were, and why."""
    refusals = _insert(transaction, appends)
    refused: dict[UUID, tuple[Append | LegRows, Refusal]] = {
        one.stream_id: (one, refusals[one.stream_id]) for one in appends if one.stream_id in refusals
    }
    for composite in (one for one in appends if one.legs):
        # After all others and one by one: what is undone again must have been in nobody's way.
        refused_leg = _write_legs(transaction, composite)
        if refused_leg is not None:
            refused[composite.stream_id] = refused_leg
    return refused


def _insert(transaction: Transaction, appends: Sequence[Append]) -> dict[UUID, Refusal]:
    """Write the rows that may be refused; a refused claim takes its append's appointment with it."""
    refusals: dict[UUID, Refusal] = {}
    holding = [one for one in appends if one.claim is not None or one.customer is not None]
    booking = [one for one in appends if isinstance(one.appointment, InsertAppointment)]
    at_once = [one for one in booking if one.claim is None]
    if holding or at_once:
        refusals |= transaction.insert(holding, at_once)
    after_its_claim = [one for one in booking if one.claim is not None and one.stream_id not in refusals]
    if after_its_claim:
        refusals |= transaction.insert((), after_its_claim)
    moving = [one for one in appends if isinstance(one.appointment, MoveAppointment) and one.stream_id not in refusals]
    if moving:
        refusals |= transaction.move_appointments(moving)
    return refusals


def _all_rows(append: Append) -> tuple[Append | LegRows, ...]:
    return (append, *append.legs)


def _write_legs(transaction: Transaction, composite: Append) -> tuple[LegRows, Refusal] | None:
    """Write the rows of all legs, or those of none; return the leg that was refused first, and why."""
    transaction.mark()
    for rows in composite.legs:
        alone = replace(composite, claim=rows.claim, appointment=rows.appointment, customer=None, legs=())
        refusal = _insert(transaction, [alone]).get(alone.stream_id)
        if refusal is not None:
            transaction.back()
            return rows, refusal
    transaction.go_on()
    return None


def _instead(
    append: Append, refused: Append | LegRows, refusal: Refusal, mapper: EventMapper
) -> tuple[Appended, Share]:
    """Return what becomes of an append of which a row was refused, and what is written then."""
    if refused.on_refused is None:
        raise ValueError(f"the {refusal.refused} was refused by {refusal.by}, and nothing says what to write instead")
    instead = refused.on_refused(refusal)
    rest = Share(
        stream_id=append.stream_id,
        rows=mapper.rows(append, instead.events, refusal=refusal),
        due=instead.due,
        releases_claim=instead.releases_claim,
        cancels=(),
    )
    return Appended(events=instead.events, refusal=refusal), rest
