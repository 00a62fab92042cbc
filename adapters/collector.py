"""
Sparing a process what its garbage collector would do for nothing.

At the end of the start more than a hundred thousand objects live as long as the process:
modules, models, statements. Python would look through all of them again with each full
collection, and stop every request for that long.
"""

import gc

YOUNG_OBJECTS = 20_000
"""How many new objects there are before they are looked through; Python's 700 are fewer than one booking's."""


def spare_what_stays() -> None:
    """Leave all that lives now out of later collections, and collect less often; for once, after the start."""
    gc.collect()
    gc.freeze()
    collect_seldom()


def collect_seldom() -> None:
    """Collect less often; for once, before the start: what is imported is no garbage."""
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
