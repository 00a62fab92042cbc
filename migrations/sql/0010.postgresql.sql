-- Whether what Cal.com makes is still the booking's own. `calsaga verify` tells where this guess at rows that wait for a person is
-- wrong, and `calsaga projections rebuild bookings` puts it right.
ALTER TABLE booking_list ADD COLUMN undecided boolean NOT NULL DEFAULT false;
UPDATE booking_list SET undecided = true
WHERE legs IS NULL AND (
    status = 'pending' OR (status = 'needs_review' AND calcom_booking_uid IS NULL AND appointment_id IS NULL)
);
