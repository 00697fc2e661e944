-- The cross-reference: which identifier belongs to which patient, what each site says of him, why.

CREATE TABLE identifiers (
    hash INTEGER PRIMARY KEY,           -- keyed hash of authority and value
    kind INTEGER NOT NULL,              -- core.identities.IdentifierKind
    authority NOT NULL,                 -- a name, or the text itself
    value TEXT NOT NULL,
    patient INTEGER NOT NULL,           -- today's; 0 for a stay
    under INTEGER NOT NULL              -- of a stay: hash of the local number under which it was given
);

CREATE TABLE patients (
    id INTEGER PRIMARY KEY,
    data TEXT NOT NULL                  -- a JSON array: id, number, assertions, identifiers, apart
);

-- Under which hashes of strict traits a patient is found.
CREATE TABLE identity_traits (
    traits INTEGER NOT NULL,
    patient INTEGER NOT NULL,
    PRIMARY KEY (traits, patient)
) WITHOUT ROWID;

-- Append-only, as long as the link lives.
CREATE TABLE identity_events (
    id INTEGER PRIMARY KEY,
    rule TEXT NOT NULL,
    place INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    who TEXT NOT NULL,
    reason TEXT NOT NULL,
    undoes INTEGER NOT NULL,
    touched BLOB NOT NULL               -- rows before and after: JSON, perhaps compressed
);
CREATE TABLE identity_touched (
    key INTEGER NOT NULL,               -- id of a patient, or hash of an identifier (identity_rules.keys_of)
    event INTEGER NOT NULL,
    PRIMARY KEY (key, event)
) WITHOUT ROWID;

CREATE TABLE reviews (
    id INTEGER PRIMARY KEY,             -- in the order in which the pairs came
    low INTEGER NOT NULL,
    high INTEGER NOT NULL,
    rule TEXT NOT NULL,
    sentence TEXT NOT NULL,
    place INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    state INTEGER NOT NULL,
    UNIQUE (low, high)
);
CREATE INDEX reviews_state ON reviews (state);

-- What messages wait for: one row an identifier.
CREATE TABLE identity_waits (
    hash INTEGER NOT NULL,
    place INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    PRIMARY KEY (hash, place)
) WITHOUT ROWID;
CREATE INDEX identity_waits_place ON identity_waits (place);
CREATE INDEX identity_waits_until ON identity_waits (until_ms, place);
