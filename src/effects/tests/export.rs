//! What others have put into the folder of exported recordings.

use std::os::unix::fs::symlink;

use super::*;

/// Prepares, and lets go who reads from a pipe for ever.
async fn prepared(world: &World, pipe: &Path) {
    let prepared = tokio::time::timeout(PATIENCE, world.runner().prepare()).await;
    if prepared.is_err() {
        drop(fs::OpenOptions::new().read(true).write(true).open(pipe));
    }
    prepared.expect("it waits for nobody").unwrap();
}

#[tokio::test]
async fn what_is_no_file_is_not_waited_for_and_not_followed() {
    let world = World::new("", "").await;
    world.keep(1, audio(1)).await;
    world.keep(2, audio(2)).await;
    let export = world.folder.path().join("export");
    fs::create_dir(&export).unwrap();
    let (pipe, link, elsewhere) =
        (export.join("recording-1.wav"), export.join("recording-2.wav"), world.folder.path().join("same.wav"));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    fs::write(&elsewhere, wav::write(&audio(2)).unwrap()).unwrap();
    symlink(&elsewhere, &link).unwrap();
    prepared(&world, &pipe).await;
    assert_eq!(exported(world.folder.path(), 1), Some(audio(1)));
    for path in [&pipe, &link] {
        assert!(fs::symlink_metadata(path).unwrap().is_file(), "{path:?}");
    }
    let written = fs::metadata(&pipe).unwrap().modified().unwrap();
    prepared(&world, &pipe).await;
    assert_eq!(fs::metadata(&pipe).unwrap().modified().unwrap(), written, "what is the same already is not written");
    fs::write(&link, vec![0; usize::try_from(fs::metadata(&elsewhere).unwrap().len()).unwrap()]).unwrap();
    prepared(&world, &pipe).await;
    assert_eq!(exported(world.folder.path(), 2), Some(audio(2)), "other bytes of the same length");
}

#[tokio::test]
async fn what_can_not_be_removed_keeps_nobody_from_starting() {
    let world = World::new("", "").await;
    world.keep(1, audio(1)).await;
    let left = world.folder.path().join("export/.recording-a.tmp");
    fs::create_dir_all(left.join("full")).unwrap();
    prepared(&world, &left).await;
    assert_eq!(exported(world.folder.path(), 1), Some(audio(1)));
}
