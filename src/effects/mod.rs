//! What is done outside the store after a commit: reboots, backups, exported recordings, hooks, the log.
//!
//! Each is an intent row, committed with the change that asks for it. [`Runner`] carries them out and records the
//! outcomes. It is woken by this process's commits and looks once a second for those of others.

pub mod backup;
mod command;
mod export;
mod hooks;
mod logging;
mod owner;
mod reboot;
mod restore;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use backup::BackupOptions;
pub use logging::Log;

use crate::access::Context;
use crate::model::Wall;
use crate::store::{Due, IntentState, RETRY_S_MAX, Store, StoreError};

/// How often the store is looked at for what other processes have asked for.
const POLL: Duration = Duration::from_secs(1);
/// How often the store is waited for at the start, each time as long as a write waits for it (8 s): a service manager
/// gives up after 90 s.
const PREPARE_TRIES_MAX: u32 = 6;
/// A shutdown may take minutes; a machine that is still up after that long was not rebooted.
const REBOOT_GONE: Duration = Duration::from_secs(600);

/// What the effects need to know (`[effects]` and `[recordings]` in the configuration).
#[derive(Clone, Debug)]
pub struct EffectOptions {
    /// The file by which one boot of the machine is told from another.
    pub boot_id_file: PathBuf,
    /// The program that reboots the machine, and its arguments.
    pub reboot_run: Vec<String>,
    /// How long after that command a machine that still runs means `unknown`.
    pub reboot_gone: Duration,
    /// Who is told what.
    pub hooks: Vec<Hook>,
    /// Where the PBX reads its recordings; `None` exports none.
    pub export_folder: Option<PathBuf>,
    /// Where backups go.
    pub backup: BackupOptions,
}

impl Default for EffectOptions {
    fn default() -> Self {
        Self {
            boot_id_file: PathBuf::from("/proc/sys/kernel/random/boot_id"),
            // None: what reboots this machine is only in the configuration.
            reboot_run: Vec::new(),
            reboot_gone: REBOOT_GONE,
            hooks: Vec::new(),
            export_folder: None,
            backup: BackupOptions { folder: PathBuf::from("/var/lib/switchhook/backups"), keep: 14 },
        }
    }
}

/// A program that is told of events; which ones is in [`crate::store::StoreOptions::hooks`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The program and its arguments.
    pub run: Vec<String>,
    /// After which it is killed.
    pub timeout: Duration,
}

/// Why the effects can't begin.
#[derive(Debug, thiserror::Error)]
pub enum EffectError {
    /// The store can't be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Without the boot id nobody can tell whether the machine was rebooted.
    #[error("can't read the boot id in {path}: {why}; set effects.boot_id_file to a file that changes at each boot")]
    BootId {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// The recordings can't be exported.
    #[error("can't write {path}: {why}; {}", export::to_do(why))]
    Export {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// A recording can't be made a WAV file.
    #[error("recording {number} can't be exported: {why}")]
    Wav {
        /// Its number.
        number: u32,
        /// What is wrong with it.
        why: String,
    },
}

/// One worker for each program, so that its events come in their order.
fn merged(hooks: Vec<Hook>) -> Vec<Hook> {
    let mut all: Vec<Hook> = Vec::new();
    for hook in hooks {
        match all.iter_mut().find(|other| other.run == hook.run) {
            Some(other) => other.timeout = other.timeout.max(hook.timeout),
            None => all.push(hook),
        }
    }
    all
}

/// Carries out the intents of a store. One runs for each store, in the process that answers calls.
#[derive(Clone)]
pub struct Runner {
    store: Store,
    options: Arc<EffectOptions>,
    calls: Arc<AtomicU32>,
    clock: fn() -> Wall,
    log: Option<Arc<dyn Log>>,
}

impl Runner {
    /// `calls` is the number of calls in progress, which a reboot "when idle" waits for.
    /// Hooks that run the same program are one, with the longest of their time limits.
    pub fn new(store: Store, mut options: EffectOptions, calls: Arc<AtomicU32>, clock: fn() -> Wall) -> Self {
        options.hooks = merged(options.hooks);
        Self { store, options: Arc::new(options), calls, clock, log: None }
    }

    /// The same, with a log whose level and files are changed as it is asked for; without one, what is asked waits.
    #[must_use]
    pub fn with_log(self, log: Arc<dyn Log>) -> Self {
        Self { log: Some(log), ..self }
    }

    /// What is to be done once at the start, before calls are taken: which effects are wanted, how claimed reboots ended, what was cut off, and
    /// exported recordings that are missing or differ from their rows.
    pub async fn prepare(&self) -> Result<(), EffectError> {
        self.recover_intents().await?;
        self.recover_reboots().await?;
        self.export_all().await
    }

    /// A program that holds the store while it is copied or looked through does not keep the line from answering.
    async fn recover_intents(&self) -> Result<(), StoreError> {
        let export = self.options.export_folder.is_some();
        let mut tries = 0;
        loop {
            tries += 1;
            match self.store.recover_intents(&self.context(), export).await {
                Err(StoreError::Busy) if tries < PREPARE_TRIES_MAX => {
                    tracing::warn!("the store is held by another process: waiting for it");
                }
                recovered => return recovered,
            }
        }
    }

    /// Carries out what comes, until it is dropped. It is to be dropped as soon as the process is asked to stop:
    /// what is claimed then is settled at the next start.
    pub async fn run(self) {
        let mut tasks = JoinSet::new();
        tasks.spawn(self.clone().reboots());
        tasks.spawn(self.clone().backups());
        tasks.spawn(self.clone().watch());
        if let Some(log) = self.log.clone() {
            tasks.spawn(self.clone().logging(log));
        }
        if let Some(folder) = self.options.export_folder.clone() {
            tasks.spawn(self.clone().exports(folder));
        }
        for hook in self.options.hooks.clone() {
            tasks.spawn(self.clone().hook(hook));
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a part of the effects has ended");
            }
        }
    }

    /// Looks once a second at what changes without us: what other programs write, and the mode by its timetable.
    async fn watch(self) {
        loop {
            let ctx = self.context();
            let seen = self.store.take_outside_writes(&ctx).await.and(self.store.tell_mode(&ctx).await);
            if let Err(error) = seen {
                tracing::warn!(%error, "what others have changed can't be looked at now");
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Records how an intent ended, however long the store can't be written: what was done must not be done again, and
    /// what waits for it must not wait until the next start.
    async fn ended(&self, due: &Due, state: IntentState, detail: &str) {
        while let Err(error) = self.store.finish(&self.context(), due.id, state, detail).await {
            tracing::error!(intent = due.id, %error, "how it ended can't be recorded now");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Puts an intent back for another try, likewise.
    async fn again(&self, due: &Due, after_s: i64, detail: &str) {
        let after_ms = after_s.min(RETRY_S_MAX).saturating_mul(1000);
        loop {
            let ctx = self.context();
            let due_at = Wall(ctx.now.0.saturating_add(after_ms));
            match self.store.retry(&ctx, due.id, due_at, detail).await {
                Ok(()) => return,
                Err(error) => tracing::error!(intent = due.id, %error, "another try can't be recorded now"),
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn context(&self) -> Context {
        Context::without_call((self.clock)(), self.store.site(), "effects")
    }

    /// Waits until there may be something to do.
    async fn wait(&self, commits: &mut watch::Receiver<u64>) {
        tokio::select! {
            changed = commits.changed() => {
                if changed.is_err() {
                    tokio::time::sleep(POLL).await;
                }
            }
            () = tokio::time::sleep(POLL) => {}
        }
    }
}
