use crate::access::ItemKind;
use std::fs;

use super::*;

#[tokio::test]
async fn a_missing_folder_is_made_and_the_file_is_nobody_else_s() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a/b/switchhook.db");
    let options = StoreOptions { path: path.clone(), ..options(&folder) };
    assert!(matches!(Store::open(options.clone()).await, Err(StoreError::Missing(_))));
    let store = Store::create(options.clone()).await.unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o007, 0);
    let (mode, synchronous): (String, i64) = (
        sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&store.inner.writer).await.unwrap(),
        sqlx::query_scalar("PRAGMA synchronous").fetch_one(&store.inner.writer).await.unwrap(),
    );
    assert_eq!((mode.as_str(), synchronous), ("wal", 2));
    store.close().await;
    Store::open(options).await.unwrap();
}

#[tokio::test]
async fn a_store_is_made_once_and_an_unfinished_one_again() {
    let folder = TempDir::new().unwrap();
    Store::create(options(&folder)).await.unwrap().close().await;
    let store = Store::create(options(&folder)).await.unwrap();
    let ctx = Context::without_call(Wall(MORNING), store.site(), "cli");
    let user = Admin::AddUser { extension: ext("1000"), name: String::new(), username: None, roles: vec![], pin: None };
    store.admin(&ctx, user).await.unwrap();
    store.close().await;
    assert!(matches!(Store::create(options(&folder)).await, Err(StoreError::Exists(_))));
}

/// The file has been written to and its rollback journal is still there: SQLite won't read it without rolling that back.
#[tokio::test]
async fn a_store_whose_maker_was_cut_off_before_there_was_anything_in_it_is_made() {
    let folder = TempDir::new().unwrap();
    let world = World::new().await;
    world.store.close().await;
    let whole = fs::read(&world.store.options().path).unwrap();
    fs::write(&options(&folder).path, &whole[..4096]).unwrap();
    // Its magic number; records, nonce, pages before, bytes of a sector and of a page (sqlite.org/fileformat.html section 3).
    let header = [0xd9d5_05f9, 0x20a1_63d7, 0, 1, 0, 512, 4096].map(u32::to_be_bytes).concat();
    fs::write(folder.path().join("switchhook.db-journal"), [header, vec![0; 512 - 28]].concat()).unwrap();
    assert!(matches!(Store::open(options(&folder)).await, Err(StoreError::Missing(_))));
    Store::create(options(&folder)).await.unwrap().close().await;
}

#[tokio::test]
async fn a_newer_store_is_refused_untouched() {
    let world = World::new().await;
    sqlx::query("UPDATE meta SET value = '99'").execute(&world.store.inner.writer).await.unwrap();
    world.store.close().await;
    let path = &world.store.options().path;
    let before = fs::read(path).unwrap();
    for outcome in [Store::open(options(&world.folder)).await, Store::create(options(&world.folder)).await] {
        let error = outcome.err().unwrap();
        assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
        assert!(error.to_string().contains("run a newer switchhook"));
    }
    assert!(fs::read(path).unwrap() == before);
}

#[tokio::test]
async fn another_file_is_not_taken_for_a_store() {
    let folder = TempDir::new().unwrap();
    let options = options(&folder);
    fs::write(&options.path, "a text that is long enough to be read as the header of a database, and is none").unwrap();
    assert!(matches!(Store::open(options.clone()).await, Err(StoreError::NotAStore(_))));
    fs::remove_file(&options.path).unwrap();
    let connect = sqlx::sqlite::SqliteConnectOptions::new().filename(&options.path).create_if_missing(true);
    let pool = SqlitePool::connect_with(connect).await.unwrap();
    sqlx::query("CREATE TABLE meta (key TEXT, value TEXT)").execute(&pool).await.unwrap();
    pool.close().await;
    let before = fs::read(&options.path).unwrap();
    assert!(matches!(Store::create(options.clone()).await, Err(StoreError::NotAStore(_))));
    assert_eq!(fs::read(&options.path).unwrap(), before);
}

#[tokio::test]
async fn a_place_that_can_t_be_written_is_named() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let options = StoreOptions { path: folder.path().join("file/switchhook.db"), ..options(&folder) };
    let error = Store::create(options).await.err().unwrap();
    assert!(matches!(error, StoreError::CannotMake { .. }), "{error}");
    assert!(error.to_string().contains("file"), "{error}");
    let unknown = StoreOptions { site: "elsewhere".into(), ..super::options(&folder) };
    Store::create(super::options(&folder)).await.unwrap().close().await;
    let error = Store::open(unknown).await.err().unwrap();
    assert!(matches!(error, StoreError::UnknownSite { .. }) && error.to_string().contains("it has `main`"), "{error}");
}

