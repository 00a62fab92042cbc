"""Cal.com's API v2 as the sagas' calendar: calls, what came of them, and nothing decided."""
