-- Whether what Cal.com makes is still the booking's own. `calsaga verify` tells where this guess at rows that wait for a person is
-- wrong, and `calsaga projections rebuild bookings` puts it right.
ALTER TABLE booking_list ADD COLUMN undecided INTEGER NOT NULL DEFAULT 0;
UPDATE booking_list SET undecided = 1
WHERE legs IS NULL AND (
    status = 'pending' OR (status = 'needs_review' AND calcom_booking_uid IS NULL AND appointment_id IS NULL)
);
