-- Backups of the store. A row is made before its file; bytes, sha256 and verified_at come with the whole and verified one. `intent_id` is the
-- intent that asked for it: one that is tried again makes no second file. Numbers are never used twice, as the names
-- of the files have them.
CREATE TABLE backups (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    at          INTEGER NOT NULL,
    file        TEXT NOT NULL,
    intent_id   INTEGER UNIQUE,
    bytes       INTEGER CHECK (bytes > 0),
    sha256      TEXT CHECK (length(sha256) = 64),
    verified_at INTEGER,
    deleted_at  INTEGER,
    CHECK ((bytes IS NULL) = (sha256 IS NULL))
) STRICT;

CREATE VIEW v_backups AS
SELECT id, at, file, bytes, sha256, verified_at FROM backups WHERE bytes IS NOT NULL AND deleted_at IS NULL;
