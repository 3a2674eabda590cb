//! The phone system's own things: mode, attendants, hunt groups, call centers, and the lines, gateways and proxies.
//!
//! They belong to the whole store, not to a site. By phone they are asked for by [`crate::access::Action`], by the shell
//! by [`System`]; what other programs write becomes numbered changes in [`outside`].

mod attendants;
mod call_centers;
mod groups;
mod items;
pub(super) mod mode;
pub(super) mod outside;
mod timetable;
pub(super) mod trunks;

pub use attendants::AttendantRow;
pub use call_centers::CallCenterRow;
pub use groups::GroupRow;
pub use items::{ITEM_NUMBER_MAX, ITEMS_MAX};
pub use mode::{MODE_HOURS_MAX, ModeRow};
pub use timetable::{Date, Span, Timetable, TimetableEdit};
pub use trunks::{Probe, TrunkRow};

use sqlx::SqliteConnection;
use trunks::URI_BYTES_MAX;

use super::error::StoreError;
use super::rights::{Caller, Stop};
use super::tx::Write;
use super::{AdminError, AdminReply, Store};
use crate::access::{Action, Context, ItemKind, ModeSetting, Permission, Refusal, Reply, SystemStatus, TrunkKind};
use crate::model::{Audio, ChangeNumber, Extension, ItemNumber, RecordingNumber, Wall};

/// What a change of the whole system is about, in the audit trail and the events.
pub(super) use super::reboot::SYSTEM;
pub(super) use super::undo::Recorded;

/// What the shell asks of the phone system's things.
#[allow(missing_docs, reason = "the fields are what their names say")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum System {
    /// Adds something with a number; a URI and a spoken name are for lines, gateways and proxies.
    AddItem { kind: ItemKind, number: ItemNumber, name: String, uri: Option<String>, spoken_name: Option<Audio> },
    /// Deletes it.
    DeleteItem { kind: ItemKind, number: ItemNumber },
    /// Enables or disables a line, gateway or proxy, the last one too.
    SetTrunk { kind: TrunkKind, number: ItemNumber, enabled: bool },
    /// Chooses the recording of an attendant.
    SetAttendant { number: ItemNumber, recording: RecordingNumber },
    /// Adds a member at the end of a hunt group.
    AddMember { number: ItemNumber, extension: Extension },
    /// Takes a member out.
    RemoveMember { number: ItemNumber, extension: Extension },
    /// Opens or closes a call center.
    SetCallCenter { number: ItemNumber, open: bool },
    /// Sets the mode; with an end, what was set before holds again afterwards.
    SetMode { setting: ModeSetting, until: Option<Wall> },
    /// Edits the timetable.
    EditTimetable(TimetableEdit),
}

/// Why the shell was refused; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SystemError {
    /// Nothing has that number.
    #[error("there is no {} {}: see which there are with `switchhook {} list`", .0.name(), .1.0, .0.name())]
    UnknownItem(ItemKind, ItemNumber),
    /// The number is taken.
    #[error("{} {} exists already", .0.name(), .1.0)]
    ItemTaken(ItemKind, ItemNumber),
    /// A number out of range.
    #[error("a number is 1 to {ITEM_NUMBER_MAX}")]
    BadNumber,
    /// Too many of a kind.
    #[error("there are {ITEMS_MAX} of these already, which is the most: delete one first")]
    TooMany,
    /// Too many members.
    #[error("hunt group {} has {} members already, which is the most: remove one first", .0.0, groups::MEMBERS_MAX)]
    TooManyMembers(ItemNumber),
    /// A URI that can't be asked.
    #[error("`{0}` is no SIP URI that can be asked: write sip:HOST or sip:HOST:PORT")]
    BadUri(String),
    /// A URI that is too long; it is not repeated.
    #[error("a URI has at most {URI_BYTES_MAX} characters, and this one has {0}: nothing was changed")]
    LongUri(usize),
    /// A URI for what has none.
    #[error("only lines, gateways and proxies have a URI and a spoken name")]
    NoUri,
    /// An end that is over.
    #[error("the end of the mode is in the past: give a later one with --until, or none")]
    PastUntil,
    /// A timetable that contradicts itself.
    #[error("{0}; nothing was changed")]
    Timetable(String),
}

impl From<SystemError> for AdminError {
    fn from(error: SystemError) -> Self {
        AdminError::System(error)
    }
}

/// What is read by phone.
pub(super) async fn read(conn: &mut SqliteConnection, ctx: &Context, action: &Action) -> Result<Reply, Stop> {
    match action {
        Action::List { kind } => items::list(conn, *kind).await,
        Action::ReadMode => mode::read(conn, ctx).await,
        Action::OpenAttendant { number } => attendants::open(conn, *number).await,
        Action::ListMembers { number } => groups::members(conn, *number).await,
        Action::OpenCallCenter { number } => call_centers::open(conn, *number).await,
        Action::OpenTrunk { kind, number } => trunks::open(conn, *kind, *number).await,
        Action::NetworkStatus => trunks::status(conn).await,
        Action::SystemStatus => status(conn, ctx).await,
        _ => Err(Refusal::NotAllowed.into()),
    }
}

