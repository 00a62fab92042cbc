"""The command `calsaga`: results go to stdout, all else to stderr; 0 done, 1 found something wrong, 2 wrong usage."""

from adapters.cli.app import main

__all__ = ["main"]
