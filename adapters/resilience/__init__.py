"""
Keeping up while others are down: trying again, within a budget and a time limit, behind a breaker and a bulkhead.

`retry` is for callers' own code; what calsaga does at Cal.com is the sagas' affair.
"""

from adapters.resilience.budget import RetryBudget
from adapters.resilience.bulkhead import Bulkhead, BulkheadFull
from adapters.resilience.classifying import Failure, classify
from adapters.resilience.retrying import Retry, retry

__all__ = ["Bulkhead", "BulkheadFull", "Failure", "Retry", "RetryBudget", "classify", "retry"]
