-- Lock-outs by origin, so that strangers' failures lock strangers out and never the account's own handset; and what is
-- kept of the sources that PINs are tried from.

DROP VIEW v_users;

-- `own`: from the account's own handset, or by somebody who is logged in to it; `other`: from anywhere else.
CREATE TABLE lockouts_by_origin (
    account_id   INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind         TEXT NOT NULL CHECK (kind IN ('account', 'voicemail', 'support')),
    origin       TEXT NOT NULL CHECK (origin IN ('own', 'other')),
    failures     INTEGER NOT NULL,
    locks        INTEGER NOT NULL,
    locked_until INTEGER,
    PRIMARY KEY (account_id, kind, origin)
) STRICT;
-- Where the failures came from was not kept: a lock that is on stays on for strangers. One that only an administrator
-- ends had an end that not every calendar has.
INSERT INTO lockouts_by_origin (account_id, kind, origin, failures, locks, locked_until)
SELECT account_id, kind, 'other', failures, locks,
       CASE WHEN locked_until = 253402300799000 THEN 253402128000000 ELSE locked_until END
FROM lockouts
WHERE kind IN ('account', 'voicemail', 'support');
DROP TABLE lockouts;
ALTER TABLE lockouts_by_origin RENAME TO lockouts;

-- `tokens_at` is when the token bucket is full again (the theoretical arrival time of GCRA). `failures` are those in a
-- row of tries on other people's accounts; `noted_at` is when refused tries were noted last.
CREATE TABLE login_sources (
    source       TEXT PRIMARY KEY,
    tokens_at    INTEGER NOT NULL,
    failures     INTEGER NOT NULL,
    locks        INTEGER NOT NULL,
    locked_until INTEGER,
    noted_at     INTEGER NOT NULL,
    changed_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX login_sources_by_age ON login_sources (changed_at);

-- The bucket of all strangers together, one for each kind of PIN.
CREATE TABLE login_totals (
    kind      TEXT PRIMARY KEY CHECK (kind IN ('account', 'voicemail', 'support')),
    tokens_at INTEGER NOT NULL,
    noted_at  INTEGER NOT NULL
) STRICT;
INSERT INTO login_totals (kind, tokens_at, noted_at) VALUES ('account', 0, 0), ('voicemail', 0, 0), ('support', 0, 0);

CREATE VIEW v_users AS
SELECT a.id, s.name AS site, a.extension, a.username, a.name, a.language, a.enabled, a.dnd,
       (SELECT group_concat(r.role, ',') FROM roles r WHERE r.account_id = a.id) AS roles,
       (SELECT p.temporary FROM pins p WHERE p.account_id = a.id AND p.kind = 'account') AS pin_temporary,
       (SELECT max(l.locked_until) FROM lockouts l WHERE l.account_id = a.id AND l.kind = 'account') AS locked_until,
       EXISTS (SELECT 1 FROM pins p WHERE p.account_id = a.id AND p.kind = 'voicemail') AS voicemail_pin_set,
       EXISTS (SELECT 1 FROM pins p WHERE p.account_id = a.id AND p.kind = 'support') AS support_pin_set,
       a.greeting_version IS NOT NULL AS greeting_set, a.name_version IS NOT NULL AS spoken_name_set,
       (SELECT l.locked_until FROM lockouts l
        WHERE l.account_id = a.id AND l.kind = 'account' AND l.origin = 'own') AS own_locked_until,
       (SELECT p.temporary FROM pins p WHERE p.account_id = a.id AND p.kind = 'voicemail') AS voicemail_pin_temporary
FROM accounts a JOIN sites s ON s.id = a.site_id;

CREATE VIEW v_login_sources AS
SELECT source, failures, locked_until, changed_at FROM login_sources;
