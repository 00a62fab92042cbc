-- By weekday: {"mon": [["09:00", "12:30"]]}.
ALTER TABLE services ADD COLUMN opening_hours TEXT;

-- Folded by calsaga, since databases fold letters in ways of their own; what is there already is plain ASCII as a rule.
ALTER TABLE customers ADD COLUMN email_folded TEXT;
UPDATE customers SET email_folded = lower(email);

DROP INDEX customers_by_phone;
DROP INDEX customers_by_email;
CREATE INDEX customers_by_phone ON customers (phone);
CREATE INDEX customers_by_email ON customers (email_folded);
