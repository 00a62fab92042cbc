"""
The composition root: the one place that builds anything, and nothing is built at import time.

    async with application(settings) as app:
        booked = await app.orchestrator.book(wish)

`wiring` reads top to bottom, and returns what `parts` lists; `resilience` builds what keeps it up while others
are down; `background` runs what goes on by itself, and brings it to an end.
"""

from adapters.bootstrap.parts import Application, Directory
from adapters.bootstrap.wiring import application

__all__ = ["Application", "Directory", "application"]
