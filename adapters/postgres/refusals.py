"""Which row refused a claim or an appointment: asked only in the rare case that one was."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import psycopg

from adapters.postgres.rows import claim_row
from sagas.appending import Append, InsertAppointment, MoveAppointment, Refusal, SlotClaim

# The two kinds of appointment stand in two partial indexes, as do the two kinds of claim, hence in two parts here. As
# in the claims' statement, the company is compared so that no index of its own looks as good as that of the customer
# while the table is empty.
CLAIM_OBSTACLE: Final = """
SELECT refused_by, booking_id, appointment_id FROM (
    SELECT 1 AS place, 'near_duplicate' AS refused_by, booking_id, id AS appointment_id FROM appointments
    WHERE NOT %(allow_near_duplicate)s
        AND company_id || '' = %(company_id)s AND customer_id = %(customer_id)s
        AND (service_id = %(service_id)s OR offered_as = %(offered_as)s)
        AND starts_at >= %(starts_at)s - interval '300 seconds'
        AND starts_at <= %(starts_at)s + interval '300 seconds'
        AND status = 'booked'
        AND booking_id <> %(booking_id)s
    UNION ALL
    SELECT 2, 'near_duplicate', booking_id, NULL FROM slot_claims
    WHERE NOT %(allow_near_duplicate)s AND NOT allow_near_duplicate
        AND company_id = %(company_id)s AND customer_id = %(customer_id)s
        AND (service_id = %(service_id)s OR offered_as = %(offered_as)s)
        AND int8range(starts_epoch, starts_epoch + 300, '[]')
            && int8range(%(starts_epoch)s::bigint, %(starts_epoch)s::bigint + 300, '[]')
        AND booking_id <> %(booking_id)s
    UNION ALL
    SELECT 3, 'near_duplicate', booking_id, NULL FROM slot_claims
    WHERE NOT %(allow_near_duplicate)s AND allow_near_duplicate
        AND company_id || '' = %(company_id)s AND customer_id = %(customer_id)s
        AND (service_id = %(service_id)s OR offered_as = %(offered_as)s)
        AND starts_epoch BETWEEN %(starts_epoch)s::bigint - 300 AND %(starts_epoch)s::bigint + 300
        AND booking_id <> %(booking_id)s
    UNION ALL
    SELECT 4, 'staff_overlap', booking_id, id FROM appointments
    WHERE company_id = %(company_id)s AND staff_id = %(staff_id)s
        AND tstzrange(starts_at, ends_at, '[)') && tstzrange(%(starts_at)s, %(ends_at)s, '[)')
        AND status = 'booked' AND NOT overlap_allowed
        AND booking_id <> %(booking_id)s
    UNION ALL
    SELECT 5, 'staff_overlap', booking_id, id FROM appointments
    WHERE company_id = %(company_id)s AND staff_id = %(staff_id)s
        AND tstzrange(starts_at, ends_at, '[)') && tstzrange(%(starts_at)s, %(ends_at)s, '[)')
        AND status = 'booked' AND overlap_allowed
        AND booking_id <> %(booking_id)s
    UNION ALL
    SELECT 6, 'staff_overlap', booking_id, NULL FROM slot_claims
    WHERE company_id = %(company_id)s AND staff_id = %(staff_id)s
        AND tstzrange(starts_at, ends_at, '[)') && tstzrange(%(starts_at)s, %(ends_at)s, '[)')
        AND booking_id <> %(booking_id)s
) AS obstacle
ORDER BY place
LIMIT 1
"""

APPOINTMENT_OBSTACLE: Final = """
SELECT refused_by, booking_id, appointment_id FROM (
    SELECT 1 AS place, 'unknown_service' AS refused_by, NULL::uuid AS booking_id, NULL::uuid AS appointment_id
    WHERE NOT EXISTS (
        SELECT FROM services WHERE company_id = %(company_id)s AND service_id = %(service_id)s
    )
    UNION ALL
    SELECT 2, 'duplicate_appointment', booking_id, id FROM appointments
    WHERE id = %(id)s OR (booking_id = %(booking_id)s AND leg = %(leg)s)
    UNION ALL
    SELECT 3, 'duplicate_key', booking_id, id FROM appointments
    WHERE company_id = %(company_id)s AND idempotency_key = %(idempotency_key)s
    UNION ALL
    SELECT 4, 'duplicate_calcom_uid', booking_id, id FROM appointments
    WHERE calcom_booking_uid = %(calcom_booking_uid)s
    UNION ALL
    SELECT 5, 'staff_overlap', booking_id, id FROM appointments
    WHERE company_id = %(company_id)s AND staff_id = %(staff_id)s
        AND tstzrange(starts_at, ends_at, '[)') && tstzrange(%(starts_at)s, %(ends_at)s, '[)')
        AND status = 'booked' AND NOT overlap_allowed AND NOT %(overlap_allowed)s
) AS obstacle
ORDER BY place
LIMIT 1
"""

MOVE_OBSTACLE: Final = """
SELECT refused_by, booking_id, appointment_id FROM (
    SELECT 1 AS place, 'duplicate_calcom_uid' AS refused_by, booking_id, id AS appointment_id FROM appointments
    WHERE calcom_booking_uid = %(calcom_booking_uid)s AND id <> %(id)s
    UNION ALL
    SELECT 2, 'staff_overlap', booking_id, id FROM appointments
    WHERE company_id = %(company_id)s AND staff_id = %(staff_id)s
        AND tstzrange(starts_at, ends_at, '[)') && tstzrange(%(starts_at)s, %(ends_at)s, '[)')
        AND status = 'booked' AND NOT overlap_allowed AND NOT %(overlap_allowed)s
        AND id <> %(id)s
) AS obstacle
ORDER BY place
LIMIT 1
"""


def why_claim(cursor: psycopg.Cursor[tuple[Any, ...]], append: Append, claim: SlotClaim) -> Refusal:
    """Return what stands in a claim's way."""
    refused_by, booking_id, appointment_id = _obstacle(cursor, CLAIM_OBSTACLE, claim_row(append.stream_id, claim))
    return Refusal(refused="claim", by=refused_by, booking_id=booking_id, appointment_id=appointment_id)


