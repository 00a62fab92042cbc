-- What the service was offered as, whoever of a group it is; unknown of what other software writes.
ALTER TABLE slot_claims ADD COLUMN offered_as TEXT;
ALTER TABLE appointments ADD COLUMN offered_as TEXT;

-- What is there already was offered as the log says; what has no log, as its service is now.
CREATE TEMPORARY VIEW offered_by_log AS
SELECT booking_id, leg, CASE
    WHEN json_extract(service, '$.staff_group') IS NULL THEN json_extract(service, '$.service_id')
    ELSE json_extract(service, '$.staff_group') || ' ' || json_extract(service, '$.duration_minutes') || ' '
        || json_extract(service, '$.name')
END AS offered_as
FROM (
    SELECT originator_id AS booking_id, 0 AS leg, json_extract(CAST(state AS TEXT), '$.event.service') AS service
    FROM stored_events
    WHERE topic = 'booking.initiated.v1' AND originator_version = 1
    UNION ALL
    SELECT
        originator_id, json_extract(CAST(state AS TEXT), '$.event.leg'),
        json_extract(CAST(state AS TEXT), '$.event.event.service')
    FROM stored_events
    WHERE topic = 'composite.leg.v1/booking.initiated.v1'
);
UPDATE appointments SET offered_as = coalesce(
    (SELECT offered_as FROM offered_by_log WHERE booking_id = appointments.booking_id AND leg = appointments.leg),
    (
        SELECT CASE
            WHEN staff_group IS NULL THEN service_id
            ELSE staff_group || ' ' || duration_minutes || ' ' || name
        END
        FROM services
        WHERE company_id = appointments.company_id AND service_id = appointments.service_id
    )
);
DROP TRIGGER slot_claims_near_duplicate_on_update;
UPDATE slot_claims SET offered_as = (
    SELECT offered_as FROM offered_by_log WHERE booking_id = slot_claims.booking_id AND leg = slot_claims.leg
);
DROP VIEW offered_by_log;

DROP TRIGGER slot_claims_near_duplicate_on_insert;
CREATE TRIGGER slot_claims_near_duplicate_on_insert BEFORE INSERT ON slot_claims
WHEN NOT NEW.allow_near_duplicate
BEGIN
    SELECT RAISE(ABORT, 'slot_claims_near_duplicate') FROM slot_claims
    WHERE company_id = NEW.company_id
        AND customer_id = NEW.customer_id
        AND (service_id = NEW.service_id OR offered_as = NEW.offered_as)
        AND starts_epoch BETWEEN NEW.starts_epoch - 300 AND NEW.starts_epoch + 300
        AND NOT allow_near_duplicate
        AND booking_id <> NEW.booking_id;
END;

CREATE TRIGGER slot_claims_near_duplicate_on_update BEFORE UPDATE ON slot_claims
WHEN NOT NEW.allow_near_duplicate
BEGIN
    SELECT RAISE(ABORT, 'slot_claims_near_duplicate') FROM slot_claims
    WHERE company_id = NEW.company_id
        AND customer_id = NEW.customer_id
        AND (service_id = NEW.service_id OR offered_as = NEW.offered_as)
        AND starts_epoch BETWEEN NEW.starts_epoch - 300 AND NEW.starts_epoch + 300
        AND NOT allow_near_duplicate
        AND booking_id <> OLD.booking_id;
END;

-- A customer has few of them within five minutes: service and offer need not be looked up.
DROP INDEX slot_claims_by_customer;
CREATE INDEX slot_claims_by_customer ON slot_claims (company_id, customer_id, starts_epoch);
DROP INDEX appointments_by_customer;
CREATE INDEX appointments_by_customer ON appointments (company_id, customer_id, starts_at) WHERE status = 'booked';
