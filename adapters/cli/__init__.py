"""The command `calsaga`: results go to stdout, everything else to stderr; 0 done, 1 found something wrong, 2 misused."""

from adapters.cli.app import main

__all__ = ["main"]
