-- Equality of uuid and text beside ranges in one GiST index.
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- The log, exactly as the eventsourcing library declares it.
CREATE TABLE stored_events (
    originator_id uuid NOT NULL,
    originator_version bigint NOT NULL,
    topic text,
    state bytea,
    notification_id bigserial,
    PRIMARY KEY (originator_id, originator_version)
) WITH (
    autovacuum_enabled = true,
    autovacuum_vacuum_threshold = 100000000,
    autovacuum_vacuum_scale_factor = 0.5,
    autovacuum_analyze_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.01
);
CREATE UNIQUE INDEX stored_events_notification_id_idx ON stored_events (notification_id ASC);

-- Due work. Most rows live for a second, so vacuum counts rows, not shares of the table.
CREATE TABLE saga_due (
    saga_id uuid PRIMARY KEY,
    due_at timestamptz NOT NULL,
    priority smallint NOT NULL,
    lease_token uuid,
    attempt integer NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX saga_due_by_urgency ON saga_due (priority, due_at);
CREATE INDEX saga_due_by_time ON saga_due (due_at);

-- In all GiST indexes what tells rows apart comes first, since a page is divided by its first column.
-- What bookings under way hold. starts_epoch is starts_at in seconds: a constraint cannot add an interval to it.
CREATE TABLE slot_claims (
    booking_id uuid PRIMARY KEY,
    company_id text NOT NULL,
    customer_id uuid NOT NULL,
    service_id text NOT NULL,
    staff_id text,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    starts_epoch bigint NOT NULL,
    allow_near_duplicate boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (starts_at < ends_at),
    CONSTRAINT slot_claims_near_duplicate EXCLUDE USING gist (
        customer_id WITH =,
        int8range(starts_epoch, starts_epoch + 300, '[]') WITH &&,
        service_id WITH =,
        company_id WITH =
    ) WHERE (NOT allow_near_duplicate),
    CONSTRAINT slot_claims_staff_overlap EXCLUDE USING gist (
        staff_id WITH =,
        tstzrange(starts_at, ends_at, '[)') WITH &&,
        company_id WITH =
    )
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

CREATE TABLE appointments (
    id uuid PRIMARY KEY,
    company_id text NOT NULL,
    booking_id uuid NOT NULL,
    idempotency_key text NOT NULL,
    calcom_booking_uid text,
    webhook_id text,
    service_id text NOT NULL,
    customer_id uuid NOT NULL,
    staff_id text,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    status text NOT NULL CHECK (status IN ('booked', 'cancelled')),
    source text NOT NULL,
    retry_count integer NOT NULL DEFAULT 0,
    sync_attempt_count integer NOT NULL DEFAULT 0,
    last_sync_attempted_at timestamptz,
    circuit_breaker_open_at_booking timestamptz,
    resilience_strategy text,
    overlap_allowed boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (starts_at < ends_at),
    CONSTRAINT appointments_idempotency_key UNIQUE (company_id, idempotency_key),
    CONSTRAINT appointments_calcom_booking_uid UNIQUE (calcom_booking_uid),
    CONSTRAINT appointments_booking_id UNIQUE (booking_id),
    CONSTRAINT appointments_staff_overlap EXCLUDE USING gist (
        staff_id WITH =,
        tstzrange(starts_at, ends_at, '[)') WITH &&,
        company_id WITH =
    ) WHERE (status = 'booked' AND NOT overlap_allowed)
);
-- The few that the constraint leaves out, which a claim has to respect all the same.
CREATE INDEX appointments_overlapping ON appointments USING gist (
    staff_id, tstzrange(starts_at, ends_at, '[)'), company_id
) WHERE status = 'booked' AND overlap_allowed;
-- Not partial and without the company: a plan made while the table is empty must not take it for a member of staff.
CREATE INDEX appointments_by_customer ON appointments (customer_id, service_id, starts_at);

CREATE TABLE customers (
    customer_id uuid PRIMARY KEY,
    company_id text NOT NULL,
    name text NOT NULL,
    email text,
    phone text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX customers_by_phone ON customers (company_id, phone);
CREATE INDEX customers_by_email ON customers (company_id, lower(email));

CREATE TABLE services (
    company_id text NOT NULL,
    service_id text NOT NULL,
    name text NOT NULL,
    duration_minutes integer NOT NULL CHECK (duration_minutes > 0),
    calcom_event_type_id bigint NOT NULL,
    staff_id text,
    staff_group text,
    time_zone text,
    notice_minutes integer NOT NULL DEFAULT 0,
    sends_length boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (company_id, service_id)
);

CREATE TABLE companies (
    id text PRIMARY KEY,
    calcom_key_encrypted text,
    webhook_secrets_encrypted text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Of a key only its digest is kept, and its last characters for people to tell keys apart.
CREATE TABLE api_keys (
    key_id uuid PRIMARY KEY,
    company_id text NOT NULL,
    key_sha256 text NOT NULL UNIQUE,
    last_characters text NOT NULL,
    scopes text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    revoked_at timestamptz
);
CREATE INDEX api_keys_by_company ON api_keys (company_id);

CREATE TABLE booking_list (
    booking_id uuid PRIMARY KEY,
    company_id text NOT NULL,
    status text NOT NULL,
    service_id text NOT NULL,
    customer_id uuid NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    time_zone text NOT NULL,
    source text NOT NULL,
    staff_id text,
    calcom_booking_uid text,
    appointment_id uuid,
    failure_reason text,
    failure_detail text,
    idempotency_key text NOT NULL,
    correlation_id text NOT NULL,
    resilience_strategy text,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX booking_list_by_start ON booking_list (company_id, starts_at, booking_id);
CREATE INDEX booking_list_by_status ON booking_list (company_id, status, starts_at, booking_id);

CREATE TABLE projection_checkpoints (
    name text PRIMARY KEY,
    position bigint NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE projection_parked (
    name text NOT NULL,
    stream_id uuid NOT NULL,
    position bigint NOT NULL,
    error text NOT NULL,
    parked_at timestamptz NOT NULL,
    PRIMARY KEY (name, stream_id)
);
