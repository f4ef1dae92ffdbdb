-- Format 2 of the journal: the outbox.

-- One row for each message that a run sent or wants to send. `number` is the order in which they came. Unlike events, rows
-- change: a message that waits is delivered later. `json` is the whole letter; the other columns are copies, to find it by.
CREATE TABLE outbox (
    number      INTEGER PRIMARY KEY,
    key         TEXT    NOT NULL UNIQUE,
    run         TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    channel     TEXT    NOT NULL,
    thread      TEXT,
    state       TEXT    NOT NULL,                   -- waiting, delivered, dropped
    attempts    INTEGER NOT NULL,
    moved       INTEGER NOT NULL,                   -- when it came so far: milliseconds since 1970, UTC
    json        TEXT    NOT NULL
) STRICT;

CREATE INDEX outbox_by_channel ON outbox (environment, channel, number);
CREATE INDEX outbox_waiting ON outbox (number) WHERE state = 'waiting';
CREATE INDEX outbox_by_run ON outbox (run);
