-- Format 5: what was removed, so that the chain of what is left can still be proved.

-- One row for each time that runs were removed. `json` says when, by whom and which; hash = SHA-256 of the hash before it and of
-- `json`, both as text.
CREATE TABLE prunes (
    number INTEGER PRIMARY KEY,
    json   TEXT    NOT NULL,
    hash   TEXT    NOT NULL
) STRICT;

-- One row for each run that was removed. `number` is the one that it had, `next` the hash in it behind which the run begun after it goes
-- on. Copies of what `prunes` says, to find it by.
CREATE TABLE pruned (
    number INTEGER PRIMARY KEY,
    id     TEXT    NOT NULL UNIQUE,
    next   TEXT    NOT NULL
) STRICT;
