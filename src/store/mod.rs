//! The one door to what is kept: accounts, roles, PINs, recordings, changes, the audit trail and the intents.
//!
//! [`Store::apply`] is asked by phone, [`Store::admin`] by the shell. Either reads the asker's rights again, checks,
//! writes, and adds the change row and the audit row, in one `BEGIN IMMEDIATE` transaction. Hashing is done before
//! it; inside, the hash is compared with the one that was worked on, so that the write lock is never held for argon2.
//!
//! One connection writes, a few read. The SQL is text that SQLite and PostgreSQL both take; times are integer
//! milliseconds, truth values 0 or 1.

mod accounts;
mod admin;
mod audit;
mod backup;
mod changes;
mod claims;
mod clock;
mod copy;
pub mod demo;
mod destructive;
mod error;
mod handsets;
mod intents;
mod lock;
mod lockout;
mod logging;
mod login;
mod made_pins;
mod open;
mod own_audio;
mod own_pins;
mod people;
mod pins;
mod policy;
mod reboot;
mod recordings;
mod retention;
mod rights;
mod schema;
mod settings;
mod since;
mod sites;
mod sources;
mod system;
mod throttle;
mod tx;
mod undo;
mod users;
mod wanted;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::watch;

pub use accounts::{RoleHolder, UserRow};
pub use admin::{Admin, AdminError, AdminReply, ImportedUser};
pub use audit::{AuditFault, AuditRow, Verified};
pub use backup::{BACKUP_NUMBER_MAX, Backup, BackupRow, Begun, backup_file, parse_backup_file};
pub use changes::ChangeRow;
pub use claims::{CommandRow, Due, RETRY_S_MAX};
pub use clock::{civil, file_time, parse_file_time, rfc3339};
pub use copy::Given;
pub use error::StoreError;
pub use handsets::HandsetRow;
pub use intents::{IntentKind, IntentState, matches};
pub use lock::{Opened, Serving};
pub use lockout::{LoginLimits, UNTIL_UNLOCKED};
pub use logging::{DETAILED_MS, NEW_FILE};
pub use open::{FILE_MODE, folder_of, give_to_owner, make_folder};
pub use people::is_control;
pub use pins::{PIN_QUEUE_MAX, PinCost};
pub use policy::{PIN_DIGITS_MIN, PinFault, PinKind, ROLE_PIN_DIGITS_MIN};
pub use recordings::{RecordingRow, VersionRow, VersionWanted};
pub use retention::kept;
pub use settings::Forwarding;
pub use sites::{SiteRow, SpokenSite};
pub use system::{
    AttendantRow, CallCenterRow, Date, GroupRow, ITEM_NUMBER_MAX, MODE_HOURS_MAX, ModeRow, Probe, Span, System,
    SystemError, Timetable, TimetableEdit, TrunkRow,
};

use crate::access::{Action, Actor, Context, ItemKind, Refusal, Reply, TollPolicy};
use crate::model::SiteId;
use rights::Stop;

/// Connections that read.
const READERS_MAX: u32 = 4;
/// How often a PIN's hash may change under a request before it is given up.
const STALE_TRIES_MAX: u32 = 3;

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The SQLite file.
    pub path: PathBuf,
    /// The name of this site.
    pub site: String,
    /// What one guess at a PIN costs.
    pub pin_cost: PinCost,
    /// Threads that hash PINs.
    pub pin_workers: usize,
    /// Lock-outs and temporary PINs.
    pub login: LoginLimits,
    /// Where calls may be forwarded to.
    pub toll: TollPolicy,
    /// From a confirmed reboot to its start.
    pub reboot_delay_s: u32,
    /// What is told to others; one intent is written for each program that listens. Once a process has begun to carry
    /// out the effects of this store, its hooks and exports count instead (see [`Store::recover_intents`]).
    pub hooks: Vec<HookOn>,
    /// Whether changed recordings are exported.
    pub export: bool,
    /// The longest recording.
    pub recording_s_max: u32,
    /// Whether a call has to be encrypted for what is destructive.
    pub destructive_needs_encryption: bool,
    /// How long another process may hold the store.
    pub busy_timeout: Duration,
}

impl StoreOptions {
    /// The defaults for a store at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            site: "main".to_owned(),
            pin_cost: PinCost::STANDARD,
            pin_workers: 2,
            login: LoginLimits::default(),
            toll: TollPolicy::standard(),
            reboot_delay_s: 10,
            hooks: Vec::new(),
            export: false,
            recording_s_max: 300,
            destructive_needs_encryption: false,
            busy_timeout: Duration::from_millis(5000),
        }
    }

    /// The path in a `store.url`: `sqlite:///absolute`, `sqlite://relative` or `sqlite:relative`.
    pub fn path_of(url: &str) -> Result<PathBuf, StoreError> {
        let rest = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"));
        match rest {
            Some(path) if !path.is_empty() && !path.contains(['?', '#']) => Ok(PathBuf::from(path)),
            _ => Err(StoreError::Url(why_not(url))),
        }
    }
}

