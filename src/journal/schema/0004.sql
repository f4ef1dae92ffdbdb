-- Format 4: leases, and the queue for them.

-- The right of one run to change one thing. `token` is the number of the grant; `beat_ms` and `ttl_ms` are milliseconds of the
-- machine's boot-time clock. `json` says who has it.
CREATE TABLE leases (
    scope   TEXT    PRIMARY KEY,
    token   INTEGER NOT NULL,
    beat_ms INTEGER NOT NULL,
    ttl_ms  INTEGER NOT NULL,
    json    TEXT    NOT NULL
) STRICT;
CREATE INDEX leases_by_token ON leases (token);

-- The number of the last grant: it never goes down.
CREATE TABLE lease_token (token INTEGER NOT NULL) STRICT;
INSERT INTO lease_token VALUES (0);

-- Who waits, in the order in which they came.
CREATE TABLE lease_queue (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    json   TEXT    NOT NULL
) STRICT;
