"""`calsaga demo`: a few days of a practice, booked against a faulty Cal.com, and judged by comparing both sides."""
