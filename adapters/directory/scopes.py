"""What an API key may be allowed to do."""

from enum import StrEnum


class Scope(StrEnum):
    """One permission of a key."""

    BOOKINGS_WRITE = "bookings:write"
    BOOKINGS_READ = "bookings:read"
    OPS_READ = "ops:read"
    OPS_WRITE = "ops:write"
    FLEET_WRITE = "fleet:write"
    """To set what holds for all companies: breakers, full fallback, what is counted of failures."""
