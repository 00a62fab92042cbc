-- A leg of a composite has rows of its own under the booking's id; 0 is a booking that has no legs. SQLite cannot change a
-- key, so that both tables are made anew.
CREATE TABLE slot_claims_of_legs (
    booking_id TEXT NOT NULL,
    company_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    service_id TEXT NOT NULL,
    staff_id TEXT,
    starts_at TEXT NOT NULL,
    ends_at TEXT NOT NULL,
    starts_epoch INTEGER NOT NULL,
    allow_near_duplicate INTEGER NOT NULL,
    leg INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    PRIMARY KEY (booking_id, leg),
    CHECK (starts_at < ends_at)
) STRICT;
INSERT INTO slot_claims_of_legs (
    booking_id, company_id, customer_id, service_id, staff_id, starts_at, ends_at, starts_epoch,
    allow_near_duplicate, created_at
)
SELECT
    booking_id, company_id, customer_id, service_id, staff_id, starts_at, ends_at, starts_epoch,
    allow_near_duplicate, created_at
FROM slot_claims;
DROP TABLE slot_claims;
ALTER TABLE slot_claims_of_legs RENAME TO slot_claims;
CREATE INDEX slot_claims_by_customer ON slot_claims (company_id, customer_id, service_id, starts_epoch);
CREATE INDEX slot_claims_by_staff ON slot_claims (company_id, staff_id, ends_at);

CREATE TRIGGER slot_claims_near_duplicate_on_insert BEFORE INSERT ON slot_claims
WHEN NOT NEW.allow_near_duplicate
BEGIN
    SELECT RAISE(ABORT, 'slot_claims_near_duplicate') FROM slot_claims
    WHERE company_id = NEW.company_id
        AND customer_id = NEW.customer_id
        AND service_id = NEW.service_id
        AND starts_epoch BETWEEN NEW.starts_epoch - 300 AND NEW.starts_epoch + 300
        AND NOT allow_near_duplicate
        AND booking_id <> NEW.booking_id;
END;

CREATE TRIGGER slot_claims_near_duplicate_on_update BEFORE UPDATE ON slot_claims
WHEN NOT NEW.allow_near_duplicate
BEGIN
    SELECT RAISE(ABORT, 'slot_claims_near_duplicate') FROM slot_claims
    WHERE company_id = NEW.company_id
        AND customer_id = NEW.customer_id
        AND service_id = NEW.service_id
        AND starts_epoch BETWEEN NEW.starts_epoch - 300 AND NEW.starts_epoch + 300
        AND NOT allow_near_duplicate
        AND booking_id <> OLD.booking_id;
END;

CREATE TRIGGER slot_claims_staff_overlap_on_insert BEFORE INSERT ON slot_claims
BEGIN
    SELECT RAISE(ABORT, 'slot_claims_staff_overlap') FROM slot_claims
    WHERE company_id = NEW.company_id
        AND staff_id = NEW.staff_id
        AND ends_at > NEW.starts_at
        AND starts_at < NEW.ends_at
        AND booking_id <> NEW.booking_id;
END;

CREATE TRIGGER slot_claims_staff_overlap_on_update BEFORE UPDATE ON slot_claims
BEGIN
    SELECT RAISE(ABORT, 'slot_claims_staff_overlap') FROM slot_claims
    WHERE company_id = NEW.company_id
        AND staff_id = NEW.staff_id
        AND ends_at > NEW.starts_at
        AND starts_at < NEW.ends_at
        AND booking_id <> OLD.booking_id;
END;

CREATE TABLE appointments_of_legs (
    id TEXT PRIMARY KEY,
    company_id TEXT NOT NULL,
    booking_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    calcom_booking_uid TEXT UNIQUE,
    webhook_id TEXT,
    service_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    staff_id TEXT,
    starts_at TEXT NOT NULL,
    ends_at TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('booked', 'cancelled')),
    source TEXT NOT NULL,
    retry_count INTEGER NOT NULL DEFAULT 0,
    sync_attempt_count INTEGER NOT NULL DEFAULT 0,
    last_sync_attempted_at TEXT,
    circuit_breaker_open_at_booking TEXT,
    resilience_strategy TEXT,
    overlap_allowed INTEGER NOT NULL DEFAULT 0,
    leg INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (booking_id, leg),
    UNIQUE (company_id, idempotency_key),
    CHECK (starts_at < ends_at)
) STRICT;
INSERT INTO appointments_of_legs (
    id, company_id, booking_id, idempotency_key, calcom_booking_uid, webhook_id, service_id, customer_id,
    staff_id, starts_at, ends_at, status, source, retry_count, sync_attempt_count, last_sync_attempted_at,
    circuit_breaker_open_at_booking, resilience_strategy, overlap_allowed, created_at, updated_at
)
SELECT
    id, company_id, booking_id, idempotency_key, calcom_booking_uid, webhook_id, service_id, customer_id,
    staff_id, starts_at, ends_at, status, source, retry_count, sync_attempt_count, last_sync_attempted_at,
    circuit_breaker_open_at_booking, resilience_strategy, overlap_allowed, created_at, updated_at
FROM appointments;
DROP TABLE appointments;
ALTER TABLE appointments_of_legs RENAME TO appointments;
CREATE INDEX appointments_by_staff ON appointments (company_id, staff_id, ends_at) WHERE status = 'booked';
CREATE INDEX appointments_by_customer ON appointments (company_id, customer_id, service_id, starts_at)
WHERE status = 'booked';

CREATE TRIGGER appointments_staff_overlap_on_insert BEFORE INSERT ON appointments
WHEN NEW.status = 'booked' AND NOT NEW.overlap_allowed
BEGIN
    SELECT RAISE(ABORT, 'appointments_staff_overlap') FROM appointments
    WHERE company_id = NEW.company_id
        AND staff_id = NEW.staff_id
        AND ends_at > NEW.starts_at
        AND starts_at < NEW.ends_at
        AND status = 'booked'
        AND NOT overlap_allowed
        AND id <> NEW.id;
END;

CREATE TRIGGER appointments_staff_overlap_on_update BEFORE UPDATE ON appointments
WHEN NEW.status = 'booked' AND NOT NEW.overlap_allowed
BEGIN
    SELECT RAISE(ABORT, 'appointments_staff_overlap') FROM appointments
    WHERE company_id = NEW.company_id
        AND staff_id = NEW.staff_id
        AND ends_at > NEW.starts_at
        AND starts_at < NEW.ends_at
        AND status = 'booked'
        AND NOT overlap_allowed
        AND id <> OLD.id;
END;

-- The legs of a composite, as the list shows them.
ALTER TABLE booking_list ADD COLUMN legs TEXT;
