-- The phone system's own things: mode, attendants, hunt groups, call centers, lines, gateways, proxies; and what other
-- programs write.

-- `setting` holds until it is changed; `passing` holds instead of it until `passing_until`, where both are there.
-- `told` is the mode that the hooks were told last.
CREATE TABLE mode (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    setting       TEXT NOT NULL CHECK (setting IN ('day', 'night', 'holiday', 'timetable')),
    passing       TEXT CHECK (passing IN ('day', 'night', 'holiday', 'timetable')),
    passing_until INTEGER,
    told          TEXT NOT NULL CHECK (told IN ('day', 'night', 'holiday'))
) STRICT;
INSERT INTO mode (id, setting, told) VALUES (1, 'day', 'day');

-- When it is day by the timetable: local time, weekday 0 is Monday.
CREATE TABLE mode_spans (
    weekday     INTEGER NOT NULL CHECK (weekday BETWEEN 0 AND 6),
    from_minute INTEGER NOT NULL CHECK (from_minute BETWEEN 0 AND 1439),
    to_minute   INTEGER NOT NULL CHECK (to_minute BETWEEN 1 AND 1440 AND to_minute > from_minute),
    PRIMARY KEY (weekday, from_minute)
) STRICT;

-- Local days, as 2026-12-25.
CREATE TABLE mode_holidays (
    day TEXT PRIMARY KEY CHECK (day GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]')
) STRICT;

CREATE TABLE attendants (
    number    INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 99999999),
    name      TEXT NOT NULL,
    recording INTEGER REFERENCES recordings (number) ON DELETE SET NULL
) STRICT;
CREATE INDEX attendants_by_recording ON attendants (recording);

CREATE TABLE hunt_groups (
    number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 99999999),
    name   TEXT NOT NULL
) STRICT;

-- Rung in the order of their positions.
CREATE TABLE hunt_group_members (
    number     INTEGER NOT NULL REFERENCES hunt_groups (number) ON DELETE CASCADE,
    position   INTEGER NOT NULL CHECK (position > 0),
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    PRIMARY KEY (number, account_id)
) STRICT;
CREATE INDEX hunt_group_members_in_order ON hunt_group_members (number, position);
CREATE INDEX hunt_group_members_by_account ON hunt_group_members (account_id);

CREATE TABLE call_centers (
    number  INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 99999999),
    name    TEXT NOT NULL,
    is_open INTEGER NOT NULL DEFAULT 0 CHECK (is_open IN (0, 1))
) STRICT;

-- reachable: whether the last OPTIONS request was answered; NULL before the first.
CREATE TABLE lines (
    number        INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 99999999),
    name          TEXT NOT NULL,
    uri           TEXT,
    enabled       INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    spoken_name   BLOB,
    reachable     INTEGER CHECK (reachable IN (0, 1)),
    round_trip_ms INTEGER,
    checked_at    INTEGER
) STRICT;

CREATE TABLE gateways (
    number        INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 99999999),
    name          TEXT NOT NULL,
    uri           TEXT,
    enabled       INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    spoken_name   BLOB,
    reachable     INTEGER CHECK (reachable IN (0, 1)),
    round_trip_ms INTEGER,
    checked_at    INTEGER
) STRICT;

CREATE TABLE proxies (
    number        INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 99999999),
    name          TEXT NOT NULL,
    uri           TEXT,
    enabled       INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    spoken_name   BLOB,
    reachable     INTEGER CHECK (reachable IN (0, 1)),
    round_trip_ms INTEGER,
    checked_at    INTEGER
) STRICT;

-- Whether the transaction that is under way is one of switchhook's own. Only it may set it, and it ends with 0: what
-- is written meanwhile by others is noted by the triggers below and becomes numbered changes.
CREATE TABLE own_write (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    under INTEGER NOT NULL CHECK (under IN (0, 1))
) STRICT;
INSERT INTO own_write (id, under) VALUES (1, 0);

CREATE TABLE outside_writes (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    action    TEXT NOT NULL,
    target    TEXT NOT NULL,
    target_id INTEGER,
    before    TEXT,
    after     TEXT
) STRICT;

