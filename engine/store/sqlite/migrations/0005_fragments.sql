-- Messages that hold the bytes of others too: fragments of one message (HL7 v2.5 2.10.2.2). bodies has the whole.
CREATE TABLE fragments (
    message INTEGER PRIMARY KEY,
    joins TEXT NOT NULL,                -- the places of the others, a JSON array
    raw BLOB NOT NULL                   -- what the message itself was when it came
);
