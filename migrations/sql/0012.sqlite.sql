-- How everything stood, once a minute, by one process of all.
CREATE TABLE resilience_snapshots (
    at TEXT PRIMARY KEY,
    verdict TEXT NOT NULL,
    document TEXT NOT NULL
) STRICT;

-- How many calls of a service failed in a minute, of all processes together.
CREATE TABLE failure_metrics (
    service TEXT NOT NULL,
    window_start TEXT NOT NULL,
    requests INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    rate REAL NOT NULL,
    severity TEXT NOT NULL,
    PRIMARY KEY (service, window_start)
) STRICT;
CREATE INDEX failure_metrics_by_time ON failure_metrics (window_start);
