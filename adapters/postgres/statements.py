"""
The statements of an append; each writes all rows of its kind in the batch.

Rows come as one JSON document: to turn each column into an array costs the writer more
than the database takes to read them. Events come as arrays, since their state is bytes.
"""

from typing import Final

# Who the person of an append is costs no statement of its own; each half is one look into an index, and none where
# nobody is looked for. See CLAIMS for the company.
KNOWN: Final = """
SELECT customer_id, phone, email_folded FROM (
    SELECT customer_id, phone, email_folded, created_at FROM customers
    WHERE phone = wanted.phone AND company_id || '' = wanted.company_id
    UNION ALL
    SELECT customer_id, phone, email_folded, created_at FROM customers
    WHERE email_folded = wanted.email_folded
        AND (wanted.phone IS NULL OR phone IS NULL)
        AND company_id || '' = wanted.company_id
) AS candidate
ORDER BY phone IS NULL, created_at, customer_id
LIMIT 1
"""
VERSION: Final = "SELECT max(originator_version) FROM stored_events WHERE originator_id = wanted.stream_id"
WANTED: Final = """
json_to_recordset(%(wanted)b)
    AS wanted (
        stream_id uuid, version bigint, refusable boolean, customer_id uuid, company_id text, phone text,
        email_folded text
    )
"""

HEADS: Final = f"""
SELECT
    wanted.stream_id,
    ({VERSION}),
    (
        SELECT state FROM stored_events
        WHERE originator_id = wanted.stream_id AND originator_version = wanted.version + 1
    ),
    clock_timestamp(),
    known.customer_id,
    known.phone,
    known.email_folded
FROM {WANTED}
LEFT JOIN LATERAL ({KNOWN}) AS known ON true
"""  # noqa: S608 - our own words

ROWS_AFTER: Final = """
SELECT originator_version, topic, state FROM stored_events
WHERE originator_id = %(stream_id)b AND originator_version > %(version)b::bigint
ORDER BY originator_version
"""

# One row a customer: an upsert cannot meet the same row twice.
CUSTOMERS: Final = """
INSERT INTO customers AS known (customer_id, company_id, name, email, email_folded, phone)
SELECT * FROM json_to_recordset(%(customers)b)
    AS customer (customer_id uuid, company_id text, name text, email text, email_folded text, phone text)
WHERE {only}
ON CONFLICT (customer_id) DO UPDATE SET
    email = coalesce(known.email, excluded.email),
    email_folded = coalesce(known.email_folded, excluded.email_folded),
    phone = coalesce(known.phone, excluded.phone)
WHERE (known.email IS NULL AND excluded.email IS NOT NULL) OR (known.phone IS NULL AND excluded.phone IS NOT NULL)
"""

# The subqueries are scalar so that each stays one look into an index, however many claims there are. The company is
# compared in a way that no index serves: a generic plan made while the table is empty would as soon take an index that
# begins with the company, and keep it when a hundred thousand rows have the same one. Only claims that were wanted
# beside others are looked for: where both mind, the table's constraints refuse.
CLAIMS: Final = """
INSERT INTO slot_claims (
    booking_id, company_id, customer_id, service_id, offered_as, staff_id, starts_at, ends_at, starts_epoch,
    allow_near_duplicate, leg
)
SELECT claim.*
FROM json_to_recordset(%(claims)b) AS claim (
    booking_id uuid, company_id text, customer_id uuid, service_id text, offered_as text, staff_id text,
    starts_at timestamptz, ends_at timestamptz, starts_epoch bigint, allow_near_duplicate boolean, leg smallint
)
WHERE (
    SELECT id FROM appointments
    WHERE company_id || '' = claim.company_id
        AND staff_id = claim.staff_id
        AND tstzrange(starts_at, ends_at, '[)') && tstzrange(claim.starts_at, claim.ends_at, '[)')
        AND status = 'booked'
        AND NOT overlap_allowed
        AND booking_id <> claim.booking_id
    LIMIT 1
) IS NULL
AND (
    SELECT id FROM appointments
    WHERE company_id || '' = claim.company_id
        AND staff_id = claim.staff_id
        AND tstzrange(starts_at, ends_at, '[)') && tstzrange(claim.starts_at, claim.ends_at, '[)')
        AND status = 'booked'
        AND overlap_allowed
        AND booking_id <> claim.booking_id
    LIMIT 1
) IS NULL
AND (
    claim.allow_near_duplicate OR (
        SELECT id FROM appointments
        WHERE company_id || '' = claim.company_id
            AND customer_id = claim.customer_id
            AND (service_id = claim.service_id OR offered_as = claim.offered_as)
            AND starts_at >= claim.starts_at - interval '300 seconds'
            AND starts_at <= claim.starts_at + interval '300 seconds'
            AND status = 'booked'
            AND booking_id <> claim.booking_id
        LIMIT 1
    ) IS NULL
    AND (
        SELECT booking_id FROM slot_claims
        WHERE allow_near_duplicate
            AND company_id || '' = claim.company_id
            AND customer_id = claim.customer_id
            AND (service_id = claim.service_id OR offered_as = claim.offered_as)
            AND starts_epoch BETWEEN claim.starts_epoch - 300 AND claim.starts_epoch + 300
            AND booking_id <> claim.booking_id
        LIMIT 1
    ) IS NULL
)
AND {only}
ON CONFLICT DO NOTHING
RETURNING booking_id
"""

