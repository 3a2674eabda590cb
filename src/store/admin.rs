//! What only a person with a shell on this machine asks: the command line's side of the one door.

mod error;
pub(super) mod users;

use serde_json::json;

pub use error::AdminError;

use super::accounts::{self, Account};
use super::people::{self, NewUser};
use super::policy::PinKind;
use super::recordings::{self, VersionWanted};
use super::rights::{Caller, Stop};
use super::system::System;
use super::tx::{Change, Write};
use super::{Store, handsets, settings, sites, undo};
use crate::access::{Context, ForwardKind, Refusal, Reply, Role};
use crate::model::{Audio, ChangeNumber, Extension, Language, Mac, PhoneNumber, Pin, RecordingNumber};

/// Longest name of a person, a recording or an account, in characters.
pub(super) const NAME_CHARS_MAX: usize = 64;
/// The highest number of a recording.
const RECORDING_NUMBER_MAX: u32 = 99_999_999;

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
    /// Checks a voicemail PIN, under its own lock-outs; `caller` is the number that calls, as the PBX knows it.
    VerifyVoicemailPin { extension: Extension, pin: Pin, caller: Option<String> },
    /// Adds a recording; the audio is its factory version.
    AddRecording { number: RecordingNumber, name: String, audio: Option<Audio> },
    /// Makes audio the live version.
    ImportRecording { number: RecordingNumber, audio: Audio },
    /// What is asked of the phone system's own things.
    System(System),
    /// Makes an older version live.
    RestoreRecording { number: RecordingNumber, to: VersionWanted },
    /// Adds a site.
    AddSite { name: String, spoken_name: Option<Audio> },
    /// Forwards a user's calls, where the toll policy allows it.
    SetForwarding { extension: Extension, kind: ForwardKind, to: PhoneNumber },
    /// Ends some kinds of a user's forwarding.
    ForwardingOff { extension: Extension, kinds: Vec<ForwardKind> },
    /// Adds a handset that is nobody's yet.
    AddHandset { mac: Mac, name: String },
    /// Deletes a handset.
    DeleteHandset { mac: Mac },
    /// Gives a handset to a user.
    AssignHandset { mac: Mac, extension: Extension },
    /// Takes a handset from its user.
    RemoveHandset { mac: Mac },
    /// Adds all of these users, each with a temporary PIN, or none of them.
    ImportUsers { rows: Vec<ImportedUser> },
    /// Puts back what a change had changed.
    Undo { number: ChangeNumber },
}

/// A user as a file names one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedUser {
    /// The line of the file, for errors.
    pub line: u64,
    /// Unique within the site.
    pub extension: Extension,
    /// The display name.
    pub name: String,
    /// Unique over all sites; `EXT@SITE` where none is given.
    pub username: Option<String>,
    /// The roles it is to hold.
    pub roles: Vec<Role>,
    /// The language of its calls; `None` for the configured one.
    pub language: Option<Language>,
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
    /// [`Admin::ImportUsers`]: each extension and its temporary PIN, in the order of the rows.
    Imported(Vec<(Extension, Pin)>),
    /// [`Admin::VerifyVoicemailPin`].
    Verified { right: bool },
}

impl Store {
    pub(super) async fn try_admin(&self, ctx: &Context, admin: &Admin) -> Result<AdminReply, AdminError> {
        match admin {
            Admin::AddUser { extension, name, username, roles, pin } => {
                let (username, roles) = (username.as_deref(), &users::each_once(roles));
                let user = NewUser { extension, name, username, roles, language: None };
                self.add_user(ctx, user, pin.as_ref()).await
            }
            Admin::ImportUsers { rows } => self.import(ctx, rows).await,
            Admin::SetPin { extension, pin, temporary } => {
                self.set_pin(ctx, extension, PinKind::Account, pin, *temporary).await
            }
            Admin::SetVoicemailPin { extension, pin } => {
                self.set_pin(ctx, extension, PinKind::Voicemail, pin, false).await
            }
            Admin::VerifyVoicemailPin { extension, pin, caller } => {
                self.verify_voicemail(ctx, extension, pin, caller.as_deref()).await
            }
            Admin::System(system) => self.system(ctx, system).await,
            in_one_step => {
                let mut write = self.write(ctx).await?;
                write.who = Caller::shell().who();
                let reply = self::in_one_step(&mut write, in_one_step).await?;
                write.commit().await?;
                Ok(reply)
            }
        }
    }
}

