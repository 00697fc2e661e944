-- Custody of messages. Columns without a type hold the id of a name (table names), or the text itself when the
-- table of names is full: such a column must have no affinity. Places, ids and hashes are 64-bit integers.
-- Nothing is said by '' and 0 rather than by NULL: they take as little room, and the driver binds NULL ten times
-- slower than a text or a number.

CREATE TABLE names (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE messages (
    id INTEGER PRIMARY KEY,             -- the place
    received_ms INTEGER NOT NULL,
    source NOT NULL,
    routing NOT NULL,                   -- routing group
    peer NOT NULL,
    name NOT NULL,
    format NOT NULL,
    control_id NOT NULL,
    type NOT NULL,
    charset NOT NULL,
    digest INTEGER NOT NULL,
    size INTEGER NOT NULL,
    site NOT NULL,
    state INTEGER NOT NULL,
    code NOT NULL DEFAULT '',
    field TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    config NOT NULL DEFAULT '',
    linked_to INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX messages_unrouted ON messages (routing) WHERE state = 0;
CREATE INDEX messages_dead ON messages (state) WHERE state = 6;

-- Apart, so that a change of state doesn't rewrite the bytes.
CREATE TABLE bodies (
    message INTEGER PRIMARY KEY,
    raw BLOB NOT NULL
);

CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY,             -- place << 16 | ordinal
    destination NOT NULL,
    route NOT NULL,
    kind INTEGER NOT NULL,
    lane INTEGER NOT NULL,              -- first lane key; 0: none
    more_lanes TEXT NOT NULL,           -- the others, a JSON array
    type NOT NULL,
    payload_kind INTEGER NOT NULL,
    payload NOT NULL,                   -- a blob when small; else the text '', and the blob is in payloads
    target NOT NULL,
    control_id NOT NULL,
    state INTEGER NOT NULL,
    queued INTEGER NOT NULL,            -- takes its place in its lanes
    attempts INTEGER NOT NULL DEFAULT 0,
    spent INTEGER NOT NULL DEFAULT 0,
    due_ms INTEGER NOT NULL DEFAULT 0,
    first_ms INTEGER NOT NULL DEFAULT 0, -- begin of the first attempt
    end_ms INTEGER NOT NULL DEFAULT 0,  -- end of the last one
    code NOT NULL,
    field TEXT NOT NULL,
    reason TEXT NOT NULL,
    flags INTEGER NOT NULL,
    config NOT NULL,
    copies INTEGER NOT NULL,
    replay_of INTEGER NOT NULL
);
CREATE INDEX deliveries_queue ON deliveries (destination) WHERE queued = 1;
CREATE INDEX deliveries_lane ON deliveries (destination, lane) WHERE queued = 1;
CREATE INDEX deliveries_dead ON deliveries (destination) WHERE state = 2;

-- The second to last lane key of queued deliveries.
CREATE TABLE lane_more (
    destination NOT NULL,
    lane INTEGER NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (destination, lane, id)
) WITHOUT ROWID;

-- Payloads that would make the rows of deliveries, rewritten at each outcome, too large.
CREATE TABLE payloads (
    delivery INTEGER PRIMARY KEY,
    payload BLOB NOT NULL
);

-- Attempts other than "the last one, answered by a plain AA": that one lives in its delivery's row.
CREATE TABLE attempts (
    delivery INTEGER NOT NULL,
    number INTEGER NOT NULL,
    begin_ms INTEGER NOT NULL,
    end_ms INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    code TEXT NOT NULL,
    answer BLOB NOT NULL,
    PRIMARY KEY (delivery, number)
) WITHOUT ROWID;

-- Search keys, written late and in runs: key_slices holds those that are on disk but not yet in message_keys.
CREATE TABLE message_keys (
    bucket INTEGER NOT NULL,            -- message >> 12
    hash INTEGER NOT NULL,
    message INTEGER NOT NULL,
    PRIMARY KEY (bucket, hash, message)
) WITHOUT ROWID;
CREATE TABLE key_slices (
    id INTEGER PRIMARY KEY,
    entries BLOB NOT NULL               -- pairs of little-endian int64: message, hash
);

CREATE TABLE refusals (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    peer TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    size INTEGER NOT NULL,
    raw BLOB NOT NULL
);
CREATE INDEX refusals_source ON refusals (source);

CREATE TABLE intentions (
    id INTEGER PRIMARY KEY,
    stage TEXT NOT NULL,
    verb TEXT NOT NULL,
    arguments TEXT NOT NULL,            -- a JSON object
    who TEXT NOT NULL,
    reason TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    accepted INTEGER,                   -- NULL while it waits
    outcome TEXT
);
CREATE INDEX intentions_waiting ON intentions (stage) WHERE accepted IS NULL;

CREATE TABLE holds (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    until_ms INTEGER NOT NULL,
    who TEXT NOT NULL,
    reason TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;

CREATE TABLE actions (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    who TEXT NOT NULL,
    verb TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason TEXT NOT NULL
);

CREATE TABLE counters (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    what TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (kind, name, what)
) WITHOUT ROWID;

-- Of the run itself: clean, started_ms, stopped_ms, maybe_sent.
CREATE TABLE run (
    key TEXT PRIMARY KEY,
    value NOT NULL
) WITHOUT ROWID;
