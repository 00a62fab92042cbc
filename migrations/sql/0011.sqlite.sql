-- Work that one process of the fleet has, until when: whoever holds it renews it, and anybody may take what has run out.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    held_until TEXT NOT NULL
) STRICT;

-- What each health check has found. The key is what every question begins with, and the oldest rows go.
CREATE TABLE health_checks (
    service TEXT NOT NULL,
    checked_at TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('healthy', 'degraded', 'down', 'unknown')),
    response_time_ms REAL,
    threshold_ok INTEGER,
    detail TEXT NOT NULL,
    PRIMARY KEY (service, checked_at)
) STRICT, WITHOUT ROWID;
