//! What hooks are still to be told.

use super::*;
use crate::store::intents::HOOK_BACKLOG_MAX;

const USER: &str = "user.added";

/// A world whose hook listens to users; without those of the demo.
async fn world() -> World {
    let world = World::with(|options| {
        options.export = false;
        options.hooks[0].on = vec!["user.*".into()];
    })
    .await;
    sqlx::query("DELETE FROM intents").execute(&world.store.inner.writer).await.unwrap();
    world
}

/// As many events as are kept, asked for at that time.
async fn fill(world: &World, at: i64) {
    let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $3)
               INSERT INTO intents (kind, state, subject, payload, requested_by, requested_at)
               SELECT 'hook', 'requested', $1, '{}', 'cli', $2 FROM n";
    let query = sqlx::query(sql).bind(intents::hook_key(&["tell".to_owned()])).bind(at).bind(HOOK_BACKLOG_MAX);
    query.execute(&world.store.inner.writer).await.unwrap();
}

async fn of(world: &World, state: &str) -> usize {
    world.store.commands().await.unwrap().iter().filter(|row| row.state == state).count()
}

async fn import(world: &World, users: u32) {
    let row = |n: u32| ImportedUser {
        line: n.into(),
        extension: ext(&format!("{}", 20_000 + n)),
        name: String::new(),
        username: None,
        roles: vec![],
        language: None,
    };
    world.admin(Admin::ImportUsers { rows: (0..users).map(row).collect() }).await.unwrap();
}

#[tokio::test]
async fn a_hook_that_does_not_keep_up_loses_the_oldest_events() {
    let mut world = world().await;
    let kept = usize::try_from(HOOK_BACKLOG_MAX).unwrap();
    fill(&world, MORNING).await;
    import(&world, 5).await;
    assert_eq!(
        (of(&world, "requested").await, of(&world, "failed").await),
        (kept + 5, 0),
        "it had no time for them yet"
    );
    world.now += HOUR + 1;
    import_one_more(&world).await;
    let rows = world.store.commands().await.unwrap();
    assert_eq!((of(&world, "requested").await, of(&world, "failed").await), (kept + 1, 5));
    assert!(rows[..5].iter().all(|row| row.state == "failed"), "the oldest");
    assert_eq!(rows[0].detail.as_deref(), Some("given up: 11000 later events wait for this hook"));
}

async fn import_one_more(world: &World) {
    let add = Admin::AddUser { extension: ext("1042"), name: String::new(), username: None, roles: vec![], pin: None };
    world.admin(add).await.unwrap();
}

#[tokio::test]
async fn every_user_of_a_large_import_is_told() {
    let mut world = world().await;
    import(&world, 1500).await;
    world.now += HOUR + 1;
    import_one_more(&world).await;
    let sql =
        "SELECT count(*) FROM intents WHERE kind = 'hook' AND state = 'requested' AND payload LIKE '%' || $1 || '%'";
    let told: i64 = sqlx::query_scalar(sql).bind(USER).fetch_one(&world.store.inner.reader).await.unwrap();
    assert_eq!((told, of(&world, "failed").await), (1501, 0));
}

#[test]
fn as_many_wait_as_the_largest_import_tells() {
    assert!(HOOK_BACKLOG_MAX >= crate::store::admin::users::IMPORTED_MAX as i64 + 1000);
}