/// What is wrong with an address, never the address itself.
fn why_not(url: &str) -> String {
    let scheme = url.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
    match scheme {
        "sqlite" => "it names no file, or has options after it".to_owned(),
        "postgres" | "postgresql" => "postgres is not in this version".to_owned(),
        _ => "it is of no known kind".to_owned(),
    }
}

/// Which events a hook listens to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookOn {
    /// Event names; `*` stands for any run of characters.
    pub on: Vec<String>,
    /// The program and its arguments, by which the hook is known in the store.
    pub run: Vec<String>,
}

/// An open store; a clone is the same store.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    writer: SqlitePool,
    /// Changes whenever the writer has ended what it did.
    turns: watch::Sender<u64>,
    reader: SqlitePool,
    /// Held until it is closed, where it was opened beside others.
    opened: Mutex<Option<Opened>>,
    pins: pins::PinWorkers,
    trying: sources::Trying,
    options: StoreOptions,
    site: SiteId,
    intents: watch::Sender<u64>,
    /// Transactions that read, and that write.
    #[cfg(test)]
    begun: [std::sync::atomic::AtomicU64; 2],
}

impl Store {
    /// Does what is asked, as `actor` may; the one door for the phone.
    ///
    /// What the store can't do now is [`Refusal::TryLater`], and nothing was changed.
    pub async fn apply(&self, ctx: &Context, actor: &Actor, action: Action) -> Reply {
        match self.try_apply(ctx, actor, &action).await {
            Ok(reply) => reply,
            Err(error) => {
                tracing::error!(action = action.name(), %error, "the store did not do it");
                Reply::Refused(Refusal::TryLater)
            }
        }
    }

    /// Does what a person with a shell on this machine asks; the one door for the command line.
    pub async fn admin(&self, ctx: &Context, admin: Admin) -> Result<AdminReply, AdminError> {
        self.try_admin(ctx, &admin).await
    }

    /// The number of the site that this store was opened for.
    pub fn site(&self) -> SiteId {
        self.inner.site
    }

    /// How it was opened.
    pub fn options(&self) -> &StoreOptions {
        &self.inner.options
    }

    /// Changes whenever this process has committed an intent.
    pub fn intents_changed(&self) -> watch::Receiver<u64> {
        self.inner.intents.subscribe()
    }

    /// Whether the one writer goes on: it ends what it does now, or, where nobody writes, it answers. Who waits for a lock
    /// that another program holds ends that too, without success, after the busy time-out.
    pub async fn writer_answers(&self) -> bool {
        let mut turns = self.inner.turns.subscribe();
        tokio::select! {
            ended = turns.changed() => ended.is_ok(),
            answered = sqlx::query("SELECT 1").execute(&self.inner.writer) => answered.is_ok(),
        }
    }

