-- How the appointment of every booking stands: what the reactions have to know, so that the log alone is enough.
CREATE TABLE appointment_standings (
    booking_id uuid PRIMARY KEY,
    company_id text NOT NULL,
    customer_id uuid NOT NULL,
    status text NOT NULL,
    appointments integer NOT NULL,
    moves integer NOT NULL,
    last_event_at timestamptz NOT NULL,
    version bigint NOT NULL
);

-- How engaged each customer is; the formula stands in docs/architecture.md.
CREATE TABLE customer_engagement (
    customer_id uuid PRIMARY KEY,
    company_id text NOT NULL,
    score integer NOT NULL CHECK (score BETWEEN 0 AND 100),
    requested integer NOT NULL,
    booked integer NOT NULL,
    moved integer NOT NULL,
    cancelled integer NOT NULL,
    last_event_at timestamptz NOT NULL
);

-- What customers are to be told. It names nobody: whom, stands in the booking.
CREATE TABLE notification_requests (
    id uuid PRIMARY KEY,
    company_id text NOT NULL,
    booking_id uuid NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX notification_requests_by_creation ON notification_requests (company_id, created_at, id);
CREATE INDEX notification_requests_by_booking ON notification_requests (booking_id);
