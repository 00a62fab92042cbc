-- How the circuit breakers have moved, of the whole fleet or, with an instance, of one process alone.
CREATE TABLE circuit_breaker_events (
    id TEXT PRIMARY KEY,
    service TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    cause TEXT NOT NULL,
    reason TEXT,
    actor TEXT,
    failures INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    shared INTEGER NOT NULL,
    instance TEXT,
    at TEXT NOT NULL
) STRICT;
CREATE INDEX circuit_breaker_events_by_instant ON circuit_breaker_events (at, epoch, id);
CREATE INDEX circuit_breaker_events_by_service ON circuit_breaker_events (service, at, epoch, id);