    /// Closes all connections; what was confirmed is on the disk already.
    pub async fn close(&self) {
        self.inner.reader.close().await;
        self.inner.writer.close().await;
        drop(self.inner.opened.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    async fn try_apply(&self, ctx: &Context, actor: &Actor, action: &Action) -> Result<Reply, StoreError> {
        match (actor, action) {
            (Actor::Caller, Action::Login { extension, pin }) => self.login(ctx, extension, pin).await,
            (Actor::Caller, _) => Ok(Reply::Refused(Refusal::NotAllowed)),
            // Before the PIN is asked for: it would be heard.
            (Actor::Account { .. } | Actor::Shell, Action::Check(_) | Action::Confirm(..))
                if self.wants_encryption(ctx) =>
            {
                self.settle(ctx, actor, action, Err(Refusal::NotEncrypted.into())).await
            }
            (Actor::Account { .. } | Actor::Shell, action) => self.apply_known(ctx, actor, action).await,
        }
    }

    /// What someone asks of whom it is known who that is, or the shell.
    async fn apply_known(&self, ctx: &Context, actor: &Actor, action: &Action) -> Result<Reply, StoreError> {
        match action {
            Action::Login { .. } => Ok(Reply::Refused(Refusal::NotAllowed)),
            Action::ReadBackup { id } => self.read_backup(ctx, actor, action, *id).await,
            Action::ReadForwarding { .. }
            | Action::CheckForwardNumber { .. }
            | Action::ListenOwn { .. }
            | Action::ReadSettings
            | Action::List { .. }
            | Action::OpenRecording { .. }
            | Action::ListenRecording { .. }
            | Action::WhoChangedRecording { .. }
            | Action::OpenUser { .. }
            | Action::CheckUser { .. }
            | Action::ListHandsets { .. }
            | Action::ListUnassignedHandsets
            | Action::ReadUserForwarding { .. }
            | Action::ReadMode
            | Action::OpenAttendant { .. }
            | Action::ListMembers { .. }
            | Action::OpenCallCenter { .. }
            | Action::OpenTrunk { .. }
            | Action::NetworkStatus
            | Action::LastBackup
            | Action::AskReboot
            | Action::SystemStatus
            | Action::RoleHolders { .. }
            | Action::ListChanges => self.apply_reading(ctx, actor, action).await,
            Action::Check(what) => self.rehearse(ctx, actor, action, what).await,
            Action::ReplaceTemporaryPin { .. }
            | Action::SetOwnVoicemailPin { .. }
            | Action::SetOwnAccountPin { .. }
            | Action::SetOwnSupportPin { .. }
            | Action::AddUser { .. }
            | Action::ResetVoicemailPin { .. }
            | Action::ResetAccountPin { .. }
            | Action::VerifySupportPin { .. }
            | Action::Confirm(..) => self.apply_with_pin(ctx, actor, action).await,
            Action::SetForwarding { .. }
            | Action::ForwardingOff { .. }
            | Action::ToggleDnd
            | Action::KeepOwn { .. }
            | Action::RestoreGreeting
            | Action::RemoveGreeting
            | Action::SetLanguage { .. }
            | Action::KeepRecording { .. }
            | Action::RestoreRecording { .. }
            | Action::SaveDraft { .. }
            | Action::DiscardDraft { .. }
            | Action::UnlockUser { .. }
            | Action::SetUserEnabled { .. }
            | Action::AssignHandset { .. }
            | Action::RemoveHandset { .. }
            | Action::UserForwardingOff { .. }
            | Action::KeepUserName { .. }
            | Action::SetMode { .. }
            | Action::SetAttendant { .. }
            | Action::AddMember { .. }
            | Action::RemoveMember { .. }
            | Action::SetCallCenter { .. }
            | Action::SetTrunk { .. }
            | Action::StartBackup
            | Action::CancelReboot
            | Action::SetLogging { .. }
            | Action::NewLogFile
            | Action::NoteDenied { .. }
            | Action::NewsHeard => self.apply_writing(ctx, actor, action).await,
        }
    }

    /// Whether the call would have to be encrypted for what is destructive, and is not.
    fn wants_encryption(&self, ctx: &Context) -> bool {
        self.inner.options.destructive_needs_encryption && ctx.call.is_some() && !ctx.is_private
    }

    async fn apply_reading(&self, ctx: &Context, actor: &Actor, action: &Action) -> Result<Reply, StoreError> {
        let mut read = self.read().await?;
        let outcome = self.read_action(&mut read, ctx, actor, action).await;
        drop(read);
        self.settle(ctx, actor, action, outcome).await
    }

    async fn read_action(
        &self,
        conn: &mut SqliteConnection,
        ctx: &Context,
        actor: &Actor,
        action: &Action,
    ) -> Result<Reply, Stop> {
        let caller = rights::authorise(conn, ctx, actor, action).await?;
        match action {
            Action::ReadForwarding { .. }
            | Action::CheckForwardNumber { .. }
            | Action::ListenOwn { .. }
            | Action::ReadSettings => settings::read(conn, &self.inner.options.toll, &caller, action).await,
            Action::List { kind: ItemKind::Recording } => recordings::list_numbers(conn).await,
            Action::OpenRecording { number } => recordings::open(conn, &caller, *number).await,
            Action::ListenRecording { number } => recordings::listen(conn, *number).await,
            Action::WhoChangedRecording { number } => recordings::who_changed(conn, *number).await,
            Action::OpenUser { .. }
            | Action::CheckUser { .. }
            | Action::ListHandsets { .. }
            | Action::ListUnassignedHandsets
            | Action::ReadUserForwarding { .. }
            | Action::RoleHolders { .. } => users::read(conn, ctx, &self.inner.options.login, &caller, action).await,
            Action::ListChanges => changes::last(conn, &caller).await,
            Action::LastBackup => backup::last(conn).await,
            Action::AskReboot => reboot::ask(conn, ctx).await,
            _ => system::read(conn, ctx, action).await,
        }
    }

    async fn apply_writing(&self, ctx: &Context, actor: &Actor, action: &Action) -> Result<Reply, StoreError> {
        let mut write = self.write(ctx).await?;
        let outcome = match Self::write_action(&mut write, actor, action).await {
            Ok(reply) => write.commit().await.map(|()| reply).map_err(Stop::from),
            Err(stop) => {
                write.rollback().await?;
                Err(stop)
            }
        };
        self.settle(ctx, actor, action, outcome).await
    }

    async fn write_action(write: &mut tx::Write<'_>, actor: &Actor, action: &Action) -> Result<Reply, Stop> {
        let ctx = write.ctx;
        let caller = rights::authorise(write.conn(), ctx, actor, action).await?;
        write.who = caller.who();
        match action {
            Action::SetForwarding { .. }
            | Action::ForwardingOff { .. }
            | Action::ToggleDnd
            | Action::KeepOwn { .. }
            | Action::RestoreGreeting
            | Action::RemoveGreeting
            | Action::SetLanguage { .. } => settings::write(write, &caller, action).await,
            Action::UnlockUser { .. }
            | Action::SetUserEnabled { .. }
            | Action::AssignHandset { .. }
            | Action::RemoveHandset { .. }
            | Action::UserForwardingOff { .. }
            | Action::KeepUserName { .. } => users::write(write, &caller, action).await,
            Action::KeepRecording { number, audio } => recordings::keep(write, &caller, *number, audio).await,
            Action::RestoreRecording { number, to } => recordings::restore(write, *number, (*to).into()).await,
            Action::SaveDraft { number, audio } => recordings::save_draft(write, &caller, *number, audio).await,
            Action::DiscardDraft { number } => recordings::discard_draft(write, &caller, *number).await,
            Action::StartBackup => backup::request(write).await,
            Action::SetLogging { detailed } => logging::set(write, *detailed).await,
            Action::NewLogFile => logging::new_file(write).await,
            Action::CancelReboot => reboot::cancel(write).await,
            Action::NoteDenied { function } => {
                write.note(action.name(), Some(function), tx::Outcome::Denied).await?;
                Ok(Reply::Done)
            }
            Action::NewsHeard => intents::news_heard(write, &caller).await,
            _ => system::write(write, action).await,
        }
    }

    /// Makes a reply of the outcome; a denied attempt gets its audit row.
    async fn settle(
        &self,
        ctx: &Context,
        actor: &Actor,
        action: &Action,
        outcome: Result<Reply, Stop>,
    ) -> Result<Reply, StoreError> {
        let refusal = match outcome {
            Ok(reply) => return Ok(reply),
            Err(Stop::Fault(error)) => return Err(error),
            Err(Stop::Refused(refusal)) => refusal,
        };
        match refusal {
            Refusal::NotAllowed
            | Refusal::NoLongerAllowed
            | Refusal::NotAllowedForThisAccount
            | Refusal::NotEncrypted => {
                let mut write = self.write(ctx).await?;
                write.who = rights::who(write.conn(), actor).await?;
                write.note(action.name(), rights::target(action).as_deref(), tx::Outcome::Denied).await?;
                write.commit().await?;
            }
            Refusal::LoginFailed
            | Refusal::NotYourself
            | Refusal::PinWrong
            | Refusal::PinTooShort
            | Refusal::PinTooSimple
            | Refusal::PinUsedBefore
            | Refusal::PinTooShortForRole
            | Refusal::Unknown
            | Refusal::OtherUnknown
            | Refusal::NothingThere
            | Refusal::AlreadySo
            | Refusal::ForwardNotAllowed
            | Refusal::LastServerAdministrator
            | Refusal::LastEnabled
            | Refusal::CannotUndo
            | Refusal::ChangedSince
            | Refusal::AlreadyUndone
            | Refusal::TooMany
            | Refusal::TryLater => {}
        }
        Ok(Reply::Refused(refusal))
    }

    /// Transactions that write and were begun, or tried to.
    #[cfg(test)]
    pub(crate) fn writes_begun(&self) -> u64 {
        self.inner.begun[1].load(std::sync::atomic::Ordering::Relaxed)
    }

    /// A consistent view for reading.
    async fn read(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        #[cfg(test)]
        self.inner.begun[0].fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(self.inner.reader.begin().await?)
    }

    /// The write lock.
    async fn write<'a>(&'a self, ctx: &'a Context) -> Result<tx::Write<'a>, StoreError> {
        #[cfg(test)]
        self.inner.begun[1].fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        tx::Write::begin(&self.inner.writer, &self.inner.options, &self.inner.intents, ctx).await
    }
}
