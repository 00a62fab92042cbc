"""
Processes forked from a server that has done whatever each of them would do first, so that one starts in milliseconds.
"""

from __future__ import annotations

import multiprocessing
from typing import Final

# A process that runs tests has one such server, which learns only as it starts what to do before all forks. So what
# one test has its children do must be ready for those of all others, too, whoever is first.
FORKED: Final = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["tests.servers.forked"])
