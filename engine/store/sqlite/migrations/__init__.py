"""Schema of the SQLite store: numbered files, applied in order, each in one transaction, never edited later."""
