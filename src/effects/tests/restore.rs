//! What a restore and the backups must not be made to do.

use sqlx::Connection;

use super::*;
use crate::effects::backup::{self, BackupError, BackupOptions, restore};
use crate::model::ChangeNumber;
use crate::store::BackupRow;

impl World {
    async fn made(&self, options: &BackupOptions) -> BackupRow {
        backup::create(&self.store, options, &self.ctx()).await.unwrap()
    }

    async fn restored(&mut self, id: i64) {
        let options = self.store.options().clone();
        self.store.close().await;
        restore(&options, &self.options.backup.folder, clock(), id).await.unwrap();
        self.store = Store::open(options).await.unwrap();
    }

    /// Changes recording 1; the numbers of the change, of the hook's intent, and of a user that is added.
    async fn numbers(&self, extension: &str) -> [i64; 3] {
        self.keep(1, audio(7)).await;
        let ChangeNumber(change) = ChangeNumber(self.store.changes(None, Some(1)).await.unwrap()[0].number);
        let intent = self.last("hook").await.id;
        let extension = Extension::parse(extension).unwrap();
        let user = Admin::AddUser {
            extension: extension.clone(),
            name: String::new(),
            username: None,
            roles: vec![],
            pin: None,
        };
        self.store.admin(&self.ctx(), user).await.unwrap();
        let mut other = self.other_program().await;
        let sql = "SELECT id FROM accounts WHERE extension = $1";
        let id: i64 = sqlx::query_scalar(sql).bind(extension.as_str()).fetch_one(&mut other).await.unwrap();
        other.close().await.unwrap();
        [change, intent, id]
    }
}

#[tokio::test]
async fn no_number_is_given_again_after_a_restore() {
    let mut world = World::new("", "").await;
    let row = world.made(&world.options.backup).await;
    world.numbers("2001").await;
    let before = world.numbers("2002").await;
    let end = world.store.audit(Some(1)).await.unwrap().remove(0);
    world.restored(row.id).await;
    let trail = world.store.audit(Some(2)).await.unwrap();
    assert_eq!((trail[0].action.as_str(), trail[1].action.as_str()), ("audit.replaced", "backup.restored"));
    assert_eq!(
        trail[0].target,
        Some(format!("{} {}", end.seq, end.hash)),
        "the trail that was kept aside is known by it"
    );
    let after = world.numbers("2003").await;
    assert!(after.iter().zip(before).all(|(after, before)| *after > before), "{before:?} {after:?}");
    assert_eq!(world.store.verify_audit().await.unwrap().fault, None);

    let path = world.store.options().path.clone();
    let second = world.made(&world.options.backup).await;
    world.store.close().await;
    fs::remove_file(path).unwrap();
    world.restored(second.id).await;
    let lost = world.numbers("2004").await;
    assert!(lost.iter().zip(after).all(|(lost, after)| *lost > after + 999_999), "{after:?} {lost:?}");
}

#[tokio::test]
async fn numbers_that_other_hands_have_used_up_are_not_believed() {
    let mut world = World::new("", "").await;
    let row = world.made(&world.options.backup).await;
    let mut other = world.other_program().await;
    sqlx::query("UPDATE sqlite_sequence SET seq = 9223372036854775807").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    let folder = &world.options.backup.folder;
    for name in ["9223372036854775807", "-3", "1000000000001"] {
        fs::copy(folder.join(&row.file), folder.join(format!("switchhook-20200101T000000Z-{name}.db"))).unwrap();
    }
    world.restored(row.id).await;
    let numbers = world.numbers("2001").await;
    assert!(numbers.iter().all(|number| (1_000_000..2_000_000).contains(number)), "{numbers:?}");
    assert_eq!(world.made(&world.options.backup).await.id, 2);
}

#[tokio::test]
async fn numbers_are_believed_up_to_the_highest() {
    const HIGHEST: i64 = 1_000_000_000_000;
    for (used, goes_on) in [(HIGHEST, true), (HIGHEST + 1, false)] {
        let mut world = World::new("", "").await;
        let row = world.made(&world.options.backup).await;
        let mut other = world.other_program().await;
        let sql = "UPDATE sqlite_sequence SET seq = $1 WHERE name IN ('accounts', 'changes', 'intents')";
        sqlx::query(sql).bind(used).execute(&mut other).await.unwrap();
        other.close().await.unwrap();
        world.restored(row.id).await;
        let numbers = world.numbers("2001").await;
        let is_as_expected = |number: &i64| if goes_on { *number > used } else { *number < 2_000_000 };
        assert!(numbers.iter().all(is_as_expected), "{used}: {numbers:?}");
    }
}

#[tokio::test]
async fn no_file_is_deleted_or_read_that_is_no_backup_of_its_number() {
    let world = World::new("", "").await;
    let options = BackupOptions { keep: 1, ..world.options.backup.clone() };
    world.made(&options).await;
    let victim = world.folder.path().join("victim");
    let own = options.folder.join("switchhook-20200101T000000Z-99.db");
    for path in [&victim, &own] {
        fs::write(path, "what matters").unwrap();
    }
    let mut other = world.other_program().await;
    let named = [victim.display().to_string(), "../victim".into(), "switchhook-20200101T000000Z-99.db".into()];
    for (id, file) in (-3..).zip(&named) {
        let sql = "INSERT INTO backups (id, at, file, bytes, sha256) VALUES ($1, 1, $2, 1, $3)";
        sqlx::query(sql).bind(id).bind(file).bind("0".repeat(64)).execute(&mut other).await.unwrap();
    }
    world.made(&options).await;
    for path in [&victim, &own] {
        assert_eq!(fs::read_to_string(path).unwrap(), "what matters");
    }
    for id in -3..0 {
        let verified = backup::verify(&world.store, &options, &world.ctx(), id).await;
        assert!(matches!(verified, Err(BackupError::NotOurs { .. })), "{verified:?}");
    }
    let listed: Vec<i64> = backup::list(&world.store).await.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(listed, [-3, -2, -1, 2], "others are pruned all the same");
    let store = world.store.options().clone();
    world.store.close().await;
    let restored = restore(&store, &options.folder, clock(), -3).await;
    assert!(matches!(restored, Err(BackupError::Unknown(-3))), "{restored:?}");
}
