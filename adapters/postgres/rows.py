"""An append's rows, as the statements take them: of each part those that there are."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias
from uuid import UUID

import orjson
from psycopg.types.json import Json

from adapters.postgres.claiming import Claims
from adapters.recording.batch import Share, sought
from adapters.recording.meeting import folded
from sagas.appending import (
    Append,
    Customer,
    DueAfter,
    InsertAppointment,
    Lease,
    MoveAppointment,
    NothingDue,
    SlotClaim,
)

NORMAL_PRIORITY: Final = 5

Parts: TypeAlias = Mapping[str, Mapping[str, object]]
"""The parameters of each part of a statement."""


def parameters(parts: Parts) -> dict[str, object]:
    """Return the parameters of all parts together."""
    return {name: value for some in parts.values() for name, value in some.items()}


def wanted(appends: Sequence[Append]) -> Parts:
    """Return where the stream of each is expected to stand, whether a row may be refused, and whose it is."""
    return _documents(wanted=[_wanted(one) for one in appends])


def refusable(
    *, customers: Sequence[Customer] = (), claims: Claims = (), appointments: Sequence[InsertAppointment] = ()
) -> Parts:
    """Return the rows that a constraint may refuse, and the customers whom they are for."""
    return _documents(
        customers=_customer_rows(customers),
        claims=[claim_row(booking_id, claim) for booking_id, claim in claims],
        appointments=appointments,
    )


def rest(shares: Sequence[Share]) -> Parts:
    """Return the rows that are written once nothing can be refused any more."""
    rows = [row for share in shares for row in share.rows]
    events = {
        "stream_id": [row.originator_id for row in rows],
        "version": [row.originator_version for row in rows],
        "topic": [row.topic for row in rows],
        "state": [row.state for row in rows],
    }
    ids = {
        "nothing_due": [one.stream_id for one in shares if isinstance(one.due, NothingDue)],
        "released": [one.stream_id for one in shares if one.releases_claim],
    }
    cancelled = [{"stream_id": one.stream_id, "appointment_id": each} for one in shares for each in one.cancels]
    due = [{"saga_id": one.stream_id, **_when(one.due)} for one in shares if not isinstance(one.due, NothingDue)]
    return {
        **({"events": events} if rows else {}),
        **_documents(due=due, cancelled=cancelled),
        **{part: {part: some} for part, some in ids.items() if some},
    }


def moved(row: MoveAppointment) -> dict[str, Any]:
    """Return the parameters of one move."""
    return {
        "id": row.appointment_id,
        "calcom_booking_uid": row.calcom_booking_uid,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "webhook_id": row.webhook_id,
        "overlap_allowed": row.overlap_allowed,
    }


def _documents(**rows: Sequence[Any]) -> dict[str, dict[str, object]]:
    return {part: {part: _document(some)} for part, some in rows.items() if some}


def _document(rows: Sequence[Any]) -> Json:
    return Json(rows, dumps=orjson.dumps)


def _wanted(append: Append) -> dict[str, Any]:
    person = sought(append)
    return {
        "stream_id": append.stream_id,
        "version": append.expected_version,
        "refusable": append.claim is not None or isinstance(append.appointment, InsertAppointment),
        "customer_id": append.customer and append.customer.customer_id,
        **({} if person is None else _looks(person)),
    }


def _looks(person: Customer) -> dict[str, str | None]:
    return {"company_id": person.company_id, "phone": person.phone, "email_folded": folded(person)}


def _customer_rows(given: Sequence[Customer]) -> list[dict[str, Any]]:
    return [
        {
            "customer_id": one.customer_id,
            "company_id": one.company_id,
            "name": one.name,
            "email": one.email,
            "email_folded": folded(one),
            "phone": one.phone,
        }
        for one in _each_once(given)
    ]


def _each_once(customers: Sequence[Customer]) -> Sequence[Customer]:
    """Return each customer once, with everything that the rows say together; the first one to say it is right."""
    found: dict[UUID, Customer] = {}
    for one in customers:
        known = found.setdefault(one.customer_id, one)
        if known is not one:
            found[one.customer_id] = replace(known, email=known.email or one.email, phone=known.phone or one.phone)
    return list(found.values())


def claim_row(booking_id: UUID, claim: SlotClaim) -> dict[str, Any]:
    """Return one claim."""
    return {
        "booking_id": booking_id,
        "company_id": claim.company_id,
        "customer_id": claim.customer_id,
        "service_id": claim.service_id,
        "offered_as": claim.offered_as,
        "staff_id": claim.staff_id,
        "starts_at": claim.starts_at,
        "ends_at": claim.ends_at,
        "starts_epoch": int(claim.starts_at.timestamp()),
        "allow_near_duplicate": claim.allow_near_duplicate,
        "leg": claim.leg,
    }


def _when(due: Lease | DueAfter) -> dict[str, Any]:
    match due:
        case Lease():
            return {"seconds": due.lasts.total_seconds(), "priority": NORMAL_PRIORITY, "lease_token": due.token}
        case DueAfter():
            return {"seconds": due.delay.total_seconds(), "priority": due.priority}
