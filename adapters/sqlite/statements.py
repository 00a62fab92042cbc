"""The statements of an append; each is run once a row, which costs no round trip here."""

from typing import Final

HEAD: Final = """
SELECT
    (SELECT max(originator_version) FROM stored_events WHERE originator_id = :stream_id),
    (SELECT state FROM stored_events WHERE originator_id = :stream_id AND originator_version = :version + 1),
    strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now'),
    known.customer_id,
    known.phone,
    known.email_folded
FROM (SELECT 1)
LEFT JOIN (
    SELECT customer_id, phone, email_folded FROM (
        SELECT customer_id, phone, email_folded, created_at FROM customers
        WHERE phone = :phone AND company_id = :company_id
        UNION ALL
        SELECT customer_id, phone, email_folded, created_at FROM customers
        WHERE email_folded = :email_folded AND (:phone IS NULL OR phone IS NULL) AND company_id = :company_id
    )
    ORDER BY phone IS NULL, created_at, customer_id
    LIMIT 1
) AS known
"""

ROWS_AFTER: Final = """
SELECT originator_version, topic, state FROM stored_events
WHERE originator_id = :stream_id AND originator_version > :version
ORDER BY originator_version
"""

CUSTOMER: Final = """
INSERT INTO customers (customer_id, company_id, name, email, email_folded, phone, created_at)
VALUES (
    :customer_id, :company_id, :name, :email, :email_folded, :phone, strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now')
)
ON CONFLICT (customer_id) DO UPDATE SET
    email = coalesce(customers.email, excluded.email),
    email_folded = coalesce(customers.email_folded, excluded.email_folded),
    phone = coalesce(customers.phone, excluded.phone)
WHERE (customers.email IS NULL AND excluded.email IS NOT NULL)
    OR (customers.phone IS NULL AND excluded.phone IS NOT NULL)
"""

REPLACED_CLAIM: Final = "DELETE FROM slot_claims WHERE booking_id = :booking_id"

# Other claims refuse it by the table's triggers.
CLAIM: Final = """
INSERT INTO slot_claims (
    booking_id, company_id, customer_id, service_id, offered_as, staff_id, starts_at, ends_at, starts_epoch,
    allow_near_duplicate, leg, created_at
)
SELECT
    :booking_id, :company_id, :customer_id, :service_id, :offered_as, :staff_id, :starts_at, :ends_at, :starts_epoch,
    :allow_near_duplicate, :leg, strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now')
WHERE NOT EXISTS (
    SELECT 1 FROM appointments
    WHERE company_id = :company_id
        AND staff_id = :staff_id
        AND ends_at > :starts_at
        AND starts_at < :ends_at
        AND status = 'booked'
        AND booking_id <> :booking_id
)
AND (
    :allow_near_duplicate OR NOT EXISTS (
        SELECT 1 FROM appointments
        WHERE company_id = :company_id
            AND customer_id = :customer_id
            AND (service_id = :service_id OR offered_as = :offered_as)
            AND starts_at BETWEEN :near_from AND :near_to
            AND status = 'booked'
            AND booking_id <> :booking_id
    )
)
"""

CLAIM_OBSTACLE: Final = """
SELECT refused_by, booking_id, appointment_id FROM (
    SELECT 1 AS place, 'near_duplicate' AS refused_by, booking_id, id AS appointment_id FROM appointments
    WHERE NOT :allow_near_duplicate
        AND company_id = :company_id AND customer_id = :customer_id
        AND (service_id = :service_id OR offered_as = :offered_as)
        AND starts_at BETWEEN :near_from AND :near_to
        AND status = 'booked'
        AND booking_id <> :booking_id
    UNION ALL
    SELECT 2, 'near_duplicate', booking_id, NULL FROM slot_claims
    WHERE NOT :allow_near_duplicate
        AND company_id = :company_id AND customer_id = :customer_id
        AND (service_id = :service_id OR offered_as = :offered_as)
        AND starts_epoch BETWEEN :starts_epoch - 300 AND :starts_epoch + 300
        AND booking_id <> :booking_id
    UNION ALL
    SELECT 3, 'staff_overlap', booking_id, id FROM appointments
    WHERE company_id = :company_id AND staff_id = :staff_id
        AND ends_at > :starts_at AND starts_at < :ends_at
        AND status = 'booked'
        AND booking_id <> :booking_id
    UNION ALL
    SELECT 4, 'staff_overlap', booking_id, NULL FROM slot_claims
    WHERE company_id = :company_id AND staff_id = :staff_id
        AND ends_at > :starts_at AND starts_at < :ends_at
        AND booking_id <> :booking_id
)
ORDER BY place
LIMIT 1
"""

