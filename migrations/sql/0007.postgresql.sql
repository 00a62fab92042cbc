-- Claims of those who want one beside another. No constraint can refuse in one direction alone: the statement that claims
-- looks here for whoever does not want that. Without the company: a plan made while the table is empty must not take it for
-- a customer.
CREATE INDEX slot_claims_wanted_beside ON slot_claims (customer_id, starts_epoch) WHERE allow_near_duplicate;
