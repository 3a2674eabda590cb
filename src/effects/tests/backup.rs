//! Backups and restoring them, by the files that are there.

use sqlx::Connection;

use super::*;
use crate::access::{BackupState, Refusal};
use crate::effects::backup::{self, BackupError, BackupOptions, restore};
use crate::store::BackupRow;

impl World {
    async fn back_up(&self) -> BackupRow {
        backup::create(&self.store, &self.options.backup, &self.ctx()).await.unwrap()
    }

    async fn ask(&self, action: Action) -> Reply {
        self.store.apply(&self.ctx(), &self.technician().await, action).await
    }

    async fn ask_backup(&self) -> i64 {
        match self.ask(Action::StartBackup).await {
            Reply::BackupStarted { id, .. } => id,
            other => panic!("{other:?}"),
        }
    }

    async fn verify(&self, id: i64) -> Result<BackupRow, BackupError> {
        backup::verify(&self.store, &self.options.backup, &self.ctx(), id).await
    }

    /// The numbers of the backups that there are.
    async fn listed(&self) -> Vec<i64> {
        backup::list(&self.store).await.unwrap().into_iter().map(|row| row.id).collect()
    }

    fn backup(&self, row: &BackupRow) -> PathBuf {
        self.options.backup.folder.join(&row.file)
    }

    /// All names in the folder of backups.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.options.backup.folder).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    async fn recorded(&self) -> Option<Audio> {
        self.store.recording_audio(RecordingNumber(1), None).await.unwrap()
    }

    /// Restores with nobody else on the store, and opens it again.
    async fn restore(&mut self, id: i64) -> Option<PathBuf> {
        let options = self.store.options().clone();
        self.store.close().await;
        let restored = restore(&options, &self.options.backup.folder, clock(), id).await.unwrap();
        self.store = Store::open(options).await.unwrap();
        restored.kept_aside
    }
}

async fn opened(path: PathBuf) -> Store {
    Store::open(StoreOptions { pin_cost: PinCost::CHEAP_FOR_TESTS, ..StoreOptions::new(path) }).await.unwrap()
}

#[tokio::test]
async fn a_backup_is_one_file_with_the_whole_store() {
    let world = World::new("", "").await;
    world.keep(1, audio(1)).await;
    let row = world.back_up().await;
    assert_eq!(world.files(), std::slice::from_ref(&row.file), "nothing else is left there");
    assert!(row.file.starts_with("switchhook-2") && row.file.ends_with("Z-1.db"), "{}", row.file);
    let metadata = fs::metadata(world.backup(&row)).unwrap();
    assert_eq!((metadata.len(), metadata.permissions().mode() & 0o007), (u64::try_from(row.bytes).unwrap(), 0));
    assert_eq!(backup::list(&world.store).await.unwrap(), std::slice::from_ref(&row));
    assert!(row.verified_at.is_some());

    let by_hand = world.folder.path().join("by-hand.db");
    fs::copy(world.backup(&row), &by_hand).unwrap();
    let copy = opened(by_hand).await;
    assert_eq!(copy.recording_audio(RecordingNumber(1), None).await.unwrap(), Some(audio(1)));
    assert_eq!(copy.verify_audit().await.unwrap().fault, None);
    let keep = Action::KeepRecording { number: RecordingNumber(1), audio: audio(2) };
    assert!(matches!(copy.apply(&world.ctx(), &Actor::Shell, keep).await, Reply::Changed(_)), "it can be written");
}

#[tokio::test]
async fn a_backup_by_phone_is_made_beside_the_calls_and_told() {
    let world = World::new("", "cat >> told").await;
    let runner = world.start().await;
    let id = world.ask_backup().await;
    let row = world.becomes("backup", "done").await;
    assert_eq!((row.id, row.requested_by.as_str()), (id, "1004"));
    assert_eq!(world.news().await, [News::BackupDone]);
    let Reply::Backup(BackupState::Done(bytes)) = world.ask(Action::ReadBackup { id }).await else { panic!() };
    assert_eq!(bytes, fs::metadata(world.options.backup.folder.join(&world.files()[0])).unwrap().len());
    assert!(world.news().await.is_empty(), "who heard it waiting is not told again");
    let Reply::LastBackup { last: Some((_, size)) } = world.ask(Action::LastBackup).await else { panic!() };
    assert_eq!(size, bytes);
    world.becomes("hook", "done").await;
    runner.abort();
    let told = world.lines("told");
    let event = |line: &String| serde_json::from_str::<serde_json::Value>(line).unwrap()["event"].clone();
    assert_eq!(told.iter().map(event).collect::<Vec<_>>(), ["backup.requested", "backup.done"]);
    assert_eq!(world.ask(Action::ReadBackup { id: 99_999 }).await, Reply::Refused(Refusal::Unknown));
}

