-- A leg of a composite has rows of its own under the booking's id; 0 is a booking that has no legs.
ALTER TABLE slot_claims
    ADD COLUMN leg smallint NOT NULL DEFAULT 0,
    DROP CONSTRAINT slot_claims_pkey,
    ADD PRIMARY KEY (booking_id, leg);
ALTER TABLE appointments
    ADD COLUMN leg smallint NOT NULL DEFAULT 0,
    DROP CONSTRAINT appointments_booking_id,
    ADD CONSTRAINT appointments_booking_id UNIQUE (booking_id, leg);

-- The legs of a composite, as the list shows them.
ALTER TABLE booking_list ADD COLUMN legs text;
