-- Cal.com makes up an address for whoever gives a phone number only: 491701234567@sms.cal.com. Whoever was known by
-- nothing else is known by that number from now on, unless somebody else is already.
UPDATE customers SET phone = '+' || substr(email, 1, length(email) - 12)
WHERE phone IS NULL
    AND substr(email_folded, -12) = '@sms.cal.com'
    AND length(email) BETWEEN 19 AND 27
    AND email GLOB '[1-9]*'
    AND substr(email, 1, length(email) - 12) NOT GLOB '*[^0-9]*'
    AND NOT EXISTS (
        SELECT 1 FROM customers AS other
        WHERE other.company_id = customers.company_id
            AND other.phone = '+' || substr(customers.email, 1, length(customers.email) - 12)
    );
UPDATE customers SET email = NULL, email_folded = NULL WHERE substr(email_folded, -12) = '@sms.cal.com';