#[tokio::test]
async fn a_backup_that_can_t_be_written_is_told_and_leaves_nothing() {
    let mut world = World::new("", "").await;
    world.options.backup.folder = world.folder.path().join("boot_id/backups");
    let runner = world.start().await;
    let id = world.ask_backup().await;
    let row = world.becomes("backup", "failed").await;
    runner.abort();
    assert!(row.detail.unwrap().contains("boot_id/backups: "));
    assert_eq!(world.news().await, [News::BackupFailed]);
    assert_eq!(world.ask(Action::ReadBackup { id }).await, Reply::Backup(BackupState::Failed));
    assert_eq!(world.ask(Action::LastBackup).await, Reply::LastBackup { last: None });
    assert!(world.listed().await.is_empty());
    let by_shell = backup::create(&world.store, &world.options.backup, &world.ctx()).await.unwrap_err().to_string();
    assert!(by_shell.contains("boot_id/backups"), "{by_shell}");
}

#[tokio::test]
async fn one_backup_is_on_its_way_at_a_time() {
    let world = World::new("", "").await;
    let id = world.ask_backup().await;
    assert_eq!(world.ask(Action::StartBackup).await, Reply::Refused(Refusal::AlreadySo));
    assert_eq!(world.ask(Action::ReadBackup { id }).await, Reply::Backup(BackupState::Running));
}

#[tokio::test]
async fn a_backup_that_was_cut_off_is_made_after_the_restart_and_once() {
    let world = World::new("", "").await;
    let id = world.ask_backup().await;
    world.store.claim_backup(&world.ctx()).await.unwrap().unwrap();
    let begun = world.store.begin_backup(&world.ctx(), Some(id)).await.unwrap();
    fs::create_dir(&world.options.backup.folder).unwrap();
    for name in [begun.file.clone(), format!(".{}.tmp", begun.file), format!(".{}.tmp-journal", begun.file)] {
        fs::write(world.options.backup.folder.join(name), "half of a st").unwrap();
    }
    let runner = world.start().await;
    world.becomes("backup", "done").await;
    runner.abort();
    assert_eq!(world.files(), [begun.file]);
    assert_eq!(world.listed().await, [begun.id]);
    world.verify(begun.id).await.unwrap();
}

#[tokio::test]
async fn the_last_good_ones_are_kept_and_what_is_not_ours() {
    let world = World::new("", "").await;
    fs::create_dir(&world.options.backup.folder).unwrap();
    let strangers = ["notes.txt", "switchhook-20200101T000000Z-99.db"];
    for name in strangers {
        fs::write(world.options.backup.folder.join(name), "not ours").unwrap();
    }
    let mut rows = Vec::new();
    for _ in 0..5 {
        rows.push(world.back_up().await);
    }
    assert_eq!(world.listed().await, [3, 4, 5]);
    assert_eq!(world.files().len(), 3 + strangers.len());
    for row in &rows[3..] {
        fs::write(world.backup(row), "spoilt").unwrap();
        assert!(matches!(world.verify(row.id).await, Err(BackupError::Altered { .. })));
    }
    world.back_up().await;
    assert_eq!(world.listed().await, [3, 4, 5, 6], "one that is spoilt does not count");
    let alone = BackupOptions { keep: 0, ..world.options.backup.clone() };
    backup::create(&world.store, &alone, &world.ctx()).await.unwrap();
    assert_eq!(world.listed().await, [7], "the last good one is never deleted");
}

