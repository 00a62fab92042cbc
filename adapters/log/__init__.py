"""The event log as the sagas see it: one writer thread a process, readers beside it, and what else a store holds."""
