-- What was found to differ between both sides, and what became of it.
CREATE TABLE sync_failures (
    id uuid PRIMARY KEY,
    company_id text NOT NULL,
    booking_id uuid NOT NULL,
    appointment_id uuid,
    calcom_booking_id text,
    attempt_id text,
    failure_type text NOT NULL,
    error_message text NOT NULL,
    proposed_repair text NOT NULL,
    status text NOT NULL,
    resolution text,
    actor text,
    attempt_count integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    resolved_at timestamptz
);
CREATE INDEX sync_failures_by_creation ON sync_failures (company_id, created_at, id);
CREATE INDEX sync_failures_by_status ON sync_failures (company_id, status, created_at, id);
CREATE INDEX sync_failures_by_booking ON sync_failures (booking_id);

-- What the read model has to know of every booking, so that it can be built from the log alone.
CREATE TABLE sync_failure_bookings (
    booking_id uuid PRIMARY KEY,
    company_id text NOT NULL,
    appointment_id uuid,
    version bigint NOT NULL
);

-- How far Cal.com's bookings of an event type have been compared with ours.
CREATE TABLE reconciliations (
    company_id text NOT NULL,
    event_type_id bigint NOT NULL,
    swept_until timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    PRIMARY KEY (company_id, event_type_id)
);
