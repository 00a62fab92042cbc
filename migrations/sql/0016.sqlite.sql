-- How many calls were slow when a breaker moved; null of those that moved before it was counted.
ALTER TABLE circuit_breaker_events ADD COLUMN slow INTEGER;
