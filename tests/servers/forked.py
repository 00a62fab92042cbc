"""
What the server that processes are forked from does before the first fork: see `tests.servers.forking`.
"""

from __future__ import annotations

import gc

# ruff: noqa: F401 - imported for those who are forked
import tests.crash.child
import tests.integration.storage.appends
import tests.integration.system.callers
from adapters.recording.codec import booking_codec

booking_codec()
# What is there now stays for ever: a collection in a child would look through it all, and have the kernel copy it.
gc.collect()
gc.freeze()
