-- The figure of each alert when it was last judged, and the worst so far: what its events do not say.
CREATE TABLE alert_figures (
    alert_id uuid PRIMARY KEY,
    value double precision NOT NULL,
    worst double precision NOT NULL,
    judged_at timestamptz NOT NULL
);
