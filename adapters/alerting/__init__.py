"""
Alerts: what was measured is judged every few seconds by one process of all, and what follows is written as events.

`readings` gathers, `domain/alert_rules.py` judges, `watching` writes and tells. Whoever else judges at the same time
loses the append. `lone_breakers` is where processes say how breakers stand that are theirs alone.
"""
