-- The figure of each alert when it was last judged, and the worst so far: what its events do not say.
CREATE TABLE alert_figures (
    alert_id TEXT PRIMARY KEY,
    value REAL NOT NULL,
    worst REAL NOT NULL,
    judged_at TEXT NOT NULL
) STRICT;