#[tokio::test]
async fn what_is_altered_or_gone_is_no_good_backup() {
    let world = World::new("", "").await;
    let (first, second) = (world.back_up().await, world.back_up().await);
    let mut bytes = fs::read(world.backup(&second)).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(world.backup(&second), bytes).unwrap();
    let error = world.verify(second.id).await.unwrap_err().to_string();
    assert!(error.contains(&second.file) && error.contains("altered"), "{error}");
    let rows = backup::list(&world.store).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.verified_at.is_some()).collect::<Vec<_>>(), [true, false]);
    assert_eq!(world.verify(first.id).await.unwrap().sha256, first.sha256);
    fs::remove_file(world.backup(&first)).unwrap();
    assert!(matches!(world.verify(first.id).await, Err(BackupError::Gone { .. })));
    assert_eq!(world.ask(Action::LastBackup).await, Reply::LastBackup { last: None });
    let unknown = world.verify(99).await.unwrap_err().to_string();
    assert!(unknown.contains("backup list"), "{unknown}");
    let options = world.store.options().clone();
    world.store.close().await;
    let refused = restore(&options, &world.options.backup.folder, clock(), second.id).await;
    assert!(matches!(refused, Err(BackupError::Altered { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_restored_store_is_as_it_was_and_does_nothing_of_what_it_was_about_to() {
    let mut world = World::new(COUNT_RUNS, "cat >> told").await;
    world.keep(1, audio(1)).await;
    world.calls.store(1, Ordering::Release);
    world.ask_reboot(RebootWhen::Idle).await;
    let row = world.back_up().await;
    let claimed = world.store.open_reboots().await.unwrap().remove(0);
    assert!(world.store.claim_reboot(&world.ctx(), claimed.id, "boot-0").await.unwrap());
    let later = world.back_up().await;
    world.keep(1, audio(2)).await;

    let aside = world.restore(row.id).await.unwrap();
    assert_eq!(world.recorded().await, Some(audio(1)));
    assert_eq!(world.last("reboot").await.state, "cancelled");
    let audit = world.store.audit(Some(1)).await.unwrap().remove(0);
    assert_eq!((audit.action.as_str(), audit.target.as_deref()), ("backup.restored", Some("1")));
    assert_eq!(world.store.verify_audit().await.unwrap().fault, None);
    assert_eq!(world.listed().await, [row.id, later.id], "it knows the backups that are newer than itself");
    world.calls.store(0, Ordering::Release);
    let runner = world.start().await;
    world.becomes("hook", "done").await;
    runner.abort();
    let told = world.lines("told");
    assert!(told.len() == 1 && told[0].contains("backup.restored"), "of nothing that was told before: {told:?}");
    assert!(world.lines("runs").is_empty());

    let old = opened(aside).await;
    assert_eq!(old.recording_audio(RecordingNumber(1), None).await.unwrap(), Some(audio(2)));
    old.close().await;
    assert_eq!(world.back_up().await.id, 3, "no number is given twice");
    world.restore(later.id).await.unwrap();
    assert_eq!(world.last("reboot").await.state, "unknown", "it had been claimed, and is not claimed done later");
    fs::write(world.folder.path().join("boot_id"), "boot-2").unwrap();
    world.runner().prepare().await.unwrap();
    assert_eq!(world.last("reboot").await.state, "unknown");
    assert!(world.news().await.is_empty());
}

#[tokio::test]
async fn a_store_that_is_lost_or_spoilt_is_restored_from_the_folder() {
    let mut world = World::new("", "").await;
    world.keep(1, audio(1)).await;
    let row = world.back_up().await;
    world.back_up().await;
    let path = world.store.options().path.clone();
    world.store.close().await;
    fs::write(&path, "what is this? certainly not a store, and not a database of any other kind either").unwrap();
    let aside = world.restore(row.id).await.unwrap();
    assert!(fs::read(aside).unwrap().starts_with(b"what is this?"), "it is kept as it was");
    assert_eq!((world.recorded().await, world.listed().await), (Some(audio(1)), vec![1, 2]));

    let options = world.store.options().clone();
    world.store.close().await;
    fs::remove_file(&path).unwrap();
    let restored = restore(&options, &world.options.backup.folder, clock(), row.id).await.unwrap();
    assert_eq!(restored.kept_aside, None);
    world.store = Store::open(options).await.unwrap();
    assert_eq!(world.recorded().await, Some(audio(1)));
    assert_eq!(world.back_up().await.id, 3);
}

#[tokio::test]
async fn nothing_is_restored_under_another_process() {
    let mut world = World::new("", "").await;
    world.keep(1, audio(1)).await;
    let row = world.back_up().await;
    let options = world.store.options().clone();
    world.store.close().await;
    // One that takes no lock of ours.
    let mut other = world.other_program().await;
    sqlx::query("SELECT * FROM v_mode").fetch_one(&mut other).await.unwrap();
    let refused = restore(&options, &world.options.backup.folder, clock(), row.id).await;
    assert!(matches!(refused, Err(BackupError::Store(StoreError::Busy))), "{refused:?}");
    other.close().await.unwrap();
    world.store = Store::open(options.clone()).await.unwrap();
    world.keep(1, audio(2)).await;
    assert_eq!(world.recorded().await, Some(audio(2)));
    world.store.close().await;
    let names = fs::read_dir(world.folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = names.filter(|name| name.contains("restor")).collect();
    assert_eq!(left, Vec::<String>::new(), "nothing is left of the try");
    let unknown = restore(&options, &world.options.backup.folder, clock(), 99).await;
    assert!(matches!(unknown, Err(BackupError::Unknown(99))), "{unknown:?}");
}

#[tokio::test]
async fn many_backups_of_one_day_take_no_other_day_s_last_one() {
    const DAY_MS: i64 = 86_400_000;
    let world = World::new("", "").await;
    let on = |day: i64| Context { now: Wall(1_772_407_800_000 + day * DAY_MS), ..world.ctx() };
    for day in [0, 1, 2, 3, 3, 3, 3, 3, 3] {
        backup::create(&world.store, &world.options.backup, &on(day)).await.unwrap();
    }
    assert_eq!(world.listed().await, [2, 3, 7, 8, 9], "the newest three, and the last one of each of three days");
    assert_eq!(world.files().len(), 5);
    let audit = world.store.audit(None).await.unwrap();
    let deleted = audit.iter().filter(|row| row.action == "backup.deleted").filter_map(|row| row.target.as_deref());
    assert_eq!(deleted.collect::<Vec<_>>(), ["1", "4", "5", "6"], "each with its row");
}

#[tokio::test]
async fn a_clock_that_was_wrong_deletes_no_new_backup() {
    let world = World::new("", "").await;
    let alone = BackupOptions { keep: 1, ..world.options.backup.clone() };
    let next_year = Context { now: Wall(clock().0 + 365 * 86_400_000), ..world.ctx() };
    backup::create(&world.store, &alone, &next_year).await.unwrap();
    for id in 2..4 {
        assert_eq!(backup::create(&world.store, &alone, &world.ctx()).await.unwrap().id, id);
        assert_eq!(world.listed().await, [id]);
    }
}
