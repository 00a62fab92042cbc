"""
What calls cost and how they end: counted in the process, kept by the minute, and read for the whole fleet.

    meter.record("calcom", "create", "succeeded", 0.134)    # on the booking path: a few microseconds, no I/O

Twice a minute each process stores what it has counted (`keeping`), with the durations as sketches, so that the
percentiles of the fleet are those of all its calls (`sketches`), and never averages of percentiles. Whole hours are
folded to one row (`stored`). A process that is killed takes its last half minute with it.
"""