/// What is read, checked and written in one transaction.
async fn in_one_step(write: &mut Write<'_>, admin: &Admin) -> Result<AdminReply, AdminError> {
    match admin {
        Admin::DeleteUser { extension }
        | Admin::Unlock { extension }
        | Admin::SetEnabled { extension, .. }
        | Admin::AssignRole { extension, .. }
        | Admin::RemoveRole { extension, .. }
        | Admin::SetForwarding { extension, .. }
        | Admin::ForwardingOff { extension, .. }
        | Admin::AssignHandset { extension, .. } => {
            let account = find(write, extension).await?;
            to_account(write, &account, admin).await
        }
        Admin::AddHandset { mac, name } => handsets::add(write, *mac, name).await.map(AdminReply::Changed),
        Admin::DeleteHandset { mac } => handsets::delete(write, *mac).await.map(AdminReply::Changed),
        Admin::RemoveHandset { mac } => match handsets::owner_of(write, *mac).await? {
            Some(owner) => {
                let removed = handsets::remove(write, *mac, &owner).await.map(Some);
                so(removed, |_| AdminError::UnknownHandset(*mac))
            }
            None => Ok(AdminReply::Unchanged),
        },
        Admin::AddSite { name, spoken_name } => {
            sites::add(write, name, spoken_name.as_ref()).await.map(AdminReply::Changed)
        }
        Admin::Undo { number } => {
            let undone = undo::undo(write, &Caller::shell(), *number).await.map(Some);
            so(undone, |refusal| not_undone(refusal, *number))
        }
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
        | Admin::ImportUsers { .. }
        | Admin::SetPin { .. }
        | Admin::SetVoicemailPin { .. }
        | Admin::VerifyVoicemailPin { .. } => Ok(AdminReply::Unchanged),
    }
}

/// What is done to one account.
async fn to_account(write: &mut Write<'_>, account: &Account, admin: &Admin) -> Result<AdminReply, AdminError> {
    let done = match admin {
        Admin::DeleteUser { .. } => people::delete(write, account).await.map(Some),
        Admin::Unlock { .. } => people::unlock(write, account).await.map(Some).map_err(Stop::from),
        Admin::SetEnabled { enabled, .. } => people::set_enabled(write, account, *enabled).await,
        Admin::AssignRole { role, .. } => people::assign_role(write, account, *role).await,
        Admin::RemoveRole { role, .. } => people::remove_role(write, account, *role).await,
        Admin::SetForwarding { kind, to, .. } => {
            settings::set_forwarding(write, account, &[(*kind, Some(to.clone()))]).await
        }
        Admin::ForwardingOff { kinds, .. } => {
            let off: Vec<_> = kinds.iter().map(|kind| (*kind, None)).collect();
            settings::set_forwarding(write, account, &off).await
        }
        Admin::AssignHandset { mac, .. } => match handsets::owner_of(write, *mac).await? {
            None => handsets::assign(write, *mac, account).await.map(Some),
            Some(owner) if owner.id == account.id => Ok(None),
            Some(Account { extension, site_name: site, .. }) => {
                return Err(AdminError::HandsetAssigned { mac: *mac, extension, site });
            }
        },
        _ => Ok(None),
    };
    let extension = account.extension.clone();
    so(done, |refusal| match (refusal, admin) {
        (Refusal::LastServerAdministrator, _) => AdminError::LastServerAdministrator(extension),
        (Refusal::PinTooShortForRole, _) => AdminError::PinTooShortForRole(extension),
        (Refusal::ForwardNotAllowed, Admin::SetForwarding { to, .. }) => {
            AdminError::ForwardNotAllowed { extension, to: to.as_str().to_owned() }
        }
        _ => AdminError::UnknownExtension(extension),
    })
}

/// What a setter did as a reply to the shell; what it refused in the shell's words.
fn so(
    done: Result<Option<ChangeNumber>, Stop>,
    refused: impl FnOnce(Refusal) -> AdminError,
) -> Result<AdminReply, AdminError> {
    match done {
        Ok(Some(change)) => Ok(AdminReply::Changed(change)),
        Ok(None) => Ok(AdminReply::Unchanged),
        Err(Stop::Refused(refusal)) => Err(refused(refusal)),
        Err(Stop::Fault(error)) => Err(error.into()),
    }
}

fn not_undone(refusal: Refusal, number: ChangeNumber) -> AdminError {
    let why = match refusal {
        Refusal::Unknown => return AdminError::UnknownChange(number),
        Refusal::CannotUndo => return AdminError::CannotUndo(number),
        Refusal::AlreadyUndone => return AdminError::AlreadyUndone(number),
        Refusal::LastServerAdministrator => "it would take away the last enabled Server Administrator of the site",
        Refusal::PinTooShortForRole => "the PIN of the account is too short for the role by now",
        Refusal::ForwardNotAllowed => "the toll policy does not allow that number any more",
        Refusal::LastEnabled => "it would disable the last one of its kind that is enabled",
        _ => return AdminError::ChangedSince(number),
    };
    AdminError::UndoRefused { number, why }
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

async fn add_recording(
    write: &mut Write<'_>,
    number: RecordingNumber,
    name: &str,
    audio: Option<&Audio>,
) -> Result<AdminReply, AdminError> {
    if !(1..=RECORDING_NUMBER_MAX).contains(&number.0) {
        return Err(AdminError::BadRecordingNumber);
    }
    people::check_name(name, "name", 1)?;
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
