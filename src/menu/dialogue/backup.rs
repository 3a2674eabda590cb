//! Backing up: the caller may wait for the end, or go on.

use std::time::Duration;

use crate::access::{Action, BackupState, Refusal, Reply};
use crate::menu::speech::{Noun, Words};
use crate::menu::tree::{BACKUP_WAIT, MAINTENANCE, Place};
use crate::model::Mono;

use super::{Dialogue, Phase, Work};

/// Between two looks at a backup that the caller waits for.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A caller who presses nothing waits no longer than this.
const WAIT_MAX: Duration = Duration::from_secs(600);
/// One megabyte, in bytes.
const MEGABYTE: u64 = 1_000_000;

/// A backup that the caller waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backup {
    id: i64,
    until: Mono,
}

impl Dialogue {
    pub(super) fn start_backup(&mut self) {
        self.ask(Action::StartBackup, Place::Menu(&MAINTENANCE), Self::backup_started);
    }

    fn backup_started(&mut self, reply: &Reply) {
        match reply {
            Reply::BackupStarted { id, change } => {
                self.work = Work::Backup(Backup { id: *id, until: self.now + WAIT_MAX });
                self.changed(Place::Menu(&BACKUP_WAIT), "backup-started", *change);
                self.look_later();
            }
            Reply::Refused(Refusal::AlreadySo) => self.go(Place::Menu(&MAINTENANCE), "backup-already-running"),
            reply => self.refused(reply),
        }
    }

    fn look_later(&mut self) {
        self.moves_on = Some((self.now + LOOK_EVERY, Self::look_at_backup));
    }

    fn look_at_backup(&mut self) {
        match self.work {
            Work::Backup(Backup { id, until }) if self.now < until => {
                self.ask(Action::ReadBackup { id }, Place::Menu(&MAINTENANCE), Self::backup_read);
            }
            Work::Backup(_) => self.go(Place::Menu(&MAINTENANCE), "backup-still-running"),
            _ => self.go(Place::Menu(&MAINTENANCE), Words::none()),
        }
    }

    /// Whoever has pressed a key during a look has gone on with it: it is no key of the menu that follows.
    pub(super) fn leave_with_waiting_key(&mut self, reply: &Reply) {
        if let Work::Backup(_) = self.work
            && *reply != Reply::Backup(BackupState::Running)
        {
            self.ahead.pop();
        }
    }

    fn backup_read(&mut self, reply: &Reply) {
        match reply {
            // Nothing is said: the caller goes on waiting.
            Reply::Backup(BackupState::Running) => {
                self.timer = None;
                self.phase = Phase::Listening;
                self.look_later();
            }
            Reply::Backup(BackupState::Done(bytes)) => {
                let words = size(Words::from("backup-finished").clip("backup-size"), *bytes);
                self.go(Place::Menu(&MAINTENANCE), words);
            }
            Reply::Backup(BackupState::Failed) => self.go(Place::Menu(&MAINTENANCE), "backup-failed"),
            reply => self.refused(reply),
        }
    }

    pub(super) fn last_backup(&mut self) {
        self.ask(Action::LastBackup, Place::Menu(&MAINTENANCE), Self::last_backup_read);
    }

    fn last_backup_read(&mut self, reply: &Reply) {
        match reply {
            Reply::LastBackup { last: Some((at, bytes)) } => {
                let words = Words::from("backup-last").moment(*at).clip("backup-size");
                self.go(Place::Menu(&MAINTENANCE), size(words, *bytes));
            }
            Reply::LastBackup { last: None } => self.go(Place::Menu(&MAINTENANCE), "backup-none"),
            reply => self.refused(reply),
        }
    }
}

/// A size, in whole megabytes.
pub(super) fn size(first: Words, bytes: u64) -> Words {
    match u32::try_from(bytes / MEGABYTE).unwrap_or(u32::MAX) {
        0 => first.clip("less-than-a-megabyte"),
        megabytes => first.counted(megabytes, Noun::Megabytes),
    }
}
