-- How the circuit breakers have moved, of the whole fleet or, with an instance, of one process alone.
CREATE TABLE circuit_breaker_events (
    id uuid PRIMARY KEY,
    service text NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    cause text NOT NULL,
    reason text,
    actor text,
    failures integer NOT NULL,
    calls integer NOT NULL,
    epoch bigint NOT NULL,
    shared boolean NOT NULL,
    instance text,
    at timestamptz NOT NULL
);
CREATE INDEX circuit_breaker_events_by_instant ON circuit_breaker_events (at, epoch, id);
CREATE INDEX circuit_breaker_events_by_service ON circuit_breaker_events (service, at, epoch, id);
