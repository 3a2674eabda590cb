//! Whose backups are made, verified and restored, and what is under their names.

use std::os::unix::fs::{MetadataExt, chown, symlink};

use super::*;
use crate::effects::backup::{self, BackupError, restore};
use crate::store::BackupRow;

async fn made(world: &World) -> BackupRow {
    backup::create(&world.store, &world.options.backup, &world.ctx()).await.unwrap()
}

#[tokio::test]
async fn root_has_nothing_to_do_with_the_backups_of_another() {
    let world = World::new("", "").await;
    let (options, folder) = (world.store.options().clone(), &world.options.backup.folder);
    if fs::metadata(&options.path).unwrap().uid() != 0 {
        return;
    }
    let row = made(&world).await;
    chown(&options.path, Some(12_345), Some(12_346)).unwrap();
    let audited = world.store.audit(None).await.unwrap().len();
    let refused = |error: BackupError| {
        assert!(matches!(error, BackupError::OtherOwner { .. }), "{error:?}");
        let said = error.to_string();
        let how = "setpriv --reuid=12345 --regid=12346 --clear-groups -- switchhook";
        assert!(said.contains(how) && said.lines().count() == 1, "{said}");
    };
    refused(backup::create(&world.store, &world.options.backup, &world.ctx()).await.unwrap_err());
    refused(backup::verify(&world.store, &world.options.backup, &world.ctx(), row.id).await.unwrap_err());
    assert_eq!(world.store.audit(None).await.unwrap().len(), audited, "nothing was begun");
    assert_eq!(backup::list(&world.store).await.unwrap(), std::slice::from_ref(&row), "to look is no harm");
    world.store.close().await;
    let before = fs::read(&options.path).unwrap();
    refused(restore(&options, folder, clock(), row.id).await.unwrap_err());
    assert!(fs::read(&options.path).unwrap() == before);
    // Neither a link of root's to it, nor its folder where it is gone.
    let link = world.folder.path().join("link.db");
    symlink(&options.path, &link).unwrap();
    refused(restore(&StoreOptions { path: link, ..options.clone() }, folder, clock(), row.id).await.unwrap_err());
    fs::remove_file(&options.path).unwrap();
    chown(world.folder.path(), Some(12_345), Some(12_346)).unwrap();
    refused(restore(&options, folder, clock(), row.id).await.unwrap_err());
    chown(world.folder.path(), Some(0), Some(0)).unwrap();
    restore(&options, folder, clock(), row.id).await.unwrap();
}

#[tokio::test]
async fn what_is_no_file_is_neither_verified_nor_restored_nor_waited_for() {
    let world = World::new("", "").await;
    let row = made(&world).await;
    let options = world.store.options().clone();
    let folder = &world.options.backup.folder;
    let (file, elsewhere) = (folder.join(&row.file), world.folder.path().join("elsewhere"));
    fs::rename(&file, &elsewhere).unwrap();
    let stray = folder.join("switchhook-20200101T000000Z-9.db");
    assert!(std::process::Command::new("mkfifo").arg(&stray).status().unwrap().success());
    symlink(&elsewhere, &file).unwrap();
    let verified = backup::verify(&world.store, &world.options.backup, &world.ctx(), row.id).await;
    assert!(matches!(verified, Err(BackupError::File { .. })), "{verified:?}");
    world.store.close().await;
    let before = fs::read(&options.path).unwrap();
    let linked = tokio::time::timeout(PATIENCE, restore(&options, folder, clock(), row.id)).await;
    assert!(matches!(linked, Ok(Err(BackupError::File { .. }))), "{linked:?}");
    let piped = tokio::time::timeout(PATIENCE, restore(&options, folder, clock(), 9)).await;
    assert!(matches!(piped, Ok(Err(BackupError::Unknown(9)))), "{piped:?}");
    assert!(fs::read(&options.path).unwrap() == before);
    fs::rename(&elsewhere, &file).unwrap();
    restore(&options, folder, clock(), row.id).await.unwrap();
}

#[tokio::test]
async fn a_verb_that_has_the_store_open_is_waited_for_and_other_programs_are_seen() {
    let world = World::new("", "").await;
    let row = made(&world).await;
    let (options, folder) = (world.store.options().clone(), &world.options.backup.folder);
    let refused = restore(&options, folder, clock(), row.id).await;
    assert!(matches!(refused, Err(BackupError::Store(StoreError::Opened(_)))), "{refused:?}");
    let (restored, ()) = tokio::join!(restore(&options, folder, clock(), row.id), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        world.store.close().await;
    });
    restored.unwrap();
}
