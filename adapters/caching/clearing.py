"""
Clearing caches by name: which cache a tag means, and whose entries.

A caller loses nothing by it but time; it is for people who know better than ten minutes.
"""

from collections.abc import Iterator
from typing import Protocol

import structlog

from adapters.redis.clearing import Tag

log = structlog.get_logger("calsaga.caches")


class Forgetful(Protocol):
    """Something that remembers, and can be told to forget."""

    def forget_all(self, company_id: str | None) -> int:
        """Forget what is of a company, or of all, and return how much that was."""
        ...


class Caches:
    """The caches of one process, by their tags."""

    def __init__(self, *, availability: Forgetful, customers: Forgetful, keys: Forgetful) -> None:
        self._caches: dict[str, Forgetful] = {"availability": availability, "customers": customers, "keys": keys}

    def clear(self, tag: Tag, company_id: str | None) -> int:
        """Forget what a tag names, in this process, and return how many entries that were."""
        count = sum(cache.forget_all(company_id) for cache in self._of(tag))
        log.info("cache.cleared", tag=tag, company_id=company_id, entries=count)
        return count

    def _of(self, tag: Tag) -> Iterator[Forgetful]:
        yield from self._caches.values() if tag == "all" else (self._caches[tag],)
