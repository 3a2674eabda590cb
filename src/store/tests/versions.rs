//! Two versions of the program at one store, and who opens it when.

use std::fs;

use super::opening::first_schema;
use super::*;

async fn schema_of(path: &std::path::Path) -> String {
    let connect = sqlx::sqlite::SqliteConnectOptions::new().filename(path).read_only(true);
    let pool = SqlitePool::connect_with(connect).await.unwrap();
    let sql = "SELECT value FROM meta WHERE key = 'switchhook_schema'";
    let found = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
    pool.close().await;
    found
}

#[tokio::test]
async fn an_older_store_that_is_served_is_left_as_it_is() {
    let folder = TempDir::new().unwrap();
    first_schema(&folder).await;
    let options = options(&folder);
    let serving = Serving::take(&options.path).unwrap();
    for refused in [Store::open(options.clone()).await, Store::create(options.clone()).await] {
        let error = refused.err().unwrap();
        assert!(matches!(error, StoreError::OlderServed { found: 1, .. }), "{error}");
        assert!(error.to_string().contains("stop the service first"), "{error}");
    }
    assert_eq!(schema_of(&options.path).await, "1");
    drop(serving);
    let store = Store::open(options.clone()).await.unwrap();
    let newest = schema_of(&options.path).await;
    assert_ne!(newest, "1", "nobody serves it");
    let again = Store::open(options.clone()).await.unwrap();
    Serving::take(&options.path).expect("the lock is held for no longer than the migration");
    again.close().await;
    store.close().await;
}

#[tokio::test]
async fn who_serves_an_older_store_brings_it_up_to_date() {
    let folder = TempDir::new().unwrap();
    first_schema(&folder).await;
    let (store, _serving) = Store::serve(options(&folder)).await.unwrap();
    assert_ne!(schema_of(&options(&folder).path).await, "1");
    Store::open(options(&folder)).await.expect("the verbs work beside it");
    store.close().await;
}

#[tokio::test]
async fn a_store_that_another_version_has_migrated_is_written_no_more() {
    let world = World::new().await;
    let technician = world.demo("1004").await;
    let known = schema_of(&world.store.options().path).await;
    let other = Store::open(options(&world.folder)).await.unwrap();
    let set = |value: String| {
        let writer = other.inner.writer.clone();
        async move {
            let sql = "UPDATE meta SET value = $1 WHERE key = 'switchhook_schema'";
            sqlx::query(sql).bind(value).execute(&writer).await.unwrap();
        }
    };
    let audited = world.store.audit(None).await.unwrap().len();
    for value in ["99", "1"] {
        set(value.to_owned()).await;
        let error = world.admin(Admin::Unlock { extension: ext("1005") }).await.err().unwrap().to_string();
        assert!(
            error.contains(&format!("has schema {value} by now")) && error.contains("start the new version"),
            "{error}"
        );
        assert_eq!(world.ask(&technician, Action::ToggleDnd).await, refused(Refusal::TryLater));
        // Neither a wrong PIN nor the right one: what can't be counted is not answered.
        for digits in ["111222", "904826"] {
            assert_eq!(world.try_login("1005", digits).await, refused(Refusal::TryLater));
        }
    }
    set(known).await;
    assert_eq!(world.store.audit(None).await.unwrap().len(), audited, "nothing was written");
    world.changed(&technician, Action::ToggleDnd).await;
}

#[tokio::test]
async fn a_store_that_somebody_restores_is_not_opened_to_be_served() {
    let world = World::new().await;
    // As a restore has it: without a write-ahead log, which whoever opens it would begin.
    let path = world.folder.path().join("copy.db");
    world.store.copy_to(&path).await.unwrap();
    let options = StoreOptions { path: path.clone(), ..options(&world.folder) };
    let before = fs::read(&path).unwrap();
    let restoring = Serving::take(&path).unwrap();
    let refused = Store::serve(options.clone()).await.err().unwrap();
    assert!(matches!(refused, StoreError::Served { .. }), "{refused}");
    assert!(fs::read(&path).unwrap() == before && !path.with_file_name("copy.db-wal").exists());
    drop(restoring);
    let alone = Opened::alone(&path).await.unwrap();
    let refused = Store::open(options.clone()).await.err().unwrap();
    assert!(matches!(refused, StoreError::Restoring(_)), "{refused}");
    assert!(fs::read(&path).unwrap() == before);
    drop(alone);
    Store::serve(options).await.unwrap().0.close().await;
    let missing = StoreOptions { path: world.folder.path().join("none.db"), ..super::options(&world.folder) };
    assert!(matches!(Store::serve(missing).await, Err(StoreError::Missing(_))));
    assert!(!world.folder.path().join("none.db.serving").exists(), "no lock beside nothing");
}
