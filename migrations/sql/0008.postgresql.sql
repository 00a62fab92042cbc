-- Cal.com makes up an address for whoever gives a phone number only: 491701234567@sms.cal.com. Whoever was known by
-- nothing else is known by that number from now on, unless somebody else is already.
UPDATE customers SET phone = '+' || split_part(email, '@', 1)
WHERE phone IS NULL
    AND email_folded ~ '^[1-9][0-9]{6,14}@sms[.]cal[.]com$'
    AND NOT EXISTS (
        SELECT FROM customers AS other
        WHERE other.company_id = customers.company_id AND other.phone = '+' || split_part(customers.email, '@', 1)
    );
UPDATE customers SET email = NULL, email_folded = NULL WHERE right(email_folded, 12) = '@sms.cal.com';
