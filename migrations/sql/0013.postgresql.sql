-- What the calls of a process came to in a while, by service and operation, with their durations as a sketch (JSON). Whole hours
-- of all processes are folded to one row each, whose process is empty.
CREATE TABLE measured_calls (
    starts_at timestamptz NOT NULL,
    service text NOT NULL,
    operation text NOT NULL,
    process text NOT NULL,
    ends_at timestamptz NOT NULL,
    succeeded bigint NOT NULL,
    failed bigint NOT NULL,
    refused bigint NOT NULL,
    ignored bigint NOT NULL,
    sketch text NOT NULL,
    PRIMARY KEY (starts_at, service, operation, process)
);

-- How the breakers of a process stand that no other process shares, while they are not closed and a little longer.
CREATE TABLE lone_breakers (
    process text NOT NULL,
    service text NOT NULL,
    unwell_since timestamptz,
    well_since timestamptz,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (process, service)
);

-- What was raised, and what was cleared: one row an occurrence.
CREATE TABLE alerts (
    id uuid PRIMARY KEY,
    rule text NOT NULL,
    service text NOT NULL,
    occasion integer NOT NULL,
    severity text NOT NULL,
    value double precision NOT NULL,
    threshold double precision NOT NULL,
    since timestamptz NOT NULL,
    raised_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    cleared_at timestamptz,
    version bigint NOT NULL
);
CREATE UNIQUE INDEX alerts_by_occasion ON alerts (rule, service, occasion);
CREATE INDEX alerts_by_raise ON alerts (raised_at, id);