#[tokio::test]
async fn a_full_disk_leaves_the_old_state() {
    let world = World::new().await;
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&world.store.inner.writer).await.unwrap();
    let limit = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {}", pages + 2));
    sqlx::query(limit).fetch_one(&world.store.inner.writer).await.unwrap();
    let number = RecordingNumber(1);
    let long = Audio(vec![1; 80_000].into());
    let keep = |audio| Action::KeepRecording { number, audio };
    assert_eq!(world.ask(&Actor::Shell, keep(long)).await, refused(Refusal::TryLater));
    let row = world.store.recording(number).await.unwrap();
    assert_eq!(row.version, Some(1));
    sqlx::query("PRAGMA max_page_count = 100000").fetch_one(&world.store.inner.writer).await.unwrap();
    assert!(matches!(world.ask(&Actor::Shell, keep(tone(2))).await, Reply::Changed(ChangeNumber(20))));
}

#[tokio::test]
async fn a_store_held_by_another_is_to_be_tried_later() {
    let world = World::with(|options| options.busy_timeout = Duration::from_millis(50)).await;
    let other = Store::open(options(&world.folder)).await.unwrap();
    let held = other.inner.writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let keep = Action::KeepRecording { number: RecordingNumber(1), audio: tone(2) };
    assert_eq!(world.ask(&Actor::Shell, keep.clone()).await, refused(Refusal::TryLater));
    assert!(
        matches!(world.ask(&Actor::Shell, Action::List { kind: ItemKind::Recording }).await, Reply::Numbers(_)),
        "reading goes on"
    );
    drop(held);
    other.close().await;
    assert!(matches!(world.ask(&Actor::Shell, keep).await, Reply::Changed(_)));
}

#[tokio::test]
async fn a_transaction_that_the_database_has_ended_by_itself_holds_nothing_up() {
    let world = World::new().await;
    // As SQLite does where the disk fails under a commit: the rollback of whoever began it is refused then.
    let mut ended = world.store.inner.writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
    sqlx::query("ROLLBACK").execute(&mut *ended).await.unwrap();
    assert!(ended.rollback().await.is_err());
    let mut readers = Vec::new();
    for _ in 0..READERS_MAX {
        readers.push(world.store.read().await.unwrap());
    }
    for mut reader in readers {
        sqlx::query("ROLLBACK").execute(&mut *reader).await.unwrap();
    }
    for n in 1..=3u32 {
        let keep = Action::KeepRecording { number: RecordingNumber(1), audio: tone(50 + n) };
        assert!(matches!(world.ask(&Actor::Shell, keep).await, Reply::Changed(_)), "the next change is made");
        for _ in 0..2 * READERS_MAX {
            let row = world.store.recording(RecordingNumber(1)).await.unwrap();
            assert_eq!(row.version, Some(1 + i64::from(n)), "and read, by whichever connection");
        }
    }
}

#[test]
fn the_address_of_a_store() {
    for (url, path) in [
        ("sqlite:///var/lib/switchhook/switchhook.db", "/var/lib/switchhook/switchhook.db"),
        ("sqlite://demo.db", "demo.db"),
        ("sqlite:demo.db", "demo.db"),
    ] {
        assert_eq!(StoreOptions::path_of(url).unwrap(), PathBuf::from(path));
    }
    for url in ["postgres://db/switchhook", "sqlite:", "demo.db", "sqlite:x?mode=memory"] {
        assert!(matches!(StoreOptions::path_of(url), Err(StoreError::Url(_))), "{url}");
    }
    let error = StoreOptions::path_of("postgres://switchhook:geheim@db/switchhook").unwrap_err();
    assert!(error.to_string().contains("postgres is not in this version"), "{error}");
    assert!(!format!("{error} {error:?}").contains("geheim"), "{error}");
}

