//! What only a person with a shell on this machine asks: the command line's side of the one door.

use serde_json::json;

use super::accounts::{self, Account};
use super::error::StoreError;
use super::login::{self, Checked};
use super::own_pins::{self, PinState};
use super::pins::{self, Chosen};
use super::policy::{self, PinFault, PinKind, ROLE_PIN_DIGITS_MIN};
use super::recordings::{self, VersionWanted};
use super::rights::{Caller, Stop};
use super::system::{System, SystemError};
use super::tx::{Change, Outcome, Write};
use super::{STALE_TRIES_MAX, Store};
use crate::access::{Context, Refusal, Reply, Role};
use crate::model::{AccountId, Audio, ChangeNumber, Extension, Pin, RecordingNumber};

/// Longest name of a person, a recording or an account, in characters.
const NAME_CHARS_MAX: usize = 64;
/// The highest number of a recording.
const RECORDING_NUMBER_MAX: u32 = 99_999_999;
/// What the audit trail calls an extension that there is none of.
const UNKNOWN: &str = "unknown";

/// Everything that the shell can ask of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are what their names say")]
pub enum Admin {
    /// Adds a user; without `pin` a temporary one is made.
    AddUser {
        /// Unique within the site.
        extension: Extension,
        /// The display name.
        name: String,
        /// Unique over all sites; `EXT@SITE` where none is given.
        username: Option<String>,
        /// The roles it is to hold.
        roles: Vec<Role>,
        /// The account PIN, not temporary.
        pin: Option<Pin>,
    },
    /// Deletes a user.
    DeleteUser { extension: Extension },
    /// Sets an account PIN; ends a temporary one, or makes this one temporary.
    SetPin { extension: Extension, pin: Pin, temporary: bool },
    /// Ends the locks of all of a user's PINs.
    Unlock { extension: Extension },
    /// Enables or disables a user.
    SetEnabled { extension: Extension, enabled: bool },
    /// Gives a role.
    AssignRole { role: Role, extension: Extension },
    /// Takes a role away.
    RemoveRole { role: Role, extension: Extension },
    /// Sets a voicemail PIN.
    SetVoicemailPin { extension: Extension, pin: Pin },
    /// Checks a voicemail PIN, under its own lock-outs.
    VerifyVoicemailPin { extension: Extension, pin: Pin },
    /// Adds a recording; the audio is its factory version.
    AddRecording { number: RecordingNumber, name: String, audio: Option<Audio> },
    /// Makes audio the live version.
    ImportRecording { number: RecordingNumber, audio: Audio },
    /// What is asked of the phone system's own things.
    System(System),
    /// Makes an older version live.
    RestoreRecording { number: RecordingNumber, to: VersionWanted },
}

/// What the store answers the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are what their names say")]
pub enum AdminReply {
    /// A change was made.
    Changed(ChangeNumber),
    /// It was so already.
    Unchanged,
    /// A user was added, with this temporary PIN where one was made.
    Added { change: ChangeNumber, temporary: Option<Pin> },
    /// [`Admin::VerifyVoicemailPin`].
    Verified { right: bool },
}

/// Why the shell was refused; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The store can't.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The phone system's things.
    #[error(transparent)]
    System(SystemError),
    /// No such site.
    #[error("there is no site `{site}`, the store has {known}: name one of these with --site")]
    UnknownSite {
        /// The name that was given.
        site: String,
        /// The names that there are.
        known: String,
    },
    /// No such extension.
    #[error("there is no extension {0}: see which there are with `switchhook user list`")]
    UnknownExtension(Extension),
    /// No such recording.
    #[error("there is no recording {}: see which there are with `switchhook recording list`", .0.0)]
    UnknownRecording(RecordingNumber),
    /// No such version, or its audio is no longer kept.
    #[error("recording {} has no such version to go back to: see `switchhook recording history {}`", .0.0, .0.0)]
    NoSuchVersion(RecordingNumber),
    /// The extension has an account already.
    #[error("extension {0} has an account already")]
    ExtensionTaken(Extension),
    /// The username belongs to another account, perhaps at another site.
    #[error("the username `{0}` is taken: usernames are unique over all sites; give another with --username")]
    UsernameTaken(String),
    /// There is a recording of that number already.
    #[error("recording {} exists already: give it new audio with `switchhook recording import`", .0.0)]
    RecordingTaken(RecordingNumber),
    /// The number of a recording is out of range.
    #[error("a recording's number is 1 to {RECORDING_NUMBER_MAX}")]
    BadRecordingNumber,
    /// A name that is too long or holds control characters.
    #[error("the {0} must have 1 to {NAME_CHARS_MAX} characters and no control characters")]
    BadName(&'static str),
    /// There must always be one.
    #[error("{0} is the last enabled Server Administrator: give the role to another account first")]
    LastServerAdministrator(Extension),
    /// The PIN policy. (No source: its text is said once.)
    #[error("{0}; nothing was changed")]
    Pin(PinFault),
    /// Who holds a role needs a longer account PIN than the present one.
    #[error(
        "{0} has a PIN shorter than {ROLE_PIN_DIGITS_MIN} digits: set a longer one first (user set-pin); nothing was changed"
    )]
    PinTooShortForRole(Extension),
    /// Nothing to import.
    #[error("the audio is empty")]
    EmptyAudio,
}