/// What the store knows of the system; who carries the reply adds what the machine knows.
async fn status(conn: &mut SqliteConnection, ctx: &Context) -> Result<Reply, Stop> {
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&mut *conn).await?;
    let page_bytes: i64 = sqlx::query_scalar("PRAGMA page_size").fetch_one(conn).await?;
    let part = |text: &str| text.parse().unwrap_or_default();
    Ok(Reply::Status(SystemStatus {
        version: [
            part(env!("CARGO_PKG_VERSION_MAJOR")),
            part(env!("CARGO_PKG_VERSION_MINOR")),
            part(env!("CARGO_PKG_VERSION_PATCH")),
        ],
        up_since: None,
        calls: ctx.other_calls.saturating_add(1),
        disk_used_percent: None,
        store_bytes: u64::try_from(pages.saturating_mul(page_bytes)).unwrap_or_default(),
    }))
}

/// What is written by phone.
pub(super) async fn write(write: &mut Write<'_>, action: &Action) -> Result<Reply, Stop> {
    match action {
        Action::SetMode { setting, hours } => mode::set(write, *setting, *hours).await,
        Action::SetAttendant { number, recording } => attendants::set(write, *number, *recording).await,
        Action::AddMember { number, extension } => groups::add(write, *number, extension).await,
        Action::RemoveMember { number, extension } => groups::remove(write, *number, extension).await,
        Action::SetCallCenter { number, open } => call_centers::set(write, *number, *open).await,
        Action::SetTrunk { kind, number, enabled } => trunks::set(write, *kind, *number, *enabled).await,
        _ => Err(Refusal::NotAllowed.into()),
    }
}

/// Puts back a change of the phone system's things; `None` where it is none that can be put back.
pub(super) async fn undo(
    write: &mut Write<'_>,
    caller: &Caller,
    change: &Recorded,
) -> Option<Result<ChangeNumber, Stop>> {
    let action = change.action.as_str();
    let trunk = trunks::switched(action);
    let needed = match action {
        mode::CHANGED
        | "attendant.changed"
        | "group.member_added"
        | "group.member_removed"
        | "callcenter.opened"
        | "callcenter.closed" => Permission::AttendantsManage,
        _ if trunk.is_some() => Permission::NetworkManage,
        _ => return None,
    };
    if let Err(stop) = caller.must(needed) {
        return Some(Err(stop));
    }
    Some(match (trunk, action) {
        (Some(kind), _) => trunks::undo(write, kind, change).await,
        (None, mode::CHANGED) => mode::undo(write, change).await,
        (None, "attendant.changed") => attendants::undo(write, change).await,
        (None, "callcenter.opened" | "callcenter.closed") => call_centers::undo(write, change).await,
        (None, _) => groups::undo(write, change).await,
    })
}

impl Store {
    pub(super) async fn system(&self, ctx: &Context, system: &System) -> Result<AdminReply, AdminError> {
        let mut write = self.write(ctx).await?;
        write.who = Caller::shell().who();
        let reply = in_one_step(&mut write, system).await?;
        write.commit().await?;
        Ok(reply)
    }
}

async fn in_one_step(write: &mut Write<'_>, system: &System) -> Result<AdminReply, AdminError> {
    match system {
        System::AddItem { kind, number, name, uri, spoken_name } => {
            let item = items::New { name, uri: uri.as_deref(), spoken_name: spoken_name.as_ref() };
            items::add(write, *kind, *number, &item).await
        }
        System::DeleteItem { kind, number } => items::delete(write, *kind, *number).await,
        System::SetTrunk { kind, number, enabled } => {
            let done = trunks::set_any(write, *kind, *number, *enabled).await;
            spoken(done, ItemKind::Trunk(*kind), *number)
        }
        System::SetAttendant { number, recording } => match attendants::set(write, *number, *recording).await {
            Err(Stop::Refused(Refusal::OtherUnknown)) => Err(AdminError::UnknownRecording(*recording)),
            done => spoken(done, ItemKind::Attendant, *number),
        },
        System::AddMember { number, extension } => {
            member(groups::add(write, *number, extension).await, *number, extension)
        }
        System::RemoveMember { number, extension } => {
            member(groups::remove(write, *number, extension).await, *number, extension)
        }
        System::SetCallCenter { number, open } => {
            spoken(call_centers::set(write, *number, *open).await, ItemKind::CallCenter, *number)
        }
        System::SetMode { setting, until } => mode::set_by_shell(write, *setting, *until).await,
        System::EditTimetable(edit) => mode::edit_timetable(write, edit).await,
    }
}

fn member(done: Result<Reply, Stop>, number: ItemNumber, extension: &Extension) -> Result<AdminReply, AdminError> {
    match done {
        Err(Stop::Refused(Refusal::OtherUnknown)) => Err(AdminError::UnknownExtension(extension.clone())),
        Err(Stop::Refused(Refusal::TooMany)) => Err(SystemError::TooManyMembers(number).into()),
        done => spoken(done, ItemKind::Group, number),
    }
}

/// The reply to a caller as a reply to the shell.
fn spoken(done: Result<Reply, Stop>, kind: ItemKind, number: ItemNumber) -> Result<AdminReply, AdminError> {
    match done {
        Ok(Reply::Changed(change)) => Ok(AdminReply::Changed(change)),
        Ok(_) | Err(Stop::Refused(Refusal::AlreadySo | Refusal::NothingThere)) => Ok(AdminReply::Unchanged),
        Err(Stop::Refused(_)) => Err(SystemError::UnknownItem(kind, number).into()),
        Err(Stop::Fault(error)) => Err(StoreError::into(error)),
    }
}