#[tokio::test]
async fn a_store_is_opened_and_read_while_another_process_writes() {
    let world = World::new().await;
    let held = world.store.inner.writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let hurried = StoreOptions { busy_timeout: Duration::from_millis(50), ..options(&world.folder) };
    let other = Store::open(hurried.clone()).await.unwrap();
    let site = other.site();
    assert_eq!(other.users(site, Wall(world.now)).await.unwrap().len(), 7);
    assert_eq!(other.verify_audit().await.unwrap().fault, None);
    let verify = Admin::VerifyVoicemailPin { extension: ext("1005"), pin: pin("407193"), caller: None };
    let busy = other.admin(&world.cli(), verify.clone()).await;
    assert!(matches!(busy, Err(AdminError::Store(StoreError::Busy))), "not a wrong PIN: {busy:?}");
    assert!(matches!(Store::create(hurried).await, Err(StoreError::Exists(_))));
    held.rollback().await.unwrap();
    assert_eq!(other.admin(&world.cli(), verify).await.unwrap(), AdminReply::Verified { right: true });
}

#[tokio::test]
async fn a_write_to_a_store_that_is_read_only_names_it() {
    let error = StoreError::ReadOnly.at(std::path::Path::new("/srv/switchhook.db"));
    assert!(error.to_string().contains("/srv/switchhook.db: it is read-only"), "{error}");
    let world = World::new().await;
    sqlx::query("PRAGMA query_only = 1").execute(&world.store.inner.writer).await.unwrap();
    let unlock = Admin::Unlock { extension: ext("1005") };
    let error = world.admin(unlock).await.err().unwrap().to_string();
    assert!(error.contains("switchhook.db"), "{error}");
}

/// A store of the first schema, with one account that has a spoken name and forwarding.
pub(super) async fn first_schema(folder: &TempDir) {
    let path = options(folder).path;
    let connect = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let pool = SqlitePool::connect_with(connect).await.unwrap();
    sqlx::raw_sql(include_str!("../../../migrations/sqlite/0001_first.sql")).execute(&pool).await.unwrap();
    let spoken: Vec<u8> = tone(5).0.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    for sql in [
        "INSERT INTO meta (key, value) VALUES ('switchhook_schema', '1')",
        "INSERT INTO sites (name) VALUES ('main')",
        "INSERT INTO accounts (site_id, extension, username, created_at, forward_busy, forward_always, spoken_name)
         VALUES (1, '1005', '1005@main', 7, '5551234', 'not a number', $1)",
        "INSERT INTO lockouts VALUES (1, 'account', 5, 1, 1769847600000)",
        "INSERT INTO lockouts VALUES (1, 'voicemail', 20, 4, 253402300799000)",
        "INSERT INTO changes (at, account, source, action, target) VALUES (7, 'cli', 'cli', 'user.disabled', '1005')",
    ] {
        let query = sqlx::query(sql);
        let query = if sql.contains("$1") { query.bind(&spoken) } else { query };
        query.execute(&pool).await.unwrap();
    }
    pool.close().await;
}

#[tokio::test]
async fn an_older_store_keeps_what_it_has() {
    let folder = TempDir::new().unwrap();
    first_schema(&folder).await;
    let store = Store::open(options(&folder)).await.unwrap();
    let world = World { store, now: MORNING, folder };
    let open = world.ask(&Actor::Shell, Action::OpenUser { extension: ext("1005") }).await;
    assert_eq!(open, Reply::User { spoken_name: Some(tone(5)), enabled: true, locked: true });
    let user = world.user("1005").await;
    assert_eq!(user.locked_until.as_deref(), Some("2026-01-31T08:20:00.000Z"));
    assert_eq!(user.own_locked_until, None, "who failed is not known: strangers are held to have");
    assert_eq!(user.voicemail_locked_until.as_deref(), Some("9999-12-30T00:00:00.000Z"));
    let forwarding = world.store.forwarding(world.store.site(), &ext("1005")).await.unwrap();
    assert_eq!(forwarding, Forwarding { busy: Some("5551234".into()), ..Forwarding::default() });
    let keep = Action::KeepUserName { extension: ext("1005"), audio: tone(6) };
    assert_eq!(world.ask(&Actor::Shell, keep).await, Reply::Changed(ChangeNumber(2)));
    assert_eq!(world.last_change().await, "2 name.changed 1005 version 1 version 2");
    let old = world.admin(Admin::Undo { number: ChangeNumber(1) }).await;
    assert!(matches!(old, Err(AdminError::CannotUndo(_))), "it does not say which account it was made to");
    let error = sqlx::query("UPDATE accounts SET forward_busy = '12x'").execute(&world.store.inner.writer).await;
    assert!(error.is_err(), "forwarding is digits, whoever writes it");
}