impl From<PinFault> for AdminError {
    fn from(fault: PinFault) -> Self {
        AdminError::Pin(fault)
    }
}

impl From<sqlx::Error> for AdminError {
    fn from(error: sqlx::Error) -> Self {
        AdminError::Store(error.into())
    }
}

impl Store {
    pub(super) async fn try_admin(&self, ctx: &Context, admin: &Admin) -> Result<AdminReply, AdminError> {
        match admin {
            Admin::AddUser { extension, name, username, roles, pin } => {
                let user = NewUser { extension, name, username: username.as_deref(), roles, pin: pin.as_ref() };
                self.add_user(ctx, user).await
            }
            Admin::SetPin { extension, pin, temporary } => {
                self.set_pin(ctx, extension, PinKind::Account, pin, *temporary).await
            }
            Admin::SetVoicemailPin { extension, pin } => {
                self.set_pin(ctx, extension, PinKind::Voicemail, pin, false).await
            }
            Admin::VerifyVoicemailPin { extension, pin } => self.verify_voicemail(ctx, extension, pin).await,
            Admin::System(system) => self.system(ctx, system).await,
            Admin::DeleteUser { .. }
            | Admin::Unlock { .. }
            | Admin::SetEnabled { .. }
            | Admin::AssignRole { .. }
            | Admin::RemoveRole { .. }
            | Admin::AddRecording { .. }
            | Admin::ImportRecording { .. }
            | Admin::RestoreRecording { .. } => {
                let mut write = self.write(ctx).await?;
                write.who = Caller::shell().who();
                let reply = in_one_step(&mut write, admin).await?;
                write.commit().await?;
                Ok(reply)
            }
        }
    }

    async fn add_user(&self, ctx: &Context, user: NewUser<'_>) -> Result<AdminReply, AdminError> {
        check_name(user.name, "name", 0)?;
        let made = match user.pin {
            Some(_) => None,
            None => Some(pins::random_pin(ROLE_PIN_DIGITS_MIN, user.extension)?),
        };
        let pin = user.pin.or(made.as_ref()).ok_or(StoreError::NoRandom)?;
        let digits_min = PinKind::Account.digits_min(!user.roles.is_empty());
        policy::check(pin, digits_min, user.extension)?;
        let Chosen::Hash(hash) = self.inner.pins.choose(pin, &[]).await? else {
            return Err(PinFault::UsedBefore.into());
        };

        let mut write = self.write(ctx).await?;
        write.who = Caller::shell().who();
        let (id, username) = insert_account(&mut write, &user).await?;
        for role in user.roles {
            insert_role(&mut write, id, *role).await?;
        }
        own_pins::store_pin(&mut write, id, PinKind::Account, pin, &hash, made.is_some()).await?;
        let roles: Vec<&str> = user.roles.iter().map(|role| role.name()).collect();
        let event = ("user.added", json!({ "username": username, "name": user.name, "roles": roles }));
        let target = user.extension.as_str();
        let change = Change { action: "user.added", target, before: None, after: Some(&username), event };
        let change = write.change(change).await?;
        write.commit().await?;
        Ok(AdminReply::Added { change, temporary: made })
    }

