//! The recordings as files for the PBX, and what others have put into their folder.

use std::os::unix::fs::symlink;

use super::*;

impl World {
    /// The time until an export is tried again is over.
    pub(super) async fn next_try_is_due(&self) {
        let ctx = self.ctx();
        let later = Context { now: Wall(ctx.now.0 + 400_000), ..ctx.clone() };
        let due = self.store.claim_export(&later).await.unwrap().unwrap();
        self.store.retry(&ctx, due.id, ctx.now, "").await.unwrap();
    }
}

/// Prepares, and lets go who reads from a pipe for ever.
async fn prepared(world: &World, pipe: &Path) {
    let prepared = tokio::time::timeout(PATIENCE, world.runner().prepare()).await;
    if prepared.is_err() {
        drop(fs::OpenOptions::new().read(true).write(true).open(pipe));
    }
    prepared.expect("it waits for nobody").unwrap();
}

#[tokio::test]
async fn recordings_are_exported_when_they_change_and_mended_at_the_start() {
    let world = World::new("", "").await;
    world.keep(1, audio(1)).await;
    world.keep(2, audio(2)).await;
    let export = world.folder.path().join("export");
    fs::create_dir(&export).unwrap();
    fs::write(export.join("recording-2.wav"), "half of a fi").unwrap();
    fs::write(export.join(".recording-2-1-0.tmp"), "half of a fi").unwrap();
    fs::write(export.join("other.wav"), "not ours").unwrap();
    let runner = world.start().await;
    assert_eq!(exported(world.folder.path(), 1), Some(audio(1)));
    assert_eq!(exported(world.folder.path(), 2), Some(audio(2)));
    world.becomes("export", "done").await;
    world.keep(1, audio(3)).await;
    world.becomes("export", "done").await;
    assert_eq!(exported(world.folder.path(), 1), Some(audio(3)));
    runner.abort();
    let mut names: Vec<String> =
        fs::read_dir(&export).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["other.wav", "recording-1.wav", "recording-2.wav"]);
}

#[tokio::test]
async fn a_folder_that_can_t_be_written_is_named_at_the_start() {
    let mut world = World::new("", "").await;
    let file = world.folder.path().join("boot_id");
    world.options.export_folder = Some(file.join("export"));
    let error = world.runner().prepare().await.unwrap_err();
    assert!(matches!(error, EffectError::Export { .. }));
    assert!(error.to_string().contains("boot_id/export"), "{error}");
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
async fn a_folder_in_the_place_of_a_recording_keeps_only_that_one_from_being_written() {
    let world = World::new("", "").await;
    world.keep(1, audio(1)).await;
    world.keep(2, audio(2)).await;
    let export = world.folder.path().join("export");
    world.runner().prepare().await.unwrap();
    while world.runner().export_once(&export).await.unwrap() {}
    let (place, pipe) = (export.join("recording-1.wav"), export.join("recording-2.wav"));
    fs::remove_file(&place).unwrap();
    fs::create_dir(&place).unwrap();
    fs::write(place.join("other"), "not ours").unwrap();
    fs::remove_file(&pipe).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());

    prepared(&world, &pipe).await;
    assert_eq!(exported(world.folder.path(), 2), Some(audio(2)), "the rest is exported");
    let row = world.last("export").await;
    assert_eq!((row.state.as_str(), row.subject.as_str(), row.detail), ("requested", "1", None));
    assert!(world.runner().export_once(&export).await.unwrap());
    let row = world.last("export").await;
    assert_eq!((row.state.as_str(), row.subject.as_str()), ("requested", "1"), "it is tried again");
    let said = row.detail.unwrap();
    assert!(
        said.contains(place.to_str().unwrap()) && said.contains("a folder has that name: move or remove"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1);
    prepared(&world, &pipe).await;
    assert_eq!(world.last("export").await.id, row.id, "asked for once, however often it is started");

    assert_eq!(fs::read_to_string(place.join("other")).unwrap(), "not ours");
    let mut names: Vec<_> = fs::read_dir(&export).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["recording-1.wav", "recording-2.wav"], "nothing half-written is left");
    fs::remove_dir_all(&place).unwrap();
    world.next_try_is_due().await;
    assert!(world.runner().export_once(&export).await.unwrap());
    assert_eq!(world.last("export").await.state, "done");
    assert_eq!(exported(world.folder.path(), 1), Some(audio(1)));
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
