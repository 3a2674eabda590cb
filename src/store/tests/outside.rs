//! What other programs may write, and what they may not.

use super::system::{ONE, undo};
use super::*;
use crate::access::ForwardKind;

#[tokio::test]
async fn a_number_with_something_behind_a_nul_is_refused() {
    let world = World::new().await;
    let mut other = world.other_program().await;
    for sql in [
        "UPDATE accounts SET forward_busy = '123' || char(0) || CAST(x'ff' AS TEXT) WHERE extension = '1005'",
        "UPDATE accounts SET forward_always = '1' || char(0) || '27[2J' WHERE extension = '1005'",
        "INSERT INTO accounts (site_id, extension, username, created_at, forward_no_answer)
         VALUES (1, '1099', 'x', 0, '1' || char(0) || 'x')",
    ] {
        let error = sqlx::query(sql).execute(&mut other).await.unwrap_err().to_string();
        assert!(error.contains("a forwarding number is 1 to 32 digits"), "{error}");
    }
    sqlx::query("UPDATE accounts SET forward_busy = '1006' WHERE extension = '1005'")
        .execute(&mut other)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_number_that_was_hidden_is_gone_after_the_migration() {
    let world = World::new().await;
    hide_a_number(&world).await;
    for trigger in ["inserted", "set"] {
        let sql = sqlx::AssertSqlSafe(format!("DROP TRIGGER IF EXISTS forwarding_is_digits_{trigger}"));
        sqlx::query(sql).execute(&world.store.inner.writer).await.unwrap();
    }
    let migration = include_str!("../../../migrations/sqlite/0006_refusals.sql");
    let (before_audit, _) = migration.split_once("-- INSERT OR REPLACE").unwrap();
    sqlx::raw_sql(before_audit).execute(&world.store.inner.writer).await.unwrap();
    let sql = "SELECT count(*) FROM v_forwarding WHERE busy IS NOT NULL";
    let left: i64 = sqlx::query_scalar(sql).fetch_one(&world.store.inner.writer).await.unwrap();
    assert_eq!(left, 0);
}

/// What was possible before, and is to whoever drops the triggers.
async fn hide_a_number(world: &World) {
    for sql in [
        "DROP TRIGGER forwarding_is_digits_set",
        "UPDATE accounts SET forward_busy = '1' || char(0) || CAST(x'ff' AS TEXT) WHERE extension = '1005'",
    ] {
        sqlx::query(sql).execute(&world.store.inner.writer).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_no_number_is_turned_off_all_the_same() {
    let world = World::new().await;
    hide_a_number(&world).await;
    let actor = world.demo("1005").await;
    let row = world.store.forwarding(world.store.site(), &ext("1005")).await.unwrap();
    assert_eq!(row.busy, None, "it is no number");
    world.changed(&actor, Action::ForwardingOff { kind: ForwardKind::Busy }).await;
    let sql = "SELECT count(*) FROM v_forwarding WHERE busy IS NOT NULL";
    let left: i64 = sqlx::query_scalar(sql).fetch_one(&world.store.inner.writer).await.unwrap();
    assert_eq!(left, 0);
    let off = Action::ForwardingOff { kind: ForwardKind::Busy };
    assert_eq!(world.ask(&actor, off).await, refused(Refusal::NothingThere));
    assert_eq!(world.store.changes(Some("outside"), None).await.unwrap().len(), 1, "it was taken as what it was");
}

#[tokio::test]
async fn one_note_that_is_no_text_keeps_no_other_from_being_taken() {
    let world = World::new().await;
    let mut other = world.other_program().await;
    for sql in [
        "INSERT INTO outside_writes (at, action, target, after) VALUES (0, 'dnd.changed', '1005', CAST(x'31ff' AS TEXT))",
        "UPDATE accounts SET dnd = 1 WHERE extension = '1006'",
    ] {
        sqlx::query(sql).execute(&mut other).await.unwrap();
    }
    world.store.take_outside_writes(&world.ctx()).await.unwrap();
    let told: Vec<String> =
        world.store.changes(Some("outside"), None).await.unwrap().into_iter().map(|row| row.target).collect();
    assert_eq!(told, ["1005", "1006"]);
    assert_eq!(world.store.verify_audit().await.unwrap().fault, None);
}

#[tokio::test]
async fn no_row_is_put_in_the_place_of_another_or_taken_away() {
    let (world, _) = World::phone_system().await;
    let mut other = world.other_program().await;
    for sql in [
        "INSERT OR REPLACE INTO mode (id, setting, told) VALUES (1, 'night', 'day')",
        "REPLACE INTO attendants (number, name, recording) VALUES (1, 'sales', 3)",
        "REPLACE INTO call_centers (number, name, is_open) VALUES (1, 'sales', 1)",
        "REPLACE INTO lines (number, name, uri, enabled) VALUES (1, 'line 1', 'sip:192.0.2.66', 0)",
        "INSERT INTO gateways (number, name) VALUES (8, 'mine')",
        "DELETE FROM gateways",
        "DELETE FROM mode",
        "DELETE FROM hunt_groups",
    ] {
        let error = sqlx::query(sql).execute(&mut other).await.map(|_| ()).expect_err(sql).to_string();
        assert!(error.contains("are added and deleted by switchhook only"), "{error}");
    }
}

#[tokio::test]
async fn a_member_who_is_put_in_the_place_of_another_is_two_changes() {
    let (world, actor) = World::phone_system().await;
    let Reply::Changed(_) = world.ask(&actor, Action::AddMember { number: ONE, extension: ext("1005") }).await else {
        panic!("not added")
    };
    let mut other = world.other_program().await;
    let sql = "UPDATE hunt_group_members SET account_id = (SELECT id FROM accounts WHERE extension = '1006')";
    sqlx::query(sql).execute(&mut other).await.unwrap();
    sqlx::query("UPDATE hunt_group_members SET position = position").execute(&mut other).await.unwrap();
    world.store.take_outside_writes(&world.ctx()).await.unwrap();
    let rows = world.store.changes(Some("outside"), None).await.unwrap();
    let told: Vec<(&str, Option<&str>, Option<&str>)> =
        rows.iter().map(|row| (row.action.as_str(), row.before.as_deref(), row.after.as_deref())).collect();
    let removed = ("group.member_removed", Some("1005 at 1"), None);
    assert_eq!(told, [removed, ("group.member_added", None, Some("1006 at 1"))]);
}

#[tokio::test]
async fn positions_that_are_used_up_are_given_anew() {
    let (world, actor) = World::phone_system().await;
    let mut other = world.other_program().await;
    let sql = "INSERT INTO hunt_group_members (number, position, account_id)
               SELECT 1, 9223372036854775807, id FROM accounts WHERE extension = '1006'";
    sqlx::query(sql).execute(&mut other).await.unwrap();
    for extension in ["1005", "1001"] {
        let reply = world.ask(&actor, Action::AddMember { number: ONE, extension: ext(extension) }).await;
        assert!(matches!(reply, Reply::Changed(_)), "{reply:?}");
    }
    assert_eq!(world.store.groups().await.unwrap()[0].members, ["1006", "1005", "1001"]);
    assert_eq!(world.last_change_told().await, "1001 group.member_added 1: - → 1001 at 3");
}

#[tokio::test]
async fn an_undo_takes_the_member_who_was_meant_and_nobody_else() {
    let (world, actor) = World::phone_system().await;
    let add = || Action::AddMember { number: ONE, extension: ext("1005") };
    let Reply::Changed(first) = world.ask(&actor, add()).await else { panic!("not added") };
    world.admin(Admin::DeleteUser { extension: ext("1005") }).await.unwrap();
    let user = Admin::AddUser { extension: ext("1005"), name: String::new(), username: None, roles: vec![], pin: None };
    world.admin(user).await.unwrap();
    assert!(matches!(world.ask(&actor, add()).await, Reply::Changed(_)));
    assert_eq!(undo(&world, &actor, first.0, "52961847").await, refused(Refusal::ChangedSince));
    assert_eq!(world.store.groups().await.unwrap()[0].members, ["1005"], "the new 1005 is somebody else");
    let sql = "INSERT INTO changes (at, account, source, action, target, after)
               VALUES (0, '1001', 'x', 'group.member_added', '1', '1005 at 1') RETURNING number";
    let old: i64 = sqlx::query_scalar(sql).fetch_one(&world.store.inner.writer).await.unwrap();
    assert_eq!(undo(&world, &actor, old, "52961847").await, refused(Refusal::CannotUndo), "it does not say who");
}

#[tokio::test]
async fn who_is_deleted_takes_along_what_the_change_names() {
    let (world, actor) = World::phone_system().await;
    world.ask(&actor, Action::AddMember { number: ONE, extension: ext("1005") }).await;
    world.admin(Admin::AddHandset { mac: mac(1), name: "desk".into() }).await.unwrap();
    world.changed(&actor, Action::AssignHandset { mac: mac(1), extension: ext("1005") }).await;
    world.admin(Admin::DeleteUser { extension: ext("1005") }).await.unwrap();
    let told = "cli user.deleted 1005: 1005@main, in group 1, handset 00:04:f2:12:ab:01 → -";
    assert_eq!(world.last_change_told().await, told);
}

#[tokio::test]
async fn an_undo_asks_the_toll_policy_for_what_it_changes_only() {
    let (world, actor) = World::phone_system().await;
    let mut other = world.other_program().await;
    for sql in [
        "UPDATE accounts SET forward_always = '0049891234' WHERE extension = '1005'",
        "UPDATE accounts SET forward_busy = '1006' WHERE extension = '1005'",
    ] {
        sqlx::query(sql).execute(&mut other).await.unwrap();
    }
    world.store.take_outside_writes(&world.ctx()).await.unwrap();
    let rows = world.store.changes(Some("outside"), None).await.unwrap();
    let reply = undo(&world, &actor, rows[1].number, "52961847").await;
    assert!(matches!(reply, Reply::Changed(_)), "{reply:?}");
    assert_eq!(world.last_change_told().await, "1001 forwarding.changed 1005: busy 1006 → busy off");
}
