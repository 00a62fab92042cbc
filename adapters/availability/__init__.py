"""When a service can be booked: what Cal.com offers, less what is taken here."""
