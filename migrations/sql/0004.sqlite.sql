-- How the appointment of every booking stands: what the reactions have to know, so that the log alone is enough.
CREATE TABLE appointment_standings (
    booking_id TEXT PRIMARY KEY,
    company_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    status TEXT NOT NULL,
    appointments INTEGER NOT NULL,
    moves INTEGER NOT NULL,
    last_event_at TEXT NOT NULL,
    version INTEGER NOT NULL
) STRICT;

-- How engaged each customer is; the formula stands in docs/architecture.md.
CREATE TABLE customer_engagement (
    customer_id TEXT PRIMARY KEY,
    company_id TEXT NOT NULL,
    score INTEGER NOT NULL CHECK (score BETWEEN 0 AND 100),
    requested INTEGER NOT NULL,
    booked INTEGER NOT NULL,
    moved INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    last_event_at TEXT NOT NULL
) STRICT;

-- What customers are to be told. It names nobody: whom, stands in the booking.
CREATE TABLE notification_requests (
    id TEXT PRIMARY KEY,
    company_id TEXT NOT NULL,
    booking_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX notification_requests_by_creation ON notification_requests (company_id, created_at, id);
CREATE INDEX notification_requests_by_booking ON notification_requests (booking_id);
