-- How everything stood, once a minute, by one process of all.
CREATE TABLE resilience_snapshots (
    at timestamptz PRIMARY KEY,
    verdict text NOT NULL,
    document jsonb NOT NULL
);

-- How many calls of a service failed in a minute, of all processes together.
CREATE TABLE failure_metrics (
    service text NOT NULL,
    window_start timestamptz NOT NULL,
    requests bigint NOT NULL,
    failures bigint NOT NULL,
    rate double precision NOT NULL,
    severity text NOT NULL,
    PRIMARY KEY (service, window_start)
);
CREATE INDEX failure_metrics_by_time ON failure_metrics (window_start);
