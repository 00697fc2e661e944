-- Files that came with a message. Most messages have none.
CREATE TABLE attachments (
    message INTEGER NOT NULL,
    rank INTEGER NOT NULL,              -- in the order in which the message names them, from 0
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    digest INTEGER NOT NULL,
    size INTEGER NOT NULL,              -- -1: it didn't come
    data BLOB NOT NULL,
    PRIMARY KEY (message, rank)
);
