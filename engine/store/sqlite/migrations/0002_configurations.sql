-- Configurations that ran: their files, and who made which one run, when, why.

CREATE TABLE configs (
    hash TEXT PRIMARY KEY,
    files BLOB NOT NULL                 -- a zlib stream of marshalled pairs: name, bytes
) WITHOUT ROWID;

CREATE TABLE takeovers (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    who TEXT NOT NULL,
    verb TEXT NOT NULL,
    hash TEXT NOT NULL,
    before TEXT NOT NULL,
    until_ms INTEGER NOT NULL,
    reason TEXT NOT NULL
);
