-- The first schema. Times are milliseconds since 1970 in UTC, truth values are 0 or 1, audio is 16-bit little-endian
-- mono at 8000 Hz.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE sites (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- Numbers are never used twice: a session that outlives its account must not become somebody else's.
CREATE TABLE accounts (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    site_id           INTEGER NOT NULL REFERENCES sites (id),
    extension         TEXT NOT NULL CHECK (length(extension) BETWEEN 1 AND 16),
    username          TEXT NOT NULL UNIQUE,
    name              TEXT NOT NULL DEFAULT '',
    language          TEXT,
    enabled           INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    dnd               INTEGER NOT NULL DEFAULT 0 CHECK (dnd IN (0, 1)),
    forward_always    TEXT,
    forward_busy      TEXT,
    forward_no_answer TEXT,
    created_at        INTEGER NOT NULL,
    spoken_name       BLOB,
    UNIQUE (site_id, extension)
) STRICT;

CREATE TABLE roles (
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    role       TEXT NOT NULL CHECK (role IN ('server-administrator', 'system-administrator', 'phone-administrator',
                                             'network-administrator', 'support-technician')),
    granted_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, role)
) STRICT;
CREATE INDEX roles_by_role ON roles (role);

CREATE TABLE pins (
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL CHECK (kind IN ('account', 'voicemail', 'support')),
    hash       TEXT NOT NULL,
    -- Whether it has the digits that a role holder's PIN needs.
    long       INTEGER NOT NULL CHECK (long IN (0, 1)),
    temporary  INTEGER NOT NULL CHECK (temporary IN (0, 1)),
    expires_at INTEGER,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, kind)
) STRICT;

-- The last five of each kind, the present one among them.
CREATE TABLE pin_history (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL,
    hash       TEXT NOT NULL
) STRICT;
CREATE INDEX pin_history_of ON pin_history (account_id, kind, id);

CREATE TABLE lockouts (
    account_id   INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind         TEXT NOT NULL,
    failures     INTEGER NOT NULL,
    locks        INTEGER NOT NULL,
    locked_until INTEGER,
    PRIMARY KEY (account_id, kind)
) STRICT;

CREATE TABLE recordings (
    number        INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 99999999),
    name          TEXT NOT NULL,
    live_version  INTEGER,
    changed_by_id INTEGER REFERENCES accounts (id) ON DELETE SET NULL,
    changed_by    TEXT NOT NULL,
    changed_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX recordings_by_account ON recordings (changed_by_id);

-- audio is NULL where an old version's audio is no longer kept.
CREATE TABLE recording_versions (
    number        INTEGER NOT NULL REFERENCES recordings (number) ON DELETE CASCADE,
    version       INTEGER NOT NULL,
    factory       INTEGER NOT NULL CHECK (factory IN (0, 1)),
    at            INTEGER NOT NULL,
    account       TEXT NOT NULL,
    change_number INTEGER,
    duration_ms   INTEGER NOT NULL,
    audio         BLOB,
    PRIMARY KEY (number, version)
) STRICT;

CREATE TABLE drafts (
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    number     INTEGER NOT NULL REFERENCES recordings (number) ON DELETE CASCADE,
    at         INTEGER NOT NULL,
    audio      BLOB NOT NULL,
    PRIMARY KEY (account_id, number)
) STRICT;
CREATE INDEX drafts_by_number ON drafts (number);

CREATE TABLE changes (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    account_id INTEGER,
    account    TEXT NOT NULL,
    source     TEXT NOT NULL,
    action     TEXT NOT NULL,
    target     TEXT NOT NULL,
    before     TEXT,
    after      TEXT,
    undone_by  INTEGER REFERENCES changes (number)
) STRICT;
CREATE INDEX changes_by_account ON changes (account, number);

CREATE TRIGGER changes_are_never_changed
BEFORE UPDATE OF number, at, account_id, account, source, action, target, "before", "after" ON changes
BEGIN SELECT RAISE(ABORT, 'changes are append-only'); END;
CREATE TRIGGER changes_are_never_deleted BEFORE DELETE ON changes
BEGIN SELECT RAISE(ABORT, 'changes are append-only'); END;

CREATE TABLE audit (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    at            INTEGER NOT NULL,
    account       TEXT,
    source        TEXT NOT NULL,
    action        TEXT NOT NULL,
    target        TEXT,
    outcome       TEXT NOT NULL CHECK (outcome IN ('ok', 'denied', 'failed')),
    change_number INTEGER,
    hash          TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX audit_by_change ON audit (change_number) WHERE change_number IS NOT NULL;

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

-- news: 0 none, 1 to be told, 2 told in a call that has not confirmed it, 3 heard.
CREATE TABLE intents (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    kind            TEXT NOT NULL CHECK (kind IN ('reboot', 'backup', 'export', 'hook', 'logging')),
    state           TEXT NOT NULL CHECK (state IN ('requested', 'waiting', 'claimed', 'done', 'failed', 'unknown', 'cancelled')),
    subject         TEXT NOT NULL,
    payload         TEXT NOT NULL DEFAULT '',
    requested_by_id INTEGER,
    requested_by    TEXT NOT NULL,
    requested_at    INTEGER NOT NULL,
    due_at          INTEGER,
    boot_id         TEXT,
    tries           INTEGER NOT NULL DEFAULT 0,
    finished_at     INTEGER,
    detail          TEXT,
    change_number   INTEGER,
    -- The export that a hook waits for.
    after_id        INTEGER,
    news            INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX intents_open ON intents (kind, subject, id) WHERE state IN ('requested', 'waiting', 'claimed');
CREATE INDEX intents_news ON intents (requested_by_id) WHERE news IN (1, 2);

-- What other programs read. No view has a hash of a PIN in it.
CREATE VIEW v_users AS
SELECT a.id, s.name AS site, a.extension, a.username, a.name, a.language, a.enabled, a.dnd,
       (SELECT group_concat(r.role, ',') FROM roles r WHERE r.account_id = a.id) AS roles
FROM accounts a JOIN sites s ON s.id = a.site_id;

CREATE VIEW v_recordings AS
SELECT r.number, r.name, r.live_version AS version, v.factory, v.duration_ms, r.changed_by, r.changed_at, v.audio
FROM recordings r LEFT JOIN recording_versions v ON v.number = r.number AND v.version = r.live_version;

CREATE VIEW v_changes AS
SELECT number, at, account, source, action, target, before, after, undone_by FROM changes;

CREATE VIEW v_audit AS
SELECT seq, at, account, source, action, target, outcome, change_number, hash FROM audit;

CREATE VIEW v_commands AS
SELECT id, kind, state, requested_by, requested_at, finished_at, detail FROM intents;
