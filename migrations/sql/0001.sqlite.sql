-- Ids are hexadecimal text without hyphens, instants are ISO 8601 text in UTC with microseconds, so that they sort.

-- The log, readable by the eventsourcing library. Its own table has no id column: an implicit rowid can be used twice.
CREATE TABLE stored_events (
    originator_id TEXT NOT NULL,
    originator_version INTEGER NOT NULL,
    topic TEXT,
    state BLOB,
    notification_id INTEGER PRIMARY KEY AUTOINCREMENT,
    UNIQUE (originator_id, originator_version)
);

CREATE TABLE saga_due (
    saga_id TEXT PRIMARY KEY,
    due_at TEXT NOT NULL,
    priority INTEGER NOT NULL,
    lease_token TEXT,
    attempt INTEGER NOT NULL
) STRICT;
CREATE INDEX saga_due_by_urgency ON saga_due (priority, due_at);
CREATE INDEX saga_due_by_time ON saga_due (due_at);

-- What bookings under way hold.
CREATE TABLE slot_claims (
    booking_id TEXT PRIMARY KEY,
    company_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    service_id TEXT NOT NULL,
    staff_id TEXT,
    starts_at TEXT NOT NULL,
    ends_at TEXT NOT NULL,
    starts_epoch INTEGER NOT NULL,
    allow_near_duplicate INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    CHECK (starts_at < ends_at)
) STRICT;
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

CREATE TABLE appointments (
    id TEXT PRIMARY KEY,
    company_id TEXT NOT NULL,
    booking_id TEXT NOT NULL UNIQUE,
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
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (company_id, idempotency_key),
    CHECK (starts_at < ends_at)
) STRICT;
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

CREATE TABLE customers (
    customer_id TEXT PRIMARY KEY,
    company_id TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT,
    phone TEXT,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX customers_by_phone ON customers (company_id, phone);
CREATE INDEX customers_by_email ON customers (company_id, lower(email));

CREATE TABLE services (
    company_id TEXT NOT NULL,
    service_id TEXT NOT NULL,
    name TEXT NOT NULL,
    duration_minutes INTEGER NOT NULL CHECK (duration_minutes > 0),
    calcom_event_type_id INTEGER NOT NULL,
    staff_id TEXT,
    staff_group TEXT,
    time_zone TEXT,
    notice_minutes INTEGER NOT NULL DEFAULT 0,
    sends_length INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (company_id, service_id)
) STRICT;

CREATE TABLE companies (
    id TEXT PRIMARY KEY,
    calcom_key_encrypted TEXT,
    webhook_secrets_encrypted TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

-- Of a key only its digest is kept, and its last characters for people to tell keys apart.
CREATE TABLE api_keys (
    key_id TEXT PRIMARY KEY,
    company_id TEXT NOT NULL,
    key_sha256 TEXT NOT NULL UNIQUE,
    last_characters TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at TEXT NOT NULL,
    revoked_at TEXT
) STRICT;
CREATE INDEX api_keys_by_company ON api_keys (company_id);

CREATE TABLE booking_list (
    booking_id TEXT PRIMARY KEY,
    company_id TEXT NOT NULL,
    status TEXT NOT NULL,
    service_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    starts_at TEXT NOT NULL,
    ends_at TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    source TEXT NOT NULL,
    staff_id TEXT,
    calcom_booking_uid TEXT,
    appointment_id TEXT,
    failure_reason TEXT,
    failure_detail TEXT,
    idempotency_key TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    resilience_strategy TEXT,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE INDEX booking_list_by_start ON booking_list (company_id, starts_at, booking_id);
CREATE INDEX booking_list_by_status ON booking_list (company_id, status, starts_at, booking_id);

CREATE TABLE projection_checkpoints (
    name TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE projection_parked (
    name TEXT NOT NULL,
    stream_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    error TEXT NOT NULL,
    parked_at TEXT NOT NULL,
    PRIMARY KEY (name, stream_id)
) STRICT;
