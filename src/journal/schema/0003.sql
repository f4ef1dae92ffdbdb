-- What somebody elsewhere wants of a run: that it stops, that a question has an answer.
CREATE TABLE requests (
    number INTEGER PRIMARY KEY,
    run TEXT NOT NULL REFERENCES runs (id),
    json TEXT NOT NULL
) STRICT;
CREATE INDEX requests_of_a_run ON requests (run, number);