    async fn set_pin(
        &self,
        ctx: &Context,
        extension: &Extension,
        kind: PinKind,
        pin: &Pin,
        temporary: bool,
    ) -> Result<AdminReply, AdminError> {
        for _ in 0..STALE_TRIES_MAX {
            let mut read = self.read().await?;
            let account = accounts::by_extension(&mut read, ctx.site, extension).await?;
            let account = account.ok_or_else(|| AdminError::UnknownExtension(extension.clone()))?;
            let state = PinState::read(&mut read, account.id, kind).await?;
            drop(read);
            let hash = self.choose_pin(&account, kind, pin, &state).await??;

            let mut write = self.write(ctx).await?;
            write.who = Caller::shell().who();
            let account = find(&mut write, extension).await?;
            if PinState::read(write.conn(), account.id, kind).await? != state {
                continue;
            }
            own_pins::check_policy(&account, kind, pin)?;
            own_pins::store_pin(&mut write, account.id, kind, pin, &hash, temporary).await?;
            let event = own_pins::pin_event(kind);
            let after = temporary.then_some("temporary");
            let data = json!({ "temporary": temporary });
            let change =
                Change { action: event, target: extension.as_str(), before: None, after, event: (event, data) };
            let number = write.change(change).await?;
            write.commit().await?;
            return Ok(AdminReply::Changed(number));
        }
        Err(StoreError::Busy.into())
    }

    async fn verify_voicemail(
        &self,
        ctx: &Context,
        extension: &Extension,
        pin: &Pin,
    ) -> Result<AdminReply, AdminError> {
        for _ in 0..STALE_TRIES_MAX {
            let stored = self.stored_pin(ctx, extension, PinKind::Voicemail).await?;
            let fits = self.inner.pins.verify(stored.as_deref(), pin).await?;
            let mut write = self.write(ctx).await?;
            write.who = Caller::shell().who();
            let account = accounts::by_extension(write.conn(), ctx.site, extension).await?;
            let (checked, target) = match &account {
                Some(account) => {
                    let kind = PinKind::Voicemail;
                    (login::check(&mut write, account, kind, stored.as_deref(), fits).await?, extension.as_str())
                }
                None => (Checked::Wrong, UNKNOWN),
            };
            let outcome = match checked {
                Checked::Stale => continue,
                Checked::Right => Outcome::Ok,
                Checked::Wrong => Outcome::Failed,
            };
            write.note("voicemail_pin.verified", Some(target), outcome).await?;
            write.commit().await?;
            return Ok(AdminReply::Verified { right: checked == Checked::Right });
        }
        Err(StoreError::Busy.into())
    }
}

struct NewUser<'a> {
    extension: &'a Extension,
    name: &'a str,
    username: Option<&'a str>,
    roles: &'a [Role],
    pin: Option<&'a Pin>,
}

async fn in_one_step(write: &mut Write<'_>, admin: &Admin) -> Result<AdminReply, AdminError> {
    match admin {
        Admin::DeleteUser { extension } => delete_user(write, extension).await,
        Admin::Unlock { extension } => unlock(write, extension).await,
        Admin::SetEnabled { extension, enabled } => set_enabled(write, extension, *enabled).await,
        Admin::AssignRole { role, extension } => assign_role(write, *role, extension).await,
        Admin::RemoveRole { role, extension } => remove_role(write, *role, extension).await,
        Admin::AddRecording { number, name, audio } => add_recording(write, *number, name, audio.as_ref()).await,
        Admin::ImportRecording { number, audio } => {
            if audio.0.is_empty() {
                return Err(AdminError::EmptyAudio);
            }
            spoken(recordings::keep(write, &Caller::shell(), *number, audio).await, *number)
        }
        Admin::RestoreRecording { number, to } if recordings::is_live(write.conn(), *number, *to).await? => {
            Ok(AdminReply::Unchanged)
        }
        Admin::RestoreRecording { number, to } => spoken(recordings::restore(write, *number, *to).await, *number),
        Admin::AddUser { .. }
        | Admin::System(_)
        | Admin::SetPin { .. }
        | Admin::SetVoicemailPin { .. }
        | Admin::VerifyVoicemailPin { .. } => Ok(AdminReply::Unchanged),
    }
}

