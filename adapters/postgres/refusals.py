"""Which row refused a claim or an appointment: asked only in the rare case that one was."""

from collections.abc import Mapping
from typing import Final, Literal

import psycopg

from adapters.postgres.rows import claim_row
from adapters.postgres.session import Row
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


def why_claim(cursor: psycopg.Cursor[Row], append: Append, claim: SlotClaim) -> Refusal | None:
    """Return what stands in a claim's way, None if it is gone."""
    return _obstacle(cursor, CLAIM_OBSTACLE, claim_row(append.stream_id, claim), refused="claim")


def why_appointment(cursor: psycopg.Cursor[Row], row: InsertAppointment) -> Refusal | None:
    """Return what stands in an appointment's way, None if it is gone."""
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
    return _obstacle(cursor, APPOINTMENT_OBSTACLE, parameters, refused="appointment")


def why_move(cursor: psycopg.Cursor[Row], row: MoveAppointment) -> Refusal | None:
    """Return what stands in the way of an appointment that moves, None if it is gone."""
    parameters = {
        "id": row.appointment_id,
        "company_id": row.company_id,
        "calcom_booking_uid": row.calcom_booking_uid,
        "staff_id": row.staff_id,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "overlap_allowed": row.overlap_allowed,
    }
    return _obstacle(cursor, MOVE_OBSTACLE, parameters, refused="appointment")


def known(refusal: Refusal | None) -> Refusal:
    """
    Return a refusal whose reason must still be there, since nothing has been freed.

    Raises:
        psycopg.IntegrityError: it is not.

    """
    if refusal is None:
        raise psycopg.IntegrityError("a row was refused, and nothing is in its way")
    return refusal


def _obstacle(
    cursor: psycopg.Cursor[Row],
    query: str,
    parameters: Mapping[str, object],
    *,
    refused: Literal["claim", "appointment"],
) -> Refusal | None:
    row = cursor.execute(query, parameters, prepare=True).fetchone()
    if row is None:
        return None
    refused_by, booking_id, appointment_id = row
    return Refusal(refused=refused, by=refused_by, booking_id=booking_id, appointment_id=appointment_id)
