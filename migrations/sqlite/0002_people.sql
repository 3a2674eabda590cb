-- The people's side: handsets, greetings and spoken names in versions, bounded forwarding, spoken sites, and what an
-- undo needs.

ALTER TABLE sites ADD COLUMN spoken_name BLOB;

-- What people have recorded of their own. A version is never changed; which one is live is in the account.
CREATE TABLE account_audio (
    account_id  INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    which       TEXT NOT NULL CHECK (which IN ('greeting', 'name')),
    version     INTEGER NOT NULL CHECK (version >= 1),
    at          INTEGER NOT NULL,
    account     TEXT NOT NULL,
    duration_ms INTEGER NOT NULL CHECK (duration_ms >= 0),
    audio       BLOB NOT NULL,
    PRIMARY KEY (account_id, which, version)
) STRICT;

INSERT INTO account_audio (account_id, which, version, at, account, duration_ms, audio)
SELECT id, 'name', 1, created_at, '', length(spoken_name) / 16, spoken_name FROM accounts WHERE spoken_name IS NOT NULL;

ALTER TABLE accounts ADD COLUMN greeting_version INTEGER;
ALTER TABLE accounts ADD COLUMN name_version INTEGER;
UPDATE accounts SET name_version = 1 WHERE spoken_name IS NOT NULL;
ALTER TABLE accounts DROP COLUMN spoken_name;

-- Forwarding again, with its bounds: 1 to 32 digits.
ALTER TABLE accounts RENAME COLUMN forward_always TO always_before;
ALTER TABLE accounts RENAME COLUMN forward_busy TO busy_before;
ALTER TABLE accounts RENAME COLUMN forward_no_answer TO no_answer_before;
ALTER TABLE accounts ADD COLUMN forward_always TEXT
    CHECK (length(forward_always) BETWEEN 1 AND 32 AND forward_always NOT GLOB '*[^0-9]*');
ALTER TABLE accounts ADD COLUMN forward_busy TEXT
    CHECK (length(forward_busy) BETWEEN 1 AND 32 AND forward_busy NOT GLOB '*[^0-9]*');
ALTER TABLE accounts ADD COLUMN forward_no_answer TEXT
    CHECK (length(forward_no_answer) BETWEEN 1 AND 32 AND forward_no_answer NOT GLOB '*[^0-9]*');
UPDATE accounts SET forward_always = always_before
WHERE length(always_before) BETWEEN 1 AND 32 AND always_before NOT GLOB '*[^0-9]*';
UPDATE accounts SET forward_busy = busy_before
WHERE length(busy_before) BETWEEN 1 AND 32 AND busy_before NOT GLOB '*[^0-9]*';
UPDATE accounts SET forward_no_answer = no_answer_before
WHERE length(no_answer_before) BETWEEN 1 AND 32 AND no_answer_before NOT GLOB '*[^0-9]*';
ALTER TABLE accounts DROP COLUMN always_before;
ALTER TABLE accounts DROP COLUMN busy_before;
ALTER TABLE accounts DROP COLUMN no_answer_before;

CREATE TABLE handsets (
    -- Six pairs of small hexadecimal digits, colons between them.
    mac        TEXT PRIMARY KEY CHECK (length(mac) = 17 AND mac NOT GLOB '*[^0-9a-f:]*'),
    name       TEXT NOT NULL DEFAULT '' CHECK (length(name) <= 64),
    account_id INTEGER REFERENCES accounts (id) ON DELETE SET NULL,
    added_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX handsets_by_account ON handsets (account_id, mac);

-- The account that a change was made to, where it was one: an extension alone does not say of which site.
ALTER TABLE changes ADD COLUMN target_id INTEGER;
CREATE INDEX changes_by_account_id ON changes (account_id, number);
DROP TRIGGER changes_are_never_changed;
CREATE TRIGGER changes_are_never_changed
BEFORE UPDATE OF number, at, account_id, account, source, action, target, target_id, "before", "after" ON changes
BEGIN SELECT RAISE(ABORT, 'changes are append-only'); END;

DROP VIEW v_users;
CREATE VIEW v_users AS
SELECT a.id, s.name AS site, a.extension, a.username, a.name, a.language, a.enabled, a.dnd,
       (SELECT group_concat(r.role, ',') FROM roles r WHERE r.account_id = a.id) AS roles,
       (SELECT p.temporary FROM pins p WHERE p.account_id = a.id AND p.kind = 'account') AS pin_temporary,
       (SELECT l.locked_until FROM lockouts l WHERE l.account_id = a.id AND l.kind = 'account') AS locked_until,
       EXISTS (SELECT 1 FROM pins p WHERE p.account_id = a.id AND p.kind = 'voicemail') AS voicemail_pin_set,
       EXISTS (SELECT 1 FROM pins p WHERE p.account_id = a.id AND p.kind = 'support') AS support_pin_set,
       a.greeting_version IS NOT NULL AS greeting_set, a.name_version IS NOT NULL AS spoken_name_set
FROM accounts a JOIN sites s ON s.id = a.site_id;

CREATE VIEW v_forwarding AS
SELECT s.name AS site, a.extension, a.forward_always AS always, a.forward_busy AS busy,
       a.forward_no_answer AS no_answer, a.dnd
FROM accounts a JOIN sites s ON s.id = a.site_id;

CREATE VIEW v_handsets AS
SELECT h.mac, h.name, s.name AS site, a.extension
FROM handsets h LEFT JOIN accounts a ON a.id = h.account_id LEFT JOIN sites s ON s.id = a.site_id;

CREATE VIEW v_greetings AS
SELECT s.name AS site, a.extension, v.version, v.at, v.duration_ms, v.audio
FROM accounts a JOIN sites s ON s.id = a.site_id
JOIN account_audio v ON v.account_id = a.id AND v.which = 'greeting' AND v.version = a.greeting_version;

CREATE VIEW v_spoken_names AS
SELECT s.name AS site, a.extension, v.version, v.at, v.duration_ms, v.audio
FROM accounts a JOIN sites s ON s.id = a.site_id
JOIN account_audio v ON v.account_id = a.id AND v.which = 'name' AND v.version = a.name_version;
