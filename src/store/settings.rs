//! What people set for themselves: forwarding, do not disturb, the language. The setters serve the phone, the shell and
//! an undo alike.

use serde::Serialize;
use serde_json::json;
use sqlx::SqliteConnection;

use super::accounts::{self, Account};
use super::error::StoreError;
use super::people::{self, Told};
use super::policy::PinKind;
use super::rights::{Caller, Stop};
use super::tx::Write;
use super::{Store, admin::AdminError, own_audio};
use crate::access::{Action, ForwardKind, OwnAudio, Refusal, Reply, Settings, TollPolicy};
use crate::model::{AccountId, ChangeNumber, Extension, Language, PhoneNumber, SiteId};

/// Where a user's calls go (`forward show --json`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Forwarding {
    /// Always.
    pub always: Option<String>,
    /// When busy.
    pub busy: Option<String>,
    /// When there is no answer.
    pub no_answer: Option<String>,
}

/// Where calls go, in the order of [`ForwardKind::ALL`].
pub(super) type Forwards = [Option<PhoneNumber>; 3];

impl Store {
    /// Where a user's calls go.
    pub async fn forwarding(&self, site: SiteId, extension: &Extension) -> Result<Forwarding, AdminError> {
        let mut read = self.read().await?;
        let account = accounts::by_extension(&mut read, site, extension).await?;
        let account = account.ok_or_else(|| AdminError::UnknownExtension(extension.clone()))?;
        let text = |to: Option<PhoneNumber>| to.map(|to| to.as_str().to_owned());
        let [always, busy, no_answer] = forwards(&mut read, account.id).await?.map(text);
        Ok(Forwarding { always, busy, no_answer })
    }
}

/// What a caller asks of their own settings.
pub(super) async fn read(
    conn: &mut SqliteConnection,
    toll: &TollPolicy,
    caller: &Caller,
    action: &Action,
) -> Result<Reply, Stop> {
    let account = caller.own()?;
    match action {
        Action::ReadForwarding { kind } => {
            let present = forwards(conn, account.id).await?;
            Ok(Reply::Forwarding { to: forward_of(&present, *kind).cloned() })
        }
        Action::CheckForwardNumber { to } => check_number(toll, account, to).map(|()| Reply::Done),
        Action::ListenOwn { which } => Ok(Reply::Audio(own_audio::live(conn, account.id, *which).await?)),
        Action::ReadSettings => Ok(Reply::Settings(all(conn, account).await?)),
        _ => Err(Refusal::NotAllowed.into()),
    }
}

/// What a caller changes of their own settings.
pub(super) async fn write(write: &mut Write<'_>, caller: &Caller, action: &Action) -> Result<Reply, Stop> {
    let account = caller.own()?;
    let change = match action {
        Action::SetForwarding { kind, to } => {
            set_forwarding(write, account, &[(*kind, Some(to.clone()))]).await?.ok_or(Refusal::AlreadySo)?
        }
        Action::ForwardingOff { kind } => {
            set_forwarding(write, account, &[(*kind, None)]).await?.ok_or(Refusal::NothingThere)?
        }
        Action::ToggleDnd => {
            let on = !dnd(write.conn(), account.id).await?;
            let change = set_dnd(write, account, on).await?.ok_or(Refusal::AlreadySo)?;
            return Ok(Reply::Dnd { on, change });
        }
        Action::KeepOwn { which, audio } => own_audio::keep(write, account, *which, audio).await?,
        Action::RestoreGreeting => own_audio::restore_greeting(write, account).await?,
        Action::RemoveGreeting => own_audio::remove_greeting(write, account).await?,
        Action::SetLanguage { language } => {
            set_language(write, account, Some(*language)).await?.ok_or(Refusal::AlreadySo)?
        }
        _ => return Err(Refusal::NotAllowed.into()),
    };
    Ok(Reply::Changed(change))
}

/// Refuses a number that the toll policy refuses, and one's own.
fn check_number(toll: &TollPolicy, account: &Account, to: &PhoneNumber) -> Result<(), Stop> {
    let own = to.as_str() == account.extension.as_str();
    if own || !toll.allows(to) { Err(Refusal::ForwardNotAllowed.into()) } else { Ok(()) }
}