-- Forwarding is noted whole: `always 5551234, busy off, no-answer off`.
CREATE TRIGGER outside_forwarding AFTER UPDATE OF forward_always, forward_busy, forward_no_answer ON accounts
WHEN (SELECT under FROM own_write) = 0 AND (old.forward_always IS NOT new.forward_always
     OR old.forward_busy IS NOT new.forward_busy OR old.forward_no_answer IS NOT new.forward_no_answer)
BEGIN
    INSERT INTO outside_writes (at, action, target, target_id, before, after)
    VALUES (CAST(strftime('%s', 'now') AS INTEGER) * 1000, 'forwarding.changed', new.extension, new.id,
            'always ' || COALESCE(old.forward_always, 'off') || ', busy ' || COALESCE(old.forward_busy, 'off')
            || ', no-answer ' || COALESCE(old.forward_no_answer, 'off'),
            'always ' || COALESCE(new.forward_always, 'off') || ', busy ' || COALESCE(new.forward_busy, 'off')
            || ', no-answer ' || COALESCE(new.forward_no_answer, 'off'));
END;

CREATE TRIGGER outside_dnd AFTER UPDATE OF dnd ON accounts
WHEN (SELECT under FROM own_write) = 0 AND old.dnd <> new.dnd
BEGIN
    INSERT INTO outside_writes (at, action, target, target_id, before, after)
    VALUES (CAST(strftime('%s', 'now') AS INTEGER) * 1000, 'dnd.changed', new.extension, new.id,
            CASE old.dnd WHEN 1 THEN 'on' ELSE 'off' END, CASE new.dnd WHEN 1 THEN 'on' ELSE 'off' END);
END;

CREATE TRIGGER outside_mode AFTER UPDATE OF setting, passing, passing_until ON mode
WHEN (SELECT under FROM own_write) = 0
BEGIN
    INSERT INTO outside_writes (at, action, target, before, after)
    VALUES (CAST(strftime('%s', 'now') AS INTEGER) * 1000, 'mode.changed', 'system',
            COALESCE(old.passing || ' until ' || strftime('%Y-%m-%dT%H:%M:%SZ', old.passing_until / 1000, 'unixepoch')
            || ', then ', '') || old.setting,
            COALESCE(new.passing || ' until ' || strftime('%Y-%m-%dT%H:%M:%SZ', new.passing_until / 1000, 'unixepoch')
            || ', then ', '') || new.setting);
END;

CREATE TRIGGER outside_attendant AFTER UPDATE OF recording ON attendants
WHEN (SELECT under FROM own_write) = 0 AND old.recording IS NOT new.recording
BEGIN
    INSERT INTO outside_writes (at, action, target, before, after)
    VALUES (CAST(strftime('%s', 'now') AS INTEGER) * 1000, 'attendant.changed', new.number,
            old.recording, new.recording);
END;

CREATE TRIGGER outside_member_added AFTER INSERT ON hunt_group_members
WHEN (SELECT under FROM own_write) = 0
BEGIN
    INSERT INTO outside_writes (at, action, target, target_id, after)
    VALUES (CAST(strftime('%s', 'now') AS INTEGER) * 1000, 'group.member_added', new.number, new.account_id,
            (SELECT extension FROM accounts WHERE id = new.account_id) || ' at ' || new.position);
END;

CREATE TRIGGER outside_member_removed AFTER DELETE ON hunt_group_members
WHEN (SELECT under FROM own_write) = 0
BEGIN
    INSERT INTO outside_writes (at, action, target, target_id, before)
    VALUES (CAST(strftime('%s', 'now') AS INTEGER) * 1000, 'group.member_removed', old.number, old.account_id,
            (SELECT extension FROM accounts WHERE id = old.account_id) || ' at ' || old.position);
END;

CREATE TRIGGER outside_call_center AFTER UPDATE OF is_open ON call_centers
WHEN (SELECT under FROM own_write) = 0 AND old.is_open <> new.is_open
BEGIN
    INSERT INTO outside_writes (at, action, target, before, after)
    VALUES (CAST(strftime('%s', 'now') AS INTEGER) * 1000,
            CASE new.is_open WHEN 1 THEN 'callcenter.opened' ELSE 'callcenter.closed' END, new.number,
            CASE old.is_open WHEN 1 THEN 'open' ELSE 'closed' END,
            CASE new.is_open WHEN 1 THEN 'open' ELSE 'closed' END);
END;

