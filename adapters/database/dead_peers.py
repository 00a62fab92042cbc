"""
How a connection to PostgreSQL finds out that there is nobody at its other end any more.

A peer that is gone without a word, by a power cut or a firewall that has forgotten it,
answers nothing and refuses nothing: without limits a read waits for it for hours.
"""

from typing import Final

AS_DRIVERS_READ: Final = "-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1"
"""Whatever the role or the database says of the look of dates, intervals and figures."""
KEEPALIVES: Final = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}


def limits(*, connect: float, silence: float) -> dict[str, int]:
    """Return the driver's options: how many seconds to wait for a connection, and for a sign of life."""
    return {
        # The driver takes whole seconds, and less than two as two.
        "connect_timeout": max(2, round(connect)),
        "tcp_user_timeout": round(1000 * silence),
        **KEEPALIVES,
    }


def server_options(seconds: float, *, options: str = "") -> str:
    """Return the server's options: those given, an end for each statement, and values as drivers read them."""
    return f"{options} -c statement_timeout={round(1000 * seconds)} {AS_DRIVERS_READ}".lstrip()
