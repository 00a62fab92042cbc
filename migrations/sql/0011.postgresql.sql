-- Work that one process of the fleet has, until when: whoever holds it renews it, and anybody may take what has run out.
CREATE TABLE leases (
    name text PRIMARY KEY,
    holder uuid NOT NULL,
    held_until timestamptz NOT NULL
);

-- What each health check has found. The key is what every question begins with, and the oldest rows go.
CREATE TABLE health_checks (
    service text NOT NULL,
    checked_at timestamptz NOT NULL,
    status text NOT NULL CHECK (status IN ('healthy', 'degraded', 'down', 'unknown')),
    response_time_ms double precision,
    threshold_ok boolean,
    detail text NOT NULL,
    PRIMARY KEY (service, checked_at)
);