CREATE TRIGGER outside_line AFTER UPDATE OF enabled ON lines
WHEN (SELECT under FROM own_write) = 0 AND old.enabled <> new.enabled
BEGIN
    INSERT INTO outside_writes (at, action, target, before, after)
    VALUES (CAST(strftime('%s', 'now') AS INTEGER) * 1000,
            CASE new.enabled WHEN 1 THEN 'line.enabled' ELSE 'line.disabled' END, new.number,
            CASE old.enabled WHEN 1 THEN 'enabled' ELSE 'disabled' END,
            CASE new.enabled WHEN 1 THEN 'enabled' ELSE 'disabled' END);
END;

CREATE TRIGGER outside_gateway AFTER UPDATE OF enabled ON gateways
WHEN (SELECT under FROM own_write) = 0 AND old.enabled <> new.enabled
BEGIN
    INSERT INTO outside_writes (at, action, target, before, after)
    VALUES (CAST(strftime('%s', 'now') AS INTEGER) * 1000,
            CASE new.enabled WHEN 1 THEN 'gateway.enabled' ELSE 'gateway.disabled' END, new.number,
            CASE old.enabled WHEN 1 THEN 'enabled' ELSE 'disabled' END,
            CASE new.enabled WHEN 1 THEN 'enabled' ELSE 'disabled' END);
END;

CREATE TRIGGER outside_proxy AFTER UPDATE OF enabled ON proxies
WHEN (SELECT under FROM own_write) = 0 AND old.enabled <> new.enabled
BEGIN
    INSERT INTO outside_writes (at, action, target, before, after)
    VALUES (CAST(strftime('%s', 'now') AS INTEGER) * 1000,
            CASE new.enabled WHEN 1 THEN 'proxy.enabled' ELSE 'proxy.disabled' END, new.number,
            CASE old.enabled WHEN 1 THEN 'enabled' ELSE 'disabled' END,
            CASE new.enabled WHEN 1 THEN 'enabled' ELSE 'disabled' END);
END;

-- The mode that holds now, in the local time of who reads. Without any span it is day by the timetable.
CREATE VIEW v_mode AS
WITH present AS (
    SELECT CASE WHEN passing IS NOT NULL AND passing_until > CAST(strftime('%s', 'now') AS INTEGER) * 1000
                THEN passing ELSE setting END AS setting,
           CASE WHEN passing IS NOT NULL AND passing_until > CAST(strftime('%s', 'now') AS INTEGER) * 1000
                THEN passing_until END AS until,
           strftime('%Y-%m-%d', 'now', 'localtime') AS day,
           (CAST(strftime('%w', 'now', 'localtime') AS INTEGER) + 6) % 7 AS weekday,
           CAST(strftime('%H', 'now', 'localtime') AS INTEGER) * 60
           + CAST(strftime('%M', 'now', 'localtime') AS INTEGER) AS minute
    FROM mode
)
SELECT CASE
           WHEN p.setting <> 'timetable' THEN p.setting
           WHEN EXISTS (SELECT 1 FROM mode_holidays h WHERE h.day = p.day) THEN 'holiday'
           WHEN NOT EXISTS (SELECT 1 FROM mode_spans) THEN 'day'
           WHEN EXISTS (SELECT 1 FROM mode_spans s WHERE s.weekday = p.weekday AND s.from_minute <= p.minute
                        AND p.minute < s.to_minute) THEN 'day'
           ELSE 'night'
       END AS mode, p.setting, p.until
FROM present p;

CREATE VIEW v_attendants AS SELECT number, name, recording FROM attendants;

CREATE VIEW v_group_members AS
SELECT m.number, g.name, m.position, s.name AS site, a.extension, a.username
FROM hunt_group_members m JOIN hunt_groups g ON g.number = m.number
JOIN accounts a ON a.id = m.account_id JOIN sites s ON s.id = a.site_id;

CREATE VIEW v_call_centers AS SELECT number, name, is_open FROM call_centers;
CREATE VIEW v_lines AS SELECT number, name, uri, enabled, reachable, round_trip_ms, checked_at FROM lines;
CREATE VIEW v_gateways AS SELECT number, name, uri, enabled, reachable, round_trip_ms, checked_at FROM gateways;
CREATE VIEW v_proxies AS SELECT number, name, uri, enabled, reachable, round_trip_ms, checked_at FROM proxies;
