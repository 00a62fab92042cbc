-- When work that the processes share was last begun, or still under way: once an interval, by one of them.
CREATE TABLE passes (
    name text PRIMARY KEY,
    noted_at timestamptz NOT NULL
);
