-- What was found to differ between both sides, and what became of it.
CREATE TABLE sync_failures (
    id TEXT PRIMARY KEY,
    company_id TEXT NOT NULL,
    booking_id TEXT NOT NULL,
    appointment_id TEXT,
    calcom_booking_id TEXT,
    attempt_id TEXT,
    failure_type TEXT NOT NULL,
    error_message TEXT NOT NULL,
    proposed_repair TEXT NOT NULL,
    status TEXT NOT NULL,
    resolution TEXT,
    actor TEXT,
    attempt_count INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    resolved_at TEXT
) STRICT;
CREATE INDEX sync_failures_by_creation ON sync_failures (company_id, created_at, id);
CREATE INDEX sync_failures_by_status ON sync_failures (company_id, status, created_at, id);
CREATE INDEX sync_failures_by_booking ON sync_failures (booking_id);

-- What the read model has to know of every booking, so that it can be built from the log alone.
CREATE TABLE sync_failure_bookings (
    booking_id TEXT PRIMARY KEY,
    company_id TEXT NOT NULL,
    appointment_id TEXT,
    version INTEGER NOT NULL
) STRICT;

-- How far Cal.com's bookings of an event type have been compared with ours.
CREATE TABLE reconciliations (
    company_id TEXT NOT NULL,
    event_type_id INTEGER NOT NULL,
    swept_until TEXT NOT NULL,
    finished_at TEXT NOT NULL,
    PRIMARY KEY (company_id, event_type_id)
) STRICT;