/// Sets some kinds of forwarding, or turns them off; `None` where all were so already.
pub(super) async fn set_forwarding(
    write: &mut Write<'_>,
    account: &Account,
    wanted: &[(ForwardKind, Option<PhoneNumber>)],
) -> Result<Option<ChangeNumber>, Stop> {
    let present = written(write.conn(), account.id).await?;
    let mut next = present.clone();
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for ((slot, present), kind) in next.iter_mut().zip(&present).zip(ForwardKind::ALL) {
        let to = wanted.iter().find(|(wanted, _)| *wanted == kind).map(|(_, to)| to);
        // What is no number is none that can stay: it is off only when nothing is there.
        if let Some(to) = to.filter(|to| to.as_ref().map(PhoneNumber::as_str) != present.as_deref()) {
            if let Some(to) = to {
                check_number(&write.options.toll, account, to)?;
            }
            *slot = to.as_ref().map(|to| to.as_str().to_owned());
            before.push((kind, present.as_deref()));
            after.push((kind, to.clone()));
        }
    }
    let sql = "UPDATE accounts SET forward_always = $2, forward_busy = $3, forward_no_answer = $4 WHERE id = $1";
    let [always, busy, no_answer] = &next;
    let query = sqlx::query(sql).bind(account.id.0).bind(always).bind(busy).bind(no_answer);
    let mut events = after.iter().map(|(kind, to)| {
        let to = to.as_ref().map(PhoneNumber::as_str);
        json!({ "site": account.site_name, "kind": kind.name(), "to": to })
    });
    let Some(first) = events.next() else { return Ok(None) };
    query.execute(write.conn()).await?;
    let set = after.iter().map(|(kind, to)| (*kind, to.as_ref().map(PhoneNumber::as_str)));
    let (before, after) = (forwards_told(before), forwards_told(set));
    let told = Told { before: Some(&before), after: Some(&after), ..Told::new("forwarding.changed", first) };
    let change = people::changed(write, account, told).await?;
    for data in events {
        write.event("forwarding.changed", account.extension.as_str(), Some(change.0), data).await?;
    }
    Ok(Some(change))
}

/// Where an account's calls go.
pub(super) async fn forwards(conn: &mut SqliteConnection, id: AccountId) -> Result<Forwards, StoreError> {
    let written = written(conn, id).await?;
    Ok(written.map(|text| text.as_deref().and_then(PhoneNumber::parse)))
}

/// The same as it is written there: other programs write it too, and text that is no UTF-8 if they like.
async fn written(conn: &mut SqliteConnection, id: AccountId) -> Result<[Option<String>; 3], StoreError> {
    type Bytes = Option<Vec<u8>>;
    let sql = "SELECT forward_always, forward_busy, forward_no_answer FROM accounts WHERE id = $1";
    let row: Option<(Bytes, Bytes, Bytes)> = sqlx::query_as(sql).bind(id.0).fetch_optional(conn).await?;
    let (always, busy, no_answer) = row.unwrap_or_default();
    let text = |bytes: Bytes| bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok([always, busy, no_answer].map(text))
}

/// Where the calls of one kind go.
pub(super) fn forward_of(all: &Forwards, kind: ForwardKind) -> Option<&PhoneNumber> {
    let [always, busy, no_answer] = all;
    match kind {
        ForwardKind::Always => always.as_ref(),
        ForwardKind::Busy => busy.as_ref(),
        ForwardKind::NoAnswer => no_answer.as_ref(),
    }
}

