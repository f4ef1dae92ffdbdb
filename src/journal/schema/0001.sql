-- Format 1 of the journal.

-- One row for each run. `number` is the order in which runs were begun.
CREATE TABLE runs (
    number      INTEGER PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE,
    mode        TEXT    NOT NULL,
    runbook     TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    started_by  TEXT    NOT NULL,
    started     TEXT    NOT NULL,                   -- RFC 3339, UTC
    ended       TEXT,                               -- RFC 3339, UTC
    status      TEXT    NOT NULL DEFAULT 'running',
    why         TEXT,
    previous    TEXT    NOT NULL,                   -- the hash before the first event
    events      INTEGER NOT NULL DEFAULT 0,         -- how many there are
    head        TEXT    NOT NULL                    -- the hash of the last one
) STRICT;

-- hash = SHA-256 of the hash before it and of `json`, both as text. Clustered by run: an append touches one page of it.
CREATE TABLE events (
    run  INTEGER NOT NULL REFERENCES runs (number),
    seq  INTEGER NOT NULL,
    json TEXT    NOT NULL,
    hash TEXT    NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

-- Against accidents; against intent, there is the chain.
CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
BEGIN SELECT raise(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN SELECT raise(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER runs_are_not_deleted BEFORE DELETE ON runs
BEGIN SELECT raise(ABORT, 'the journal is append-only'); END;