/// The reply to a caller as a reply to the shell.
fn spoken(outcome: Result<Reply, Stop>, number: RecordingNumber) -> Result<AdminReply, AdminError> {
    match outcome {
        Ok(Reply::Changed(change)) => Ok(AdminReply::Changed(change)),
        Ok(_) => Ok(AdminReply::Unchanged),
        Err(Stop::Refused(Refusal::Unknown)) => Err(AdminError::UnknownRecording(number)),
        Err(Stop::Refused(_)) => Err(AdminError::NoSuchVersion(number)),
        Err(Stop::Fault(error)) => Err(error.into()),
    }
}

async fn find(write: &mut Write<'_>, extension: &Extension) -> Result<Account, AdminError> {
    let site = write.ctx.site;
    let found = accounts::by_extension(write.conn(), site, extension).await?;
    found.ok_or_else(|| AdminError::UnknownExtension(extension.clone()))
}

async fn insert_account(write: &mut Write<'_>, user: &NewUser<'_>) -> Result<(AccountId, String), AdminError> {
    let (site, now) = (write.ctx.site, write.now());
    if accounts::by_extension(write.conn(), site, user.extension).await?.is_some() {
        return Err(AdminError::ExtensionTaken(user.extension.clone()));
    }
    let sql = "SELECT name FROM sites WHERE id = $1";
    let site_name: Option<String> = sqlx::query_scalar(sql).bind(site.0).fetch_optional(write.conn()).await?;
    let site_name = site_name.ok_or_else(|| StoreError::Inconsistent(format!("no site of number {}", site.0)))?;
    let username = user.username.map_or_else(|| format!("{}@{site_name}", user.extension), str::to_owned);
    check_name(&username, "username", 1)?;
    let sql = "SELECT id FROM accounts WHERE username = $1";
    let taken: Option<i64> = sqlx::query_scalar(sql).bind(&username).fetch_optional(write.conn()).await?;
    if taken.is_some() {
        return Err(AdminError::UsernameTaken(username));
    }
    let sql = "INSERT INTO accounts (site_id, extension, username, name, created_at) VALUES ($1, $2, $3, $4, $5)
               RETURNING id";
    let id: i64 = sqlx::query_scalar(sql)
        .bind(site.0)
        .bind(user.extension.as_str())
        .bind(&username)
        .bind(user.name)
        .bind(now)
        .fetch_one(write.conn())
        .await?;
    Ok((AccountId(id), username))
}

async fn insert_role(write: &mut Write<'_>, id: AccountId, role: Role) -> Result<(), StoreError> {
    let now = write.now();
    let sql = "INSERT INTO roles (account_id, role, granted_at) VALUES ($1, $2, $3)
               ON CONFLICT (account_id, role) DO NOTHING";
    sqlx::query(sql).bind(id.0).bind(role.name()).bind(now).execute(write.conn()).await?;
    Ok(())
}

async fn delete_user(write: &mut Write<'_>, extension: &Extension) -> Result<AdminReply, AdminError> {
    let account = find(write, extension).await?;
    keep_one_server_administrator(write, &account).await?;
    let sql = "DELETE FROM accounts WHERE id = $1 RETURNING username";
    let username: String = sqlx::query_scalar(sql).bind(account.id.0).fetch_one(write.conn()).await?;
    let event = ("user.deleted", json!({ "username": username }));
    user_change(write, extension, Some(&username), None, event).await
}

async fn unlock(write: &mut Write<'_>, extension: &Extension) -> Result<AdminReply, AdminError> {
    let account = find(write, extension).await?;
    let sql = "DELETE FROM lockouts WHERE account_id = $1";
    sqlx::query(sql).bind(account.id.0).execute(write.conn()).await?;
    user_change(write, extension, None, None, ("user.unlocked", json!({}))).await
}

async fn set_enabled(write: &mut Write<'_>, extension: &Extension, enabled: bool) -> Result<AdminReply, AdminError> {
    let account = find(write, extension).await?;
    if account.enabled == enabled {
        return Ok(AdminReply::Unchanged);
    }
    if !enabled {
        keep_one_server_administrator(write, &account).await?;
    }
    let sql = "UPDATE accounts SET enabled = $2 WHERE id = $1";
    sqlx::query(sql).bind(account.id.0).bind(i64::from(enabled)).execute(write.conn()).await?;
    let (before, after) = if enabled { ("disabled", "enabled") } else { ("enabled", "disabled") };
    let event = if enabled { "user.enabled" } else { "user.disabled" };
    user_change(write, extension, Some(before), Some(after), (event, json!({}))).await
}