REPLACED_CLAIMS: Final = "DELETE FROM slot_claims WHERE booking_id = ANY(%(replaced)b::uuid[])"

APPOINTMENTS: Final = """
INSERT INTO appointments (
    id, company_id, booking_id, idempotency_key, calcom_booking_uid, service_id, customer_id, staff_id, starts_at,
    ends_at, status, source, retry_count, sync_attempt_count, last_sync_attempted_at, resilience_strategy, webhook_id,
    overlap_allowed, leg, offered_as, circuit_breaker_open_at_booking
)
SELECT
    appointment_id, company_id, booking_id, idempotency_key, calcom_booking_uid, service_id, customer_id, staff_id,
    starts_at, ends_at, 'booked', source, retry_count, sync_attempt_count, last_sync_attempted_at, resilience_strategy,
    webhook_id, overlap_allowed, leg, offered_as, circuit_breaker_open_at_booking
FROM json_to_recordset(%(appointments)b) AS appointment (
    appointment_id uuid, company_id text, booking_id uuid, idempotency_key text, calcom_booking_uid text,
    service_id text, customer_id uuid, staff_id text, starts_at timestamptz, ends_at timestamptz, source text,
    retry_count integer, sync_attempt_count integer, last_sync_attempted_at timestamptz, resilience_strategy text,
    webhook_id text, overlap_allowed boolean, leg smallint, offered_as text,
    circuit_breaker_open_at_booking timestamptz
)
WHERE (
    SELECT name FROM services
    WHERE company_id = appointment.company_id AND service_id = appointment.service_id
) IS NOT NULL
AND {only}
ON CONFLICT DO NOTHING
RETURNING booking_id
"""

MOVED_APPOINTMENT: Final = """
UPDATE appointments SET
    calcom_booking_uid = %(calcom_booking_uid)b,
    starts_at = %(starts_at)b,
    ends_at = %(ends_at)b,
    webhook_id = coalesce(%(webhook_id)b, webhook_id),
    overlap_allowed = %(overlap_allowed)b,
    updated_at = clock_timestamp()
WHERE id = %(id)b AND status = 'booked'
"""

# Their order is that of their numbers in the log.
EVENTS: Final = """
INSERT INTO stored_events (originator_id, originator_version, topic, state)
SELECT stream_id, version, topic, state
FROM unnest(%(stream_id)b::uuid[], %(version)b::bigint[], %(topic)b::text[], %(state)b::bytea[])
    WITH ORDINALITY AS event (stream_id, version, topic, state, place)
WHERE {only}
ORDER BY place
"""

# An attempt is a new lease; renewing one is not.
DUE: Final = """
INSERT INTO saga_due AS known (saga_id, due_at, priority, lease_token, attempt)
SELECT
    due.saga_id,
    clock_timestamp() + make_interval(secs => due.seconds),
    due.priority,
    due.lease_token,
    CASE WHEN due.lease_token IS NULL THEN 0 ELSE 1 END
FROM json_to_recordset(%(due)b)
    AS due (saga_id uuid, seconds double precision, priority smallint, lease_token uuid)
WHERE {only}
ON CONFLICT (saga_id) DO UPDATE SET
    due_at = excluded.due_at,
    priority = CASE WHEN excluded.lease_token IS NULL THEN excluded.priority ELSE known.priority END,
    lease_token = excluded.lease_token,
    attempt = known.attempt + CASE WHEN excluded.lease_token <> known.lease_token OR (
        known.lease_token IS NULL AND excluded.lease_token IS NOT NULL
    ) THEN 1 ELSE 0 END
"""

# Arrays of ids, which leave no other choice than one look into an index for each, whatever the tables were like when
# the plan was made.
NOTHING_DUE: Final = """
DELETE FROM saga_due
WHERE saga_id = ANY(ARRAY(SELECT saga_id FROM unnest(%(nothing_due)b::uuid[]) AS ended (saga_id) WHERE {only}))
"""

RELEASED_CLAIMS: Final = """
DELETE FROM slot_claims
WHERE booking_id = ANY(ARRAY(SELECT booking_id FROM unnest(%(released)b::uuid[]) AS freed (booking_id) WHERE {only}))
"""

CANCELLED_APPOINTMENTS: Final = """
UPDATE appointments SET status = 'cancelled', updated_at = clock_timestamp()
WHERE status = 'booked' AND id = ANY(ARRAY(
    SELECT appointment_id
    FROM json_to_recordset(%(cancelled)b) AS cancelled (stream_id uuid, appointment_id uuid)
    WHERE {only}
))
"""

_PARTS: Final = {
    "customers": CUSTOMERS,
    "claims": CLAIMS,
    "appointments": APPOINTMENTS,
    "events": EVENTS,
    "due": DUE,
    "nothing_due": NOTHING_DUE,
    "released": RELEASED_CLAIMS,
    "cancelled": CANCELLED_APPOINTMENTS,
}


def part(name: str, *, only: str = "true") -> str:
    """Return what a statement is made of; a part that needs one parameter gives it its own name."""
    return _PARTS[name].replace("{only}", only)
