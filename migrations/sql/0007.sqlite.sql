-- Whoever does not want one beside another is refused by all that are there, those that were wanted beside others included.
-- What stands may stay: an update is refused as before.
DROP TRIGGER slot_claims_near_duplicate_on_insert;
CREATE TRIGGER slot_claims_near_duplicate_on_insert BEFORE INSERT ON slot_claims
WHEN NOT NEW.allow_near_duplicate
BEGIN
    SELECT RAISE(ABORT, 'slot_claims_near_duplicate') FROM slot_claims
    WHERE company_id = NEW.company_id
        AND customer_id = NEW.customer_id
        AND (service_id = NEW.service_id OR offered_as = NEW.offered_as)
        AND starts_epoch BETWEEN NEW.starts_epoch - 300 AND NEW.starts_epoch + 300
        AND booking_id <> NEW.booking_id;
END;
