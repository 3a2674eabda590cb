//! Rebooting at most once for each confirmation.
//!
//! ```text
//! requested, due ─┐            ┌─ not started, exit code ≠ 0 ─► failed
//! waiting, idle ──┴► claimed ──┤─ another boot id ────────────► done
//!                  (boot id)   └─ same boot id, at the next start or 10 min on ─► unknown
//! unknown ─ another boot id at a later start ─► done
//! requested, overdue, or waiting, at the next start ─► failed
//! ```
//! Nothing leads from `claimed` back to the command. A claim stays one while a slow shutdown goes on; what was asked
//! of an earlier process is not done out of the blue.

use std::io;
use std::sync::atomic::Ordering;

use tokio::io::AsyncReadExt as _;

use super::command::{self, AtTheLimit, Ended};
use super::{EffectError, POLL, Runner};
use crate::store::{Due, IntentState, StoreError};

/// How late a reboot may begin: a service that comes up again hours later does not reboot out of the blue.
const LATE_MS_MAX: i64 = 600_000;
/// Longest boot id, in bytes.
const BOOT_ID_BYTES_MAX: u64 = 100;

impl Runner {
    pub(super) async fn reboots(self) {
        let mut commits = self.store.intents_changed();
        loop {
            commits.mark_unchanged();
            if let Err(error) = self.reboots_once().await {
                tracing::error!(%error, "reboots can't be looked at now");
            }
            self.wait(&mut commits).await;
        }
    }

    /// At the start: ends what an earlier process has left. Under another boot id the machine was restarted, and that
    /// is what was asked for; under the same one a claim is unknown, and what waited has failed.
    pub(super) async fn recover_reboots(&self) -> Result<(), EffectError> {
        let path = &self.options.boot_id_file;
        let boot_id = self.boot_id().await.map_err(|why| EffectError::BootId { path: path.clone(), why })?;
        for due in self.store.unknown_reboots().await? {
            if due.boot_id.as_ref().is_some_and(|before| *before != boot_id) {
                self.finish(&due, IntentState::Done, "the machine was restarted since").await?;
            }
        }
        for due in self.store.open_reboots().await? {
            let restarted = due.boot_id.as_ref().is_some_and(|before| *before != boot_id);
            let overdue = due.due_at.is_none_or(|at| at <= (self.clock)());
            match due.state {
                _ if restarted => self.back(&due).await?,
                IntentState::Claimed => {
                    let detail = "the service was started again, and the machine was not";
                    self.finish(&due, IntentState::Unknown, detail).await?;
                }
                IntentState::Requested if !overdue => {}
                _ => self.finish(&due, IntentState::Failed, "the service was stopped while it waited").await?,
            }
        }
        Ok(())
    }

    pub(super) async fn reboots_once(&self) -> Result<(), StoreError> {
        self.reboots_settled().await?;
        for due in self.store.open_reboots().await? {
            let now = (self.clock)();
            let is_time = match due.state {
                IntentState::Requested => due.due_at.is_none_or(|at| at <= now),
                IntentState::Waiting => self.calls.load(Ordering::Acquire) == 0,
                IntentState::Claimed
                | IntentState::Done
                | IntentState::Failed
                | IntentState::Unknown
                | IntentState::Cancelled => false,
            };
            if is_time {
                self.reboot(&due).await?;
            }
        }
        Ok(())
    }

    /// Ends what has ended: claims whose machine came back or is still up, and requests that came too late.
    async fn reboots_settled(&self) -> Result<(), StoreError> {
        for due in self.store.open_reboots().await? {
            let boot_id = match self.boot_id().await {
                Ok(boot_id) => boot_id,
                Err(why) => {
                    let detail = format!("the boot id can't be read: {why}");
                    let state = match due.state {
                        IntentState::Claimed => IntentState::Unknown,
                        _ => IntentState::Failed,
                    };
                    self.finish(&due, state, &detail).await?;
                    continue;
                }
            };
            match &due.boot_id {
                Some(before) if *before != boot_id => self.back(&due).await?,
                Some(_) => self.settle_same_boot(&due).await?,
                None => {
                    self.store.stamp_reboot(&self.context(), due.id, &boot_id).await?;
                    self.settle_same_boot(&due).await?;
                }
            }
        }
        Ok(())
    }

    /// The machine has another boot id than when this was claimed, or since it waits.
    async fn back(&self, due: &Due) -> Result<(), StoreError> {
        let detail = match due.state {
            IntentState::Claimed => "the machine is back",
            _ => "the machine was restarted before the command was run",
        };
        self.finish(due, IntentState::Done, detail).await
    }

    async fn finish(&self, due: &Due, state: IntentState, detail: &str) -> Result<(), StoreError> {
        self.store.finish_reboot(&self.context(), due.id, state, detail).await
    }

    async fn settle_same_boot(&self, due: &Due) -> Result<(), StoreError> {
        let now = (self.clock)();
        let late_ms = now.0.saturating_sub(due.due_at.unwrap_or(now).0);
        let gone_ms = i64::try_from(self.options.reboot_gone.as_millis()).unwrap_or(i64::MAX);
        // A clock that is set back must neither keep a claim for a year nor bring a reboot when it comes round again.
        let back_ms = due.requested_at.0.saturating_sub(now.0);
        let (state, detail) = match due.state {
            IntentState::Claimed if late_ms >= gone_ms => {
                (IntentState::Unknown, "the command was run, and the machine is still up")
            }
            IntentState::Claimed if back_ms >= gone_ms => {
                (IntentState::Unknown, "the command was run, and the clock was set back")
            }
            IntentState::Requested if late_ms >= LATE_MS_MAX => {
                (IntentState::Failed, "the service was not running when it was due")
            }
            IntentState::Requested if back_ms >= LATE_MS_MAX => {
                (IntentState::Failed, "the clock was set back while it waited")
            }
            _ => return Ok(()),
        };
        self.finish(due, state, detail).await
    }

    /// Claims, and only then runs the command.
    async fn reboot(&self, due: &Due) -> Result<(), StoreError> {
        let boot_id = match self.boot_id().await {
            Ok(boot_id) => boot_id,
            // The next look ends it.
            Err(_) => return Ok(()),
        };
        if !self.store.claim_reboot(&self.context(), due.id, &boot_id).await? {
            return Ok(());
        }
        tracing::warn!(intent = due.id, "rebooting the machine");
        let options = &self.options;
        let finished = command::run(&options.reboot_run, b"", options.reboot_gone, AtTheLimit::LeaveRunning).await;
        match finished.ended {
            Ended::Exit(0) | Ended::Signal | Ended::TimedOut => Ok(()),
            Ended::Exit(_) | Ended::NotStarted(_) => {
                // A claim that is left would be taken for a reboot that perhaps happened.
                while let Err(error) = self.finish(due, IntentState::Failed, &finished.detail()).await {
                    tracing::error!(intent = due.id, %error, "that a reboot failed can't be recorded now");
                    tokio::time::sleep(POLL).await;
                }
                Ok(())
            }
        }
    }

    async fn boot_id(&self) -> io::Result<String> {
        let mut text = String::new();
        let file = tokio::fs::File::open(&self.options.boot_id_file).await?;
        file.take(BOOT_ID_BYTES_MAX).read_to_string(&mut text).await?;
        let id = text.trim();
        if id.is_empty() { Err(io::Error::other("it is empty")) } else { Ok(id.to_owned()) }
    }
}