#[tokio::test]
async fn the_group_may_read_and_write_the_store_whatever_the_umask() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("own/switchhook.db");
    let store = Store::create(StoreOptions { path: path.clone(), ..options(&folder) }).await.unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(path.parent().unwrap()), 0o2770);
    for name in ["switchhook.db", "switchhook.db-wal", "switchhook.db-shm"] {
        assert_eq!(mode(&path.with_file_name(name)), 0o660, "{name}");
    }
    store.close().await;
    if fs::metadata(folder.path()).unwrap().uid() == 0 {
        let path = folder.path().join("theirs/switchhook.db");
        fs::create_dir(path.parent().unwrap()).unwrap();
        chown(path.parent().unwrap(), Some(12_345), Some(12_345)).unwrap();
        Store::create(StoreOptions { path: path.clone(), ..options(&folder) }).await.unwrap();
        assert_eq!(fs::metadata(&path).unwrap().uid(), 12_345, "root has made it for the service");
    }
}

#[tokio::test]
async fn no_store_is_made_for_a_site_that_could_have_no_user() {
    let folder = TempDir::new().unwrap();
    for site in ["a\nb".to_owned(), "x".repeat(48), String::new(), "a\u{202e}b".to_owned()] {
        let error = Store::create(StoreOptions { site, ..options(&folder) }).await.err().unwrap();
        assert!(error.to_string().starts_with("site.name can't be used: "), "{error}");
        assert!(!options(&folder).path.exists());
    }
    Store::create(StoreOptions { site: "x".repeat(47), ..options(&folder) }).await.unwrap();
}

#[tokio::test]
async fn what_is_looked_for_each_second_is_found_by_an_index() {
    let world = World::new().await;
    for sql in [
        "SELECT id FROM intents WHERE kind = 'export' AND state = 'requested' ORDER BY id LIMIT 1",
        "SELECT MIN(id) FROM intents WHERE kind = 'hook' AND subject = 'x' AND state IN ('requested', 'claimed')",
        "SELECT id FROM intents WHERE kind = 'reboot' AND state IN ('requested', 'waiting', 'claimed') ORDER BY id",
        "SELECT id FROM intents WHERE kind = 'reboot' AND state = 'unknown' ORDER BY id",
    ] {
        let plan = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let steps: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(plan).fetch_all(&world.store.inner.reader).await.unwrap();
        assert!(steps.iter().any(|step| step.3.contains("intents_by_state (kind=? AND state=?")), "{sql}: {steps:?}");
    }
}

#[tokio::test]
async fn what_is_no_file_is_not_waited_for_and_no_store() {
    let folder = in_memory();
    let (pipe, inner) = (folder.path().join("pipe"), folder.path().join("folder"));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::fs::create_dir(&inner).unwrap();
    for path in [&pipe, &inner] {
        let options = StoreOptions { path: path.clone(), ..options(&folder) };
        let tried = async {
            let opened = Store::open(options.clone()).await.map(drop).unwrap_err().to_string();
            let created = Store::create(options.clone()).await.map(drop).unwrap_err().to_string();
            let others = [Store::check_copy(path).await, Store::fold(path).await, Store::given(path).await.map(drop)];
            (opened, created, others)
        };
        let told = tokio::time::timeout(Duration::from_secs(20), tried).await;
        if told.is_err() {
            // Lets go who waits for it.
            drop(std::fs::OpenOptions::new().read(true).write(true).open(&pipe));
        }
        let (opened, created, others) = told.expect("it waits for nobody");
        assert_eq!(
            opened,
            format!("{} is not a switchhook store: nothing was changed; set store.url to another file", path.display())
        );
        assert_eq!(created, opened);
        assert!(others.iter().all(|told| matches!(told, Err(StoreError::NotAStore(_)))), "{others:?}");
    }
}

#[tokio::test]
async fn one_user_among_many_is_found_by_the_extension() {
    let world = World::new().await;
    let plan = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", accounts::shown_by(Some(&ext("1005")))));
    let steps: Vec<(i64, i64, i64, String)> = sqlx::query_as(plan).fetch_all(&world.store.inner.reader).await.unwrap();
    let is_found = |step: &str| step.contains("SEARCH a USING INDEX") && step.contains("(site_id=? AND extension=?)");
    assert!(steps.iter().any(|step| is_found(&step.3)), "{steps:?}");
    assert!(!steps.iter().any(|step| step.3.starts_with("SCAN")), "{steps:?}");
}