/// What the changes say of forwarding: `always 5551234, busy off`.
fn forwards_told<'a>(list: impl IntoIterator<Item = (ForwardKind, Option<&'a str>)>) -> String {
    let one = |(kind, to): (ForwardKind, Option<&str>)| format!("{} {}", kind.name(), to.unwrap_or("off"));
    list.into_iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The reverse of [`forwards_told`].
pub(super) fn forwards_of(told: &str) -> Option<Vec<(ForwardKind, Option<PhoneNumber>)>> {
    let one = |part: &str| {
        let (kind, to) = part.split_once(' ')?;
        let to = if to == "off" { None } else { Some(PhoneNumber::parse(to)?) };
        Some((ForwardKind::parse(kind)?, to))
    };
    told.split(", ").map(one).collect()
}

/// Whether an account is not to be disturbed.
pub(super) async fn dnd(conn: &mut SqliteConnection, id: AccountId) -> Result<bool, StoreError> {
    let sql = "SELECT dnd FROM accounts WHERE id = $1";
    let on: Option<i64> = sqlx::query_scalar(sql).bind(id.0).fetch_optional(conn).await?;
    Ok(on == Some(1))
}

/// Turns do-not-disturb on or off; `None` where it was so already.
pub(super) async fn set_dnd(
    write: &mut Write<'_>,
    account: &Account,
    on: bool,
) -> Result<Option<ChangeNumber>, StoreError> {
    if dnd(write.conn(), account.id).await? == on {
        return Ok(None);
    }
    let sql = "UPDATE accounts SET dnd = $2 WHERE id = $1";
    sqlx::query(sql).bind(account.id.0).bind(i64::from(on)).execute(write.conn()).await?;
    let told = Told {
        before: Some(on_or_off(!on)),
        after: Some(on_or_off(on)),
        ..Told::new("dnd.changed", json!({ "on": on }))
    };
    people::changed(write, account, told).await.map(Some)
}

/// What the changes say of something that is on or off.
pub(super) fn on_or_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

/// The language of an account's calls; `None` for the configured one.
pub(super) async fn language(conn: &mut SqliteConnection, id: AccountId) -> Result<Option<Language>, StoreError> {
    let sql = "SELECT language FROM accounts WHERE id = $1";
    let code: Option<Option<String>> = sqlx::query_scalar(sql).bind(id.0).fetch_optional(conn).await?;
    Ok(code.flatten().as_deref().and_then(Language::parse))
}

/// Sets the language of an account's calls (`None`: the configured one); `None` where it was so already.
pub(super) async fn set_language(
    write: &mut Write<'_>,
    account: &Account,
    wanted: Option<Language>,
) -> Result<Option<ChangeNumber>, StoreError> {
    let before = language(write.conn(), account.id).await?;
    if before == wanted {
        return Ok(None);
    }
    let code = wanted.map(Language::code);
    let sql = "UPDATE accounts SET language = $2 WHERE id = $1";
    sqlx::query(sql).bind(account.id.0).bind(code).execute(write.conn()).await?;
    let told = Told {
        before: before.map(Language::code),
        after: code,
        ..Told::new("language.changed", json!({ "language": code }))
    };
    people::changed(write, account, told).await.map(Some)
}

async fn all(conn: &mut SqliteConnection, account: &Account) -> Result<Settings, StoreError> {
    Ok(Settings {
        forwarding: forwards(conn, account.id).await?,
        dnd: dnd(conn, account.id).await?,
        has_greeting: own_audio::live_version(conn, account.id, OwnAudio::Greeting).await?.is_some(),
        has_name: own_audio::live_version(conn, account.id, OwnAudio::Name).await?.is_some(),
        has_voicemail_pin: accounts::pin(conn, account.id, PinKind::Voicemail).await?.is_some(),
        has_support_pin: accounts::pin(conn, account.id, PinKind::Support).await?.is_some(),
        language: language(conn, account.id).await?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_change_says_of_forwarding_is_read_back() {
        let list = vec![(ForwardKind::Always, PhoneNumber::parse("5551234")), (ForwardKind::NoAnswer, None)];
        let told = list.iter().map(|(kind, to)| (*kind, to.as_ref().map(PhoneNumber::as_str)));
        assert_eq!(forwards_told(told), "always 5551234, no-answer off");
        assert_eq!(forwards_of("always 5551234, no-answer off"), Some(list));
        for wrong in ["", "always", "sometimes 1", "always x"] {
            assert_eq!(forwards_of(wrong), None, "{wrong}");
        }
    }
}
