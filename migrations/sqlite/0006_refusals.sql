-- What the store refuses whoever writes: numbers that are none, rows that the trail has already, and what other
-- programs may not write.

-- length() and GLOB end at a NUL, and so did the CHECKs: what is behind one was never looked at.
UPDATE own_write SET under = 1;
UPDATE accounts SET forward_always = NULL WHERE length(CAST(forward_always AS BLOB)) <> length(forward_always);
UPDATE accounts SET forward_busy = NULL WHERE length(CAST(forward_busy AS BLOB)) <> length(forward_busy);
UPDATE accounts SET forward_no_answer = NULL WHERE length(CAST(forward_no_answer AS BLOB)) <> length(forward_no_answer);
UPDATE own_write SET under = 0;

CREATE TRIGGER forwarding_is_digits_inserted BEFORE INSERT ON accounts
WHEN length(CAST(new.forward_always AS BLOB)) <> length(new.forward_always)
     OR length(CAST(new.forward_busy AS BLOB)) <> length(new.forward_busy)
     OR length(CAST(new.forward_no_answer AS BLOB)) <> length(new.forward_no_answer)
BEGIN SELECT RAISE(ABORT, 'a forwarding number is 1 to 32 digits'); END;

CREATE TRIGGER forwarding_is_digits_set BEFORE UPDATE OF forward_always, forward_busy, forward_no_answer ON accounts
WHEN length(CAST(new.forward_always AS BLOB)) <> length(new.forward_always)
     OR length(CAST(new.forward_busy AS BLOB)) <> length(new.forward_busy)
     OR length(CAST(new.forward_no_answer AS BLOB)) <> length(new.forward_no_answer)
BEGIN SELECT RAISE(ABORT, 'a forwarding number is 1 to 32 digits'); END;

-- INSERT OR REPLACE takes a row away without any trigger for deletions; so what is there already is refused before it.
CREATE TRIGGER audit_is_never_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE seq = new.seq)
     OR EXISTS (SELECT 1 FROM audit WHERE change_number = new.change_number)
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER changes_are_never_replaced BEFORE INSERT ON changes
WHEN EXISTS (SELECT 1 FROM changes WHERE number = new.number)
BEGIN SELECT RAISE(ABORT, 'changes are append-only'); END;
-- A change is undone once, by a later one.
CREATE TRIGGER changes_are_undone_once BEFORE UPDATE OF undone_by ON changes
WHEN old.undone_by IS NOT NULL OR new.undone_by IS NULL OR new.undone_by <= old.number
     OR NOT EXISTS (SELECT 1 FROM changes WHERE number = new.undone_by)
BEGIN SELECT RAISE(ABORT, 'changes are append-only'); END;

-- Over what a row's hash was taken: 1, all but the account that the change was made to; 2, that too.
ALTER TABLE audit ADD COLUMN hash_version INTEGER NOT NULL DEFAULT 1;

