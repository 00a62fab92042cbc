-- What the calls of a process came to in a while, by service and operation, with their durations as a sketch (JSON). Whole hours
-- of all processes are folded to one row each, whose process is empty.
CREATE TABLE measured_calls (
    starts_at TEXT NOT NULL,
    service TEXT NOT NULL,
    operation TEXT NOT NULL,
    process TEXT NOT NULL,
    ends_at TEXT NOT NULL,
    succeeded INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    ignored INTEGER NOT NULL,
    sketch TEXT NOT NULL,
    PRIMARY KEY (starts_at, service, operation, process)
) STRICT;

-- How the breakers of a process stand that no other process shares, while they are not closed and a little longer.
CREATE TABLE lone_breakers (
    process TEXT NOT NULL,
    service TEXT NOT NULL,
    unwell_since TEXT,
    well_since TEXT,
    seen_at TEXT NOT NULL,
    PRIMARY KEY (process, service)
) STRICT;

-- What was raised, and what was cleared: one row an occurrence.
CREATE TABLE alerts (
    id TEXT PRIMARY KEY,
    rule TEXT NOT NULL,
    service TEXT NOT NULL,
    occasion INTEGER NOT NULL,
    severity TEXT NOT NULL,
    value REAL NOT NULL,
    threshold REAL NOT NULL,
    since TEXT NOT NULL,
    raised_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    cleared_at TEXT,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX alerts_by_occasion ON alerts (rule, service, occasion);
CREATE INDEX alerts_by_raise ON alerts (raised_at, id);