APPOINTMENT: Final = """
INSERT INTO appointments (
    id, company_id, booking_id, idempotency_key, calcom_booking_uid, service_id, customer_id, staff_id, starts_at,
    ends_at, status, source, retry_count, sync_attempt_count, last_sync_attempted_at, resilience_strategy, webhook_id,
    overlap_allowed, leg, offered_as, circuit_breaker_open_at_booking, created_at, updated_at
)
SELECT
    :id, :company_id, :booking_id, :idempotency_key, :calcom_booking_uid, :service_id, :customer_id, :staff_id,
    :starts_at, :ends_at, 'booked', :source, :retry_count, :sync_attempt_count, :last_sync_attempted_at,
    :resilience_strategy, :webhook_id, :overlap_allowed, :leg, :offered_as, :circuit_breaker_open_at_booking,
    strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now'), strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now')
WHERE EXISTS (SELECT 1 FROM services WHERE company_id = :company_id AND service_id = :service_id)
"""

APPOINTMENT_OBSTACLE: Final = """
SELECT refused_by, booking_id, appointment_id FROM (
    SELECT 1 AS place, 'unknown_service' AS refused_by, NULL AS booking_id, NULL AS appointment_id
    WHERE NOT EXISTS (SELECT 1 FROM services WHERE company_id = :company_id AND service_id = :service_id)
    UNION ALL
    SELECT 2, 'duplicate_appointment', booking_id, id FROM appointments
    WHERE id = :id OR (booking_id = :booking_id AND leg = :leg)
    UNION ALL
    SELECT 3, 'duplicate_key', booking_id, id FROM appointments
    WHERE company_id = :company_id AND idempotency_key = :idempotency_key
    UNION ALL
    SELECT 4, 'duplicate_calcom_uid', booking_id, id FROM appointments
    WHERE calcom_booking_uid = :calcom_booking_uid
    UNION ALL
    SELECT 5, 'staff_overlap', booking_id, id FROM appointments
    WHERE company_id = :company_id AND staff_id = :staff_id
        AND ends_at > :starts_at AND starts_at < :ends_at
        AND status = 'booked' AND NOT overlap_allowed AND NOT :overlap_allowed
)
ORDER BY place
LIMIT 1
"""

MOVED_APPOINTMENT: Final = """
UPDATE appointments SET
    calcom_booking_uid = :calcom_booking_uid,
    starts_at = :starts_at,
    ends_at = :ends_at,
    webhook_id = coalesce(:webhook_id, webhook_id),
    overlap_allowed = :overlap_allowed,
    updated_at = strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now')
WHERE id = :id AND status = 'booked'
"""

MOVE_OBSTACLE: Final = """
SELECT refused_by, booking_id, appointment_id FROM (
    SELECT 1 AS place, 'duplicate_calcom_uid' AS refused_by, booking_id, id AS appointment_id FROM appointments
    WHERE calcom_booking_uid = :calcom_booking_uid AND id <> :id
    UNION ALL
    SELECT 2, 'staff_overlap', booking_id, id FROM appointments
    WHERE company_id = :company_id AND staff_id = :staff_id
        AND ends_at > :starts_at AND starts_at < :ends_at
        AND status = 'booked' AND NOT overlap_allowed AND NOT :overlap_allowed
        AND id <> :id
)
ORDER BY place
LIMIT 1
"""

EVENT: Final = """
INSERT INTO stored_events (originator_id, originator_version, topic, state)
VALUES (:stream_id, :version, :topic, :state)
"""

# An attempt is a new lease; renewing one is not.
DUE: Final = """
INSERT INTO saga_due (saga_id, due_at, priority, lease_token, attempt)
VALUES (
    :saga_id,
    strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now', :seconds || ' seconds'),
    :priority,
    :lease_token,
    :lease_token IS NOT NULL
)
ON CONFLICT (saga_id) DO UPDATE SET
    due_at = excluded.due_at,
    priority = CASE WHEN excluded.lease_token IS NULL THEN excluded.priority ELSE priority END,
    lease_token = excluded.lease_token,
    attempt = attempt + (excluded.lease_token IS NOT NULL AND excluded.lease_token IS NOT saga_due.lease_token)
"""

NOTHING_DUE: Final = "DELETE FROM saga_due WHERE saga_id = :saga_id"

RELEASED_CLAIM: Final = "DELETE FROM slot_claims WHERE booking_id = :booking_id"

CANCELLED_APPOINTMENT: Final = """
UPDATE appointments SET status = 'cancelled', updated_at = strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now')
WHERE id = :id AND status = 'booked'
"""

NOTIFICATIONS: Final = """
SELECT notification_id, originator_id, originator_version, topic, state FROM stored_events
WHERE notification_id >= :first
    AND (:last IS NULL OR notification_id <= :last)
    AND (:topics = '[]' OR topic IN (SELECT value FROM json_each(:topics)))
ORDER BY notification_id
LIMIT :limit
"""