def why_appointment(cursor: psycopg.Cursor[tuple[Any, ...]], row: InsertAppointment) -> Refusal:
    """Return what stands in an appointment's way."""
    parameters = {
        "id": row.appointment_id,
        "company_id": row.company_id,
        "booking_id": row.booking_id,
        "idempotency_key": row.idempotency_key,
        "calcom_booking_uid": row.calcom_booking_uid,
        "service_id": row.service_id,
        "staff_id": row.staff_id,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "overlap_allowed": row.overlap_allowed,
        "leg": row.leg,
    }
    refused_by, booking_id, appointment_id = _obstacle(cursor, APPOINTMENT_OBSTACLE, parameters)
    return Refusal(refused="appointment", by=refused_by, booking_id=booking_id, appointment_id=appointment_id)


def why_move(cursor: psycopg.Cursor[tuple[Any, ...]], row: MoveAppointment) -> Refusal:
    """Return what stands in the way of an appointment that moves."""
    parameters = {
        "id": row.appointment_id,
        "company_id": row.company_id,
        "calcom_booking_uid": row.calcom_booking_uid,
        "staff_id": row.staff_id,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "overlap_allowed": row.overlap_allowed,
    }
    refused_by, booking_id, appointment_id = _obstacle(cursor, MOVE_OBSTACLE, parameters)
    return Refusal(refused="appointment", by=refused_by, booking_id=booking_id, appointment_id=appointment_id)


def _obstacle(
    cursor: psycopg.Cursor[tuple[Any, ...]], query: str, parameters: Mapping[str, object]
) -> tuple[Any, UUID | None, UUID | None]:
    row = cursor.execute(query, parameters, prepare=True).fetchone()
    if row is None:
        raise psycopg.IntegrityError("a row was refused, and nothing is in its way")
    refused_by, booking_id, appointment_id = row
    return refused_by, booking_id, appointment_id