async fn assign_role(write: &mut Write<'_>, role: Role, extension: &Extension) -> Result<AdminReply, AdminError> {
    let account = find(write, extension).await?;
    if account.roles.contains(&role) {
        return Ok(AdminReply::Unchanged);
    }
    if accounts::has_short_pin(write.conn(), account.id).await? {
        return Err(AdminError::PinTooShortForRole(extension.clone()));
    }
    insert_role(write, account.id, role).await?;
    let event = ("role.assigned", json!({ "role": role.name() }));
    user_change(write, extension, None, Some(role.name()), event).await
}

async fn remove_role(write: &mut Write<'_>, role: Role, extension: &Extension) -> Result<AdminReply, AdminError> {
    let account = find(write, extension).await?;
    if !account.roles.contains(&role) {
        return Ok(AdminReply::Unchanged);
    }
    if role == Role::ServerAdministrator {
        keep_one_server_administrator(write, &account).await?;
    }
    let sql = "DELETE FROM roles WHERE account_id = $1 AND role = $2";
    sqlx::query(sql).bind(account.id.0).bind(role.name()).execute(write.conn()).await?;
    let event = ("role.removed", json!({ "role": role.name() }));
    user_change(write, extension, Some(role.name()), None, event).await
}

/// A change whose action has the event's name.
async fn user_change(
    write: &mut Write<'_>,
    extension: &Extension,
    before: Option<&str>,
    after: Option<&str>,
    event: (&str, serde_json::Value),
) -> Result<AdminReply, AdminError> {
    let change = Change { action: event.0, target: extension.as_str(), before, after, event };
    Ok(AdminReply::Changed(write.change(change).await?))
}

/// Refuses to take away the last enabled Server Administrator.
async fn keep_one_server_administrator(write: &mut Write<'_>, account: &Account) -> Result<(), AdminError> {
    if !account.enabled || !account.roles.contains(&Role::ServerAdministrator) {
        return Ok(());
    }
    let sql = "SELECT COUNT(*) FROM roles r JOIN accounts a ON a.id = r.account_id
               WHERE r.role = 'server-administrator' AND a.enabled = 1 AND a.id <> $1";
    let others: i64 = sqlx::query_scalar(sql).bind(account.id.0).fetch_one(write.conn()).await?;
    if others == 0 { Err(AdminError::LastServerAdministrator(account.extension.clone())) } else { Ok(()) }
}

async fn add_recording(
    write: &mut Write<'_>,
    number: RecordingNumber,
    name: &str,
    audio: Option<&Audio>,
) -> Result<AdminReply, AdminError> {
    if !(1..=RECORDING_NUMBER_MAX).contains(&number.0) {
        return Err(AdminError::BadRecordingNumber);
    }
    check_name(name, "name", 1)?;
    if audio.is_some_and(|audio| audio.0.is_empty()) {
        return Err(AdminError::EmptyAudio);
    }
    if recordings::live_version(write.conn(), number).await?.is_some() {
        return Err(AdminError::RecordingTaken(number));
    }
    let (now, who) = (write.now(), write.who.name.clone().unwrap_or_default());
    let sql = "INSERT INTO recordings (number, name, changed_by, changed_at) VALUES ($1, $2, $3, $4)";
    sqlx::query(sql).bind(i64::from(number.0)).bind(name).bind(who).bind(now).execute(write.conn()).await?;
    let Some(audio) = audio else {
        let target = number.0.to_string();
        let event = ("recording.added", json!({ "number": number.0, "name": name }));
        let change = Change { action: "recording.added", target: &target, before: None, after: Some(name), event };
        return Ok(AdminReply::Changed(write.change(change).await?));
    };
    recordings::check_length(write, audio)?;
    let version = recordings::add_version(write, number, audio, true).await?;
    Ok(AdminReply::Changed(recordings::go_live(write, number, None, version, "recording.added").await?))
}

pub(super) fn check_name(name: &str, what: &'static str, chars_min: usize) -> Result<(), AdminError> {
    let chars = name.chars().count();
    let fits = (chars_min..=NAME_CHARS_MAX).contains(&chars) && !name.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(AdminError::BadName(what)) }
}