-- Other programs update these and no more: a row that they put in place of another would leave no note.
CREATE TRIGGER mode_is_added_by_switchhook BEFORE INSERT ON mode WHEN (SELECT under FROM own_write) = 0
BEGIN SELECT RAISE(ABORT, 'rows of mode are added and deleted by switchhook only'); END;
CREATE TRIGGER mode_is_deleted_by_switchhook BEFORE DELETE ON mode WHEN (SELECT under FROM own_write) = 0
BEGIN SELECT RAISE(ABORT, 'rows of mode are added and deleted by switchhook only'); END;
CREATE TRIGGER attendants_are_added_by_switchhook BEFORE INSERT ON attendants WHEN (SELECT under FROM own_write) = 0
BEGIN SELECT RAISE(ABORT, 'rows of attendants are added and deleted by switchhook only'); END;
CREATE TRIGGER attendants_are_deleted_by_switchhook BEFORE DELETE ON attendants WHEN (SELECT under FROM own_write) = 0
BEGIN SELECT RAISE(ABORT, 'rows of attendants are added and deleted by switchhook only'); END;
CREATE TRIGGER hunt_groups_are_added_by_switchhook BEFORE INSERT ON hunt_groups WHEN (SELECT under FROM own_write) = 0
BEGIN SELECT RAISE(ABORT, 'rows of hunt_groups are added and deleted by switchhook only'); END;
CREATE TRIGGER hunt_groups_are_deleted_by_switchhook BEFORE DELETE ON hunt_groups WHEN (SELECT under FROM own_write) = 0
BEGIN SELECT RAISE(ABORT, 'rows of hunt_groups are added and deleted by switchhook only'); END;
CREATE TRIGGER call_centers_are_added_by_switchhook BEFORE INSERT ON call_centers WHEN (SELECT under FROM own_write) = 0
BEGIN SELECT RAISE(ABORT, 'rows of call_centers are added and deleted by switchhook only'); END;
CREATE TRIGGER call_centers_are_deleted_by_switchhook BEFORE DELETE ON call_centers WHEN (SELECT under FROM own_write) = 0
BEGIN SELECT RAISE(ABORT, 'rows of call_centers are added and deleted by switchhook only'); END;
CREATE TRIGGER lines_are_added_by_switchhook BEFORE INSERT ON lines WHEN (SELECT under FROM own_write) = 0
BEGIN SELECT RAISE(ABORT, 'rows of lines are added and deleted by switchhook only'); END;
CREATE TRIGGER lines_are_deleted_by_switchhook BEFORE DELETE ON lines WHEN (SELECT under FROM own_write) = 0
BEGIN SELECT RAISE(ABORT, 'rows of lines are added and deleted by switchhook only'); END;
CREATE TRIGGER gateways_are_added_by_switchhook BEFORE INSERT ON gateways WHEN (SELECT under FROM own_write) = 0
BEGIN SELECT RAISE(ABORT, 'rows of gateways are added and deleted by switchhook only'); END;
CREATE TRIGGER gateways_are_deleted_by_switchhook BEFORE DELETE ON gateways WHEN (SELECT under FROM own_write) = 0
BEGIN SELECT RAISE(ABORT, 'rows of gateways are added and deleted by switchhook only'); END;
CREATE TRIGGER proxies_are_added_by_switchhook BEFORE INSERT ON proxies WHEN (SELECT under FROM own_write) = 0
BEGIN SELECT RAISE(ABORT, 'rows of proxies are added and deleted by switchhook only'); END;
CREATE TRIGGER proxies_are_deleted_by_switchhook BEFORE DELETE ON proxies WHEN (SELECT under FROM own_write) = 0
BEGIN SELECT RAISE(ABORT, 'rows of proxies are added and deleted by switchhook only'); END;

CREATE TRIGGER outside_member_altered AFTER UPDATE ON hunt_group_members
WHEN (SELECT under FROM own_write) = 0 AND (old.number <> new.number OR old.account_id <> new.account_id
     OR old.position <> new.position)
BEGIN
    INSERT INTO outside_writes (at, action, target, target_id, before)
    VALUES (CAST(strftime('%s', 'now') AS INTEGER) * 1000, 'group.member_removed', old.number, old.account_id,
            (SELECT extension FROM accounts WHERE id = old.account_id) || ' at ' || old.position);
    INSERT INTO outside_writes (at, action, target, target_id, after)
    VALUES (CAST(strftime('%s', 'now') AS INTEGER) * 1000, 'group.member_added', new.number, new.account_id,
            (SELECT extension FROM accounts WHERE id = new.account_id) || ' at ' || new.position);
END;

-- Looked for each second, however many have ended.
DROP INDEX intents_open;
CREATE INDEX intents_by_state ON intents (kind, state, subject, id);

-- How often somebody else than its owner has set it: a session that began before is over.
ALTER TABLE pins ADD COLUMN resets INTEGER NOT NULL DEFAULT 0;
