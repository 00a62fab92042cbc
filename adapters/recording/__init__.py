"""What the recorders of both databases share: the stored form of an event, and the course of an append."""
